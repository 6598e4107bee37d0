//! What happens, as it happens: over a WebSocket, or as server-sent events.
//!
//! Nothing waits here for a slow client: events are taken when the client can take the next one, so that a client that
//! takes none costs the same as one that takes all.

mod feed;
mod gate;
mod inspector;
mod line;
mod rounds;
mod subject;
mod system;

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::HeaderMap;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::http::App;
use crate::http::answer::Query;
use crate::http::auth::Caller;
use crate::http::error::ApiResult;
use feed::Feed;
use gate::Gate;
use subject::Subject;

pub(in crate::http) use feed::Piece;
pub(in crate::http) use line::{Command, Language, Refusal, Said, upgraded};
pub(in crate::http) use rounds::Rounds;

/// Which topic, and from where.
#[derive(Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct StreamQuery {
    /// "library", "notifications", "system", "debug", "track:" and the id of a song, or "job:" and the id of a job.
    #[param(example = "library")]
    topic: String,
    /// The number of the last event that is known; the header Last-Event-ID says the same.
    #[param(minimum = 0)]
    after: Option<i64>,
}

/// Follow what happens, over a WebSocket
///
/// Send `{"type":"subscribe","topic":"library"}`, with `"after"` to go on after an event that is known, and
/// `{"type":"unsubscribe","topic":…}`. What comes is `{"type":"snapshot","topic","seq","data"}`, then
/// `{"type":"event","topic","seq","kind","payload"}` with a `seq` that rises by one each time, and
/// `{"type":"error","topic","code","message"}`. Topics are `library` (with `tracks` and `jobs`, whole rows of what has
/// changed), `track:ID`, `job:ID`, `notifications`, and for admins `system`; all but the first two always begin with a
/// snapshot. `debug` is what this process logs, of the caller's requests and jobs, or of all for admins:
/// `debug?level=warn&target=sfa_core&job=ID&request=ID` is less of it, and `missed` says how many went by unseen. Closed with 4401 when the caller may not be here any more, 4403 when it may not follow something any more,
/// 4008 when it is too slow, 1001 when the server stops.
#[utoipa::path(get, path = "/api/v1/live", tag = "live", responses(
    (status = 101, description = "A WebSocket from here on")
))]
pub(in crate::http) async fn socket(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> ApiResult<Response> {
    upgraded(app, caller, &headers, upgrade, &line::OURS)
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
    let right = subject.right(&caller);
    let feed = Feed::open(&app, &caller, subject, last_id.or(query.after)).await?;
    let place = app.places.take(caller.user.id)?;
    let mut gate = Gate::new(app, caller);
    gate.need(right);
    let events = stream::unfold((feed, gate, place), |(mut feed, mut gate, place)| async move {
        let piece = tokio::select! {
            piece = feed.next() => piece.ok()?,
            _ = gate.shut() => return None,
        };
        let event =
            sse::Event::default().id(piece.seq().to_string()).event(piece.name()).data(piece.to_json());
        Some((Ok::<_, std::convert::Infallible>(event), (feed, gate, place)))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(line::HEARTBEAT)).into_response())
}
