//! Playlists.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sfa_core::library::{Change, Playlist, PlaylistId, Scope, TrackId};
use utoipa::ToSchema;

use crate::http::App;
use crate::http::answer::{At, Body, Data, Page};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult};

const MOST_TRACKS: usize = 5000;

/// An order of songs.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct PlaylistView {
    #[schema(value_type = String, format = Uuid)]
    id: PlaylistId,
    name: String,
    /// A search whose songs it has; absent where they were put in by hand.
    #[schema(example = "bpm:120-128 key:8A+")]
    rules: Option<String>,
    /// How many songs were put in by hand.
    tracks: i64,
}

impl From<Playlist> for PlaylistView {
    fn from(playlist: Playlist) -> Self {
        let Playlist { id, name, rules, tracks, .. } = playlist;
        Self { id, name, rules, tracks }
    }
}

/// A playlist and its songs in order.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct WholePlaylist {
    #[schema(value_type = String, format = Uuid)]
    id: PlaylistId,
    name: String,
    rules: Option<String>,
    #[schema(value_type = Vec<uuid::Uuid>)]
    track_ids: Vec<TrackId>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct NewPlaylist {
    /// The user has no other of this name.
    #[schema(min_length = 1, max_length = 500)]
    name: String,
    /// Makes it a playlist of all songs that this search finds. Searches are the studio's: the server keeps them.
    #[schema(min_length = 1, max_length = 1000)]
    rules: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct EditPlaylist {
    #[schema(min_length = 1, max_length = 500)]
    name: Option<String>,
    /// Songs that were put in by hand are in it no more.
    #[schema(min_length = 1, max_length = 1000)]
    rules: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct PlaylistTracks {
    /// Up to 5000, each once.
    #[schema(value_type = Vec<uuid::Uuid>)]
    track_ids: Vec<TrackId>,
}

/// List playlists
#[utoipa::path(get, path = "/api/v1/playlists", tag = "playlists", responses(
    (status = 200, description = "By name", body = Page<PlaylistView>)
))]
pub(in crate::http) async fn list(State(app): State<App>, caller: Caller) -> ApiResult<Page<PlaylistView>> {
    Ok(Page::whole(app.library.rows().playlists(caller.scope()).await?))
}

/// Make a playlist
#[utoipa::path(post, path = "/api/v1/playlists", tag = "playlists", request_body = NewPlaylist, responses(
    (status = 201, description = "Made", body = Data<WholePlaylist>)
))]
pub(in crate::http) async fn make(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<NewPlaylist>,
) -> ApiResult<(StatusCode, Data<WholePlaylist>)> {
    let id = PlaylistId::random();
    let mut changes = vec![Change::AddPlaylist(id, body.name)];
    changes.extend(body.rules.map(|rules| Change::SetPlaylistRules(id, rules)));
    app.library.apply(caller.scope(), changes).await?;
    Ok((StatusCode::CREATED, whole(&app, caller.scope(), id).await?))
}

/// Show a playlist
#[utoipa::path(get, path = "/api/v1/playlists/{id}", tag = "playlists",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The playlist", body = Data<WholePlaylist>))
)]
pub(in crate::http) async fn show(
    State(app): State<App>,
    caller: Caller,
    At(id): At<PlaylistId>,
) -> ApiResult<Data<WholePlaylist>> {
    whole(&app, caller.scope(), id).await
}

/// Rename a playlist, or change its rules
///
/// What is absent stays.
#[utoipa::path(patch, path = "/api/v1/playlists/{id}", tag = "playlists", request_body = EditPlaylist,
    params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "Changed", body = Data<WholePlaylist>))
)]
pub(in crate::http) async fn edit(
    State(app): State<App>,
    caller: Caller,
    At(id): At<PlaylistId>,
    Body(body): Body<EditPlaylist>,
) -> ApiResult<Data<WholePlaylist>> {
    let name = body.name.map(|name| Change::RenamePlaylist(id, name));
    let rules = body.rules.map(|rules| Change::SetPlaylistRules(id, rules));
    app.library.apply(caller.scope(), name.into_iter().chain(rules).collect()).await?;
    whole(&app, caller.scope(), id).await
}

/// Remove a playlist
///
/// Its songs stay.
#[utoipa::path(delete, path = "/api/v1/playlists/{id}", tag = "playlists",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 204, description = "Removed"))
)]
pub(in crate::http) async fn remove(
    State(app): State<App>,
    caller: Caller,
    At(id): At<PlaylistId>,
) -> ApiResult<StatusCode> {
    app.library.apply(caller.scope(), vec![Change::RemovePlaylist(id)]).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a playlist these songs in this order
#[utoipa::path(put, path = "/api/v1/playlists/{id}/tracks", tag = "playlists", request_body = PlaylistTracks,
    params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "Changed", body = Data<WholePlaylist>))
)]
pub(in crate::http) async fn set_tracks(
    State(app): State<App>,
    caller: Caller,
    At(id): At<PlaylistId>,
    Body(body): Body<PlaylistTracks>,
) -> ApiResult<Data<WholePlaylist>> {
    if body.track_ids.len() > MOST_TRACKS {
        return Err(ApiError::invalid(format!("a playlist has up to {MOST_TRACKS} songs")));
    }
    app.library.apply(caller.scope(), vec![Change::SetPlaylistTracks(id, body.track_ids)]).await?;
    whole(&app, caller.scope(), id).await
}

async fn whole(app: &App, scope: Scope, id: PlaylistId) -> ApiResult<Data<WholePlaylist>> {
    let rows = app.library.rows();
    let all = rows.playlists(scope).await?;
    let playlist = all.into_iter().find(|playlist| playlist.id == id).ok_or_else(ApiError::not_found)?;
    let track_ids = rows.playlist_tracks(scope, id).await?;
    Ok(Data { data: WholePlaylist { id, name: playlist.name, rules: playlist.rules, track_ids } })
}
