//! Stopping, trying again, looking, tidying up, and jobs that come again.

use std::time::Duration;

use sfa_core::library::{
    Change, JobQuery, JobState, LibraryErrorKind, Outcome, Schedule, Times, Topic, TrackEdit, TrackId,
    Verdict, WorkerId,
};

use crate::{Desk, beat, cases, claim_silently, failure, job, kind_of, state};

cases![
    a_schedule_enqueues_at_its_times,
    each_time_has_one_job_on_however_many_nodes,
    times_that_were_missed_are_made_up_for_once,
    other_times_begin_anew,
    a_job_that_cannot_be_enqueued_leaves_its_time,
    what_comes_without_a_job_comes_once_too,
    a_waiting_job_is_cancelled_at_once,
    a_running_job_hears_of_its_cancellation,
    a_cancelled_job_that_fails_is_cancelled,
    a_cancelled_job_that_was_lost_is_cancelled,
    a_job_that_ends_before_it_hears_has_ended,
    what_is_over_cannot_be_cancelled,
    all_jobs_of_a_track_are_cancelled,
    a_discarded_job_can_be_tried_again,
    what_runs_or_is_done_cannot_be_tried_again,
    a_removed_track_takes_its_running_job,
    jobs_are_listed_newest_first,
    jobs_are_listed_by_state_and_track,
    queues_show_what_they_hold,
    finished_jobs_are_pruned_by_age,
    workers_come_and_go,
    a_track_is_completed_with_its_last_job,
    a_track_fails_with_its_last_job,
    states_are_told_in_order,
];

async fn kinds(desk: &Desk, track: TrackId) -> Vec<String> {
    let events = desk.database.events(desk.ann, &Topic::Track(track).name(), 0).await.unwrap();
    events.into_iter().map(|event| event.kind).collect()
}

/// Noon of some day.
const NOON_MS: i64 = 1_796_040_000_000;
const MINUTE_MS: i64 = 60_000;

fn schedule(desk: &Desk, times: &str) -> Schedule {
    Schedule { name: "tick".to_owned(), times: times.parse().unwrap(), scope: desk.ann, job: job() }
}

async fn is_enqueued(desk: &Desk, schedule: &Schedule, now_ms: i64) -> bool {
    desk.database.enqueue_due(schedule, now_ms).await.unwrap().is_some()
}

async fn count_jobs(desk: &Desk) -> usize {
    desk.database.jobs(desk.ann, &JobQuery::default()).await.unwrap().len()
}

async fn a_schedule_enqueues_at_its_times(desk: Desk) {
    let quarters = schedule(&desk, "*/15 * * * *");
    for (minutes, comes) in
        [(0, false), (14, false), (15, true), (16, false), (29, false), (31, true), (44, false)]
    {
        assert_eq!(is_enqueued(&desk, &quarters, NOON_MS + minutes * MINUTE_MS).await, comes, "{minutes}");
    }
    assert_eq!(count_jobs(&desk).await, 2);
    // A clock that was set back.
    assert!(!is_enqueued(&desk, &quarters, NOON_MS).await);
}

async fn each_time_has_one_job_on_however_many_nodes(desk: Desk) {
    let minutes = schedule(&desk, "* * * * *");
    assert!(!is_enqueued(&desk, &minutes, NOON_MS).await, "the first time is still to come");
    for minute in 1..=5 {
        let nodes = (0..8).map(|node| {
            let (desk, minutes) = (desk.clone(), minutes.clone());
            // Their clocks are a little apart.
            let now_ms = NOON_MS + minute * MINUTE_MS + 100 * node;
            tokio::spawn(async move { is_enqueued(&desk, &minutes, now_ms).await })
        });
        let mut enqueued = 0;
        for node in nodes.collect::<Vec<_>>() {
            enqueued += i64::from(node.await.unwrap());
        }
        assert_eq!(enqueued, 1, "minute {minute}");
        assert_eq!(count_jobs(&desk).await as i64, minute);
    }
}

async fn times_that_were_missed_are_made_up_for_once(desk: Desk) {
    let minutes = schedule(&desk, "* * * * *");
    is_enqueued(&desk, &minutes, NOON_MS).await;
    let later_ms = NOON_MS + 100 * MINUTE_MS;
    assert!(is_enqueued(&desk, &minutes, later_ms).await);
    assert!(!is_enqueued(&desk, &minutes, later_ms).await);
    assert!(is_enqueued(&desk, &minutes, later_ms + MINUTE_MS).await);
    assert_eq!(count_jobs(&desk).await, 2);
}

async fn other_times_begin_anew(desk: Desk) {
    is_enqueued(&desk, &schedule(&desk, "0 0 1 1 *"), NOON_MS).await;
    let minutes = schedule(&desk, "* * * * *");
    assert!(!is_enqueued(&desk, &minutes, NOON_MS).await);
    assert!(is_enqueued(&desk, &minutes, NOON_MS + MINUTE_MS).await, "the year does not have to end first");
    let hours = schedule(&desk, "0 * * * *");
    assert!(!is_enqueued(&desk, &hours, NOON_MS + 2 * MINUTE_MS).await);
    assert!(!is_enqueued(&desk, &hours, NOON_MS + 3 * MINUTE_MS).await);
}

async fn a_job_that_cannot_be_enqueued_leaves_its_time(desk: Desk) {
    let mut minutes = schedule(&desk, "* * * * *");
    is_enqueued(&desk, &minutes, NOON_MS).await;
    let whole = minutes.job.clone();
    minutes.job.track = Some(TrackId::random());
    desk.database.enqueue_due(&minutes, NOON_MS + MINUTE_MS).await.unwrap_err();
    minutes.job = whole;
    assert!(is_enqueued(&desk, &minutes, NOON_MS + MINUTE_MS).await);
}

async fn a_waiting_job_is_cancelled_at_once(desk: Desk) {
    let id = desk.enqueue(desk.ann, job()).await;
    desk.apply(desk.ann, Change::CancelJob(id)).await.unwrap();
    assert_eq!(state(&desk, id).await, JobState::Cancelled);
    assert!(desk.claim(10).await.is_empty());
}

async fn a_running_job_hears_of_its_cancellation(desk: Desk) {
    let id = desk.enqueue(desk.ann, job()).await;
    let fence = desk.claim_one().await.fence();
    assert_eq!(beat(&desk, fence, 1).await, Verdict::Continue);
    desk.apply(desk.ann, Change::CancelJob(id)).await.unwrap();
    assert_eq!(state(&desk, id).await, JobState::Executing);
    assert_eq!(beat(&desk, fence, 2).await, Verdict::Cancel);
    desk.finish(fence, Outcome::Cancelled).await.unwrap();
    assert_eq!(state(&desk, id).await, JobState::Cancelled);
}

async fn a_cancelled_job_that_fails_is_cancelled(desk: Desk) {
    for outcome in [failure(), Outcome::Released, Outcome::Snoozed { wait_ms: 0, reason: String::new() }] {
        let id = desk.enqueue(desk.ann, job()).await;
        let fence = desk.claim_one().await.fence();
        desk.apply(desk.ann, Change::CancelJob(id)).await.unwrap();
        desk.finish(fence, outcome).await.unwrap();
        assert_eq!(state(&desk, id).await, JobState::Cancelled);
    }
}

async fn a_cancelled_job_that_was_lost_is_cancelled(desk: Desk) {
    let id = desk.enqueue(desk.ann, job()).await;
    claim_silently(&desk).await;
    desk.apply(desk.ann, Change::CancelJob(id)).await.unwrap();
    desk.database.rescue().await.unwrap();
    assert_eq!(state(&desk, id).await, JobState::Cancelled);
}

async fn a_job_that_ends_before_it_hears_has_ended(desk: Desk) {
    let id = desk.enqueue(desk.ann, job()).await;
    let fence = desk.claim_one().await.fence();
    desk.apply(desk.ann, Change::CancelJob(id)).await.unwrap();
    desk.finish(fence, Outcome::Completed(vec![])).await.unwrap();
    assert_eq!(state(&desk, id).await, JobState::Completed);
}

async fn what_is_over_cannot_be_cancelled(desk: Desk) {
    let id = desk.enqueue(desk.ann, job()).await;
    desk.finish(desk.claim_one().await.fence(), Outcome::Completed(vec![])).await.unwrap();
    let error = desk.apply(desk.ann, Change::CancelJob(id)).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (LibraryErrorKind::Conflict, "the job is completed already")
    );
}

async fn all_jobs_of_a_track_are_cancelled(desk: Desk) {
    let (track, other) = (desk.track(desk.ann, "one").await, desk.track(desk.ann, "two").await);
    let running = desk.enqueue(desk.ann, job().track(track)).await;
    let fence = desk.claim_one().await.fence();
    let waiting = desk.enqueue(desk.ann, job().track(track)).await;
    let untouched = desk.enqueue(desk.ann, job().track(other)).await;
    desk.apply(desk.ann, Change::CancelJobs(track)).await.unwrap();
    assert_eq!(state(&desk, waiting).await, JobState::Cancelled);
    assert!(desk.database.job(desk.ann, running).await.unwrap().cancel_requested);
    assert_eq!(beat(&desk, fence, 0).await, Verdict::Cancel);
    assert_eq!(state(&desk, untouched).await, JobState::Available);
}

async fn a_discarded_job_can_be_tried_again(desk: Desk) {
    let mut new = job();
    new.max_attempts = 1;
    let id = desk.enqueue(desk.ann, new).await;
    desk.finish(desk.claim_one().await.fence(), failure()).await.unwrap();
    desk.apply(desk.ann, Change::RetryJob(id)).await.unwrap();
    let claimed = desk.claim_one().await;
    assert_eq!((claimed.id, claimed.attempt, claimed.run_lease), (id, 1, 2));
}

async fn what_runs_or_is_done_cannot_be_tried_again(desk: Desk) {
    let id = desk.enqueue(desk.ann, job()).await;
    let retry = async || kind_of(desk.apply(desk.ann, Change::RetryJob(id)).await);
    assert_eq!(retry().await, Some(LibraryErrorKind::Conflict), "waiting");
    let fence = desk.claim_one().await.fence();
    assert_eq!(retry().await, Some(LibraryErrorKind::Conflict), "running");
    desk.finish(fence, Outcome::Completed(vec![])).await.unwrap();
    assert_eq!(retry().await, Some(LibraryErrorKind::Conflict), "completed");
}

async fn a_removed_track_takes_its_running_job(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    desk.enqueue(desk.ann, job().track(track)).await;
    let fence = desk.claim_one().await.fence();
    desk.apply(desk.ann, Change::RemoveTrack(track)).await.unwrap();
    assert_eq!(beat(&desk, fence, 10).await, Verdict::Stale);
    let result = desk.finish(fence, Outcome::Completed(vec![Change::SetDuration(track, 1)])).await;
    assert_eq!(kind_of(result), Some(LibraryErrorKind::Conflict));
}

async fn jobs_are_listed_newest_first(desk: Desk) {
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(desk.enqueue(desk.ann, job()).await);
    }
    ids.reverse();
    let found = desk.database.jobs(desk.ann, &JobQuery::default()).await.unwrap();
    assert_eq!(found.iter().map(|job| job.id).collect::<Vec<_>>(), ids);
    let query = JobQuery { limit: 2, ..JobQuery::default() };
    assert_eq!(desk.database.jobs(desk.ann, &query).await.unwrap().len(), 2);
}

async fn jobs_are_listed_by_state_and_track(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    let about = desk.enqueue(desk.ann, job().track(track)).await;
    let mut late = job();
    late.delay = Duration::from_secs(60);
    let scheduled = desk.enqueue(desk.ann, late).await;
    let ids = async |query: JobQuery| {
        let jobs = desk.database.jobs(desk.ann, &query).await.unwrap();
        jobs.iter().map(|job| job.id).collect::<Vec<_>>()
    };
    let by_state = JobQuery { state: Some(JobState::Scheduled), ..JobQuery::default() };
    assert_eq!(ids(by_state).await, [scheduled]);
    assert_eq!(ids(JobQuery { track: Some(track), ..JobQuery::default() }).await, [about]);
}

async fn queues_show_what_they_hold(desk: Desk) {
    for _ in 0..3 {
        desk.enqueue(desk.ann, job()).await;
    }
    desk.claim_one().await;
    desk.database.set_paused("asleep", true).await.unwrap();
    let found = desk.database.queues().await.unwrap();
    let rows: Vec<_> = found
        .iter()
        .map(|queue| (queue.name.as_str(), queue.is_paused, queue.waiting, queue.running))
        .collect();
    assert_eq!(rows, [("asleep", true, 0, 0), ("work", false, 2, 1)]);
}

async fn finished_jobs_are_pruned_by_age(desk: Desk) {
    let (hour, now) = (Duration::from_secs(3600), Duration::ZERO);
    for outcome in [Outcome::Completed(vec![]), Outcome::Failed { error: "no".to_owned(), is_final: true }] {
        desk.enqueue(desk.ann, job()).await;
        desk.finish(desk.claim_one().await.fence(), outcome).await.unwrap();
    }
    desk.enqueue(desk.ann, job()).await;
    assert_eq!(desk.database.prune(hour, hour).await.unwrap(), 0);
    assert_eq!(desk.database.prune(now, hour).await.unwrap(), 1);
    assert_eq!(desk.database.prune(now, now).await.unwrap(), 1);
    assert_eq!(desk.claim(10).await.len(), 1, "what waits is not pruned");
}

async fn what_comes_without_a_job_comes_once_too(desk: Desk) {
    let hourly = Times::every(Duration::from_secs(3600), Duration::ZERO);
    assert!(!desk.database.due("prune", &hourly, NOON_MS).await.unwrap());
    let asks = (0..8).map(|_| {
        let (database, hourly) = (desk.database.clone(), hourly.clone());
        tokio::spawn(async move { database.due("prune", &hourly, NOON_MS + 60 * MINUTE_MS).await.unwrap() })
    });
    let mut due = 0;
    for ask in asks.collect::<Vec<_>>() {
        due += usize::from(ask.await.unwrap());
    }
    assert_eq!(due, 1);
}

async fn workers_come_and_go(desk: Desk) {
    let worker = WorkerId::random();
    desk.database.register(worker, "one", &["cpu".to_owned()]).await.unwrap();
    desk.database.register(worker, "one", &["cuda".to_owned()]).await.unwrap();
    desk.database.unregister(worker).await.unwrap();
    desk.database.unregister(worker).await.unwrap();
}

async fn a_track_is_completed_with_its_last_job(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    desk.enqueue(desk.ann, job().track(track)).await;
    let child = vec![Change::Enqueue(job().track(track))];
    desk.finish(desk.claim_one().await.fence(), Outcome::Completed(child)).await.unwrap();
    assert!(!kinds(&desk, track).await.contains(&"track.completed".to_owned()));
    desk.finish(desk.claim_one().await.fence(), Outcome::Completed(vec![])).await.unwrap();
    assert_eq!(kinds(&desk, track).await.last().map(String::as_str), Some("track.completed"));
    let note = desk.database.notifications(desk.ann, 1).await.unwrap().remove(0);
    assert_eq!((note.kind.as_str(), note.text.as_str()), ("track.completed", "one is ready"));
}

async fn a_track_fails_with_its_last_job(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    desk.enqueue(desk.ann, job().track(track)).await;
    let outcome = Outcome::Failed { error: "damaged".to_owned(), is_final: true };
    desk.finish(desk.claim_one().await.fence(), outcome).await.unwrap();
    assert_eq!(kinds(&desk, track).await.last().map(String::as_str), Some("track.failed"));
    assert_eq!(desk.database.notifications(desk.ann, 1).await.unwrap()[0].text, "one failed at plain");
}

async fn states_are_told_in_order(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    let id = desk.enqueue(desk.ann, job().track(track)).await;
    let fence = desk.claim_one().await.fence();
    beat(&desk, fence, 10).await;
    desk.finish(fence, failure()).await.unwrap();
    desk.apply(desk.ann, Change::RetryJob(id)).await.unwrap();
    desk.apply(desk.ann, Change::EditTrack(track, TrackEdit::default())).await.unwrap();
    desk.apply(desk.ann, Change::CancelJob(id)).await.unwrap();
    assert_eq!(
        kinds(&desk, track).await,
        ["job.available", "job.progress", "job.retryable", "job.available", "track.edited", "job.cancelled"]
    );
}
