//! The token that says who somebody is (OpenID Connect Core, 3.1.3.7).

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use super::keys::{Algorithm, Keys};
use super::{OidcError, refused};

/// Tokens are much shorter.
const LONGEST_BYTES: usize = 64 << 10;
const LONGEST_SUBJECT: usize = 255;
/// Clocks may be this far apart.
const LEEWAY_SECS: i64 = 60;

/// What a token has to say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) now_secs: i64,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Names of what a reader has to know, of which this one knows nothing.
    crit: Option<Value>,
}

/// What a token says. Types are strict: what is no number is no time.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
    nonce: Option<String>,
    pub(super) name: Option<String>,
    pub(super) preferred_username: Option<String>,
    pub(super) email: Option<String>,
    email_verified: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Claims {
    /// Only where that is said outright.
    pub(super) fn email_is_verified(&self) -> bool {
        self.email_verified == Some(Value::Bool(true))
    }
}

/// A token in its parts, of which nothing is believed yet.
pub(super) struct Signed<'a> {
    algorithm: Algorithm,
    key: Option<String>,
    message: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

impl<'a> Signed<'a> {
    pub(super) fn read(token: &'a str) -> Result<Self, OidcError> {
        if token.len() > LONGEST_BYTES {
            return Err(refused("the token is too long"));
        }
        let unreadable = || refused("the token cannot be read");
        let (message, signature) = token.rsplit_once('.').ok_or_else(unreadable)?;
        let (header, payload) = message.split_once('.').ok_or_else(unreadable)?;
        let header: Header = part(header).ok_or_else(unreadable)?;
        if header.crit.is_some() {
            return Err(refused("the token wants something to be known that is not known here"));
        }
        let algorithm = Algorithm::named(&header.alg).ok_or_else(|| {
            refused(format!("the token is signed by {:?}, which is not believed", header.alg))
        })?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).map_err(|_| unreadable())?;
        Ok(Self { algorithm, key: header.kid, message, payload, signature })
    }

    /// The name of the key that is said to have signed it.
    pub(super) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// What it says, if that is signed by one of the keys and is what was expected.
    pub(super) fn verified(&self, keys: &Keys, expected: &Expected<'_>) -> Result<Claims, OidcError> {
        if !keys.have_signed(self.key(), self.algorithm, self.message.as_bytes(), &self.signature) {
            return Err(refused("the token is not signed by the provider"));
        }
        let claims: Claims =
            part(self.payload).ok_or_else(|| refused("the token does not say what it has to"))?;
        expected.make_sure(&claims)?;
        Ok(claims)
    }
}

fn part<T: for<'de> Deserialize<'de>>(text: &str) -> Option<T> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

impl Expected<'_> {
    fn make_sure(&self, claims: &Claims) -> Result<(), OidcError> {
        if claims.iss != self.issuer {
            return Err(refused("the token is from another issuer"));
        }
        let (is_for_us, is_for_others) = match &claims.aud {
            Audience::One(one) => (one == self.client_id, false),
            Audience::Several(all) => (all.iter().any(|one| one == self.client_id), all.len() > 1),
        };
        let is_ours = claims.azp.as_deref().map_or(!is_for_others, |party| party == self.client_id);
        if !is_for_us || !is_ours {
            return Err(refused("the token is for another program"));
        }
        // What was said in a far future would not end in ours.
        let is_over = claims.exp.saturating_add(LEEWAY_SECS) <= self.now_secs;
        let is_early =
            claims.iat.max(claims.nbf.unwrap_or(i64::MIN)) > self.now_secs.saturating_add(LEEWAY_SECS);
        if is_over || is_early {
            return Err(refused("the token is not valid now; see that the clocks are right"));
        }
        if claims.nonce.as_deref() != Some(self.nonce) {
            return Err(refused("the token is of another sign-in"));
        }
        if claims.sub.is_empty() || claims.sub.len() > LONGEST_SUBJECT {
            return Err(refused("the token names nobody"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    struct Signer(EcdsaKeyPair);

    impl Signer {
        fn new() -> Self {
            let random = SystemRandom::new();
            let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
            Self(
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random)
                    .unwrap(),
            )
        }

        fn keys(&self) -> Keys {
            let point = self.0.public_key().as_ref();
            let (x, y) = (encoded(&point[1..33]), encoded(&point[33..]));
            serde_json::from_value(
                json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "a", "x": x, "y": y}]}),
            )
            .unwrap()
        }

        fn sign(&self, header: &Value, claims: &Value) -> String {
            let message = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
            let signature = self.0.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
            format!("{message}.{}", encoded(signature))
        }
    }

    fn encoded(bytes: impl AsRef<[u8]>) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    fn header() -> Value {
        json!({"alg": "ES256", "kid": "a", "typ": "JWT"})
    }

    fn claims() -> Value {
        json!({"iss": "https://a.example", "sub": "ann", "aud": "sfa", "exp": NOW + 300, "iat": NOW, "nonce": "n",
            "email": "ann@example.org", "email_verified": true})
    }

    fn verified(token: &str, keys: &Keys) -> Result<Claims, OidcError> {
        let expected = Expected { issuer: "https://a.example", client_id: "sfa", nonce: "n", now_secs: NOW };
        Signed::read(token)?.verified(keys, &expected)
    }

    #[test]
    fn what_is_as_it_should_be_is_believed() {
        let signer = Signer::new();
        let read = |claims: &Value| verified(&signer.sign(&header(), claims), &signer.keys()).unwrap();
        let ann = read(&claims());
        assert_eq!((ann.sub.as_str(), ann.email_is_verified()), ("ann", true));
        for (name, value) in [
            ("aud", json!(["sfa"])),
            ("azp", json!("sfa")),
            ("exp", json!(NOW - 30)),
            ("iat", json!(NOW + 30)),
            ("nbf", json!(NOW - 1)),
        ] {
            let mut fine = claims();
            fine[name] = value;
            read(&fine);
        }
        let mut shared = claims();
        (shared["aud"], shared["azp"]) = (json!(["other", "sfa"]), json!("sfa"));
        read(&shared);
        for unverified in [json!(false), json!("true"), json!(1), Value::Null] {
            let mut claims = claims();
            claims["email_verified"] = unverified.clone();
            assert!(!read(&claims).email_is_verified(), "{unverified}");
        }
    }

    #[test]
    fn what_is_not_is_refused() {
        let signer = Signer::new();
        for (name, value) in [
            ("iss", json!("https://b.example")),
            ("iss", json!("https://a.example/")),
            ("aud", json!("other")),
            ("aud", json!([])),
            ("aud", json!(["sfa", "other"])),
            ("azp", json!("other")),
            ("exp", json!(NOW - 61)),
            ("exp", json!("9999999999")),
            ("exp", Value::Null),
            ("iat", json!(NOW + 61)),
            ("nbf", json!(NOW + 61)),
            ("nbf", json!("0")),
            ("nonce", json!("m")),
            ("nonce", Value::Null),
            ("sub", json!("")),
            ("sub", json!("x".repeat(256))),
            ("sub", json!(7)),
        ] {
            let mut wrong = claims();
            wrong[name] = value.clone();
            let answer = verified(&signer.sign(&header(), &wrong), &signer.keys());
            assert!(matches!(answer, Err(OidcError::Refused(_))), "{name} {value}");
        }
    }

    #[test]
    fn what_nobody_or_somebody_else_has_signed_is_refused() {
        let (signer, other) = (Signer::new(), Signer::new());
        let whole = signer.sign(&header(), &claims());
        let (message, signature) = whole.rsplit_once('.').unwrap();
        let (_, payload) = message.split_once('.').unwrap();
        let header_of = |header: Value| encoded(header.to_string());
        for wrong in [
            other.sign(&header(), &claims()),
            format!("{message}."),
            format!("{}.{payload}.", header_of(json!({"alg": "none"}))),
            format!("{}.{payload}.{signature}", header_of(json!({"alg": "HS256", "kid": "a"}))),
            signer.sign(&json!({"alg": "ES256", "kid": "b"}), &claims()),
            signer.sign(&json!({"alg": "RS256", "kid": "a"}), &claims()),
            signer.sign(&json!({"alg": "ES256", "kid": "a", "crit": ["x"]}), &claims()),
            format!("{whole}="),
            format!("{whole}.x"),
            "a.b".to_owned(),
            String::new(),
            "x".repeat(LONGEST_BYTES + 1),
        ] {
            assert!(matches!(verified(&wrong, &signer.keys()), Err(OidcError::Refused(_))), "{wrong:.80}");
        }
    }
}
