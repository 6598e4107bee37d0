//! What a library's own topic is told of a transaction: whole rows of what has changed in it, and what else there is to
//! say.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::rows::{self, job_columns};
use super::{Connection, failed, lists, record};
use crate::library::{Event, Job, JobId, LibraryResult, Topic, Track, TrackId, UserId};

/// Rows of one event.
const ROWS_AT_ONCE: usize = 50;

/// Gathered during a transaction and written at its end. Who writes about a library's topic holds its row until the
/// transaction ends: where that is the last thing that it takes, no two wait for each other.
#[derive(Default)]
pub(super) struct Notes(BTreeMap<UserId, OfUser>);

#[derive(Default)]
struct OfUser {
    told: Vec<(String, Value)>,
    tracks: BTreeSet<TrackId>,
    jobs: BTreeSet<JobId>,
}

impl Notes {
    /// There is something to say.
    pub(super) fn tell(&mut self, user: UserId, kind: &str, payload: Value) {
        self.0.entry(user).or_default().told.push((kind.to_owned(), payload));
    }

    /// A track looks different now.
    pub(super) fn track(&mut self, user: UserId, track: TrackId) {
        self.0.entry(user).or_default().tracks.insert(track);
    }

    /// A job looks different now.
    pub(super) fn job(&mut self, user: UserId, job: JobId) {
        self.0.entry(user).or_default().jobs.insert(job);
    }

    /// Takes over what was gathered in a part of the transaction.
    pub(super) fn append(&mut self, part: Self) {
        for (user, OfUser { told, tracks, jobs }) in part.0 {
            let mine = self.0.entry(user).or_default();
            mine.told.extend(told);
            mine.tracks.extend(tracks);
            mine.jobs.extend(jobs);
        }
    }

    /// Writes it all, and adds the events to `events`.
    pub(super) async fn write(
        self,
        connection: &mut Connection,
        events: &mut Vec<Event>,
    ) -> LibraryResult<()> {
        for (user, OfUser { mut told, tracks, jobs }) in self.0 {
            let tracks: Vec<TrackId> = tracks.into_iter().collect();
            for part in tracks.chunks(ROWS_AT_ONCE) {
                let found = rows_of(connection, lists::SOME_TRACKS, user, json!(part)).await?;
                let found: Vec<Track> = found.iter().map(rows::track).collect::<LibraryResult<_>>()?;
                // Of those that were removed the topic was told.
                if !found.is_empty() {
                    told.push(("tracks".to_owned(), json!({"tracks": found})));
                }
            }
            let jobs: Vec<JobId> = jobs.into_iter().collect();
            for part in jobs.chunks(ROWS_AT_ONCE) {
                const SOME_JOBS: &str = concat!(
                    "select ",
                    job_columns!(),
                    " from jobs where user_id = $1 and id in ",
                    listed!("$2"),
                    " order by created_at_ms, id"
                );
                let found = rows_of(connection, SOME_JOBS, user, json!(part)).await?;
                let found: Vec<Job> = found.iter().map(rows::job).collect::<LibraryResult<_>>()?;
                if !found.is_empty() {
                    told.push(("jobs".to_owned(), json!({"jobs": found})));
                }
            }
            for (kind, payload) in told {
                record(connection, events, user, Topic::Library(user).name(), &kind, payload).await?;
            }
        }
        Ok(())
    }
}

async fn rows_of(
    connection: &mut Connection,
    statement: &'static str,
    user: UserId,
    ids: Value,
) -> LibraryResult<Vec<rows::Row>> {
    sqlx::query(statement)
        .bind(user.to_string())
        .bind(ids.to_string())
        .fetch_all(connection)
        .await
        .map_err(failed)
}
