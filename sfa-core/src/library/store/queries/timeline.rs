//! What is still known of how a job went.

use serde_json::Value;

use super::changes::PROGRESS;
use super::rows::{self, get, job_columns, parsed};
use super::{Rows, Scope, failed};
use crate::library::queue::{Told, timeline};
use crate::library::{JobId, JobMoment, LibraryError, LibraryResult, Topic};

impl Rows {
    pub(super) async fn timeline_of(&self, scope: Scope, id: JobId) -> LibraryResult<Vec<JobMoment>> {
        let row = sqlx::query(concat!(
            "select attempted_at_ms, ",
            job_columns!(),
            " from jobs where user_id = $1 and id = $2"
        ))
        .bind(scope.user.to_string())
        .bind(id.to_string())
        .fetch_optional(&self.readers)
        .await
        .map_err(failed)?;
        let row = row.ok_or_else(|| LibraryError::not_found("job", id))?;
        let job = rows::job(&row)?;
        let found = sqlx::query("select at_ms, text from job_errors where job_id = $1 order by run_lease")
            .bind(id.to_string())
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        let errors = found.iter().map(|row| Ok((get(row, "at_ms")?, get(row, "text")?)));
        let errors = errors.collect::<LibraryResult<Vec<_>>>()?;
        let mut told = Vec::new();
        if let Some(track) = job.track {
            let events = sqlx::query(
                "select at_ms, kind, payload from events where topic = $1 and user_id = $2 and kind like 'job.%' \
                 order by seq",
            )
            .bind(Topic::Track(track).name())
            .bind(scope.user.to_string())
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
            for event in &events {
                let payload: Value = parsed(event, "payload")?;
                if payload["job"].as_str() == Some(&id.to_string()) {
                    let said = said(&get::<String>(event, "kind")?, &payload);
                    if let Some(said) = said {
                        told.push((get(event, "at_ms")?, said));
                    }
                }
            }
        }
        Ok(timeline(&job, get(&row, "attempted_at_ms")?, errors, told))
    }
}

/// What an event says of a job; nothing where another version of this program knows more.
fn said(kind: &str, payload: &Value) -> Option<Told> {
    if kind == PROGRESS {
        let stage = payload["stage"].as_str().unwrap_or_default().to_owned();
        return Some(Told::Progress { progress: payload["progress"].as_i64()?, stage });
    }
    payload["state"].as_str()?.parse().ok().map(Told::State)
}
