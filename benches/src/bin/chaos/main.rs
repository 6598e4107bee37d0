//! What a library's queue keeps when everything around it fails.
//!
//! `cargo xtask chaos [WORDS]`: all scenarios, or those that are called so
//!
//! Workers are processes of their own that do small jobs, each of which leaves one effect in the transaction of its
//! end. They are killed, frozen, and made to abort; the database is crashed, its connections are cut, its disk is filled. Afterwards
//! no job may be lost, none may have had its effect twice, and the library must reconcile. A table says what
//! happened; the exit code is 1 when a promise was broken.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is a command-line tool")]

mod crew;
mod partition;
#[allow(dead_code, reason = "the library's tests use the rest")]
#[path = "../../../../sfa-core/tests/library/postgres.rs"]
mod postgres;
mod rates;
mod scenarios;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sfa_core::library::{Change, Handler, Job, NewJob, PlaylistId, Schedule, Scope, Times, WorkerOptions};
use sfa_core::{Error, Watch};

use crew::Place;

type Failure = Box<dyn std::error::Error>;

const QUEUE: &str = "chaos";
/// Leaves one effect.
const PLAIN: &str = "plain";
/// Takes its whole process down.
const POISON: &str = "poison";
/// How often a scheduled job comes.
const TICK: Duration = Duration::from_millis(400);
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
        Ok(vec![Change::AddPlaylist(PlaylistId::random(), format!("job {}", job.id))])
    }
}

async fn work(ticks: bool, slots: &str, folder: &Path, database_url: Option<String>) -> Result<(), Failure> {
    let place = Place::new(folder.to_owned(), database_url);
    let mut options = WorkerOptions::default();
    options.queues = vec![(QUEUE.to_owned(), slots.parse()?)];
    options.lease = LEASE;
    options.poll = Duration::from_millis(100);
    if ticks {
        options.schedules = vec![Schedule {
            name: "tick".to_owned(),
            times: Times::every(TICK, Duration::ZERO),
            scope: Scope::LOCAL,
            job: NewJob::new(QUEUE, PLAIN, serde_json::json!({})),
        }];
    }
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

/// What happened, row by row.
struct Table {
    /// Only scenarios with these words.
    words: String,
    is_broken: bool,
}

impl Table {
    async fn add(
        &mut self,
        database: &str,
        scenario: &str,
        result: impl Future<Output = Result<String, Failure>>,
    ) {
        if !format!("{database}: {scenario}").contains(&self.words) {
            return;
        }
        let (word, text) = match result.await {
            Ok(text) => ("kept", text),
            Err(error) => ("BROKEN", error.to_string()),
        };
        self.is_broken |= word == "BROKEN";
        println!("| {database} | {scenario} | {word} | {text} |");
    }
}

async fn all(words: &str) -> Result<bool, Failure> {
    const SQLITE: &str = "SQLite";
    const POSTGRES: &str = "PostgreSQL";
    let desk = tempfile::tempdir()?;
    let mut table = Table { words: words.to_owned(), is_broken: false };
    println!("| database | what happens | promise | |\n|---|---|---|---|");
    let at = |name: &str| Place::new(desk.path().join(name), None);
    table.add(SQLITE, "workers are killed", scenarios::killed_workers(&at("killed"))).await;
    table.add(SQLITE, "a worker is frozen past its lease", scenarios::frozen_worker(&at("frozen"))).await;
    table.add(SQLITE, "jobs abort their worker", scenarios::poison(&at("poison"))).await;
    table.add(SQLITE, "files are copied amid writing", scenarios::copied_files(&at("copied"))).await;
    table.add(SQLITE, "workers of a schedule are killed", scenarios::ticking_clock(&at("ticks"))).await;
    table.add(SQLITE, "the disk is full for a while", scenarios::full_disk(&at("full"))).await;
    table.add(SQLITE, "work goes on after kills", rates::after_kills(&at("kills"))).await;
    let Some(mut server) = postgres::Server::start() else {
        println!("PostgreSQL is not installed: its scenarios are left out");
        return Ok(!table.is_broken);
    };
    let on = |server: &postgres::Server, name: &str| {
        server.create(name);
        Place::new(desk.path().join(format!("pg_{name}")), Some(server.url(name)))
    };
    let place = on(&server, "killed");
    table.add(POSTGRES, "workers are killed", scenarios::killed_workers(&place)).await;
    let place = on(&server, "frozen");
    table.add(POSTGRES, "a worker is frozen past its lease", scenarios::frozen_worker(&place)).await;
    let place = on(&server, "poison");
    table.add(POSTGRES, "jobs abort their worker", scenarios::poison(&place)).await;
    let place = on(&server, "cut");
    let result = scenarios::cut_connections(&place, &server, "cut");
    table.add(POSTGRES, "connections are cut", result).await;
    let place = on(&server, "apart");
    let result = scenarios::partitioned_worker(&place, &server, "apart");
    table.add(POSTGRES, "a worker is cut off past its lease", result).await;
    let place = on(&server, "cancel");
    let result = scenarios::cancelled_without_news(&place, &server, "cancel");
    table.add(POSTGRES, "running jobs are cancelled, news are cut", result).await;
    let place = on(&server, "ticks");
    table.add(POSTGRES, "workers of a schedule are killed", scenarios::ticking_clock(&place)).await;
    let place = on(&server, "crash");
    let result = scenarios::crashing_database(&place, &mut server);
    table.add(POSTGRES, "the database crashes", result).await;
    let place = on(&server, "kills");
    table.add(POSTGRES, "work goes on after kills", rates::after_kills(&place)).await;
    let place = on(&server, "cuts");
    let result = rates::after_cuts(&place, &server, "cuts");
    table.add(POSTGRES, "work goes on after cut connections", result).await;
    let place = on(&server, "crowd");
    let result = rates::after_crowd(&place, &server, "crowd");
    table.add(POSTGRES, "work goes on after no connection was left", result).await;
    let place = on(&server, "outage");
    let result = rates::after_crash(&place, &mut server);
    table.add(POSTGRES, "work goes on after a crash", result).await;
    Ok(!table.is_broken)
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [kind @ ("worker" | "clock"), slots, folder, ref url @ ..] => {
            let url = url.first().map(|url| (*url).to_owned());
            work(kind == "clock", slots, folder.as_ref(), url).await.map(|()| true)
        }
        [words] => all(words).await,
        _ => all("").await,
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
