//! One's own account: set-up, registration, signing in and out, password.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use sfa_core::library::{
    Actor, NewUser, Role, Scope, Secret, User, UserEdit, UserId, UserStatus, mail_address,
};
use utoipa::ToSchema;

use crate::http::App;
use crate::http::answer::{Body, Data};
use crate::http::auth::{self, Caller, Proof};
use crate::http::client::ClientAddress;
use crate::http::error::{ApiError, ApiResult};
use crate::http::limits::Who;
use crate::http::outbox::Errand;

/// What is counted under its own name is kept in memory, so that names have an end.
const LONGEST_EMAIL_BYTES: usize = 640;
const LONGEST_NAME_CHARS: usize = 160;
pub(super) const PASSWORD_CHANGED: &str =
    "A new password was set. All sessions but the one it was set in have ended.";

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
    /// Who acts as this user, where it is not they themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    impersonated_by: Option<Impersonator>,
    /// Until when what is dangerous can be done without proving again who one is, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    proof_ends_at_ms: Option<i64>,
}

/// Somebody who acts as another user.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Impersonator {
    #[schema(value_type = String, format = Uuid)]
    id: UserId,
    name: String,
    /// When it ends at the latest, in milliseconds since 1970.
    ends_at_ms: i64,
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
    /// At least 12 characters and at most 256 bytes. Needed where the server sends no mail; else it is not kept, and one is
    /// chosen when the address has proved to be one's own.
    #[schema(format = Password, min_length = 12)]
    password: Option<String>,
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
    /// The password until now, where there is one.
    current: Option<String>,
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
/// Where the server allows it. Where it sends no mail, the answer signs in. Where it does, a link that signs in is sent to
/// the address; neither the answer nor the time that it takes says whether that has an account already.
#[utoipa::path(post, path = "/api/v1/register", tag = "account", request_body = NewAccount, responses(
    (status = 201, description = "Made, and signed in", body = Data<UserView>),
    (status = 202, description = "A link is on its way")
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
    if let Some(outbox) = &app.outbox {
        let email = mail_address(&body.email)?;
        if !(1..=LONGEST_NAME_CHARS).contains(&body.name.chars().count()) {
            return Err(ApiError::invalid("the name of a user has 1 to 160 characters"));
        }
        app.limits.take_mail(&email, Who::at(address))?;
        outbox.post(Errand::Register { name: body.name, email, from: address.to_string() })?;
        return Ok(StatusCode::ACCEPTED.into_response());
    }
    let password = body.password.unwrap_or_default();
    let id = UserId::random();
    let user = NewUser {
        id,
        name: body.name,
        email: Some(body.email),
        role: Role::User,
        password_hash: Some(app.passwords.hash(&password).await?),
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
        app.library.rows().close_session(Scope::of(caller.owner()), session).await?;
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
    let impersonated_by = match &*caller.proof {
        Proof::Session(session) if session.acting_as.is_some() => {
            let owner = app.library.rows().user(session.user).await?;
            Some(Impersonator { id: owner.id, name: owner.name, ends_at_ms: session.expires_at_ms })
        }
        _ => None,
    };
    let proof_ms = i64::try_from(app.options.proof_time.as_millis()).unwrap_or(i64::MAX);
    let proof_ends_at_ms = match &*caller.proof {
        Proof::Session(session) => Some(session.authenticated_at_ms.saturating_add(proof_ms)),
        Proof::Token(_) => None,
    };
    let used_bytes = usage.used_bytes;
    let me = MeView { user: User::clone(&caller.user).into(), used_bytes, impersonated_by, proof_ends_at_ms };
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
/// Ends all sessions but a new one, which the answer opens. Tokens stay. Who has none yet sets one so.
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
    let current = body.current.as_deref().unwrap_or_default();
    if hash.is_some() && !app.passwords.matches(current, hash.as_deref()).await? {
        return Err(ApiError::forbidden("this is not the current password"));
    }
    let password_hash = Some(app.passwords.hash(&body.new).await?);
    let edit = UserEdit { password_hash, ..UserEdit::default() };
    let user = rows.edit_user(&caller.actor(), caller.user.id, &edit).await?;
    app.revoke(user.id);
    app.tell(&user, PASSWORD_CHANGED);
    signed_in(&app, user, caller.address, &headers, StatusCode::OK).await
}

pub(super) async fn signed_in(
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
