//! Cues and loops of a song: those that were found, and those that its owner places.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sfa_core::library::{Change, CueId, LibraryCue, PlacedCue, TrackId};
use utoipa::ToSchema;

use crate::http::App;
use crate::http::answer::{At, Body, Data, Page};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult};

/// A place or a stretch of a song to jump to.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct CueView {
    #[schema(value_type = String, format = Uuid)]
    id: CueId,
    #[schema(example = "drop")]
    kind: String,
    label: String,
    start_ms: i64,
    /// Where a loop ends.
    end_ms: Option<i64>,
    #[schema(example = "#ff7b92")]
    colour: Option<String>,
    /// The hot cue that it is, 0 (A) to 7 (H); no two of a song are the same.
    pad: Option<u8>,
    /// How sure the analysis was, 0 to 1.
    confidence: Option<f64>,
    /// Whether the analysis placed it; a new analysis replaces it then.
    is_automatic: bool,
}

impl From<LibraryCue> for CueView {
    fn from(cue: LibraryCue) -> Self {
        let LibraryCue { id, kind, label, start_ms, end_ms, colour, pad, confidence, is_automatic } = cue;
        Self { id, kind, label, start_ms, end_ms, colour, pad, confidence, is_automatic }
    }
}

/// A cue or a loop as it is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct PlaceCue {
    /// What is there. Default: "own", or "loop" with an end; nothing else has an end.
    #[schema(pattern = "^(own|load|section|drop|build_up|breakdown|mix_out|loop)$", example = "own")]
    kind: Option<String>,
    #[serde(default)]
    #[schema(max_length = 100)]
    label: String,
    /// Where it is, or begins: within the song.
    #[schema(minimum = 0)]
    start_ms: i64,
    /// Where a loop ends: after it begins, within the song.
    end_ms: Option<i64>,
    #[schema(pattern = "^#[0-9A-Fa-f]{6}$", example = "#ff7b92")]
    colour: Option<String>,
    /// The hot cue that it is, 0 (A) to 7 (H). An automatic cue that has the pad gives way.
    #[schema(minimum = 0, maximum = 7)]
    pad: Option<u8>,
}

impl From<PlaceCue> for PlacedCue {
    fn from(cue: PlaceCue) -> Self {
        let PlaceCue { kind, label, start_ms, end_ms, colour, pad } = cue;
        let usual = if end_ms.is_some() { "loop" } else { "own" };
        Self { kind: kind.unwrap_or_else(|| usual.to_owned()), label, start_ms, end_ms, colour, pad }
    }
}

/// List the cues and loops of a song
#[utoipa::path(get, path = "/api/v1/tracks/{id}/cues", tag = "tracks",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "In order of time", body = Page<CueView>))
)]
pub(in crate::http) async fn list(
    State(app): State<App>,
    caller: Caller,
    At(id): At<TrackId>,
) -> ApiResult<Page<CueView>> {
    let rows = app.library.rows();
    rows.track(caller.scope(), id).await?;
    Ok(Page::whole(rows.cues(caller.scope(), id).await?))
}

/// Place a cue or a loop
///
/// It is there until it is removed, whatever is analysed anew. Packages hold it at once, the song's own files for other
/// programs when they are made anew.
#[utoipa::path(post, path = "/api/v1/tracks/{id}/cues", tag = "tracks", request_body = PlaceCue,
    params(("id" = String, Path, format = Uuid)),
    responses((status = 201, description = "Placed", body = Data<CueView>))
)]
pub(in crate::http) async fn place(
    State(app): State<App>,
    caller: Caller,
    At(track): At<TrackId>,
    Body(body): Body<PlaceCue>,
) -> ApiResult<(StatusCode, Data<CueView>)> {
    let id = CueId::random();
    app.library.apply(caller.scope(), vec![Change::AddCue(track, id, body.into())]).await?;
    Ok((StatusCode::CREATED, one(&app, &caller, track, id).await?))
}

/// Make a cue or a loop what it is to be
///
/// One that the analysis placed is its owner's from then on.
#[utoipa::path(put, path = "/api/v1/tracks/{id}/cues/{cue}", tag = "tracks", request_body = PlaceCue,
    params(("id" = String, Path, format = Uuid), ("cue" = String, Path, format = Uuid)),
    responses((status = 200, description = "Changed", body = Data<CueView>))
)]
pub(in crate::http) async fn set(
    State(app): State<App>,
    caller: Caller,
    At((track, id)): At<(TrackId, CueId)>,
    Body(body): Body<PlaceCue>,
) -> ApiResult<Data<CueView>> {
    app.library.apply(caller.scope(), vec![Change::SetCue(track, id, body.into())]).await?;
    one(&app, &caller, track, id).await
}

/// Remove a cue or a loop
///
/// One that the analysis placed comes again when cues are made anew.
#[utoipa::path(delete, path = "/api/v1/tracks/{id}/cues/{cue}", tag = "tracks",
    params(("id" = String, Path, format = Uuid), ("cue" = String, Path, format = Uuid)),
    responses((status = 204, description = "Removed"))
)]
pub(in crate::http) async fn remove(
    State(app): State<App>,
    caller: Caller,
    At((track, id)): At<(TrackId, CueId)>,
) -> ApiResult<StatusCode> {
    app.library.apply(caller.scope(), vec![Change::RemoveCue(track, id)]).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn one(app: &App, caller: &Caller, track: TrackId, id: CueId) -> ApiResult<Data<CueView>> {
    let cues = app.library.rows().cues(caller.scope(), track).await?;
    let cue = cues.into_iter().find(|cue| cue.id == id).ok_or_else(ApiError::not_found)?;
    Ok(Data { data: cue.into() })
}
