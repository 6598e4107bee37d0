//! Requests that may come twice.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use crate::library::{LibraryResult, Scope};

/// A request that its sender gave a key, so that it is done once however often it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedRequest {
    /// What is asked for, for example "POST /api/v1/playlists".
    pub route: String,
    /// The sender's key, 1 to 255 characters; a user's keys count for one route each.
    pub key: String,
    /// A hash of everything that was asked.
    pub fingerprint: String,
}

impl KeyedRequest {
    /// A request for `route` that `parts` say all about.
    pub fn new(route: String, key: String, parts: &[&[u8]]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            // With its length in front, no part can lend bytes to the next.
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self { route, key, fingerprint: hasher.finalize().to_hex().to_string() }
    }
}

/// What a request was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The status of HTTP.
    pub status: u16,
    /// Headers by their names, as an object of texts.
    pub headers: Value,
    /// What was said; `None` where it held a secret and was not kept.
    pub body: Option<String>,
}

/// What is known of a request that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Nothing: it is the sender's to do now. The number has to be given with its answer.
    Now(i64),
    /// It is being worked on.
    Already,
    /// Its key belongs to another request.
    Another,
    /// It was answered.
    Answered(KeptAnswer),
}

/// The answers to requests with keys, for a day.
#[async_trait]
pub trait Requests: Send + Sync {
    /// Begins a request, if it is new: of several that come at once one is. One that was begun longer than `patience` ago
    /// and never ended, as when the process died, begins anew.
    async fn begin_request(
        &self,
        scope: Scope,
        request: &KeyedRequest,
        patience: Duration,
    ) -> LibraryResult<Begun>;
    /// Keeps the answer to a request that [`begin_request`](Self::begin_request) gave this number.
    async fn answer_request(
        &self,
        scope: Scope,
        request: &KeyedRequest,
        number: i64,
        answer: &KeptAnswer,
    ) -> LibraryResult<()>;
    /// Forgets a request that came to nothing, so that it can be tried again.
    async fn forget_request(&self, scope: Scope, request: &KeyedRequest, number: i64) -> LibraryResult<()>;
}
