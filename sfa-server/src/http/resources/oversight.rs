//! What admins see of everybody's work, and do about it.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sfa_core::library::{
    Change, Job, JobId, JobQuery, JobState, Overview, OverviewDay, Scope, TrackId, UserId,
};
use utoipa::{IntoParams, ToSchema};

use super::jobs::JobView;
use super::tracks::limit;
use crate::http::App;
use crate::http::answer::{At, Data, Page, Query};
use crate::http::auth::Caller;
use crate::http::error::ApiResult;

const PAGE: i64 = 100;
const DAYS: i64 = 14;

/// How much there is of everything, and how it became so.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct OverviewView {
    users: i64,
    /// Songs of all users.
    tracks: i64,
    /// Songs that were analysed.
    analyzed: i64,
    /// Songs that have stems.
    separated: i64,
    /// Bytes of all files, each content once.
    stored_bytes: i64,
    /// Jobs that wait or run.
    open_jobs: i64,
    /// Jobs that have failed for good and are remembered.
    failed_jobs: i64,
    /// Processes that work, on all machines.
    workers: i64,
    /// Each of the last 14 days in UTC, today last.
    days: Vec<DayView>,
}

/// What happened on one day.
#[derive(Serialize, ToSchema)]
struct DayView {
    /// When it began, in milliseconds since 1970.
    start_ms: i64,
    /// Accounts that were made.
    users: i64,
    /// Songs that came.
    tracks: i64,
    /// Jobs that were done; after a week they are forgotten.
    completed_jobs: i64,
    /// Jobs that failed for good.
    failed_jobs: i64,
}

impl From<Overview> for OverviewView {
    fn from(overview: Overview) -> Self {
        let Overview {
            users,
            tracks,
            analyzed,
            separated,
            stored_bytes,
            open_jobs,
            failed_jobs,
            workers,
            days,
        } = overview;
        let day = |day: OverviewDay| {
            let OverviewDay { start_ms, users, tracks, completed_jobs, failed_jobs } = day;
            DayView { start_ms, users, tracks, completed_jobs, failed_jobs }
        };
        let days = days.into_iter().map(day).collect();
        Self { users, tracks, analyzed, separated, stored_bytes, open_jobs, failed_jobs, workers, days }
    }
}

/// A job of anybody's.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct AnyJobView {
    /// Whose it is.
    #[schema(value_type = String, format = Uuid)]
    user: UserId,
    /// The lane it waits in.
    queue: String,
    /// What its handler is told.
    #[schema(value_type = Object)]
    args: serde_json::Value,
    job: JobView,
}

impl From<Job> for AnyJobView {
    fn from(job: Job) -> Self {
        Self { user: job.user, queue: job.queue.clone(), args: job.args.clone(), job: job.into() }
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct JobsQuery {
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

/// Show how much there is of everything
#[utoipa::path(get, path = "/api/v1/admin/overview", tag = "server", responses(
    (status = 200, description = "Now, and the last 14 days", body = Data<OverviewView>)
))]
pub(in crate::http) async fn overview(State(app): State<App>) -> ApiResult<Data<OverviewView>> {
    Ok(Data { data: app.library.rows().overview(DAYS).await?.into() })
}

/// List the jobs of everybody
#[utoipa::path(get, path = "/api/v1/admin/jobs", tag = "server", params(JobsQuery), responses(
    (status = 200, description = "The newest first", body = Page<AnyJobView>)
))]
pub(in crate::http) async fn jobs(
    State(app): State<App>,
    Query(query): Query<JobsQuery>,
) -> ApiResult<Page<AnyJobView>> {
    let limit = limit(query.limit, PAGE)?;
    let query = JobQuery { state: query.state, track: query.track, limit };
    Ok(Page::whole(app.library.rows().all_jobs(&query).await?))
}

/// Stop a job of anybody's
#[utoipa::path(post, path = "/api/v1/admin/jobs/{id}/cancel", tag = "server",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 202, description = "Asked to stop", body = Data<AnyJobView>))
)]
pub(in crate::http) async fn cancel(
    State(app): State<App>,
    caller: Caller,
    At(id): At<JobId>,
) -> ApiResult<(StatusCode, Data<AnyJobView>)> {
    change(&app, &caller, id, "job.cancel", Change::CancelJob(id)).await
}

/// Put a failed or cancelled job of anybody's back into the queue
#[utoipa::path(post, path = "/api/v1/admin/jobs/{id}/retry", tag = "server",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 202, description = "It waits again", body = Data<AnyJobView>))
)]
pub(in crate::http) async fn retry(
    State(app): State<App>,
    caller: Caller,
    At(id): At<JobId>,
) -> ApiResult<(StatusCode, Data<AnyJobView>)> {
    change(&app, &caller, id, "job.retry", Change::RetryJob(id)).await
}

async fn change(
    app: &App,
    caller: &Caller,
    id: JobId,
    action: &str,
    change: Change,
) -> ApiResult<(StatusCode, Data<AnyJobView>)> {
    let rows = app.library.rows();
    let before = rows.any_job(id).await?;
    app.library.apply(Scope::of(before.user), vec![change]).await?;
    let changes = serde_json::json!({"before": {"state": before.state}});
    rows.record_act(&caller.actor(), action, "job", &id.to_string(), changes).await?;
    Ok((StatusCode::ACCEPTED, Data { data: rows.any_job(id).await?.into() }))
}
