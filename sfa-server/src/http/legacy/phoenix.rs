//! The socket of the application before this one, in the framing of Phoenix channels, version 2: each message is
//! `[join_ref, ref, topic, event, payload]`. The topic `jobs:ID` tells of a job, and of the song that it is about.

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use sfa_core::library::JobState;

use super::failure::bad_request;
use super::work;
use crate::http::App;
use crate::http::answer::Query;
use crate::http::auth::Caller;
use crate::http::error::ApiResult;
use crate::http::resources::live::{Command, Language, Piece, Refusal, Said, upgraded};

const PATH: &str = "/socket/websocket";
const JOBS: &str = "jobs:";
const OK: &str = "ok";
const ERROR: &str = "error";

const LANGUAGE: Language = Language { read, confirm, write, refuse };

/// What clients add to the address.
#[derive(Deserialize)]
pub(super) struct Parameters {
    vsn: Option<String>,
}

/// Follow jobs, over a WebSocket in the framing of Phoenix channels
///
/// Who cannot send headers names a token in the address: `?token=…`.
#[utoipa::path(get, path = "/socket/websocket", tag = "rest", responses(
    (status = 101, description = "A WebSocket from here on")
))]
pub(super) async fn socket(
    State(app): State<App>,
    caller: Caller,
    Query(Parameters { vsn }): Query<Parameters>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> ApiResult<Response> {
    if !vsn.is_some_and(|version| version.starts_with("2.")) {
        return Err(bad_request("this socket speaks version 2 of its protocol; ask for vsn=2.0.0"));
    }
    upgraded(app, caller, &headers, upgrade, &LANGUAGE)
}

/// Makes the token in the address of this socket the one that the request proves with.
pub(super) fn take_token<B>(request: &mut Request<B>) {
    if request.uri().path() != PATH || request.headers().contains_key(header::AUTHORIZATION) {
        return;
    }
    let mut pairs = request.uri().query().unwrap_or_default().split('&');
    let token = pairs.find_map(|pair| pair.strip_prefix("token="));
    if let Some(mut value) = token.and_then(|token| HeaderValue::try_from(format!("Bearer {token}")).ok()) {
        value.set_sensitive(true);
        request.headers_mut().insert(header::AUTHORIZATION, value);
    }
}

fn read(text: &str) -> Result<Said, String> {
    type Frame = (Option<String>, Option<String>, String, String, Value);
    let (join_ref, number, topic, event, payload): Frame = serde_json::from_str(text)
        .map_err(|error| format!("a message is [join_ref, ref, topic, event, payload]: {error}"))?;
    let memory = json!({"join_ref": join_ref, "ref": number, "topic": topic});
    let answer = |status, response| Command::Answer(reply(&memory, status, response));
    let command = match (topic.as_str(), event.as_str()) {
        ("phoenix", "heartbeat") => answer(OK, json!({})),
        (_, "phx_leave") => Command::Unsubscribe { topic },
        (name, _) if !name.starts_with(JOBS) => answer(ERROR, json!({"reason": "unmatched topic"})),
        (_, "phx_join") => Command::Subscribe { topic, after: None },
        (_, "ping") => answer(OK, payload),
        _ => answer(ERROR, json!({"reason": "unmatched event"})),
    };
    Ok(Said { command, memory })
}

fn confirm(command: &Command, memory: &Value) -> Vec<String> {
    let mut told = vec![reply(memory, OK, json!({}))];
    if let Command::Unsubscribe { .. } = command {
        told.push(closed(memory));
    }
    told
}

/// A refusal is the answer to a join; of what was joined it is the end.
fn refuse(refusal: &Refusal, memory: &Value) -> String {
    if memory["is_joined"] == true {
        return closed(memory);
    }
    reply(memory, ERROR, json!({"reason": refusal.code, "message": refusal.message}))
}

fn reply(memory: &Value, status: &str, response: Value) -> String {
    let payload = json!({"status": status, "response": response});
    json!([memory["join_ref"], memory["ref"], memory["topic"], "phx_reply", payload]).to_string()
}

fn closed(memory: &Value) -> String {
    json!([memory["join_ref"], memory["join_ref"], memory["topic"], "phx_close", {}]).to_string()
}

/// What is remembered beside the names of a topic is the title of the song, whether it is ready and the job done, and
/// whether that was told.
fn write(piece: &Piece, memory: &mut Value) -> Vec<String> {
    let nothing = Value::Null;
    let (job, track) = match piece {
        Piece::Snapshot { data, .. } => (&data["job"], &data["track"]),
        Piece::Event { kind, payload, .. } if kind == "job" => (payload, &nothing),
        Piece::Event { payload, .. } => (&nothing, payload),
    };
    memory["is_joined"] = json!(true);
    if track.is_object() {
        memory["title"] = track["title"].clone();
        memory["is_ready"] = json!(track["status"] == "ready");
    }
    let mut events = Vec::new();
    if job.is_object() {
        let status = job["state"].as_str().and_then(|state| state.parse::<JobState>().ok()).map(work::status);
        memory["track_id"] = job["track"].clone();
        memory["is_done"] = json!(status == Some("completed"));
        events.extend(told_of(job, status.unwrap_or_default(), &memory["title"]));
    }
    let is_complete = memory["is_ready"] == true && memory["is_done"] == true;
    if is_complete && memory["is_told"] != true {
        memory["is_told"] = json!(true);
        let track = json!({"track_id": memory["track_id"], "track_title": memory["title"]});
        events.push(("pipeline:complete", track));
    }
    let message =
        |(event, payload)| json!([memory["join_ref"], null, memory["topic"], event, payload]).to_string();
    events.into_iter().map(message).collect()
}

fn told_of(job: &Value, status: &str, title: &Value) -> Vec<(&'static str, Value)> {
    let event = match status {
        "completed" => "job:completed",
        "failed" => "job:failed",
        _ => "job:progress",
    };
    let mut payload = json!({
        "job_id": job["id"], "job_type": job["kind"], "track_id": job["track"], "status": status,
        "progress": job["progress"], "message": job["stage"],
    });
    if status == "failed" {
        payload["error"] = job["error"].clone();
    }
    let mut events = vec![(event, payload)];
    let (stage, running) = match job["kind"].as_str().unwrap_or_default() {
        "download" => ("download", "downloading"),
        "separate" => ("processing", "processing"),
        "analyze" | "cues" | "chords" | "midi" => ("analysis", "analyzing"),
        _ => return events,
    };
    if job["track"].is_string() {
        let status = if status == "processing" { running } else { status };
        let progress = json!({
            "track_id": job["track"], "track_title": title, "stage": stage, "status": status,
            "progress": job["progress"],
        });
        events.push(("pipeline:progress", progress));
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_message_is_refused() {
        for text in [
            "",
            "x",
            "7",
            "{}",
            "[]",
            "[null, null, \"jobs:x\", \"phx_join\"]",
            "[1, 2, \"jobs:x\", \"phx_join\", {}]",
            "[null, null, null, \"phx_join\", {}]",
            "[null, null, \"jobs:x\", \"phx_join\", {}, 7]",
        ] {
            assert!(read(text).is_err_and(|error| error.contains("join_ref")), "{text}");
        }
    }

    #[test]
    fn a_song_is_complete_once_and_after_its_job() {
        let piece = |kind: &str, payload: Value| Piece::Event {
            topic: String::new(),
            seq: 1,
            kind: kind.to_owned(),
            payload,
        };
        let mut memory = json!({"join_ref": "1", "ref": "2", "topic": "jobs:x"});
        let mut told = |kind: &str, payload: Value| -> Vec<String> {
            let messages = write(&piece(kind, payload), &mut memory);
            let messages = messages.iter().map(|text| serde_json::from_str::<Value>(text).unwrap());
            messages.map(|message| message[3].as_str().unwrap().to_owned()).collect()
        };
        let track = |status: &str| json!({"id": "t", "title": "Song", "status": status});
        let job = |state: &str| json!({"id": "j", "kind": "separate", "track": "t", "state": state, "progress": 7, "stage": ""});
        assert!(told("track", track("ready")).is_empty(), "as it was before");
        assert!(told("track", track("working")).is_empty());
        assert_eq!(told("job", job("executing")), ["job:progress", "pipeline:progress"]);
        assert!(told("track", track("ready")).is_empty(), "its job is told of next");
        assert_eq!(
            told("job", job("completed")),
            ["job:completed", "pipeline:progress", "pipeline:complete"]
        );
        assert!(told("track", track("ready")).is_empty(), "somebody renames it");
    }
}
