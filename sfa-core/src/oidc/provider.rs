//! Who vouches: what it publishes about itself, and its answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::{Client, RequestBuilder, StatusCode, Url, header};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::keys::Keys;
use super::token::Signed;
use super::{OidcConfig, OidcError, refused};
use crate::http;

const ABOUT: &str = "/.well-known/openid-configuration";
const ABOUT_LIFETIME: Duration = Duration::from_secs(3600);
const TIME_LIMIT: Duration = Duration::from_secs(10);
const LONGEST_ANSWER_BYTES: usize = 1 << 20;

/// What a provider says of itself (OpenID Connect Discovery 1.0).
#[derive(Debug, Deserialize)]
pub(super) struct About {
    issuer: String,
    pub(super) authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Redeemed {
    id_token: String,
}

/// Why a code was not redeemed (RFC 6749, 5.2).
#[derive(Deserialize)]
struct Failure {
    error: String,
}

/// One provider; what it publishes is kept for a while.
#[derive(Debug)]
pub(super) struct Provider {
    issuer: Url,
    /// The same as it was written: tokens have to name exactly this.
    name: String,
    client: Mutex<Option<Client>>,
    about: Mutex<Option<(Instant, Arc<About>)>>,
    keys: Mutex<Option<Arc<Keys>>>,
}

impl Provider {
    pub(super) fn of(issuer: &str) -> Result<Self, OidcError> {
        let example = "the issuer looks like https://login.example.org/realms/home";
        let url = Url::parse(issuer).map_err(|_| refused(example))?;
        if !is_safe(&url) || url.query().is_some() || url.fragment().is_some() {
            return Err(refused(example));
        }
        let (client, about, keys) = (Mutex::default(), Mutex::default(), Mutex::default());
        Ok(Self { issuer: url, name: issuer.to_owned(), client, about, keys })
    }

    pub(super) fn host(&self) -> &str {
        self.issuer.host_str().unwrap_or_default()
    }

    /// What it says of itself.
    pub(super) async fn about(&self) -> Result<Arc<About>, OidcError> {
        // Held while it is asked: of many who come at once one asks.
        let mut known = self.about.lock().await;
        if let Some((_, about)) = known.as_ref().filter(|(at, _)| at.elapsed() < ABOUT_LIFETIME) {
            return Ok(Arc::clone(about));
        }
        let address = format!("{}{ABOUT}", self.name.trim_end_matches('/'));
        let about: About = self.get(&address).await?;
        if about.issuer != self.name {
            let other = about.issuer;
            return Err(OidcError::Unavailable(format!("it says that it is {other}, and not {}", self.name)));
        }
        let endpoints = [&about.authorization_endpoint, &about.token_endpoint, &about.jwks_uri];
        if let Some(unsafe_one) =
            endpoints.into_iter().find(|url| !Url::parse(url).is_ok_and(|url| is_safe(&url)))
        {
            return Err(OidcError::Unavailable(format!("{unsafe_one} is not encrypted")));
        }
        let about = Arc::new(about);
        *known = Some((Instant::now(), Arc::clone(&about)));
        Ok(about)
    }

    /// Keys among which is the one that a token names; asked for again where it is not yet, since keys are replaced.
    pub(super) async fn keys(&self, signed: &Signed<'_>) -> Result<Arc<Keys>, OidcError> {
        let about = self.about().await?;
        let mut known = self.keys.lock().await;
        if let Some(keys) = known.as_ref().filter(|keys| keys.know(signed.key())) {
            return Ok(Arc::clone(keys));
        }
        let keys: Arc<Keys> = Arc::new(self.get(&about.jwks_uri).await?);
        *known = Some(Arc::clone(&keys));
        Ok(keys)
    }

    /// The token that a code stands for.
    pub(super) async fn redeem(
        &self,
        config: &OidcConfig,
        code: &str,
        verifier: &str,
    ) -> Result<String, OidcError> {
        let about = self.about().await?;
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &config.redirect_url),
            ("code_verifier", verifier),
        ];
        let mut request = self.client().await?.post(&about.token_endpoint);
        match &config.client_secret {
            Some(secret) if about.takes_secrets_in_forms() => {
                fields.extend([("client_id", config.client_id.as_str()), ("client_secret", secret)]);
            }
            Some(secret) => request = request.basic_auth(encoded(&config.client_id), Some(encoded(secret))),
            None => fields.push(("client_id", &config.client_id)),
        }
        let request = request
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .body(form(&fields));
        let (status, body) = send(request).await?;
        if status.is_success() {
            let redeemed: Redeemed = serde_json::from_slice(&body)
                .map_err(|error| OidcError::Unavailable(format!("its token cannot be read: {error}")))?;
            return Ok(redeemed.id_token);
        }
        // Only names that the standard knows are handed on: the rest is not for whoever brought the code.
        match serde_json::from_slice::<Failure>(&body) {
            Ok(Failure { error }) if error == "invalid_grant" => {
                Err(refused("the provider does not know this code, or it was used already"))
            }
            Ok(Failure { error }) => Err(OidcError::Unavailable(format!("it answers {status}, {error:.40}"))),
            Err(_) => Err(OidcError::Unavailable(format!("it answers {status}"))),
        }
    }

    async fn get<T: for<'de> Deserialize<'de>>(&self, address: &str) -> Result<T, OidcError> {
        let request = self.client().await?.get(address).header(header::ACCEPT, "application/json");
        let (status, body) = send(request).await?;
        if !status.is_success() {
            return Err(OidcError::Unavailable(format!("{address} answers {status}")));
        }
        serde_json::from_slice(&body)
            .map_err(|error| OidcError::Unavailable(format!("{address} cannot be read: {error}")))
    }

    async fn client(&self) -> Result<Client, OidcError> {
        let mut client = self.client.lock().await;
        if client.is_none() {
            // Addresses of a provider are what it says they are: nobody leads elsewhere.
            let made =
                http::client(&self.issuer, |builder| builder.redirect(reqwest::redirect::Policy::none()));
            *client = Some(made.map_err(|error| OidcError::Unavailable(error.to_string()))?);
        }
        Ok(client.clone().expect("it was just made"))
    }
}

impl About {
    /// Where both ways are taken, the header, which every provider has to take.
    fn takes_secrets_in_forms(&self) -> bool {
        let methods = self.token_endpoint_auth_methods_supported.as_deref().unwrap_or_default();
        let takes = |name: &str| methods.iter().any(|method| method == name);
        takes("client_secret_post") && !takes("client_secret_basic")
    }
}

/// Encrypted, or on this machine.
fn is_safe(url: &Url) -> bool {
    let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    url.host_str().is_some() && (url.scheme() == "https" || url.scheme() == "http" && is_here)
}

async fn send(request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), OidcError> {
    let failed = |error: reqwest::Error| OidcError::Unavailable(http::reason(&error));
    let mut response = request.timeout(TIME_LIMIT).send().await.map_err(failed)?;
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(failed)? {
        body.extend_from_slice(&part);
        if body.len() > LONGEST_ANSWER_BYTES {
            return Err(OidcError::Unavailable("its answer has no end".to_owned()));
        }
    }
    Ok((response.status(), body))
}

/// Fields as forms are sent.
fn form(fields: &[(&str, &str)]) -> String {
    let mut url = Url::parse("form:").expect("this is an address");
    url.query_pairs_mut().extend_pairs(fields);
    url.query().unwrap_or_default().to_owned()
}

/// A name or a secret as it stands in a header (RFC 6749, 2.3.1).
fn encoded(text: &str) -> String {
    let mut url = Url::parse("form:").expect("this is an address");
    url.query_pairs_mut().append_key_only(text);
    url.query().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_encoded_as_forms_are() {
        assert_eq!(form(&[("a", "1 2"), ("b", "x&y=z")]), "a=1+2&b=x%26y%3Dz");
        assert_eq!(encoded("se:cr et/ä"), "se%3Acr+et%2F%C3%A4");
    }
}
