//! One suite of cases for every database that a library can live in.
#![allow(clippy::print_stderr, reason = "what is skipped is said aloud")]

mod accounts;
mod batches;
mod claims;
mod cues;
mod following;
mod insight;
mod interleavings;
mod leases;
mod lists;
#[allow(dead_code, reason = "the chaos harness of the benches uses the rest")]
mod postgres;
mod requests;
mod results;
mod rows;
mod s3;
mod schema;
mod storage;
mod upkeep;
mod uploads;
mod vault;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use sfa_core::library::{
    Blob, Change, Claim, Database, Enqueued, Fence, Heartbeat, Job, JobId, JobState, LibraryErrorKind,
    LibraryResult, NewJob, NewTrack, Outcome, Receipt, Scope, SqliteStore, TrackId, UserId, Verdict,
    WorkerId,
};

/// A fresh database with two users in it.
#[derive(Clone)]
struct Desk {
    database: Arc<dyn Database>,
    ann: Scope,
    ben: Scope,
}

type Case = (&'static str, fn(Desk) -> Pin<Box<dyn Future<Output = ()>>>);

/// Names the cases of a module.
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        pub(crate) const CASES: &[crate::Case] =
            &[$((stringify!($name), |desk| Box::pin($name(desk)))),*];
    };
}
pub(crate) use cases;

impl Desk {
    async fn over(database: Arc<dyn Database>) -> Self {
        let (ann, ben) = (UserId::random(), UserId::random());
        database.ensure_user(ann, "Ann").await.unwrap();
        database.ensure_user(ben, "Ben").await.unwrap();
        Self { database, ann: Scope::of(ann), ben: Scope::of(ben) }
    }

    async fn apply(&self, scope: Scope, change: Change) -> LibraryResult<Receipt> {
        self.database.apply(scope, vec![change]).await
    }

    /// A track of `scope` whose file has this content.
    async fn track(&self, scope: Scope, title: &str) -> TrackId {
        let track = new_track(title);
        let id = track.id;
        self.apply(scope, Change::AddTrack(track)).await.unwrap();
        id
    }

    async fn enqueue(&self, scope: Scope, job: NewJob) -> JobId {
        self.apply(scope, Change::Enqueue(job)).await.unwrap().enqueued[0].id()
    }

    async fn claim(&self, slots: i64) -> Vec<Job> {
        self.database.claim(&claim("work", slots)).await.unwrap()
    }

    /// Claims the one job there is.
    async fn claim_one(&self) -> Job {
        let mut jobs = self.claim(1).await;
        assert_eq!(jobs.len(), 1, "one job can be claimed");
        jobs.remove(0)
    }

    async fn finish(&self, fence: Fence, outcome: Outcome) -> LibraryResult<Receipt> {
        self.database.finish(vec![(fence, outcome)]).await.unwrap().remove(0)
    }
}

fn new_track(title: &str) -> NewTrack {
    NewTrack {
        id: TrackId::random(),
        title: title.to_owned(),
        artist: None,
        album: None,
        file_name: format!("{title}.mp3"),
        blob: blob(title),
    }
}

fn blob(content: &str) -> Blob {
    let digits: String = content.bytes().map(|byte| format!("{byte:02x}")).collect();
    Blob { hash: format!("{digits:0>64}")[..64].to_owned(), size_bytes: 100 }
}

fn job() -> NewJob {
    NewJob::new("work", "plain", serde_json::json!({}))
}

fn claim(queue: &str, slots: i64) -> Claim {
    Claim {
        worker: WorkerId::random(),
        queue: queue.to_owned(),
        slots,
        lease: Duration::from_secs(30),
        deadline: Duration::from_secs(3600),
        capabilities: vec!["cpu".to_owned()],
        kinds: vec!["plain".to_owned(), "other".to_owned()],
    }
}

fn inserted(receipt: &Receipt) -> bool {
    matches!(receipt.enqueued[..], [Enqueued::Inserted(_)])
}

fn kind_of<T>(result: LibraryResult<T>) -> Option<LibraryErrorKind> {
    result.err().map(|error| error.kind())
}

async fn state(desk: &Desk, job: JobId) -> JobState {
    desk.database.job(desk.ann, job).await.unwrap().state
}

fn failure() -> Outcome {
    Outcome::Failed { error: "no".to_owned(), is_final: false }
}

/// Claims with a lease that has run out when the call returns.
async fn claim_silently(desk: &Desk) -> Vec<sfa_core::library::Job> {
    let jobs = desk.database.claim(&Claim { lease: Duration::ZERO, ..claim("work", 1) }).await.unwrap();
    tokio::time::sleep(Duration::from_millis(5)).await;
    jobs
}

async fn beat(desk: &Desk, fence: Fence, progress: i64) -> Verdict {
    let beat = Heartbeat { fence, progress, stage: String::new() };
    desk.database.beat(WorkerId::random(), Duration::from_secs(30), &[beat]).await.unwrap().0[0]
}

/// Runs every case on a database of its own and names all that fail.
async fn run_all(open: impl AsyncFn(usize) -> Arc<dyn Database>) {
    let mut failed = Vec::new();
    let cases = [
        rows::CASES,
        results::CASES,
        cues::CASES,
        batches::CASES,
        lists::CASES,
        accounts::CASES,
        claims::CASES,
        leases::CASES,
        upkeep::CASES,
        requests::CASES,
        uploads::CASES,
        vault::CASES,
        insight::CASES,
    ]
    .concat();
    for (index, (name, case)) in cases.into_iter().enumerate() {
        let desk = Desk::over(open(index).await).await;
        let outcome = futures_util::FutureExt::catch_unwind(AssertUnwindSafe(case(desk))).await;
        if outcome.is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "failed: {failed:?}");
}

#[tokio::test]
async fn sqlite_keeps_every_promise() {
    let folder = tempfile::tempdir().unwrap();
    run_all(async |index| {
        Arc::new(SqliteStore::open(&folder.path().join(format!("{index}.sqlite"))).await.unwrap())
            as Arc<dyn Database>
    })
    .await;
}

// More than one thread: emptying the tables blocks one while dropped transactions roll back on another.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_keeps_every_promise() {
    let Some(server) = postgres::Server::start() else {
        eprintln!("skipped: there is no PostgreSQL here");
        return;
    };
    let database = server.database().await;
    run_all(async |_| {
        server.clear();
        Arc::clone(&database)
    })
    .await;
}
