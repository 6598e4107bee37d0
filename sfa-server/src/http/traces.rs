//! Requests and jobs as spans of OpenTelemetry.
//!
//! It is a layer of `tracing` beside the one that writes the log. A request is the trace of its own name, which its
//! answer has in `x-request-id`, unless it came with a `traceparent`; a job is that of its id.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};
use sfa_core::traces::{Exporter, Span, SpanKind};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;
use uuid::Uuid;

use super::journal::Said;

/// What the program calls these spans.
const REQUEST: &str = "request";
const JOB: &str = "job";

/// A layer that has spans of requests and jobs exported.
#[derive(Debug)]
pub struct Traces(Exporter);

/// What is known of a span that is open.
struct Open {
    start_ns: u64,
    fields: Map<String, Value>,
    error: Option<String>,
}

impl Traces {
    /// To whoever gathers them.
    pub fn new(exporter: Exporter) -> Self {
        Self(exporter)
    }
}

impl<S> Layer<S> for Traces
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id).filter(|span| matches!(span.name(), REQUEST | JOB)) else { return };
        let mut said = Said::default();
        attributes.record(&mut said);
        span.extensions_mut().insert(Open { start_ns: now_ns(), fields: said.fields, error: None });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(open) = span.extensions_mut().get_mut::<Open>() {
            let mut said = Said::default();
            values.record(&mut said);
            open.fields.extend(said.fields);
        }
    }

    /// What is said of a span by the one that opened it is known of it.
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(span) = context.event_span(event) else { return };
        if event.metadata().target() != span.metadata().target() {
            return;
        }
        if let Some(open) = span.extensions_mut().get_mut::<Open>() {
            let mut said = Said::default();
            event.record(&mut said);
            open.fields.extend(said.fields);
            if *event.metadata().level() <= Level::WARN {
                open.error = Some(said.message);
            }
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(open) = span.extensions_mut().remove::<Open>() else { return };
        self.0.export(if span.name() == JOB { of_job(open) } else { of_request(open) });
    }
}

fn of_request(open: Open) -> Span {
    let Open { start_ns, mut fields, mut error } = open;
    let (trace, parent) = match fields.remove("traceparent").as_ref().and_then(Value::as_str).and_then(parent)
    {
        Some((trace, parent)) => (trace, Some(parent)),
        None => (trace_of(&fields, "request_id"), None),
    };
    let mut name = text(&fields, "method").to_owned();
    if fields.contains_key("route") {
        name = format!("{name} {}", text(&fields, "route"));
    }
    if fields.get("status").and_then(Value::as_u64).is_some_and(|status| status >= 500) {
        error = error.or_else(|| Some("the answer is a failure of the server".to_owned()));
    }
    span(trace, parent, name, SpanKind::Server, start_ns, fields, error)
}

fn of_job(open: Open) -> Span {
    let Open { start_ns, fields, error } = open;
    let (trace, name) = (trace_of(&fields, "job_id"), format!("job {}", text(&fields, "kind")));
    span(trace, None, name, SpanKind::Consumer, start_ns, fields, error)
}

fn span(
    trace: [u8; 16],
    parent: Option<[u8; 8]>,
    name: String,
    kind: SpanKind,
    start_ns: u64,
    fields: Map<String, Value>,
    error: Option<String>,
) -> Span {
    let mut id = [0; 8];
    // The random half.
    id.copy_from_slice(&Uuid::now_v7().as_bytes()[8..]);
    let attributes = fields.into_iter().filter_map(|(name, value)| Some((attribute(name)?, value))).collect();
    Span { trace, id, parent, name, kind, start_ns, end_ns: now_ns(), attributes, error }
}

/// What others call a field; the duration is in the span already.
fn attribute(name: String) -> Option<String> {
    let known = match name.as_str() {
        "duration_ms" => return None,
        "method" => "http.request.method",
        "route" => "http.route",
        "path" => "url.path",
        "status" => "http.response.status_code",
        "user_id" => "user.id",
        _ => return Some(name),
    };
    Some(known.to_owned())
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> &'a str {
    fields.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A name of ours as that of a trace.
fn trace_of(fields: &Map<String, Value>, name: &str) -> [u8; 16] {
    text(fields, name).parse::<Uuid>().unwrap_or_else(|_| Uuid::now_v7()).into_bytes()
}

/// The trace and the span that a `traceparent` names (W3C Trace Context).
pub(super) fn parent(text: &str) -> Option<([u8; 16], [u8; 8])> {
    let mut parts = text.split('-');
    let (version, trace, span) = (parts.next()?, parts.next()?, parts.next()?);
    let has_flags = parts.next().is_some_and(|flags| flags.len() == 2);
    // Later versions may add parts; this one is forbidden.
    if version.len() != 2 || version == "ff" || !has_flags || version == "00" && parts.next().is_some() {
        return None;
    }
    let (mut trace_id, mut span_id) = ([0; 16], [0; 8]);
    read_hex(trace, &mut trace_id)?;
    read_hex(span, &mut span_id)?;
    (trace_id != [0; 16] && span_id != [0; 8]).then_some((trace_id, span_id))
}

fn read_hex(text: &str, bytes: &mut [u8]) -> Option<()> {
    let is_plain = |letter: u8| matches!(letter, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != 2 * bytes.len() || !text.bytes().all(is_plain) {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(())
}

fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_is_believed_where_it_is_written_as_it_should_be() {
        let (trace, span) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
        let good = format!("00-{trace}-{span}-01");
        let (found, inside) = parent(&good).unwrap();
        assert_eq!((found[0], found[15], inside[0], inside[7]), (0x0a, 0x9c, 0xb7, 0x31));
        assert!(parent(&format!("01-{trace}-{span}-01-more")).is_some(), "of a later version");
        for wrong in [
            String::new(),
            format!("00-{trace}-{span}"),
            format!("00-{trace}-{span}-01-more"),
            format!("ff-{trace}-{span}-01"),
            format!("00-{}-{span}-01", trace.to_uppercase()),
            format!("00-{}-{span}-01", "0".repeat(32)),
            format!("00-{trace}-{}-01", "0".repeat(16)),
            format!("00-{trace}-{}-01", "ä".repeat(8)),
            "00-x-y-01".to_owned(),
            "-".repeat(1000),
        ] {
            assert!(parent(&wrong).is_none(), "{wrong}");
        }
    }
}
