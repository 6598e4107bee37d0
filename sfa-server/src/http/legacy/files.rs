//! Files, and other addresses that browsers open.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use sfa_core::library::{ExportFile, LibraryErrorKind, Scope, Step};
use tokio::io::AsyncReadExt as _;
use utoipa::IntoParams;

use super::failure::{missing, not_found};
use super::work;
use crate::http::App;
use crate::http::answer::{At, Query};
use crate::http::auth::Caller;
use crate::http::content::{self, Shown};
use crate::http::error::{ApiError, ApiResult};
use crate::http::now_ms;

const CHUNK_BYTES: usize = 128 << 10;
/// The longest name of a file that is saved.
const MOST_CHARACTERS: usize = 100;
const DRUMS: &str = "drums.mid";

/// A name with letters, digits, spaces, dashes and dots alone.
fn plain(name: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '.' | '_');
    name.chars().filter(|&letter| is_plain(letter)).take(MOST_CHARACTERS).collect()
}

/// Save a stem
///
/// By its id, which is the hash of its file.
#[utoipa::path(get, path = "/export/stem/{id}", tag = "files", params(("id" = String, Path)), responses(
    (status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream")
))]
pub(super) async fn stem(
    State(app): State<App>,
    caller: Caller,
    At(id): At<String>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let (scope, rows) = (caller.scope(), app.library.rows());
    for (_, track) in rows.tracks_with_blob(&id).await?.into_iter().filter(|(owner, _)| *owner == scope) {
        if let Some(stem) = rows.stems(scope, track).await?.into_iter().find(|stem| stem.blob.hash == id) {
            let title = rows.track(scope, track).await?.title;
            let ending = stem.file_name.rsplit_once('.').map_or("", |(_, ending)| ending);
            let name = format!("{} - {}.{ending}", plain(&title), stem.kind);
            return content::answer(&app, &id, Shown::SavedAs(&name), &headers).await;
        }
    }
    Err(not_found("Stem"))
}

/// Save all stems of a song
#[utoipa::path(get, path = "/export/stems/{track_id}", tag = "files", params(("track_id" = String, Path)), responses(
    (status = 200, description = "A ZIP", body = Vec<u8>, content_type = "application/zip")
))]
pub(super) async fn stems(
    State(app): State<App>,
    caller: Caller,
    At(track): At<String>,
) -> ApiResult<Response> {
    let track = work::track(&app, &caller, &track).await?;
    let archive = app.library.stems_archive(caller.scope(), track.id).await;
    let file = archive.map_err(|error| match error.kind() {
        LibraryErrorKind::NotFound => not_found("Stems"),
        _ => error.into(),
    })?;
    let name = format!("{}_stems.zip", plain(&track.title));
    let body = stream::try_unfold(tokio::fs::File::from_std(file), async |mut file| {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        let read = (&mut file).take(CHUNK_BYTES as u64).read_to_end(&mut chunk).await?;
        std::io::Result::Ok((read > 0).then(|| (Bytes::from(chunk), file)))
    });
    Response::builder()
        .header(header::CONTENT_TYPE, "application/zip")
        .header(header::CONTENT_DISPOSITION, content::disposition(&name, true))
        .body(Body::from_stream(body))
        .map_err(|error| ApiError::internal(error.to_string()))
}

/// Save what was measured of a song
#[utoipa::path(get, path = "/export/analysis/{track_id}", tag = "files", params(("track_id" = String, Path)), responses(
    (status = 200, description = "Song and analysis", body = Object)
))]
pub(super) async fn analysis(
    State(app): State<App>,
    caller: Caller,
    At(track): At<String>,
) -> ApiResult<([(header::HeaderName, String); 1], Json<Value>)> {
    let track = work::track(&app, &caller, &track).await?;
    let features = work::results(&app, &caller, track.id).await?;
    if features.is_null() {
        return Err(not_found("Analysis"));
    }
    let summary = track.analysis.as_ref();
    let answer = json!({
        "track": {
            "id": track.id, "title": track.title, "artist": track.artist, "album": track.album,
            "duration_ms": track.duration_ms,
        },
        "analysis": {
            "tempo": summary.and_then(|summary| summary.bpm), "key": summary.and_then(|summary| summary.key.clone()),
            "energy": summary.and_then(|summary| summary.energy), "features": features,
        },
        "exported_at": now_ms(),
    });
    let name = format!("{}_analysis.json", plain(&track.title));
    Ok(([(header::CONTENT_DISPOSITION, content::disposition(&name, true))], Json(answer)))
}

/// Whose notes.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct NotesQuery {
    /// The stem that plays them. Default: the first that is no drum.
    stem: Option<String>,
}

/// Save the notes of a song
#[utoipa::path(get, path = "/export/midi/{track_id}", tag = "files", params(("track_id" = String, Path), NotesQuery),
    responses((status = 200, description = "A MIDI file", body = Vec<u8>, content_type = "audio/midi"))
)]
pub(super) async fn notes(
    State(app): State<App>,
    caller: Caller,
    At(track): At<String>,
    Query(query): Query<NotesQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let track = work::track(&app, &caller, &track).await?;
    let files = midi_files(&app, caller.scope(), track.id).await?;
    let wanted = query.stem.map(|stem| format!("{stem}.mid"));
    let file = files.iter().find(|file| match &wanted {
        Some(name) => file.name == *name,
        None => file.name != DRUMS,
    });
    let file = file.ok_or_else(|| {
        let message =
            "MIDI not found: add midi to the steps in the settings, and process the song from there";
        ApiError::new(StatusCode::NOT_FOUND, "not_found", message)
    })?;
    let name = format!("{} - {}", plain(&track.title), file.name);
    content::answer(&app, &file.blob.hash, Shown::SavedAs(&name), &headers).await
}

/// Save the drums of a song as notes
#[utoipa::path(get, path = "/files/midi/{track_id}", tag = "files", params(("track_id" = String, Path)), responses(
    (status = 200, description = "A MIDI file", body = Vec<u8>, content_type = "audio/midi")
))]
pub(super) async fn drum_notes(
    State(app): State<App>,
    caller: Caller,
    At(track): At<String>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let track = work::track(&app, &caller, &track).await?;
    let files = midi_files(&app, caller.scope(), track.id).await?;
    let file = files.iter().find(|file| file.name == DRUMS).ok_or_else(|| {
        ApiError::invalid("no drums are known of this song: separate it, and process it from the step midi")
    })?;
    let name = format!("{}_drums.mid", plain(&track.title));
    content::answer(&app, &file.blob.hash, Shown::SavedAs(&name), &headers).await
}

async fn midi_files(
    app: &App,
    scope: Scope,
    track: sfa_core::library::TrackId,
) -> ApiResult<Vec<ExportFile>> {
    let files = app.library.rows().exports(scope, track).await?;
    Ok(files.into_iter().filter(|file| file.step == Step::Midi).collect())
}

/// Read a file by the path that other answers say
#[utoipa::path(get, path = "/files/{hash}/{name}", tag = "files",
    params(("hash" = String, Path), ("name" = String, Path)),
    responses((status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream"))
)]
pub(super) async fn file(
    State(app): State<App>,
    caller: Caller,
    At((hash, name)): At<(String, String)>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    app.library.make_sure_of_content(caller.scope(), &hash).await?;
    content::answer(&app, &hash, Shown::InPlace(&name), &headers).await
}

/// Save a set of loops
#[utoipa::path(get, path = "/alchemy/{id}/download", tag = "files", params(("id" = String, Path)), responses(
    (status = 501, description = "Sets are not made here", body = Object)
))]
pub(super) async fn set(At(_): At<String>) -> ApiResult<Json<Value>> {
    Err(missing("the maker of sets", "the stems of a song are a ZIP at /export/stems/{track_id}"))
}

/// Nothing, for browsers that look whether there is something
#[utoipa::path(get, path = "/.well-known/{*path}", tag = "files", params(("path" = String, Path)), responses(
    (status = 204, description = "Nothing")
))]
pub(super) async fn well_known() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Connect the account with Spotify
#[utoipa::path(get, path = "/auth/spotify", tag = "files", responses(
    (status = 501, description = "There is no connection to Spotify here", body = Object)
))]
pub(super) async fn link_spotify() -> ApiResult<Json<Value>> {
    Err(missing("Spotify", "upload songs with POST /api/v1/tracks"))
}

/// Where Spotify sends browsers to afterwards
#[utoipa::path(get, path = "/auth/spotify/callback", tag = "files", responses(
    (status = 501, description = "There is no connection to Spotify here", body = Object)
))]
pub(super) async fn spotify_linked() -> ApiResult<Json<Value>> {
    Err(missing("Spotify", "upload songs with POST /api/v1/tracks"))
}
