//! Work: what waits, runs and has ended.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sfa_core::library::{BatchId, Change, Job, JobId, JobMoment, JobMomentKind, JobQuery, JobState, TrackId};
use utoipa::{IntoParams, ToSchema};

use super::tracks::{limit, make_sure_of_step};
use crate::http::App;
use crate::http::answer::{At, Data, Page, Query};
use crate::http::auth::Caller;
use crate::http::error::ApiResult;

const PAGE: i64 = 100;

/// A job.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct JobView {
    #[schema(value_type = String, format = Uuid)]
    id: JobId,
    #[schema(example = "separate")]
    kind: String,
    #[schema(value_type = Option<String>, format = Uuid)]
    track: Option<TrackId>,
    #[schema(value_type = Option<String>, format = Uuid)]
    batch: Option<BatchId>,
    /// available, scheduled, retryable, executing, completed, cancelled or discarded.
    #[schema(value_type = String, example = "executing")]
    state: JobState,
    /// 0 to 100; never falls within one attempt.
    progress: i64,
    /// What it is doing, in a word.
    stage: String,
    attempt: i64,
    max_attempts: i64,
    /// When it is tried next, in milliseconds since 1970, where it waits for its time.
    next_attempt_at_ms: Option<i64>,
    /// Whether it was asked to stop.
    cancel_requested: bool,
    /// What went wrong last.
    error: Option<String>,
    /// Milliseconds since 1970.
    created_at_ms: i64,
    finished_at_ms: Option<i64>,
}

impl From<Job> for JobView {
    fn from(job: Job) -> Self {
        Self {
            next_attempt_at_ms: job.next_attempt_at_ms(),
            id: job.id,
            kind: job.kind,
            track: job.track,
            batch: job.batch,
            state: job.state,
            progress: job.progress,
            stage: job.stage,
            attempt: job.attempt,
            max_attempts: job.max_attempts,
            cancel_requested: job.cancel_requested,
            error: job.error,
            created_at_ms: job.created_at_ms,
            finished_at_ms: job.finished_at_ms,
        }
    }
}

/// Something that happened to a job.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct MomentView {
    /// Milliseconds since 1970.
    at_ms: i64,
    /// queued, started, progressed, failed, put_off, completed, cancelled or discarded.
    #[schema(value_type = String, example = "started")]
    kind: JobMomentKind,
    /// How far it was, 0 to 100, where that is known.
    progress: Option<i64>,
    /// What went wrong, or what it was doing.
    text: Option<String>,
}

impl From<JobMoment> for MomentView {
    fn from(moment: JobMoment) -> Self {
        let JobMoment { at_ms, kind, progress, text, .. } = moment;
        Self { at_ms, kind, progress, text }
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ListQuery {
    /// Only in this state.
    #[param(value_type = Option<String>)]
    state: Option<JobState>,
    /// Only of this song.
    #[param(value_type = Option<String>, format = Uuid)]
    track: Option<TrackId>,
    /// At most so many. Default: 100.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
}

/// List jobs
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs", params(ListQuery), responses(
    (status = 200, description = "The newest first", body = Page<JobView>)
))]
pub(in crate::http) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> ApiResult<Page<JobView>> {
    let limit = limit(query.limit, PAGE)?;
    let query = JobQuery { state: query.state, track: query.track, limit };
    Ok(Page::whole(app.library.rows().jobs(caller.scope(), &query).await?))
}

/// Show a job
#[utoipa::path(get, path = "/api/v1/jobs/{id}", tag = "jobs",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The job", body = Data<JobView>))
)]
pub(in crate::http) async fn show(
    State(app): State<App>,
    caller: Caller,
    At(id): At<JobId>,
) -> ApiResult<Data<JobView>> {
    Ok(Data { data: app.library.rows().job(caller.scope(), id).await?.into() })
}

/// Show how a job went
///
/// What is still known of it, in order of time. Progress is about songs only, in steps, and is forgotten after a week;
/// of several attempts the last beginning is known.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/timeline", tag = "jobs",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "All of it", body = Page<MomentView>))
)]
pub(in crate::http) async fn timeline(
    State(app): State<App>,
    caller: Caller,
    At(id): At<JobId>,
) -> ApiResult<Page<MomentView>> {
    Ok(Page::whole(app.library.rows().job_timeline(caller.scope(), id).await?))
}

/// Stop a job
///
/// One that runs stops soon after; one that is finished is a conflict.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/cancel", tag = "jobs",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 202, description = "Asked to stop", body = Data<JobView>))
)]
pub(in crate::http) async fn cancel(
    State(app): State<App>,
    caller: Caller,
    At(id): At<JobId>,
) -> ApiResult<(StatusCode, Data<JobView>)> {
    change(&app, &caller, id, Change::CancelJob(id)).await
}

/// Put a failed or cancelled job back into the queue
#[utoipa::path(post, path = "/api/v1/jobs/{id}/retry", tag = "jobs",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 202, description = "It waits again", body = Data<JobView>))
)]
pub(in crate::http) async fn retry(
    State(app): State<App>,
    caller: Caller,
    At(id): At<JobId>,
) -> ApiResult<(StatusCode, Data<JobView>)> {
    let job = app.library.rows().job(caller.scope(), id).await?;
    make_sure_of_step(&caller, &job.kind)?;
    change(&app, &caller, id, Change::RetryJob(id)).await
}

async fn change(
    app: &App,
    caller: &Caller,
    id: JobId,
    change: Change,
) -> ApiResult<(StatusCode, Data<JobView>)> {
    app.library.apply(caller.scope(), vec![change]).await?;
    let job = app.library.rows().job(caller.scope(), id).await?;
    Ok((StatusCode::ACCEPTED, Data { data: job.into() }))
}
