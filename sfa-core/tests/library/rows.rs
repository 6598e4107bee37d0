//! Tracks and what belongs to them.

use std::time::Duration;

use serde_json::json;
use sfa_core::library::{
    Change, JobId, LibraryErrorKind, LibraryStem, Outcome, Package, PlaylistId, Step, Storage, Topic,
    TrackEdit, TrackId, TrackQuery, TrackStatus, UserId,
};

use crate::results::{stem, stems, summary};
use crate::{Desk, blob, cases, job, kind_of, new_track};

cases![
    a_track_comes_back_as_it_was_put_in,
    the_same_file_twice_is_a_conflict,
    two_users_may_have_the_same_file,
    what_belongs_to_somebody_else_is_not_found,
    somebody_elses_things_cannot_be_changed,
    a_failed_change_undoes_the_ones_before_it,
    names_have_a_length,
    edits_change_what_they_name,
    a_removed_track_takes_all_with_it,
    counts_are_per_user,
    playlists_keep_their_order,
    playlists_have_unique_names_per_user,
    a_playlist_loses_a_removed_track,
    a_playlist_with_rules_has_no_tracks_of_its_own,
    packages_are_their_users,
    settings_are_kept,
    notifications_are_read_once,
    ends_are_told_to_those_who_want_to_know,
    what_a_user_does_not_keep_is_forgotten,
    usage_counts_each_content_once,
    quotas_are_kept,
    events_are_numbered_without_gaps,
    events_belong_to_their_user,
    a_rolled_back_change_tells_nobody,
    unused_contents_are_swept_and_used_ones_stay,
    a_reserved_content_is_not_swept,
    contents_lead_to_their_tracks,
    what_is_missing_is_known_of_its_tracks,
    a_track_without_jobs_is_ready,
    durations_are_positive,
];

async fn a_track_comes_back_as_it_was_put_in(desk: Desk) {
    let mut track = new_track("Änderung \u{1f3b5}");
    track.artist = Some("Ann".to_owned());
    let id = track.id;
    desk.apply(desk.ann, Change::AddTrack(track.clone())).await.unwrap();
    let found = desk.database.track(desk.ann, id).await.unwrap();
    assert_eq!((found.title, found.artist, found.album), (track.title, track.artist, None));
    assert_eq!((found.file_name, found.blob, found.size_bytes), (track.file_name, track.blob.hash, 100));
    assert!(
        found.created_at_ms > 1_700_000_000_000 && found.analysis.is_none() && found.duration_ms.is_none()
    );
}

async fn the_same_file_twice_is_a_conflict(desk: Desk) {
    desk.track(desk.ann, "one").await;
    let error = desk.apply(desk.ann, Change::AddTrack(new_track("one"))).await.unwrap_err();
    assert_eq!(error.kind(), LibraryErrorKind::Conflict);
    assert_eq!(error.to_string(), "this file is in the library already");
}

async fn two_users_may_have_the_same_file(desk: Desk) {
    let (first, second) = (desk.track(desk.ann, "one").await, desk.track(desk.ben, "one").await);
    let hash = blob("one").hash;
    assert_eq!(desk.database.track_of_blob(desk.ann, &hash).await.unwrap(), Some(first));
    assert_eq!(desk.database.track_of_blob(desk.ben, &hash).await.unwrap(), Some(second));
}

async fn what_belongs_to_somebody_else_is_not_found(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    let job = desk.enqueue(desk.ann, job().track(track)).await;
    assert_eq!(kind_of(desk.database.track(desk.ben, track).await), Some(LibraryErrorKind::NotFound));
    assert_eq!(kind_of(desk.database.job(desk.ben, job).await), Some(LibraryErrorKind::NotFound));
    assert_eq!(desk.database.track_of_blob(desk.ben, &blob("one").hash).await.unwrap(), None);
    assert!(desk.database.tracks(desk.ben, &TrackQuery::default()).await.unwrap().is_empty());
    assert!(desk.database.stems(desk.ben, track).await.unwrap().is_empty());
    assert!(desk.database.jobs(desk.ben, &Default::default()).await.unwrap().is_empty());
    let topic = Topic::Track(track).name();
    assert!(desk.database.events(desk.ben, &topic, 0).await.unwrap().is_empty());
    assert!(!desk.database.events(desk.ann, &topic, 0).await.unwrap().is_empty());
}

async fn somebody_elses_things_cannot_be_changed(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    let id = desk.enqueue(desk.ann, job().track(track)).await;
    let playlist = PlaylistId::random();
    desk.apply(desk.ann, Change::AddPlaylist(playlist, "mine".to_owned())).await.unwrap();
    for change in [
        Change::EditTrack(track, TrackEdit::default()),
        Change::RemoveTrack(track),
        Change::SetDuration(track, 1),
        Change::ReplaceStems { track, engine: "classic".to_owned(), stems: Vec::new() },
        Change::ReplaceAnalysis { track, summary: summary(), document: "{}".to_owned() },
        Change::AmendAnalysis { track, before: "{}".to_owned(), after: "{}".to_owned() },
        Change::ReplaceCues { track, cues: Vec::new() },
        Change::ReplaceExports { track, step: Step::Export, files: Vec::new() },
        Change::Enqueue(job().track(track)),
        Change::CancelJobs(track),
        Change::CancelJob(id),
        Change::RetryJob(id),
        Change::RenamePlaylist(playlist, "yours".to_owned()),
        Change::RemovePlaylist(playlist),
        Change::SetPlaylistTracks(playlist, Vec::new()),
    ] {
        let text = format!("{change:?}");
        assert_eq!(kind_of(desk.apply(desk.ben, change).await), Some(LibraryErrorKind::NotFound), "{text}");
    }
}

async fn a_failed_change_undoes_the_ones_before_it(desk: Desk) {
    let changes = vec![Change::AddTrack(new_track("one")), Change::RemoveTrack(TrackId::random())];
    assert_eq!(kind_of(desk.database.apply(desk.ann, changes).await), Some(LibraryErrorKind::NotFound));
    assert_eq!(desk.database.count_tracks(desk.ann).await.unwrap(), 0);
}

async fn names_have_a_length(desk: Desk) {
    for title in [String::new(), "x".repeat(501)] {
        let mut track = new_track("one");
        track.title = title;
        let error = desk.apply(desk.ann, Change::AddTrack(track)).await.unwrap_err();
        assert_eq!(error.kind(), LibraryErrorKind::Invalid);
        assert_eq!(error.to_string(), "a title has 1 to 500 characters");
    }
    let mut track = new_track("one");
    track.title = "ü".repeat(500);
    (track.artist, track.album) = (Some("ü".repeat(500)), Some("\u{1f3b5}".repeat(500)));
    let id = track.id;
    desk.apply(desk.ann, Change::AddTrack(track)).await.unwrap();
    let long = Some("x".repeat(501));
    for edit in [
        TrackEdit { artist: long.clone(), ..TrackEdit::default() },
        TrackEdit { album: long, ..TrackEdit::default() },
    ] {
        let error = desk.apply(desk.ann, Change::EditTrack(id, edit)).await.unwrap_err();
        assert!(error.to_string().ends_with("has up to 500 characters"), "{error}");
    }
}

async fn edits_change_what_they_name(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    let edit = TrackEdit { artist: Some("Ann".to_owned()), ..TrackEdit::default() };
    desk.apply(desk.ann, Change::EditTrack(track, edit)).await.unwrap();
    let found = desk.database.track(desk.ann, track).await.unwrap();
    assert_eq!((found.title.as_str(), found.artist.as_deref()), ("one", Some("Ann")));
    let edit = TrackEdit { title: Some(String::new()), ..TrackEdit::default() };
    assert_eq!(
        kind_of(desk.apply(desk.ann, Change::EditTrack(track, edit)).await),
        Some(LibraryErrorKind::Invalid)
    );
}

async fn a_removed_track_takes_all_with_it(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    let id = desk.enqueue(desk.ann, job().track(track)).await;
    desk.apply(desk.ann, stems(track, "classic", &["drums"])).await.unwrap();
    desk.apply(desk.ann, Change::RemoveTrack(track)).await.unwrap();
    assert_eq!(kind_of(desk.database.track(desk.ann, track).await), Some(LibraryErrorKind::NotFound));
    assert_eq!(kind_of(desk.database.job(desk.ann, id).await), Some(LibraryErrorKind::NotFound));
    assert!(desk.database.stems(desk.ann, track).await.unwrap().is_empty());
    desk.track(desk.ann, "one").await;
}

async fn counts_are_per_user(desk: Desk) {
    desk.track(desk.ann, "one").await;
    desk.track(desk.ann, "two").await;
    desk.track(desk.ben, "one").await;
    assert_eq!(desk.database.count_tracks(desk.ann).await.unwrap(), 2);
    assert_eq!(desk.database.count_tracks(desk.ben).await.unwrap(), 1);
}

async fn playlists_keep_their_order(desk: Desk) {
    let tracks =
        [desk.track(desk.ann, "a").await, desk.track(desk.ann, "b").await, desk.track(desk.ann, "c").await];
    let playlist = PlaylistId::random();
    desk.apply(desk.ann, Change::AddPlaylist(playlist, "set".to_owned())).await.unwrap();
    for order in [[2, 0, 1], [0, 1, 2]] {
        let order = order.map(|index: usize| tracks[index]).to_vec();
        desk.apply(desk.ann, Change::SetPlaylistTracks(playlist, order.clone())).await.unwrap();
        assert_eq!(desk.database.playlist_tracks(desk.ann, playlist).await.unwrap(), order);
    }
    desk.apply(desk.ann, Change::SetPlaylistTracks(playlist, vec![tracks[0], tracks[0]])).await.unwrap();
    assert_eq!(desk.database.playlists(desk.ann).await.unwrap()[0].tracks, 1, "a track is in it once");
    let strange = desk.track(desk.ben, "d").await;
    let change = Change::SetPlaylistTracks(playlist, vec![strange]);
    assert_eq!(kind_of(desk.apply(desk.ann, change).await), Some(LibraryErrorKind::NotFound));
}

async fn playlists_have_unique_names_per_user(desk: Desk) {
    let (first, second) = (PlaylistId::random(), PlaylistId::random());
    desk.apply(desk.ann, Change::AddPlaylist(first, "set".to_owned())).await.unwrap();
    desk.apply(desk.ben, Change::AddPlaylist(PlaylistId::random(), "set".to_owned())).await.unwrap();
    let again = desk.apply(desk.ann, Change::AddPlaylist(second, "set".to_owned())).await.unwrap_err();
    assert_eq!(again.to_string(), "there is a playlist of this name already");
    desk.apply(desk.ann, Change::AddPlaylist(second, "other".to_owned())).await.unwrap();
    let rename = Change::RenamePlaylist(second, "set".to_owned());
    assert_eq!(kind_of(desk.apply(desk.ann, rename).await), Some(LibraryErrorKind::Conflict));
    let empty = Change::RenamePlaylist(second, String::new());
    assert_eq!(kind_of(desk.apply(desk.ann, empty).await), Some(LibraryErrorKind::Invalid));
}

async fn a_playlist_with_rules_has_no_tracks_of_its_own(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    let playlist = PlaylistId::random();
    desk.apply(desk.ann, Change::AddPlaylist(playlist, "fast".to_owned())).await.unwrap();
    desk.apply(desk.ann, Change::SetPlaylistTracks(playlist, vec![track])).await.unwrap();
    let rules = |rules: &str| Change::SetPlaylistRules(playlist, rules.to_owned());
    desk.apply(desk.ann, rules("bpm:>170")).await.unwrap();
    let found = desk.database.playlists(desk.ann).await.unwrap();
    assert_eq!((found[0].rules.as_deref(), found[0].tracks), (Some("bpm:>170"), 0));
    let by_hand = desk.apply(desk.ann, Change::SetPlaylistTracks(playlist, vec![track])).await;
    assert_eq!(kind_of(by_hand), Some(LibraryErrorKind::NotFound));
    assert_eq!(kind_of(desk.apply(desk.ben, rules("bpm:1")).await), Some(LibraryErrorKind::NotFound));
    assert_eq!(kind_of(desk.apply(desk.ann, rules("")).await), Some(LibraryErrorKind::Invalid));
}

async fn packages_are_their_users(desk: Desk) {
    let package = Package {
        id: JobId::random(),
        name: "set.zip".to_owned(),
        target: "stems".to_owned(),
        tracks: 2,
        blob: blob("archive"),
        created_at_ms: 0,
    };
    desk.apply(desk.ann, Change::AddPackage(package.clone())).await.unwrap();
    let found = desk.database.packages(desk.ann).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0].name, &found[0].blob), (&package.name, &package.blob));
    assert_eq!(desk.database.usage(desk.ann).await.unwrap().used_bytes, package.blob.size_bytes);
    assert!(desk.database.packages(desk.ben).await.unwrap().is_empty());
    let removed = desk.apply(desk.ben, Change::RemovePackage(package.id)).await;
    assert_eq!(kind_of(removed), Some(LibraryErrorKind::NotFound));
    desk.database.prune(Duration::ZERO, Duration::ZERO).await.unwrap();
    assert_eq!(desk.database.packages(desk.ann).await.unwrap().len(), 1, "a week has not passed");
    desk.apply(desk.ann, Change::RemovePackage(package.id)).await.unwrap();
    assert!(desk.database.packages(desk.ann).await.unwrap().is_empty());
}

async fn a_playlist_loses_a_removed_track(desk: Desk) {
    let track = desk.track(desk.ann, "a").await;
    let playlist = PlaylistId::random();
    desk.apply(desk.ann, Change::AddPlaylist(playlist, "set".to_owned())).await.unwrap();
    desk.apply(desk.ann, Change::SetPlaylistTracks(playlist, vec![track])).await.unwrap();
    desk.apply(desk.ann, Change::RemoveTrack(track)).await.unwrap();
    assert!(desk.database.playlist_tracks(desk.ann, playlist).await.unwrap().is_empty());
    desk.apply(desk.ann, Change::RemovePlaylist(playlist)).await.unwrap();
    assert!(desk.database.playlists(desk.ann).await.unwrap().is_empty());
}

async fn settings_are_kept(desk: Desk) {
    assert_eq!(desk.database.settings(desk.ann).await.unwrap(), json!({}));
    for value in [json!({"engine": "classic"}), json!({"steps": []})] {
        desk.apply(desk.ann, Change::SetSettings(value.clone())).await.unwrap();
        assert_eq!(desk.database.settings(desk.ann).await.unwrap(), value);
    }
    assert_eq!(desk.database.settings(desk.ben).await.unwrap(), json!({}));
}

async fn notifications_are_read_once(desk: Desk) {
    for text in ["first", "second"] {
        let change = Change::Notify { kind: "test".to_owned(), text: text.to_owned(), track: None };
        desk.apply(desk.ann, change).await.unwrap();
    }
    let found = desk.database.notifications(desk.ann, 10).await.unwrap();
    assert_eq!(found.iter().map(|note| note.text.as_str()).collect::<Vec<_>>(), ["second", "first"]);
    assert!(found.iter().all(|note| !note.is_read));
    desk.apply(desk.ann, Change::MarkNotificationsRead).await.unwrap();
    assert!(desk.database.notifications(desk.ann, 10).await.unwrap().iter().all(|note| note.is_read));
    assert!(desk.database.notifications(desk.ben, 10).await.unwrap().is_empty());
    assert_eq!(desk.database.notifications(desk.ann, 1).await.unwrap().len(), 1);
}

async fn usage_counts_each_content_once(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    desk.apply(desk.ann, stems(track, "classic", &["drums", "bass"])).await.unwrap();
    desk.apply(desk.ann, stems(track, "demucs", &["drums"])).await.unwrap();
    desk.track(desk.ben, "one").await;
    // The song and two stems; the second engine's drums have the same content.
    assert_eq!(desk.database.usage(desk.ann).await.unwrap().used_bytes, 300);
    assert_eq!(desk.database.usage(desk.ben).await.unwrap().used_bytes, 100);
}

async fn quotas_are_kept(desk: Desk) {
    assert_eq!(desk.database.usage(desk.ann).await.unwrap().quota_bytes, None);
    desk.database.set_quota(desk.ann.user, Some(1000)).await.unwrap();
    assert_eq!(desk.database.usage(desk.ann).await.unwrap().quota_bytes, Some(1000));
    assert_eq!(
        kind_of(desk.database.set_quota(desk.ann.user, Some(-1)).await),
        Some(LibraryErrorKind::Invalid)
    );
    let nobody = UserId::random();
    assert_eq!(kind_of(desk.database.set_quota(nobody, None).await), Some(LibraryErrorKind::NotFound));
}

async fn events_are_numbered_without_gaps(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    for _ in 0..5 {
        desk.apply(desk.ann, Change::EditTrack(track, TrackEdit::default())).await.unwrap();
    }
    let topic = Topic::Track(track).name();
    let events = desk.database.events(desk.ann, &topic, 0).await.unwrap();
    assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert!(
        events.iter().all(|event| event.kind == "track.edited" && event.payload["track"] == json!(track))
    );
    assert_eq!(desk.database.events(desk.ann, &topic, 3).await.unwrap(), events[3..]);
    assert_eq!(desk.database.last_seq(desk.ann, &topic).await.unwrap(), 5);
    assert_eq!(desk.database.last_seq(desk.ann, "track:none").await.unwrap(), 0);
}

async fn events_belong_to_their_user(desk: Desk) {
    desk.track(desk.ann, "one").await;
    let topic = Topic::Library(desk.ann.user).name();
    assert_eq!(desk.database.events(desk.ann, &topic, 0).await.unwrap()[0].kind, "track.added");
    assert!(desk.database.events(desk.ben, &topic, 0).await.unwrap().is_empty());
    assert_eq!(desk.database.last_seq(desk.ben, &topic).await.unwrap(), 0);
}

async fn a_rolled_back_change_tells_nobody(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    let changes =
        vec![Change::EditTrack(track, TrackEdit::default()), Change::RemovePlaylist(PlaylistId::random())];
    desk.database.apply(desk.ann, changes).await.unwrap_err();
    assert_eq!(desk.database.last_seq(desk.ann, &Topic::Track(track).name()).await.unwrap(), 0);
}

async fn unused_contents_are_swept_and_used_ones_stay(desk: Desk) {
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::local(folder.path()).unwrap();
    let mut kept = Vec::new();
    for content in ["song", "stem", "nothing"] {
        let staged = storage.stage_bytes(content.as_bytes()).await.unwrap();
        desk.database.reserve_blob(staged.blob()).await.unwrap();
        kept.push(storage.publish(staged).await.unwrap());
    }
    let mut track = new_track("one");
    track.blob = kept[0].clone();
    let id = track.id;
    let stems = vec![LibraryStem { blob: kept[1].clone(), ..stem("classic", "drums") }];
    let change = Change::ReplaceStems { track: id, engine: "classic".to_owned(), stems };
    desk.database.apply(desk.ann, vec![Change::AddTrack(track), change]).await.unwrap();
    assert_eq!(desk.database.sweep_blobs(&storage, Duration::ZERO).await.unwrap(), 1);
    assert_eq!(storage.size_bytes(&kept[2].hash).await.unwrap(), None);
    assert_eq!(storage.list().await.unwrap().len(), 2);
    desk.apply(desk.ann, Change::RemoveTrack(id)).await.unwrap();
    assert_eq!(desk.database.sweep_blobs(&storage, Duration::ZERO).await.unwrap(), 2);
    assert!(storage.list().await.unwrap().is_empty() && desk.database.blobs().await.unwrap().is_empty());
}

async fn a_reserved_content_is_not_swept(desk: Desk) {
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::local(folder.path()).unwrap();
    desk.database.reserve_blob(&blob("soon")).await.unwrap();
    let hour = Duration::from_secs(3600);
    assert_eq!(desk.database.sweep_blobs(&storage, hour).await.unwrap(), 0);
    assert_eq!(desk.database.blobs().await.unwrap(), [blob("soon")]);
}

async fn contents_lead_to_their_tracks(desk: Desk) {
    let (first, second) = (desk.track(desk.ann, "one").await, desk.track(desk.ben, "one").await);
    desk.apply(desk.ann, stems(first, "classic", &["drums"])).await.unwrap();
    let mut found = desk.database.tracks_with_blob(&blob("one").hash).await.unwrap();
    found.sort_by_key(|(_, track)| *track);
    assert_eq!(found, [(desk.ann, first), (desk.ben, second)]);
    assert_eq!(desk.database.tracks_with_blob(&blob("drums").hash).await.unwrap(), [(desk.ann, first)]);
}

async fn what_is_missing_is_known_of_its_tracks(desk: Desk) {
    let (track, his) = (desk.track(desk.ann, "one").await, desk.track(desk.ben, "one").await);
    desk.apply(desk.ann, stems(track, "classic", &["drums", "bass"])).await.unwrap();
    let missing = async |scope| {
        let mut found = desk.database.missing_contents(scope).await.unwrap();
        found.sort_unstable();
        found
    };
    assert_eq!(missing(desk.ann).await, []);
    let (song, drums, bass) = (blob("one"), blob("drums"), blob("bass"));
    for hash in [&song.hash, &drums.hash, &drums.hash] {
        desk.database.mark_missing(hash).await.unwrap();
    }
    assert_eq!(missing(desk.ann).await, [(track, false), (track, true)]);
    assert_eq!(missing(desk.ben).await, [(his, true)]);
    desk.database.reserve_blob(&drums).await.unwrap();
    assert_eq!(missing(desk.ann).await, [(track, true)], "it is about to come again");
    // Looks of a day ago and of tomorrow.
    let now_ms = desk.database.clock_ms().await.unwrap();
    let day_ms = 24 * 3_600_000;
    desk.database.set_missing(std::slice::from_ref(&bass.hash), now_ms - day_ms).await.unwrap();
    assert_eq!(missing(desk.ann).await, [(track, true)], "all of it has happened since");
    desk.database.set_missing(&[bass.hash], now_ms + day_ms).await.unwrap();
    assert_eq!(missing(desk.ann).await, [(track, false)]);
    desk.database.set_missing(&[], now_ms + 2 * day_ms).await.unwrap();
    assert_eq!((missing(desk.ann).await, missing(desk.ben).await), (vec![], vec![]));
}

async fn a_track_without_jobs_is_ready(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    let status = async || desk.database.track(desk.ann, track).await.unwrap().status;
    assert_eq!(status().await, TrackStatus::Ready);
    desk.enqueue(desk.ann, job().track(track)).await;
    assert_eq!(status().await, TrackStatus::Working);
    let failure = sfa_core::library::Outcome::Failed { error: "no".to_owned(), is_final: true };
    desk.finish(desk.claim_one().await.fence(), failure).await.unwrap();
    assert_eq!(status().await, TrackStatus::Failed);
}

async fn durations_are_positive(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    desk.apply(desk.ann, Change::SetDuration(track, 61_500)).await.unwrap();
    assert_eq!(desk.database.track(desk.ann, track).await.unwrap().duration_ms, Some(61_500));
    let zero = desk.apply(desk.ann, Change::SetDuration(track, 0)).await;
    assert_eq!(kind_of(zero), Some(LibraryErrorKind::Invalid));
}

async fn ends_are_told_to_those_who_want_to_know(desk: Desk) {
    for (settings, expected) in [
        (json!({}), &["track.completed", "track.failed"][..]),
        (json!({"notifications": "failures"}), &["track.failed"]),
        (json!({"notifications": "off"}), &[]),
    ] {
        desk.apply(desk.ann, Change::SetSettings(settings.clone())).await.unwrap();
        let before = desk.database.notifications(desk.ann, 500).await.unwrap().len();
        for outcome in
            [Outcome::Completed(Vec::new()), Outcome::Failed { error: "no".to_owned(), is_final: true }]
        {
            let track = desk.track(desk.ann, &TrackId::random().to_string()).await;
            desk.enqueue(desk.ann, job().track(track)).await;
            desk.finish(desk.claim_one().await.fence(), outcome).await.unwrap();
        }
        let mut found = desk.database.notifications(desk.ann, 500).await.unwrap();
        found.truncate(found.len() - before);
        let kinds: Vec<String> = found.into_iter().rev().map(|note| note.kind).collect();
        assert_eq!(kinds, expected, "{settings}");
    }
    let said = Change::Notify { kind: "test".to_owned(), text: "said".to_owned(), track: None };
    desk.apply(desk.ann, said).await.unwrap();
    assert_eq!(desk.database.notifications(desk.ann, 1).await.unwrap()[0].text, "said");
}

async fn what_a_user_does_not_keep_is_forgotten(desk: Desk) {
    for scope in [desk.ann, desk.ben] {
        let track = desk.track(scope, "one").await;
        desk.enqueue(scope, job().track(track)).await;
        desk.finish(desk.claim_one().await.fence(), Outcome::Completed(Vec::new())).await.unwrap();
    }
    let waiting = desk.enqueue(desk.ann, job()).await;
    let left = async |scope| {
        let jobs = desk.database.jobs(scope, &Default::default()).await.unwrap().len();
        (jobs, desk.database.notifications(scope, 100).await.unwrap().len())
    };
    desk.apply(desk.ann, Change::SetSettings(json!({"keep_days": 1}))).await.unwrap();
    assert_eq!(desk.database.forget_old().await.unwrap(), 0, "they are of today");
    // No user can set this; it makes everything old.
    desk.apply(desk.ann, Change::SetSettings(json!({"keep_days": 0}))).await.unwrap();
    assert_eq!(desk.database.forget_old().await.unwrap(), 2);
    assert_eq!((left(desk.ann).await, left(desk.ben).await), ((1, 0), (1, 1)));
    assert_eq!(desk.database.job(desk.ann, waiting).await.unwrap().id, waiting);
}
