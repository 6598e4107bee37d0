//! A library from an app's point of view: songs go in, everything comes out, and nothing is lost on the way.

#[path = "../examples/embed.rs"]
#[allow(dead_code, reason = "its `main` is for the command line")]
mod embed;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sfa_core::audio::io::{AudioFormat, EncodeOptions, probe, write_clip};
use sfa_core::demo::{DemoOptions, song};
use sfa_core::library::{
    Change, JobQuery, JobState, Library, LibraryConfig, LibraryErrorKind, Scope, Settings, Step, Topic,
    TrackStatus, WorkerOptions,
};
use sfa_core::models::ModelStore;
use sfa_core::{CLASSIC, Studio, Watch};

const ME: Scope = Scope::LOCAL;

fn write_song(folder: &Path, name: &str, secs: f64) -> PathBuf {
    let path = folder.join(name);
    let song = song(&DemoOptions::default().duration_secs(secs)).unwrap();
    write_clip(&path, &song.mix, &EncodeOptions::new(AudioFormat::Flac), None).unwrap();
    path
}

/// A library without any models, whatever the user has.
async fn open(folder: &Path) -> Library {
    let studio = Studio::with_models(ModelStore::at("/nowhere"));
    let library = studio.open(LibraryConfig::in_folder(folder)).await.unwrap();
    let mut settings = Settings::default();
    settings.engine = CLASSIC.to_owned();
    library.set_settings(ME, &settings).await.unwrap();
    library
}

fn quickly() -> WorkerOptions {
    let mut options = WorkerOptions::default();
    options.poll = Duration::from_millis(50);
    options
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_finds_the_key() {
    let desk = tempfile::tempdir().unwrap();
    let song = write_song(desk.path(), "song.flac", 30.0);
    assert_eq!(embed::key_of(&song, desk.path()).await.unwrap(), "A minor");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_song_goes_through_every_step() {
    let desk = tempfile::tempdir().unwrap();
    let library = open(&desk.path().join("library")).await;
    let path = write_song(desk.path(), "song.flac", 12.0);
    let imported = library.import(ME, &path).await.unwrap();
    assert!(imported.is_new && imported.track.status == TrackStatus::Working);
    let again = library.import(ME, &path).await.unwrap();
    assert!(!again.is_new && again.track.id == imported.track.id && again.job.is_none());
    let id = imported.track.id;
    let worker = library.start_worker(quickly()).await.unwrap();
    let mut steps = Vec::new();
    let track = library
        .wait(ME, id, |step, percent| {
            assert!((0..=100).contains(&percent));
            steps.push(step.to_owned());
        })
        .await
        .unwrap();
    worker.shutdown(Duration::from_secs(5)).await;
    steps.dedup();
    assert!(steps.iter().all(|step| Step::named(step).is_some()), "{steps:?}");
    let duration_ms = (probe(&path, &Watch::new()).unwrap().duration_secs * 1000.0).round() as i64;
    assert_eq!((track.status, track.duration_ms), (TrackStatus::Ready, Some(duration_ms)));
    assert!(track.analysis.unwrap().bpm.is_some());
    let kinds: Vec<String> =
        library.rows().stems(ME, id).await.unwrap().into_iter().map(|stem| stem.kind).collect();
    assert_eq!(kinds, ["bass", "drums", "other", "vocals"]);
    assert!(library.rows().exports(ME, id).await.unwrap().iter().any(|file| file.name == "rekordbox.xml"));
    assert!(!library.rows().cues(ME, id).await.unwrap().is_empty());
    let out = desk.path().join("out");
    let files = library.check_out(ME, id, &out).await.unwrap();
    assert!(files.len() >= 10 && files.iter().all(|file| file.is_file()));
    assert_eq!(fs::read(out.join("song.flac")).unwrap(), fs::read(&path).unwrap());
    let report = library.check(false).await.unwrap();
    assert!(report.is_clean() && report.sound >= 10, "{report:?}");
    let events = library.rows().events(ME, &Topic::Track(id).name(), 0).await.unwrap();
    assert_eq!(events.last().unwrap().kind, "track.completed");
}

#[tokio::test(flavor = "multi_thread")]
async fn work_waits_for_the_next_start() {
    let desk = tempfile::tempdir().unwrap();
    let folder = desk.path().join("library");
    let id = {
        let library = open(&folder).await;
        library.set_settings(ME, &Settings::of_steps([Step::Analyze])).await.unwrap();
        library.import(ME, &write_song(desk.path(), "song.flac", 10.0)).await.unwrap().track.id
    };
    let library = Studio::with_models(ModelStore::at("/nowhere"))
        .open(LibraryConfig::in_folder(&folder))
        .await
        .unwrap();
    let worker = library.start_worker(quickly()).await.unwrap();
    assert_eq!(library.wait(ME, id, |_, _| {}).await.unwrap().status, TrackStatus::Ready);
    worker.shutdown(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_song_is_refused_and_leaves_nothing() {
    let desk = tempfile::tempdir().unwrap();
    let library = open(&desk.path().join("library")).await;
    let text = desk.path().join("notes.mp3");
    fs::write(&text, "buy milk").unwrap();
    let error = library.import(ME, &text).await.unwrap_err();
    assert_eq!(error.kind(), LibraryErrorKind::Audio);
    let missing = library.import(ME, &desk.path().join("nothing.mp3")).await.unwrap_err();
    assert_eq!(missing.kind(), LibraryErrorKind::Storage);
    assert_eq!(library.rows().count_tracks(ME).await.unwrap(), 0);
    assert!(library.files().list().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_is_a_limit() {
    let desk = tempfile::tempdir().unwrap();
    let library = open(&desk.path().join("library")).await;
    library.rows().set_quota(ME.user, Some(1000)).await.unwrap();
    let error = library.import(ME, &write_song(desk.path(), "song.flac", 4.0)).await.unwrap_err();
    assert_eq!(error.kind(), LibraryErrorKind::NoSpace);
    assert!(library.files().list().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_job_stops_when_it_is_cancelled() {
    let desk = tempfile::tempdir().unwrap();
    let library = open(&desk.path().join("library")).await;
    let imported = library.import(ME, &write_song(desk.path(), "song.flac", 120.0)).await.unwrap();
    let (id, job) = (imported.track.id, imported.job.unwrap());
    let worker = library.start_worker(quickly()).await.unwrap();
    while library.rows().job(ME, job).await.unwrap().progress == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    library.apply(ME, vec![Change::CancelJob(job)]).await.unwrap();
    let error = library.wait(ME, id, |_, _| {}).await;
    // The wait sees either the event or the state that follows it.
    assert!(
        error.is_err_and(|error| error.kind() == LibraryErrorKind::Cancelled)
            || library.rows().track(ME, id).await.unwrap().status == TrackStatus::Ready
    );
    assert_eq!(library.rows().job(ME, job).await.unwrap().state, JobState::Cancelled);
    worker.shutdown(Duration::ZERO).await;
    assert!(library.rows().stems(ME, id).await.unwrap().is_empty());
    assert!(library.check(false).await.unwrap().is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_gives_jobs_back_uncounted() {
    let desk = tempfile::tempdir().unwrap();
    let library = open(&desk.path().join("library")).await;
    let imported = library.import(ME, &write_song(desk.path(), "song.flac", 120.0)).await.unwrap();
    let job = imported.job.unwrap();
    let worker = library.start_worker(quickly()).await.unwrap();
    while library.rows().job(ME, job).await.unwrap().progress == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    worker.shutdown(Duration::ZERO).await;
    let job = library.rows().job(ME, job).await.unwrap();
    assert_eq!((job.state, job.attempt, job.error), (JobState::Available, 0, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_song_fails_once_and_says_why() {
    let desk = tempfile::tempdir().unwrap();
    let library = open(&desk.path().join("library")).await;
    let mut settings = Settings::of_steps([Step::Separate]);
    settings.model = Some("no_such_model".to_owned());
    settings.engine = sfa_core::DEMUCS.to_owned();
    library.set_settings(ME, &settings).await.unwrap();
    let id = library.import(ME, &write_song(desk.path(), "song.flac", 4.0)).await.unwrap().track.id;
    let worker = library.start_worker(quickly()).await.unwrap();
    let error = library.wait(ME, id, |_, _| {}).await.unwrap_err();
    assert!(error.to_string().contains("no_such_model"), "{error}");
    worker.shutdown(Duration::ZERO).await;
    let jobs = library.rows().jobs(ME, &JobQuery::default()).await.unwrap();
    assert_eq!((jobs.len(), jobs[0].state, jobs[0].attempt), (1, JobState::Discarded, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_finds_what_is_lost_and_repairs_what_can_be_made_again() {
    let desk = tempfile::tempdir().unwrap();
    let folder = desk.path().join("library");
    let library = open(&folder).await;
    let id = library.import(ME, &write_song(desk.path(), "song.flac", 8.0)).await.unwrap().track.id;
    let worker = library.start_worker(quickly()).await.unwrap();
    library.wait(ME, id, |_, _| {}).await.unwrap();
    let stem = library.rows().stems(ME, id).await.unwrap().remove(0).blob.hash;
    library.files().remove(&stem).await.unwrap();
    let stray = library.files().stage_bytes(b"stray").await.unwrap();
    let stray = library.files().publish(stray).await.unwrap().hash;
    let report = library.check(false).await.unwrap();
    assert_eq!((report.missing, report.orphans, report.tracks), (vec![stem], vec![stray], vec![id]));
    assert!(library.check(true).await.unwrap().repaired >= 2);
    library.wait(ME, id, |_, _| {}).await.unwrap();
    worker.shutdown(Duration::ZERO).await;
    let report = library.check(false).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_listener_hears_everything_in_order() {
    let desk = tempfile::tempdir().unwrap();
    let library = open(&desk.path().join("library")).await;
    library.set_settings(ME, &Settings::of_steps([Step::Analyze])).await.unwrap();
    let id = library.import(ME, &write_song(desk.path(), "song.flac", 8.0)).await.unwrap().track.id;
    let worker = library.start_worker(quickly()).await.unwrap();
    library.wait(ME, id, |_, _| {}).await.unwrap();
    worker.shutdown(Duration::ZERO).await;
    let mut listener = library.follow(ME, Topic::Track(id), 0);
    for seq in 1.. {
        let event = listener.next().await.unwrap();
        assert_eq!(event.seq, seq);
        if event.kind == "track.completed" {
            return;
        }
    }
}
