//! Songs that come in several requests, by the protocol tus 1.0 (<https://tus.io/protocols/resumable-upload>): core,
//! creation, expiration and termination.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt as _;
use sfa_core::library::{
    LibraryError, LibraryErrorKind, OpenUpload, PartialUpload, Resumed, TrackId, UploadId,
};

use super::tracks::allowed_steps;
use super::uploads::{announced_bytes, steady};
use crate::http::App;
use crate::http::answer::At;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult};

const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const VERSION: HeaderName = HeaderName::from_static("tus-version");
const EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
const MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const PROTOCOL: HeaderValue = HeaderValue::from_static("1.0.0");
const PIECE: &str = "application/offset+octet-stream";
const DEFAULT_NAME: &str = "upload";

/// What can be done here
///
/// Says in `Tus-Version`, `Tus-Extension` and `Tus-Max-Size` what a client of tus wants to know.
#[utoipa::path(options, path = "/api/v1/uploads", tag = "tracks", responses(
    (status = 204, description = "In the headers")
))]
pub(in crate::http) async fn ask(State(app): State<App>) -> Response {
    let about = [
        (VERSION, PROTOCOL),
        (EXTENSION, HeaderValue::from_static("creation,expiration,termination")),
        (MAX_SIZE, HeaderValue::from(app.options.most_upload_bytes)),
        (RESUMABLE, PROTOCOL),
    ];
    (StatusCode::NO_CONTENT, about).into_response()
}

/// Begin an upload that can be resumed
///
/// `Location` says where the pieces go. An upload for which nothing comes is forgotten at `Upload-Expires`.
#[utoipa::path(post, path = "/api/v1/uploads", tag = "tracks",
    params(
        ("Tus-Resumable" = String, Header, example = "1.0.0"),
        ("Upload-Length" = u64, Header, description = "Bytes of the whole file"),
        ("Upload-Metadata" = Option<String>, Header, description = "The name of the file, as \"filename \" and Base64"),
    ),
    responses((status = 201, description = "Begun"))
)]
pub(in crate::http) async fn begin(State(app): State<App>, caller: Caller, headers: HeaderMap) -> Response {
    let begun = async {
        make_sure_of_protocol(&headers)?;
        let Some(size_bytes) = number(&headers, &LENGTH) else {
            return Err(ApiError::invalid("Upload-Length says how many bytes the whole file has"));
        };
        let most = app.options.most_upload_bytes;
        if size_bytes > most {
            return Err(ApiError::too_large(most));
        }
        let name = file_name(&headers)?;
        let name = name.as_deref().unwrap_or(DEFAULT_NAME);
        let upload = app.library.open_upload(caller.scope(), name, size_bytes, most).await?;
        let place = HeaderValue::try_from(format!("/api/v1/uploads/{}", upload.id)).expect("an id is ASCII");
        Ok((StatusCode::CREATED, [(header::LOCATION, place), (EXPIRES, expiry(&upload))]).into_response())
    };
    spoken(begun.await)
}

/// Ask how much of an upload has come
///
/// `Upload-Offset` says where to go on. When all has come, `Content-Location` is the song.
#[utoipa::path(head, path = "/api/v1/uploads/{id}", tag = "tracks",
    params(("id" = String, Path, format = Uuid), ("Tus-Resumable" = String, Header, example = "1.0.0")),
    responses((status = 200, description = "In the headers"))
)]
pub(in crate::http) async fn show(
    State(app): State<App>,
    caller: Caller,
    At(id): At<UploadId>,
    headers: HeaderMap,
) -> Response {
    let shown = async {
        make_sure_of_protocol(&headers)?;
        let mut so_far = app.library.upload_so_far(caller.scope(), id).await?;
        let is_whole = u64::try_from(so_far.upload.size_bytes) == Ok(so_far.offset_bytes);
        if is_whole && so_far.upload.track.is_none() {
            // The server ended between the last byte and the song.
            let resumed = app.library.resume_upload(caller.scope(), id).await.map_err(busy)?;
            so_far.upload.track = Some(import(&app, &caller, resumed).await?);
        }
        Ok((StatusCode::OK, told(&so_far)).into_response())
    };
    spoken(shown.await)
}

/// Send a piece of an upload
///
/// From `Upload-Offset` on. What has come before a connection breaks is kept. With the last piece the file becomes a song,
/// which `Content-Location` names.
#[utoipa::path(patch, path = "/api/v1/uploads/{id}", tag = "tracks",
    params(
        ("id" = String, Path, format = Uuid),
        ("Tus-Resumable" = String, Header, example = "1.0.0"),
        ("Upload-Offset" = u64, Header, description = "Bytes that have come before"),
    ),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    responses((status = 204, description = "Taken; `Upload-Offset` says how much has come"))
)]
pub(in crate::http) async fn go_on(
    State(app): State<App>,
    caller: Caller,
    At(id): At<UploadId>,
    request: Request,
) -> Response {
    spoken(take_piece(&app, &caller, id, request).await)
}

/// Give an upload up
#[utoipa::path(delete, path = "/api/v1/uploads/{id}", tag = "tracks",
    params(("id" = String, Path, format = Uuid), ("Tus-Resumable" = String, Header, example = "1.0.0")),
    responses((status = 204, description = "What had come is removed"))
)]
pub(in crate::http) async fn end(
    State(app): State<App>,
    caller: Caller,
    At(id): At<UploadId>,
    headers: HeaderMap,
) -> Response {
    let ended = async {
        make_sure_of_protocol(&headers)?;
        app.library.close_upload(caller.scope(), id).await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    spoken(ended.await)
}

async fn take_piece(app: &App, caller: &Caller, id: UploadId, request: Request) -> ApiResult<Response> {
    let headers = request.headers();
    make_sure_of_protocol(headers)?;
    if headers.get(header::CONTENT_TYPE).is_none_or(|kind| kind.as_bytes() != PIECE.as_bytes()) {
        let (status, message) =
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("send a piece as \"content-type: {PIECE}\""));
        return Err(ApiError::new(status, "unsupported_media_type", message));
    }
    let Some(offset_bytes) = number(headers, &OFFSET) else {
        return Err(ApiError::invalid("Upload-Offset says how many bytes have come before"));
    };
    let so_far = app.library.upload_so_far(caller.scope(), id).await?;
    if so_far.upload.track.is_some() && offset_bytes == so_far.offset_bytes {
        return Ok((StatusCode::NO_CONTENT, told(&so_far)).into_response());
    }
    let mut resumed = app.library.resume_upload(caller.scope(), id).await.map_err(busy)?;
    if resumed.offset_bytes() != offset_bytes {
        let message = format!("{} bytes have come; go on from there", resumed.offset_bytes());
        return Err(ApiError::new(StatusCode::CONFLICT, "wrong_offset", message));
    }
    if announced_bytes(headers).is_some_and(|bytes| bytes > resumed.missing_bytes()) {
        let message = format!("only {} bytes are missing", resumed.missing_bytes());
        return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message));
    }
    let mut chunks = std::pin::pin!(steady(request.into_body().into_data_stream(), app.options.request_time));
    let mut ended = Ok(());
    while let Some(chunk) = chunks.next().await {
        ended = match chunk {
            Ok(chunk) => resumed.write(&chunk).await.map_err(ApiError::from),
            Err(error) => Err(error),
        };
        if ended.is_err() {
            break;
        }
    }
    resumed.settle().await?;
    ended?;
    let mut so_far = PartialUpload { upload: resumed.upload().clone(), offset_bytes: resumed.offset_bytes() };
    if resumed.missing_bytes() == 0 {
        so_far.upload.track = Some(import(app, caller, resumed).await?);
    }
    Ok((StatusCode::NO_CONTENT, told(&so_far)).into_response())
}

async fn import(app: &App, caller: &Caller, resumed: Resumed) -> ApiResult<TrackId> {
    let imported = app.library.import_resumed(caller.scope(), resumed, &allowed_steps(caller)).await?;
    Ok(imported.track.id)
}

/// How far an upload is.
fn told(so_far: &PartialUpload) -> HeaderMap {
    let PartialUpload { upload, offset_bytes } = so_far;
    let mut headers = HeaderMap::new();
    headers.insert(OFFSET, HeaderValue::from(*offset_bytes));
    headers.insert(LENGTH, HeaderValue::from(upload.size_bytes));
    headers.insert(EXPIRES, expiry(upload));
    if let Some(track) = upload.track {
        let place = HeaderValue::try_from(format!("/api/v1/tracks/{track}")).expect("an id is ASCII");
        headers.insert(header::CONTENT_LOCATION, place);
    }
    headers
}

fn expiry(upload: &OpenUpload) -> HeaderValue {
    let since = std::time::Duration::from_millis(u64::try_from(upload.expires_at_ms).unwrap_or(0));
    let date = httpdate::fmt_http_date(std::time::UNIX_EPOCH + since);
    HeaderValue::try_from(date).expect("a date is ASCII")
}

/// Every answer says which protocol it speaks.
fn spoken(result: ApiResult<Response>) -> Response {
    let mut response = result.unwrap_or_else(|error| {
        let is_unspoken = error.status == StatusCode::PRECONDITION_FAILED;
        let mut response = error.into_response();
        if is_unspoken {
            response.headers_mut().insert(VERSION, PROTOCOL);
        }
        response
    });
    response.headers_mut().insert(RESUMABLE, PROTOCOL);
    response
}

fn make_sure_of_protocol(headers: &HeaderMap) -> ApiResult<()> {
    if headers.get(RESUMABLE) == Some(&PROTOCOL) {
        return Ok(());
    }
    let message = "uploads that can be resumed speak tus 1.0; send \"Tus-Resumable: 1.0.0\"";
    Err(ApiError::new(StatusCode::PRECONDITION_FAILED, "wrong_protocol", message))
}

/// Two requests for one upload: the second waits for the first to end.
fn busy(error: LibraryError) -> ApiError {
    if error.kind() == LibraryErrorKind::Conflict {
        return ApiError::new(StatusCode::LOCKED, "locked", error.to_string()).after(1);
    }
    error.into()
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    let text = headers.get(name)?.to_str().ok()?;
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// The name in "filename c29uZy5tcDM=,filetype …".
fn file_name(headers: &HeaderMap) -> ApiResult<Option<String>> {
    let Some(value) = headers.get(METADATA) else { return Ok(None) };
    let unreadable =
        || ApiError::invalid("Upload-Metadata is pairs of a key and its value in Base64, and commas");
    let pairs = value.to_str().map_err(|_| unreadable())?.split(',');
    for (key, value) in pairs.filter_map(|pair| pair.trim().split_once(' ')) {
        if matches!(key, "filename" | "name") {
            let bytes = STANDARD.decode(value.trim()).map_err(|_| unreadable())?;
            return String::from_utf8(bytes).map(Some).map_err(|_| unreadable());
        }
    }
    Ok(None)
}
