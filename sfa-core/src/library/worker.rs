//! Doing the work: takes jobs, runs their handlers, keeps their leases, reports how they ended.
//!
//! One task does all the talking to the database and runs no handler, so that a busy handler never costs a lease.
//! Handlers run on threads of their own.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::bus::Bus;
use super::{
    Change, Claim, Database, Fence, Heartbeat, Job, JobId, LibraryErrorKind, LibraryResult, Outcome, Receipt,
    Schedule, Times, Verdict, WorkerId, download,
};
use crate::{Error, ErrorKind, Watch};

const HOUR: Duration = Duration::from_secs(3600);
/// Completed jobs are kept so long.
const COMPLETED_AGE: Duration = Duration::from_secs(7 * 24 * 3600);
/// Failed ones so long.
const FAILED_AGE: Duration = Duration::from_secs(30 * 24 * 3600);
/// Jobs that end within this time of each other are reported together.
const GATHERING: Duration = Duration::from_millis(1);
/// Ends wait so long for the answer to the report before theirs, or before they are told again: few large reports cost
/// less than many, but a connection may be lost without a word.
const REPORT_INTERVAL: Duration = Duration::from_millis(250);
/// Reports that have no answer yet.
const MOST_REPORTS: usize = 4;
/// Progress reaches listeners at most so often.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(250);

/// Does jobs of some kinds.
///
/// A handler may be run again after it failed, or after its worker died at any point: it first looks whether its
/// work is done already, and everything it changes it returns, to be written together with the end of its job.
pub trait Handler: Send + Sync {
    /// The kinds that it does.
    fn kinds(&self) -> Vec<String>;

    /// How many more jobs of a queue can begin beside `running` of them, whatever the options of the worker allow.
    fn room(&self, _queue: &str, _running: usize) -> usize {
        usize::MAX
    }

    /// Does one job, on a thread of its own.
    ///
    /// # Errors
    /// Of kind `Cancelled` when `watch` was stopped. What a second try cannot mend is final: `UnsupportedFormat`,
    /// `Damaged`, `InvalidOption`, `ModelUnavailable` and `ToolUnavailable`. After others the job is tried again.
    fn run(&self, job: &Job, watch: &Watch) -> Result<Vec<Change>, Error>;
}

/// How a worker works.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct WorkerOptions {
    /// What it is called in lists.
    pub name: String,
    /// The queues it takes from, and how many of each it runs at once. Default: [`QUEUES`](Self::QUEUES).
    pub queues: Vec<(String, usize)>,
    /// What it can do, for jobs that require something.
    pub capabilities: Vec<String>,
    /// After so long without a sign of life its jobs are given to others. Default: 30 s.
    pub lease: Duration,
    /// The longest that a job may run. Default: 6 h.
    pub deadline: Duration,
    /// How often it looks for jobs when nothing wakes it. Default: 1 s.
    pub poll: Duration,
    /// Jobs that come again and again, which it looks after together with all workers that know them.
    pub schedules: Vec<Schedule>,
    /// When the library is tidied up, by whichever worker is free; the same for all workers. Default: 03:00 UTC each night.
    pub nightly: Times,
}

impl WorkerOptions {
    /// Every queue, and how many of its jobs a worker runs at once unless it is told otherwise.
    pub const QUEUES: [(&'static str, usize); 4] =
        [("separate", 2), ("analyze", 2), ("export", 2), (download::QUEUE, 3)];
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            name: "sfa".to_owned(),
            queues: Self::QUEUES.map(|(queue, slots)| (queue.to_owned(), slots)).to_vec(),
            capabilities: vec!["cpu".to_owned()],
            lease: Duration::from_secs(30),
            deadline: Duration::from_secs(6 * 3600),
            poll: Duration::from_secs(1),
            schedules: Vec::new(),
            nightly: Times::every(24 * HOUR, 3 * HOUR),
        }
    }
}

/// A worker at work. Dropping it leaves it at work until its runtime ends.
#[derive(Debug)]
pub struct Worker {
    id: WorkerId,
    stop: watch::Sender<Option<Duration>>,
    task: JoinHandle<()>,
}

impl Worker {
    /// Takes no further jobs, waits up to `grace` for those that run, stops the rest and gives them back uncounted.
    pub async fn shutdown(self, grace: Duration) {
        self.stop.send(Some(grace)).ok();
        // The task ends by itself; it cannot have panicked unless this crate is at fault.
        self.task.await.ok();
    }

    /// What it is called in the database.
    pub fn id(&self) -> WorkerId {
        self.id
    }
}

/// What a worker is given.
pub(crate) struct Bench {
    pub(crate) database: Arc<dyn Database>,
    pub(crate) bus: Bus,
    pub(crate) wake: Arc<Notify>,
    pub(crate) handler: Arc<dyn Handler>,
}

/// Starts a worker on the current runtime.
pub(crate) async fn start(bench: Bench, options: WorkerOptions) -> LibraryResult<Worker> {
    let id = WorkerId::random();
    bench.database.register(id, &options.name, &options.capabilities).await?;
    let (stop, stopped) = watch::channel(None);
    let (ended_sender, ended) = mpsc::unbounded_channel();
    let foreman = Foreman {
        bench,
        id,
        options,
        running: HashMap::new(),
        unwritten: Vec::new(),
        reports: JoinSet::new(),
        claims: JoinSet::new(),
        asked: HashMap::new(),
        report_again_at: Instant::now(),
        ended_sender,
        last_beat: Instant::now(),
        last_rescue: None,
        last_schedules: None,
    };
    let task = tokio::spawn(foreman.work(ended, stopped));
    Ok(Worker { id, stop, task })
}

struct Run {
    fence: Fence,
    queue: String,
    watch: Watch,
    progress: Arc<AtomicI64>,
    told: i64,
    verdict: Verdict,
}

/// Ends of runs, and what the database says to them, if it took them.
struct Report {
    ended: Vec<(Fence, Outcome)>,
    receipts: Option<Vec<LibraryResult<Receipt>>>,
}

/// What a claim for some slots of a queue found.
struct Found {
    queue: String,
    slots: usize,
    jobs: Vec<Job>,
}

struct Foreman {
    bench: Bench,
    id: WorkerId,
    options: WorkerOptions,
    running: HashMap<JobId, Run>,
    /// Ends that are to be reported to the database.
    unwritten: Vec<(Fence, Outcome)>,
    /// Ends on their way to it.
    reports: JoinSet<Report>,
    /// Claims on their way to it.
    claims: JoinSet<Found>,
    /// The queues that they ask, each one claim at a time, and whether there was news of jobs since.
    asked: HashMap<String, bool>,
    /// When the next report is sent, if the last one is not taken before.
    report_again_at: Instant,
    ended_sender: mpsc::UnboundedSender<(Fence, Result<Vec<Change>, Error>)>,
    last_beat: Instant,
    last_rescue: Option<Instant>,
    last_schedules: Option<Instant>,
}

impl Foreman {
    async fn work(
        mut self,
        mut ended: mpsc::UnboundedReceiver<(Fence, Result<Vec<Change>, Error>)>,
        mut stopped: watch::Receiver<Option<Duration>>,
    ) {
        let mut give_up_at = None;
        let wake = Arc::clone(&self.bench.wake);
        let mut next_look = Instant::now();
        loop {
            if give_up_at.is_none() {
                if Instant::now() >= next_look {
                    self.enqueue_due().await;
                    self.claim();
                    next_look = Instant::now() + self.options.poll;
                }
            } else if self.is_idle() {
                break;
            }
            self.keep_up().await;
            if give_up_at.is_some_and(|at| Instant::now() >= at) {
                self.running.values().for_each(|run| run.watch.stop());
            }
            let pause = PROGRESS_INTERVAL.min(next_look.saturating_duration_since(Instant::now()));
            let pause = if self.is_idle() {
                next_look.saturating_duration_since(Instant::now())
            } else {
                pause.max(Duration::from_millis(1))
            };
            tokio::select! {
                Some((fence, result)) = ended.recv() => {
                    self.note_end(fence, result, give_up_at.is_some());
                    let until = tokio::time::Instant::now() + GATHERING;
                    while !self.running.is_empty()
                        && let Ok(Some((fence, result))) = tokio::time::timeout_at(until, ended.recv()).await
                    {
                        self.note_end(fence, result, give_up_at.is_some());
                    }
                    self.report_ends();
                    next_look = Instant::now();
                }
                Some(report) = self.reports.join_next(), if !self.reports.is_empty() => {
                    // A report that was lost leaves its jobs to be rescued.
                    if let Ok(report) = report {
                        self.note_report(report);
                    }
                    next_look = Instant::now();
                }
                Some(found) = self.claims.join_next(), if !self.claims.is_empty() => {
                    match found {
                        Ok(found) => {
                            if self.note_found(found, give_up_at.is_some()) {
                                next_look = Instant::now();
                            }
                        }
                        // A claim that was lost leaves its jobs to be rescued.
                        Err(_) => self.asked.clear(),
                    }
                }
                () = wake.notified() => {
                    if give_up_at.is_none() {
                        self.asked.values_mut().for_each(|has_news| *has_news = true);
                        self.claim();
                    }
                    // A cancelled job hears of it at once, not at its next regular beat.
                    if !self.running.is_empty() {
                        self.beat().await;
                    }
                }
                _ = stopped.changed(), if give_up_at.is_none() => {
                    let grace = stopped.borrow().unwrap_or_default();
                    give_up_at = Some(Instant::now() + grace);
                }
                () = tokio::time::sleep(pause) => {}
            }
        }
        self.bench.database.unregister(self.id).await.ok();
    }

    /// Enqueues what its time has come for. A database that does not answer is asked again at the next look.
    async fn enqueue_due(&mut self) {
        if self.last_schedules.is_some_and(|at| at.elapsed() < self.options.poll) {
            return;
        }
        self.last_schedules = Some(Instant::now());
        if self.options.schedules.is_empty() {
            return;
        }
        let Ok(now_ms) = self.bench.database.clock_ms().await else { return };
        for schedule in &self.options.schedules {
            if let Ok(Some(receipt)) = self.bench.database.enqueue_due(schedule, now_ms).await {
                self.bench.bus.publish(&receipt.events);
            }
        }
    }

    /// Asks for jobs for the free slots of every queue.
    fn claim(&mut self) {
        for (queue, slots) in &self.options.queues {
            if self.asked.contains_key(queue) {
                continue;
            }
            let taken = self.running.values().filter(|run| run.queue == *queue).count();
            let mut free = slots.saturating_sub(taken);
            if free > 0 {
                free = free.min(self.bench.handler.room(queue, taken));
            }
            if free == 0 {
                continue;
            }
            self.asked.insert(queue.clone(), false);
            let claim = Claim {
                worker: self.id,
                queue: queue.clone(),
                slots: free as i64,
                lease: self.options.lease,
                deadline: self.options.deadline,
                capabilities: self.options.capabilities.clone(),
                kinds: self.bench.handler.kinds(),
            };
            let database = Arc::clone(&self.bench.database);
            self.claims.spawn(async move {
                // A database that does not answer is asked again at the next look.
                let jobs = database.claim(&claim).await.unwrap_or_default();
                Found { queue: claim.queue, slots: free, jobs }
            });
        }
    }

    /// Begins what was found, or gives it back. Whether there may be more.
    fn note_found(&mut self, found: Found, shutting_down: bool) -> bool {
        let has_news = self.asked.remove(&found.queue).unwrap_or_default();
        let has_more = has_news || found.jobs.len() == found.slots;
        for job in found.jobs {
            if shutting_down {
                self.unwritten.push((job.fence(), Outcome::Released));
            } else {
                self.begin(job);
            }
        }
        has_more
    }

    fn begin(&mut self, job: Job) {
        let progress = Arc::new(AtomicI64::new(0));
        let watch = Watch::new().forward_to({
            let progress = Arc::clone(&progress);
            move |news| {
                if let Some(fraction) = news.fraction() {
                    progress.fetch_max((fraction * 100.0) as i64, Ordering::Relaxed);
                }
            }
        });
        let run = Run {
            fence: job.fence(),
            queue: job.queue.clone(),
            watch: watch.clone(),
            progress,
            told: 0,
            verdict: Verdict::Continue,
        };
        self.running.insert(job.id, run);
        let (handler, ended) = (Arc::clone(&self.bench.handler), self.ended_sender.clone());
        tokio::task::spawn_blocking(move || {
            let span = tracing::info_span!("job", job_id = %job.id, kind = %job.kind, user_id = %job.user);
            let _inside = span.enter();
            let began = Instant::now();
            let result = catch_unwind(AssertUnwindSafe(|| handler.run(&job, &watch)))
                .unwrap_or_else(|_| Err(Error::new(ErrorKind::Internal, "the handler panicked")));
            note(&job, &result, began.elapsed());
            // The receiver is gone only when the whole worker is.
            ended.send((job.fence(), result)).ok();
        });
    }

    fn note_end(&mut self, fence: Fence, result: Result<Vec<Change>, Error>, shutting_down: bool) {
        let Some(run) = self.running.remove(&fence.job) else { return };
        let outcome = match (result, run.verdict) {
            (_, Verdict::Stale) => return,
            (Ok(changes), _) => Outcome::Completed(changes),
            (Err(error), Verdict::Cancel) if error.is_cancelled() => Outcome::Cancelled,
            (Err(error), _) if error.is_cancelled() && shutting_down => Outcome::Released,
            (Err(error), _) => Outcome::Failed {
                is_final: matches!(
                    error.kind(),
                    ErrorKind::UnsupportedFormat
                        | ErrorKind::Damaged
                        | ErrorKind::InvalidOption
                        | ErrorKind::ModelUnavailable
                        | ErrorKind::ToolUnavailable
                ),
                error: error.to_string(),
            },
        };
        self.unwritten.push((fence, outcome));
    }

    /// Whether nothing runs, nothing is on its way and the database knows of every end.
    fn is_idle(&self) -> bool {
        self.running.is_empty()
            && self.unwritten.is_empty()
            && self.reports.is_empty()
            && self.claims.is_empty()
    }

    /// Reports all that has ended; nobody waits for that: slots are free already.
    fn report_ends(&mut self) {
        if self.unwritten.is_empty()
            || self.reports.len() >= MOST_REPORTS
            || Instant::now() < self.report_again_at
        {
            return;
        }
        self.report_again_at = Instant::now() + REPORT_INTERVAL;
        let (ended, database) = (std::mem::take(&mut self.unwritten), Arc::clone(&self.bench.database));
        self.reports.spawn(async move {
            let receipts = database.finish(ended.clone()).await.ok();
            Report { ended, receipts }
        });
    }

    /// What the database has taken is told to listeners; what it has not it is told again.
    fn note_report(&mut self, report: Report) {
        let Some(receipts) = report.receipts else {
            self.unwritten.extend(report.ended);
            self.report_again_at = Instant::now() + REPORT_INTERVAL;
            return;
        };
        self.report_again_at = Instant::now();
        for ((fence, outcome), receipt) in report.ended.into_iter().zip(receipts) {
            match receipt {
                Ok(receipt) => {
                    self.bench.bus.publish(&receipt.events);
                    if !receipt.enqueued.is_empty() {
                        self.bench.wake.notify_one();
                    }
                }
                Err(error) if matches!(outcome, Outcome::Completed(_)) && is_fault(error.kind()) => {
                    // The work was done, but what came of it cannot be written: that is a failure of the job.
                    let error = error.to_string();
                    self.unwritten.push((fence, Outcome::Failed { error, is_final: false }));
                }
                // The run belongs to somebody else by now, or its track is gone.
                Err(_) => {}
            }
        }
    }

    /// What has to be done at its time, whatever else happens.
    async fn keep_up(&mut self) {
        self.report_ends();
        let since_beat = self.last_beat.elapsed();
        let has_news = self.running.values().any(|run| run.progress.load(Ordering::Relaxed) > run.told);
        if since_beat >= self.options.lease / 3 || has_news && since_beat >= PROGRESS_INTERVAL {
            self.beat().await;
        }
        if self.last_beat.elapsed() > self.options.lease / 2 {
            // Others may be about to be given these jobs: stop before they are.
            for run in self.running.values_mut() {
                run.watch.stop();
            }
        }
        if self.last_rescue.is_none_or(|at| at.elapsed() >= self.options.lease / 3) {
            self.last_rescue = Some(Instant::now());
            self.maintain().await.ok();
        }
    }

    async fn beat(&mut self) {
        let beats: Vec<Heartbeat> = self
            .running
            .values()
            .map(|run| Heartbeat {
                fence: run.fence,
                progress: run.progress.load(Ordering::Relaxed).clamp(0, 100),
                stage: String::new(),
            })
            .collect();
        let Ok((verdicts, events)) = self.bench.database.beat(self.id, self.options.lease, &beats).await
        else {
            return;
        };
        self.last_beat = Instant::now();
        self.bench.bus.publish(&events);
        for (beat, verdict) in beats.iter().zip(verdicts) {
            if let Some(run) = self.running.get_mut(&beat.fence.job) {
                run.told = beat.progress;
                run.verdict = verdict;
                if verdict != Verdict::Continue {
                    run.watch.stop();
                }
            }
        }
    }

    async fn maintain(&self) -> LibraryResult<()> {
        let Bench { database, bus, .. } = &self.bench;
        bus.publish(&database.rescue().await?);
        let hourly = Times::every(HOUR, Duration::ZERO);
        if database.due("prune", &hourly, database.clock_ms().await?).await? {
            database.prune(COMPLETED_AGE, FAILED_AGE).await?;
            database.forget_old().await?;
        }
        Ok(())
    }
}

/// Says in the log how a run ended; which it was, the span says.
fn note(job: &Job, result: &Result<Vec<Change>, Error>, took: Duration) {
    let track = job.track.map(|track| track.to_string()).unwrap_or_default();
    let (attempt, duration_ms) = (job.attempt, u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    match result {
        Ok(_) => tracing::info!(track, attempt, duration_ms, "done"),
        Err(error) if error.is_cancelled() => tracing::info!(track, attempt, duration_ms, "stopped"),
        Err(error) => tracing::warn!(track, attempt, duration_ms, "failed: {error}"),
    }
}

fn is_fault(kind: LibraryErrorKind) -> bool {
    !matches!(kind, LibraryErrorKind::Conflict | LibraryErrorKind::NotFound)
}
