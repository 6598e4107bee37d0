//! Packages: what another program needs of some songs, in one archive.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sfa_core::audio::io::BitDepth;
use sfa_core::library::{Change, Conversion, JobId, Package, PackageOrder, PackagePlan, Target, TrackId};
use utoipa::ToSchema;

use super::files::FileView;
use super::tracks::Accepted;
use crate::http::App;
use crate::http::answer::{At, Body, Data, Page};
use crate::http::auth::Caller;
use crate::http::error::ApiResult;

const NAME: &str = "songs";

/// A package to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct OrderPackage {
    /// Who it is for.
    #[schema(value_type = String, pattern = "^(rekordbox|traktor|serato|playlist|daw|stems|report)$", example = "rekordbox")]
    target: Target,
    /// The songs in their order, up to 200.
    #[schema(value_type = Vec<uuid::Uuid>)]
    track_ids: Vec<TrackId>,
    /// What the archive is called.
    #[schema(max_length = 160)]
    name: Option<String>,
    /// The full path of the folder that it will be unpacked in; rekordbox and Traktor need it.
    #[schema(example = "/Users/ann/Music/SFA")]
    folder: Option<String>,
    #[serde(default)]
    stems: StemOptions,
}

/// How stems are written; what is absent stays as it is.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StemOptions {
    /// wav, flac, mp3 or m4a.
    format: Option<String>,
    /// int16, int24 or float32.
    #[schema(value_type = Option<String>, pattern = "^(int16|int24|float32)$")]
    bit_depth: Option<BitDepth>,
    /// 44100, 48000, 88200 or 96000.
    sample_rate_hz: Option<u32>,
    /// How loud the song that the stems add up to becomes, as far as no stem goes above full scale.
    #[schema(minimum = -40, maximum = 0)]
    loudness_lufs: Option<f64>,
}

impl From<OrderPackage> for PackageOrder {
    fn from(order: OrderPackage) -> Self {
        let OrderPackage { target, track_ids, name, folder, stems } = order;
        let StemOptions { format, bit_depth, sample_rate_hz, loudness_lufs } = stems;
        let name = name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| NAME.to_owned());
        Self {
            target,
            tracks: track_ids,
            name: name.chars().take(160).collect(),
            folder,
            stems: Conversion { format, bit_depth, sample_rate_hz, loudness_lufs },
        }
    }
}

/// What a package would hold.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct PlanView {
    files: Vec<PlannedFileView>,
    /// What is missing, and how to get it.
    notes: Vec<String>,
}

#[derive(Serialize, ToSchema)]
struct PlannedFileView {
    /// Where it is in the archive.
    #[schema(example = "Music/song.mp3")]
    path: String,
    /// Absent where it is known only once the file is made.
    size_bytes: Option<i64>,
}

impl From<PackagePlan> for PlanView {
    fn from(plan: PackagePlan) -> Self {
        let file = |file: sfa_core::library::PlannedFile| PlannedFileView {
            path: file.path,
            size_bytes: file.size_bytes,
        };
        Self { files: plan.files.into_iter().map(file).collect(), notes: plan.notes }
    }
}

/// A package that was made.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct PackageView {
    /// The job that made it has the same.
    #[schema(value_type = String, format = Uuid)]
    id: JobId,
    #[schema(example = "rekordbox")]
    target: String,
    /// How many songs were asked for.
    tracks: i64,
    /// When it was made, in milliseconds since 1970; it is kept for a week.
    created_at_ms: i64,
    file: FileView,
}

impl From<Package> for PackageView {
    fn from(package: Package) -> Self {
        let Package { id, name, target, tracks, blob, created_at_ms } = package;
        let file = FileView::new(blob.hash, blob.size_bytes, name);
        Self { id, target, tracks, created_at_ms, file }
    }
}

/// Say what a package would hold
#[utoipa::path(post, path = "/api/v1/packages/plan", tag = "packages", request_body = OrderPackage, responses(
    (status = 200, description = "Its files; nothing is made", body = Data<PlanView>)
))]
pub(in crate::http) async fn plan(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<OrderPackage>,
) -> ApiResult<Data<PlanView>> {
    Ok(Data { data: app.library.plan_package(caller.scope(), &body.into()).await?.into() })
}

/// Pack what another program needs of some songs
#[utoipa::path(post, path = "/api/v1/packages", tag = "packages", request_body = OrderPackage, responses(
    (status = 202, description = "The work waits in the queue", body = Data<Accepted>)
))]
pub(in crate::http) async fn make(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<OrderPackage>,
) -> ApiResult<(StatusCode, Data<Accepted>)> {
    let job = app.library.order_package(caller.scope(), &body.into()).await?;
    Ok((StatusCode::ACCEPTED, Data { data: Accepted { job } }))
}

/// List the packages that were made
#[utoipa::path(get, path = "/api/v1/packages", tag = "packages", responses(
    (status = 200, description = "The newest first", body = Page<PackageView>)
))]
pub(in crate::http) async fn list(State(app): State<App>, caller: Caller) -> ApiResult<Page<PackageView>> {
    Ok(Page::whole(app.library.rows().packages(caller.scope()).await?))
}

/// Remove a package
#[utoipa::path(delete, path = "/api/v1/packages/{id}", tag = "packages",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 204, description = "Removed"))
)]
pub(in crate::http) async fn remove(
    State(app): State<App>,
    caller: Caller,
    At(id): At<JobId>,
) -> ApiResult<StatusCode> {
    app.library.apply(caller.scope(), vec![Change::RemovePackage(id)]).await?;
    Ok(StatusCode::NO_CONTENT)
}
