//! Signing in with an account at an OpenID provider.
//!
//! Accounts are linked by what the provider calls somebody, never by an address for mail: that changes hands, and what
//! stands in an account here may have been put there by somebody else. Here alone a request waits for another
//! company's server, since a browser stands at the door; for ten seconds at most.

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use sfa_core::library::{
    Actor, Identity, LibraryErrorKind, NewUser, Role, Secret, User, UserEdit, UserId, UserStatus,
};
use sfa_core::oidc::{Oidc, OidcAttempt, OidcError, OidcPerson};
use utoipa::{IntoParams, ToSchema};

use super::reference::html;
use crate::http::App;
use crate::http::answer::{Data, Page, Query};
use crate::http::auth::{self, Caller};
use crate::http::client::ClientAddress;
use crate::http::error::{ApiError, ApiResult};

/// Where browsers come back to.
pub(in crate::http) const CALLBACK: &str = "/api/v1/oidc/callback";
/// What a browser remembers of a sign-in that it has begun.
const COOKIE: &str = "sfa-oidc";
const COOKIE_LIFETIME: Duration = Duration::from_secs(10 * 60);
const LONGEST_NAME_CHARS: usize = 160;
/// Where the studio finds out who is there.
const SIGNED_IN: &str = "/link/signed-in";
const LINKED: &str = "/settings/account";

/// What comes back; providers may say more.
#[derive(Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Return {
    /// Stands for a token.
    #[param(max_length = 4096)]
    code: Option<String>,
    /// What the sign-in was begun with.
    state: Option<String>,
    /// Why there is no code.
    error: Option<String>,
    /// Who sends it, where the provider says so.
    iss: Option<String>,
}

/// Who somebody is elsewhere.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct IdentityView {
    /// The address of the provider.
    issuer: String,
    /// What it calls the user.
    subject: String,
}

impl From<Identity> for IdentityView {
    fn from(Identity { issuer, subject }: Identity) -> Self {
        Self { issuer, subject }
    }
}

/// Where to send the browser.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Elsewhere {
    url: String,
}

/// A sign-in that was begun, as the cookie has it: three secrets, and for whose account, if it is to be linked.
struct Pending {
    attempt: OidcAttempt,
    link: Option<UserId>,
}

impl Pending {
    fn cookie(&self, app: &App) -> HeaderValue {
        let OidcAttempt { state, nonce, verifier } = &self.attempt;
        let mut value = [state, nonce, verifier].map(Secret::reveal).join(".");
        if let Some(user) = self.link {
            value = format!("{value}.{user}");
        }
        auth::cookie_named(app, COOKIE, &value, COOKIE_LIFETIME)
    }

    fn of(app: &App, headers: &HeaderMap) -> Option<Self> {
        let mut parts = auth::cookie_of(app, headers, COOKIE)?.split('.');
        let mut secret = || parts.next()?.parse().ok();
        let attempt = OidcAttempt { state: secret()?, nonce: secret()?, verifier: secret()? };
        let link = parts.next().map(str::parse).transpose().ok()?;
        parts.next().is_none().then_some(Self { attempt, link })
    }
}

impl App {
    /// Refuses what needs a provider where there is none.
    fn oidc(&self) -> ApiResult<&Oidc> {
        self.oidc.as_ref().ok_or_else(|| {
            let message = "nobody else vouches for people here; sign in with a password";
            ApiError::new(StatusCode::CONFLICT, "no_provider", message)
        })
    }
}

fn failed(error: OidcError) -> ApiError {
    match error {
        OidcError::Refused(_) => ApiError::new(StatusCode::BAD_REQUEST, "not_believed", error.to_string()),
        // What another server has said is for the log.
        OidcError::Unavailable(_) => ApiError {
            log: Some(error.to_string()),
            ..ApiError::new(
                StatusCode::BAD_GATEWAY,
                "provider_unavailable",
                "the provider of the sign-in does not answer as it should; try again, or sign in with a password",
            )
        },
    }
}

/// Sign in with an account elsewhere
///
/// A browser is sent to the provider, which sends it back.
#[utoipa::path(get, path = "/api/v1/oidc/begin", tag = "account", responses(
    (status = 303, description = "On to the provider")
))]
pub(in crate::http) async fn begin(State(app): State<App>) -> ApiResult<Response> {
    let (attempt, url) = app.oidc()?.begin().await.map_err(failed)?;
    let cookie = Pending { attempt, link: None }.cookie(&app);
    Ok((StatusCode::SEE_OTHER, [(header::SET_COOKIE, cookie), (header::LOCATION, location(&url)?)])
        .into_response())
}

/// Link the account with one elsewhere
///
/// The answer says where to send the browser. When it comes back, the account that was used there signs in here from
/// then on.
#[utoipa::path(post, path = "/api/v1/me/identities", tag = "account", responses(
    (status = 200, description = "Where to go", body = Data<Elsewhere>)
))]
pub(in crate::http) async fn link(State(app): State<App>, caller: Caller) -> ApiResult<Response> {
    let (attempt, url) = app.oidc()?.begin().await.map_err(failed)?;
    let cookie = Pending { attempt, link: Some(caller.user.id) }.cookie(&app);
    Ok(([(header::SET_COOKIE, cookie)], Data { data: Elsewhere { url } }).into_response())
}

/// List who the own account is elsewhere
#[utoipa::path(get, path = "/api/v1/me/identities", tag = "account", responses(
    (status = 200, description = "All of it", body = Page<IdentityView>)
))]
pub(in crate::http) async fn list(State(app): State<App>, caller: Caller) -> ApiResult<Page<IdentityView>> {
    Ok(Page::whole(app.library.rows().identities(caller.scope()).await?))
}

/// Unlink the account from the one at this server's provider
#[utoipa::path(delete, path = "/api/v1/me/identities", tag = "account", responses(
    (status = 204, description = "Unlinked")
))]
pub(in crate::http) async fn unlink(State(app): State<App>, caller: Caller) -> ApiResult<StatusCode> {
    let issuer = app.oidc()?.issuer();
    app.library.rows().unlink_identity(&caller.actor(), issuer).await?;
    app.tell(&caller.user, "The account was unlinked from the one that signed in here for it.");
    Ok(StatusCode::NO_CONTENT)
}

/// Come back from the provider
///
/// Signs in, or links the account that began this, and goes on to the studio.
#[utoipa::path(get, path = "/api/v1/oidc/callback", tag = "account", params(Return), responses(
    (status = 303, description = "On to the studio")
))]
pub(in crate::http) async fn come_back(
    State(app): State<App>,
    axum::Extension(ClientAddress(address)): axum::Extension<ClientAddress>,
    headers: HeaderMap,
    Query(back): Query<Return>,
) -> ApiResult<Response> {
    let came = came_back(&app, address, &headers, back).await;
    let wants_page = headers
        .get(header::ACCEPT)
        .is_some_and(|kinds| String::from_utf8_lossy(kinds.as_bytes()).contains("text/html"));
    match came {
        // A person reads this.
        Err(ApiError { status, message, log: None, .. }) if wants_page => Ok(page(status, &message)),
        came => came,
    }
}

fn page(status: StatusCode, message: &str) -> Response {
    let text = html::document(
        "Signing in did not work",
        &format!(
            "<main><h1>Signing in did not work</h1><p>{}</p><p><a href=\"/\">To the studio</a></p></main>",
            html::escape(message)
        ),
    );
    (status, html::ABOUT, text).into_response()
}

async fn came_back(app: &App, address: IpAddr, headers: &HeaderMap, back: Return) -> ApiResult<Response> {
    let oidc = app.oidc()?;
    let stray = || failed(OidcError::Refused("this browser has not begun it, or too long ago".to_owned()));
    let Pending { attempt, link } = Pending::of(app, headers).ok_or_else(stray)?;
    let state: Option<Secret> = back.state.as_deref().and_then(|state| state.parse().ok());
    // By their hashes, so that how long it takes tells nothing.
    if state.is_none_or(|state| state.hash() != attempt.state.hash()) {
        return Err(stray());
    }
    if back.iss.is_some_and(|issuer| issuer != oidc.issuer()) {
        return Err(failed(OidcError::Refused("another provider sends this".to_owned())));
    }
    if let Some(error) = back.error {
        return Err(failed(OidcError::Refused(format!("the provider says {error:.80}"))));
    }
    let code = back.code.ok_or_else(stray)?;
    let person = oidc.finish(&attempt, &code).await.map_err(failed)?;
    let identity = Identity { issuer: person.issuer.clone(), subject: person.subject.clone() };
    let (cookie, to) = match link {
        Some(user) => (link_account(app, user, &identity, address, headers).await?, LINKED),
        None => {
            let user = account_of(app, &identity, person, &address.to_string()).await?;
            (Some(auth::open_session(app, user.id, address, headers).await?), SIGNED_IN)
        }
    };
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, location(to)?)]).into_response();
    let forget = auth::cookie_named(app, COOKIE, "", Duration::ZERO);
    for cookie in cookie.into_iter().chain([forget]) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Links the account whose session the browser has, which has to be the one that began it.
async fn link_account(
    app: &App,
    user: UserId,
    identity: &Identity,
    address: IpAddr,
    headers: &HeaderMap,
) -> ApiResult<Option<HeaderValue>> {
    let caller = auth::Credentials::of(headers, app)?.caller(app, address).await?;
    if caller.user.id != user || caller.owner() != user {
        return Err(ApiError::forbidden("somebody else is signed in here by now"));
    }
    app.library.rows().link_identity(&caller.actor(), identity).await?;
    app.tell(&caller.user, "The account was linked with one elsewhere, which signs in here from now on.");
    Ok(None)
}

/// The account of somebody, or a new one where anybody may make one.
async fn account_of(app: &App, identity: &Identity, person: OidcPerson, address: &str) -> ApiResult<User> {
    let rows = app.library.rows();
    match rows.user_with_identity(identity).await? {
        Some(user) if user.status == UserStatus::Active => return Ok(user),
        Some(_) => return Err(ApiError::forbidden("this account is not let in")),
        None if !app.options.open_registration => {
            let message = "no account here is linked with that one: sign in with your password and link it in the \
                           settings, or ask an admin for an account";
            return Err(ApiError::forbidden(message));
        }
        None => {}
    }
    let OidcPerson { name, verified_email: email, .. } = person;
    let name = name.filter(|name| !name.trim().is_empty()).or_else(|| email.clone());
    let name: String = name.as_deref().unwrap_or("new here").chars().take(LONGEST_NAME_CHARS).collect();
    let (id, is_confirmed) = (UserId::random(), email.is_some());
    let user = NewUser { id, name, email, role: Role::User, password_hash: None };
    let actor = Actor { user: id, address: Some(address.to_owned()) };
    let user = match rows.add_user_with_identity(&actor, &user, identity).await {
        Err(error) if error.kind() == LibraryErrorKind::Conflict => {
            let message = "there is an account with your address: sign in with its password and link it in the settings";
            return Err(ApiError::conflict(message));
        }
        added => added?,
    };
    if is_confirmed {
        return Ok(rows.edit_user(&actor, id, &UserEdit { is_confirmed, ..UserEdit::default() }).await?);
    }
    Ok(user)
}

fn location(url: &str) -> ApiResult<HeaderValue> {
    HeaderValue::try_from(url).map_err(|_| ApiError::internal("the provider's address is none"))
}
