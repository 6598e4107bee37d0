//! Who asks: cookies of browsers, tokens of programs.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use sfa_core::library::{
    Actor, LibraryResult, NewSession, Scope, Secret, Session, SessionId, Token, User, UserId,
};

use super::App;
use super::error::{ApiError, ApiResult};

/// How long a session lasts from when it was last renewed.
const SESSION_LIFETIME: Duration = Duration::from_secs(14 * 24 * 3600);
/// A session gets another secret when the one it has is this old.
const RENEWED_AFTER_MS: i64 = 7 * 24 * 3600 * 1000;
const COOKIE: &str = "sfa";
/// Browsers take a cookie whose name begins so only over an encrypted connection, for this host and all of it.
const ENCRYPTED_ONLY: &str = "__Host-";
/// The longest description of a program that is kept.
const AGENT_CHARS: usize = 200;

/// Somebody who has proved who they are.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) user: Arc<User>,
    pub(super) proof: Arc<Proof>,
    pub(super) address: IpAddr,
}

/// How they did.
#[derive(Debug, Clone)]
pub(super) enum Proof {
    Session(Session),
    Token(Token),
}

impl Caller {
    pub(super) fn scope(&self) -> Scope {
        Scope::of(self.user.id)
    }

    /// Who is behind it: the caller, or who acts as the caller.
    pub(super) fn owner(&self) -> UserId {
        match &*self.proof {
            Proof::Session(session) => session.user,
            Proof::Token(_) => self.user.id,
        }
    }

    /// For the log of what was done.
    pub(super) fn actor(&self) -> Actor {
        Actor { user: self.owner(), address: Some(self.address.to_string()) }
    }

    pub(super) fn session(&self) -> Option<SessionId> {
        match &*self.proof {
            Proof::Session(session) => Some(session.id),
            Proof::Token(_) => None,
        }
    }
}

/// The caller, in handlers of routes that need a right; others have none.
impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Self>().cloned().ok_or_else(ApiError::unauthorized)
    }
}

/// What a request proves with.
#[derive(Clone)]
pub(super) enum Credentials {
    Cookie(Secret),
    Bearer(Secret),
}

impl Credentials {
    /// A token before a cookie: who sends one means it, and was checked for other sites by it.
    ///
    /// # Errors
    /// Where there are none, or none that could be valid.
    pub(super) fn of(headers: &HeaderMap, app: &App) -> ApiResult<Self> {
        if let Some(value) = headers.get(header::AUTHORIZATION) {
            let token = value.to_str().ok().and_then(|value| {
                let (scheme, token) = value.split_once(' ')?;
                scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
            });
            let secret = token.and_then(|token| token.parse().ok());
            return secret.map(Self::Bearer).ok_or_else(ApiError::unauthorized);
        }
        let secret = cookie_of(app, headers, COOKIE).and_then(|secret| secret.parse().ok());
        secret.map(Self::Cookie).ok_or_else(ApiError::unauthorized)
    }

    /// Whose they are, if they are still valid.
    pub(super) async fn caller(&self, app: &App, address: IpAddr) -> ApiResult<Caller> {
        let (proof, user) = app.callers.of(self, app).await?;
        Ok(Caller { user, proof, address })
    }

    /// The same, from the database.
    pub(super) async fn look_up(&self, app: &App) -> ApiResult<(Proof, User)> {
        let rows = app.library.rows();
        let found = match self {
            Self::Cookie(secret) => {
                rows.session(&secret.hash()).await?.map(|(session, user)| (Proof::Session(session), user))
            }
            Self::Bearer(secret) => {
                rows.api_token(&secret.hash()).await?.map(|(token, user)| (Proof::Token(token), user))
            }
        };
        found.ok_or_else(ApiError::unauthorized)
    }
}

/// Signs somebody in: a new session, whatever session there was. Returns what to set as a cookie.
pub(super) async fn open_session(
    app: &App,
    user: UserId,
    address: IpAddr,
    headers: &HeaderMap,
) -> LibraryResult<HeaderValue> {
    let secret = Secret::random();
    let agent = headers.get(header::USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
    let session = NewSession {
        id: SessionId::random(),
        user,
        secret: secret.hash(),
        lifetime: SESSION_LIFETIME,
        address: address.to_string(),
        agent: agent.unwrap_or_default().chars().take(AGENT_CHARS).collect(),
    };
    app.library.rows().open_session(&session).await?;
    Ok(cookie(app, Some(&secret)))
}

/// Gives an old session another secret, so that one that leaked is of no use for long. Pages ask who they are once,
/// when they are loaded; there this is done, where no other request is on its way.
pub(super) async fn renew_session(
    app: &App,
    headers: &HeaderMap,
    caller: &Caller,
) -> ApiResult<Option<HeaderValue>> {
    let (Proof::Session(session), Ok(Credentials::Cookie(old))) =
        (&*caller.proof, Credentials::of(headers, app))
    else {
        return Ok(None);
    };
    if super::now_ms() - session.renewed_at_ms < RENEWED_AFTER_MS {
        return Ok(None);
    }
    let new = Secret::random();
    // Where another page was faster, the browser has its cookie already.
    let renewed = app.library.rows().renew_session(&old.hash(), &new.hash(), SESSION_LIFETIME).await;
    Ok(renewed.ok().map(|_| cookie(app, Some(&new))))
}

/// A cookie with this secret; without one, what makes a browser forget it.
pub(super) fn cookie(app: &App, secret: Option<&Secret>) -> HeaderValue {
    match secret {
        Some(secret) => cookie_named(app, COOKIE, &secret.reveal(), SESSION_LIFETIME),
        None => cookie_named(app, COOKIE, "", Duration::ZERO),
    }
}

/// A cookie of another name, with a value of plain letters.
pub(super) fn cookie_named(app: &App, name: &str, value: &str, lifetime: Duration) -> HeaderValue {
    let secure = if app.options.is_encrypted() { "; Secure" } else { "" };
    let (name, age_secs) = (full_name(app, name), lifetime.as_secs());
    let text = format!("{name}={value}; Path=/; Max-Age={age_secs}; HttpOnly; SameSite=Lax{secure}");
    let mut header = HeaderValue::try_from(text).expect("plain letters");
    header.set_sensitive(true);
    header
}

/// The value of the cookie of this name.
pub(super) fn cookie_of<'h>(app: &App, headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let name = full_name(app, name);
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
}

fn full_name(app: &App, name: &str) -> String {
    if app.options.is_encrypted() { format!("{ENCRYPTED_ONLY}{name}") } else { name.to_owned() }
}
