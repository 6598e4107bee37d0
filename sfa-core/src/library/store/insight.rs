//! What those see who run a library: all users' work, and how much of everything there is.

use async_trait::async_trait;
use serde::Serialize;

use crate::library::{Job, JobId, JobQuery, LibraryResult};

/// The rows of all users. Whoever calls this has made sure that the caller may see them.
#[async_trait]
pub trait Insight: Send + Sync {
    /// How much there is, and what came on each of the last `days` days.
    async fn overview(&self, days: i64) -> LibraryResult<Overview>;
    /// The newest jobs of everybody first.
    async fn all_jobs(&self, query: &JobQuery) -> LibraryResult<Vec<Job>>;
    /// A job, whoever's it is.
    async fn any_job(&self, id: JobId) -> LibraryResult<Job>;
}

/// A library at one moment, and its last days.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// Accounts.
    pub users: i64,
    /// Songs of all users.
    pub tracks: i64,
    /// Songs that were analysed.
    pub analyzed: i64,
    /// Songs that have stems.
    pub separated: i64,
    /// Bytes of all contents, each once.
    pub stored_bytes: i64,
    /// Jobs that wait or run.
    pub open_jobs: i64,
    /// Jobs that have failed for good and are remembered.
    pub failed_jobs: i64,
    /// Processes that work and were heard of within the last minute.
    pub workers: i64,
    /// Each of the last days in UTC, today last.
    pub days: Vec<OverviewDay>,
}

/// What happened on one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct OverviewDay {
    /// When it began, in milliseconds since 1970.
    pub start_ms: i64,
    /// Accounts that were made.
    pub users: i64,
    /// Songs that came.
    pub tracks: i64,
    /// Jobs that were done; after a week they are forgotten.
    pub completed_jobs: i64,
    /// Jobs that failed for good.
    pub failed_jobs: i64,
}
