//! Cues and loops that somebody places, beside those that are found.

use sfa_core::library::{Change, CueId, LibraryCue, LibraryErrorKind, PlacedCue, TrackId};

use crate::results::cue as found;
use crate::{Desk, cases, kind_of};

cases![
    a_cue_is_placed_changed_and_removed,
    a_cue_lies_within_its_song,
    a_pad_has_one_cue_and_found_ones_give_way,
    what_was_found_and_changed_is_not_found_again,
    what_was_found_and_removed_stays_away,
    cues_of_others_are_not_there,
    listeners_hear_of_cues,
];

fn placed(start_ms: i64) -> PlacedCue {
    PlacedCue {
        kind: "own".to_owned(),
        label: "here".to_owned(),
        start_ms,
        end_ms: None,
        colour: Some("#12abEF".to_owned()),
        pad: None,
    }
}

/// Places a cue of Ann's.
async fn place(desk: &Desk, track: TrackId, cue: PlacedCue) -> CueId {
    let id = CueId::random();
    desk.apply(desk.ann, Change::AddCue(track, id, cue)).await.unwrap();
    id
}

async fn cues(desk: &Desk, track: TrackId) -> Vec<LibraryCue> {
    desk.database.cues(desk.ann, track).await.unwrap()
}

async fn a_cue_is_placed_changed_and_removed(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    let id = place(&desk, track, placed(500)).await;
    let there = cues(&desk, track).await.remove(0);
    assert_eq!((there.id, there.start_ms, there.label.as_str()), (id, 500, "here"));
    assert_eq!(
        (there.colour.as_deref(), there.confidence, there.is_automatic),
        (Some("#12abEF"), None, false)
    );
    let looped = PlacedCue { kind: "loop".to_owned(), end_ms: Some(900), pad: Some(3), ..placed(100) };
    desk.apply(desk.ann, Change::SetCue(track, id, looped)).await.unwrap();
    let there = cues(&desk, track).await.remove(0);
    assert_eq!((there.id, there.start_ms, there.end_ms, there.pad), (id, 100, Some(900), Some(3)));
    desk.apply(desk.ann, Change::RemoveCue(track, id)).await.unwrap();
    assert!(cues(&desk, track).await.is_empty());
    for change in [Change::RemoveCue(track, id), Change::SetCue(track, id, placed(1))] {
        assert_eq!(kind_of(desk.apply(desk.ann, change).await), Some(LibraryErrorKind::NotFound));
    }
}

async fn a_cue_lies_within_its_song(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    let try_at = async |start_ms| {
        kind_of(desk.apply(desk.ann, Change::AddCue(track, CueId::random(), placed(start_ms))).await)
    };
    assert_eq!(try_at(5000).await, None, "nobody knows yet how long it is");
    desk.apply(desk.ann, Change::SetDuration(track, 4000)).await.unwrap();
    assert_eq!(try_at(4000).await, None);
    assert_eq!(try_at(4001).await, Some(LibraryErrorKind::Invalid));
    assert_eq!(try_at(-1).await, Some(LibraryErrorKind::Invalid));
    assert_eq!(cues(&desk, track).await.len(), 2);
}

async fn a_pad_has_one_cue_and_found_ones_give_way(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    let on = |pad: u8, start_ms: i64| PlacedCue { pad: Some(pad), ..placed(start_ms) };
    let automatic = || {
        vec![
            LibraryCue { pad: Some(0), ..found(1000, true) },
            LibraryCue { pad: Some(1), ..found(2000, true) },
        ]
    };
    desk.apply(desk.ann, Change::ReplaceCues { track, cues: automatic() }).await.unwrap();
    let mine = place(&desk, track, on(0, 10)).await;
    let pads =
        async || cues(&desk, track).await.into_iter().map(|cue| (cue.start_ms, cue.pad)).collect::<Vec<_>>();
    assert_eq!(pads().await, [(10, Some(0)), (1000, None), (2000, Some(1))]);
    let second = Change::AddCue(track, CueId::random(), on(0, 20));
    assert_eq!(kind_of(desk.apply(desk.ann, second).await), Some(LibraryErrorKind::Conflict));
    desk.apply(desk.ann, Change::SetCue(track, mine, on(1, 10))).await.unwrap();
    desk.apply(desk.ann, Change::ReplaceCues { track, cues: automatic() }).await.unwrap();
    assert_eq!(
        pads().await,
        [(10, Some(1)), (1000, Some(0)), (2000, None)],
        "what is found anew gives way too"
    );
    let other = desk.track(desk.ann, "two").await;
    place(&desk, other, on(1, 10)).await;
}

async fn what_was_found_and_changed_is_not_found_again(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    let automatic = || vec![found(1000, true), found(2000, true)];
    desk.apply(desk.ann, Change::ReplaceCues { track, cues: automatic() }).await.unwrap();
    let there = cues(&desk, track).await;
    let moved = PlacedCue { kind: "drop".to_owned(), ..placed(1500) };
    desk.apply(desk.ann, Change::SetCue(track, there[0].id, moved)).await.unwrap();
    // Moved once more, it is still what was found at 1000.
    desk.apply(desk.ann, Change::SetCue(track, there[0].id, placed(1600))).await.unwrap();
    desk.apply(desk.ann, Change::ReplaceCues { track, cues: automatic() }).await.unwrap();
    let now: Vec<_> =
        cues(&desk, track).await.into_iter().map(|cue| (cue.start_ms, cue.is_automatic)).collect();
    assert_eq!(now, [(1600, false), (2000, true)]);
}

async fn what_was_found_and_removed_stays_away(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    let looped = |start_ms| LibraryCue { end_ms: Some(start_ms + 500), ..found(start_ms, true) };
    let automatic = || vec![found(1000, true), looped(1000), found(2000, true), found(3000, true)];
    let replace = async |track| {
        desk.apply(desk.ann, Change::ReplaceCues { track, cues: automatic() }).await.unwrap();
        let there = cues(&desk, track).await;
        there.into_iter().map(|cue| (cue.start_ms, cue.end_ms)).collect::<Vec<_>>()
    };
    replace(track).await;
    let there = cues(&desk, track).await;
    let of = |start_ms, end_ms| {
        there.iter().find(|cue| (cue.start_ms, cue.end_ms) == (start_ms, end_ms)).unwrap().id
    };
    // One as it was found, and one that was changed before.
    desk.apply(desk.ann, Change::SetCue(track, of(2000, None), placed(2500))).await.unwrap();
    for id in [of(1000, None), of(2000, None)] {
        desk.apply(desk.ann, Change::RemoveCue(track, id)).await.unwrap();
    }
    assert_eq!(replace(track).await, [(1000, Some(1500)), (3000, None)]);
    let other = desk.track(desk.ann, "two").await;
    assert_eq!(replace(other).await.len(), 4, "another song has its own");
}

async fn cues_of_others_are_not_there(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    let other = desk.track(desk.ann, "two").await;
    let id = place(&desk, track, placed(0)).await;
    for (scope, track) in [(desk.ben, track), (desk.ann, other)] {
        for change in [Change::SetCue(track, id, placed(1)), Change::RemoveCue(track, id)] {
            assert_eq!(kind_of(desk.apply(scope, change).await), Some(LibraryErrorKind::NotFound));
        }
    }
    let his = Change::AddCue(track, CueId::random(), placed(1));
    assert_eq!(kind_of(desk.apply(desk.ben, his).await), Some(LibraryErrorKind::NotFound));
    assert_eq!(cues(&desk, track).await[0].start_ms, 0);
}

async fn listeners_hear_of_cues(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    let id = CueId::random();
    for (change, kind) in [
        (Change::AddCue(track, id, placed(0)), "cue.placed"),
        (Change::SetCue(track, id, placed(1)), "cue.placed"),
        (Change::RemoveCue(track, id), "cue.removed"),
    ] {
        let events = desk.apply(desk.ann, change).await.unwrap().events;
        let told = events.iter().find(|event| event.kind == kind).unwrap();
        assert_eq!(
            (told.topic.clone(), &told.payload["cue"]),
            (format!("track:{track}"), &serde_json::json!(id))
        );
        assert!(events.iter().any(|event| event.kind == "tracks"), "the library is told of the song");
    }
}
