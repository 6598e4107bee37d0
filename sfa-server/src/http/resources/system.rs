//! How the server is.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use sfa_core::library::{LibraryErrorKind, QueueStatus};
use utoipa::ToSchema;

use crate::http::App;
use crate::http::answer::{Data, Page};
use crate::http::error::{ApiError, ApiResult};

#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Health {
    #[schema(example = "ok")]
    status: &'static str,
    version: &'static str,
    uptime_secs: i64,
}

/// What somebody has to know who is not signed in yet.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ServerView {
    version: &'static str,
    /// Whether there is no admin yet.
    needs_set_up: bool,
    /// Whether anybody may make an account.
    open_registration: bool,
    /// Whether it sends mail: links that sign in, set a password, confirm an address.
    sends_mail: bool,
    /// Who else vouches for people: the host of an OpenID provider. `/api/v1/oidc/begin` signs in there.
    #[serde(skip_serializing_if = "Option::is_none")]
    signs_in_at: Option<String>,
}

/// A queue of jobs.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct QueueView {
    #[schema(example = "separate")]
    name: String,
    is_paused: bool,
    /// The most that run at once, on all machines together.
    running_limit: Option<i64>,
    waiting: i64,
    running: i64,
}

impl From<QueueStatus> for QueueView {
    fn from(queue: QueueStatus) -> Self {
        let QueueStatus { name, is_paused, running_limit, waiting, running, .. } = queue;
        Self { name, is_paused, running_limit, waiting, running }
    }
}

/// Whether the process lives
#[utoipa::path(get, path = "/health", tag = "server", responses(
    (status = 200, description = "It lives", body = Data<Health>)
))]
pub(in crate::http) async fn health(State(app): State<App>) -> Data<Health> {
    Data { data: health_of(&app) }
}

/// Whether requests can be answered: database and files are there, and the server is not about to stop
#[utoipa::path(get, path = "/ready", tag = "server", responses(
    (status = 200, description = "They can", body = Data<Health>)
))]
pub(in crate::http) async fn ready(State(app): State<App>) -> ApiResult<Data<Health>> {
    let unready = |what: &str, log: String| ApiError {
        log: Some(log),
        ..ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", format!("{what} not ready"))
    };
    if *app.stopping.borrow() {
        return Err(unready("a server that is stopping is", String::new()));
    }
    app.library.reach().await.map_err(|error| {
        let what = match error.kind() {
            LibraryErrorKind::Database => "the database is",
            _ => "the store of files is",
        };
        unready(what, error.to_string())
    })?;
    Ok(Data { data: health_of(&app) })
}

/// What this server is
#[utoipa::path(get, path = "/api/v1/server", tag = "server", responses(
    (status = 200, description = "The server", body = Data<ServerView>)
))]
pub(in crate::http) async fn server(State(app): State<App>) -> Data<ServerView> {
    let needs_set_up = app.set_up.lock().await.is_some();
    let open_registration = app.options.open_registration;
    let sends_mail = app.outbox.is_some();
    let signs_in_at = app.oidc.as_ref().map(|oidc| oidc.host().to_owned());
    let version = env!("CARGO_PKG_VERSION");
    Data { data: ServerView { version, needs_set_up, open_registration, sends_mail, signs_in_at } }
}

/// List the queues of jobs
#[utoipa::path(get, path = "/api/v1/queues", tag = "server", responses(
    (status = 200, description = "All of them", body = Page<QueueView>)
))]
pub(in crate::http) async fn queues(State(app): State<App>) -> ApiResult<Page<QueueView>> {
    Ok(Page::whole(app.library.rows().queues().await?))
}

fn health_of(app: &App) -> Health {
    let uptime_secs = (crate::http::now_ms() - app.started_at_ms) / 1000;
    Health { status: "ok", version: env!("CARGO_PKG_VERSION"), uptime_secs }
}
