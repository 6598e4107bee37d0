//! What happens, and what must hold afterwards.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use sfa_core::library::{Change, Job, JobQuery, JobState, Library, LibraryErrorKind, NewJob, Scope};

use crate::crew::{Crew, Place, WORKERS, enqueue, left, settle, work_through};
use crate::partition::Partition;
use crate::{Failure, LEASE, PATIENCE, PLAIN, POISON, QUEUE, TICK, postgres};

/// Workers are killed every second.
pub(crate) async fn killed_workers(place: &Place) -> Result<String, Failure> {
    let library = place.open().await?;
    enqueue(&library, PLAIN, 1500, 60).await?;
    let mut crew = Crew::hire(place)?;
    let secs = work_through(&library, Duration::from_secs(1), |count| crew.replace(count)).await?;
    Ok(format!("{}, {} workers killed, {secs:.0} s", settle(&library, 1500).await?, crew.killed))
}

/// A worker is frozen until others have taken its jobs, and then thawed: its late ends must be refused.
pub(crate) async fn frozen_worker(place: &Place) -> Result<String, Failure> {
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
pub(crate) async fn poison(place: &Place) -> Result<String, Failure> {
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
pub(crate) async fn crashing_database(
    place: &Place,
    server: &mut postgres::Server,
) -> Result<String, Failure> {
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
pub(crate) async fn cut_connections(
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
pub(crate) async fn copied_files(place: &Place) -> Result<String, Failure> {
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
        let copied = Place::new(copy.clone(), None).open().await?;
        // Every row can be read, and the numbers of jobs and effects agree.
        let effects = copied.rows().playlists(Scope::LOCAL).await?.len() as i64;
        let unfinished = left(&copied).await;
        if effects + unfinished != 600 {
            return Err(format!("{}: {effects} effects and {unfinished} jobs of 600", copy.display()).into());
        }
    }
    Ok(format!("{}, {count} copies whole", settle(&library, 600).await?))
}

/// One worker is cut off from the database for longer than its lease, and the network comes back.
pub(crate) async fn partitioned_worker(
    place: &Place,
    server: &postgres::Server,
    database: &str,
) -> Result<String, Failure> {
    let library = place.open().await?;
    enqueue(&library, PLAIN, 600, 200).await?;
    let partition = Partition::before(&server.socket())?;
    let cut_off = Place { database_url: Some(partition.url(database)), ..place.clone() };
    let _crew = Crew::hire_at(&cut_off, place)?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    partition.hold(true);
    tokio::time::sleep(3 * LEASE).await;
    partition.hold(false);
    let secs = work_through(&library, PATIENCE, |_| Ok(())).await?;
    Ok(format!("{}, cut off {} s, {secs:.0} s more", settle(&library, 600).await?, 3 * LEASE.as_secs()))
}

/// Many running jobs are cancelled while no news gets through: each worker hears of it at its next beat.
pub(crate) async fn cancelled_without_news(
    place: &Place,
    server: &postgres::Server,
    database: &str,
) -> Result<String, Failure> {
    const JOBS: usize = 200;
    let place = Place { slots: JOBS.div_ceil(WORKERS), ..place.clone() };
    let library = place.open().await?;
    enqueue(&library, PLAIN, JOBS as u64, 120_000).await?;
    let _crew = Crew::hire(&place)?;
    let jobs = loop {
        let jobs = in_state(&library, JobState::Executing).await?;
        if jobs.len() == JOBS {
            break jobs;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let deafen = "select pg_terminate_backend(pid) from pg_stat_activity \
                  where datname = current_database() and query ilike 'listen%'";
    server.execute(database, deafen);
    let started = Instant::now();
    library.apply(Scope::LOCAL, jobs.iter().map(|job| Change::CancelJob(job.id)).collect()).await?;
    while in_state(&library, JobState::Cancelled).await?.len() < JOBS {
        if started.elapsed() > PATIENCE {
            return Err("not all jobs stopped".into());
        }
        server.execute(database, deafen);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let secs = started.elapsed();
    if secs > LEASE / 3 + Duration::from_secs(1) {
        return Err(format!("the last of {JOBS} jobs stopped after {:.1} s", secs.as_secs_f64()).into());
    }
    Ok(format!("{JOBS} running jobs stopped within {:.1} s", secs.as_secs_f64()))
}

/// Several workers look after one schedule while they are killed in turn: every time has its job, and only one.
pub(crate) async fn ticking_clock(place: &Place) -> Result<String, Failure> {
    const TICKS: usize = 60;
    let place = Place { ticks: true, ..place.clone() };
    let library = place.open().await?;
    let mut crew = Crew::hire(&place)?;
    let started = Instant::now();
    let jobs = loop {
        let query = JobQuery { state: None, track: None, limit: 500 };
        let jobs = library.rows().jobs(Scope::LOCAL, &query).await?;
        if jobs.len() >= TICKS {
            break jobs;
        }
        if started.elapsed() > PATIENCE {
            return Err(format!("{} of {TICKS} jobs came", jobs.len()).into());
        }
        crew.replace(jobs.len())?;
        tokio::time::sleep(2 * TICK).await;
    };
    let killed = crew.killed;
    drop(crew);
    let tick_ms = i64::try_from(TICK.as_millis())?;
    let mut times: Vec<i64> = jobs.iter().map(|job| job.created_at_ms / tick_ms).collect();
    times.sort_unstable();
    if let Some(pair) = times.windows(2).find(|pair| pair[1] != pair[0] + 1) {
        return Err(format!("jobs of the times {} and {} follow each other", pair[0], pair[1]).into());
    }
    Ok(format!("{} times, {} jobs, {killed} workers killed", times.len(), jobs.len()))
}

/// A small disk is filled by somebody else: reading goes on, new songs are refused, and no job is lost.
pub(crate) async fn full_disk(place: &Place) -> Result<String, Failure> {
    let Some(disk) = SmallDisk::mount(&place.folder)? else {
        return Ok("left out: a disk can only be made by an administrator".to_owned());
    };
    let library = place.open().await?;
    enqueue(&library, PLAIN, 3000, 50).await?;
    let _crew = Crew::hire(place)?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let filler = disk.fill()?;
    let before = left(&library).await;
    // What is written already has its place on the disk; this needs more.
    let large = NewJob::new(QUEUE, PLAIN, serde_json::json!({"text": "x".repeat(8 << 20)}));
    let large = library.apply(Scope::LOCAL, vec![Change::Enqueue(large)]).await.map(|_| ());
    let song = library.import(Scope::LOCAL, &std::env::current_exe()?).await.map(|_| ());
    for (what, answer) in [("a large change", large), ("a song", song)] {
        if !answer.as_ref().is_err_and(|error| error.kind() == LibraryErrorKind::NoSpace) {
            return Err(format!("{what} for a full disk was answered by {answer:?}").into());
        }
    }
    tokio::time::sleep(2 * LEASE).await;
    let after = left(&library).await;
    if after == i64::MAX {
        return Err("the library could not be read".into());
    }
    std::fs::remove_file(filler)?;
    let secs = work_through(&library, PATIENCE, |_| Ok(())).await?;
    let settled = settle(&library, 3000).await?;
    Ok(format!("{settled}, {} of {before} done meanwhile, {secs:.0} s more", before - after))
}

/// A file system of its own, in memory.
struct SmallDisk<'a> {
    folder: &'a Path,
}

impl<'a> SmallDisk<'a> {
    /// Where that is allowed.
    fn mount(folder: &'a Path) -> Result<Option<Self>, Failure> {
        std::fs::create_dir_all(folder)?;
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", "size=288m", "tmpfs"]).arg(folder).stderr(Stdio::null());
        Ok(command.status()?.success().then_some(Self { folder }))
    }

    /// Takes what is left of it.
    fn fill(&self) -> Result<PathBuf, Failure> {
        let path = self.folder.join("filler");
        let mut file = std::fs::File::create(&path)?;
        for size in [1 << 20, 1 << 12, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
        Ok(path)
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        // Files of it may still be open for a moment: detached, it goes with the last of them.
        Command::new("umount").arg("-l").arg(self.folder).status().ok();
    }
}

async fn in_state(library: &Library, state: JobState) -> Result<Vec<Job>, Failure> {
    let query = JobQuery { state: Some(state), track: None, limit: 500 };
    Ok(library.rows().jobs(Scope::LOCAL, &query).await?)
}
