//! Files: by the right to read one's own, or by a signed link.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::App;
use crate::http::answer::{At, Body, Data, Secretive};
use crate::http::auth::Caller;
use crate::http::content::{self, Shown};
use crate::http::error::{ApiError, ApiResult};

const MOST_LINK_SECS: u64 = 7 * 24 * 3600;

/// A file. It never changes: other content has another address.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct FileView {
    name: String,
    size_bytes: i64,
    /// BLAKE3 of all bytes, in hexadecimal.
    hash: String,
    /// Where to get it, on this server.
    url: String,
}

impl FileView {
    pub(super) fn new(hash: String, size_bytes: i64, name: String) -> Self {
        let url = format!("/api/v1/files/{hash}/{}", content::percent_encoded(&name));
        Self { name, size_bytes, hash, url }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct MakeLink {
    /// How long it works, up to a week.
    #[schema(minimum = 1, maximum = 604800)]
    lifetime_secs: u64,
    /// The name that a browser saves the file under; without one it shows it where it can.
    #[serde(default)]
    #[schema(max_length = 255)]
    file_name: String,
}

/// A link that works without signing in.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct LinkView {
    /// On this server.
    url: String,
}

/// Read a file
///
/// One range at a time, as in `Range: bytes=0-99`. The name only says how to show the file.
#[utoipa::path(get, path = "/api/v1/files/{hash}/{name}", tag = "files",
    params(("hash" = String, Path), ("name" = String, Path)),
    responses(
        (status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "A part of it", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 304, description = "It is what the client has already")
    )
)]
pub(in crate::http) async fn read(
    State(app): State<App>,
    caller: Caller,
    At((hash, name)): At<(String, String)>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    app.library.make_sure_of_content(caller.scope(), &hash).await?;
    content::answer(&app, &hash, Shown::InPlace(&name), &headers).await
}

/// Make a link to a file that works without signing in
#[utoipa::path(post, path = "/api/v1/files/{hash}/link", tag = "files", request_body = MakeLink,
    params(("hash" = String, Path)),
    responses((status = 200, description = "The link", body = Data<LinkView>))
)]
pub(in crate::http) async fn make_link(
    State(app): State<App>,
    caller: Caller,
    At(hash): At<String>,
    Body(body): Body<MakeLink>,
) -> ApiResult<Secretive<Data<LinkView>>> {
    if !(1..=MOST_LINK_SECS).contains(&body.lifetime_secs) || body.file_name.chars().count() > 255 {
        let message = format!("a link lasts 1 to {MOST_LINK_SECS} s, and a name has up to 255 characters");
        return Err(ApiError::invalid(message));
    }
    let lifetime = Duration::from_secs(body.lifetime_secs);
    let query = app.library.link(caller.scope(), &hash, &body.file_name, lifetime).await?;
    Ok(Secretive(Data { data: LinkView { url: format!("/files/{hash}?{query}") } }))
}

/// Follow a link to a file
///
/// The query is part of the link and was signed with it.
#[utoipa::path(get, path = "/files/{hash}", tag = "files",
    params(("hash" = String, Path)),
    responses(
        (status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "A part of it", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 304, description = "It is what the client has already")
    )
)]
pub(in crate::http) async fn follow_link(
    State(app): State<App>,
    At(hash): At<String>,
    uri: Uri,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let link = app.library.follow_link(&hash, uri.query().unwrap_or_default()).await?;
    content::answer(&app, &hash, Shown::SavedAs(&link.file_name), &headers).await
}
