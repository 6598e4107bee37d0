//! One open socket: what its client says, and what it is told, in one of several languages.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use super::feed::{Feed, Piece};
use super::gate::{Gate, Reason};
use super::subject::Subject;
use crate::http::App;
use crate::http::auth::{Caller, Proof};
use crate::http::client;
use crate::http::error::{ApiError, ApiResult};
use crate::http::limits::Place;
use crate::http::rights::Right;

/// Commands are short.
const MOST_MESSAGE_BYTES: usize = 4 << 10;
const MOST_TOPICS: usize = 64;
/// Pieces on their way to one client, of all its topics.
const QUEUED: usize = 64;
pub(super) const HEARTBEAT: Duration = Duration::from_secs(20);
/// Who is silent for three heartbeats is gone.
const SILENCE: Duration = Duration::from_secs(60);
/// Who does not take a message in this time is too slow.
const PATIENCE: Duration = Duration::from_secs(10);
const ASKED_AGAIN: Duration = Duration::from_secs(1);
const TOO_SLOW: Reason = Reason { code: 4008, text: "too slow" };

/// What a client says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(in crate::http) enum Command {
    /// Follow a topic: from now on with a snapshot, or from the event after number `after`.
    Subscribe { topic: String, after: Option<i64> },
    /// Follow it no more.
    Unsubscribe { topic: String },
    /// Hear this, and nothing more.
    #[serde(skip)]
    Answer(String),
}

/// A command, and what its language has to remember of it.
pub(in crate::http) struct Said {
    pub(in crate::http) command: Command,
    pub(in crate::http) memory: Value,
}

impl From<Command> for Said {
    /// There is nothing to remember.
    fn from(command: Command) -> Self {
        Self { command, memory: Value::Null }
    }
}

/// What a client is told that asked for something that there is not.
#[derive(Serialize)]
#[serde(tag = "type", rename = "error")]
pub(in crate::http) struct Refusal {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) topic: Option<String>,
    pub(in crate::http) code: &'static str,
    pub(in crate::http) message: String,
}

/// How commands and news are written.
pub(in crate::http) struct Language {
    /// What a text means; else what is wrong with it.
    pub(in crate::http) read: fn(&str) -> Result<Said, String>,
    /// What is said when a topic is followed, or followed no more.
    pub(in crate::http) confirm: fn(&Command, &Value) -> Vec<String>,
    /// A piece as messages, of which there may be none. What is remembered was said when the topic was subscribed to, and
    /// what was added to it since.
    pub(in crate::http) write: fn(&Piece, &mut Value) -> Vec<String>,
    pub(in crate::http) refuse: fn(&Refusal, &Value) -> String,
}

/// That of this server.
pub(super) const OURS: Language = Language {
    read: |text| serde_json::from_str(text).map(Command::into).map_err(|error| error.to_string()),
    confirm: |_, _| Vec::new(),
    write: |piece, _| vec![piece.to_json()],
    refuse: |refusal, _| serde_json::to_string(refusal).expect("a refusal is plain data"),
};

/// Opens a socket, for pages of this server alone where the caller is a browser.
pub(in crate::http) fn upgraded(
    app: App,
    caller: Caller,
    headers: &HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    language: &'static Language,
) -> ApiResult<Response> {
    if matches!(*caller.proof, Proof::Session(_)) {
        client::make_sure_of_origin(headers, &app.options)?;
    }
    let upgrade = upgrade
        .map_err(|error| ApiError::new(StatusCode::UPGRADE_REQUIRED, "not_a_websocket", error.body_text()))?;
    let place = app.places.take(caller.user.id)?;
    let upgrade = upgrade
        .max_message_size(MOST_MESSAGE_BYTES)
        .max_frame_size(MOST_MESSAGE_BYTES)
        .read_buffer_size(MOST_MESSAGE_BYTES)
        .write_buffer_size(0);
    Ok(upgrade.on_upgrade(move |socket| Line::new(app, caller, socket, place, language).serve()))
}

/// One open socket.
struct Line {
    app: App,
    caller: Caller,
    socket: WebSocket,
    feeds: JoinSet<()>,
    topics: HashMap<String, AbortHandle>,
    queue: mpsc::Sender<String>,
    queued: mpsc::Receiver<String>,
    heard_at: Instant,
    language: &'static Language,
    _place: Place,
}

impl Line {
    fn new(app: App, caller: Caller, socket: WebSocket, place: Place, language: &'static Language) -> Self {
        let (queue, queued) = mpsc::channel(QUEUED);
        Self {
            app,
            caller,
            socket,
            feeds: JoinSet::new(),
            topics: HashMap::new(),
            queue,
            queued,
            heard_at: Instant::now(),
            language,
            _place: place,
        }
    }

    async fn serve(mut self) {
        let mut gate = Gate::new(self.app.clone(), self.caller.clone());
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        let reason = loop {
            tokio::select! {
                message = self.socket.recv() => {
                    self.heard_at = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) => {
                            if let Err(reason) = self.obey(text.as_str(), &mut gate).await {
                                break Some(reason);
                            }
                        }
                        Some(Ok(Message::Close(_)) | Err(_)) | None => break None,
                        Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => {}
                    }
                }
                Some(text) = self.queued.recv() => {
                    if let Err(reason) = self.say(text).await {
                        break Some(reason);
                    }
                }
                // What ended by itself makes room.
                Some(_) = self.feeds.join_next(), if !self.feeds.is_empty() => {
                    self.topics.retain(|_, feed| !feed.is_finished());
                }
                _ = heartbeat.tick() => {
                    if self.heard_at.elapsed() > SILENCE {
                        break None;
                    }
                    if let Err(reason) = self.send(Message::Ping(bytes::Bytes::new())).await {
                        break Some(reason);
                    }
                }
                reason = gate.shut() => break Some(reason),
            }
        };
        if let Some(Reason { code, text }) = reason {
            let frame = CloseFrame { code, reason: text.into() };
            // Who is too slow may not hear it.
            tokio::time::timeout(PATIENCE, self.socket.send(Message::Close(Some(frame)))).await.ok();
        }
    }

    async fn obey(&mut self, text: &str, gate: &mut Gate) -> Result<(), Reason> {
        let Language { read, confirm, refuse, .. } = self.language;
        let Said { command, memory } = match read(text) {
            Ok(said) => said,
            Err(message) => {
                let refusal = Refusal { topic: None, code: "invalid", message };
                return self.say(refuse(&refusal, &Value::Null)).await;
            }
        };
        match &command {
            Command::Subscribe { topic, after } => {
                if let Err(error) = self.subscribe(topic, *after, memory.clone(), gate).await {
                    let topic = Some(topic.clone());
                    let refusal = Refusal { topic, code: error.code, message: error.message };
                    return self.say(refuse(&refusal, &memory)).await;
                }
            }
            Command::Unsubscribe { topic } => {
                if let Some(feed) = self.topics.remove(topic) {
                    feed.abort();
                }
            }
            Command::Answer(text) => return self.say(text.clone()).await,
        }
        for text in confirm(&command, &memory) {
            self.say(text).await?;
        }
        Ok(())
    }

    async fn subscribe(
        &mut self,
        topic: &str,
        after: Option<i64>,
        mut memory: Value,
        gate: &mut Gate,
    ) -> ApiResult<()> {
        let subject: Subject = topic.parse()?;
        if self.topics.len() >= MOST_TOPICS && !self.topics.contains_key(topic) {
            return Err(ApiError::invalid(format!("{MOST_TOPICS} topics can be followed at once")));
        }
        if subject.right(&self.caller) != Right::Read {
            // Roles change while a socket is open.
            self.caller.user = self.app.library.rows().user(self.caller.user.id).await?.into();
        }
        let right = subject.right(&self.caller);
        let mut feed = Feed::open(&self.app, &self.caller, subject, after).await?;
        gate.need(right);
        let (queue, language) = (self.queue.clone(), self.language);
        let name = topic.to_owned();
        let handle = self.feeds.spawn(async move {
            loop {
                let texts = match feed.next().await {
                    Ok(piece) => (language.write)(&piece, &mut memory),
                    // A database that does not answer now is asked again.
                    Err(error) if error.status == StatusCode::SERVICE_UNAVAILABLE => {
                        tokio::time::sleep(ASKED_AGAIN).await;
                        continue;
                    }
                    Err(error) => {
                        let refusal = Refusal { topic: Some(name), code: error.code, message: error.message };
                        queue.send((language.refuse)(&refusal, &memory)).await.ok();
                        return;
                    }
                };
                for text in texts {
                    if queue.send(text).await.is_err() {
                        return;
                    }
                }
            }
        });
        if let Some(before) = self.topics.insert(topic.to_owned(), handle) {
            before.abort();
        }
        Ok(())
    }

    async fn say(&mut self, text: String) -> Result<(), Reason> {
        self.send(Message::Text(text.into())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Reason> {
        match tokio::time::timeout(PATIENCE, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            // A broken connection is found by the next read.
            Ok(Err(_)) => Ok(()),
            Err(_) => Err(TOO_SLOW),
        }
    }
}
