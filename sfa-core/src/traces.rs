//! Spans of work on their way to whoever gathers them: OTLP over HTTP, in JSON.
//!
//! Nothing waits for a collector: spans go into a queue that a thread empties, and what does not fit into it is counted
//! and lost.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, StatusCode, Url};
use serde_json::{Map, Value, json};

use crate::hex::hex;
use crate::{Error, ErrorKind, Result, http};

/// What every collector adds to its address for traces.
const PATH: [&str; 2] = ["v1", "traces"];
/// Spans that wait to be sent.
const QUEUED: usize = 4096;
/// Spans of one request.
const AT_ONCE: usize = 512;
/// A span waits for others so long.
const GATHERING: Duration = Duration::from_secs(1);
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// A collector that is busy or not there is asked so often.
const ATTEMPTS: u32 = 4;
/// After the first failure; twice as long after each further one.
const PAUSE: Duration = Duration::from_millis(500);
/// How long what is queued may take at the end.
const LAST_WORDS: Duration = Duration::from_secs(3);
/// What is lost is told at most so often.
const COMPLAINTS: Duration = Duration::from_secs(60);

/// What took place between two moments.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The whole that it is a part of.
    pub trace: [u8; 16],
    /// Itself.
    pub id: [u8; 8],
    /// What it is a part of, where that is another span.
    pub parent: Option<[u8; 8]>,
    /// What took place, in few different words.
    pub name: String,
    /// Why it did.
    pub kind: SpanKind,
    /// Nanoseconds since 1970.
    pub start_ns: u64,
    /// The same.
    pub end_ns: u64,
    /// What is known of it: texts, numbers and truths.
    pub attributes: Map<String, Value>,
    /// What went wrong.
    pub error: Option<String>,
}

/// Why something took place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    /// Somebody asked and waits.
    Server,
    /// Somebody had asked for it.
    Consumer,
}

impl Span {
    fn to_json(&self) -> Value {
        let mut span = json!({
            "traceId": hex(&self.trace),
            "spanId": hex(&self.id),
            "name": self.name,
            // Numbers of SpanKind in the protocol.
            "kind": match self.kind { SpanKind::Server => 2, SpanKind::Consumer => 5 },
            // 64 bits are texts in this encoding.
            "startTimeUnixNano": self.start_ns.to_string(),
            "endTimeUnixNano": self.end_ns.to_string(),
            "attributes": attributes(&self.attributes),
        });
        if let Some(parent) = self.parent {
            span["parentSpanId"] = json!(hex(&parent));
        }
        if let Some(error) = &self.error {
            span["status"] = json!({"code": 2, "message": error});
        }
        span
    }
}

fn attributes(values: &Map<String, Value>) -> Vec<Value> {
    let shown = |(key, value): (&String, &Value)| {
        let value = match value {
            Value::Bool(truth) => json!({"boolValue": truth}),
            Value::Number(number) if number.is_f64() => json!({"doubleValue": number}),
            Value::Number(number) => json!({"intValue": number.to_string()}),
            Value::String(text) => json!({"stringValue": text}),
            other => json!({"stringValue": other.to_string()}),
        };
        json!({"key": key, "value": value})
    };
    values.iter().map(shown).collect()
}

/// Sends spans to a collector. Clones are the same.
#[derive(Clone)]
pub struct Exporter(Arc<Shared>);

struct Shared {
    queue: Mutex<Option<SyncSender<Span>>>,
    lost: AtomicU64,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter").finish_non_exhaustive()
    }
}

impl Exporter {
    /// To the collector at `endpoint`, such as `http://127.0.0.1:4318`, with these headers, as `service`.
    ///
    /// # Errors
    /// `InvalidOption` for what is no such address or no header, `ToolUnavailable` where nothing can be encrypted.
    pub fn start(endpoint: &str, headers: &[(String, String)], service: &str) -> Result<Self> {
        let invalid = |message: String| Error::new(ErrorKind::InvalidOption, message);
        let url = address(endpoint).ok_or_else(|| {
            invalid(format!("{endpoint:?} is no collector; one looks like http://127.0.0.1:4318"))
        })?;
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            let header = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value).ok());
            // What it says may be a secret.
            let (name, mut value) = header.ok_or_else(|| invalid(format!("{name:?} cannot be a header")))?;
            value.set_sensitive(true);
            all.insert(name, value);
        }
        all.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let client = http::client(&url, |builder| builder.timeout(TIME_LIMIT).default_headers(all.clone()))?;
        let (sender, receiver) = sync_channel(QUEUED);
        let shared = Arc::new(Shared {
            queue: Mutex::new(Some(sender)),
            lost: AtomicU64::new(0),
            thread: Mutex::default(),
        });
        let service = service.to_owned();
        let courier = Courier { client, url, service, shared: Arc::clone(&shared), complained: None };
        let thread = thread::Builder::new().name("traces".to_owned()).spawn(move || courier.work(&receiver));
        let thread = thread.map_err(|error| {
            Error::new(ErrorKind::Internal, format!("no thread for traces: {error}")).caused_by(error)
        })?;
        *shared.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(Self(shared))
    }

    /// Has a span sent, unless too many wait already.
    pub fn export(&self, span: Span) {
        let queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.as_ref().is_some_and(|queue| queue.try_send(span).is_err()) {
            self.0.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes no more spans, and returns when those there are were sent, or a few seconds later.
    pub fn close(&self) {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        let thread = self.0.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread else { return };
        let began = Instant::now();
        while !thread.is_finished() && began.elapsed() < LAST_WORDS {
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Where a collector takes spans.
fn address(endpoint: &str) -> Option<Url> {
    let mut url = Url::parse(endpoint).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    url.path_segments_mut().ok()?.pop_if_empty().extend(PATH);
    Some(url)
}

/// Carries spans, on a thread of its own.
struct Courier {
    client: Client,
    url: Url,
    service: String,
    shared: Arc<Shared>,
    /// When it last said that spans were lost.
    complained: Option<Instant>,
}

impl Courier {
    fn work(mut self, queue: &Receiver<Span>) {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return tracing::error!("traces cannot be sent: {error}"),
        };
        while let Ok(first) = queue.recv() {
            let spans = gather(first, queue);
            if let Err(reason) = runtime.block_on(self.deliver(&spans)) {
                self.shared.lost.fetch_add(spans.len() as u64, Ordering::Relaxed);
                self.complain(&reason);
            }
        }
    }

    async fn deliver(&self, spans: &[Span]) -> Result<(), String> {
        let body = document(&self.service, spans).to_string();
        let mut attempt = 1;
        loop {
            let answer = self.client.post(self.url.clone()).body(body.clone()).send().await;
            let reason = match answer {
                Ok(answer) if answer.status().is_success() => return Ok(()),
                Ok(answer) if is_passing(answer.status()) => answer.status().to_string(),
                Ok(answer) => return Err(answer.status().to_string()),
                Err(error) => http::reason(&error),
            };
            if attempt >= ATTEMPTS {
                return Err(reason);
            }
            tokio::time::sleep(PAUSE * (1 << (attempt - 1))).await;
            attempt += 1;
        }
    }

    fn complain(&mut self, reason: &str) {
        if self.complained.is_none_or(|at| at.elapsed() >= COMPLAINTS) {
            self.complained = Some(Instant::now());
            let lost = self.shared.lost.swap(0, Ordering::Relaxed);
            tracing::warn!(lost, "traces do not reach their collector: {reason}");
        }
    }
}

/// The first and those that follow it closely.
fn gather(first: Span, queue: &Receiver<Span>) -> Vec<Span> {
    let until = Instant::now() + GATHERING;
    let mut spans = vec![first];
    while spans.len() < AT_ONCE {
        match queue.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(span) => spans.push(span),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    spans
}

/// Statuses after which the protocol has the same sent again.
fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

fn document(service: &str, spans: &[Span]) -> Value {
    let about = Map::from_iter([
        ("service.name".to_owned(), json!(service)),
        ("service.version".to_owned(), json!(env!("CARGO_PKG_VERSION"))),
    ]);
    let spans: Vec<Value> = spans.iter().map(Span::to_json).collect();
    json!({"resourceSpans": [{
        "resource": {"attributes": attributes(&about)},
        "scopeSpans": [{"scope": {"name": "sfa"}, "spans": spans}],
    }]})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_written_as_the_protocol_has_it() {
        let span = Span {
            trace: [0xab; 16],
            id: [1; 8],
            parent: Some([2; 8]),
            name: "GET /x".to_owned(),
            kind: SpanKind::Server,
            start_ns: u64::MAX,
            end_ns: 7,
            attributes: Map::from_iter([
                ("a".to_owned(), json!(7)),
                ("b".to_owned(), json!(true)),
                ("c".to_owned(), json!(0.5)),
                ("d".to_owned(), json!("text")),
            ]),
            error: Some("why".to_owned()),
        };
        let written = document("sfa", &[span])["resourceSpans"][0]["scopeSpans"][0]["spans"][0].take();
        let expected = json!({
            "traceId": "ab".repeat(16), "spanId": "01".repeat(8), "parentSpanId": "02".repeat(8), "name": "GET /x",
            "kind": 2, "startTimeUnixNano": "18446744073709551615", "endTimeUnixNano": "7",
            "attributes": [
                {"key": "a", "value": {"intValue": "7"}},
                {"key": "b", "value": {"boolValue": true}},
                {"key": "c", "value": {"doubleValue": 0.5}},
                {"key": "d", "value": {"stringValue": "text"}},
            ],
            "status": {"code": 2, "message": "why"},
        });
        assert_eq!(written, expected);
    }

    #[test]
    fn a_collector_takes_spans_below_its_address() {
        for (endpoint, expected) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("https://x.example/otlp/", "https://x.example/otlp/v1/traces"),
        ] {
            assert_eq!(address(endpoint).unwrap().as_str(), expected);
        }
    }

    #[test]
    fn what_is_no_collector_is_refused() {
        for endpoint in ["", "localhost:4318", "ftp://x", "http://"] {
            let error = Exporter::start(endpoint, &[], "sfa").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidOption, "{endpoint}");
        }
        let header = ("a key".to_owned(), "secret".to_owned());
        let error = Exporter::start("http://127.0.0.1:1", &[header], "sfa").unwrap_err().to_string();
        assert!(error.contains("a key") && !error.contains("secret"), "{error}");
    }
}
