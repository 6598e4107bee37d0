//! The queue.

use std::collections::HashSet;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use sqlx::Acquire as _;

use super::changes::{PROGRESS, Writer};
use super::notes::Notes;
use super::rows::{self, get, job_columns, parsed};
use super::{Connection, Rows, Scope, failed, millis, schedules, take_alone};
use crate::library::download;
use crate::library::queue::{backoff, shares};
use crate::library::store::{Claim, Heartbeat, JobCount, JobQueue, QueueStatus, Verdict, WorkerStatus};
use crate::library::{
    Change, Event, Fence, Job, JobId, JobState, LibraryError, LibraryErrorKind, LibraryResult, Outcome,
    Receipt, Schedule, Times, UserId, WorkerId,
};

/// A job that was put off so often is put off no more: it fails.
const MOST_SNOOZES: i64 = 1000;
/// Rows removed by one transaction of [`JobQueue::prune`].
const PRUNED_AT_ONCE: i64 = 1000;
/// How long events can be caught up with.
const EVENTS_AGE_MS: i64 = 7 * 24 * 3_600_000;
/// What workers have logged is for those who look now.
const LOG_AGE_MS: i64 = 3_600_000;
/// Packages can be made again at any time.
const PACKAGES_AGE_MS: i64 = 7 * 24 * 3_600_000;
/// A worker that was silent so long is gone.
const WORKER_AGE_MS: i64 = 24 * 3_600_000;

/// How long the same request is given the same answer.
pub(super) const ANSWERS_AGE_MS: i64 = 24 * 3_600_000;

#[async_trait]
impl JobQueue for Rows {
    async fn claim(&self, claim: &Claim) -> LibraryResult<Vec<Job>> {
        let jobs = take_alone(self, claim).await?;
        if !jobs.is_empty() {
            return Ok(jobs);
        }
        let mut transaction = self.claims.begin().await.map_err(failed)?;
        let jobs = claim_fairly(&mut transaction, claim).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(jobs)
    }

    async fn beat(
        &self,
        worker: WorkerId,
        lease: Duration,
        running: &[Heartbeat],
    ) -> LibraryResult<(Vec<Verdict>, Vec<Event>)> {
        let mut transaction = self.begin().await?;
        let (mut receipt, mut notes) = (Receipt::default(), Notes::default());
        let mut verdicts = Vec::with_capacity(running.len());
        sqlx::query(concat!("update workers set seen_at_ms = ", now_ms!(), " where id = $1"))
            .bind(worker.to_string())
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        for beat in running {
            let row = sqlx::query(concat!(
                "update jobs set lease_until_ms = ",
                now_ms!(),
                " + $3, stage = $4, \
                 progress = case when $5 > progress then $5 else progress end \
                 where id = $1 and run_lease = $2 and state = 'executing' \
                 returning user_id, track_id, kind, progress, cancel_requested"
            ))
            .bind(beat.fence.job.to_string())
            .bind(beat.fence.run_lease)
            .bind(millis(lease))
            .bind(&beat.stage)
            .bind(beat.progress.clamp(0, 100))
            .fetch_optional(&mut *transaction)
            .await
            .map_err(failed)?;
            let Some(row) = row else {
                verdicts.push(Verdict::Stale);
                continue;
            };
            let is_cancelled: bool = get(&row, "cancel_requested")?;
            verdicts.push(if is_cancelled { Verdict::Cancel } else { Verdict::Continue });
            let scope = Scope::of(parsed::<UserId>(&row, "user_id")?);
            notes.job(scope.user, beat.fence.job);
            if let Some(track) = rows::parsed_if_any(&row, "track_id")? {
                let payload = json!({
                    "job": beat.fence.job, "job_kind": get::<String>(&row, "kind")?,
                    "progress": get::<i64>(&row, "progress")?, "stage": beat.stage,
                });
                let mut writer = Writer::new(&mut transaction, scope, &mut receipt, &mut notes);
                writer.tell_track(track, PROGRESS, payload).await?;
            }
        }
        notes.write(&mut transaction, &mut receipt.events).await?;
        transaction.commit().await.map_err(failed)?;
        Ok((verdicts, receipt.events))
    }

    async fn finish(&self, ended: Vec<(Fence, Outcome)>) -> LibraryResult<Vec<LibraryResult<Receipt>>> {
        let is_plain =
            |outcome: &Outcome| matches!(outcome, Outcome::Completed(changes) if changes.is_empty());
        let plain: Vec<Fence> =
            ended.iter().filter(|(_, outcome)| is_plain(outcome)).map(|(fence, _)| *fence).collect();
        let done = self.complete_plainly(&plain).await?;
        if done.len() == ended.len() {
            return Ok(ended.iter().map(|_| Ok(Receipt::default())).collect());
        }
        let mut transaction = self.begin().await?;
        let mut receipts = Vec::with_capacity(ended.len());
        let mut notes = Notes::default();
        for (fence, outcome) in ended {
            if done.contains(&fence.job) {
                receipts.push(Ok(Receipt::default()));
                continue;
            }
            let mut part = transaction.begin().await.map_err(failed)?;
            let mut of_part = Notes::default();
            let receipt = settle(&mut part, fence, outcome, &mut of_part).await;
            if receipt.is_ok() {
                part.commit().await.map_err(failed)?;
                notes.append(of_part);
            } else {
                part.rollback().await.map_err(failed)?;
            }
            receipts.push(receipt);
        }
        // There are notes only where a run was ended.
        if let Some(Ok(receipt)) = receipts.iter_mut().rfind(|receipt| receipt.is_ok()) {
            notes.write(&mut transaction, &mut receipt.events).await?;
        }
        transaction.commit().await.map_err(failed)?;
        Ok(receipts)
    }

    async fn rescue(&self) -> LibraryResult<Vec<Event>> {
        let mut transaction = self.begin().await?;
        let lost = sqlx::query(concat!(
            "select id, run_lease, lease_until_ms < ",
            now_ms!(),
            " as is_silent from jobs where state = 'executing' and (lease_until_ms < ",
            now_ms!(),
            " or deadline_at_ms < ",
            now_ms!(),
            ")",
            locking!()
        ))
        .fetch_all(&mut *transaction)
        .await
        .map_err(failed)?;
        let (mut events, mut notes) = (Vec::new(), Notes::default());
        for row in &lost {
            let fence = Fence { job: parsed(row, "id")?, run_lease: get(row, "run_lease")? };
            let error = if get(row, "is_silent")? {
                "the worker was not heard of any more"
            } else {
                "it took longer than a job of its kind may"
            };
            let outcome = Outcome::Failed { error: error.to_owned(), is_final: false };
            events.extend(settle(&mut transaction, fence, outcome, &mut notes).await?.events);
        }
        notes.write(&mut transaction, &mut events).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(events)
    }

    async fn set_paused(&self, queue: &str, paused: bool) -> LibraryResult<()> {
        let statement = "insert into queues (name, is_paused) values ($1, $2) \
                         on conflict (name) do update set is_paused = excluded.is_paused";
        self.execute(sqlx::query(statement).bind(queue).bind(paused)).await
    }

    async fn set_limit(&self, queue: &str, running: Option<i64>) -> LibraryResult<()> {
        let statement = "insert into queues (name, running_limit) values ($1, $2) \
                         on conflict (name) do update set running_limit = excluded.running_limit";
        self.execute(sqlx::query(statement).bind(queue).bind(running)).await
    }

    async fn queues(&self) -> LibraryResult<Vec<QueueStatus>> {
        let found = sqlx::query(
            "select names.name, coalesce(q.is_paused, false) as is_paused, q.running_limit, \
             (select count(*) from jobs where queue = names.name \
                 and state in ('available', 'scheduled', 'retryable')) as waiting, \
             (select count(*) from jobs where queue = names.name and state = 'executing') as running \
             from (select name from queues union select queue from jobs \
                 where state in ('available', 'scheduled', 'retryable', 'executing')) as names \
             left join queues q on q.name = names.name order by names.name",
        )
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        let status = |row| {
            Ok(QueueStatus {
                name: get(row, "name")?,
                is_paused: get(row, "is_paused")?,
                running_limit: get(row, "running_limit")?,
                waiting: get(row, "waiting")?,
                running: get(row, "running")?,
            })
        };
        found.iter().map(status).collect()
    }

    async fn count_jobs(&self) -> LibraryResult<Vec<JobCount>> {
        self.jobs_counted().await
    }

    async fn workers(&self) -> LibraryResult<Vec<WorkerStatus>> {
        let found = sqlx::query(concat!(
            "select w.id, w.name, w.capabilities, w.started_at_ms, w.seen_at_ms, \
             (select count(*) from jobs j where j.state = 'executing' and j.worker_id = w.id) as running \
             from workers w where w.seen_at_ms > ",
            now_ms!(),
            " - $1 order by w.seen_at_ms desc, w.id"
        ))
        .bind(WORKER_AGE_MS)
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        let status = |row| {
            let capabilities: serde_json::Value = parsed(row, "capabilities")?;
            Ok(WorkerStatus {
                id: parsed(row, "id")?,
                name: get(row, "name")?,
                capabilities: serde_json::from_value(capabilities).unwrap_or_default(),
                running: get(row, "running")?,
                started_at_ms: get(row, "started_at_ms")?,
                seen_at_ms: get(row, "seen_at_ms")?,
            })
        };
        found.iter().map(status).collect()
    }

    async fn register(&self, worker: WorkerId, name: &str, capabilities: &[String]) -> LibraryResult<()> {
        let query = sqlx::query(concat!(
            "insert into workers (id, name, capabilities, started_at_ms, seen_at_ms) values ($1, $2, $3, ",
            now_ms!(),
            ", ",
            now_ms!(),
            ") on conflict (id) do update set capabilities = excluded.capabilities"
        ))
        .bind(worker.to_string())
        .bind(name)
        .bind(json!(capabilities).to_string());
        self.execute(query).await
    }

    async fn unregister(&self, worker: WorkerId) -> LibraryResult<()> {
        self.execute(sqlx::query("delete from workers where id = $1").bind(worker.to_string())).await
    }

    async fn due(&self, name: &str, times: &Times, now_ms: i64) -> LibraryResult<bool> {
        if self.waits(name, times, now_ms).await? {
            return Ok(false);
        }
        let mut transaction = self.begin().await?;
        let has_come = schedules::take_turn(&mut transaction, name, times, now_ms).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(has_come)
    }

    async fn enqueue_due(&self, schedule: &Schedule, now_ms: i64) -> LibraryResult<Option<Receipt>> {
        let Schedule { name, times, scope, job } = schedule;
        if self.waits(name, times, now_ms).await? {
            return Ok(None);
        }
        let mut transaction = self.begin().await?;
        let has_come = schedules::take_turn(&mut transaction, name, times, now_ms).await?;
        let (mut receipt, mut notes) = (Receipt::default(), Notes::default());
        if has_come {
            let mut writer = Writer::new(&mut transaction, *scope, &mut receipt, &mut notes);
            writer.apply(vec![Change::Enqueue(job.clone())]).await?;
            notes.write(&mut transaction, &mut receipt.events).await?;
        }
        transaction.commit().await.map_err(failed)?;
        Ok(has_come.then_some(receipt))
    }

    async fn prune(&self, completed: Duration, failed_jobs: Duration) -> LibraryResult<u64> {
        let mut removed = 0;
        loop {
            let jobs = sqlx::query(concat!(
                "delete from jobs where id in (select id from jobs where finished_at_ms is not null \
                 and finished_at_ms <= ",
                now_ms!(),
                " - (case when state = 'discarded' then $2 else $1 end) limit $3)"
            ))
            .bind(millis(completed))
            .bind(millis(failed_jobs))
            .bind(PRUNED_AT_ONCE)
            .execute(&self.writer)
            .await
            .map_err(failed)?
            .rows_affected();
            removed += jobs;
            if jobs < PRUNED_AT_ONCE as u64 {
                break;
            }
        }
        for (statement, age_ms) in [
            (concat!("delete from events where at_ms <= ", now_ms!(), " - $1"), EVENTS_AGE_MS),
            (concat!("delete from events where topic = 'log' and at_ms <= ", now_ms!(), " - $1"), LOG_AGE_MS),
            (concat!("delete from packages where created_at_ms <= ", now_ms!(), " - $1"), PACKAGES_AGE_MS),
            (concat!("delete from sessions where expires_at_ms <= ", now_ms!(), " - $1"), 0),
            (concat!("delete from tokens where expires_at_ms <= ", now_ms!(), " - $1"), 0),
            (concat!("delete from requests where begun_at_ms <= ", now_ms!(), " - $1"), ANSWERS_AGE_MS),
            (concat!("delete from uploads where expires_at_ms <= ", now_ms!(), " - $1"), 0),
            (concat!("delete from workers where seen_at_ms <= ", now_ms!(), " - $1"), WORKER_AGE_MS),
        ] {
            sqlx::query(statement).bind(age_ms).execute(&self.writer).await.map_err(failed)?;
        }
        Ok(removed)
    }
}

/// How many jobs the worker may still take of `slots`.
fn free_after(slots: i64, jobs: &[Job]) -> i64 {
    slots - i64::try_from(jobs.len()).unwrap_or(i64::MAX)
}

/// What pause and limit of the queue leave of the slots asked for.
async fn free_slots(connection: &mut Connection, claim: &Claim) -> LibraryResult<i64> {
    // Writing the row as it is lets one claim at a time through a queue that has a limit.
    let row = sqlx::query(
        "update queues set running_limit = running_limit where name = $1 \
         and (is_paused = true or running_limit is not null) returning is_paused, running_limit",
    )
    .bind(&claim.queue)
    .fetch_optional(&mut *connection)
    .await
    .map_err(failed)?;
    let Some(row) = row else { return Ok(claim.slots) };
    if get(&row, "is_paused")? {
        return Ok(0);
    }
    let running: i64 =
        sqlx::query_scalar("select count(*) from jobs where queue = $1 and state = 'executing'")
            .bind(&claim.queue)
            .fetch_one(&mut *connection)
            .await
            .map_err(failed)?;
    let limit: Option<i64> = get(&row, "running_limit")?;
    Ok(limit.map_or(claim.slots, |limit| claim.slots.min(limit - running)))
}

/// Everybody with a job in the queue, and how many of theirs run. Hops through the index from user to user.
async fn waiting_users(connection: &mut Connection, queue: &str) -> LibraryResult<Vec<(String, i64)>> {
    let found = sqlx::query(
        "with recursive waiting (user_id) as (\
             select (select user_id from jobs where queue = $1 \
                 and state in ('available', 'scheduled', 'retryable') order by user_id limit 1) \
             union all select (select user_id from jobs where queue = $1 \
                 and state in ('available', 'scheduled', 'retryable') and user_id > waiting.user_id \
                 order by user_id limit 1) \
             from waiting where waiting.user_id is not null) \
         select user_id, (select count(*) from jobs where queue = $1 and jobs.user_id = waiting.user_id \
             and state = 'executing') as running from waiting where user_id is not null",
    )
    .bind(queue)
    .fetch_all(&mut *connection)
    .await
    .map_err(failed)?;
    found.iter().map(|row| Ok((get(row, "user_id")?, get(row, "running")?))).collect()
}

/// A fair share of the slots for everybody who waits.
async fn claim_fairly(connection: &mut Connection, claim: &Claim) -> LibraryResult<Vec<Job>> {
    let slots = free_slots(connection, claim).await?;
    if slots <= 0 {
        return Ok(Vec::new());
    }
    let waiting = waiting_users(connection, &claim.queue).await?;
    let running: Vec<i64> = waiting.iter().map(|(_, running)| *running).collect();
    let mut jobs = Vec::new();
    for ((user, _), share) in waiting.iter().zip(shares(slots, &running)) {
        jobs.extend(take(connection, claim, Some(user), share).await?);
    }
    // Some may have had fewer jobs than their share.
    for (user, _) in &waiting {
        jobs.extend(take(connection, claim, Some(user), free_after(slots, &jobs)).await?);
    }
    Ok(jobs)
}

/// Where the jobs are that may run now: those of user `$5`, or if that is null of the only one who waits in a queue without
/// pause or limit.
macro_rules! ready {
    () => {
        concat!(
            "from jobs where queue = $1 and user_id = coalesce($5, \
             (select last.user_id from (select user_id from jobs where queue = $1 \
                 and state in ('available', 'scheduled', 'retryable') order by user_id desc limit 1) as last \
             where (select user_id from jobs where queue = $1 \
                 and state in ('available', 'scheduled', 'retryable') and user_id < last.user_id order by user_id limit 1) is null \
             and not exists (select 1 from queues where name = $1 \
                 and (is_paused = true or running_limit is not null)))) \
             and state in ('available', 'scheduled', 'retryable') and run_at_ms <= ",
            now_ms!(),
            " and attempt < max_attempts and ",
            is_able!("$2"),
            " and kind in ",
            listed!("$3"),
            " order by priority, run_at_ms, id limit $4"
        )
    };
}

/// What a claim writes.
macro_rules! claimed {
    ($worker:literal, $lease:literal, $deadline:literal) => {
        concat!(
            "state = 'executing', attempt = attempt + 1, run_lease = run_lease + 1, worker_id = ",
            $worker,
            ", lease_until_ms = ",
            now_ms!(),
            " + ",
            $lease,
            ", deadline_at_ms = ",
            now_ms!(),
            " + ",
            $deadline,
            ", attempted_at_ms = ",
            now_ms!(),
            ", progress = 0, stage = ''"
        )
    };
}

/// A job that was just claimed, in JSON. Many rows are read much faster as one text than each by itself.
macro_rules! claimed_job {
    ($attempt:literal, $run_lease:literal) => {
        concat!(
            object!(),
            "('id', id, 'user', user_id, 'queue', queue, 'kind', kind, 'args', ",
            as_json!("args"),
            ", 'track', track_id, 'batch', batch_id, 'state', 'executing', 'priority', priority, 'run_at_ms', run_at_ms, \
             'attempt', ",
            $attempt,
            ", 'max_attempts', max_attempts, 'run_lease', ",
            $run_lease,
            ", 'progress', 0, 'stage', '', 'cancel_requested', ",
            as_json!("case when cancel_requested then 'true' else 'false' end"),
            ", 'requires', ",
            as_json!("requires"),
            ", 'error', error, 'created_at_ms', created_at_ms, 'finished_at_ms', finished_at_ms)"
        )
    };
}

/// Gives the jobs that are `ready!`, as a list in JSON.
const TAKE: &str = take!();
/// Marks them as taken, where the first statement doesn't.
const MARK_TAKEN: Option<&str> = mark_taken!();

/// Takes the next jobs of a user, or those of the only user who waits, unless the queue is paused or has a limit: mostly
/// it is like that, and then nothing has to be shared out.
pub(in crate::library::store) async fn take(
    connection: &mut Connection,
    claim: &Claim,
    user: Option<&str>,
    slots: i64,
) -> LibraryResult<Vec<Job>> {
    if slots <= 0 {
        return Ok(Vec::new());
    }
    let (worker, lease, deadline) = (claim.worker.to_string(), millis(claim.lease), millis(claim.deadline));
    let query = sqlx::query_scalar(TAKE)
        .bind(&claim.queue)
        .bind(json!(claim.capabilities).to_string())
        .bind(json!(claim.kinds).to_string())
        .bind(slots)
        .bind(user);
    let query = if MARK_TAKEN.is_none() { query.bind(&worker).bind(lease).bind(deadline) } else { query };
    let document: Option<String> = query.fetch_one(&mut *connection).await.map_err(failed)?;
    let jobs: Vec<Job> = document.map_or(Ok(Vec::new()), |document| {
        serde_json::from_str(&document).map_err(|error| {
            LibraryError::new(LibraryErrorKind::Database, format!("the database holds no jobs: {error}"))
        })
    })?;
    if let Some(statement) = MARK_TAKEN.filter(|_| !jobs.is_empty()) {
        let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
        sqlx::query(statement)
            .bind(json!(ids).to_string())
            .bind(worker)
            .bind(lease)
            .bind(deadline)
            .execute(&mut *connection)
            .await
            .map_err(failed)?;
    }
    Ok(jobs)
}

fn given_away() -> LibraryError {
    LibraryError::new(LibraryErrorKind::Conflict, "this run of the job has been given to another worker")
}

impl Rows {
    /// Ends runs of jobs about no track that changed nothing else, all by one statement that is its own transaction: where
    /// jobs are small, most of their cost is this. Gives those that ended so; not those that are about a track, or are not
    /// their worker's any more.
    async fn complete_plainly(&self, runs: &[Fence]) -> LibraryResult<HashSet<JobId>> {
        if runs.is_empty() {
            return Ok(HashSet::new());
        }
        let pairs: Vec<_> = runs.iter().map(|fence| json!([fence.job, fence.run_lease])).collect();
        // Whoever has a lease is executing. Asked for that state, a database would rather read all that have it than each of
        // these by its id.
        let ended = sqlx::query_scalar(concat!(
            "update jobs set state = 'completed', finished_at_ms = ",
            now_ms!(),
            ", lease_until_ms = null, deadline_at_ms = null, error = null, progress = 100 from ",
            runs!("$1"),
            " as runs where jobs.id = runs.run_job and jobs.run_lease = runs.run_number \
             and jobs.lease_until_ms is not null and jobs.track_id is null returning jobs.id"
        ))
        .bind(json!(pairs).to_string())
        .fetch_all(&self.writer)
        .await
        .map_err(failed)?;
        ended.iter().map(|id: &String| id.parse()).collect()
    }
}

/// Ends one run of a job.
async fn settle(
    connection: &mut Connection,
    fence: Fence,
    outcome: Outcome,
    notes: &mut Notes,
) -> LibraryResult<Receipt> {
    let row = sqlx::query(concat!(
        "update jobs set priority = priority where id = $1 and run_lease = $2 and state = 'executing' \
         returning snoozes, ",
        job_columns!()
    ))
    .bind(fence.job.to_string())
    .bind(fence.run_lease)
    .fetch_optional(&mut *connection)
    .await
    .map_err(failed)?
    .ok_or_else(given_away)?;
    let job = rows::job(&row)?;
    let mut receipt = Receipt::default();
    let mut writer = Writer::new(connection, Scope::of(job.user), &mut receipt, notes);
    let too_often = get::<i64>(&row, "snoozes")? >= MOST_SNOOZES;
    match outcome {
        Outcome::Completed(changes) => {
            writer.apply(changes).await?;
            writer.end(&job, JobState::Completed, None).await?;
        }
        Outcome::Cancelled => writer.end(&job, JobState::Cancelled, None).await?,
        Outcome::Failed { .. } | Outcome::Released | Outcome::Snoozed { .. } if job.cancel_requested => {
            writer.end(&job, JobState::Cancelled, None).await?;
        }
        Outcome::Failed { error, is_final } => writer.fail(&job, &error, is_final).await?,
        Outcome::Snoozed { reason, .. } if too_often => {
            writer.fail(&job, &format!("put off {MOST_SNOOZES} times: {reason}"), true).await?;
        }
        Outcome::Snoozed { wait_ms, reason } => {
            writer.put_back(&job, JobState::Scheduled, wait_ms, &reason).await?;
        }
        Outcome::Released => writer.put_back(&job, JobState::Available, 0, "").await?,
    }
    Ok(receipt)
}

impl Writer<'_> {
    /// Nothing more happens to this job.
    async fn end(&mut self, job: &Job, state: JobState, error: Option<&str>) -> LibraryResult<()> {
        sqlx::query(concat!(
            "update jobs set state = $2, finished_at_ms = ",
            now_ms!(),
            ", lease_until_ms = null, deadline_at_ms = null, error = $3, \
             progress = case when $2 = 'completed' then 100 else progress end where id = $1"
        ))
        .bind(job.id.to_string())
        .bind(state.name())
        .bind(error)
        .execute(&mut *self.connection)
        .await
        .map_err(failed)?;
        self.tell_end(job, state).await?;
        match error {
            Some(error) if job.track.is_none() && job.kind == download::KIND => {
                self.notify_of_end(state, "download.failed", error, None).await
            }
            _ => Ok(()),
        }
    }

    async fn tell_end(&mut self, job: &Job, state: JobState) -> LibraryResult<()> {
        self.tell_job(job.track, job.id, &job.kind, state).await?;
        self.conclude(job, state).await
    }

    /// Tells that a track is finished, once its last job is.
    async fn conclude(&mut self, job: &Job, state: JobState) -> LibraryResult<()> {
        let Some(track) = job.track else { return Ok(()) };
        let left: i64 = sqlx::query_scalar(
            "select count(*) from jobs where track_id = $1 \
             and state in ('available', 'scheduled', 'retryable', 'executing')",
        )
        .bind(track.to_string())
        .fetch_one(&mut *self.connection)
        .await
        .map_err(failed)?;
        if left > 0 {
            return Ok(());
        }
        let title: Option<String> = sqlx::query_scalar("select title from tracks where id = $1")
            .bind(track.to_string())
            .fetch_optional(&mut *self.connection)
            .await
            .map_err(failed)?;
        let title = title.unwrap_or_default();
        let (kind, text) = match state {
            JobState::Completed => ("track.completed", format!("{title} is ready")),
            JobState::Cancelled => ("track.cancelled", format!("{title} was stopped")),
            _ => ("track.failed", format!("{title} failed at {}", job.kind)),
        };
        self.tell_track(track, kind, json!({})).await?;
        self.notify_of_end(state, kind, &text, Some(track)).await
    }

    async fn fail(&mut self, job: &Job, error: &str, is_final: bool) -> LibraryResult<()> {
        sqlx::query(concat!(
            "insert into job_errors (job_id, run_lease, at_ms, text) values ($1, $2, ",
            now_ms!(),
            ", $3) on conflict do nothing"
        ))
        .bind(job.id.to_string())
        .bind(job.run_lease)
        .bind(error)
        .execute(&mut *self.connection)
        .await
        .map_err(failed)?;
        if is_final || job.attempt >= job.max_attempts {
            return self.end(job, JobState::Discarded, Some(error)).await;
        }
        let wait = backoff(job.attempt, job.id.as_u128());
        sqlx::query(concat!(
            "update jobs set state = 'retryable', lease_until_ms = null, deadline_at_ms = null, error = $3, \
             run_at_ms = ",
            now_ms!(),
            " + $2 where id = $1"
        ))
        .bind(job.id.to_string())
        .bind(millis(wait))
        .bind(error)
        .execute(&mut *self.connection)
        .await
        .map_err(failed)?;
        self.tell_job(job.track, job.id, &job.kind, JobState::Retryable).await
    }

    /// As if the run had not begun.
    async fn put_back(
        &mut self,
        job: &Job,
        state: JobState,
        wait_ms: i64,
        reason: &str,
    ) -> LibraryResult<()> {
        sqlx::query(concat!(
            "update jobs set state = $2, lease_until_ms = null, deadline_at_ms = null, attempt = attempt - 1, \
             snoozes = snoozes + (case when $2 = 'scheduled' then 1 else 0 end), stage = $4, run_at_ms = ",
            now_ms!(),
            " + $3 where id = $1"
        ))
        .bind(job.id.to_string())
        .bind(state.name())
        .bind(wait_ms.max(0))
        .bind(reason)
        .execute(&mut *self.connection)
        .await
        .map_err(failed)?;
        self.tell_job(job.track, job.id, &job.kind, state).await
    }
}
