//! Lists of tracks: searches, filters, orders and pages.

use sfa_core::audio::analyze::Key;
use sfa_core::library::{
    AnalysisSummary, Change, LibraryErrorKind, LibraryStem, NewTrack, Outcome, Scope, TrackEdit, TrackId,
    TrackOrder, TrackQuery, TrackStatus,
};

use crate::{Desk, blob, cases, failure, job, kind_of, new_track};

cases![
    lists_are_in_every_order,
    lists_come_in_pages,
    a_page_has_a_size,
    a_page_after_a_strangers_track_is_not_found,
    searches_ignore_case_and_read_all_three_fields,
    searches_take_wildcards_as_letters,
    searches_find_words_in_any_order_and_without_accents,
    searches_find_rare_and_common_words_of_any_length,
    searches_follow_edits_and_removals,
    searches_come_in_pages,
    filters_leave_what_they_say,
    filters_and_searches_go_together,
    a_key_has_several_names,
    what_no_key_is_called_is_refused,
    filters_see_only_the_users_tracks,
    a_filter_that_finds_many_and_one_that_finds_few_agree,
    every_order_has_another_way_round,
    tracks_without_what_a_list_is_sorted_by_come_last,
    pages_go_through_ties_and_gaps,
    a_status_follows_the_jobs,
    a_list_of_status_follows_the_jobs,
    stems_that_go_are_noticed,
];

const ORDERS: [TrackOrder; 7] = [
    TrackOrder::Newest,
    TrackOrder::Title,
    TrackOrder::Artist,
    TrackOrder::Bpm,
    TrackOrder::Key,
    TrackOrder::Duration,
    TrackOrder::Energy,
];

async fn lists_are_in_every_order(desk: Desk) {
    for (title, artist) in [("b", Some("x")), ("a", None), ("c", Some("w"))] {
        let mut track = new_track(title);
        track.artist = artist.map(str::to_owned);
        desk.apply(desk.ann, Change::AddTrack(track)).await.unwrap();
    }
    for (order, expected) in
        [(TrackOrder::Newest, "cab"), (TrackOrder::Title, "abc"), (TrackOrder::Artist, "cba")]
    {
        assert_eq!(titles(&desk, TrackQuery { order, ..TrackQuery::default() }).await, expected, "{order:?}");
    }
}

async fn lists_come_in_pages(desk: Desk) {
    for title in ["d", "a", "e", "c", "b"] {
        desk.track(desk.ann, title).await;
    }
    for order in ORDERS {
        let whole = titles(&desk, TrackQuery { order, ..TrackQuery::default() }).await;
        let (mut joined, mut after) = (String::new(), None);
        loop {
            let query = TrackQuery { order, limit: 2, after, ..TrackQuery::default() };
            let page = desk.database.tracks(desk.ann, &query).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            joined.extend(page.iter().map(|track| track.title.as_str()));
        }
        assert_eq!(joined, whole, "{order:?}");
    }
}

async fn a_page_has_a_size(desk: Desk) {
    for limit in [0, -1, 501] {
        let query = TrackQuery { limit, ..TrackQuery::default() };
        assert_eq!(kind_of(desk.database.tracks(desk.ann, &query).await), Some(LibraryErrorKind::Invalid));
    }
}

async fn a_page_after_a_strangers_track_is_not_found(desk: Desk) {
    let after = Some(desk.track(desk.ben, "one").await);
    let query = TrackQuery { after, ..TrackQuery::default() };
    assert_eq!(kind_of(desk.database.tracks(desk.ann, &query).await), Some(LibraryErrorKind::NotFound));
}

async fn searches_ignore_case_and_read_all_three_fields(desk: Desk) {
    for (title, artist, album) in [("Help", "The Beatles", "Help!"), ("One", "U2", "Achtung")] {
        let mut track = new_track(title);
        (track.artist, track.album) = (Some(artist.to_owned()), Some(album.to_owned()));
        desk.apply(desk.ann, Change::AddTrack(track)).await.unwrap();
    }
    for (words, expected) in [("beatl", "Help"), ("ONE", "One"), ("achtung", "One"), ("nothing", "")] {
        let query = TrackQuery { search: Some(words.to_owned()), ..TrackQuery::default() };
        assert_eq!(titles(&desk, query).await, expected, "{words}");
    }
}

async fn searches_take_wildcards_as_letters(desk: Desk) {
    desk.track(desk.ann, "100% pure").await;
    desk.track(desk.ann, "100 pure_ly!").await;
    for (words, expected) in [("0%", "100% pure"), ("e_l", "100 pure_ly!"), ("y!", "100 pure_ly!")] {
        let query = TrackQuery { search: Some(words.to_owned()), ..TrackQuery::default() };
        assert_eq!(titles(&desk, query).await, expected, "{words}");
    }
}

async fn searches_find_words_in_any_order_and_without_accents(desk: Desk) {
    let mut track = new_track("Déjà Vu (Extended Mix)");
    track.artist = Some("BEYONCÉ".to_owned());
    desk.apply(desk.ann, Change::AddTrack(track)).await.unwrap();
    for words in ["beyonce deja", "vu  BEYONCÉ", "extended mix beyonce deja vu", "yonc ended", "de b", " "] {
        assert_eq!(found(&desk, words).await, ["Déjà Vu (Extended Mix)"], "{words}");
    }
    for words in ["beyonce radio", "vuu", "ix", "\"", "deja\" OR \"x"] {
        assert!(found(&desk, words).await.is_empty(), "{words}");
    }
}

async fn searches_find_rare_and_common_words_of_any_length(desk: Desk) {
    // More than are looked up in an index of letters.
    let changes = (0..2100).map(|n| Change::AddTrack(new_track(&format!("common {n}")))).collect();
    desk.database.apply(desk.ann, changes).await.unwrap();
    desk.track(desk.ben, "rare common").await;
    desk.track(desk.ann, "rare é").await;
    assert_eq!(found(&desk, "rare").await, ["rare é"]);
    assert_eq!(found(&desk, "e rare").await, ["rare é"]);
    assert_eq!(found(&desk, "common").await.len(), 100);
    assert_eq!(found(&desk, "common 2099").await, ["common 2099"]);
    assert_eq!(found(&desk, "99").await.len(), 11, "of 99 and 990 … 999");
    desk.track(desk.ann, "東京事変").await;
    assert_eq!(found(&desk, "事変").await, ["東京事変"]);
}

async fn searches_follow_edits_and_removals(desk: Desk) {
    let track = desk.track(desk.ann, "first").await;
    let edit = TrackEdit { artist: Some("Somebody".to_owned()), ..TrackEdit::default() };
    desk.apply(desk.ann, Change::EditTrack(track, edit)).await.unwrap();
    assert_eq!(found(&desk, "somebody first").await, ["first"]);
    let edit = TrackEdit { title: Some("second".to_owned()), ..TrackEdit::default() };
    desk.apply(desk.ann, Change::EditTrack(track, edit)).await.unwrap();
    assert!(found(&desk, "first").await.is_empty());
    assert_eq!(found(&desk, "second some").await, ["second"]);
    desk.apply(desk.ann, Change::RemoveTrack(track)).await.unwrap();
    assert!(found(&desk, "second").await.is_empty());
    desk.track(desk.ann, "second").await;
    assert_eq!(found(&desk, "second").await, ["second"]);
}

async fn searches_come_in_pages(desk: Desk) {
    for title in ["abc 1", "abc 2", "other", "abc 3"] {
        desk.track(desk.ann, title).await;
    }
    for words in ["abc", "ab", "ABC ab"] {
        for order in ORDERS {
            let mut query =
                TrackQuery { search: Some(words.to_owned()), order, limit: 2, ..TrackQuery::default() };
            let first = desk.database.tracks(desk.ann, &query).await.unwrap();
            query.after = Some(first[1].id);
            let second = desk.database.tracks(desk.ann, &query).await.unwrap();
            assert_eq!((first.len(), second.len()), (2, 1), "{words} {order:?}");
            assert!(first.iter().all(|track| track.id != second[0].id));
        }
    }
}

async fn found(desk: &Desk, words: &str) -> Vec<String> {
    let query =
        TrackQuery { search: Some(words.to_owned()), order: TrackOrder::Title, ..TrackQuery::default() };
    desk.database.tracks(desk.ann, &query).await.unwrap().into_iter().map(|track| track.title).collect()
}

async fn titles(desk: &Desk, query: TrackQuery) -> String {
    let found = desk.database.tracks(desk.ann, &query).await.unwrap();
    found.into_iter().map(|track| track.title).collect()
}

/// A track with what lists know of it.
async fn add(
    desk: &Desk,
    scope: Scope,
    track: NewTrack,
    duration_ms: i64,
    summary: AnalysisSummary,
) -> TrackId {
    let id = track.id;
    let changes = vec![
        Change::AddTrack(track),
        Change::SetDuration(id, duration_ms),
        Change::ReplaceAnalysis { track: id, summary, document: "{}".to_owned() },
    ];
    desk.database.apply(scope, changes).await.unwrap();
    id
}

fn summary(bpm: f64, key: &str, energy: i64) -> AnalysisSummary {
    let key: Key = key.parse().unwrap();
    AnalysisSummary {
        bpm: Some(bpm),
        key: Some(key.to_string()),
        camelot: Some(key.camelot()),
        energy: Some(energy),
        lufs: None,
    }
}

fn by(artist: &str, album: &str, title: &str) -> NewTrack {
    NewTrack { artist: Some(artist.to_owned()), album: Some(album.to_owned()), ..new_track(title) }
}

fn drums_of(track: TrackId) -> Change {
    let drums = LibraryStem {
        kind: "drums".to_owned(),
        engine: "demucs".to_owned(),
        take: String::new(),
        file_name: "drums.flac".to_owned(),
        blob: blob("drums"),
        peak_dbfs: None,
        rms_dbfs: None,
    };
    Change::ReplaceStems { track, engine: "demucs".to_owned(), stems: vec![drums] }
}

/// Four tracks: "a" to "c" measured, "d" just imported.
async fn four(desk: &Desk) -> [TrackId; 4] {
    let a = add(desk, desk.ann, by("Ann", "First", "a"), 60_000, summary(120.0, "8A", 3)).await;
    let b = add(desk, desk.ann, by("Ann", "Second", "b"), 30_000, summary(128.0, "10B", 7)).await;
    let c = add(desk, desk.ann, by("Bob", "First", "c"), 90_000, summary(174.5, "2A", 10)).await;
    let d = desk.track(desk.ann, "d").await;
    desk.apply(desk.ann, drums_of(b)).await.unwrap();
    [a, b, c, d]
}

fn by_title() -> TrackQuery {
    TrackQuery { order: TrackOrder::Title, ..TrackQuery::default() }
}

fn keys(names: &[&str]) -> Vec<Key> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

async fn filters_leave_what_they_say(desk: Desk) {
    four(&desk).await;
    let all = by_title;
    for (expected, query) in [
        ("ab", TrackQuery { artist: Some("Ann".to_owned()), ..all() }),
        ("", TrackQuery { artist: Some("An".to_owned()), ..all() }),
        ("ac", TrackQuery { album: Some("First".to_owned()), ..all() }),
        ("ab", TrackQuery { bpm: Some(120.0..=128.0), ..all() }),
        ("", TrackQuery { bpm: Some(120.1..=127.9), ..all() }),
        ("", TrackQuery { bpm: Some(128.0..=120.0), ..all() }),
        ("bc", TrackQuery { energy: Some(7..=10), ..all() }),
        ("a", TrackQuery { keys: keys(&["8A"]), ..all() }),
        ("ac", TrackQuery { keys: keys(&["8A", "2A", "12B"]), ..all() }),
        ("b", TrackQuery { has_stems: Some(true), ..all() }),
        ("acd", TrackQuery { has_stems: Some(false), ..all() }),
        ("abcd", TrackQuery { status: Some(TrackStatus::Ready), ..all() }),
        ("", TrackQuery { status: Some(TrackStatus::Failed), ..all() }),
        (
            "a",
            TrackQuery {
                artist: Some("Ann".to_owned()),
                album: Some("First".to_owned()),
                bpm: Some(100.0..=130.0),
                energy: Some(1..=5),
                keys: keys(&["8A"]),
                has_stems: Some(false),
                status: Some(TrackStatus::Ready),
                ..all()
            },
        ),
    ] {
        assert_eq!(titles(&desk, query.clone()).await, expected, "{query:?}");
    }
}

async fn filters_and_searches_go_together(desk: Desk) {
    four(&desk).await;
    for (words, expected) in [("first", "a"), ("ann", "ab"), ("bob", ""), ("an", "ab"), ("ann second", "b")] {
        let query = TrackQuery { search: Some(words.to_owned()), bpm: Some(100.0..=130.0), ..by_title() };
        assert_eq!(titles(&desk, query).await, expected, "{words}");
    }
}

async fn a_key_has_several_names(desk: Desk) {
    let [a, ..] = four(&desk).await;
    let found = desk.database.track(desk.ann, a).await.unwrap().analysis.unwrap();
    assert_eq!((found.key.as_deref(), found.camelot.as_deref()), (Some("A minor"), Some("8A")));
    for name in ["A minor", "am", "1m", "8a"] {
        assert_eq!(titles(&desk, TrackQuery { keys: keys(&[name]), ..by_title() }).await, "a", "{name}");
    }
}

async fn what_no_key_is_called_is_refused(desk: Desk) {
    let track = desk.track(desk.ann, "a").await;
    let summary = AnalysisSummary { key: Some("H dorian".to_owned()), ..summary(120.0, "8A", 3) };
    let change = Change::ReplaceAnalysis { track, summary, document: "{}".to_owned() };
    assert_eq!(kind_of(desk.apply(desk.ann, change).await), Some(LibraryErrorKind::Invalid));
}

async fn filters_see_only_the_users_tracks(desk: Desk) {
    four(&desk).await;
    add(&desk, desk.ben, by("Ann", "First", "x"), 1000, summary(120.0, "8A", 3)).await;
    let found = async |query| desk.database.tracks(desk.ben, &query).await.unwrap().len();
    assert_eq!(found(TrackQuery { artist: Some("Ann".to_owned()), ..by_title() }).await, 1);
    assert_eq!(found(TrackQuery { bpm: Some(1.0..=500.0), ..by_title() }).await, 1);
    assert_eq!(found(TrackQuery { has_stems: Some(true), ..by_title() }).await, 0);
    let query = TrackQuery { artist: Some("Ann".to_owned()), ..by_title() };
    assert_eq!(titles(&desk, query).await, "ab");
}

/// More tracks than are looked up by a filter and then sorted.
async fn a_filter_that_finds_many_and_one_that_finds_few_agree(desk: Desk) {
    const MANY: usize = 5100;
    let mut changes = Vec::new();
    for number in 0..MANY {
        let track = by("Many", if number % 1000 == 7 { "Rare" } else { "Common" }, &format!("{number:05}"));
        let id = track.id;
        changes.push(Change::AddTrack(track));
        let summary = summary(100.0 + (number % 50) as f64, "8A", 1 + (number % 10) as i64);
        changes.push(Change::ReplaceAnalysis { track: id, summary, document: String::new() });
    }
    desk.database.apply(desk.ann, changes).await.unwrap();
    let many = TrackQuery { artist: Some("Many".to_owned()), limit: 500, ..by_title() };
    let first = desk.database.tracks(desk.ann, &many).await.unwrap();
    assert_eq!((first.len(), first[499].title.as_str()), (500, "00499"));
    let few = TrackQuery { album: Some("Rare".to_owned()), ..many.clone() };
    assert_eq!(titles(&desk, few).await, "000070100702007030070400705007");
    let both = TrackQuery { bpm: Some(107.0..=107.0), energy: Some(8..=8), ..many };
    assert_eq!(desk.database.tracks(desk.ann, &both).await.unwrap().len(), MANY / 50);
}

async fn every_order_has_another_way_round(desk: Desk) {
    four(&desk).await;
    for (order, expected, reversed) in [
        (TrackOrder::Newest, "dcba", "abcd"),
        (TrackOrder::Title, "abcd", "dcba"),
        (TrackOrder::Artist, "abcd", "cbad"),
        (TrackOrder::Bpm, "abcd", "cbad"),
        (TrackOrder::Key, "cabd", "bacd"),
        (TrackOrder::Duration, "bacd", "cabd"),
        (TrackOrder::Energy, "abcd", "cbad"),
    ] {
        let query = TrackQuery { order, ..TrackQuery::default() };
        assert_eq!(titles(&desk, query.clone()).await, expected, "{order:?}");
        assert_eq!(titles(&desk, TrackQuery { is_reversed: true, ..query }).await, reversed, "{order:?}");
    }
}

async fn tracks_without_what_a_list_is_sorted_by_come_last(desk: Desk) {
    desk.track(desk.ann, "x").await;
    four(&desk).await;
    desk.track(desk.ann, "y").await;
    for order in &ORDERS[2..] {
        for is_reversed in [false, true] {
            let query = TrackQuery { order: *order, is_reversed, ..TrackQuery::default() };
            let expected = if is_reversed { "ydx" } else { "xdy" };
            assert_eq!(titles(&desk, query).await[3..], *expected, "{order:?} {is_reversed}");
        }
    }
}

async fn pages_go_through_ties_and_gaps(desk: Desk) {
    for number in 0..5 {
        let track = by("Same", "Same", &format!("t{number}"));
        add(&desk, desk.ann, track, 1000, summary(120.0, "8A", 5)).await;
        desk.track(desk.ann, &format!("u{number}")).await;
    }
    for order in ORDERS {
        for is_reversed in [false, true] {
            for filter in [None, Some(TrackStatus::Ready)] {
                let all = TrackQuery { order, is_reversed, status: filter, ..TrackQuery::default() };
                let whole = titles(&desk, all.clone()).await;
                assert_eq!(whole.len(), 20);
                for limit in [1, 3, 5, 10] {
                    let (mut joined, mut after) = (String::new(), None);
                    loop {
                        let query = TrackQuery { limit, after, ..all.clone() };
                        let page = desk.database.tracks(desk.ann, &query).await.unwrap();
                        let Some(last) = page.last() else { break };
                        after = Some(last.id);
                        joined.extend(page.iter().map(|track| track.title.as_str()));
                    }
                    assert_eq!(joined, whole, "{order:?} {is_reversed} {limit}");
                }
            }
        }
    }
}

async fn a_status_follows_the_jobs(desk: Desk) {
    let track = desk.track(desk.ann, "a").await;
    let status = async || desk.database.track(desk.ann, track).await.unwrap().status;
    let (first, second) =
        (desk.enqueue(desk.ann, job().track(track)).await, desk.enqueue(desk.ann, job().track(track)).await);
    assert_eq!(status().await, TrackStatus::Working);
    let jobs = desk.claim(2).await;
    desk.finish(jobs[0].fence(), Outcome::Failed { error: "no".to_owned(), is_final: true }).await.unwrap();
    assert_eq!(status().await, TrackStatus::Working, "the other one runs");
    desk.finish(jobs[1].fence(), Outcome::Completed(Vec::new())).await.unwrap();
    assert_eq!(status().await, TrackStatus::Ready, "the last end counts");
    desk.apply(desk.ann, Change::RetryJob(jobs[0].id)).await.unwrap();
    assert_eq!(status().await, TrackStatus::Working);
    desk.apply(desk.ann, Change::CancelJob(jobs[0].id)).await.unwrap();
    assert_eq!(status().await, TrackStatus::Ready);
    assert!([first, second].contains(&jobs[0].id));
    let again = desk.enqueue(desk.ann, job().track(track)).await;
    desk.finish(desk.claim_one().await.fence(), failure()).await.unwrap();
    assert_eq!(status().await, TrackStatus::Working, "it is tried again");
    desk.apply(desk.ann, Change::CancelJob(again)).await.unwrap();
    assert_eq!(status().await, TrackStatus::Ready);
}

async fn a_list_of_status_follows_the_jobs(desk: Desk) {
    let [a, b, ..] = four(&desk).await;
    desk.enqueue(desk.ann, job().track(a)).await;
    let job_of_b = desk.enqueue(desk.ann, job().track(b)).await;
    let list = async |status| titles(&desk, TrackQuery { status: Some(status), ..by_title() }).await;
    assert_eq!(
        (list(TrackStatus::Working).await, list(TrackStatus::Ready).await),
        ("ab".into(), "cd".into())
    );
    for job in desk.claim(2).await {
        let end = if job.id == job_of_b {
            Outcome::Failed { error: "no".to_owned(), is_final: true }
        } else {
            Outcome::Completed(Vec::new())
        };
        desk.finish(job.fence(), end).await.unwrap();
    }
    assert_eq!((list(TrackStatus::Failed).await, list(TrackStatus::Ready).await), ("b".into(), "acd".into()));
}

async fn stems_that_go_are_noticed(desk: Desk) {
    let [_, b, ..] = four(&desk).await;
    let none = Change::ReplaceStems { track: b, engine: "demucs".to_owned(), stems: Vec::new() };
    desk.apply(desk.ann, none).await.unwrap();
    assert_eq!(titles(&desk, TrackQuery { has_stems: Some(true), ..by_title() }).await, "");
}
