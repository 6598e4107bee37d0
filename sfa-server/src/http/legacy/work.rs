//! Work on songs, as all older dialects ask for it: which song, with what, and how far it is.

use serde_json::{Map, Value, json};
use sfa_core::DEMUCS;
use sfa_core::library::{Job, JobQuery, JobState, LibraryErrorKind, LibraryStem, Step, Track, TrackId};

use super::failure::{bad_request, not_found};
use crate::http::App;
use crate::http::auth::Caller;
use crate::http::content::percent_encoded;
use crate::http::error::{ApiError, ApiResult};
use crate::http::resources::make_sure_of_step;

/// The text of a field that has to be there.
pub(super) fn text<'a>(body: &'a Value, name: &str) -> ApiResult<&'a str> {
    let text = body.get(name).and_then(Value::as_str).map(str::trim).unwrap_or_default();
    if text.is_empty() { Err(bad_request(format!("{name} is required"))) } else { Ok(text) }
}

/// Where a file is, on this server.
pub(super) fn path_of(hash: &str, name: &str) -> String {
    format!("/files/{hash}/{}", percent_encoded(name))
}

/// The caller's song of this id.
pub(super) async fn track(app: &App, caller: &Caller, id: &str) -> ApiResult<Track> {
    let id: TrackId = id.parse().map_err(|_| not_found("Track"))?;
    app.library.rows().track(caller.scope(), id).await.map_err(|error| named(error, "Track"))
}

/// The caller's song with this file, by the path that an answer of ours said.
pub(super) async fn track_with_file(app: &App, caller: &Caller, path: &str) -> ApiResult<TrackId> {
    let hash = path.trim_start_matches("/api/v1").trim_start_matches("/files/").split('/').next();
    let found = app.library.rows().track_of_blob(caller.scope(), hash.unwrap_or_default()).await?;
    found.ok_or_else(|| bad_request(format!("File not found: {path}")))
}

/// The caller's job of this id, if it does this step.
pub(super) async fn job(app: &App, caller: &Caller, id: &str, step: Step) -> ApiResult<Job> {
    let id = id.parse().map_err(|_| not_found("Job"))?;
    let job = app.library.rows().job(caller.scope(), id).await.map_err(|error| named(error, "Job"))?;
    if job.kind == step.name() { Ok(job) } else { Err(not_found("Job")) }
}

/// The newest job that does this step to a song.
pub(super) async fn last_job(
    app: &App,
    caller: &Caller,
    track: TrackId,
    step: Step,
) -> ApiResult<Option<Job>> {
    let query = JobQuery { track: Some(track), ..JobQuery::default() };
    let jobs = app.library.rows().jobs(caller.scope(), &query).await?;
    Ok(jobs.into_iter().find(|job| job.kind == step.name()))
}

fn named(error: sfa_core::library::LibraryError, what: &str) -> ApiError {
    if error.kind() == LibraryErrorKind::NotFound { not_found(what) } else { error.into() }
}

/// Asks for stems: by this model, and these stems alone, where that is said.
pub(super) async fn separate(
    app: &App,
    caller: &Caller,
    track: TrackId,
    model: Option<&str>,
    stems: Option<&[&str]>,
) -> ApiResult<Job> {
    let mut settings = Map::new();
    if let Some(model) = model {
        settings.insert("engine".to_owned(), json!(DEMUCS));
        settings.insert("model".to_owned(), json!(model));
    }
    if let Some(stems) = stems {
        settings.insert("stems".to_owned(), json!({"only": stems}));
    }
    begin(app, caller, track, Step::Separate, settings).await
}

/// Asks for an analysis that has what `kind` asks for, and what the settings of the user do.
pub(super) async fn analyze(app: &App, caller: &Caller, track: TrackId, kind: &str) -> ApiResult<Job> {
    let more: &[&str] = match kind {
        "full" => &["rhythm", "key", "loudness", "energy", "form", "spectral", "mfcc", "chroma"],
        "tempo" => &["rhythm"],
        "key" => &["key"],
        "spectral" => &["spectral"],
        "energy" => &["energy", "loudness"],
        "structure" => &["rhythm", "form", "chroma"],
        "loops" => &["rhythm", "form"],
        "arrangement" => &["rhythm", "energy", "form"],
        _ => {
            let message = format!(
                "Invalid type {kind:?}: there are full, tempo, key, spectral, energy, structure, loops, arrangement"
            );
            return Err(bad_request(message));
        }
    };
    let settings = serde_json::to_value(app.library.settings(caller.scope()).await?)
        .map_err(|error| ApiError::internal(error.to_string()))?;
    let mut features = settings["features"].as_array().cloned().unwrap_or_default();
    for feature in more.iter().map(|feature| json!(feature)) {
        if !features.contains(&feature) {
            features.push(feature);
        }
    }
    begin(app, caller, track, Step::Analyze, Map::from_iter([("features".to_owned(), json!(features))])).await
}

async fn begin(
    app: &App,
    caller: &Caller,
    track: TrackId,
    step: Step,
    settings: Map<String, Value>,
) -> ApiResult<Job> {
    make_sure_of_step(caller, step.name())?;
    let asked = app.library.process_with(caller.scope(), track, step, settings).await;
    let job = asked.map_err(|error| match error.kind() {
        LibraryErrorKind::Invalid => bad_request(error.to_string()),
        _ => named(error, "Track"),
    })?;
    Ok(app.library.rows().job(caller.scope(), job.id()).await?)
}

/// The word for a state.
pub(super) fn status(state: JobState) -> &'static str {
    match state {
        JobState::Available | JobState::Scheduled | JobState::Retryable => "queued",
        JobState::Executing => "processing",
        JobState::Completed => "completed",
        JobState::Cancelled | JobState::Discarded => "failed",
    }
}

/// The model that a separation was asked for with.
pub(super) fn model(job: &Job) -> String {
    job.args["settings"]["model"].as_str().unwrap_or(sfa_core::AUTO).to_owned()
}

/// The stems of a song.
pub(super) async fn stems(app: &App, caller: &Caller, track: TrackId) -> ApiResult<Vec<Value>> {
    let shown = |stem: LibraryStem| {
        json!({
            "id": stem.blob.hash, "stem_type": stem.kind, "file_size": stem.blob.size_bytes, "source": "local",
            "file_path": path_of(&stem.blob.hash, &stem.file_name),
        })
    };
    Ok(app.library.rows().stems(caller.scope(), track).await?.into_iter().map(shown).collect())
}

/// What was measured of a song; null until something was.
pub(super) async fn results(app: &App, caller: &Caller, track: TrackId) -> ApiResult<Value> {
    let document = app.library.rows().analysis(caller.scope(), track).await?;
    document.map_or(Ok(Value::Null), |document| {
        serde_json::from_str(&document).map_err(|error| ApiError::internal(error.to_string()))
    })
}
