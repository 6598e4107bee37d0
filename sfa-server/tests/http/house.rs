//! A server in this process, and clients that can send anything.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::header::{HeaderMap, HeaderName};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use sfa_core::library::{
    Actor, Blob, Change, JobId, Library, LibraryConfig, NewSession, NewToken, NewUser, Package, Role, Scope,
    Secret, SessionId, Settings, Step, TokenId, TokenPurpose, UserId,
};
use sfa_core::models::ModelStore;
use sfa_core::{CLASSIC, Studio};
use sfa_server::http::{Rates, ServeOptions, Server};
use tokio::net::TcpStream;

use crate::desk::Desk;

/// A library without models, and a server on it.
pub(crate) struct House {
    pub(crate) desk: Desk,
    pub(crate) library: Library,
    pub(crate) server: Server,
}

/// As many requests as a test likes, on any free port.
fn options() -> ServeOptions {
    let mut options = ServeOptions::default();
    options.listen = ([127, 0, 0, 1], 0).into();
    options.rates = Rates { browser: 100_000, program: 100_000, heavy: 100_000 };
    options.drain_time = Duration::from_secs(5);
    options
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::with(|_| {}).await
    }

    /// A house where something is otherwise.
    pub(crate) async fn with(change: impl FnOnce(&mut ServeOptions)) -> Self {
        Self::on(change, |config| config).await
    }

    /// A house whose library is somewhere else, or otherwise.
    pub(crate) async fn on(
        change: impl FnOnce(&mut ServeOptions),
        place: impl FnOnce(LibraryConfig) -> LibraryConfig,
    ) -> Self {
        let mut options = options();
        change(&mut options);
        let desk = Desk::new();
        let studio = Studio::with_models(ModelStore::at("/nowhere"));
        let library = studio.open(place(LibraryConfig::in_folder(desk.path("data")))).await.unwrap();
        let server = Server::start(library.clone(), options).await.unwrap();
        Self { desk, library, server }
    }

    /// Somebody who is not signed in.
    pub(crate) fn anybody(&self) -> Client {
        self.anybody_at(self.server.address())
    }

    /// Somebody at another of its doors.
    pub(crate) fn anybody_at(&self, address: SocketAddr) -> Client {
        Client::nobody(address)
    }

    /// Somebody with an account, signed in as by a browser. Songs of theirs are not worked on unless they ask.
    pub(crate) async fn user(&self, name: &str, role: Role) -> Client {
        let id = UserId::random();
        let user = NewUser {
            id,
            name: name.to_owned(),
            email: Some(format!("{name}@example.org")),
            role,
            password_hash: None,
        };
        let rows = self.library.rows();
        rows.add_user(&Actor::at_the_machine(id), &user).await.unwrap();
        let mut settings = Settings::of_steps([]);
        settings.engine = CLASSIC.to_owned();
        self.library.set_settings(Scope::of(id), &settings).await.unwrap();
        let session = self.session(id).await;
        Client { user: id, ..self.anybody() }.with("cookie", &format!("sfa={}", session.reveal()))
    }

    pub(crate) async fn session(&self, user: UserId) -> Secret {
        let secret = Secret::random();
        let session = NewSession {
            id: SessionId::random(),
            user,
            secret: secret.hash(),
            lifetime: Duration::from_secs(3600),
            address: "192.0.2.1".to_owned(),
            agent: "test".to_owned(),
        };
        self.library.rows().open_session(&session).await.unwrap();
        secret
    }

    /// A program of `owner`'s.
    pub(crate) async fn program(&self, owner: &Client, scopes: &[&str]) -> Client {
        let secret = Secret::random();
        let token = NewToken {
            id: TokenId::random(),
            user: owner.user,
            purpose: TokenPurpose::Api,
            secret: secret.hash(),
            label: "program".to_owned(),
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            sent_to: None,
            lifetime: None,
        };
        self.library.rows().add_token(&token).await.unwrap();
        Client { user: owner.user, ..self.anybody() }
            .with("authorization", &format!("Bearer {}", secret.reveal()))
    }

    /// Every step is done to the songs of `owner`, by the engine that needs no model.
    pub(crate) async fn wants_everything(&self, owner: &Client) {
        let mut settings = Settings::of_steps(Step::ALL);
        settings.engine = CLASSIC.to_owned();
        settings.stem_format = "wav".to_owned();
        self.library.set_settings(Scope::of(owner.user), &settings).await.unwrap();
    }

    /// A song of so many frames; no two lengths have the same content.
    pub(crate) fn song(&self, name: &str, frames: u32) -> Vec<u8> {
        std::fs::read(self.desk.song_of(name, frames)).unwrap()
    }

    /// A song of `owner`'s, and its id.
    pub(crate) async fn track(&self, owner: &Client, name: &str, frames: u32) -> String {
        let answer = owner.post_bytes(&format!("/api/v1/tracks?name={name}"), self.song(name, frames)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        text(&answer.data()["track"]["id"])
    }

    /// A package of a user's that holds what is there already, and its id.
    pub(crate) async fn package(&self, user: UserId, hash: &str) -> String {
        let package = Package {
            id: JobId::random(),
            name: "set.zip".to_owned(),
            target: "stems".to_owned(),
            tracks: 1,
            blob: Blob { hash: hash.to_owned(), size_bytes: 1 },
            created_at_ms: 0,
        };
        let id = package.id.to_string();
        self.library.apply(Scope::of(user), vec![Change::AddPackage(package)]).await.unwrap();
        id
    }

    /// Everything that is in the data folder.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        crate::desk::files_below(&self.desk.path("data")).into_iter().map(PathBuf::from).collect()
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// Sends what it is told, and nothing else.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) user: UserId,
    pub(crate) headers: Vec<(String, String)>,
}

impl Client {
    /// Somebody of whom nothing is known.
    pub(crate) fn nobody(address: SocketAddr) -> Self {
        Self { address, user: UserId::LOCAL, headers: Vec::new() }
    }

    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: impl Into<Bytes>) -> Answer {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        let driving = tokio::spawn(connection);
        let mut request = Request::builder().method(Method::try_from(method).unwrap()).uri(path);
        if !self.headers.iter().any(|(name, _)| name == "host") {
            request = request.header("host", self.address.to_string());
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let response = sender.send_request(request.body(Full::new(body.into())).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        driving.abort();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, Bytes::new()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, Bytes::new()).await
    }

    pub(crate) async fn json(&self, method: &str, path: &str, body: Value) -> Answer {
        self.with("content-type", "application/json").send(method, path, body.to_string()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.json("POST", path, body).await
    }

    pub(crate) async fn post_bytes(&self, path: &str, body: Vec<u8>) -> Answer {
        self.with("content-type", "application/octet-stream").send("POST", path, body).await
    }

    /// The same client with the cookie that an answer has set.
    pub(crate) fn taking_cookie(&self, answer: &Answer) -> Self {
        let cookie = answer.header("set-cookie");
        let (pair, _) = cookie.split_once(';').expect("a cookie has attributes");
        let mut client = self.clone();
        client.headers.retain(|(name, _)| name != "cookie");
        client.with("cookie", pair)
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{self:?} is no JSON"))
    }

    pub(crate) fn data(&self) -> Value {
        self.value()["data"].take()
    }

    /// How many rows a list has.
    pub(crate) fn rows(&self) -> usize {
        self.data().as_array().unwrap_or_else(|| panic!("{self:?} is no list")).len()
    }

    /// Status and code of a failure, which names its request.
    pub(crate) fn failure(&self) -> (u16, String) {
        let error = &self.value()["error"];
        assert_eq!(text(&error["request_id"]), self.header("x-request-id"));
        assert!(!text(&error["message"]).is_empty());
        (self.status, text(&error["code"]))
    }

    pub(crate) fn header(&self, name: &str) -> String {
        let value = self.headers.get(name.parse::<HeaderName>().unwrap());
        value.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }
}

/// Fails unless an answer is this failure.
#[track_caller]
pub(crate) fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.failure(), (status, code.to_owned()), "{answer:?}");
}
