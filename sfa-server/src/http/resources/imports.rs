//! Songs by their address.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::tracks::{Accepted, allowed_steps};
use crate::http::App;
use crate::http::answer::{Body, Data};
use crate::http::auth::Caller;
use crate::http::error::ApiResult;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Import {
    /// The address of the audio file itself.
    #[schema(max_length = 2000, example = "https://example.org/song.flac")]
    url: String,
}

/// Import a song from an address of the web
///
/// The server fetches the file, from the public internet alone. What the job is about when it is done is the song: the
/// one that was there already, where it is the same. The work that the settings ask for begins by itself.
#[utoipa::path(post, path = "/api/v1/tracks/import", tag = "tracks", request_body = Import, responses(
    (status = 202, description = "The download waits in the queue", body = Data<Accepted>)
))]
pub(in crate::http) async fn import(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<Import>,
) -> ApiResult<(StatusCode, Data<Accepted>)> {
    let (most_bytes, allowed) = (app.options.most_upload_bytes, allowed_steps(&caller));
    let job = app.library.import_address(caller.scope(), &body.url, most_bytes, &allowed).await?.id();
    Ok((StatusCode::ACCEPTED, Data { data: Accepted { job } }))
}
