//! Requests and jobs as a collector of OpenTelemetry hears of them.

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use sfa_core::library::{Role, Scope, WorkerOptions};
use sfa_core::traces::Exporter;
use sfa_server::http::Traces;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::house::{House, text};
use crate::journal::with_log;

const KEY: &str = "key of the collector";

/// A collector that is busy at first, and what it is told.
async fn collector() -> (SocketAddr, mpsc::UnboundedReceiver<(HeaderMap, Uri, Value)>) {
    type Told = mpsc::UnboundedSender<(HeaderMap, Uri, Value)>;
    async fn take(
        State(told): State<Told>,
        headers: HeaderMap,
        uri: Uri,
        Json(body): Json<Value>,
    ) -> StatusCode {
        static BUSY: std::sync::Once = std::sync::Once::new();
        let mut status = StatusCode::OK;
        BUSY.call_once(|| status = StatusCode::SERVICE_UNAVAILABLE);
        if status == StatusCode::OK {
            told.send((headers, uri, body)).ok();
        }
        status
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (told, hears) = mpsc::unbounded_channel();
    let router = Router::new().fallback(post(take)).with_state(told);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, hears)
}

/// The value of an attribute, as it is encoded.
fn attribute(of: &Value, key: &str) -> Value {
    let all = of["attributes"].as_array().unwrap();
    all.iter().find(|one| one["key"] == key).map_or(Value::Null, |one| one["value"].clone())
}

#[test]
fn a_collector_hears_of_requests_and_jobs() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (address, mut hears) = runtime.block_on(collector());
    let headers = [("x-key".to_owned(), KEY.to_owned())];
    let exporter = Exporter::start(&format!("http://{address}/base/"), &headers, "sfa").unwrap();
    let (trace, span) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    let mut names = (String::new(), String::new());
    with_log(Traces::new(exporter.clone()), async || {
        let house = House::open().await;
        let ann = house.user("ann", Role::Pro).await;
        let id = house.track(&ann, "a.wav", 44_100).await;
        names.0 = ann.get(&format!("/api/v1/tracks/{id}")).await.header("x-request-id");
        let parent = format!("00-{trace}-{span}-01");
        ann.with("traceparent", &parent).get("/api/v1/playlists?token=secret").await;
        names.1 = text(&ann.post("/api/analyze/analyze", json!({"trackId": id})).await.value()["jobId"]);
        let worker = house.library.start_worker(WorkerOptions::default()).await.unwrap();
        house.library.wait(Scope::of(ann.user), id.parse().unwrap(), |_, _| {}).await.unwrap();
        worker.shutdown(Duration::from_secs(5)).await;
    });
    exporter.close();
    let mut spans = Vec::new();
    while let Ok((headers, uri, body)) = hears.try_recv() {
        assert_eq!(
            (headers["content-type"].as_bytes(), headers["x-key"].as_bytes()),
            (&b"application/json"[..], KEY.as_bytes())
        );
        assert_eq!(uri.path(), "/base/v1/traces");
        assert!(!body.to_string().contains("secret"), "{body}");
        let all = &body["resourceSpans"][0];
        assert_eq!(attribute(&all["resource"], "service.name"), json!({"stringValue": "sfa"}));
        spans.extend(all["scopeSpans"][0]["spans"].as_array().unwrap().clone());
    }
    let of = |name: &str| {
        spans.iter().find(|span| span["name"] == name).unwrap_or_else(|| panic!("{name}: {spans:#?}"))
    };
    let shown = of("GET /api/v1/tracks/{id}");
    assert_eq!((&shown["traceId"], &shown["kind"]), (&json!(names.0), &json!(2)));
    assert_eq!(attribute(shown, "http.response.status_code"), json!({"intValue": "200"}));
    assert!(
        attribute(shown, "user.id")["stringValue"].is_string() && shown["parentSpanId"].is_null(),
        "{shown}"
    );
    let time = |span: &Value, name: &str| text(&span[name]).parse::<u64>().unwrap();
    assert!(time(shown, "startTimeUnixNano") <= time(shown, "endTimeUnixNano"));
    let part = of("GET /api/v1/playlists");
    assert_eq!((&part["traceId"], &part["parentSpanId"]), (&json!(trace), &json!(span)));
    let job = of("job analyze");
    assert_eq!((&job["traceId"], &job["kind"]), (&json!(names.1.replace('-', "")), &json!(5)));
    assert!(job["status"].is_null() && attribute(job, "attempt") == json!({"intValue": "1"}), "{job}");
}
