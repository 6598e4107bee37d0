//! Batches, and finding things by a part of their ids.

use sfa_core::library::{Batch, BatchId, Change, LibraryErrorKind, Outcome, Scope, TrackId};

use crate::{Desk, cases, job, kind_of};

cases![
    a_batch_has_tracks,
    a_batch_counts_what_has_ended,
    a_batch_waits_for_work_that_was_asked_for_before,
    a_track_that_goes_holds_up_no_batch,
    batches_are_listed_newest_first,
    things_are_found_by_either_end_of_their_ids,
];

async fn a_batch_has_tracks(desk: Desk) {
    let batch = Batch { id: BatchId::random(), name: "all".to_owned(), total: 0, done: 0, failed: 0 };
    assert_eq!(
        kind_of(desk.apply(desk.ann, Change::AddBatch(batch.clone())).await),
        Some(LibraryErrorKind::Invalid)
    );
    desk.apply(desk.ann, Change::AddBatch(Batch { total: 2, ..batch.clone() })).await.unwrap();
    assert_eq!(desk.database.batch(desk.ann, batch.id).await.unwrap().total, 2);
    assert_eq!(kind_of(desk.database.batch(desk.ben, batch.id).await), Some(LibraryErrorKind::NotFound));
}

async fn a_batch_counts_what_has_ended(desk: Desk) {
    let id = BatchId::random();
    let batch = Batch { id, name: "all".to_owned(), total: 3, done: 0, failed: 0 };
    desk.apply(desk.ann, Change::AddBatch(batch)).await.unwrap();
    for title in ["a", "b", "c"] {
        let track = desk.track(desk.ann, title).await;
        desk.enqueue(desk.ann, job().track(track).batch(Some(id))).await;
    }
    let jobs = desk.claim(2).await;
    let failure = sfa_core::library::Outcome::Failed { error: "no".to_owned(), is_final: true };
    desk.finish(jobs[0].fence(), failure).await.unwrap();
    desk.finish(jobs[1].fence(), sfa_core::library::Outcome::Completed(vec![])).await.unwrap();
    let batch = desk.database.batch(desk.ann, id).await.unwrap();
    assert_eq!((batch.total, batch.done, batch.failed), (3, 2, 1));
}

async fn open(desk: &Desk, scope: Scope, name: &str, total: i64) -> BatchId {
    let id = BatchId::random();
    let batch = Batch { id, name: name.to_owned(), total, done: 0, failed: 0 };
    desk.apply(scope, Change::AddBatch(batch)).await.unwrap();
    id
}

async fn a_batch_waits_for_work_that_was_asked_for_before(desk: Desk) {
    let track = desk.track(desk.ann, "a").await;
    let before = desk.enqueue(desk.ann, job().track(track).unique("a")).await;
    let id = open(&desk, desk.ann, "all", 1).await;
    let same = desk.enqueue(desk.ann, job().track(track).unique("a").batch(Some(id))).await;
    assert_eq!(same, before);
    let batch = async || desk.database.batch(desk.ann, id).await.unwrap();
    assert_eq!((batch().await.done, batch().await.percent()), (0, 0));
    desk.finish(desk.claim_one().await.fence(), Outcome::Completed(Vec::new())).await.unwrap();
    assert_eq!((batch().await.done, batch().await.percent()), (1, 100));
}

async fn a_track_that_goes_holds_up_no_batch(desk: Desk) {
    let id = open(&desk, desk.ann, "all", 2).await;
    let tracks = [desk.track(desk.ann, "a").await, desk.track(desk.ann, "b").await];
    for track in tracks {
        desk.enqueue(desk.ann, job().track(track).batch(Some(id))).await;
    }
    desk.apply(desk.ann, Change::RemoveTrack(tracks[0])).await.unwrap();
    let batch = desk.database.batch(desk.ann, id).await.unwrap();
    assert_eq!((batch.done, batch.percent(), batch.failed), (1, 50, 0));
}

async fn batches_are_listed_newest_first(desk: Desk) {
    let (first, second) = (open(&desk, desk.ann, "first", 1).await, open(&desk, desk.ann, "second", 2).await);
    open(&desk, desk.ben, "other", 1).await;
    let list = async |limit| {
        let batches = desk.database.batches(desk.ann, limit).await.unwrap();
        batches.into_iter().map(|batch| batch.id).collect::<Vec<_>>()
    };
    assert_eq!(list(0).await, [second, first]);
    assert_eq!(list(1).await, [second]);
    assert_eq!(desk.database.batches(desk.ben, 0).await.unwrap()[0].name, "other");
}

async fn things_are_found_by_either_end_of_their_ids(desk: Desk) {
    let track = desk.track(desk.ann, "a").await;
    let job = desk.enqueue(desk.ann, job().track(track)).await;
    let text = track.to_string();
    let found = async |part: &str| desk.database.tracks_like(desk.ann, part).await.unwrap();
    for part in [&text[..], &text[..14], &text[24..], &text.to_uppercase()[28..], ""] {
        assert_eq!(found(part).await, [track], "{part}");
    }
    for part in ["%", "_", "zz", "ffffffff-"] {
        assert_eq!(found(part).await, [] as [TrackId; 0], "{part}");
    }
    assert!(desk.database.tracks_like(desk.ben, &text).await.unwrap().is_empty());
    assert_eq!(desk.database.jobs_like(desk.ann, &job.to_string()[20..]).await.unwrap(), [job]);
    assert!(desk.database.jobs_like(desk.ben, &job.to_string()).await.unwrap().is_empty());
    desk.track(desk.ann, "b").await;
    desk.track(desk.ann, "c").await;
    assert_eq!(found("").await.len(), 2, "more than one is enough to know");
}
