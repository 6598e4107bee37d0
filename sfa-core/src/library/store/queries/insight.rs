//! Reading what belongs to all users.

use async_trait::async_trait;

use super::rows::{self, get, job_columns};
use super::{Rows, failed, rows_of_list};
use crate::library::store::insight::{Insight, Overview, OverviewDay};
use crate::library::{Job, JobId, JobQuery, LibraryError, LibraryResult};

const DAY_MS: i64 = 24 * 3_600_000;
/// The most days that are looked back on.
const MOST_DAYS: i64 = 90;

/// Which count of a day a statement fills; each names a day by its number since 1970, `$1` is the first.
type Series = (&'static str, fn(&mut OverviewDay) -> &mut i64);

const SERIES: [Series; 4] = [
    (
        "select created_at_ms / 86400000 as day, count(*) as number from users \
         where created_at_ms >= $1 * 86400000 group by created_at_ms / 86400000",
        |day| &mut day.users,
    ),
    (
        "select created_at_ms / 86400000 as day, count(*) as number from tracks \
         where created_at_ms >= $1 * 86400000 group by created_at_ms / 86400000",
        |day| &mut day.tracks,
    ),
    (
        "select finished_at_ms / 86400000 as day, count(*) as number from jobs \
         where state = 'completed' and finished_at_ms >= $1 * 86400000 group by finished_at_ms / 86400000",
        |day| &mut day.completed_jobs,
    ),
    (
        "select finished_at_ms / 86400000 as day, count(*) as number from jobs \
         where state = 'discarded' and finished_at_ms >= $1 * 86400000 group by finished_at_ms / 86400000",
        |day| &mut day.failed_jobs,
    ),
];

#[async_trait]
impl Insight for Rows {
    async fn overview(&self, days: i64) -> LibraryResult<Overview> {
        let row = sqlx::query(concat!(
            "select (select count(*) from users) as users, (select count(*) from tracks) as tracks, \
             (select count(*) from tracks where analyzed_at_ms is not null) as analyzed, \
             (select count(*) from tracks where has_stems = true) as separated, \
             (select cast(coalesce(sum(size_bytes), 0) as bigint) from blobs) as stored_bytes, \
             (select count(*) from jobs where state in ('available', 'scheduled', 'retryable', 'executing')) \
                as open_jobs, \
             (select count(*) from jobs where state = 'discarded') as failed_jobs, \
             (select count(*) from workers where seen_at_ms >= ",
            now_ms!(),
            " - 60000) as workers, ",
            now_ms!(),
            " as at_ms"
        ))
        .fetch_one(&self.readers)
        .await
        .map_err(failed)?;
        let days = days.clamp(1, MOST_DAYS);
        let first = get::<i64>(&row, "at_ms")? / DAY_MS - days + 1;
        let mut overview = Overview {
            users: get(&row, "users")?,
            tracks: get(&row, "tracks")?,
            analyzed: get(&row, "analyzed")?,
            separated: get(&row, "separated")?,
            stored_bytes: get(&row, "stored_bytes")?,
            open_jobs: get(&row, "open_jobs")?,
            failed_jobs: get(&row, "failed_jobs")?,
            workers: get(&row, "workers")?,
            days: (first..first + days)
                .map(|day| OverviewDay { start_ms: day * DAY_MS, ..OverviewDay::default() })
                .collect(),
        };
        for (statement, count) in SERIES {
            let found = sqlx::query(statement).bind(first).fetch_all(&self.readers).await.map_err(failed)?;
            for row in &found {
                let place = usize::try_from(get::<i64>(row, "day")? - first).ok();
                // A day may begin between one statement and the next.
                if let Some(day) = place.and_then(|place| overview.days.get_mut(place)) {
                    *count(day) = get(row, "number")?;
                }
            }
        }
        Ok(overview)
    }

    async fn all_jobs(&self, query: &JobQuery) -> LibraryResult<Vec<Job>> {
        let found = sqlx::query(concat!(
            "select ",
            job_columns!(),
            " from jobs where (cast($1 as text) is null or state = $1) and (cast($2 as text) is null or track_id = $2) \
             order by created_at_ms desc, id desc limit $3"
        ))
        .bind(query.state.map(|state| state.name()))
        .bind(query.track.map(|track| track.to_string()))
        .bind(rows_of_list(query.limit))
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        found.iter().map(rows::job).collect()
    }

    async fn any_job(&self, id: JobId) -> LibraryResult<Job> {
        let found = sqlx::query(concat!("select ", job_columns!(), " from jobs where id = $1"))
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)?;
        rows::job(&found.ok_or_else(|| LibraryError::not_found("job", id))?)
    }
}
