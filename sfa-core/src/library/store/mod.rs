//! Where a library keeps its rows.
//!
//! One trait over two databases. Their SQL is the same but for what [`dialect`](sqlite) spells differently; one
//! suite of cases runs on both.

mod accounts;
pub(crate) mod insight;
mod migrations;
mod postgres;
mod requests;
mod sqlite;
mod uploads;
mod vault;

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;

pub use accounts::Accounts;
pub use insight::{Insight, Overview, OverviewDay};
pub use postgres::PostgresStore;
pub use requests::{Begun, KeptAnswer, KeyedRequest, Requests};
pub use sqlite::SqliteStore;
pub use uploads::{OpenUpload, Uploads};
pub use vault::{SealedSecret, Vault};

use super::{
    Batch, BatchId, Blob, Change, Event, ExportFile, Fence, Job, JobId, JobMoment, JobQuery, JobState,
    LibraryCue, LibraryResult, LibraryStem, News, Notification, Outcome, Package, Playlist, PlaylistId,
    Reached, Receipt, Schedule, Scope, Storage, Times, Track, TrackId, TrackQuery, UserId, WorkerId,
};

/// A connection to a database that answered longer ago is asked whether it lives before it is used.
const TRUSTED: Duration = Duration::from_secs(1);

/// The rows of a library.
///
/// Reads and writes take the [`Scope`] of a user and see that user's rows only; what belongs to somebody else is
/// `NotFound`. Every writing call is one transaction, and what it returns to be published has been committed.
#[async_trait]
pub trait Store: Send + Sync {
    /// Does all of `changes`, or none.
    async fn apply(&self, scope: Scope, changes: Vec<Change>) -> LibraryResult<Receipt>;

    /// Makes sure that a user of this name is there.
    async fn ensure_user(&self, user: UserId, name: &str) -> LibraryResult<()>;
    /// Bytes that a user may keep and keeps; each content counts once.
    async fn usage(&self, scope: Scope) -> LibraryResult<Usage>;
    /// Sets or lifts how many bytes a user may keep.
    async fn set_quota(&self, user: UserId, bytes: Option<i64>) -> LibraryResult<()>;

    /// One track.
    async fn track(&self, scope: Scope, id: TrackId) -> LibraryResult<Track>;
    /// The track that has this file, if the user has one.
    async fn track_of_blob(&self, scope: Scope, hash: &str) -> LibraryResult<Option<TrackId>>;
    /// A page of tracks.
    async fn tracks(&self, scope: Scope, query: &TrackQuery) -> LibraryResult<Vec<Track>>;
    /// How many tracks the user has.
    async fn count_tracks(&self, scope: Scope) -> LibraryResult<i64>;
    /// Every stem of a track.
    async fn stems(&self, scope: Scope, track: TrackId) -> LibraryResult<Vec<LibraryStem>>;
    /// What was measured of a track, as JSON.
    async fn analysis(&self, scope: Scope, track: TrackId) -> LibraryResult<Option<String>>;
    /// The cues and loops of a track in order of time.
    async fn cues(&self, scope: Scope, track: TrackId) -> LibraryResult<Vec<LibraryCue>>;
    /// The files made of a track for other programs.
    async fn exports(&self, scope: Scope, track: TrackId) -> LibraryResult<Vec<ExportFile>>;
    /// Every playlist by name.
    async fn playlists(&self, scope: Scope) -> LibraryResult<Vec<Playlist>>;
    /// The tracks of a playlist in order.
    async fn playlist_tracks(&self, scope: Scope, playlist: PlaylistId) -> LibraryResult<Vec<TrackId>>;
    /// Every package, the newest first.
    async fn packages(&self, scope: Scope) -> LibraryResult<Vec<Package>>;
    /// The user's settings; an empty object where nothing was set.
    async fn settings(&self, scope: Scope) -> LibraryResult<Value>;
    /// The newest notifications first.
    async fn notifications(&self, scope: Scope, limit: i64) -> LibraryResult<Vec<Notification>>;

    /// One job.
    async fn job(&self, scope: Scope, id: JobId) -> LibraryResult<Job>;
    /// What is still known of how a job went, in order of time.
    async fn job_timeline(&self, scope: Scope, id: JobId) -> LibraryResult<Vec<JobMoment>>;
    /// The newest jobs first.
    async fn jobs(&self, scope: Scope, query: &JobQuery) -> LibraryResult<Vec<Job>>;
    /// The jobs that wait or run, the oldest first, at most 500.
    async fn unfinished_jobs(&self, scope: Scope) -> LibraryResult<Vec<Job>>;
    /// How far a batch is.
    async fn batch(&self, scope: Scope, id: BatchId) -> LibraryResult<Batch>;
    /// The newest batches first, at most so many; 0 stands for 100.
    async fn batches(&self, scope: Scope, limit: i64) -> LibraryResult<Vec<Batch>>;
    /// Up to two tracks whose id begins or ends with `part`.
    async fn tracks_like(&self, scope: Scope, part: &str) -> LibraryResult<Vec<TrackId>>;
    /// Up to two jobs whose id begins or ends with `part`.
    async fn jobs_like(&self, scope: Scope, part: &str) -> LibraryResult<Vec<JobId>>;
    /// Removes the finished jobs and notifications of every user who keeps them for some days only, and says how many.
    async fn forget_old(&self) -> LibraryResult<u64>;

    /// The events of a topic after number `seq`, at most 1000.
    async fn events(&self, scope: Scope, topic: &str, seq: i64) -> LibraryResult<Vec<Event>>;
    /// The number of the last event of a topic; 0 before the first.
    async fn last_seq(&self, scope: Scope, topic: &str) -> LibraryResult<i64>;
    /// The same of several topics, whosever, with their names; those without events are left out.
    async fn last_seqs(&self, topics: &[&str]) -> LibraryResult<Vec<(String, i64)>>;
    /// Tells other processes how far topics have come, where the database can do that.
    async fn announce(&self, topics: &[Reached]) -> LibraryResult<()>;
    /// From now on sends what other processes do, until nobody receives it any more: what they announce where the
    /// database can do that, else that something has changed. It saves waiting, nothing else: who does not hear of
    /// something finds it.
    fn listen(&self, news: mpsc::Sender<News>);

    /// Notes that a content is about to come and to be named by a row: no sweep removes it for a day, and it is not missing
    /// any more.
    async fn reserve_blob(&self, blob: &Blob) -> LibraryResult<()>;
    /// Every content that should be in the store.
    async fn blobs(&self) -> LibraryResult<Vec<Blob>>;
    /// Removes contents that no row names and that were reserved longer than `age` ago, rows and files together,
    /// and says how many.
    async fn sweep_blobs(&self, storage: &Storage, age: Duration) -> LibraryResult<usize>;
    /// The tracks of which something is kept in this content, and their users.
    async fn tracks_with_blob(&self, hash: &str) -> LibraryResult<Vec<(Scope, TrackId)>>;
    /// Remembers that a content was not there when somebody wanted it.
    async fn mark_missing(&self, hash: &str) -> LibraryResult<()>;
    /// Remembers that of all contents these are missing, as they were when the database's clock said `as_of_ms`: what has
    /// come or was found missing since then is as it is.
    async fn set_missing(&self, hashes: &[String], as_of_ms: i64) -> LibraryResult<()>;
    /// The tracks a content of which is missing, once for each, and whether it is the song itself.
    async fn missing_contents(&self, scope: Scope) -> LibraryResult<Vec<(TrackId, bool)>>;

    /// Writes all rows as they are at one moment into `folder`, while others go on writing.
    async fn copy_rows(&self, folder: &Path) -> LibraryResult<RowsCopy>;
    /// The time by the database's clock, in milliseconds since 1970.
    async fn clock_ms(&self) -> LibraryResult<i64>;
    /// Connections to the database that this process has.
    fn connections(&self) -> Connections;
}

/// The rows of a library at one moment, as files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowsCopy {
    /// Which kind of database they are from and for.
    pub database: DatabaseKind,
    /// The last step by which its tables came to be.
    pub migration: i64,
    /// The files, in the order in which they are read back.
    pub files: Vec<String>,
    /// Every content that should be in the store at that moment.
    pub blobs: Vec<Blob>,
}

/// The databases that a library can be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatabaseKind {
    /// A file in the data folder.
    Sqlite,
    /// A server that several nodes share.
    Postgres,
}

/// Connections to a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// All there are.
    pub open: u32,
    /// Those that nobody uses at the moment.
    pub idle: u32,
}

/// How much a user keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of every content that the user's rows name, each once.
    pub used_bytes: i64,
    /// The most that is allowed.
    pub quota_bytes: Option<i64>,
}

/// The work to be done, and who does it.
///
/// A claimed job belongs to its worker until its lease runs out by the database's clock; the lease is renewed by
/// [`beat`](Self::beat). Every claim raises the job's `run_lease`, and every later write names it: a worker that
/// was thought dead, and comes back, changes nothing.
#[async_trait]
pub trait JobQueue: Send + Sync {
    /// Takes up to `claim.slots` jobs that may run now, a fair share from every user.
    async fn claim(&self, claim: &Claim) -> LibraryResult<Vec<Job>>;
    /// Renews the leases of running jobs, writes their progress, and hears who should stop.
    async fn beat(
        &self,
        worker: WorkerId,
        lease: Duration,
        running: &[Heartbeat],
    ) -> LibraryResult<(Vec<Verdict>, Vec<Event>)>;
    /// Ends runs: those that changed nothing by one statement, then the others in one transaction. A run that is not the
    /// worker's any more gives `Conflict`, and one whose changes fail gives their error: of these nothing is written, the
    /// others stand. Where the whole fails, some may have ended; to end those again is a `Conflict` and changes nothing.
    async fn finish(&self, ended: Vec<(Fence, Outcome)>) -> LibraryResult<Vec<LibraryResult<Receipt>>>;
    /// Takes back the jobs whose lease has run out or whose deadline has passed; returns what listeners are told.
    async fn rescue(&self) -> LibraryResult<Vec<Event>>;
    /// Stops or starts a queue for every worker.
    async fn set_paused(&self, queue: &str, paused: bool) -> LibraryResult<()>;
    /// Lets at most so many jobs of a queue run at once, on all nodes together.
    async fn set_limit(&self, queue: &str, running: Option<i64>) -> LibraryResult<()>;
    /// Every queue that has jobs or settings.
    async fn queues(&self) -> LibraryResult<Vec<QueueStatus>>;
    /// How many jobs there are of each kind in each state, finished ones too as long as they are kept.
    async fn count_jobs(&self) -> LibraryResult<Vec<JobCount>>;
    /// Every worker that was heard of within a day, those first that were heard of last.
    async fn workers(&self) -> LibraryResult<Vec<WorkerStatus>>;
    /// Says that a worker lives, and what it can do.
    async fn register(&self, worker: WorkerId, name: &str, capabilities: &[String]) -> LibraryResult<()>;
    /// Takes a worker off the list.
    async fn unregister(&self, worker: WorkerId) -> LibraryResult<()>;
    /// Whether one of these times has come by `now_ms`, for what is called `name`: true on one node only, and once for all
    /// that have passed. Asked for the first time, or about other times than before, it waits for the next one.
    async fn due(&self, name: &str, times: &Times, now_ms: i64) -> LibraryResult<bool>;
    /// Enqueues the job of a schedule that is [`due`](Self::due), in one transaction with noting that.
    async fn enqueue_due(&self, schedule: &Schedule, now_ms: i64) -> LibraryResult<Option<Receipt>>;
    /// Removes finished jobs, old events, sessions, answers and uploads that are over, and dead workers; `completed` and `failed` are ages.
    async fn prune(&self, completed: Duration, failed: Duration) -> LibraryResult<u64>;
}

/// All that a database keeps.
pub trait Database: Store + JobQueue + Accounts + Insight + Requests + Uploads + Vault {}

impl<T: Store + JobQueue + Accounts + Insight + Requests + Uploads + Vault> Database for T {}

/// What a worker can take on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Who asks.
    pub worker: WorkerId,
    /// From which queue.
    pub queue: String,
    /// How many it could start at once.
    pub slots: i64,
    /// How long it may be silent.
    pub lease: Duration,
    /// How long a job may run at all.
    pub deadline: Duration,
    /// What it can do.
    pub capabilities: Vec<String>,
    /// The kinds that it has handlers for; others stay where they are, for a newer worker.
    pub kinds: Vec<String>,
}

/// News of a running job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// Which run.
    pub fence: Fence,
    /// 0 to 100.
    pub progress: i64,
    /// What it is doing, in a word.
    pub stage: String,
}

/// What a worker is told about one of its runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Continue,
    /// Somebody asked it to stop.
    Cancel,
    /// It is not this worker's any more: stop and throw away.
    Stale,
}

/// Jobs that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobCount {
    /// Their queue.
    pub queue: String,
    /// What they do.
    pub kind: String,
    /// How far they are.
    pub state: JobState,
    /// How many they are.
    pub jobs: i64,
    /// How long the one has waited that could run and waits longest; 0 where none does.
    pub oldest_wait_ms: i64,
}

/// A queue at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueStatus {
    /// Its name.
    pub name: String,
    /// Whether nothing is taken from it.
    pub is_paused: bool,
    /// The most that run at once.
    pub running_limit: Option<i64>,
    /// Jobs that wait.
    pub waiting: i64,
    /// Jobs that run.
    pub running: i64,
}

/// A worker at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerStatus {
    /// Names it.
    pub id: WorkerId,
    /// What it is called.
    pub name: String,
    /// What it can do.
    pub capabilities: Vec<String>,
    /// Jobs that it has.
    pub running: i64,
    /// When it began, in milliseconds since 1970.
    pub started_at_ms: i64,
    /// When it gave its last sign of life.
    pub seen_at_ms: i64,
}
