//! What those see who run a library.

use sfa_core::library::{JobId, JobMomentKind, JobQuery, JobState, LibraryErrorKind, NewJob, Outcome};

use crate::{Desk, beat, cases, failure, job, kind_of};

cases![
    the_overview_counts_what_is_everybodys,
    the_work_of_all_users_is_listed,
    a_job_tells_how_it_went_to_its_owner,
];

async fn the_overview_counts_what_is_everybodys(desk: Desk) {
    desk.track(desk.ann, "one").await;
    desk.track(desk.ben, "two").await;
    let mut hopeless = job();
    hopeless.max_attempts = 1;
    desk.enqueue(desk.ann, hopeless).await;
    let failing = desk.claim_one().await;
    desk.finish(failing.fence(), failure()).await.unwrap();
    desk.enqueue(desk.ben, job()).await;
    let done = desk.claim_one().await;
    desk.finish(done.fence(), Outcome::Completed(Vec::new())).await.unwrap();
    desk.enqueue(desk.ben, job()).await;
    let overview = desk.database.overview(3).await.unwrap();
    assert_eq!((overview.tracks, overview.analyzed, overview.separated), (2, 0, 0));
    assert_eq!((overview.open_jobs, overview.failed_jobs), (1, 1));
    assert!(overview.users >= 2 && overview.stored_bytes >= 200);
    assert_eq!(overview.days.len(), 3);
    assert!(overview.days.windows(2).all(|pair| pair[1].start_ms - pair[0].start_ms == 86_400_000));
    let sum =
        |count: fn(&sfa_core::library::OverviewDay) -> i64| overview.days.iter().map(count).sum::<i64>();
    assert_eq!((sum(|day| day.tracks), sum(|day| day.completed_jobs), sum(|day| day.failed_jobs)), (2, 1, 1));
}

async fn the_work_of_all_users_is_listed(desk: Desk) {
    let hers = desk.enqueue(desk.ann, job()).await;
    let his = desk.enqueue(desk.ben, NewJob::new("work", "other", serde_json::json!({"n": 1}))).await;
    let all = desk.database.all_jobs(&JobQuery::default()).await.unwrap();
    assert_eq!(all.iter().map(|job| job.id).collect::<Vec<_>>(), [his, hers]);
    let state = Some(JobState::Completed);
    assert!(desk.database.all_jobs(&JobQuery { state, ..JobQuery::default() }).await.unwrap().is_empty());
    assert_eq!(desk.database.any_job(his).await.unwrap().user, desk.ben.user);
    let unknown = desk.database.any_job(JobId::random()).await;
    assert_eq!(kind_of(unknown), Some(LibraryErrorKind::NotFound));
}

async fn a_job_tells_how_it_went_to_its_owner(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    let mut twice = job().track(track);
    twice.max_attempts = 1;
    let id = desk.enqueue(desk.ann, twice).await;
    let told = async || {
        let moments = desk.database.job_timeline(desk.ann, id).await.unwrap();
        assert!(moments.windows(2).all(|pair| pair[0].at_ms <= pair[1].at_ms), "{moments:?}");
        moments
    };
    let kinds = async || told().await.iter().map(|moment| moment.kind).collect::<Vec<_>>();
    assert_eq!(kinds().await, [JobMomentKind::Queued]);
    let run = desk.claim_one().await;
    beat(&desk, run.fence(), 40).await;
    beat(&desk, run.fence(), 41).await;
    assert_eq!(told().await.iter().filter_map(|moment| moment.progress).collect::<Vec<_>>(), [40]);
    desk.finish(run.fence(), failure()).await.unwrap();
    let mut all = kinds().await;
    // What happens within a millisecond is in the order of what can follow what.
    all.sort();
    use JobMomentKind::{Discarded, Failed, Progressed, Queued, Started};
    assert_eq!(all, [Queued, Started, Progressed, Failed, Discarded]);
    let failed = told().await.into_iter().find(|moment| moment.kind == Failed).unwrap();
    assert_eq!(failed.text.as_deref(), Some("no"));
    assert_eq!(kind_of(desk.database.job_timeline(desk.ben, id).await), Some(LibraryErrorKind::NotFound));
}
