//! An OpenID provider in this process, which speaks HTTP as the real ones do, and lies when it is told to.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use reqwest::Url;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use sfa_server::http::OidcOptions;
use tokio::net::TcpListener;

use crate::house::Client;

const CLIENT_ID: &str = "sfa";
const CLIENT_SECRET: &str = "se cr+et";

#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<Inside>>,
}

/// What is done to a part of a token before it is signed.
pub(crate) type Lie = fn(&mut Value);

struct Inside {
    issuer: String,
    key: Key,
    /// Who is signed in here, as claims.
    person: Value,
    /// What was asked for with each code that was not redeemed yet.
    codes: HashMap<String, HashMap<String, String>>,
    /// What is done to headers and claims before they are signed.
    lies: (Lie, Lie),
    /// Signs in place of the published key.
    forger: Option<Key>,
}

struct Key {
    id: String,
    pair: EcdsaKeyPair,
}

impl Key {
    fn new(id: &str) -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
        Self { id: id.to_owned(), pair }
    }

    fn published(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        let (x, y) = (encoded(&point[1..33]), encoded(&point[33..]));
        json!({"keys": [{"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.id, "x": x, "y": y}]})
    }

    fn sign(&self, message: &str) -> String {
        encoded(self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap())
    }
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn now_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn fields(form: &str) -> HashMap<String, String> {
    let url = Url::parse(&format!("form:?{form}")).unwrap();
    url.query_pairs().into_owned().collect()
}

impl Provider {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let inside = Inside {
            issuer: format!("http://{address}/home"),
            key: Key::new("first"),
            person: Value::Null,
            codes: HashMap::new(),
            lies: (|_| (), |_| ()),
            forger: None,
        };
        let provider = Self { address, state: Arc::new(Mutex::new(inside)) };
        let router = Router::new()
            .route("/home/.well-known/openid-configuration", get(about))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/keys", get(keys))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.state.lock().unwrap()
    }

    pub(crate) fn options(&self) -> OidcOptions {
        OidcOptions {
            issuer: self.inside().issuer.clone(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: Some(CLIENT_SECRET.to_owned()),
        }
    }

    pub(crate) fn issuer(&self) -> String {
        self.inside().issuer.clone()
    }

    /// Somebody signs in here.
    pub(crate) fn enter(&self, person: Value) {
        self.inside().person = person;
    }

    /// From now on the claims of tokens are changed so before they are signed.
    pub(crate) fn lie(&self, claims: Lie) {
        self.inside().lies.1 = claims;
    }

    pub(crate) fn lie_in_headers(&self, header: Lie) {
        self.inside().lies.0 = header;
    }

    pub(crate) fn tell_the_truth(&self) {
        let mut inside = self.inside();
        inside.lies = (|_| (), |_| ());
        inside.forger = None;
    }

    /// Somebody else signs, with a key of the same name.
    pub(crate) fn forge(&self) {
        let mut inside = self.inside();
        inside.forger = Some(Key::new(&inside.key.id));
    }

    pub(crate) fn replace_key(&self) {
        self.inside().key = Key::new("second");
    }

    /// Goes where a browser was sent, and gives the path that it is sent back to.
    pub(crate) async fn visit(&self, location: &str) -> String {
        let url = Url::parse(location).unwrap();
        assert_eq!(url.port(), Some(self.address.port()), "{location}");
        let answer =
            Client::nobody(self.address).get(&format!("{}?{}", url.path(), url.query().unwrap())).await;
        assert_eq!(answer.status, 302, "{answer:?}");
        let back = Url::parse(&answer.header("location")).unwrap();
        format!("{}?{}", back.path(), back.query().unwrap())
    }
}

async fn about(State(provider): State<Provider>) -> Json<Value> {
    let at = |path: &str| format!("http://{}{path}", provider.address);
    Json(json!({
        "issuer": provider.issuer(), "authorization_endpoint": at("/authorize?tenant=1"), "token_endpoint": at("/token"),
        "jwks_uri": at("/keys"), "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"], "code_challenge_methods_supported": ["S256"],
    }))
}

async fn keys(State(provider): State<Provider>) -> Json<Value> {
    Json(provider.inside().key.published())
}

async fn authorize(State(provider): State<Provider>, RawQuery(query): RawQuery) -> Response {
    let asked = fields(&query.unwrap());
    assert_eq!((asked["tenant"].as_str(), asked["response_type"].as_str()), ("1", "code"));
    assert_eq!((asked["client_id"].as_str(), asked["code_challenge_method"].as_str()), (CLIENT_ID, "S256"));
    assert!(asked["scope"].split(' ').any(|scope| scope == "openid"));
    let mut inside = provider.inside();
    let code = format!("code-{}-{}", provider.address.port(), asked["state"]);
    let mut back = Url::parse(&asked["redirect_uri"]).unwrap();
    back.query_pairs_mut().append_pair("code", &code).append_pair("state", &asked["state"]);
    inside.codes.insert(code, asked);
    (StatusCode::FOUND, [(header::LOCATION, back.as_str())]).into_response()
}

async fn token(State(provider): State<Provider>, headers: HeaderMap, body: String) -> Response {
    let refuse = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({"error": error}))).into_response();
    let basic = BASE64_STANDARD.encode("sfa:se+cr%2Bet");
    if headers[header::AUTHORIZATION] != format!("Basic {basic}") {
        return refuse("invalid_client");
    }
    let given = fields(&body);
    let mut inside = provider.inside();
    // A code is good once.
    let Some(asked) = inside.codes.remove(&given["code"]) else { return refuse("invalid_grant") };
    let digest = ring::digest::digest(&ring::digest::SHA256, given["code_verifier"].as_bytes());
    let is_whole = given["grant_type"] == "authorization_code"
        && given["redirect_uri"] == asked["redirect_uri"]
        && encoded(digest) == asked["code_challenge"];
    if !is_whole {
        return refuse("invalid_grant");
    }
    let mut head = json!({"alg": "ES256", "kid": inside.key.id});
    let now = now_secs();
    let mut claims = json!({"iss": inside.issuer, "aud": CLIENT_ID, "nonce": asked["nonce"], "iat": now, "exp": now + 300});
    claims.as_object_mut().unwrap().extend(inside.person.as_object().unwrap().clone());
    (inside.lies.0)(&mut head);
    (inside.lies.1)(&mut claims);
    let message = format!("{}.{}", encoded(head.to_string()), encoded(claims.to_string()));
    let signature = match head["alg"].as_str() {
        Some("none") => String::new(),
        // Signed with what everybody knows, as if it were a secret.
        Some("HS256") => {
            let known = inside.key.published().to_string();
            let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, known.as_bytes());
            encoded(ring::hmac::sign(&key, message.as_bytes()))
        }
        _ => inside.forger.as_ref().unwrap_or(&inside.key).sign(&message),
    };
    let token = format!("{message}.{signature}");
    Json(json!({"access_token": "x", "token_type": "Bearer", "expires_in": 300, "id_token": token}))
        .into_response()
}
