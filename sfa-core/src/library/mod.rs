//! A library that remembers: tracks and what was made of them, the work still to do, and what has happened.

mod bus;
mod change;
mod domain;
mod error;
mod event;
mod front;
mod ids;
mod pipeline;
mod queue;
mod settings;
mod storage;
mod store;
mod worker;

pub use bus::Follower;
pub use change::{Change, Outcome, Receipt};
pub use domain::{
    AnalysisSummary, Batch, Blob, ExportFile, JobQuery, LibraryCue, LibraryStem, NewTrack, Notification,
    Playlist, Scope, Track, TrackEdit, TrackOrder, TrackQuery, TrackStatus,
};
pub use error::{LibraryError, LibraryErrorKind, LibraryResult};
pub use event::{Event, Topic};
pub use front::{CheckReport, Imported, Library, LibraryConfig};
pub use ids::{BatchId, CueId, JobId, NotificationId, PlaylistId, TrackId, UserId, WorkerId};
pub use queue::{Enqueued, Fence, Job, JobState, NewJob};
pub use settings::{Settings, Step};
pub use storage::{Soundness, Staged, Storage};
pub use store::{
    Claim, Database, Heartbeat, JobQueue, PostgresStore, QueueStatus, SqliteStore, Store, Usage, Verdict,
};
pub use worker::{Handler, Worker, WorkerOptions};
