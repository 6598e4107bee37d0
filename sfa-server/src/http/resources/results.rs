//! What was made of a song: analysis, stems, files for other programs.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sfa_core::library::{ExportFile, LibraryStem, TrackId};
use utoipa::ToSchema;

use super::files::FileView;
use crate::http::App;
use crate::http::answer::{At, Page};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult};

/// A stem.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct StemView {
    #[schema(example = "vocals")]
    kind: String,
    /// What made it.
    #[schema(example = "demucs")]
    engine: String,
    /// Which of several of one kind: empty for the plain one, "lead" or "backing" for voices.
    take: String,
    /// Highest sample; absent in silence.
    peak_dbfs: Option<f64>,
    /// Root mean square of all samples; absent in silence.
    rms_dbfs: Option<f64>,
    file: FileView,
}

impl From<LibraryStem> for StemView {
    fn from(stem: LibraryStem) -> Self {
        Self {
            kind: stem.kind,
            engine: stem.engine,
            take: stem.take,
            peak_dbfs: stem.peak_dbfs,
            rms_dbfs: stem.rms_dbfs,
            file: FileView::new(stem.blob.hash, stem.blob.size_bytes, stem.file_name),
        }
    }
}

/// A file made for another program.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ExportView {
    #[schema(example = "rekordbox.xml")]
    name: String,
    file: FileView,
}

impl From<ExportFile> for ExportView {
    fn from(export: ExportFile) -> Self {
        let ExportFile { name, blob, .. } = export;
        Self { file: FileView::new(blob.hash, blob.size_bytes, name.clone()), name }
    }
}

/// All that was measured of a song
///
/// The document that `sfa process` writes as `analysis.json`, described by `docs/schema`. 404 until the song was analysed.
#[utoipa::path(get, path = "/api/v1/tracks/{id}/analysis", tag = "tracks",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The analysis as `data`", body = Object))
)]
pub(in crate::http) async fn analysis(
    State(app): State<App>,
    caller: Caller,
    At(id): At<TrackId>,
) -> ApiResult<Response> {
    let rows = app.library.rows();
    rows.track(caller.scope(), id).await?;
    let document = rows.analysis(caller.scope(), id).await?.ok_or_else(ApiError::not_found)?;
    // It is JSON already, and long.
    let body = format!("{{\"data\":{document}}}");
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// List the stems of a song
#[utoipa::path(get, path = "/api/v1/tracks/{id}/stems", tag = "tracks",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "All of them", body = Page<StemView>))
)]
pub(in crate::http) async fn stems(
    State(app): State<App>,
    caller: Caller,
    At(id): At<TrackId>,
) -> ApiResult<Page<StemView>> {
    let rows = app.library.rows();
    rows.track(caller.scope(), id).await?;
    Ok(Page::whole(rows.stems(caller.scope(), id).await?))
}

/// List the files made of a song for other programs
#[utoipa::path(get, path = "/api/v1/tracks/{id}/exports", tag = "tracks",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "All of them", body = Page<ExportView>))
)]
pub(in crate::http) async fn exports(
    State(app): State<App>,
    caller: Caller,
    At(id): At<TrackId>,
) -> ApiResult<Page<ExportView>> {
    let rows = app.library.rows();
    rows.track(caller.scope(), id).await?;
    Ok(Page::whole(rows.exports(caller.scope(), id).await?))
}
