//! What goes by mail: links that sign in, set a new password, make an address one's own.
//!
//! A link leads to a page of the studio, and what it proves with stands behind its `#`. Looking at the page uses nothing up,
//! so that programs which look at links in mail do no harm; the page sends the token here.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use sfa_core::library::{Actor, Secret, Token, TokenPurpose, User, UserEdit, mail_address};
use utoipa::ToSchema;

use super::account::{PASSWORD_CHANGED, UserView, signed_in};
use crate::http::App;
use crate::http::answer::{Body, Data};
use crate::http::auth::Caller;
use crate::http::client::ClientAddress;
use crate::http::error::{ApiError, ApiResult};
use crate::http::limits::Who;
use crate::http::outbox::Errand;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct MailTo {
    #[schema(example = "ann@example.org", format = Email, max_length = 160)]
    email: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct FollowedLink {
    /// What stands behind the "#" of the link.
    token: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct NewPassword {
    /// What stands behind the "#" of the link.
    token: String,
    /// At least 12 characters and at most 256 bytes.
    #[schema(format = Password, min_length = 12)]
    new: String,
}

/// Ask for a link that signs in
///
/// The answer is the same whether the address has an account or not. The link counts once, for 15 minutes.
#[utoipa::path(post, path = "/api/v1/login/mail", tag = "account", request_body = MailTo, responses(
    (status = 202, description = "If there is such an account, a link is on its way")
))]
pub(in crate::http) async fn ask_to_sign_in(
    State(app): State<App>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    Body(body): Body<MailTo>,
) -> ApiResult<StatusCode> {
    post(&app, Who::at(address), &body.email, |email| Errand::SignIn { email })
}

/// Sign in by a link
#[utoipa::path(post, path = "/api/v1/login/link", tag = "account", request_body = FollowedLink, responses(
    (status = 200, description = "Signed in", body = Data<UserView>)
))]
pub(in crate::http) async fn sign_in(
    State(app): State<App>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    headers: HeaderMap,
    Body(body): Body<FollowedLink>,
) -> ApiResult<Response> {
    let (_, mut user) = redeem(&app, TokenPurpose::SignIn, &body.token).await?;
    if user.confirmed_at_ms.is_none() {
        let actor = Actor { user: user.id, address: Some(address.to_string()) };
        let edit = UserEdit { is_confirmed: true, ..UserEdit::default() };
        user = app.library.rows().edit_user(&actor, user.id, &edit).await?;
    }
    signed_in(&app, user, address, &headers, StatusCode::OK).await
}

/// Ask for a link that sets a new password
///
/// The answer is the same whether the address has an account or not. The link counts once, for 15 minutes.
#[utoipa::path(post, path = "/api/v1/password/mail", tag = "account", request_body = MailTo, responses(
    (status = 202, description = "If there is such an account, a link is on its way")
))]
pub(in crate::http) async fn ask_for_password(
    State(app): State<App>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    Body(body): Body<MailTo>,
) -> ApiResult<StatusCode> {
    post(&app, Who::at(address), &body.email, |email| Errand::ResetPassword { email })
}

/// Set a new password by a link
///
/// Ends all sessions but a new one, which the answer opens. Tokens stay.
#[utoipa::path(post, path = "/api/v1/password/link", tag = "account", request_body = NewPassword, responses(
    (status = 200, description = "Set, and signed in", body = Data<UserView>)
))]
pub(in crate::http) async fn set_password(
    State(app): State<App>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    headers: HeaderMap,
    Body(body): Body<NewPassword>,
) -> ApiResult<Response> {
    // A password that will not do uses no link up.
    let password_hash = Some(app.passwords.hash(&body.new).await?);
    let (_, user) = redeem(&app, TokenPurpose::ResetPassword, &body.token).await?;
    let actor = Actor { user: user.id, address: Some(address.to_string()) };
    let edit = UserEdit { password_hash, is_confirmed: true, ..UserEdit::default() };
    let user = app.library.rows().edit_user(&actor, user.id, &edit).await?;
    app.revoke(user.id);
    app.tell(&user, PASSWORD_CHANGED);
    signed_in(&app, user, address, &headers, StatusCode::OK).await
}

/// Change the own address
///
/// A link is sent to the new one; until it is followed nothing changes.
#[utoipa::path(post, path = "/api/v1/me/email", tag = "account", request_body = MailTo, responses(
    (status = 202, description = "A link is on its way")
))]
pub(in crate::http) async fn ask_for_email(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<MailTo>,
) -> ApiResult<StatusCode> {
    let user = caller.user.id;
    post(&app, Who::User(user), &body.email, |email| Errand::ChangeEmail { user, email })
}

/// Confirm a new address by a link
#[utoipa::path(post, path = "/api/v1/email/link", tag = "account", request_body = FollowedLink, responses(
    (status = 200, description = "It is the address of the account now", body = Data<UserView>)
))]
pub(in crate::http) async fn confirm_email(
    State(app): State<App>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    Body(body): Body<FollowedLink>,
) -> ApiResult<Data<UserView>> {
    let (token, before) = redeem(&app, TokenPurpose::ChangeEmail, &body.token).await?;
    let actor = Actor { user: before.id, address: Some(address.to_string()) };
    let edit = UserEdit { email: token.sent_to, is_confirmed: true, ..UserEdit::default() };
    let user = app.library.rows().edit_user(&actor, before.id, &edit).await?;
    app.tell(&before, "Its address is another one now; this is the last mail to this one.");
    Ok(Data { data: user.into() })
}

/// Uses a link up.
pub(super) async fn redeem(app: &App, purpose: TokenPurpose, token: &str) -> ApiResult<(Token, User)> {
    let secret = token.parse::<Secret>().ok();
    let redeemed = match secret {
        Some(secret) => app.library.rows().redeem_token(purpose, &secret.hash()).await?,
        None => None,
    };
    redeemed.ok_or_else(|| {
        let message = "this link was used already, or its time is over; ask for another";
        ApiError::new(StatusCode::FORBIDDEN, "link_over", message)
    })
}

fn post(app: &App, who: Who, email: &str, errand: impl FnOnce(String) -> Errand) -> ApiResult<StatusCode> {
    let outbox = app.outbox()?;
    let email = mail_address(email)?;
    app.limits.take_mail(&email, who)?;
    outbox.post(errand(email))?;
    Ok(StatusCode::ACCEPTED)
}
