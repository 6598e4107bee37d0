//! What a library's queue keeps when everything around it fails.
//!
//! `cargo xtask chaos`
//!
//! Workers are processes of their own that do small jobs, each of which leaves one effect in the transaction of its
//! end. They are killed, frozen, and made to abort; the database is crashed and its connections are cut. Afterwards
//! no job may be lost, none may have had its effect twice, and the library must reconcile. A table says what
//! happened; the exit code is 1 when a promise was broken.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is a command-line tool")]

mod crew;
mod partition;
#[allow(dead_code, reason = "the library's tests use the rest")]
#[path = "../../../../sfa-core/tests/library/postgres.rs"]
mod postgres;
mod scenarios;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sfa_core::library::{Change, Handler, Job, PlaylistId, WorkerOptions};
use sfa_core::{Error, Watch};

use crew::Place;

type Failure = Box<dyn std::error::Error>;

const QUEUE: &str = "chaos";
/// Leaves one effect.
const PLAIN: &str = "plain";
/// Takes its whole process down.
const POISON: &str = "poison";
const LEASE: Duration = Duration::from_secs(3);
/// No scenario may take longer.
const PATIENCE: Duration = Duration::from_secs(180);

struct Deeds;

impl Handler for Deeds {
    fn kinds(&self) -> Vec<String> {
        vec![PLAIN.to_owned(), POISON.to_owned()]
    }

    fn run(&self, job: &Job, watch: &Watch) -> Result<Vec<Change>, Error> {
        if job.kind == POISON {
            std::process::abort();
        }
        let until = Instant::now() + Duration::from_millis(job.args["ms"].as_u64().unwrap_or(0));
        while Instant::now() < until {
            watch.checkpoint()?;
            std::thread::sleep(Duration::from_millis(2));
        }
        // Names of playlists are unique: a second effect of the same job would be refused, and seen as a failure.
        Ok(vec![Change::AddPlaylist(PlaylistId::random(), format!("job {}", job.args["number"]))])
    }
}

async fn work(slots: &str, folder: &Path, database_url: Option<String>) -> Result<(), Failure> {
    let place = Place::new(folder.to_owned(), database_url);
    let mut options = WorkerOptions::default();
    options.queues = vec![(QUEUE.to_owned(), slots.parse()?)];
    options.lease = LEASE;
    options.poll = Duration::from_millis(100);
    // The database may be down in this very moment.
    let started = Instant::now();
    let _worker = loop {
        let hired = async {
            Ok::<_, Failure>(place.open().await?.start_worker_with(Arc::new(Deeds), options.clone()).await?)
        };
        match hired.await {
            Ok(worker) => break worker,
            Err(error) if started.elapsed() > PATIENCE => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    };
    // Ends when the one who started this is gone.
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await??;
    Ok(())
}

async fn all() -> Result<bool, Failure> {
    let desk = tempfile::tempdir()?;
    let mut broken = false;
    let mut tell = |database: &str, scenario: &str, result: Result<String, Failure>| {
        let (word, text) = match result {
            Ok(text) => ("kept", text),
            Err(error) => ("BROKEN", error.to_string()),
        };
        broken |= word == "BROKEN";
        println!("| {database} | {scenario} | {word} | {text} |");
    };
    println!("| database | what happens | promise | |\n|---|---|---|---|");
    let sqlite = |name: &str| Place::new(desk.path().join(name), None);
    tell("SQLite", "workers are killed", scenarios::killed_workers(&sqlite("killed")).await);
    tell("SQLite", "a worker is frozen past its lease", scenarios::frozen_worker(&sqlite("frozen")).await);
    tell("SQLite", "jobs abort their worker", scenarios::poison(&sqlite("poison")).await);
    tell("SQLite", "files are copied amid writing", scenarios::copied_files(&sqlite("copied")).await);
    let Some(mut server) = postgres::Server::start() else {
        println!("PostgreSQL is not installed: its scenarios are left out");
        return Ok(!broken);
    };
    let on = |server: &postgres::Server, name: &str| {
        server.create(name);
        Place::new(desk.path().join(name), Some(server.url(name)))
    };
    let place = on(&server, "pg_killed");
    tell("PostgreSQL", "workers are killed", scenarios::killed_workers(&place).await);
    let place = on(&server, "pg_frozen");
    tell("PostgreSQL", "a worker is frozen past its lease", scenarios::frozen_worker(&place).await);
    let place = on(&server, "pg_poison");
    tell("PostgreSQL", "jobs abort their worker", scenarios::poison(&place).await);
    let place = on(&server, "pg_cut");
    tell("PostgreSQL", "connections are cut", scenarios::cut_connections(&place, &server, "pg_cut").await);
    let place = on(&server, "pg_apart");
    let result = scenarios::partitioned_worker(&place, &server, "pg_apart").await;
    tell("PostgreSQL", "a worker is cut off past its lease", result);
    let place = on(&server, "pg_cancel");
    let result = scenarios::cancelled_without_news(&place, &server, "pg_cancel").await;
    tell("PostgreSQL", "running jobs are cancelled, news are cut", result);
    let place = on(&server, "pg_crash");
    tell("PostgreSQL", "the database crashes", scenarios::crashing_database(&place, &mut server).await);
    Ok(!broken)
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["worker", slots, folder] => work(slots, folder.as_ref(), None).await.map(|()| true),
        ["worker", slots, folder, url] => {
            work(slots, folder.as_ref(), Some(url.to_owned())).await.map(|()| true)
        }
        _ => all().await,
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("chaos: {error}");
            ExitCode::FAILURE
        }
    }
}
