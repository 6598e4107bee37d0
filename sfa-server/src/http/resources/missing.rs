//! Songs some of whose files are gone from the storage.

use axum::extract::State;
use serde::Serialize;
use sfa_core::library::{MissingFiles, TrackId};
use utoipa::ToSchema;

use crate::http::App;
use crate::http::answer::Page;
use crate::http::auth::Caller;
use crate::http::error::ApiResult;

/// A song some of whose files are gone.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct MissingView {
    #[schema(value_type = String, format = Uuid)]
    track: TrackId,
    /// Whether the song itself is gone. Uploading the same file brings it back.
    is_song_gone: bool,
    /// How many stems and exports are gone. Processing the song makes them anew.
    results_gone: i64,
}

impl From<MissingFiles> for MissingView {
    fn from(missing: MissingFiles) -> Self {
        let MissingFiles { track, is_song_gone, results_gone } = missing;
        Self { track, is_song_gone, results_gone: i64::try_from(results_gone).unwrap_or(i64::MAX) }
    }
}

/// List songs of which files are gone
///
/// Gone from the storage without the library being told, such as by a disk that was changed: those that were not there when
/// they were asked for, or when the library was last tidied up or checked, which is each night at the latest.
#[utoipa::path(get, path = "/api/v1/tracks/missing", tag = "tracks", responses(
    (status = 200, description = "All of them", body = Page<MissingView>)
))]
pub(in crate::http) async fn list(State(app): State<App>, caller: Caller) -> ApiResult<Page<MissingView>> {
    let missing = app.library.missing_files(caller.scope()).await?;
    Ok(Page::whole(missing))
}
