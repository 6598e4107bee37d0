//! JSON as the very first program answers it: `trackId`, `jobId`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};
use sfa_core::library::{Job, Step};

use super::failure::{bad_request, missing};
use super::work;
use crate::http::App;
use crate::http::answer::{At, Body};
use crate::http::auth::Caller;
use crate::http::error::ApiResult;

/// Stems, by the options that ask for them.
const EXTRACTED: [(&str, &str); 4] = [
    ("extractVocals", "vocals"),
    ("extractDrums", "drums"),
    ("extractBass", "bass"),
    ("extractOther", "other"),
];

fn shown(job: &Job) -> Value {
    json!({
        "jobId": job.id, "trackId": job.track, "status": work::status(job.state), "progress": job.progress,
        "error": job.error,
    })
}

/// Where accounts are kept
#[utoipa::path(get, path = "/api/config", tag = "node", responses(
    (status = 501, description = "Here, not in another service", body = Object)
))]
pub(super) async fn config() -> ApiResult<Json<Value>> {
    Err(missing("Supabase", "accounts are the server's own: sign in with POST /api/v1/login"))
}

/// Show the download of a song
#[utoipa::path(get, path = "/api/download/track/{id}", tag = "node", params(("id" = String, Path)), responses(
    (status = 200, description = "Done, since the song was uploaded", body = Object)
))]
pub(super) async fn downloaded(
    State(app): State<App>,
    caller: Caller,
    At(id): At<String>,
) -> ApiResult<Json<Value>> {
    let track = work::track(&app, &caller, &id).await?;
    Ok(Json(json!({
        "jobId": track.id, "trackId": track.id, "status": "completed", "progress": 100,
        "filePath": work::path_of(&track.blob, &track.file_name),
    })))
}

/// Separate a song into stems
#[utoipa::path(post, path = "/api/process/separate", tag = "node", request_body = Object, responses(
    (status = 201, description = "The work waits in the queue", body = Object)
))]
pub(super) async fn separate(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<Value>,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let track = work::track(&app, &caller, work::text(&body, "trackId")?).await?.id;
    let options = &body["options"];
    let wanted: Vec<&str> = EXTRACTED
        .into_iter()
        .filter(|(option, _)| options[option].as_bool().unwrap_or(true))
        .map(|(_, stem)| stem)
        .collect();
    if wanted.is_empty() {
        return Err(bad_request("options ask for no stem"));
    }
    let stems = (wanted.len() < EXTRACTED.len()).then_some(wanted.as_slice());
    let job = work::separate(&app, &caller, track, options["model"].as_str(), stems).await?;
    Ok((StatusCode::CREATED, Json(shown(&job))))
}

/// Show a separation
#[utoipa::path(get, path = "/api/process/job/{id}", tag = "node", params(("id" = String, Path)), responses(
    (status = 200, description = "The job", body = Object)
))]
pub(super) async fn separation(
    State(app): State<App>,
    caller: Caller,
    At(id): At<String>,
) -> ApiResult<Json<Value>> {
    Ok(Json(shown(&work::job(&app, &caller, &id, Step::Separate).await?)))
}

/// Show the stems of a song
#[utoipa::path(get, path = "/api/process/track/{id}", tag = "node", params(("id" = String, Path)), responses(
    (status = 200, description = "How far the last separation is, and the stems", body = Object)
))]
pub(super) async fn separated(
    State(app): State<App>,
    caller: Caller,
    At(id): At<String>,
) -> ApiResult<Json<Value>> {
    let track = work::track(&app, &caller, &id).await?.id;
    let mut answer = last(&app, &caller, track, Step::Separate).await?;
    answer["stems"] = json!(work::stems(&app, &caller, track).await?);
    Ok(Json(answer))
}

/// Analyze a song
#[utoipa::path(post, path = "/api/analyze/analyze", tag = "node", request_body = Object, responses(
    (status = 201, description = "The work waits in the queue", body = Object)
))]
pub(super) async fn analyze(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<Value>,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let track = work::track(&app, &caller, work::text(&body, "trackId")?).await?.id;
    let job = work::analyze(&app, &caller, track, "full").await?;
    Ok((StatusCode::CREATED, Json(shown(&job))))
}

/// Show an analysis
#[utoipa::path(get, path = "/api/analyze/job/{id}", tag = "node", params(("id" = String, Path)), responses(
    (status = 200, description = "The job", body = Object)
))]
pub(super) async fn analysis(
    State(app): State<App>,
    caller: Caller,
    At(id): At<String>,
) -> ApiResult<Json<Value>> {
    Ok(Json(shown(&work::job(&app, &caller, &id, Step::Analyze).await?)))
}

/// Show what was measured of a song
#[utoipa::path(get, path = "/api/analyze/track/{id}", tag = "node", params(("id" = String, Path)), responses(
    (status = 200, description = "How far the last analysis is, and what is known", body = Object)
))]
pub(super) async fn analyzed(
    State(app): State<App>,
    caller: Caller,
    At(id): At<String>,
) -> ApiResult<Json<Value>> {
    let track = work::track(&app, &caller, &id).await?.id;
    let mut answer = last(&app, &caller, track, Step::Analyze).await?;
    answer["results"] = work::results(&app, &caller, track).await?;
    Ok(Json(answer))
}

/// The newest job of a step, or that there was none.
async fn last(app: &App, caller: &Caller, track: sfa_core::library::TrackId, step: Step) -> ApiResult<Value> {
    Ok(match work::last_job(app, caller, track, step).await? {
        Some(job) => shown(&job),
        None => json!({"jobId": null, "trackId": track, "status": "none", "progress": 0, "error": null}),
    })
}
