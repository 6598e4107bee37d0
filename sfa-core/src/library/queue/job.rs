//! What a job is, and the states it goes through.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Times;
use crate::library::{BatchId, JobId, LibraryError, LibraryErrorKind, Scope, TrackId, UserId};

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waits for a free worker.
    Available,
    /// Waits for its time: planned for later, or put off by its handler.
    Scheduled,
    /// Failed, and waits for its next attempt.
    Retryable,
    /// A worker holds its lease.
    Executing,
    /// Done.
    Completed,
    /// Stopped on request.
    Cancelled,
    /// Failed for good.
    Discarded,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Available,
        Self::Scheduled,
        Self::Retryable,
        Self::Executing,
        Self::Completed,
        Self::Cancelled,
        Self::Discarded,
    ];

    /// The name in the database and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Scheduled => "scheduled",
            Self::Retryable => "retryable",
            Self::Executing => "executing",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Discarded => "discarded",
        }
    }

    /// Whether nothing happens to the job any more unless somebody asks for it.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::Discarded)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for JobState {
    type Err = LibraryError;

    fn from_str(text: &str) -> Result<Self, LibraryError> {
        Self::ALL.into_iter().find(|state| state.name() == text).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|state| state.name()).collect();
            LibraryError::new(
                LibraryErrorKind::Invalid,
                format!("{text:?} is no state of a job; there are {}", names.join(", ")),
            )
        })
    }
}

/// A job to be put into the queue.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NewJob {
    /// The lane it waits in, for example "separate".
    pub queue: String,
    /// Which handler does it.
    pub kind: String,
    /// What the handler is told. Never a secret: this is shown to admins.
    pub args: Value,
    /// The track it is about.
    pub track: Option<TrackId>,
    /// The batch it counts towards.
    pub batch: Option<BatchId>,
    /// Lower goes first. Default: 3.
    pub priority: i64,
    /// Runs at the earliest so long from now. Default: at once.
    pub delay: Duration,
    /// Attempts before it is discarded. Default: 3.
    pub max_attempts: i64,
    /// What a worker must be able to do, for example "cuda".
    pub requires: Vec<String>,
    /// While a job with this key is not finished, no second one is made.
    pub unique_key: Option<String>,
}

impl NewJob {
    /// A job of one kind with the defaults above.
    pub fn new(queue: &str, kind: &str, args: Value) -> Self {
        Self {
            queue: queue.to_owned(),
            kind: kind.to_owned(),
            args,
            track: None,
            batch: None,
            priority: 3,
            delay: Duration::ZERO,
            max_attempts: 3,
            requires: Vec::new(),
            unique_key: None,
        }
    }

    /// About one track.
    #[must_use]
    pub fn track(mut self, track: TrackId) -> Self {
        self.track = Some(track);
        self
    }

    /// Counts towards a batch.
    #[must_use]
    pub fn batch(mut self, batch: Option<BatchId>) -> Self {
        self.batch = batch;
        self
    }

    /// Only once at a time under this key.
    #[must_use]
    pub fn unique(mut self, key: impl Into<String>) -> Self {
        self.unique_key = Some(key.into());
        self
    }

    /// Whether it is about no track and may be there any number of times.
    pub(crate) fn is_plain(&self) -> bool {
        self.track.is_none() && self.unique_key.is_none()
    }
}

/// A job that comes again and again, once at each time whatever the number of nodes that look after it.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Names it in the database: those who give the same name share it, and mean the same times.
    pub name: String,
    /// When. Times that nobody was awake for are made up for by one job, however many they were; where the times
    /// themselves have become others, it is with those to come that they begin.
    pub times: Times,
    /// On whose behalf.
    pub scope: Scope,
    /// What comes.
    pub job: NewJob,
}

/// What became of a job that was put into the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// It is new.
    Inserted(JobId),
    /// One with the same unique key was there and is not finished.
    Existing(JobId),
}

impl Enqueued {
    /// The job, new or old.
    pub fn id(self) -> JobId {
        match self {
            Self::Inserted(id) | Self::Existing(id) => id,
        }
    }
}

/// The right to write about one run of a job. Every later claim has a higher lease, and a write with an older one
/// changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fence {
    /// The job.
    pub job: JobId,
    /// Counts its claims.
    pub run_lease: i64,
}

/// A job as it stands in the queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Job {
    /// Its name.
    pub id: JobId,
    /// Whose it is.
    pub user: UserId,
    /// Its lane.
    pub queue: String,
    /// Which handler does it.
    pub kind: String,
    /// What the handler is told.
    pub args: Value,
    /// The track it is about.
    pub track: Option<TrackId>,
    /// The batch it counts towards.
    pub batch: Option<BatchId>,
    /// Where it stands.
    pub state: JobState,
    /// Lower goes first.
    pub priority: i64,
    /// Earliest start, in milliseconds since 1970.
    pub run_at_ms: i64,
    /// Attempts begun.
    pub attempt: i64,
    /// Attempts allowed.
    pub max_attempts: i64,
    /// Counts its claims; see [`Fence`].
    pub run_lease: i64,
    /// How far it is, 0 to 100; never falls within one attempt.
    pub progress: i64,
    /// What it is doing, in a word.
    pub stage: String,
    /// Whether somebody asked it to stop.
    pub cancel_requested: bool,
    /// What a worker must be able to do.
    pub requires: Vec<String>,
    /// What went wrong last.
    pub error: Option<String>,
    /// When it was put into the queue, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When it ended.
    pub finished_at_ms: Option<i64>,
}

impl Job {
    /// The right to write about the run that this was read from.
    pub fn fence(&self) -> Fence {
        Fence { job: self.id, run_lease: self.run_lease }
    }

    /// When it is tried next, in milliseconds since 1970, where it waits for its time.
    pub fn next_attempt_at_ms(&self) -> Option<i64> {
        matches!(self.state, JobState::Scheduled | JobState::Retryable).then_some(self.run_at_ms)
    }
}
