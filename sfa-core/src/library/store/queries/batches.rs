//! How far batches are.

use super::rows::{Row, get, parsed};
use super::{Rows, Scope, failed, rows_of_list};
use crate::library::{Batch, BatchId, LibraryError, LibraryResult};

/// What is read of the batches of one user. A track that is gone has nothing left to do.
macro_rules! batches {
    ($rest:literal) => {
        concat!(
            "select b.id, b.name, b.total, \
             (select count(*) from batch_tracks m left join tracks t on t.id = m.track_id \
                 where m.batch_id = b.id and coalesce(t.status, 'ready') <> 'working') as done, \
             (select count(*) from batch_tracks m join tracks t on t.id = m.track_id \
                 where m.batch_id = b.id and t.status = 'failed') as failed \
             from batches b where b.user_id = $1 ",
            $rest
        )
    };
}

impl Rows {
    pub(super) async fn one_batch(&self, scope: Scope, id: BatchId) -> LibraryResult<Batch> {
        let row = sqlx::query(batches!("and b.id = $2"))
            .bind(scope.user.to_string())
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)?;
        batch(&row.ok_or_else(|| LibraryError::not_found("batch", id))?)
    }

    pub(super) async fn newest_batches(&self, scope: Scope, limit: i64) -> LibraryResult<Vec<Batch>> {
        let found = sqlx::query(batches!("order by b.created_at_ms desc, b.id desc limit $2"))
            .bind(scope.user.to_string())
            .bind(rows_of_list(limit))
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        found.iter().map(batch).collect()
    }
}

fn batch(row: &Row) -> LibraryResult<Batch> {
    Ok(Batch {
        id: parsed(row, "id")?,
        name: get(row, "name")?,
        total: get(row, "total")?,
        done: get(row, "done")?,
        failed: get(row, "failed")?,
    })
}
