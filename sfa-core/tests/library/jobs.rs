//! The queue.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::json;
use sfa_core::library::{
    Change, Claim, Fence, Heartbeat, JobQuery, JobState, LibraryErrorKind, NewJob, Outcome, Topic, TrackEdit,
    TrackId, Verdict, WorkerId,
};

use crate::{Desk, cases, claim, inserted, job, kind_of};

cases![
    a_job_comes_back_as_it_was_put_in,
    a_job_of_no_track_tells_nobody,
    the_smaller_priority_goes_first,
    older_jobs_go_first,
    a_claim_takes_no_more_than_its_slots,
    a_claim_of_no_slots_takes_nothing,
    a_claimed_job_is_not_claimed_again,
    claims_side_by_side_share_the_jobs,
    queues_do_not_mix,
    a_delayed_job_waits,
    a_worker_without_the_ability_takes_nothing,
    unknown_kinds_stay,
    everybody_gets_a_share,
    what_one_user_runs_counts_against_their_share,
    a_share_that_nobody_uses_goes_to_others,
    a_paused_queue_gives_nothing,
    a_limit_counts_all_workers,
    a_limit_is_positive,
    unique_jobs_are_made_once,
    unique_keys_are_per_user,
    a_unique_key_is_free_after_the_end,
    unique_jobs_wait_in_any_state,
    enqueueing_is_undone_with_its_transaction,
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

async fn a_job_comes_back_as_it_was_put_in(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    let mut new = NewJob::new("work", "plain", json!({"a": [1, "ü"]})).track(track);
    (new.priority, new.max_attempts, new.requires) = (1, 5, vec!["cuda".to_owned()]);
    let id = desk.enqueue(desk.ann, new).await;
    let job = desk.database.job(desk.ann, id).await.unwrap();
    assert_eq!(
        (job.queue.as_str(), job.kind.as_str(), &job.args),
        ("work", "plain", &json!({"a": [1, "ü"]}))
    );
    assert_eq!((job.priority, job.max_attempts, job.attempt, job.run_lease), (1, 5, 0, 0));
    assert_eq!((job.track, job.user, job.state), (Some(track), desk.ann.user, JobState::Available));
    assert_eq!((job.requires, job.progress, job.finished_at_ms), (vec!["cuda".to_owned()], 0, None));
}

async fn a_job_of_no_track_tells_nobody(desk: Desk) {
    let receipt = desk.apply(desk.ann, Change::Enqueue(job())).await.unwrap();
    assert!(receipt.events.is_empty());
    let receipt = desk.finish(desk.claim_one().await.fence(), Outcome::Completed(vec![])).await.unwrap();
    assert!(receipt.events.is_empty());
}

async fn the_smaller_priority_goes_first(desk: Desk) {
    let mut ids = Vec::new();
    for priority in [5, 1, 3] {
        let mut new = job();
        new.priority = priority;
        ids.push(desk.enqueue(desk.ann, new).await);
    }
    for index in [1, 2, 0] {
        assert_eq!(desk.claim_one().await.id, ids[index]);
    }
}

async fn older_jobs_go_first(desk: Desk) {
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(desk.enqueue(desk.ann, job()).await);
    }
    for id in ids {
        assert_eq!(desk.claim_one().await.id, id);
    }
}

async fn a_claim_takes_no_more_than_its_slots(desk: Desk) {
    for scope in [desk.ann, desk.ben] {
        for _ in 0..4 {
            desk.enqueue(scope, job()).await;
        }
    }
    assert_eq!(desk.claim(3).await.len(), 3);
    assert_eq!(desk.claim(100).await.len(), 5);
    assert!(desk.claim(1).await.is_empty());
}

async fn a_claim_of_no_slots_takes_nothing(desk: Desk) {
    desk.enqueue(desk.ann, job()).await;
    assert!(desk.claim(0).await.is_empty());
    assert!(desk.claim(-3).await.is_empty());
}

async fn a_claimed_job_is_not_claimed_again(desk: Desk) {
    let id = desk.enqueue(desk.ann, job()).await;
    let claimed = desk.claim_one().await;
    assert_eq!(
        (claimed.id, claimed.attempt, claimed.run_lease, claimed.state),
        (id, 1, 1, JobState::Executing)
    );
    assert!(desk.claim(10).await.is_empty());
}

async fn claims_side_by_side_share_the_jobs(desk: Desk) {
    for _ in 0..40 {
        desk.enqueue(desk.ann, job()).await;
    }
    let claims = (0..8).map(|_| {
        let desk = desk.clone();
        tokio::spawn(async move {
            let mut ids = Vec::new();
            loop {
                let jobs = desk.claim(3).await;
                if jobs.is_empty() {
                    return ids;
                }
                ids.extend(jobs.into_iter().map(|job| job.id));
            }
        })
    });
    let mut all = Vec::new();
    for claim in claims.collect::<Vec<_>>() {
        all.extend(claim.await.unwrap());
    }
    // Rows that another claim holds at that moment are passed over, so a claim may come home early; none is doubled.
    all.extend(desk.claim(100).await.into_iter().map(|job| job.id));
    assert_eq!(all.len(), 40);
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 40);
}

async fn queues_do_not_mix(desk: Desk) {
    desk.enqueue(desk.ann, NewJob::new("elsewhere", "plain", json!({}))).await;
    assert!(desk.claim(10).await.is_empty());
    assert_eq!(desk.database.claim(&claim("elsewhere", 10)).await.unwrap().len(), 1);
}

async fn a_delayed_job_waits(desk: Desk) {
    let mut new = job();
    new.delay = Duration::from_secs(3600);
    let id = desk.enqueue(desk.ann, new).await;
    assert!(desk.claim(10).await.is_empty());
    assert_eq!(state(&desk, id).await, JobState::Scheduled);
}

async fn a_worker_without_the_ability_takes_nothing(desk: Desk) {
    for requires in [&["cuda"][..], &["cpu", "cuda"], &["cpu"], &[]] {
        let mut new = job();
        new.requires = requires.iter().map(|&ability| ability.to_owned()).collect();
        desk.enqueue(desk.ann, new).await;
    }
    assert_eq!(desk.claim(10).await.len(), 2);
    let able = Claim { capabilities: vec!["cuda".to_owned(), "cpu".to_owned()], ..claim("work", 10) };
    assert_eq!(desk.database.claim(&able).await.unwrap().len(), 2);
}

async fn unknown_kinds_stay(desk: Desk) {
    let id = desk.enqueue(desk.ann, NewJob::new("work", "from the future", json!({}))).await;
    assert!(desk.claim(10).await.is_empty());
    let found = desk.database.job(desk.ann, id).await.unwrap();
    assert_eq!((found.state, found.attempt, found.run_lease), (JobState::Available, 0, 0));
}

async fn everybody_gets_a_share(desk: Desk) {
    for _ in 0..20 {
        desk.enqueue(desk.ann, job()).await;
    }
    for _ in 0..2 {
        desk.enqueue(desk.ben, job()).await;
    }
    let jobs = desk.claim(4).await;
    assert_eq!(jobs.iter().filter(|job| job.user == desk.ben.user).count(), 2);
}

async fn what_one_user_runs_counts_against_their_share(desk: Desk) {
    for _ in 0..10 {
        desk.enqueue(desk.ann, job()).await;
    }
    assert_eq!(desk.claim(4).await.len(), 4);
    for _ in 0..10 {
        desk.enqueue(desk.ben, job()).await;
    }
    let jobs = desk.claim(4).await;
    assert!(jobs.len() == 4 && jobs.iter().all(|job| job.user == desk.ben.user));
}

async fn a_share_that_nobody_uses_goes_to_others(desk: Desk) {
    for _ in 0..10 {
        desk.enqueue(desk.ann, job()).await;
    }
    desk.enqueue(desk.ben, job()).await;
    let jobs = desk.claim(6).await;
    assert_eq!(jobs.iter().filter(|job| job.user == desk.ann.user).count(), 5);
}

async fn a_paused_queue_gives_nothing(desk: Desk) {
    desk.enqueue(desk.ann, job()).await;
    desk.database.set_paused("work", true).await.unwrap();
    assert!(desk.claim(10).await.is_empty());
    desk.database.set_paused("work", false).await.unwrap();
    assert_eq!(desk.claim(10).await.len(), 1);
}

async fn a_limit_counts_all_workers(desk: Desk) {
    for _ in 0..10 {
        desk.enqueue(desk.ann, job()).await;
    }
    desk.database.set_limit("work", Some(3)).await.unwrap();
    let first = desk.claim(2).await;
    assert_eq!((first.len(), desk.claim(5).await.len(), desk.claim(5).await.len()), (2, 1, 0));
    desk.finish(first[0].fence(), Outcome::Completed(vec![])).await.unwrap();
    assert_eq!(desk.claim(5).await.len(), 1);
    desk.database.set_limit("work", None).await.unwrap();
    assert_eq!(desk.claim(5).await.len(), 5);
}

async fn a_limit_is_positive(desk: Desk) {
    assert_eq!(kind_of(desk.database.set_limit("work", Some(0)).await), Some(LibraryErrorKind::Invalid));
}

async fn unique_jobs_are_made_once(desk: Desk) {
    let first = desk.apply(desk.ann, Change::Enqueue(job().unique("key"))).await.unwrap();
    let second = desk.apply(desk.ann, Change::Enqueue(job().unique("key"))).await.unwrap();
    assert!(inserted(&first) && !inserted(&second));
    assert_eq!(first.enqueued[0].id(), second.enqueued[0].id());
    assert!(inserted(&desk.apply(desk.ann, Change::Enqueue(job().unique("other"))).await.unwrap()));
    assert!(inserted(&desk.apply(desk.ann, Change::Enqueue(job())).await.unwrap()));
    assert!(inserted(&desk.apply(desk.ann, Change::Enqueue(job())).await.unwrap()));
}

async fn unique_keys_are_per_user(desk: Desk) {
    desk.enqueue(desk.ann, job().unique("key")).await;
    assert!(inserted(&desk.apply(desk.ben, Change::Enqueue(job().unique("key"))).await.unwrap()));
}

async fn a_unique_key_is_free_after_the_end(desk: Desk) {
    for outcome in [
        Outcome::Completed(vec![]),
        Outcome::Cancelled,
        Outcome::Failed { error: "no".to_owned(), is_final: true },
    ] {
        let receipt = desk.apply(desk.ann, Change::Enqueue(job().unique("key"))).await.unwrap();
        assert!(inserted(&receipt));
        desk.finish(desk.claim_one().await.fence(), outcome).await.unwrap();
    }
}

async fn unique_jobs_wait_in_any_state(desk: Desk) {
    let id = desk.enqueue(desk.ann, job().unique("key")).await;
    let again = async || desk.apply(desk.ann, Change::Enqueue(job().unique("key"))).await.unwrap();
    let claimed = desk.claim_one().await;
    assert_eq!(again().await.enqueued[0].id(), id, "while it runs");
    desk.finish(claimed.fence(), failure()).await.unwrap();
    assert_eq!(again().await.enqueued[0].id(), id, "while it waits for its next attempt");
}

async fn enqueueing_is_undone_with_its_transaction(desk: Desk) {
    let changes = vec![Change::Enqueue(job()), Change::RemoveTrack(TrackId::random())];
    desk.database.apply(desk.ann, changes).await.unwrap_err();
    assert!(desk.claim(10).await.is_empty());
}

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
    // Five seconds, a tenth more or less, and what the test itself took.
    assert!((4_400..65_000).contains(&wait), "{wait} ms");
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

async fn kinds(desk: &Desk, track: TrackId) -> Vec<String> {
    let events = desk.database.events(desk.ann, &Topic::Track(track).name(), 0).await.unwrap();
    events.into_iter().map(|event| event.kind).collect()
}

async fn state(desk: &Desk, job: sfa_core::library::JobId) -> JobState {
    desk.database.job(desk.ann, job).await.unwrap().state
}

fn failure() -> Outcome {
    Outcome::Failed { error: "no".to_owned(), is_final: false }
}

/// Claims with a lease that has run out when the call returns.
async fn claim_silently(desk: &Desk) -> Vec<sfa_core::library::Job> {
    let jobs = desk.database.claim(&Claim { lease: Duration::ZERO, ..claim("work", 1) }).await.unwrap();
    tokio::time::sleep(Duration::from_millis(5)).await;
    jobs
}

async fn beat(desk: &Desk, fence: Fence, progress: i64) -> Verdict {
    let beat = Heartbeat { fence, progress, stage: String::new() };
    desk.database.beat(WorkerId::random(), Duration::from_secs(30), &[beat]).await.unwrap().0[0]
}
