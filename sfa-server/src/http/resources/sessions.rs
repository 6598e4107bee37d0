//! Where one is signed in.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sfa_core::library::{Session, SessionId, TokenPurpose};
use utoipa::ToSchema;

use super::links;
use crate::http::App;
use crate::http::answer::{At, Body, Page};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult};
use crate::http::limits::Who;

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

/// A proof of who one is: one of the two.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Proof {
    /// The own password.
    #[schema(format = Password)]
    password: Option<String>,
    /// What stands behind the "#" of a link that signs in, see `/api/v1/login/mail`.
    token: Option<String>,
}

/// Prove again who one is
///
/// What opens an account or changes those of others asks for a proof of the last minutes, and is else refused with the
/// code `reauthentication_required`. Signing in is one. Programs with tokens need none.
#[utoipa::path(post, path = "/api/v1/reauthenticate", tag = "account", request_body = Proof, responses(
    (status = 204, description = "Proved")
))]
pub(in crate::http) async fn reauthenticate(
    State(app): State<App>,
    caller: Caller,
    Body(proof): Body<Proof>,
) -> ApiResult<StatusCode> {
    let Some(session) = caller.session() else { return Err(ApiError::unauthorized()) };
    let is_proved = match proof {
        Proof { password: Some(password), token: None } => is_password_of(&app, &caller, &password).await?,
        Proof { password: None, token: Some(token) } => {
            let redeemed = links::redeem(&app, TokenPurpose::SignIn, &token).await?;
            redeemed.1.id == caller.user.id
        }
        _ => return Err(ApiError::invalid("give a password or a token")),
    };
    if !is_proved {
        return Err(ApiError::new(StatusCode::FORBIDDEN, "wrong_password", "this is not your password"));
    }
    app.library.rows().confirm_session(caller.scope(), session).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn is_password_of(app: &App, caller: &Caller, password: &str) -> ApiResult<bool> {
    let (name, who) = (caller.user.id.to_string(), Who::at(caller.address));
    app.limits.may_try_password(&name, who, true)?;
    let hash = app.library.rows().password_hash(caller.user.id).await?;
    let matches = app.passwords.matches(password, hash.as_deref()).await?;
    if !matches {
        app.limits.note_wrong_password(&name, who);
    }
    Ok(matches)
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
