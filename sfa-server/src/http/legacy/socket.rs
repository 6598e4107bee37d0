//! The socket of the very first program: `subscribe:track` with the id of a song, then
//! `processing:job:progress` and its like.
//!
//! A command is `{"event": "subscribe:track", "data": "ID"}`, where `type` is as good as `event`, `trackId` as `data`, and
//! an object with `trackId` as its text.

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};

use crate::http::App;
use crate::http::auth::Caller;
use crate::http::error::ApiResult;
use crate::http::resources::live::{Command, Language, Piece, Said, upgraded};

/// Where it is served; it is opened at "/".
pub(super) const PATH: &str = "/socket/track";
const TRACK: &str = "track:";

const LANGUAGE: Language = Language {
    read: |text| command(text).map(Said::from),
    confirm: |_, _| Vec::new(),
    write: |piece, _| messages(piece),
    refuse: |refusal, _| json!({"event": "error", "data": {"message": refusal.message}}).to_string(),
};

/// Follow songs, over a WebSocket
#[utoipa::path(get, path = "/socket/track", tag = "node", responses(
    (status = 101, description = "A WebSocket from here on")
))]
pub(super) async fn socket(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> ApiResult<Response> {
    upgraded(app, caller, &headers, upgrade, &LANGUAGE)
}

fn command(text: &str) -> Result<Command, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let named = |names: [&str; 3]| names.into_iter().find_map(|name| value.get(name));
    let event = named(["event", "type", "action"]).and_then(Value::as_str).unwrap_or_default();
    let data = named(["data", "trackId", "payload"]);
    let id = data.and_then(|data| data.as_str().or_else(|| data.get("trackId")?.as_str()));
    let id = id.ok_or("the id of a song is missing: data")?;
    let topic = format!("{TRACK}{id}");
    match event {
        "subscribe:track" => Ok(Command::Subscribe { topic, after: None }),
        "unsubscribe:track" => Ok(Command::Unsubscribe { topic }),
        other => Err(format!("there is no {other:?}; there are subscribe:track and unsubscribe:track")),
    }
}

/// How it is, as the newest job of each kind; then what happens to jobs.
fn messages(piece: &Piece) -> Vec<String> {
    match piece {
        Piece::Snapshot { data, .. } => {
            let track = &data["track"]["id"];
            let uploaded = json!({"jobId": track, "trackId": track, "status": "completed", "progress": 100});
            let mut told = vec![json!({"event": "download:job:completed", "data": uploaded}).to_string()];
            let mut kinds = Vec::new();
            for job in data["jobs"].as_array().into_iter().flatten() {
                let kind = job["kind"].as_str().unwrap_or_default();
                if kinds.contains(&kind) {
                    continue;
                }
                kinds.push(kind);
                let state = job["state"].as_str().unwrap_or_default();
                told.extend(message(kind, state, &job["id"], track, &job["progress"]));
            }
            told
        }
        Piece::Event { kind, payload, .. } => {
            let state = kind.strip_prefix("job.").unwrap_or_default();
            let job_kind = payload["job_kind"].as_str().unwrap_or_default();
            let progress = if state == "completed" { &json!(100) } else { &payload["progress"] };
            message(job_kind, state, &payload["job"], &payload["track"], progress).into_iter().collect()
        }
    }
}

fn message(kind: &str, state: &str, job: &Value, track: &Value, progress: &Value) -> Option<String> {
    let service = match kind {
        "separate" => "processing",
        "analyze" | "cues" | "chords" | "midi" => "analysis",
        _ => return None,
    };
    let (what, status) = match state {
        "available" | "scheduled" | "retryable" => ("created", "queued"),
        "executing" | "progress" => ("progress", "processing"),
        "completed" => ("completed", "completed"),
        "cancelled" | "discarded" => ("failed", "failed"),
        _ => return None,
    };
    let progress = progress.as_i64().unwrap_or(0);
    let data = json!({"jobId": job, "trackId": track, "status": status, "progress": progress});
    Some(json!({"event": format!("{service}:job:{what}"), "data": data}).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_understood_however_they_are_written() {
        for text in [
            r#"{"event": "subscribe:track", "data": "x"}"#,
            r#"{"type": "subscribe:track", "trackId": "x"}"#,
            r#"{"event": "subscribe:track", "data": {"trackId": "x"}}"#,
        ] {
            let Ok(Command::Subscribe { topic, after: None }) = command(text) else { panic!("{text}") };
            assert_eq!(topic, "track:x");
        }
        for (text, expected) in [
            ("x", "expected value"),
            ("7", "missing"),
            (r#"{"event": "subscribe:track"}"#, "missing"),
            (r#"{"event": "dance", "data": "x"}"#, "dance"),
        ] {
            let Err(error) = command(text) else { panic!("{text}") };
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
