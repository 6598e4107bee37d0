//! Stopping, trying again, looking, tidying up, and jobs that come again.

use std::time::Duration;

use sfa_core::library::{
    Change, JobQuery, JobState, LibraryErrorKind, Outcome, Schedule, Topic, TrackEdit, TrackId, Verdict,
    WorkerId,
};

use crate::{Desk, beat, cases, claim_silently, failure, job, kind_of, state};

cases![
    a_schedule_enqueues_once_at_each_time,
    a_schedule_follows_its_offset,
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
    schedules_come_due_once,
    schedules_start_later,
    workers_come_and_go,
    a_track_is_completed_with_its_last_job,
    a_track_fails_with_its_last_job,
    states_are_told_in_order,
];

async fn kinds(desk: &Desk, track: TrackId) -> Vec<String> {
    let events = desk.database.events(desk.ann, &Topic::Track(track).name(), 0).await.unwrap();
    events.into_iter().map(|event| event.kind).collect()
}

/// A schedule whose next time is 300 ms from now.
fn schedule(desk: &Desk, every: Duration) -> Schedule {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let since_last = Duration::from_millis((now.as_millis() % every.as_millis()) as u64);
    let offset = since_last + Duration::from_millis(300);
    Schedule { name: "tick".to_owned(), every, offset, scope: desk.ann, job: job() }
}

async fn a_schedule_enqueues_once_at_each_time(desk: Desk) {
    let every = Duration::from_secs(2);
    let schedule = schedule(&desk, every);
    assert!(desk.database.enqueue_due(&schedule).await.unwrap().is_none(), "the first time is still to come");
    for (count, pause) in [(1, Duration::from_millis(500)), (2, every)] {
        tokio::time::sleep(pause).await;
        let nodes = (0..8).map(|_| desk.database.enqueue_due(&schedule));
        let enqueued = futures_util::future::join_all(nodes).await;
        assert_eq!(enqueued.into_iter().filter(|receipt| receipt.as_ref().unwrap().is_some()).count(), 1);
        assert_eq!(desk.database.jobs(desk.ann, &JobQuery::default()).await.unwrap().len(), count);
    }
}

async fn a_schedule_follows_its_offset(desk: Desk) {
    let schedule = schedule(&desk, Duration::from_secs(24 * 3600));
    assert!(desk.database.enqueue_due(&schedule).await.unwrap().is_none());
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(desk.database.enqueue_due(&schedule).await.unwrap().is_some());
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(desk.database.enqueue_due(&schedule).await.unwrap().is_none(), "the next time is tomorrow");
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

async fn schedules_come_due_once(desk: Desk) {
    let hour = Duration::from_secs(3600);
    let asks = (0..8).map(|_| {
        let database = desk.database.clone();
        tokio::spawn(async move { database.due("nightly", Duration::ZERO, hour).await.unwrap() })
    });
    let mut due = 0;
    for ask in asks.collect::<Vec<_>>() {
        due += usize::from(ask.await.unwrap());
    }
    assert_eq!(due, 1);
    assert!(!desk.database.due("nightly", Duration::ZERO, hour).await.unwrap());
}

async fn schedules_start_later(desk: Desk) {
    let hour = Duration::from_secs(3600);
    assert!(!desk.database.due("nightly", hour, hour).await.unwrap());
    assert!(desk.database.due("often", Duration::ZERO, Duration::from_millis(1)).await.unwrap());
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert!(desk.database.due("often", Duration::ZERO, Duration::from_millis(1)).await.unwrap());
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
