//! Signing in with an account somewhere else, by OpenID Connect: the authorisation code flow with PKCE, state and nonce.
//!
//! Everything that a sign-in has to remember travels with the browser, as an [`OidcAttempt`]; nothing of it is kept here.

mod keys;
mod provider;
mod token;

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::Url;

use crate::library::Secret;
use provider::Provider;
use token::Expected;

/// What is asked for.
const SCOPES: &str = "openid email profile";

/// Who vouches for people, and how this program is known there.
#[derive(Clone, PartialEq, Eq)]
pub struct OidcConfig {
    /// The address of the provider, exactly as its tokens name it, for example `https://login.example.org/realms/home`.
    pub issuer: String,
    /// What this program is called there.
    pub client_id: String,
    /// What it proves that with; a public client has none.
    pub client_secret: Option<String>,
    /// Where the provider sends browsers back to; it has to know this address.
    pub redirect_url: String,
}

impl fmt::Debug for OidcConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, client_id, redirect_url, .. } = self;
        let mut shown = f.debug_struct("OidcConfig");
        shown.field("issuer", issuer).field("client_id", client_id).field("redirect_url", redirect_url);
        shown.finish_non_exhaustive()
    }
}

/// A sign-in that was begun: what the browser that began it has to bring back.
#[derive(Debug, Clone)]
pub struct OidcAttempt {
    /// Comes back in the address.
    pub state: Secret,
    /// Comes back in the token.
    pub nonce: Secret,
    /// Proves to the provider that who redeems the code has begun the sign-in.
    pub verifier: Secret,
}

impl OidcAttempt {
    fn begin() -> Self {
        Self { state: Secret::random(), nonce: Secret::random(), verifier: Secret::random() }
    }

    /// What the provider is told of the verifier before it is shown.
    fn challenge(&self) -> String {
        let digest = ring::digest::digest(&ring::digest::SHA256, self.verifier.reveal().as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(digest.as_ref())
    }
}

/// Who somebody is, as the provider vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OidcPerson {
    /// The provider.
    pub issuer: String,
    /// What it calls them, for ever; with the issuer the only thing to recognise somebody by.
    pub subject: String,
    /// What to show.
    pub name: Option<String>,
    /// An address for mail that the provider has checked.
    pub verified_email: Option<String>,
}

/// Why somebody could not be signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OidcError {
    /// The provider cannot be reached, or answers what this program does not understand. Try again later.
    Unavailable(String),
    /// What came back is not to be believed. Beginning anew may help.
    Refused(String),
}

impl fmt::Display for OidcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(reason) => {
                write!(f, "the provider of the sign-in does not answer as it should: {reason}")
            }
            Self::Refused(reason) => write!(f, "the sign-in is not to be believed: {reason}"),
        }
    }
}

impl std::error::Error for OidcError {}

fn refused(reason: impl Into<String>) -> OidcError {
    OidcError::Refused(reason.into())
}

/// Signs people in by one provider.
#[derive(Debug)]
pub struct Oidc {
    config: OidcConfig,
    provider: Provider,
}

impl Oidc {
    /// Nothing is asked of the provider until somebody wants to sign in.
    ///
    /// # Errors
    /// `Refused` for an issuer that is no address, or none over https on another machine.
    pub fn new(config: OidcConfig) -> Result<Self, OidcError> {
        let provider = Provider::of(&config.issuer)?;
        Ok(Self { config, provider })
    }

    /// The name of the provider, for people: the host of its address.
    pub fn host(&self) -> &str {
        self.provider.host()
    }

    /// The address of the provider, as its tokens name it.
    pub fn issuer(&self) -> &str {
        &self.config.issuer
    }

    /// Begins a sign-in: what to remember, and the address to send the browser to.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn begin(&self) -> Result<(OidcAttempt, String), OidcError> {
        let about = self.provider.about().await?;
        let attempt = OidcAttempt::begin();
        let mut url = Url::parse(&about.authorization_endpoint)
            .map_err(|error| OidcError::Unavailable(format!("its authorization_endpoint: {error}")))?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.config.client_id)
            .append_pair("redirect_uri", &self.config.redirect_url)
            .append_pair("scope", SCOPES)
            .append_pair("state", &attempt.state.reveal())
            .append_pair("nonce", &attempt.nonce.reveal())
            .append_pair("code_challenge", &attempt.challenge())
            .append_pair("code_challenge_method", "S256");
        Ok((attempt, url.into()))
    }

    /// Finds out who has come back with `code` from the sign-in that was begun as `attempt`; that the state is the same,
    /// the caller has made sure.
    ///
    /// # Errors
    /// `Refused` for a code or a token that is not to be believed, `Unavailable`.
    pub async fn finish(&self, attempt: &OidcAttempt, code: &str) -> Result<OidcPerson, OidcError> {
        let token = self.provider.redeem(&self.config, code, &attempt.verifier.reveal()).await?;
        let nonce = attempt.nonce.reveal();
        let expected = Expected {
            issuer: &self.config.issuer,
            client_id: &self.config.client_id,
            nonce: &nonce,
            now_secs: now_secs(),
        };
        let signed = token::Signed::read(&token)?;
        let keys = self.provider.keys(&signed).await?;
        let claims = signed.verified(&keys, &expected)?;
        let is_verified = claims.email_is_verified();
        Ok(OidcPerson {
            issuer: claims.iss,
            subject: claims.sub,
            name: claims.name.or(claims.preferred_username),
            verified_email: claims.email.filter(|_| is_verified),
        })
    }
}

fn now_secs() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_accounts_shows_in_no_debug_output() {
        let config = OidcConfig {
            issuer: "https://a.example".to_owned(),
            client_id: "sfa".to_owned(),
            client_secret: Some("canary".to_owned()),
            redirect_url: "https://b.example/back".to_owned(),
        };
        let shown = format!("{config:?} {:?}", OidcAttempt::begin());
        assert!(
            shown.contains("a.example") && !shown.contains("canary") && !shown.contains("sfa_"),
            "{shown}"
        );
    }

    #[test]
    fn a_provider_elsewhere_has_to_be_encrypted() {
        let of = |issuer: &str| {
            let (client_id, redirect_url) = ("x".to_owned(), "https://b.example/back".to_owned());
            Oidc::new(OidcConfig { issuer: issuer.to_owned(), client_id, client_secret: None, redirect_url })
        };
        assert_eq!(of("https://login.example.org/realms/home").unwrap().host(), "login.example.org");
        assert!(of("http://127.0.0.1:8080").is_ok() && of("http://localhost:8080").is_ok());
        for wrong in
            ["http://login.example.org", "login.example.org", "ftp://a", "https://a.example/?x=1", ""]
        {
            assert!(matches!(of(wrong), Err(OidcError::Refused(_))), "{wrong:?}");
        }
    }

    #[test]
    fn the_challenge_is_that_of_the_verifier() {
        let attempt = OidcAttempt::begin();
        let again = OidcAttempt { verifier: attempt.verifier.clone(), ..OidcAttempt::begin() };
        assert_eq!(attempt.challenge(), again.challenge());
        assert_ne!(attempt.challenge(), OidcAttempt::begin().challenge());
        assert_eq!(attempt.challenge().len(), 43);
    }
}
