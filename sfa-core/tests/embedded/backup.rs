//! A library is copied while it is used, and comes back.

use std::fs;
use std::path::{Path, PathBuf};

use sfa_core::Studio;
use sfa_core::audio::io::{EncodeOptions, write_clip};
use sfa_core::audio::{AudioSpec, Clip};
use sfa_core::library::{
    Actor, AuditQuery, Library, LibraryConfig, LibraryErrorKind, LibraryResult, NewUser, Role, Scope,
    TrackQuery, UserId,
};
use sfa_core::models::ModelStore;

use super::{ME, open, postgres, s3};

fn studio() -> Studio {
    Studio::with_models(ModelStore::at("/nowhere"))
}

/// A song of so many frames; no two lengths have the same content.
fn song(folder: &Path, frames: usize) -> PathBuf {
    let path = folder.join(format!("{frames}.wav"));
    let clip = Clip::silence(AudioSpec::new(44_100, 1).unwrap(), frames);
    write_clip(&path, &clip, &EncodeOptions::default(), None).unwrap();
    path
}

async fn fill(library: &Library, desk: &Path, lengths: std::ops::Range<usize>) {
    for frames in lengths {
        library.import(ME, &song(desk, frames)).await.unwrap();
    }
}

async fn titles(library: &Library) -> Vec<String> {
    let tracks = library.rows().tracks(ME, &TrackQuery::default()).await.unwrap();
    let mut titles: Vec<String> = tracks.into_iter().map(|track| track.title).collect();
    titles.sort();
    titles
}

async fn restored(from: &Path, config: LibraryConfig) -> LibraryResult<Library> {
    studio().restore(from, config, None, |_, _| {}).await
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(files(&path)),
            path => found.push(path),
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_made_while_songs_come_in_is_of_one_moment() {
    let desk = tempfile::tempdir().unwrap();
    let library = open(&desk.path().join("library")).await;
    fill(&library, desk.path(), 1000..1005).await;
    let backup = desk.path().join("backup");
    let busy = library.clone();
    let folder = desk.path().to_owned();
    let coming = tokio::spawn(async move { fill(&busy, &folder, 2000..2020).await });
    let report = library.back_up(&backup, |_, _| {}).await.unwrap();
    coming.await.unwrap();
    assert!(report.contents >= 5 && report.missing.is_empty(), "{report:?}");

    let config = LibraryConfig::in_folder(desk.path().join("elsewhere"));
    let back = studio().restore(&backup, config, Some(&report.digest), |_, _| {}).await.unwrap();
    assert_eq!(back.rows().count_tracks(ME).await.unwrap(), report.contents as i64);
    assert_eq!(back.settings(ME).await.unwrap(), library.settings(ME).await.unwrap());
    let check = back.check(false).await.unwrap();
    assert!(check.is_clean() && check.sound == report.contents, "{check:?}");
    // And it goes on.
    fill(&back, desk.path(), 3000..3001).await;
    assert!(titles(&back).await.contains(&"3000".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_broken_off_is_none() {
    let desk = tempfile::tempdir().unwrap();
    let library = open(&desk.path().join("library")).await;
    fill(&library, desk.path(), 1000..1005).await;
    let place = desk.path().join("backups");
    let to = place.join("monday");
    let (begun, mut seen) = tokio::sync::mpsc::unbounded_channel();
    {
        let backing_up = library.back_up(&to, move |done, _| begun.send(done).unwrap());
        tokio::select! {
            biased;
            _ = seen.recv() => {}
            result = backing_up => panic!("it is broken off: {result:?}"),
        }
    }
    assert!(!to.exists() && files(&place).is_empty(), "{:?}", files(&place));
    library.back_up(&to, |_, _| {}).await.unwrap();
    let again = library.back_up(&to, |_, _| {}).await.unwrap_err();
    assert_eq!(again.kind(), LibraryErrorKind::Conflict, "an old backup is not written over");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_was_changed_is_refused() {
    let desk = tempfile::tempdir().unwrap();
    let library = open(&desk.path().join("library")).await;
    fill(&library, desk.path(), 1000..1003).await;
    let backup = desk.path().join("backup");
    let report = library.back_up(&backup, |_, _| {}).await.unwrap();
    let elsewhere = desk.path().join("elsewhere");
    for path in files(&backup) {
        let whole = fs::read(&path).unwrap();
        let mut changed = whole.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        for broken in [changed, whole[..middle].to_vec()] {
            fs::write(&path, &broken).unwrap();
            let config = LibraryConfig::in_folder(&elsewhere);
            let error = studio().restore(&backup, config, Some(&report.digest), |_, _| {}).await.unwrap_err();
            assert_eq!(error.kind(), LibraryErrorKind::Invalid, "{}: {error}", path.display());
            assert!(!elsewhere.join("library.sqlite").exists(), "{}", path.display());
        }
        fs::write(&path, &whole).unwrap();
    }
    // Nor does a manifest lead out of its folder.
    let manifest = backup.join("manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    for name in ["../library.sqlite", "/etc/passwd", ".", ""] {
        fs::write(&manifest, text.replace("\"library.sqlite\"", &format!("{name:?}"))).unwrap();
        let error = restored(&backup, LibraryConfig::in_folder(&elsewhere)).await.unwrap_err();
        assert_eq!(error.kind(), LibraryErrorKind::Invalid, "{name}: {error}");
    }
    fs::write(&manifest, text).unwrap();
    let over = restored(&backup, LibraryConfig::in_folder(desk.path().join("library"))).await.unwrap_err();
    assert_eq!(over.kind(), LibraryErrorKind::Conflict, "a library is not written over");
    restored(&backup, LibraryConfig::in_folder(&elsewhere)).await.unwrap();
}

/// Gives up a restore before its content number `at`.
async fn break_off(from: &Path, config: LibraryConfig, at: usize) {
    let (begun, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let restoring = studio().restore(from, config, None, move |done, _| begun.send(done).unwrap());
    let reached = async { while seen.recv().await.is_some_and(|done| done < at) {} };
    tokio::select! {
        biased;
        () = reached => {}
        result = restoring => panic!("it is broken off: {:?}", result.err()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_was_broken_off_goes_on() {
    let desk = tempfile::tempdir().unwrap();
    let library = open(&desk.path().join("library")).await;
    fill(&library, desk.path(), 1000..1005).await;
    let (backup, other) = (desk.path().join("backup"), desk.path().join("other"));
    library.back_up(&backup, |_, _| {}).await.unwrap();
    fill(&library, desk.path(), 1005..1006).await;
    library.back_up(&other, |_, _| {}).await.unwrap();
    let elsewhere = desk.path().join("elsewhere");
    let config = || LibraryConfig::in_folder(&elsewhere);
    break_off(&backup, config(), 3).await;
    let brought = files(&elsewhere.join("files/blobs"));
    assert!(brought.len() >= 3, "{brought:?}");
    // Half a library is none.
    assert_eq!(studio().open(config()).await.unwrap_err().kind(), LibraryErrorKind::Conflict);
    assert_eq!(restored(&other, config()).await.unwrap_err().kind(), LibraryErrorKind::Conflict);
    // A machine that lost its power may have lost a part of what was written.
    fs::write(&brought[0], "half").unwrap();
    let back = restored(&backup, config()).await.unwrap();
    assert_eq!(titles(&back).await.len(), 5);
    assert!(back.check(false).await.unwrap().is_clean());
    let left = fs::read_dir(&elsewhere).unwrap().flatten().map(|entry| entry.file_name());
    assert!(left.into_iter().all(|name| !name.to_string_lossy().contains("restoring")));
    assert_eq!(restored(&backup, config()).await.unwrap_err().kind(), LibraryErrorKind::Conflict);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_backup_misses_is_told() {
    let desk = tempfile::tempdir().unwrap();
    let library = open(&desk.path().join("library")).await;
    fill(&library, desk.path(), 1000..1003).await;
    let lost = library.rows().blobs().await.unwrap();
    library.files().remove(&lost[0].hash).await.unwrap();
    let stored = files(&desk.path().join("library/files/blobs"));
    let damaged = stored.iter().find(|path| path.ends_with(&lost[1].hash)).unwrap();
    fs::write(damaged, "something else").unwrap();
    let report = library.back_up(&desk.path().join("backup"), |_, _| {}).await.unwrap();
    assert_eq!(report.missing, [lost[0].hash.clone(), lost[1].hash.clone()]);
    assert_eq!(report.contents, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_library_comes_back_into_an_empty_database_and_store() {
    let Some(server) = postgres::Server::start() else {
        eprintln!("skipped: there is no PostgreSQL here");
        return;
    };
    let store = s3::Server::start().await;
    let desk = tempfile::tempdir().unwrap();
    let config_of = |name: &str| {
        let config = LibraryConfig::in_folder(desk.path().join(name));
        let mut config = config.database_url(server.url(name)).storage_url(store.url(name));
        config.storage_keys = Some(s3::Server::keys());
        config
    };
    let config = |name: &str| {
        server.create(name);
        config_of(name)
    };
    let library = studio().open(config("old")).await.unwrap();
    fill(&library, desk.path(), 1000..1004).await;
    let actor = Actor::at_the_machine(UserId::LOCAL);
    let user = |name: &str| NewUser {
        id: UserId::random(),
        // Whatever separates and escapes in the copy.
        name: format!("{name}\t\\N\n\\.\r\"ä"),
        email: Some(format!("{name}@example.org")),
        role: Role::User,
        password_hash: None,
    };
    let ann = user("ann");
    library.rows().add_user(&actor, &ann).await.unwrap();
    let backup = desk.path().join("backup");
    let report = library.back_up(&backup, |_, _| {}).await.unwrap();
    assert!(report.missing.is_empty());

    break_off(&backup, config("new"), 2).await;
    let back = restored(&backup, config_of("new")).await.unwrap();
    assert_eq!(titles(&back).await, titles(&library).await);
    assert_eq!(back.rows().user(ann.id).await.unwrap().name, ann.name);
    assert!(back.check(false).await.unwrap().is_clean());
    let jobs = async |library: &Library| {
        let counts = library.rows().count_jobs().await.unwrap();
        counts.into_iter().map(|count| (count.queue, count.kind, count.state, count.jobs)).collect::<Vec<_>>()
    };
    assert_eq!(jobs(&back).await, jobs(&library).await);
    // Numbers that the database gives go on where they were.
    back.rows().add_user(&actor, &user("ben")).await.unwrap();
    let audit = |library: &Library| {
        let library = library.clone();
        async move { library.rows().audit_log(&AuditQuery::default()).await.unwrap() }
    };
    assert_eq!(audit(&back).await.len(), audit(&library).await.len() + 1);

    // Killed after the last row and before anything else.
    fs::write(desk.path().join("new/restoring"), &report.digest).unwrap();
    assert_eq!(titles(&restored(&backup, config_of("new")).await.unwrap()).await, titles(&library).await);
    let used = restored(&backup, config("used").database_url(server.url("old"))).await.unwrap_err();
    assert_eq!(used.kind(), LibraryErrorKind::Conflict, "{used}");
    let other = restored(&backup, LibraryConfig::in_folder(desk.path().join("sqlite"))).await.unwrap_err();
    assert_eq!(other.kind(), LibraryErrorKind::Invalid, "{other}");
    assert!(back.rows().track(Scope::of(ann.id), sfa_core::library::TrackId::random()).await.is_err());
}
