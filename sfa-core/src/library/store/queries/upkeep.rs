//! Forgetting what users do not want to keep.

use super::rows::get;
use super::{Rows, failed};
use crate::library::{LibraryResult, Settings};

const DAY_MS: i64 = 24 * 3_600_000;
const STATEMENTS: [&str; 2] = [
    concat!("delete from jobs where user_id = $1 and finished_at_ms <= ", now_ms!(), " - $2"),
    concat!("delete from notifications where user_id = $1 and created_at_ms <= ", now_ms!(), " - $2"),
];

impl Rows {
    pub(super) async fn forget_by_settings(&self) -> LibraryResult<u64> {
        let found = sqlx::query("select user_id, document from settings")
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        let mut removed = 0;
        for row in &found {
            let document: String = get(row, "document")?;
            // Settings that cannot be read say nothing about what may go.
            let Ok(Settings { keep_days: Some(days), .. }) = serde_json::from_str(&document) else {
                continue;
            };
            for statement in STATEMENTS {
                removed += sqlx::query(statement)
                    .bind(get::<String>(row, "user_id")?)
                    .bind(i64::from(days) * DAY_MS)
                    .execute(&self.writer)
                    .await
                    .map_err(failed)?
                    .rows_affected();
            }
        }
        Ok(removed)
    }
}
