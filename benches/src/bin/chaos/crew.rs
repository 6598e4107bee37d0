//! Workers in processes of their own, and what they have done.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sfa_core::Studio;
use sfa_core::library::{Change, JobQuery, JobState, Library, LibraryConfig, NewJob, Scope};

use crate::{Failure, PATIENCE, QUEUE};

const SLOTS: usize = 4;
pub(crate) const WORKERS: usize = 3;

/// Where the library of a scenario is.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    pub(crate) database_url: Option<String>,
    /// Jobs that each of its workers runs at once.
    pub(crate) slots: usize,
    /// Whether its workers enqueue a job at every tick of a clock.
    pub(crate) ticks: bool,
}

impl Place {
    pub(crate) fn new(folder: PathBuf, database_url: Option<String>) -> Self {
        Self { folder, database_url, slots: SLOTS, ticks: false }
    }

    pub(crate) async fn open(&self) -> Result<Library, Failure> {
        let mut config = LibraryConfig::in_folder(&self.folder);
        if let Some(url) = &self.database_url {
            config = config.database_url(url);
        }
        Ok(Studio::new().open(config).await?)
    }

    fn worker(&self) -> Result<Child, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(if self.ticks { "clock" } else { "worker" });
        command.arg(self.slots.to_string()).arg(&self.folder).args(&self.database_url);
        Ok(command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
    }
}

/// The workers of a scenario. Dropping them kills them.
pub(crate) struct Crew {
    place: Place,
    workers: Vec<Child>,
    pub(crate) killed: usize,
}

impl Crew {
    pub(crate) fn hire(place: &Place) -> Result<Self, Failure> {
        Self::hire_at(place, place)
    }

    /// One of them reaches the library at another place.
    pub(crate) fn hire_at(first: &Place, others: &Place) -> Result<Self, Failure> {
        let places = std::iter::once(first).chain(std::iter::repeat_n(others, WORKERS - 1));
        let workers = places.map(Place::worker).collect::<Result<_, _>>()?;
        Ok(Self { place: others.clone(), workers, killed: 0 })
    }

    /// Kills one and hires another.
    pub(crate) fn replace(&mut self, index: usize) -> Result<(), Failure> {
        let worker = &mut self.workers[index % WORKERS];
        worker.kill()?;
        worker.wait()?;
        *worker = self.place.worker()?;
        self.killed += 1;
        Ok(())
    }

    /// Hires for those that died by themselves.
    pub(crate) fn fill_up(&mut self) -> Result<(), Failure> {
        for index in 0..WORKERS {
            if self.workers[index].try_wait()?.is_some() {
                self.workers[index] = self.place.worker()?;
            }
        }
        Ok(())
    }

    pub(crate) fn signal(&self, index: usize, signal: Signal) -> Result<(), Failure> {
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

pub(crate) async fn enqueue(library: &Library, kind: &str, count: u64, ms: u64) -> Result<(), Failure> {
    for numbers in (0..count).collect::<Vec<_>>().chunks(100) {
        let job = |number: &u64| {
            Change::Enqueue(NewJob::new(QUEUE, kind, serde_json::json!({"number": number, "ms": ms})))
        };
        library.apply(Scope::LOCAL, numbers.iter().map(job).collect()).await?;
    }
    Ok(())
}

/// Jobs that are not finished. A database that is down just now is asked again.
pub(crate) async fn left(library: &Library) -> i64 {
    match library.rows().queues().await {
        Ok(queues) => {
            queues.iter().filter(|queue| queue.name == QUEUE).map(|queue| queue.waiting + queue.running).sum()
        }
        Err(_) => i64::MAX,
    }
}

/// Waits until all is done, doing `trouble` every `pause`, counted from 0.
pub(crate) async fn work_through(
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
pub(crate) async fn settle(library: &Library, count: u64) -> Result<String, Failure> {
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
