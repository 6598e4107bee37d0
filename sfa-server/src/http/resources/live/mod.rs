//! What happens, as it happens: over a WebSocket, or as server-sent events.
//!
//! Nothing waits here for a slow client: events are read from the log in the database when the client can take the
//! next one, so that a client that takes none costs the same as one that takes all.

mod feed;
mod gate;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use utoipa::{IntoParams, ToSchema};

use crate::http::App;
use crate::http::answer::Query;
use crate::http::auth::{Caller, Proof};
use crate::http::client;
use crate::http::error::{ApiError, ApiResult};
use crate::http::limits::Place;
use feed::{Feed, Subject};
use gate::{Gate, Reason};

/// Commands are short.
const MOST_MESSAGE_BYTES: usize = 4 << 10;
const MOST_TOPICS: usize = 64;
/// Pieces on their way to one client, of all its topics.
const QUEUED: usize = 64;
const HEARTBEAT: Duration = Duration::from_secs(20);
/// Who is silent for three heartbeats is gone.
const SILENCE: Duration = Duration::from_secs(60);
/// Who does not take a message in this time is too slow.
const PATIENCE: Duration = Duration::from_secs(10);
const TOO_SLOW: Reason = Reason { code: 4008, text: "too slow" };

/// What a client says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    /// Follow a topic: from now on with a snapshot, or from the event after number `after`.
    Subscribe { topic: String, after: Option<i64> },
    /// Follow it no more.
    Unsubscribe { topic: String },
}

/// What a client is told that asked for something that there is not.
#[derive(Serialize)]
#[serde(tag = "type", rename = "error")]
struct Refusal {
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    code: &'static str,
    message: String,
}

/// Which topic, and from where.
#[derive(Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct StreamQuery {
    /// "library", or "track:" and the id of a song.
    #[param(example = "library")]
    topic: String,
    /// The number of the last event that is known; the header Last-Event-ID says the same.
    #[param(minimum = 0)]
    after: Option<i64>,
}

/// Follow what happens, over a WebSocket
///
/// Send `{"type":"subscribe","topic":"library"}` or `"track:…"`, with `"after"` to go on after an event that is known,
/// and `{"type":"unsubscribe","topic":…}`. What comes is `{"type":"snapshot","topic","seq","data"}`, then
/// `{"type":"event","topic","seq","kind","payload"}` with a `seq` that rises by one each time, and
/// `{"type":"error","topic","code","message"}`. Closed with 4401 when the caller may not be here any more, 4008 when
/// it is too slow, 1001 when the server stops.
#[utoipa::path(get, path = "/api/v1/live", tag = "live", responses(
    (status = 101, description = "A WebSocket from here on")
))]
pub(in crate::http) async fn socket(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> ApiResult<Response> {
    if matches!(caller.proof, Proof::Session(_)) {
        client::make_sure_of_origin(&headers, &app.options)?;
    }
    let upgrade = upgrade
        .map_err(|error| ApiError::new(StatusCode::UPGRADE_REQUIRED, "not_a_websocket", error.body_text()))?;
    let place = app.places.take(caller.user.id)?;
    let upgrade = upgrade
        .max_message_size(MOST_MESSAGE_BYTES)
        .max_frame_size(MOST_MESSAGE_BYTES)
        .read_buffer_size(MOST_MESSAGE_BYTES)
        .write_buffer_size(0);
    Ok(upgrade.on_upgrade(move |socket| Line::new(app, caller, socket, place).serve()))
}

/// Follow what happens to one topic, as server-sent events
///
/// The first event is a `snapshot`; those that follow have a `seq` that rises by one, as their id.
#[utoipa::path(get, path = "/api/v1/live/sse", tag = "live", params(StreamQuery), responses(
    (status = 200, description = "Events", body = String, content_type = "text/event-stream")
))]
pub(in crate::http) async fn stream(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Query(query): Query<StreamQuery>,
) -> ApiResult<Response> {
    let last_id = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let subject: Subject = query.topic.parse()?;
    let feed = Feed::open(&app, caller.scope(), subject, last_id.or(query.after)).await?;
    let place = app.places.take(caller.user.id)?;
    let gate = Gate::new(app, caller);
    let events = stream::unfold((feed, gate, place), |(mut feed, mut gate, place)| async move {
        let piece = tokio::select! {
            piece = feed.next() => piece.ok()?,
            _ = gate.shut() => return None,
        };
        let event =
            sse::Event::default().id(piece.seq().to_string()).event(piece.name()).data(piece.to_json());
        Some((Ok::<_, std::convert::Infallible>(event), (feed, gate, place)))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response())
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
    _place: Place,
}

impl Line {
    fn new(app: App, caller: Caller, socket: WebSocket, place: Place) -> Self {
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
                            if let Err(reason) = self.obey(text.as_str()).await {
                                break Some(reason);
                            }
                        }
                        Some(Ok(Message::Close(_)) | Err(_)) | None => break None,
                        Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => {}
                    }
                }
                Some(text) = self.queued.recv() => {
                    if let Err(reason) = self.send(Message::Text(text.into())).await {
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

    async fn obey(&mut self, text: &str) -> Result<(), Reason> {
        let refusal = match serde_json::from_str(text) {
            Ok(Command::Subscribe { topic, after }) => {
                let begun = self.subscribe(&topic, after).await;
                begun.err().map(|error| Refusal {
                    topic: Some(topic),
                    code: error.code,
                    message: error.message,
                })
            }
            Ok(Command::Unsubscribe { topic }) => {
                if let Some(feed) = self.topics.remove(&topic) {
                    feed.abort();
                }
                None
            }
            Err(error) => Some(Refusal { topic: None, code: "invalid", message: error.to_string() }),
        };
        match refusal {
            Some(refusal) => {
                let text = serde_json::to_string(&refusal).expect("a refusal is plain data");
                self.send(Message::Text(text.into())).await
            }
            None => Ok(()),
        }
    }

    async fn subscribe(&mut self, topic: &str, after: Option<i64>) -> ApiResult<()> {
        let subject: Subject = topic.parse()?;
        if self.topics.len() >= MOST_TOPICS && !self.topics.contains_key(topic) {
            return Err(ApiError::invalid(format!("{MOST_TOPICS} topics can be followed at once")));
        }
        let mut feed = Feed::open(&self.app, self.caller.scope(), subject, after).await?;
        let queue = self.queue.clone();
        let name = topic.to_owned();
        let handle = self.feeds.spawn(async move {
            loop {
                let text = match feed.next().await {
                    Ok(piece) => piece.to_json(),
                    Err(error) => {
                        let refusal = Refusal { topic: Some(name), code: error.code, message: error.message };
                        let text = serde_json::to_string(&refusal).expect("a refusal is plain data");
                        queue.send(text).await.ok();
                        return;
                    }
                };
                if queue.send(text).await.is_err() {
                    return;
                }
            }
        });
        if let Some(before) = self.topics.insert(topic.to_owned(), handle) {
            before.abort();
        }
        Ok(())
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
