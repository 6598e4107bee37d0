//! Songs.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sfa_core::library::{
    AnalysisSummary, Change, JobId, Step, Track, TrackEdit, TrackId, TrackOrder, TrackQuery, TrackStatus,
};
use utoipa::{IntoParams, ToSchema};

use super::files::FileView;
use crate::http::App;
use crate::http::answer::{At, Body, Data, Page, Query};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult};
use crate::http::rights::Right;

const PAGE: i64 = 100;

/// A song.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct TrackView {
    #[schema(value_type = String, format = Uuid)]
    id: TrackId,
    title: String,
    artist: Option<String>,
    album: Option<String>,
    /// Absent until the song was decoded.
    duration_ms: Option<i64>,
    /// When it was uploaded, in milliseconds since 1970.
    created_at_ms: i64,
    /// "working" while jobs wait or run, "failed" when one failed for good, else "ready".
    #[schema(value_type = String, example = "ready")]
    status: TrackStatus,
    /// Absent until the song was analysed.
    analysis: Option<AnalysisView>,
    /// The song itself, as it was uploaded.
    file: FileView,
}

/// What lists need of an analysis.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct AnalysisView {
    /// Absent where there is no pulse.
    bpm: Option<f64>,
    #[schema(example = "A minor")]
    key: Option<String>,
    #[schema(example = "8A")]
    camelot: Option<String>,
    /// 1 to 10.
    energy: Option<i64>,
    /// Integrated loudness.
    lufs: Option<f64>,
}

impl From<Track> for TrackView {
    fn from(track: Track) -> Self {
        Self {
            id: track.id,
            title: track.title,
            artist: track.artist,
            album: track.album,
            duration_ms: track.duration_ms,
            created_at_ms: track.created_at_ms,
            status: track.status,
            analysis: track.analysis.map(Into::into),
            file: FileView::new(track.blob, track.size_bytes, track.file_name),
        }
    }
}

impl From<AnalysisSummary> for AnalysisView {
    fn from(summary: AnalysisSummary) -> Self {
        let AnalysisSummary { bpm, key, camelot, energy, lufs, .. } = summary;
        Self { bpm, key, camelot, energy, lufs }
    }
}

/// Which songs, and in which order.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ListQuery {
    /// Words that title, artist and album together contain, in any order, whatever their case and accents.
    search: Option<String>,
    /// Only by this artist, written exactly so.
    artist: Option<String>,
    /// Only from this album, written exactly so.
    album: Option<String>,
    /// Only of this status: ready, working or failed.
    #[param(value_type = Option<String>, pattern = "^(ready|working|failed)$")]
    status: Option<TrackStatus>,
    /// Only as fast as this, in beats per minute.
    bpm_min: Option<f64>,
    /// Only as slow as this.
    bpm_max: Option<f64>,
    /// Only in one of these keys, separated by commas: "A minor", "Am", "8A" or "1m".
    #[param(example = "8A,9A")]
    keys: Option<String>,
    /// Only with at least this energy, 1 to 10.
    energy_min: Option<i64>,
    /// Only with at most this energy.
    energy_max: Option<i64>,
    /// Only with stems, or only without.
    has_stems: Option<bool>,
    #[serde(default)]
    #[param(inline)]
    sort: Sort,
    /// The order the other way round. Default: no.
    #[serde(default)]
    reverse: bool,
    /// Songs of a page. Default: 100.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
    /// `next` of the page before.
    #[param(value_type = Option<String>, format = Uuid)]
    after: Option<TrackId>,
}

#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Sort {
    #[default]
    Newest,
    Title,
    Artist,
    Bpm,
    Key,
    Duration,
    Energy,
}

impl From<Sort> for TrackOrder {
    fn from(sort: Sort) -> Self {
        match sort {
            Sort::Newest => Self::Newest,
            Sort::Title => Self::Title,
            Sort::Artist => Self::Artist,
            Sort::Bpm => Self::Bpm,
            Sort::Key => Self::Key,
            Sort::Duration => Self::Duration,
            Sort::Energy => Self::Energy,
        }
    }
}

impl ListQuery {
    /// What the library is asked.
    fn into_query(self, limit: i64) -> ApiResult<TrackQuery> {
        if self.bpm_min.is_some_and(f64::is_nan) || self.bpm_max.is_some_and(f64::is_nan) {
            return Err(ApiError::invalid("a tempo is a number"));
        }
        let named = self.keys.iter().flat_map(|keys| keys.split(','));
        let keys = named.map(|key| key.parse().map_err(ApiError::invalid)).collect::<ApiResult<_>>()?;
        let has_tempo = self.bpm_min.is_some() || self.bpm_max.is_some();
        let has_energy = self.energy_min.is_some() || self.energy_max.is_some();
        Ok(TrackQuery {
            search: self.search.filter(|words| !words.trim().is_empty()),
            artist: self.artist,
            album: self.album,
            status: self.status,
            bpm: has_tempo.then(|| self.bpm_min.unwrap_or(0.0)..=self.bpm_max.unwrap_or(f64::MAX)),
            keys,
            energy: has_energy.then(|| self.energy_min.unwrap_or(1)..=self.energy_max.unwrap_or(10)),
            has_stems: self.has_stems,
            order: self.sort.into(),
            is_reversed: self.reverse,
            limit,
            after: self.after,
        })
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct EditTrack {
    #[schema(min_length = 1, max_length = 500)]
    title: Option<String>,
    artist: Option<String>,
    album: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Process {
    /// The first step to be done again; those after it follow.
    #[schema(value_type = String, pattern = "^(separate|analyze|cues|chords|midi|export)$", example = "analyze")]
    from: Step,
}

/// Work that was asked for.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Accepted {
    #[schema(value_type = String, format = Uuid)]
    pub(super) job: JobId,
}

/// List songs
#[utoipa::path(get, path = "/api/v1/tracks", tag = "tracks", params(ListQuery), responses(
    (status = 200, description = "A page", body = Page<TrackView>)
))]
pub(in crate::http) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> ApiResult<Page<TrackView>> {
    let limit = limit(query.limit, PAGE)?;
    let query = query.into_query(limit)?;
    let tracks = app.library.rows().tracks(caller.scope(), &query).await?;
    Ok(Page::of(tracks, limit, |track| track.id.to_string()))
}

/// Show a song
#[utoipa::path(get, path = "/api/v1/tracks/{id}", tag = "tracks",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The song", body = Data<TrackView>))
)]
pub(in crate::http) async fn show(
    State(app): State<App>,
    caller: Caller,
    At(id): At<TrackId>,
) -> ApiResult<Data<TrackView>> {
    Ok(Data { data: app.library.rows().track(caller.scope(), id).await?.into() })
}

/// Rename a song
///
/// What is absent stays.
#[utoipa::path(patch, path = "/api/v1/tracks/{id}", tag = "tracks", request_body = EditTrack,
    params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "Changed", body = Data<TrackView>))
)]
pub(in crate::http) async fn edit(
    State(app): State<App>,
    caller: Caller,
    At(id): At<TrackId>,
    Body(body): Body<EditTrack>,
) -> ApiResult<Data<TrackView>> {
    let EditTrack { title, artist, album } = body;
    let edit = TrackEdit { title, artist, album };
    app.library.apply(caller.scope(), vec![Change::EditTrack(id, edit)]).await?;
    Ok(Data { data: app.library.rows().track(caller.scope(), id).await?.into() })
}

/// Remove a song with everything that was made of it
#[utoipa::path(delete, path = "/api/v1/tracks/{id}", tag = "tracks",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 204, description = "Removed"))
)]
pub(in crate::http) async fn remove(
    State(app): State<App>,
    caller: Caller,
    At(id): At<TrackId>,
) -> ApiResult<StatusCode> {
    app.library.apply(caller.scope(), vec![Change::RemoveTrack(id)]).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make something of a song anew
///
/// What is made replaces what was there when it is finished, not before.
#[utoipa::path(post, path = "/api/v1/tracks/{id}/process", tag = "tracks", request_body = Process,
    params(("id" = String, Path, format = Uuid)),
    responses((status = 202, description = "The work waits in the queue", body = Data<Accepted>))
)]
pub(in crate::http) async fn process(
    State(app): State<App>,
    caller: Caller,
    At(id): At<TrackId>,
    Body(body): Body<Process>,
) -> ApiResult<(StatusCode, Data<Accepted>)> {
    make_sure_of_step(&caller, body.from.name())?;
    let job = app.library.process(caller.scope(), id, body.from).await?.id();
    Ok((StatusCode::ACCEPTED, Data { data: Accepted { job } }))
}

/// Refuses a step that the caller has no right to.
pub(in crate::http) fn make_sure_of_step(caller: &Caller, step: &str) -> ApiResult<()> {
    if step == Step::Separate.name() { Right::Separate.make_sure(caller) } else { Ok(()) }
}

/// The steps that the caller has a right to.
pub(super) fn allowed_steps(caller: &Caller) -> Vec<Step> {
    Step::ALL.into_iter().filter(|step| make_sure_of_step(caller, step.name()).is_ok()).collect()
}

/// Rows of a page.
pub(super) fn limit(asked: Option<i64>, default: i64) -> ApiResult<i64> {
    let limit = asked.unwrap_or(default);
    if (1..=500).contains(&limit) { Ok(limit) } else { Err(ApiError::invalid("limit is 1 to 500")) }
}
