//! What can be followed, and how it is now.

use std::str::FromStr;

use serde_json::{Value, json};
use sfa_core::library::{JobId, JobQuery, Scope, TrackId};

use super::super::jobs::JobView;
use super::super::notifications::NotificationView;
use super::super::tracks::TrackView;
use super::inspector::{Filter, Inspector};
use crate::http::App;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult};
use crate::http::rights::Right;

const LIBRARY: &str = "library";
const TRACK: &str = "track:";
const JOB: &str = "job:";
const WORK: &str = "jobs:";
const NOTIFICATIONS: &str = "notifications";
const SYSTEM: &str = "system";
const DEBUG: &str = "debug";
/// Notifications of a snapshot.
const NEWEST: i64 = 20;

/// What can be followed.
#[derive(Debug, Clone)]
pub(super) enum Subject {
    /// The caller's own library: songs that come and go and change, the work on them, playlists, notifications.
    Library,
    /// One song: its jobs, their progress, what they made.
    Track(TrackId),
    /// One job: its state and its progress.
    Job(JobId),
    /// One job, and the song that it is about: what an older dialect follows.
    Work(JobId),
    /// What the caller should know.
    Notifications,
    /// The queues, and who works on them.
    System,
    /// What this process logs, with the name that it was asked for by.
    Debug(String, Filter),
}

impl Subject {
    /// The right that it needs, for as much as this caller sees of it.
    pub(super) fn right(&self, caller: &Caller) -> Right {
        match self {
            Self::System => Right::SeeSystem,
            Self::Debug(..) => Inspector::right(caller),
            Self::Library | Self::Track(_) | Self::Job(_) | Self::Work(_) | Self::Notifications => {
                Right::Read
            }
        }
    }

    /// The name on the wire: what is one's own needs no name of an owner, so that nobody can name another's.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Library => LIBRARY.to_owned(),
            Self::Track(id) => format!("{TRACK}{id}"),
            Self::Job(id) => format!("{JOB}{id}"),
            Self::Work(id) => format!("{WORK}{id}"),
            Self::Notifications => NOTIFICATIONS.to_owned(),
            Self::System => SYSTEM.to_owned(),
            Self::Debug(name, _) => name.clone(),
        }
    }

    /// How it is now; fails where the caller has no such thing.
    pub(super) async fn snapshot(&self, app: &App, scope: Scope) -> ApiResult<Value> {
        let rows = app.library.rows();
        Ok(match *self {
            Self::Library => {
                let jobs = rows.unfinished_jobs(scope).await?.into_iter().map(JobView::from);
                json!({"tracks": rows.count_tracks(scope).await?, "jobs": jobs.collect::<Vec<_>>()})
            }
            Self::Track(id) => {
                let track: TrackView = rows.track(scope, id).await?.into();
                let query = JobQuery { track: Some(id), ..JobQuery::default() };
                let jobs = rows.jobs(scope, &query).await?.into_iter().map(JobView::from);
                json!({"track": track, "jobs": jobs.collect::<Vec<_>>()})
            }
            Self::Job(id) => json!({"job": JobView::from(rows.job(scope, id).await?)}),
            Self::Work(id) => {
                let job = rows.job(scope, id).await?;
                let track = match job.track {
                    Some(id) => Some(TrackView::from(rows.track(scope, id).await?)),
                    None => None,
                };
                json!({"job": JobView::from(job), "track": track})
            }
            Self::Notifications => {
                let newest = rows.notifications(scope, NEWEST).await?;
                let newest = newest.into_iter().map(NotificationView::from);
                json!({"notifications": newest.collect::<Vec<_>>()})
            }
            Self::System => super::system::look(app).await?,
            // Its own source tells what was there, without a gap.
            Self::Debug(..) => Value::Null,
        })
    }
}

impl FromStr for Subject {
    type Err = ApiError;

    fn from_str(text: &str) -> ApiResult<Self> {
        match text {
            LIBRARY => return Ok(Self::Library),
            NOTIFICATIONS => return Ok(Self::Notifications),
            SYSTEM => return Ok(Self::System),
            _ => {}
        }
        if let Some(query) = text.strip_prefix(DEBUG).filter(|rest| rest.is_empty() || rest.starts_with('?'))
        {
            return Ok(Self::Debug(text.to_owned(), Filter::read(query.trim_start_matches('?'))?));
        }
        if let Some(id) = text.strip_prefix(WORK) {
            return id.parse().map(Self::Work).map_err(|_| ApiError::not_found());
        }
        let id = match text.strip_prefix(TRACK) {
            Some(id) => id.parse().map(Self::Track).ok(),
            None => {
                let id = text.strip_prefix(JOB).ok_or_else(|| {
                    ApiError::invalid(
                        "topics are \"library\", \"notifications\", \"system\", \"debug\", \"track:\" with the id of a song, \
                         and \"job:\" with that of a job",
                    )
                })?;
                id.parse().map(Self::Job).ok()
            }
        };
        id.ok_or_else(ApiError::not_found)
    }
}
