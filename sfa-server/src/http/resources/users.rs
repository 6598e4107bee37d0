//! Everybody's accounts, for those who look after them.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sfa_core::library::{NewUser, Role, User, UserEdit, UserId, UserQuery, UserStatus};
use utoipa::{IntoParams, ToSchema};

use super::account::UserView;
use super::tracks::limit;
use crate::http::App;
use crate::http::answer::{At, Body, Data, Page, Query};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult};
use crate::http::rights;

const PAGE: i64 = 25;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ListQuery {
    /// Letters that name or address contain, in any case.
    search: Option<String>,
    /// Only of this role.
    #[param(value_type = Option<String>)]
    role: Option<Role>,
    /// Only of this status.
    #[param(value_type = Option<String>)]
    status: Option<UserStatus>,
    /// Accounts of a page. Default: 25.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
    /// `next` of the page before.
    #[param(value_type = Option<String>, format = Uuid)]
    after: Option<UserId>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct MakeUser {
    #[schema(min_length = 1, max_length = 160)]
    name: String,
    #[schema(example = "ben@example.org", format = Email, max_length = 160)]
    email: String,
    /// At least 12 characters and at most 256 bytes.
    #[schema(format = Password, min_length = 12)]
    password: String,
    /// user, pro, enterprise, moderator, admin, platform_admin or super_admin. Default: pro.
    #[serde(default = "pro")]
    #[schema(value_type = Option<String>, pattern = "^(user|pro|enterprise|moderator|admin|platform_admin|super_admin)$")]
    role: Role,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct EditUser {
    #[schema(min_length = 1, max_length = 160)]
    name: Option<String>,
    #[schema(format = Email, max_length = 160)]
    email: Option<String>,
    #[schema(value_type = Option<String>, pattern = "^(user|pro|enterprise|moderator|admin|platform_admin|super_admin)$")]
    role: Option<Role>,
    /// A new password, for somebody who has forgotten theirs. Ends all their sessions.
    #[schema(format = Password, min_length = 12)]
    password: Option<String>,
    /// The most bytes that may be kept; `null` for no limit.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>, minimum = 0)]
    quota_bytes: Option<Option<i64>>,
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct SetStatus {
    /// active, suspended or banned. Whoever is not active is out at once, on open sockets too.
    #[schema(value_type = String, pattern = "^(active|suspended|banned)$")]
    status: UserStatus,
}

/// List accounts
#[utoipa::path(get, path = "/api/v1/users", tag = "users", params(ListQuery), responses(
    (status = 200, description = "By name", body = Page<UserView>)
))]
pub(in crate::http) async fn list(
    State(app): State<App>,
    Query(query): Query<ListQuery>,
) -> ApiResult<Page<UserView>> {
    let limit = limit(query.limit, PAGE)?;
    let ListQuery { search, role, status, after, .. } = query;
    let users = app.library.rows().users(&UserQuery { search, role, status, limit, after }).await?;
    Ok(Page::of(users, limit, |user| user.id.to_string()))
}

/// Make an account
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = MakeUser, responses(
    (status = 201, description = "Made", body = Data<UserView>)
))]
pub(in crate::http) async fn make(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<MakeUser>,
) -> ApiResult<(StatusCode, Data<UserView>)> {
    make_sure_of_rank(&caller, body.role)?;
    let user = NewUser {
        id: UserId::random(),
        name: body.name,
        email: Some(body.email),
        role: body.role,
        password_hash: Some(app.passwords.hash(&body.password).await?),
    };
    let user = app.library.rows().add_user(&caller.actor(), &user).await?;
    Ok((StatusCode::CREATED, Data { data: user.into() }))
}

/// Show an account
#[utoipa::path(get, path = "/api/v1/users/{id}", tag = "users",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The account", body = Data<UserView>))
)]
pub(in crate::http) async fn show(State(app): State<App>, At(id): At<UserId>) -> ApiResult<Data<UserView>> {
    Ok(Data { data: app.library.rows().user(id).await?.into() })
}

/// Change an account
///
/// Only of somebody below oneself. What is absent stays.
#[utoipa::path(patch, path = "/api/v1/users/{id}", tag = "users", request_body = EditUser,
    params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "Changed", body = Data<UserView>))
)]
pub(in crate::http) async fn edit(
    State(app): State<App>,
    caller: Caller,
    At(id): At<UserId>,
    Body(body): Body<EditUser>,
) -> ApiResult<Data<UserView>> {
    let rows = app.library.rows();
    make_sure_of_rank(&caller, rows.user(id).await?.role)?;
    if let Some(role) = body.role {
        make_sure_of_rank(&caller, role)?;
    }
    let password_hash = match &body.password {
        Some(password) => Some(app.passwords.hash(password).await?),
        None => None,
    };
    if let Some(quota) = body.quota_bytes {
        if quota.is_some_and(|bytes| bytes < 0) {
            return Err(ApiError::invalid("a quota is no bytes or more"));
        }
        rows.set_quota(id, quota).await?;
        let changes = serde_json::json!({"after": {"quota_bytes": quota}});
        rows.record_act(&caller.actor(), "user.change_quota", "user", &id.to_string(), changes).await?;
    }
    let edit = UserEdit {
        name: body.name,
        email: body.email,
        role: body.role,
        password_hash,
        ..UserEdit::default()
    };
    let user = rows.edit_user(&caller.actor(), id, &edit).await?;
    app.revoke(id);
    Ok(Data { data: user.into() })
}

/// Suspend, ban, or let in again
///
/// Only somebody below oneself.
#[utoipa::path(put, path = "/api/v1/users/{id}/status", tag = "users", request_body = SetStatus,
    params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "Changed", body = Data<UserView>))
)]
pub(in crate::http) async fn set_status(
    State(app): State<App>,
    caller: Caller,
    At(id): At<UserId>,
    Body(body): Body<SetStatus>,
) -> ApiResult<Data<UserView>> {
    let rows = app.library.rows();
    make_sure_of_rank(&caller, rows.user(id).await?.role)?;
    let edit = UserEdit { status: Some(body.status), ..UserEdit::default() };
    let user: User = rows.edit_user(&caller.actor(), id, &edit).await?;
    app.revoke(id);
    Ok(Data { data: user.into() })
}

/// Remove an account with all its songs
///
/// Only of somebody below oneself.
#[utoipa::path(delete, path = "/api/v1/users/{id}", tag = "users",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 204, description = "Removed"))
)]
pub(in crate::http) async fn remove(
    State(app): State<App>,
    caller: Caller,
    At(id): At<UserId>,
) -> ApiResult<StatusCode> {
    let rows = app.library.rows();
    make_sure_of_rank(&caller, rows.user(id).await?.role)?;
    rows.remove_user(&caller.actor(), id).await?;
    app.revoke(id);
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn make_sure_of_rank(caller: &Caller, role: Role) -> ApiResult<()> {
    if rights::is_above(caller.user.role, role) {
        return Ok(());
    }
    let message = format!("a {} has no say about accounts of role {role}", caller.user.role);
    Err(ApiError::forbidden(message))
}

const fn pro() -> Role {
    Role::Pro
}

/// Tells `null` from what is absent.
fn given<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Option<i64>>, D::Error> {
    Option::deserialize(value).map(Some)
}
