//! Runs of jobs: how they end, and what keeps them alive.

use std::time::Duration;

use sfa_core::library::{Change, Claim, Fence, JobState, LibraryErrorKind, Outcome, TrackId, Verdict};

use crate::{Desk, beat, cases, claim, claim_silently, failure, inserted, job, kind_of, state};

cases![
    a_completed_job_is_completed,
    what_a_job_changes_comes_with_its_end,
    a_change_that_fails_leaves_the_job_running,
    one_bad_end_does_not_hurt_the_others,
    a_failed_job_waits_and_keeps_its_reason,
    the_last_attempt_discards,
    a_final_failure_discards_at_once,
    a_poison_job_runs_as_often_as_it_may,
    a_snooze_costs_no_attempt,
    a_release_costs_no_attempt,
    an_old_lease_can_do_nothing,
    a_lease_from_before_a_retry_can_do_nothing,
    a_finished_job_cannot_be_finished_again,
    a_beat_keeps_the_lease,
    a_beat_of_a_stranger_is_stale,
    progress_never_falls,
    progress_is_a_percentage,
    silent_workers_lose_their_jobs,
    healthy_workers_keep_theirs,
    a_job_has_a_deadline,
];

async fn a_completed_job_is_completed(desk: Desk) {
    let id = desk.enqueue(desk.ann, job()).await;
    desk.finish(desk.claim_one().await.fence(), Outcome::Completed(vec![])).await.unwrap();
    let found = desk.database.job(desk.ann, id).await.unwrap();
    assert_eq!((found.state, found.progress, found.error), (JobState::Completed, 100, None));
    assert!(found.finished_at_ms.is_some());
    assert!(desk.claim(10).await.is_empty());
}

async fn what_a_job_changes_comes_with_its_end(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    desk.enqueue(desk.ann, job().track(track)).await;
    let changes = vec![Change::SetDuration(track, 5), Change::Enqueue(job().track(track))];
    let receipt = desk.finish(desk.claim_one().await.fence(), Outcome::Completed(changes)).await.unwrap();
    assert!(inserted(&receipt));
    assert_eq!(desk.database.track(desk.ann, track).await.unwrap().duration_ms, Some(5));
    assert_eq!(desk.claim_one().await.id, receipt.enqueued[0].id());
}

async fn a_change_that_fails_leaves_the_job_running(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    let id = desk.enqueue(desk.ann, job().track(track)).await;
    let claimed = desk.claim_one().await;
    let changes = vec![Change::SetDuration(track, 5), Change::SetDuration(track, -5)];
    let result = desk.finish(claimed.fence(), Outcome::Completed(changes)).await;
    assert_eq!(kind_of(result), Some(LibraryErrorKind::Invalid));
    assert_eq!(state(&desk, id).await, JobState::Executing);
    assert_eq!(desk.database.track(desk.ann, track).await.unwrap().duration_ms, None);
    desk.finish(claimed.fence(), failure()).await.unwrap();
}

async fn one_bad_end_does_not_hurt_the_others(desk: Desk) {
    for _ in 0..3 {
        desk.enqueue(desk.ann, job()).await;
    }
    let fences: Vec<Fence> = desk.claim(3).await.iter().map(|job| job.fence()).collect();
    let bad = Outcome::Completed(vec![Change::RemoveTrack(TrackId::random())]);
    let ended = vec![
        (fences[0], Outcome::Completed(vec![])),
        (fences[1], bad),
        (fences[2], Outcome::Completed(vec![])),
    ];
    let receipts = desk.database.finish(ended).await.unwrap();
    assert_eq!(receipts.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(state(&desk, fences[0].job).await, JobState::Completed);
    assert_eq!(state(&desk, fences[1].job).await, JobState::Executing);
    assert_eq!(state(&desk, fences[2].job).await, JobState::Completed);
}

async fn a_failed_job_waits_and_keeps_its_reason(desk: Desk) {
    let id = desk.enqueue(desk.ann, job()).await;
    let claimed = desk.claim_one().await;
    desk.finish(claimed.fence(), failure()).await.unwrap();
    let found = desk.database.job(desk.ann, id).await.unwrap();
    assert_eq!((found.state, found.attempt, found.error.as_deref()), (JobState::Retryable, 1, Some("no")));
    let wait = found.run_at_ms - claimed.run_at_ms;
    // Five to ten seconds, and what the test itself took.
    assert!((5_000..70_000).contains(&wait), "{wait} ms");
    assert!(desk.claim(10).await.is_empty());
}

async fn the_last_attempt_discards(desk: Desk) {
    let mut new = job();
    new.max_attempts = 1;
    let id = desk.enqueue(desk.ann, new).await;
    desk.finish(desk.claim_one().await.fence(), failure()).await.unwrap();
    let found = desk.database.job(desk.ann, id).await.unwrap();
    assert_eq!((found.state, found.error.as_deref()), (JobState::Discarded, Some("no")));
    assert!(found.finished_at_ms.is_some());
}

async fn a_final_failure_discards_at_once(desk: Desk) {
    let id = desk.enqueue(desk.ann, job()).await;
    let outcome = Outcome::Failed { error: "damaged".to_owned(), is_final: true };
    desk.finish(desk.claim_one().await.fence(), outcome).await.unwrap();
    assert_eq!(state(&desk, id).await, JobState::Discarded);
}

async fn a_poison_job_runs_as_often_as_it_may(desk: Desk) {
    let mut new = job();
    new.max_attempts = 1;
    let id = desk.enqueue(desk.ann, new).await;
    assert_eq!(claim_silently(&desk).await.len(), 1);
    desk.database.rescue().await.unwrap();
    let found = desk.database.job(desk.ann, id).await.unwrap();
    assert_eq!((found.state, found.attempt), (JobState::Discarded, 1));
    assert_eq!(found.error.as_deref(), Some("the worker was not heard of any more"));
    assert!(desk.claim(10).await.is_empty());
}

async fn a_snooze_costs_no_attempt(desk: Desk) {
    let id = desk.enqueue(desk.ann, job()).await;
    for lease in 1..=5 {
        let claimed = desk.claim_one().await;
        assert_eq!((claimed.attempt, claimed.run_lease), (1, lease));
        let outcome = Outcome::Snoozed { wait_ms: 0, reason: "busy elsewhere".to_owned() };
        desk.finish(claimed.fence(), outcome).await.unwrap();
        assert_eq!(state(&desk, id).await, JobState::Scheduled);
    }
    let claimed = desk.claim_one().await;
    let outcome = Outcome::Snoozed { wait_ms: 3_600_000, reason: "later".to_owned() };
    desk.finish(claimed.fence(), outcome).await.unwrap();
    assert!(desk.claim(10).await.is_empty());
}

async fn a_release_costs_no_attempt(desk: Desk) {
    let id = desk.enqueue(desk.ann, job()).await;
    desk.finish(desk.claim_one().await.fence(), Outcome::Released).await.unwrap();
    let found = desk.database.job(desk.ann, id).await.unwrap();
    assert_eq!((found.state, found.attempt, found.run_lease), (JobState::Available, 0, 1));
    assert_eq!(desk.claim_one().await.run_lease, 2);
}

async fn an_old_lease_can_do_nothing(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    let id = desk.enqueue(desk.ann, job().track(track)).await;
    let lost = claim_silently(&desk).await.remove(0);
    desk.database.rescue().await.unwrap();
    desk.apply(desk.ann, Change::RetryJob(id)).await.unwrap();
    let winner = desk.claim_one().await;
    assert!(winner.run_lease > lost.run_lease);
    for outcome in [
        Outcome::Completed(vec![Change::SetDuration(track, 1)]),
        failure(),
        Outcome::Released,
        Outcome::Cancelled,
        Outcome::Snoozed { wait_ms: 0, reason: String::new() },
    ] {
        assert_eq!(kind_of(desk.finish(lost.fence(), outcome).await), Some(LibraryErrorKind::Conflict));
    }
    assert_eq!(desk.database.track(desk.ann, track).await.unwrap().duration_ms, None);
    assert_eq!(beat(&desk, lost.fence(), 50).await, Verdict::Stale);
    assert_eq!(state(&desk, id).await, JobState::Executing);
    let changes = Outcome::Completed(vec![Change::SetDuration(track, 2)]);
    desk.finish(winner.fence(), changes).await.unwrap();
    assert_eq!(desk.database.track(desk.ann, track).await.unwrap().duration_ms, Some(2));
}

async fn a_lease_from_before_a_retry_can_do_nothing(desk: Desk) {
    // Attempts are counted anew after a retry by hand, leases are not: the first run must not pass for the second.
    let id = desk.enqueue(desk.ann, job()).await;
    let first = desk.claim_one().await;
    desk.finish(first.fence(), failure()).await.unwrap();
    desk.apply(desk.ann, Change::RetryJob(id)).await.unwrap();
    let second = desk.claim_one().await;
    assert_eq!((first.attempt, second.attempt), (1, 1));
    let result = desk.finish(first.fence(), Outcome::Completed(vec![])).await;
    assert_eq!(kind_of(result), Some(LibraryErrorKind::Conflict));
}

async fn a_finished_job_cannot_be_finished_again(desk: Desk) {
    desk.enqueue(desk.ann, job()).await;
    let fence = desk.claim_one().await.fence();
    desk.finish(fence, Outcome::Completed(vec![])).await.unwrap();
    assert_eq!(kind_of(desk.finish(fence, failure()).await), Some(LibraryErrorKind::Conflict));
    assert_eq!(state(&desk, fence.job).await, JobState::Completed);
}

async fn a_beat_keeps_the_lease(desk: Desk) {
    let id = desk.enqueue(desk.ann, job()).await;
    let claimed = claim_silently(&desk).await.remove(0);
    assert_eq!(beat(&desk, claimed.fence(), 0).await, Verdict::Continue);
    desk.database.rescue().await.unwrap();
    assert_eq!(state(&desk, id).await, JobState::Executing);
}

async fn a_beat_of_a_stranger_is_stale(desk: Desk) {
    let id = desk.enqueue(desk.ann, job()).await;
    assert_eq!(beat(&desk, Fence { job: id, run_lease: 1 }, 10).await, Verdict::Stale);
    assert_eq!(state(&desk, id).await, JobState::Available);
}

async fn progress_never_falls(desk: Desk) {
    let id = desk.enqueue(desk.ann, job()).await;
    let fence = desk.claim_one().await.fence();
    for (told, kept) in [(10, 10), (40, 40), (30, 40), (41, 41)] {
        beat(&desk, fence, told).await;
        assert_eq!(desk.database.job(desk.ann, id).await.unwrap().progress, kept);
    }
    desk.finish(fence, failure()).await.unwrap();
    desk.apply(desk.ann, Change::RetryJob(id)).await.unwrap();
    assert_eq!(desk.claim_one().await.progress, 0, "a new attempt begins at nothing");
}

async fn progress_is_a_percentage(desk: Desk) {
    let id = desk.enqueue(desk.ann, job()).await;
    let fence = desk.claim_one().await.fence();
    for (told, kept) in [(-5, 0), (500, 100)] {
        beat(&desk, fence, told).await;
        assert_eq!(desk.database.job(desk.ann, id).await.unwrap().progress, kept);
    }
}

async fn silent_workers_lose_their_jobs(desk: Desk) {
    let id = desk.enqueue(desk.ann, job()).await;
    claim_silently(&desk).await;
    desk.database.rescue().await.unwrap();
    let found = desk.database.job(desk.ann, id).await.unwrap();
    assert_eq!((found.state, found.attempt), (JobState::Retryable, 1));
}

async fn healthy_workers_keep_theirs(desk: Desk) {
    let id = desk.enqueue(desk.ann, job()).await;
    desk.claim_one().await;
    desk.database.rescue().await.unwrap();
    assert_eq!(state(&desk, id).await, JobState::Executing);
}

async fn a_job_has_a_deadline(desk: Desk) {
    let id = desk.enqueue(desk.ann, job()).await;
    let claim = Claim { deadline: Duration::ZERO, ..claim("work", 1) };
    let fence = desk.database.claim(&claim).await.unwrap()[0].fence();
    tokio::time::sleep(Duration::from_millis(5)).await;
    beat(&desk, fence, 0).await;
    desk.database.rescue().await.unwrap();
    let found = desk.database.job(desk.ann, id).await.unwrap();
    assert_eq!(found.error.as_deref(), Some("it took longer than a job of its kind may"));
    assert_eq!(beat(&desk, fence, 0).await, Verdict::Stale);
}
