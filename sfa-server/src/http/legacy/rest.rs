//! JSON as the application before this one answers it: `{success: true, …}`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};
use sfa_core::library::Step;

use super::failure::{bad_request, missing, not_found};
use super::work;
use crate::http::App;
use crate::http::answer::{At, Body};
use crate::http::auth::Caller;
use crate::http::error::ApiResult;
use crate::http::resources::looked_up;

const UPLOAD: &str = "upload the file with POST /api/v1/tracks";

/// An address of Spotify's that names a track, an album or a playlist.
fn make_sure_of_spotify(url: &str) -> ApiResult<()> {
    let rest = url.trim_start_matches("https://").trim_start_matches("http://");
    let mut parts = rest.trim_start_matches("open.spotify.com/").split(['/', '?']);
    let kind = parts.find(|part| !part.starts_with("intl-")).unwrap_or_default();
    let id = parts.next().unwrap_or_default();
    let is_link = rest.starts_with("open.spotify.com/")
        && matches!(kind, "track" | "album" | "playlist")
        && !id.is_empty()
        && id.bytes().all(|letter| letter.is_ascii_alphanumeric());
    if is_link { Ok(()) } else { Err(bad_request("Invalid Spotify URL")) }
}

/// Read what Spotify knows of an address
#[utoipa::path(post, path = "/api/spotify/fetch", tag = "rest", request_body = Object, responses(
    (status = 501, description = "There is no connection to Spotify here", body = Object)
))]
pub(super) async fn fetch_from_spotify(Body(body): Body<Value>) -> ApiResult<Json<Value>> {
    make_sure_of_spotify(work::text(&body, "url")?)?;
    Err(missing("Spotify", UPLOAD))
}

/// Download a song
#[utoipa::path(post, path = "/api/download/track", tag = "rest", request_body = Object, responses(
    (status = 501, description = "Songs are not downloaded here", body = Object)
))]
pub(super) async fn download(Body(body): Body<Value>) -> ApiResult<Json<Value>> {
    let name = if body.get("spotifyUrl").is_some() { "spotifyUrl" } else { "url" };
    make_sure_of_spotify(work::text(&body, name)?)?;
    Err(missing("downloading songs", UPLOAD))
}

/// Show a download
///
/// A song that was uploaded has one that is done, by the id of the song.
#[utoipa::path(get, path = "/api/download/job/{id}", tag = "rest", params(("id" = String, Path)), responses(
    (status = 200, description = "The download", body = Object)
))]
pub(super) async fn download_job(
    State(app): State<App>,
    caller: Caller,
    At(id): At<String>,
) -> ApiResult<Json<Value>> {
    let track = work::track(&app, &caller, &id).await.map_err(|error| match error.status {
        StatusCode::NOT_FOUND => not_found("Job"),
        _ => error,
    })?;
    let result = json!({"file_path": work::path_of(&track.blob, &track.file_name)});
    Ok(Json(json!({
        "success": true, "job_id": track.id, "status": "completed", "progress": 100, "result": result,
    })))
}

/// List the models that separate
#[utoipa::path(get, path = "/api/processing/models", tag = "rest", responses(
    (status = 200, description = "All that are known", body = Object)
))]
pub(super) async fn models(State(app): State<App>) -> ApiResult<Json<Value>> {
    let models = looked_up(move || app.library.studio().models().map(|store| store.status())).await?;
    let models = models.map_err(|error| crate::http::error::ApiError::internal(error.to_string()))?;
    let models: Vec<Value> = models
        .into_iter()
        .map(|model| {
            let stems: Vec<&str> = model.stems.iter().map(|stem| stem.name()).collect();
            json!({"name": model.name, "description": model.description, "stems": stems})
        })
        .collect();
    Ok(Json(json!({"success": true, "models": models})))
}

/// The song that a request is about: by its id, or by the path of its file.
async fn track_of(app: &App, caller: &Caller, body: &Value) -> ApiResult<sfa_core::library::TrackId> {
    match body.get("track_id").and_then(Value::as_str) {
        Some(id) => Ok(work::track(app, caller, id).await?.id),
        None => work::track_with_file(app, caller, work::text(body, "file_path")?).await,
    }
}

/// Separate a song into stems
#[utoipa::path(post, path = "/api/processing/separate", tag = "rest", request_body = Object, responses(
    (status = 201, description = "The work waits in the queue", body = Object)
))]
pub(super) async fn separate(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<Value>,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let track = track_of(&app, &caller, &body).await?;
    let job = work::separate(&app, &caller, track, body["model"].as_str(), None).await?;
    let status = work::status(job.state);
    let answer = json!({"success": true, "job_id": job.id, "status": status, "model": work::model(&job)});
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Show a separation
#[utoipa::path(get, path = "/api/processing/job/{id}", tag = "rest", params(("id" = String, Path)), responses(
    (status = 200, description = "The job, and the stems of its song", body = Object)
))]
pub(super) async fn separation(
    State(app): State<App>,
    caller: Caller,
    At(id): At<String>,
) -> ApiResult<Json<Value>> {
    let job = work::job(&app, &caller, &id, Step::Separate).await?;
    let stems = match job.track.filter(|_| work::status(job.state) == "completed") {
        Some(track) => work::stems(&app, &caller, track).await?,
        None => Vec::new(),
    };
    Ok(Json(json!({
        "success": true, "job_id": job.id, "status": work::status(job.state), "progress": job.progress,
        "model": work::model(&job), "result": {"track_id": job.track, "stems": stems, "error": job.error},
    })))
}

/// Analyze a song
///
/// What the settings of the user ask for is measured as well.
#[utoipa::path(post, path = "/api/analysis/analyze", tag = "rest", request_body = Object, responses(
    (status = 201, description = "The work waits in the queue", body = Object)
))]
pub(super) async fn analyze(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<Value>,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let track = track_of(&app, &caller, &body).await?;
    let kind = body["type"].as_str().unwrap_or("full");
    let job = work::analyze(&app, &caller, track, kind).await?;
    let status = work::status(job.state);
    let answer = json!({"success": true, "job_id": job.id, "status": status, "type": kind});
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Show an analysis
#[utoipa::path(get, path = "/api/analysis/job/{id}", tag = "rest", params(("id" = String, Path)), responses(
    (status = 200, description = "The job, and all that is known of its song", body = Object)
))]
pub(super) async fn analysis(
    State(app): State<App>,
    caller: Caller,
    At(id): At<String>,
) -> ApiResult<Json<Value>> {
    let job = work::job(&app, &caller, &id, Step::Analyze).await?;
    let result = match job.track.filter(|_| work::status(job.state) == "completed") {
        Some(track) => work::results(&app, &caller, track).await?,
        None => Value::Null,
    };
    Ok(Json(json!({
        "success": true, "job_id": job.id, "status": work::status(job.state), "progress": job.progress,
        "type": "full", "result": result,
    })))
}

/// Keep an edited stem
#[utoipa::path(post, path = "/api/daw/export", tag = "rest", responses(
    (status = 501, description = "Stems are not edited here yet", body = Object)
))]
pub(super) async fn keep_edit() -> ApiResult<Json<Value>> {
    Err(missing("the editor of stems", UPLOAD))
}

const HERE: &str = "songs are separated on this machine with POST /api/v1/tracks/{id}/process";

/// How much of the separation in the cloud is left
#[utoipa::path(get, path = "/api/lalalai/quota", tag = "rest", responses(
    (status = 501, description = "Nothing is separated in the cloud here", body = Object)
))]
pub(super) async fn cloud_quota() -> ApiResult<Json<Value>> {
    Err(missing("separation in the cloud", HERE))
}

/// Stop one separation in the cloud
#[utoipa::path(post, path = "/api/lalalai/cancel", tag = "rest", request_body = Object, responses(
    (status = 501, description = "Nothing is separated in the cloud here", body = Object)
))]
pub(super) async fn cancel_in_cloud() -> ApiResult<Json<Value>> {
    Err(missing("separation in the cloud", HERE))
}

/// Stop all separations in the cloud
#[utoipa::path(post, path = "/api/lalalai/cancel-all", tag = "rest", responses(
    (status = 501, description = "Nothing is separated in the cloud here", body = Object)
))]
pub(super) async fn cancel_all_in_cloud() -> ApiResult<Json<Value>> {
    Err(missing("separation in the cloud", HERE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_spotify_are_known() {
        for link in [
            "https://open.spotify.com/track/4uLU6hMCjMI75M1A2tKUQC?si=x",
            "open.spotify.com/intl-de/album/4uLU6hMCjMI75M1A2tKUQC",
            "http://open.spotify.com/playlist/37i9dQZF1DXcBWIGoYBM5M",
        ] {
            assert!(make_sure_of_spotify(link).is_ok(), "{link}");
        }
        for other in
            ["https://evil.example/track/1", "open.spotify.com/artist/1", "open.spotify.com/track/", "x"]
        {
            assert!(make_sure_of_spotify(other).is_err(), "{other}");
        }
    }
}
