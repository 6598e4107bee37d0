//! What comes again and again: when it comes next, for all nodes together.

use super::{Connection, Rows, failed};
use crate::library::{LibraryResult, Times};

impl Rows {
    /// Whether nothing is to be written, which is so nearly every time that somebody asks.
    pub(super) async fn waits(&self, name: &str, times: &Times, now_ms: i64) -> LibraryResult<bool> {
        let waiting: Option<String> = sqlx::query_scalar(
            "select name from schedules where name = $1 and times = $2 and next_at_ms > $3",
        )
        .bind(name)
        .bind(times.to_string())
        .bind(now_ms)
        .fetch_optional(&self.readers)
        .await
        .map_err(failed)?;
        Ok(waiting.is_some())
    }
}

/// Moves on to the next time if one has come: of all who try, one does.
pub(super) async fn take_turn(
    connection: &mut Connection,
    name: &str,
    times: &Times,
    now_ms: i64,
) -> LibraryResult<bool> {
    let next_at_ms = times.next_after_ms(now_ms);
    sqlx::query(
        "insert into schedules (name, times, next_at_ms) values ($1, $2, $3) on conflict (name) do update \
         set times = excluded.times, next_at_ms = excluded.next_at_ms \
         where schedules.times is null or schedules.times <> excluded.times",
    )
    .bind(name)
    .bind(times.to_string())
    .bind(next_at_ms)
    .execute(&mut *connection)
    .await
    .map_err(failed)?;
    let moved = sqlx::query("update schedules set next_at_ms = $2 where name = $1 and next_at_ms <= $3")
        .bind(name)
        .bind(next_at_ms)
        .bind(now_ms)
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
    Ok(moved.rows_affected() == 1)
}
