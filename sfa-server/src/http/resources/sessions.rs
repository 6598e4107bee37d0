//! Where one is signed in.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use sfa_core::library::{Session, SessionId};
use utoipa::ToSchema;

use crate::http::App;
use crate::http::answer::{At, Page};
use crate::http::auth::Caller;
use crate::http::error::ApiResult;

/// A session.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct SessionView {
    #[schema(value_type = String, format = Uuid)]
    id: SessionId,
    /// The network address that it was opened from.
    address: String,
    /// The program that it was opened with, as that says.
    agent: String,
    /// Milliseconds since 1970.
    created_at_ms: i64,
    expires_at_ms: i64,
    /// Whether this request came with it.
    is_current: bool,
}

/// List the own sessions
#[utoipa::path(get, path = "/api/v1/sessions", tag = "account", responses(
    (status = 200, description = "The newest first", body = Page<SessionView>)
))]
pub(in crate::http) async fn list(State(app): State<App>, caller: Caller) -> ApiResult<Page<SessionView>> {
    let current = caller.session();
    let view = |session: Session| SessionView {
        is_current: Some(session.id) == current,
        id: session.id,
        address: session.address,
        agent: session.agent,
        created_at_ms: session.created_at_ms,
        expires_at_ms: session.expires_at_ms,
    };
    let sessions = app.library.rows().sessions(caller.scope()).await?;
    Ok(Page::whole(sessions.into_iter().map(view).collect()))
}

/// End a session
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", tag = "account",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 204, description = "Ended"))
)]
pub(in crate::http) async fn close(
    State(app): State<App>,
    caller: Caller,
    At(id): At<SessionId>,
) -> ApiResult<StatusCode> {
    app.library.rows().close_session(caller.scope(), id).await?;
    app.revoke(caller.user.id);
    Ok(StatusCode::NO_CONTENT)
}

/// End all sessions but this one
#[utoipa::path(delete, path = "/api/v1/sessions", tag = "account", responses(
    (status = 204, description = "Ended")
))]
pub(in crate::http) async fn close_others(State(app): State<App>, caller: Caller) -> ApiResult<StatusCode> {
    app.library.rows().close_other_sessions(caller.scope(), caller.session()).await?;
    app.revoke(caller.user.id);
    Ok(StatusCode::NO_CONTENT)
}
