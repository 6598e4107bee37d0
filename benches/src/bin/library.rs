//! What a library's database costs: jobs per second, pages of a large library, the price of history.
//!
//! ```text
//! library queue WHERE [JOBS]      enqueue, work and acknowledge; beside other queues: benches/peers/queue
//! library history FOLDER          claim and acknowledge in SQLite with 1,000 to 1,000,000 finished jobs kept
//! library pages WHERE [TRACKS]    pages, searches and counts of a library of 100,000 tracks
//! library idle FOLDER             how soon a library is open, and what it holds while nothing happens
//! library upload FOLDER [MIB]     the memory that a song of two hours and more takes on its way in
//! library cancel WHERE            how soon a running job hears that it should stop
//! ```
//!
//! WHERE is a folder, or the address of an empty PostgreSQL database. Prints one line of JSON per measurement.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is a command-line tool")]

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use sfa_core::library::{
    Blob, Change, Claim, Fence, Handler, Job, JobQueue as _, JobState, Library, LibraryConfig, NewJob,
    NewTrack, Outcome, Scope, Settings, SqliteStore, Store as _, TrackId, TrackOrder, TrackQuery, WorkerId,
    WorkerOptions,
};
use sfa_core::{Error, Studio, Watch};

type Failure = Box<dyn std::error::Error>;

const QUEUE: &str = "bench";
const KIND: &str = "nothing";
const CONCURRENCY: usize = 10;
/// Jobs of one transaction when many are enqueued.
const BULK: usize = 1000;
/// Jobs enqueued one by one, and jobs whose pick-up is timed.
const SINGLE: usize = 200;

/// Counts the jobs and notes when the last one came.
#[derive(Default)]
struct Nothing {
    done: AtomicU64,
    last: std::sync::Mutex<Option<Instant>>,
}

impl Handler for Nothing {
    fn kinds(&self) -> Vec<String> {
        vec![KIND.to_owned()]
    }

    fn run(&self, _: &Job, _: &Watch) -> Result<Vec<Change>, Error> {
        *self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(Instant::now());
        self.done.fetch_add(1, Ordering::Relaxed);
        Ok(Vec::new())
    }
}

fn job() -> NewJob {
    NewJob::new(QUEUE, KIND, json!({}))
}

async fn open(place: &str, folder: &Path) -> Result<Library, Failure> {
    let config = if place.starts_with("postgres") {
        LibraryConfig::in_folder(folder).database_url(place)
    } else {
        LibraryConfig::in_folder(place)
    };
    Ok(Studio::new().open(config).await?)
}

fn options() -> WorkerOptions {
    let mut options = WorkerOptions::default();
    options.queues = vec![(QUEUE.to_owned(), CONCURRENCY)];
    options
}

async fn queue(place: &str, jobs: usize) -> Result<(), Failure> {
    let desk = tempfile::tempdir()?;
    let library = open(place, desk.path()).await?;
    let started = Instant::now();
    for _ in 0..SINGLE {
        library.apply(Scope::LOCAL, vec![Change::Enqueue(job())]).await?;
    }
    let single = SINGLE as f64 / started.elapsed().as_secs_f64();

    let started = Instant::now();
    for _ in 0..jobs.div_ceil(BULK) {
        library.apply(Scope::LOCAL, (0..BULK).map(|_| Change::Enqueue(job())).collect()).await?;
    }
    let jobs = jobs.div_ceil(BULK) * BULK;
    let enqueuing = started.elapsed();

    let handler = Arc::new(Nothing::default());
    let started = Instant::now();
    let worker = library.start_worker_with(handler.clone(), options()).await?;
    while (handler.done.load(Ordering::Relaxed) as usize) < jobs + SINGLE {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // The last ones are acknowledged as well.
    wait_for_empty(&library).await?;
    let working = started.elapsed();
    let done = handler.done.load(Ordering::Relaxed) as usize;
    if done != jobs + SINGLE {
        return Err(format!("{done} of {} jobs were done", jobs + SINGLE).into());
    }

    // From another connection, as another node would, while the worker waits.
    let other = open(place, desk.path()).await?;
    let mut waits = Vec::new();
    for number in 0..SINGLE {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let before = handler.done.load(Ordering::Relaxed);
        let started = Instant::now();
        other.apply(Scope::LOCAL, vec![Change::Enqueue(job())]).await?;
        while handler.done.load(Ordering::Relaxed) == before {
            tokio::time::sleep(Duration::from_micros(200)).await;
            if started.elapsed() > Duration::from_secs(30) {
                return Err(format!("job {number} was not picked up").into());
            }
        }
        let picked =
            handler.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner).unwrap_or(started);
        waits.push(picked.duration_since(started).as_secs_f64() * 1e3);
        // An idle worker of SQLite is woken by nobody but its own process; the point is made after a few.
        if waits.iter().sum::<f64>() > 20_000.0 {
            break;
        }
    }
    waits.sort_by(f64::total_cmp);
    worker.shutdown(Duration::from_secs(5)).await;
    let total = jobs as f64 / (enqueuing + working).as_secs_f64();
    println!(
        "{}",
        json!({
            "enqueued_singly_per_s": single.round(),
            "enqueued_in_bulk_per_s": (jobs as f64 / enqueuing.as_secs_f64()).round(),
            "worked_per_s": ((jobs + SINGLE) as f64 / working.as_secs_f64()).round(),
            "enqueued_and_worked_per_s": total.round(),
            "pick_up_p50_ms": waits[waits.len() / 2],
            "pick_up_p95_ms": waits[waits.len() * 95 / 100],
        })
    );
    Ok(())
}

async fn wait_for_empty(library: &Library) -> Result<(), Failure> {
    loop {
        let queues = library.rows().queues().await?;
        if !queues.iter().any(|queue| queue.name == QUEUE && queue.waiting + queue.running > 0) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn history(folder: &Path) -> Result<(), Failure> {
    const BATCH: usize = 50;
    const ROUND: usize = 20_000;
    let store = SqliteStore::open(&folder.join("library.sqlite")).await?;
    let claim = Claim {
        worker: WorkerId::random(),
        queue: QUEUE.to_owned(),
        slots: BATCH as i64,
        lease: Duration::from_secs(30),
        deadline: Duration::from_secs(3600),
        capabilities: vec!["cpu".to_owned()],
        kinds: vec![KIND.to_owned()],
    };
    let mut kept = 0;
    for goal in [1_000, 100_000, 1_000_000] {
        while kept < goal {
            let count = (goal - kept).min(ROUND);
            work(&store, &claim, count).await?;
            kept += count;
        }
        let elapsed = work(&store, &claim, ROUND).await?;
        println!(
            "{}",
            json!({
                "finished_jobs_kept": kept,
                "claimed_and_acknowledged_per_s": (ROUND as f64 / elapsed.as_secs_f64()).round(),
            })
        );
        kept += ROUND;
    }
    Ok(())
}

/// Enqueues jobs, and times how long claiming and acknowledging them takes.
async fn work(store: &SqliteStore, claim: &Claim, jobs: usize) -> Result<Duration, Failure> {
    for begin in (0..jobs).step_by(BULK) {
        let count = BULK.min(jobs - begin);
        store.apply(Scope::LOCAL, (0..count).map(|_| Change::Enqueue(job())).collect()).await?;
    }
    let started = Instant::now();
    loop {
        let claimed = store.claim(claim).await?;
        if claimed.is_empty() {
            return Ok(started.elapsed());
        }
        let ended: Vec<(Fence, Outcome)> =
            claimed.iter().map(|job| (job.fence(), Outcome::Completed(Vec::new()))).collect();
        for receipt in store.finish(ended).await? {
            receipt?;
        }
    }
}

/// How much memory this process holds now, and the most that it ever held, in MiB.
fn memory_mib() -> Result<(f64, f64), Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let field = |name: &str| -> Option<f64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().trim_end_matches(" kB").parse::<f64>().ok().map(|kib| kib / 1024.0)
    };
    field("VmRSS:").zip(field("VmHWM:")).ok_or_else(|| "this system does not tell its memory".into())
}

async fn idle(folder: &str) -> Result<(), Failure> {
    let mut times = Vec::new();
    for _ in 0..2 {
        let started = Instant::now();
        let library = open(folder, folder.as_ref()).await?;
        let worker = library.start_worker(WorkerOptions::default()).await?;
        times.push(started.elapsed().as_secs_f64() * 1e3);
        worker.shutdown(Duration::ZERO).await;
    }
    let library = open(folder, folder.as_ref()).await?;
    let _worker = library.start_worker(WorkerOptions::default()).await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (held, most) = memory_mib()?;
    println!("{}", json!({"made_ms": times[0], "opened_ms": times[1], "idle_mib": held, "most_mib": most}));
    Ok(())
}

async fn upload(folder: &Path, mib: usize) -> Result<(), Failure> {
    let library = open(&folder.join("library").to_string_lossy(), folder).await?;
    library.set_settings(Scope::LOCAL, &Settings::of_steps([])).await?;
    let song = folder.join("long.wav");
    std::fs::write(&song, wav_header(u32::try_from(mib << 20)? - 44))?;
    std::fs::OpenOptions::new().write(true).open(&song)?.set_len((mib as u64) << 20)?;
    let (before, _) = memory_mib()?;
    let started = Instant::now();
    library.import(Scope::LOCAL, &song).await?;
    let elapsed = started.elapsed().as_secs_f64();
    let (_, most) = memory_mib()?;
    println!("{}", json!({"mib": mib, "secs": elapsed, "before_mib": before, "most_mib": most}));
    Ok(())
}

/// Of 16-bit stereo.
fn wav_header(data_bytes: u32) -> Vec<u8> {
    let mut header = b"RIFF".to_vec();
    header.extend((data_bytes + 36).to_le_bytes());
    header.extend(b"WAVEfmt \x10\0\0\0\x01\0\x02\0");
    header.extend(44_100_u32.to_le_bytes());
    header.extend((4 * 44_100_u32).to_le_bytes());
    header.extend(b"\x04\0\x10\0data");
    header.extend(data_bytes.to_le_bytes());
    header
}

/// Runs until it is stopped, and says when that was.
struct Endless {
    stopped: std::sync::mpsc::Sender<Instant>,
}

impl Handler for Endless {
    fn kinds(&self) -> Vec<String> {
        vec![KIND.to_owned()]
    }

    fn run(&self, _: &Job, watch: &Watch) -> Result<Vec<Change>, Error> {
        loop {
            if let Err(error) = watch.checkpoint() {
                self.stopped.send(Instant::now()).ok();
                return Err(error);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

async fn cancel(place: &str) -> Result<(), Failure> {
    let desk = tempfile::tempdir()?;
    let library = open(place, desk.path()).await?;
    let (stopped, stops) = std::sync::mpsc::channel();
    let _worker = library.start_worker_with(Arc::new(Endless { stopped }), options()).await?;
    // As another node of a shared database would.
    let other = if place.starts_with("postgres") { open(place, desk.path()).await? } else { library.clone() };
    let mut waits = Vec::new();
    for _ in 0..SINGLE {
        let receipt = library.apply(Scope::LOCAL, vec![Change::Enqueue(job())]).await?;
        let id = receipt.enqueued[0].id();
        while other.rows().job(Scope::LOCAL, id).await?.state != JobState::Executing {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let asked = Instant::now();
        other.apply(Scope::LOCAL, vec![Change::CancelJob(id)]).await?;
        waits.push(stops.recv()?.duration_since(asked).as_secs_f64() * 1e3);
    }
    waits.sort_by(f64::total_cmp);
    let percent = |part: usize| waits[waits.len() * part / 100];
    println!("{}", json!({"cancelled": waits.len(), "p50_ms": percent(50), "p95_ms": percent(95)}));
    Ok(())
}

async fn pages(place: &str, tracks: usize) -> Result<(), Failure> {
    let desk = tempfile::tempdir()?;
    let library = open(place, desk.path()).await?;
    let started = Instant::now();
    for begin in (0..tracks).step_by(BULK) {
        let changes = (begin..(begin + BULK).min(tracks)).map(|number| Change::AddTrack(track(number)));
        library.apply(Scope::LOCAL, changes.collect()).await?;
    }
    eprintln!("{tracks} tracks in {:.1} s", started.elapsed().as_secs_f64());
    let rows = library.rows();
    let middle = rows
        .tracks(Scope::LOCAL, &TrackQuery { limit: 500, order: TrackOrder::Title, ..TrackQuery::default() })
        .await?
        .pop()
        .ok_or("the library is empty")?;
    let query = |search: Option<&str>, order, after| TrackQuery {
        search: search.map(str::to_owned),
        order,
        after,
        ..TrackQuery::default()
    };
    let last = format!("song {}", tracks - 1);
    for (name, query) in [
        ("newest", query(None, TrackOrder::Newest, None)),
        ("by title, a later page", query(None, TrackOrder::Title, Some(middle.id))),
        ("by artist", query(None, TrackOrder::Artist, None)),
        ("a word of all", query(Some("song"), TrackOrder::Newest, None)),
        ("a word of one", query(Some(&last), TrackOrder::Newest, None)),
        ("a word of a hundredth", query(Some("artist 77"), TrackOrder::Title, None)),
        ("two words of few", query(Some("artist 77 colour 3"), TrackOrder::Artist, None)),
        ("a word of none", query(Some("xylophone"), TrackOrder::Newest, None)),
        ("two letters of none", query(Some("qx"), TrackOrder::Newest, None)),
    ] {
        let mut times = Vec::new();
        let mut found = 0;
        for _ in 0..21 {
            let started = Instant::now();
            found = rows.tracks(Scope::LOCAL, &query).await?.len();
            times.push(started.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        println!("{}", json!({"page": name, "tracks": found, "p50_ms": times[10], "worst_ms": times[20]}));
    }
    Ok(())
}

fn track(number: usize) -> NewTrack {
    const COLOURS: [&str; 4] = ["red", "green", "blue", "yellow"];
    NewTrack {
        id: TrackId::random(),
        title: format!("Song {number} in {}", COLOURS[number % 4]),
        artist: Some(format!("Artist {}", number % 1000)),
        album: Some(format!("Colour {}", number % 37)),
        file_name: format!("{number}.mp3"),
        blob: Blob { hash: format!("{number:064x}"), size_bytes: 5_000_000 },
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |index: usize, usual| arguments.get(index).map_or(Ok(usual), |text| text.parse::<usize>());
    let work = async {
        match arguments[..] {
            ["queue", place, ..] => queue(place, number(2, 20_000)?).await,
            ["history", folder] => history(Path::new(folder)).await,
            ["pages", place, ..] => pages(place, number(2, 100_000)?).await,
            ["idle", folder] => idle(folder).await,
            ["upload", folder, ..] => upload(Path::new(folder), number(2, 2048)?).await,
            ["cancel", place] => cancel(place).await,
            _ => Err("library queue | history | pages | idle | upload | cancel WHERE [NUMBER]".into()),
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime.map_err(Failure::from).and_then(|runtime| runtime.block_on(work)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
