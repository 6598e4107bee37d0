//! One's own account: set-up, registration, signing in and out, password.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use sfa_core::library::{Actor, NewUser, Role, Scope, Secret, User, UserEdit, UserId, UserStatus};
use utoipa::ToSchema;

use crate::http::App;
use crate::http::answer::{Body, Data};
use crate::http::auth::{self, Caller};
use crate::http::client::ClientAddress;
use crate::http::error::{ApiError, ApiResult};
use crate::http::limits::Who;

/// What is counted under its own name is kept in memory, so that names have an end.
const LONGEST_EMAIL_BYTES: usize = 640;

/// An account.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct UserView {
    #[schema(value_type = String, format = Uuid)]
    id: UserId,
    name: String,
    email: Option<String>,
    #[schema(value_type = String, example = "pro")]
    role: Role,
    #[schema(value_type = String, example = "active")]
    status: UserStatus,
    /// The most bytes that may be kept; no limit where absent.
    quota_bytes: Option<i64>,
    /// Milliseconds since 1970.
    created_at_ms: i64,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        let User { id, name, email, role, status, quota_bytes, created_at_ms, .. } = user;
        Self { id, name, email, role, status, quota_bytes, created_at_ms }
    }
}

/// The caller's own account.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct MeView {
    #[serde(flatten)]
    user: UserView,
    /// Bytes of everything that is kept; each content counts once.
    used_bytes: i64,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct NewAccount {
    /// What to show.
    #[schema(min_length = 1, max_length = 160)]
    name: String,
    /// What is signed in with.
    #[schema(example = "ann@example.org", format = Email, max_length = 160)]
    email: String,
    /// At least 12 characters and at most 256 bytes.
    #[schema(format = Password, min_length = 12)]
    password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct SetUp {
    /// What the server printed when it started.
    token: String,
    /// What to show.
    #[schema(min_length = 1, max_length = 160)]
    name: String,
    /// What is signed in with.
    #[schema(example = "ann@example.org", format = Email, max_length = 160)]
    email: String,
    /// At least 12 characters and at most 256 bytes.
    #[schema(format = Password, min_length = 12)]
    password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct LogIn {
    email: String,
    password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct EditMe {
    /// What to show.
    #[schema(min_length = 1, max_length = 160)]
    name: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ChangePassword {
    current: String,
    /// At least 12 characters and at most 256 bytes.
    #[schema(format = Password, min_length = 12)]
    new: String,
}

/// Make the first admin
///
/// Works once, with the token that the server prints at its start while there is no admin. The account is the one that
/// the command line works for, so that its songs are there too. The answer signs in.
#[utoipa::path(post, path = "/api/v1/setup", tag = "account", request_body = SetUp, responses(
    (status = 201, description = "Made, and signed in", body = Data<UserView>)
))]
pub(in crate::http) async fn set_up(
    State(app): State<App>,
    axum::Extension(ClientAddress(address)): axum::Extension<ClientAddress>,
    headers: HeaderMap,
    Body(body): Body<SetUp>,
) -> ApiResult<Response> {
    // Held to the end: of all who know the token one is first.
    let mut token = app.set_up.lock().await;
    let is_known = token
        .as_ref()
        .is_some_and(|token| body.token.parse::<Secret>().is_ok_and(|given| given.hash() == token.hash()));
    if !is_known {
        return Err(ApiError::forbidden("this is not the set-up token, or there is an admin already"));
    }
    // Another node of the same library may have made one.
    if crate::http::has_admin(&app.library).await? {
        *token = None;
        return Err(ApiError::forbidden("there is an admin already"));
    }
    let edit = UserEdit {
        name: Some(body.name),
        email: Some(body.email),
        role: Some(Role::SuperAdmin),
        password_hash: Some(app.passwords.hash(&body.password).await?),
        ..UserEdit::default()
    };
    let actor = Actor { user: UserId::LOCAL, address: Some(address.to_string()) };
    let user = app.library.rows().edit_user(&actor, UserId::LOCAL, &edit).await?;
    *token = None;
    drop(token);
    signed_in(&app, user, address, &headers, StatusCode::CREATED).await
}

/// Make an account
///
/// Where the server allows it. The answer signs in.
#[utoipa::path(post, path = "/api/v1/register", tag = "account", request_body = NewAccount, responses(
    (status = 201, description = "Made, and signed in", body = Data<UserView>)
))]
pub(in crate::http) async fn register(
    State(app): State<App>,
    axum::Extension(ClientAddress(address)): axum::Extension<ClientAddress>,
    headers: HeaderMap,
    Body(body): Body<NewAccount>,
) -> ApiResult<Response> {
    if !app.options.open_registration {
        return Err(ApiError::forbidden("accounts are made by admins here"));
    }
    let id = UserId::random();
    let user = NewUser {
        id,
        name: body.name,
        email: Some(body.email),
        role: Role::User,
        password_hash: Some(app.passwords.hash(&body.password).await?),
    };
    let actor = Actor { user: id, address: Some(address.to_string()) };
    let user = app.library.rows().add_user(&actor, &user).await?;
    signed_in(&app, user, address, &headers, StatusCode::CREATED).await
}

/// Sign in
///
/// The answer sets a cookie. Programs use a token instead, see `/api/v1/tokens`.
#[utoipa::path(post, path = "/api/v1/login", tag = "account", request_body = LogIn, responses(
    (status = 200, description = "Signed in", body = Data<UserView>)
))]
pub(in crate::http) async fn log_in(
    State(app): State<App>,
    axum::Extension(ClientAddress(address)): axum::Extension<ClientAddress>,
    headers: HeaderMap,
    Body(body): Body<LogIn>,
) -> ApiResult<Response> {
    let rows = app.library.rows();
    let (email, who) = (body.email.trim().to_lowercase(), Who::at(address));
    if email.len() > LONGEST_EMAIL_BYTES {
        return Err(ApiError::invalid("this is no address for mail"));
    }
    let user = rows.user_with_email(&email).await?;
    let (mut hash, mut is_known) = (None, false);
    if let Some(user) = &user {
        hash = rows.password_hash(user.id).await?;
        let from = address.to_string();
        is_known = rows.sessions(Scope::of(user.id)).await?.iter().any(|session| session.address == from);
    }
    app.limits.may_try_password(&email, who, is_known)?;
    let matches = app.passwords.matches(&body.password, hash.as_deref()).await?;
    // One answer for all reasons: whether there is such an account is nobody's business.
    match user.filter(|user| matches && user.status == UserStatus::Active) {
        Some(user) => signed_in(&app, user, address, &headers, StatusCode::OK).await,
        None => {
            app.limits.note_wrong_password(&email, who);
            let message = "address and password do not belong together";
            Err(ApiError::new(StatusCode::UNAUTHORIZED, "wrong_password", message))
        }
    }
}

/// Sign out
#[utoipa::path(post, path = "/api/v1/logout", tag = "account", responses(
    (status = 204, description = "Signed out")
))]
pub(in crate::http) async fn log_out(State(app): State<App>, caller: Caller) -> ApiResult<Response> {
    if let Some(session) = caller.session() {
        app.library.rows().close_session(caller.scope(), session).await?;
        app.revoke(caller.user.id);
    }
    let forget = auth::cookie(&app, None);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, forget)]).into_response())
}

/// Who am I
#[utoipa::path(get, path = "/api/v1/me", tag = "account", responses(
    (status = 200, description = "The caller's account", body = Data<MeView>)
))]
pub(in crate::http) async fn me(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let usage = app.library.rows().usage(caller.scope()).await?;
    let renewed = auth::renew_session(&app, &headers, &caller).await?;
    let me = MeView { user: caller.user.into(), used_bytes: usage.used_bytes };
    let mut response = Data { data: me }.into_response();
    if let Some(cookie) = renewed {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Change what is shown of the own account
#[utoipa::path(patch, path = "/api/v1/me", tag = "account", request_body = EditMe, responses(
    (status = 200, description = "Changed", body = Data<UserView>)
))]
pub(in crate::http) async fn edit_me(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<EditMe>,
) -> ApiResult<Data<UserView>> {
    let edit = UserEdit { name: Some(body.name), ..UserEdit::default() };
    let user = app.library.rows().edit_user(&caller.actor(), caller.user.id, &edit).await?;
    Ok(Data { data: user.into() })
}

/// Change the own password
///
/// Ends all sessions but a new one, which the answer opens. Tokens stay.
#[utoipa::path(put, path = "/api/v1/me/password", tag = "account", request_body = ChangePassword, responses(
    (status = 200, description = "Changed", body = Data<UserView>)
))]
pub(in crate::http) async fn change_password(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Body(body): Body<ChangePassword>,
) -> ApiResult<Response> {
    let rows = app.library.rows();
    let hash = rows.password_hash(caller.user.id).await?;
    if !app.passwords.matches(&body.current, hash.as_deref()).await? {
        return Err(ApiError::forbidden("this is not the current password"));
    }
    let password_hash = Some(app.passwords.hash(&body.new).await?);
    let edit = UserEdit { password_hash, ..UserEdit::default() };
    let user = rows.edit_user(&caller.actor(), caller.user.id, &edit).await?;
    app.revoke(user.id);
    signed_in(&app, user, caller.address, &headers, StatusCode::OK).await
}

async fn signed_in(
    app: &App,
    user: User,
    address: std::net::IpAddr,
    headers: &HeaderMap,
    status: StatusCode,
) -> ApiResult<Response> {
    let cookie = auth::open_session(app, user.id, address, headers).await?;
    let body = Data { data: UserView::from(user) };
    Ok((status, [(header::SET_COOKIE, cookie)], body).into_response())
}
