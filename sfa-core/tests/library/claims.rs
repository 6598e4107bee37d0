//! What is put into the queue, and who gets it.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::json;
use sfa_core::library::{Change, Claim, JobState, LibraryErrorKind, NewJob, Outcome, TrackId};

use crate::{Desk, cases, claim, failure, inserted, job, kind_of, state};

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
