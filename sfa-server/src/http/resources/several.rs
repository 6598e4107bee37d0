//! Several songs at once.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sfa_core::library::{BatchId, Change, Step, TrackId};
use utoipa::ToSchema;

use super::tracks::make_sure_of_step;
use crate::http::App;
use crate::http::answer::{Body, Data};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult};

const MOST_AT_ONCE: usize = 1000;

/// Several songs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Several {
    /// Up to 1000.
    #[schema(value_type = Vec<uuid::Uuid>)]
    track_ids: Vec<TrackId>,
}

/// Several songs, and where to begin.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ProcessSeveral {
    /// Up to 1000.
    #[schema(value_type = Vec<uuid::Uuid>)]
    track_ids: Vec<TrackId>,
    /// The first step to be done again; those after it follow.
    #[schema(value_type = String, pattern = "^(separate|analyze|cues|chords|midi|export)$", example = "analyze")]
    from: Step,
}

/// Work on several songs that was asked for.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct AcceptedBatch {
    #[schema(value_type = String, format = Uuid)]
    batch: BatchId,
}

/// Make something of several songs anew
///
/// All of them or none.
#[utoipa::path(post, path = "/api/v1/tracks/process", tag = "tracks", request_body = ProcessSeveral,
    responses((status = 202, description = "The work waits in the queue", body = Data<AcceptedBatch>))
)]
pub(in crate::http) async fn process(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<ProcessSeveral>,
) -> ApiResult<(StatusCode, Data<AcceptedBatch>)> {
    make_sure_of_step(&caller, body.from.name())?;
    make_sure_of_number(&body.track_ids)?;
    let name = body.from.name();
    let batch = app.library.process_all(caller.scope(), &body.track_ids, body.from, name).await?;
    Ok((StatusCode::ACCEPTED, Data { data: AcceptedBatch { batch } }))
}

/// Remove several songs with everything that was made of them
///
/// All of them or none.
#[utoipa::path(post, path = "/api/v1/tracks/remove", tag = "tracks", request_body = Several,
    responses((status = 204, description = "Removed"))
)]
pub(in crate::http) async fn remove(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<Several>,
) -> ApiResult<StatusCode> {
    make_sure_of_number(&body.track_ids)?;
    let changes = body.track_ids.into_iter().map(Change::RemoveTrack).collect();
    app.library.apply(caller.scope(), changes).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn make_sure_of_number(tracks: &[TrackId]) -> ApiResult<()> {
    if (1..=MOST_AT_ONCE).contains(&tracks.len()) {
        return Ok(());
    }
    Err(ApiError::invalid(format!("name 1 to {MOST_AT_ONCE} songs, not {}", tracks.len())))
}
