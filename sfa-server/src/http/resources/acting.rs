//! Seeing what another user sees, to help them.

use axum::extract::State;
use axum::http::StatusCode;
use sfa_core::library::UserId;

use super::account::UserView;
use super::users::make_sure_of_rank;
use crate::http::App;
use crate::http::answer::{At, Data};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult};

/// Act as another user
///
/// From now on this session sees and changes the songs of that user, and nothing that opens their account. It is told by
/// `impersonated_by` of `/api/v1/me`, written into the audit log together with every change, and ends with the session or
/// with `DELETE /api/v1/impersonation`.
#[utoipa::path(post, path = "/api/v1/users/{id}/impersonate", tag = "users",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The account that is acted as", body = Data<UserView>))
)]
pub(in crate::http) async fn begin(
    State(app): State<App>,
    caller: Caller,
    At(id): At<UserId>,
) -> ApiResult<Data<UserView>> {
    let Some(session) = caller.session() else { return Err(ApiError::unauthorized()) };
    let rows = app.library.rows();
    let user = rows.user(id).await?;
    make_sure_of_rank(&caller, user.role)?;
    if id == caller.user.id {
        return Err(ApiError::conflict("this is your own account"));
    }
    rows.act_as(&caller.actor(), session, Some(id)).await?;
    app.revoke(caller.user.id);
    Ok(Data { data: user.into() })
}

/// Be oneself again
#[utoipa::path(delete, path = "/api/v1/impersonation", tag = "users", responses(
    (status = 204, description = "The session is its owner's")
))]
pub(in crate::http) async fn end(State(app): State<App>, caller: Caller) -> ApiResult<StatusCode> {
    let Some(session) = caller.session() else { return Err(ApiError::unauthorized()) };
    app.library.rows().act_as(&caller.actor(), session, None).await?;
    app.revoke(caller.user.id);
    Ok(StatusCode::NO_CONTENT)
}
