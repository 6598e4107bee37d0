//! What a library's queue keeps when everything around it fails.
//!
//! `cargo xtask chaos`
//!
//! Workers are processes of their own that do small jobs, each of which leaves one effect in the transaction of its
//! end. They are killed, frozen, and made to abort; the database is crashed and its connections are cut. Afterwards
//! no job may be lost, none may have had its effect twice, and the library must reconcile. A table says what
//! happened; the exit code is 1 when a promise was broken.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is a command-line tool")]

#[allow(dead_code, reason = "the library's tests use the rest")]
#[path = "../../../sfa-core/tests/library/postgres.rs"]
mod postgres;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sfa_core::library::{
    Change, Handler, Job, JobQuery, JobState, Library, LibraryConfig, NewJob, PlaylistId, Scope,
    WorkerOptions,
};
use sfa_core::{Error, Studio, Watch};

type Failure = Box<dyn std::error::Error>;

const QUEUE: &str = "chaos";
/// Leaves one effect.
const PLAIN: &str = "plain";
/// Takes its whole process down.
const POISON: &str = "poison";
const SLOTS: usize = 4;
const WORKERS: usize = 3;
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

/// Where the library of a scenario is.
#[derive(Clone)]
struct Place {
    folder: PathBuf,
    database_url: Option<String>,
}

impl Place {
    async fn open(&self) -> Result<Library, Failure> {
        let mut config = LibraryConfig::in_folder(&self.folder);
        if let Some(url) = &self.database_url {
            config = config.database_url(url);
        }
        Ok(Studio::new().open(config).await?)
    }

    fn worker(&self) -> Result<Child, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("worker").arg(&self.folder).args(&self.database_url);
        Ok(command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
    }
}

/// The workers of a scenario. Dropping them kills them.
struct Crew {
    place: Place,
    workers: Vec<Child>,
    killed: usize,
}

impl Crew {
    fn hire(place: &Place) -> Result<Self, Failure> {
        let workers = (0..WORKERS).map(|_| place.worker()).collect::<Result<_, _>>()?;
        Ok(Self { place: place.clone(), workers, killed: 0 })
    }

    /// Kills one and hires another.
    fn replace(&mut self, index: usize) -> Result<(), Failure> {
        let worker = &mut self.workers[index % WORKERS];
        worker.kill()?;
        worker.wait()?;
        *worker = self.place.worker()?;
        self.killed += 1;
        Ok(())
    }

    /// Hires for those that died by themselves.
    fn fill_up(&mut self) -> Result<(), Failure> {
        for index in 0..WORKERS {
            if self.workers[index].try_wait()?.is_some() {
                self.workers[index] = self.place.worker()?;
            }
        }
        Ok(())
    }

    fn signal(&self, index: usize, signal: Signal) -> Result<(), Failure> {
        Ok(kill(Pid::from_raw(self.workers[index].id().cast_signed()), signal)?)
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        for worker in &mut self.workers {
            worker.kill().ok();
            worker.wait().ok();
        }
    }
}

async fn enqueue(library: &Library, kind: &str, count: u64, ms: u64) -> Result<(), Failure> {
    for numbers in (0..count).collect::<Vec<_>>().chunks(100) {
        let job = |number: &u64| {
            Change::Enqueue(NewJob::new(QUEUE, kind, serde_json::json!({"number": number, "ms": ms})))
        };
        library.apply(Scope::LOCAL, numbers.iter().map(job).collect()).await?;
    }
    Ok(())
}

/// Jobs that are not finished. A database that is down just now is asked again.
async fn left(library: &Library) -> i64 {
    match library.rows().queues().await {
        Ok(queues) => {
            queues.iter().filter(|queue| queue.name == QUEUE).map(|queue| queue.waiting + queue.running).sum()
        }
        Err(_) => i64::MAX,
    }
}

/// Waits until all is done, doing `trouble` every `pause`, counted from 0.
async fn work_through(
    library: &Library,
    pause: Duration,
    mut trouble: impl FnMut(usize) -> Result<(), Failure>,
) -> Result<f64, Failure> {
    let started = Instant::now();
    let mut last = Instant::now();
    let mut count = 0;
    while left(library).await > 0 {
        if last.elapsed() >= pause {
            trouble(count)?;
            count += 1;
            last = Instant::now();
        }
        if started.elapsed() > PATIENCE {
            return Err(
                format!("{} jobs are left after {} s", left(library).await, PATIENCE.as_secs()).into()
            );
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(started.elapsed().as_secs_f64())
}

/// That every one of `count` jobs had its effect once, and that rows and files agree.
async fn settle(library: &Library, count: u64) -> Result<String, Failure> {
    let effects = library.rows().playlists(Scope::LOCAL).await?.len() as u64;
    if effects != count {
        return Err(format!("{effects} effects of {count} jobs").into());
    }
    for state in [JobState::Discarded, JobState::Cancelled] {
        let query = JobQuery { state: Some(state), track: None, limit: 1 };
        if let Some(job) = library.rows().jobs(Scope::LOCAL, &query).await?.pop() {
            return Err(format!("a job was {state}: {}", job.error.unwrap_or_default()).into());
        }
    }
    let report = library.check(false).await?;
    if !report.is_clean() {
        return Err(format!("rows and files differ: {report:?}").into());
    }
    Ok(format!("{count} jobs, {effects} effects"))
}

/// Workers are killed every second.
async fn killed_workers(place: &Place) -> Result<String, Failure> {
    let library = place.open().await?;
    enqueue(&library, PLAIN, 1500, 60).await?;
    let mut crew = Crew::hire(place)?;
    let secs = work_through(&library, Duration::from_secs(1), |count| crew.replace(count)).await?;
    Ok(format!("{}, {} workers killed, {secs:.0} s", settle(&library, 1500).await?, crew.killed))
}

/// A worker is frozen until others have taken its jobs, and then thawed: its late ends must be refused.
async fn frozen_worker(place: &Place) -> Result<String, Failure> {
    let library = place.open().await?;
    enqueue(&library, PLAIN, 300, 200).await?;
    let crew = Crew::hire(place)?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    crew.signal(0, Signal::SIGSTOP)?;
    tokio::time::sleep(3 * LEASE).await;
    crew.signal(0, Signal::SIGCONT)?;
    let secs = work_through(&library, PATIENCE, |_| Ok(())).await?;
    Ok(format!("{}, frozen {} s, {secs:.0} s more", settle(&library, 300).await?, 3 * LEASE.as_secs()))
}

/// Jobs that take their worker down are tried exactly three times, and others finish.
async fn poison(place: &Place) -> Result<String, Failure> {
    let library = place.open().await?;
    enqueue(&library, POISON, 2, 0).await?;
    enqueue(&library, PLAIN, 100, 20).await?;
    let mut crew = Crew::hire(place)?;
    let secs = work_through(&library, Duration::from_millis(200), |_| crew.fill_up()).await?;
    let query = JobQuery { state: Some(JobState::Discarded), track: None, limit: 10 };
    let discarded = library.rows().jobs(Scope::LOCAL, &query).await?;
    let tries: Vec<i64> = discarded.iter().map(|job| job.attempt).collect();
    if tries != [3, 3] {
        return Err(format!("the poisoned jobs were discarded after {tries:?} attempts").into());
    }
    let effects = library.rows().playlists(Scope::LOCAL).await?.len();
    if effects != 100 {
        return Err(format!("{effects} of 100 neighbours finished").into());
    }
    Ok(format!("2 discarded after 3 attempts each, 100 neighbours finished, {secs:.0} s"))
}

/// PostgreSQL goes down five times as in a power cut.
async fn crashing_database(place: &Place, server: &mut postgres::Server) -> Result<String, Failure> {
    let library = place.open().await?;
    enqueue(&library, PLAIN, 1500, 60).await?;
    let _crew = Crew::hire(place)?;
    let mut crashes = 0;
    let secs = work_through(&library, Duration::from_secs(3), |count| {
        if count < 5 {
            server.crash(Duration::from_secs(1));
            crashes += 1;
        }
        Ok(())
    })
    .await?;
    Ok(format!("{}, {crashes} crashes, {secs:.0} s", settle(&library, 1500).await?))
}

/// All connections are cut five times a second.
async fn cut_connections(
    place: &Place,
    server: &postgres::Server,
    database: &str,
) -> Result<String, Failure> {
    let library = place.open().await?;
    enqueue(&library, PLAIN, 1500, 60).await?;
    let _crew = Crew::hire(place)?;
    let mut cuts = 0;
    let statement = "select pg_terminate_backend(pid) from pg_stat_activity \
                     where datname = current_database() and pid <> pg_backend_pid() limit 1";
    let secs = work_through(&library, Duration::from_millis(200), |_| {
        server.execute(database, statement);
        cuts += 1;
        Ok(())
    })
    .await?;
    Ok(format!("{}, {cuts} connections cut, {secs:.0} s", settle(&library, 1500).await?))
}

/// A SQLite database copied at any moment opens and is whole.
async fn copied_files(place: &Place) -> Result<String, Failure> {
    let library = place.open().await?;
    enqueue(&library, PLAIN, 600, 20).await?;
    let mut crew = Crew::hire(place)?;
    let mut copies = Vec::new();
    work_through(&library, Duration::from_millis(150), |count| {
        let copy = place.folder.join(format!("copy {count}"));
        std::fs::create_dir(&copy)?;
        // What a power cut leaves: both files as they are in this moment, which a killed writer cannot mend.
        for index in 0..WORKERS {
            crew.signal(index, Signal::SIGSTOP)?;
        }
        for name in ["library.sqlite", "library.sqlite-wal"] {
            std::fs::copy(place.folder.join(name), copy.join(name))?;
        }
        crew.replace(count)?;
        for index in 0..WORKERS {
            crew.signal(index, Signal::SIGCONT)?;
        }
        copies.push(copy);
        Ok(())
    })
    .await?;
    let count = copies.len();
    for copy in copies {
        let copied = Place { folder: copy.clone(), database_url: None }.open().await?;
        // Every row can be read, and the numbers of jobs and effects agree.
        let effects = copied.rows().playlists(Scope::LOCAL).await?.len() as i64;
        let unfinished = left(&copied).await;
        if effects + unfinished != 600 {
            return Err(format!("{}: {effects} effects and {unfinished} jobs of 600", copy.display()).into());
        }
    }
    Ok(format!("{}, {count} copies whole", settle(&library, 600).await?))
}

async fn work(folder: &Path, database_url: Option<String>) -> Result<(), Failure> {
    let place = Place { folder: folder.to_owned(), database_url };
    let mut options = WorkerOptions::default();
    options.queues = vec![(QUEUE.to_owned(), SLOTS)];
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
    let sqlite = |name: &str| Place { folder: desk.path().join(name), database_url: None };
    tell("SQLite", "workers are killed", killed_workers(&sqlite("killed")).await);
    tell("SQLite", "a worker is frozen past its lease", frozen_worker(&sqlite("frozen")).await);
    tell("SQLite", "jobs abort their worker", poison(&sqlite("poison")).await);
    tell("SQLite", "files are copied amid writing", copied_files(&sqlite("copied")).await);
    let Some(mut server) = postgres::Server::start() else {
        println!("PostgreSQL is not installed: its scenarios are left out");
        return Ok(!broken);
    };
    let on = |server: &postgres::Server, name: &str| {
        server.create(name);
        Place { folder: desk.path().join(name), database_url: Some(server.url(name)) }
    };
    let place = on(&server, "pg_killed");
    tell("PostgreSQL", "workers are killed", killed_workers(&place).await);
    let place = on(&server, "pg_frozen");
    tell("PostgreSQL", "a worker is frozen past its lease", frozen_worker(&place).await);
    let place = on(&server, "pg_poison");
    tell("PostgreSQL", "jobs abort their worker", poison(&place).await);
    let place = on(&server, "pg_cut");
    tell("PostgreSQL", "connections are cut", cut_connections(&place, &server, "pg_cut").await);
    let place = on(&server, "pg_crash");
    tell("PostgreSQL", "the database crashes", crashing_database(&place, &mut server).await);
    Ok(!broken)
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["worker", folder] => work(folder.as_ref(), None).await.map(|()| true),
        ["worker", folder, url] => work(folder.as_ref(), Some(url.to_owned())).await.map(|()| true),
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
