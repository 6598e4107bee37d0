//! How the server is, for Prometheus: counted as it happens, or looked up when it is asked.
//!
//! Nobody signs in for this, so it has an address of its own, which is nowhere unless the operator names one: what is
//! open to the internet is then never a firewall's rule away from telling strangers how busy a studio is. No label has a
//! value that a client can choose.

use std::fmt::Debug;
use std::sync::LazyLock;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use sfa_core::library::{Connections, JobCount};

use super::App;

const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Seconds; a request that takes longer than the last is a file.
const DURATIONS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    /// As it was declared: "/api/v1/tracks/{id}".
    route: String,
    status: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobLabels {
    queue: String,
    kind: String,
    state: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QueueLabels {
    queue: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ConnectionLabels {
    state: &'static str,
}

type Histograms = Family<RequestLabels, Histogram, fn() -> Histogram>;

/// What is counted as it happens.
pub(super) struct Metrics {
    registry: Registry,
    requests: Histograms,
    uploaded: Counter,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let requests = Histograms::new_with_constructor(|| Histogram::new(DURATIONS));
        let uploaded = Counter::default();
        let mut registry = Registry::with_prefix("sfa");
        let about = "How long requests took until their answer began";
        registry.register_with_unit("http_request_duration", about, Unit::Seconds, requests.clone());
        registry.register_with_unit("uploaded", "What came in as songs", Unit::Bytes, uploaded.clone());
        Self { registry, requests, uploaded }
    }

    /// Notes an answer. Without a `route` it was the studio's, or nobody's.
    pub(super) fn answered(&self, method: &Method, route: Option<&str>, status: StatusCode, took: Duration) {
        let labels = RequestLabels {
            method: named(method),
            route: route.unwrap_or("studio").to_owned(),
            status: status.as_u16().into(),
        };
        self.requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Notes a part of a song on its way in.
    pub(super) fn uploaded(&self, bytes: usize) {
        self.uploaded.inc_by(bytes as u64);
    }
}

/// A method as a label: clients may invent others.
fn named(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| method == known).unwrap_or("other")
}

pub(super) fn router(app: App) -> Router {
    Router::new().route("/metrics", get(show)).with_state(app)
}

async fn show(State(app): State<App>) -> impl IntoResponse {
    let jobs = app.library.rows().count_jobs().await;
    let mut now = Registry::with_prefix("sfa");
    now.register("database_up", "Whether the database answers", ConstGauge::new(i64::from(jobs.is_ok())));
    register_jobs(&mut now, &jobs.unwrap_or_default());
    register_connections(&mut now, app.library.rows().connections());
    let sockets = i64::try_from(app.places.taken()).unwrap_or(i64::MAX);
    now.register("live_connections", "Open WebSockets and streams of events", ConstGauge::new(sockets));
    let mut process = Registry::default();
    register_process(&mut process);
    let mut text = String::new();
    let written = [&app.metrics.registry, &now, &process]
        .into_iter()
        .try_for_each(|registry| encode_registry(&mut text, registry))
        .and_then(|()| encode_eof(&mut text));
    written.expect("text can be written into memory");
    ([(header::CONTENT_TYPE, MEDIA_TYPE)], text)
}

fn register_jobs(registry: &mut Registry, counts: &[JobCount]) {
    let jobs = Family::<JobLabels, Gauge>::default();
    let oldest = Family::<QueueLabels, Gauge>::default();
    for count in counts {
        let JobCount { queue, kind, state, jobs: number, oldest_wait_ms } = count.clone();
        let age = oldest.get_or_create(&QueueLabels { queue: queue.clone() });
        age.set(age.get().max(oldest_wait_ms / 1000));
        jobs.get_or_create(&JobLabels { queue, kind, state: state.to_string() }).set(number);
    }
    registry.register("jobs", "Jobs that the database knows, on all nodes", jobs);
    let about = "How long the job has waited that could run and waits longest";
    registry.register_with_unit("queue_oldest_job", about, Unit::Seconds, oldest);
}

fn register_connections(registry: &mut Registry, connections: Connections) {
    let family = Family::<ConnectionLabels, Gauge>::default();
    let Connections { open, idle } = connections;
    for (state, number) in [("idle", idle), ("busy", open.saturating_sub(idle))] {
        family.get_or_create(&ConnectionLabels { state }).set(i64::from(number));
    }
    registry.register("database_connections", "Connections to the database", family);
}

/// Under the names that dashboards of all programs expect.
fn register_process(registry: &mut Registry) {
    use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

    static PID: LazyLock<Pid> = LazyLock::new(|| Pid::from_u32(std::process::id()));
    let Ok(mut system) = System::new() else { return };
    let wanted = ProcessRefreshKind::nothing().with_memory().with_cpu();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[*PID]), false, wanted);
    let Some(process) = system.process(*PID) else { return };
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let memory = ConstGauge::new(signed(process.memory()));
    registry.register("process_resident_memory_bytes", "Memory in use", memory);
    let cpu = ConstCounter::new(process.accumulated_cpu_time() as f64 / 1000.0);
    registry.register("process_cpu_seconds", "Time that processors worked", cpu);
    let started = ConstGauge::new(signed(process.start_time()));
    registry.register("process_start_time_seconds", "When it was started, since 1970", started);
    if let Some(files) = process.open_files() {
        let files = i64::try_from(files).unwrap_or(i64::MAX);
        registry.register("process_open_fds", "Open files and connections", ConstGauge::new(files));
    }
}
