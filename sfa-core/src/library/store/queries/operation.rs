//! What whoever runs a library wants to know.

use super::rows::{get, parsed};
use super::{Rows, failed, pools};
use crate::library::{Connections, JobCount, LibraryResult};

impl Rows {
    pub(super) async fn jobs_counted(&self) -> LibraryResult<Vec<JobCount>> {
        let found = sqlx::query(concat!(
            "select queue, kind, state, count(*) as jobs, coalesce(max(case when \
             state in ('available', 'scheduled', 'retryable') and run_at_ms <= ",
            now_ms!(),
            " then ",
            now_ms!(),
            " - run_at_ms end), 0) as oldest_wait_ms from jobs group by queue, kind, state \
             order by queue, kind, state"
        ))
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        let count = |row| {
            Ok(JobCount {
                queue: get(row, "queue")?,
                kind: get(row, "kind")?,
                state: parsed(row, "state")?,
                jobs: get(row, "jobs")?,
                oldest_wait_ms: get(row, "oldest_wait_ms")?,
            })
        };
        found.iter().map(count).collect()
    }

    pub(super) fn connections_counted(&self) -> Connections {
        let pools = pools(self);
        let counted = pools.map(super::Connections::counted);
        Connections {
            open: counted.iter().map(|(open, _)| open).sum(),
            idle: counted.iter().map(|(_, idle)| idle).sum(),
        }
    }
}
