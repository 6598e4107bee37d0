//! Songs on their way in.

use std::time::{Duration, Instant};

use axum::extract::{FromRequest as _, Multipart, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use sfa_core::library::{JobId, Upload};
use utoipa::{IntoParams, ToSchema};

use super::tracks::{TrackView, allowed_steps};
use crate::http::App;
use crate::http::answer::{Data, Query};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult};

/// Who sends less than this on average, once it had the time of a request, is holding a place.
const SLOWEST_BYTES_PER_SEC: f64 = 1024.0;
const DEFAULT_NAME: &str = "upload";

/// How the song is called.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct UploadQuery {
    /// The name of the file, for a body that is only the file.
    #[param(example = "song.mp3")]
    name: Option<String>,
}

/// A form with one file in it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(in crate::http) struct UploadForm {
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// A song that was taken in.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Uploaded {
    track: TrackView,
    /// Whether it was not there before: the same file is the same song.
    is_new: bool,
    /// The first piece of work on it.
    #[schema(value_type = Option<String>, format = Uuid)]
    job: Option<JobId>,
}

/// Upload a song
///
/// Either the file is the body and `name` its name, or it is the one file of a form. What it is, its bytes say. The
/// work that the settings ask for begins by itself. `/api/v1/uploads` takes a file in several requests.
#[utoipa::path(post, path = "/api/v1/tracks", tag = "tracks", params(UploadQuery),
    request_body(content((Vec<u8> = "application/octet-stream"), (UploadForm = "multipart/form-data"))),
    responses(
        (status = 201, description = "A new song", body = Data<Uploaded>),
        (status = 200, description = "A song that was there already", body = Data<Uploaded>)
    )
)]
pub(in crate::http) async fn upload(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<UploadQuery>,
    request: Request,
) -> ApiResult<(StatusCode, Data<Uploaded>)> {
    let announced = announced_bytes(request.headers());
    let most = app.options.most_upload_bytes;
    if announced.is_some_and(|bytes| bytes > most) {
        return Err(ApiError::too_large(most));
    }
    let silence = app.options.request_time;
    let upload = if is_form(request.headers()) {
        let mut form =
            Multipart::from_request(request, &app).await.map_err(|error| bad_form(&error.body_text()))?;
        let next =
            tokio::time::timeout(silence, form.next_field()).await.map_err(|_| ApiError::too_slow())?;
        let field = next.map_err(|error| bad_form(&error.body_text()))?;
        let field = field.ok_or_else(|| bad_form("it has no fields"))?;
        let name = field.file_name().ok_or_else(|| bad_form("its first field is no file"))?.to_owned();
        let upload = app.library.begin_upload(caller.scope(), &name, announced, most).await?;
        receive(&app, upload, field, most, silence).await?
    } else {
        let name = query.name.as_deref().unwrap_or(DEFAULT_NAME);
        let upload = app.library.begin_upload(caller.scope(), name, announced, most).await?;
        receive(&app, upload, request.into_body().into_data_stream(), most, silence).await?
    };
    if upload.size_bytes() == 0 {
        return Err(ApiError::invalid("the body is empty; send the file as the body or in a form"));
    }
    let imported = app.library.import_upload(caller.scope(), upload, &allowed_steps(&caller)).await?;
    let status = if imported.is_new { StatusCode::CREATED } else { StatusCode::OK };
    let uploaded = Uploaded { track: imported.track.into(), is_new: imported.is_new, job: imported.job };
    Ok((status, Data { data: uploaded }))
}

/// Writes what comes, while it comes without a `silence`, and enough of it.
pub(super) async fn receive<E: std::error::Error>(
    app: &App,
    mut upload: Upload,
    chunks: impl Stream<Item = Result<Bytes, E>>,
    most_bytes: u64,
    silence: Duration,
) -> ApiResult<Upload> {
    let mut chunks = std::pin::pin!(steady(chunks, silence));
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        if upload.size_bytes() + chunk.len() as u64 > most_bytes {
            return Err(ApiError::too_large(most_bytes));
        }
        upload.write(&chunk).await?;
        app.metrics.uploaded(chunk.len());
    }
    Ok(upload)
}

/// What comes, while it comes without a `silence`, and enough of it.
pub(super) fn steady<E: std::error::Error>(
    chunks: impl Stream<Item = Result<Bytes, E>>,
    silence: Duration,
) -> impl Stream<Item = ApiResult<Bytes>> {
    let began = Instant::now();
    stream::unfold((Box::pin(chunks), 0_u64), move |(mut chunks, mut received_bytes)| async move {
        let next = tokio::time::timeout(silence, chunks.next()).await;
        let chunk = match next {
            Err(_) => Err(ApiError::too_slow()),
            Ok(None) => return None,
            Ok(Some(Err(error))) => {
                let message = format!("the file did not come whole: {error}");
                Err(ApiError::new(StatusCode::BAD_REQUEST, "cut_off", message))
            }
            Ok(Some(Ok(chunk))) => {
                received_bytes += chunk.len() as u64;
                let taken = began.elapsed();
                let least_bytes = taken.as_secs_f64() * SLOWEST_BYTES_PER_SEC;
                if taken > silence && (received_bytes as f64) < least_bytes {
                    Err(ApiError::too_slow())
                } else {
                    Ok(chunk)
                }
            }
        };
        Some((chunk, (chunks, received_bytes)))
    })
}

pub(super) fn announced_bytes(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with("multipart/form-data"))
}

fn bad_form(reason: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "bad_form", format!("this form cannot be read: {reason}"))
}
