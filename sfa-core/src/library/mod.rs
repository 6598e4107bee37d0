//! A library that remembers: tracks and what was made of them, the work still to do, and what has happened.

mod account;
mod apart;
mod backup;
mod bus;
mod change;
mod check;
mod cue;
mod domain;
mod download;
mod error;
mod event;
mod file_names;
mod fold;
mod front;
mod ids;
mod link;
mod lookout;
mod memory;
mod nightly;
mod package;
mod password;
mod pipeline;
mod queue;
mod restore;
mod resumable;
mod secret;
mod settings;
mod stems_archive;
mod step;
mod storage;
mod store;
mod upload;
mod vault;
mod worker;

pub use account::{
    Actor, AuditEntry, AuditQuery, Identity, NewSession, NewToken, NewUser, Role, Session, Token,
    TokenPurpose, User, UserEdit, UserQuery, UserStatus, mail_address,
};
pub use apart::{ChildProgram, work_for_parent};
pub use backup::BackupReport;
pub use bus::{Follower, Listening};
pub use change::{Change, Outcome, Receipt};
pub use check::{CheckReport, MissingFiles};
pub use cue::{LibraryCue, PlacedCue};
pub use domain::{
    AnalysisSummary, Batch, Blob, ExportFile, JobQuery, LibraryStem, NewTrack, Notification, Playlist, Scope,
    Track, TrackEdit, TrackOrder, TrackQuery, TrackStatus,
};
pub use error::{LibraryError, LibraryErrorKind, LibraryResult};
pub use event::{Event, Reached, Topic};
pub use front::{Imported, Library, LibraryConfig};
pub use ids::{
    BatchId, CueId, JobId, NotificationId, PlaylistId, SessionId, TokenId, TrackId, UploadId, UserId,
    WorkerId,
};
pub use link::{Link, LinkKeys};
pub use lookout::News;
pub use package::{Conversion, Package, PackageOrder, PackagePlan, PlannedFile, Target};
pub use password::Passwords;
pub use queue::{Enqueued, Fence, Job, JobMoment, JobMomentKind, JobState, NewJob, Schedule, Times};
pub use resumable::{PartialUpload, Resumed};
pub use secret::{Secret, SecretHash};
pub use settings::{Notifications, Settings};
pub use step::Step;
pub use storage::{Soundness, Staged, Storage, StorageKeys};
pub use store::{
    Accounts, Begun, Claim, Connections, Database, DatabaseKind, Heartbeat, Insight, JobCount, JobQueue,
    KeptAnswer, KeyedRequest, OpenUpload, Overview, OverviewDay, PostgresStore, QueueStatus, Requests,
    RowsCopy, SealedSecret, SqliteStore, Store, Uploads, Usage, Vault, Verdict, WorkerStatus,
};
pub use upload::{Upload, UploadedFile};
pub use worker::{Handler, Worker, WorkerOptions};
