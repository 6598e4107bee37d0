//! A library from an app's point of view: songs go in, everything comes out, and nothing is lost on the way.

#![allow(clippy::print_stderr, reason = "what is skipped is said aloud")]

mod backup;
#[path = "../../examples/embed.rs"]
#[allow(dead_code, reason = "its `main` is for the command line")]
mod embed;
mod packages;
#[path = "../library/postgres.rs"]
#[allow(dead_code, reason = "its other half is for the suite of the databases")]
mod postgres;
#[path = "../library/s3.rs"]
mod s3;
mod steps;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sfa_core::audio::io::{AudioFormat, EncodeOptions, probe, write_clip};
use sfa_core::demo::{DemoOptions, song};
use sfa_core::library::{
    Change, ChildProgram, Job, JobQuery, JobState, Library, LibraryConfig, LibraryErrorKind, MissingFiles,
    Scope, Settings, Step, Times, Topic, Track, TrackStatus, UserId, WorkerOptions, work_for_parent,
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
    let jobs = library.rows().jobs(ME, &JobQuery::default()).await.unwrap();
    let kinds: Vec<&str> = jobs.iter().rev().map(|job| job.kind.as_str()).collect();
    assert_eq!(kinds, ["separate", "analyze", "cues", "chords", "export"]);
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
    let refused = library.set_settings(ME, &settings).await.unwrap_err();
    assert_eq!(refused.kind(), LibraryErrorKind::Invalid);
    // Kept by an earlier version, which knew the model.
    let document = serde_json::to_value(&settings).unwrap();
    library.apply(ME, vec![Change::SetSettings(document)]).await.unwrap();
    let id = library.import(ME, &write_song(desk.path(), "song.flac", 4.0)).await.unwrap().track.id;
    let worker = library.start_worker(quickly()).await.unwrap();
    let error = library.wait(ME, id, |_, _| {}).await.unwrap_err();
    assert!(error.to_string().contains("no_such_model"), "{error}");
    worker.shutdown(Duration::ZERO).await;
    let jobs = library.rows().jobs(ME, &JobQuery::default()).await.unwrap();
    assert_eq!((jobs.len(), jobs[0].state, jobs[0].attempt), (1, JobState::Discarded, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_library_is_tidied_up_when_its_time_has_come() {
    let desk = tempfile::tempdir().unwrap();
    let library = open(&desk.path().join("library")).await;
    library.set_settings(ME, &Settings::of_steps([])).await.unwrap();
    let song = library.import(ME, &write_song(desk.path(), "song.flac", 2.0)).await.unwrap().track;
    library.files().remove(&song.blob).await.unwrap();
    let mut options = quickly();
    options.nightly = Times::every(Duration::from_millis(100), Duration::ZERO);
    let worker = library.start_worker(options).await.unwrap();
    let gone = MissingFiles { track: song.id, is_song_gone: true, results_gone: 0 };
    let tidied = async {
        while library.missing_files(ME).await.unwrap() != [gone] {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), tidied).await.expect("it is tidied up");
    worker.shutdown(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_finds_what_is_lost_and_repairs_what_can_be_made_again() {
    let desk = tempfile::tempdir().unwrap();
    let folder = desk.path().join("library");
    let library = open(&folder).await;
    let song = write_song(desk.path(), "song.flac", 8.0);
    let Track { id, blob, .. } = library.import(ME, &song).await.unwrap().track;
    let worker = library.start_worker(quickly()).await.unwrap();
    library.wait(ME, id, |_, _| {}).await.unwrap();
    assert_eq!(library.missing_files(ME).await.unwrap(), []);
    library.files().remove(&blob).await.unwrap();
    assert_eq!(library.missing_files(ME).await.unwrap(), [], "nobody has looked");
    library.size_of(&blob).await.unwrap_err();
    let without_song = MissingFiles { track: id, is_song_gone: true, results_gone: 0 };
    assert_eq!(library.missing_files(ME).await.unwrap(), [without_song]);
    assert!(!library.import(ME, &song).await.unwrap().is_new, "it is back, and the same track");
    let stem = library.rows().stems(ME, id).await.unwrap().remove(0).blob.hash;
    library.files().remove(&stem).await.unwrap();
    assert_eq!(library.missing_files(ME).await.unwrap(), []);
    let stray = library.files().stage_bytes(b"stray").await.unwrap();
    let stray = library.files().publish(stray).await.unwrap().hash;
    let report = library.check(false).await.unwrap();
    assert_eq!((report.missing, report.orphans, report.tracks), (vec![stem], vec![stray], vec![id]));
    let without_stem = MissingFiles { track: id, is_song_gone: false, results_gone: 1 };
    assert_eq!(library.missing_files(ME).await.unwrap(), [without_stem]);
    assert!(library.check(true).await.unwrap().repaired >= 2);
    library.wait(ME, id, |_, _| {}).await.unwrap();
    worker.shutdown(Duration::ZERO).await;
    assert_eq!(library.missing_files(ME).await.unwrap(), [], "what was made anew is there");
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

#[tokio::test(flavor = "multi_thread")]
async fn a_library_lives_in_an_object_store() {
    let desk = tempfile::tempdir().unwrap();
    let server = s3::Server::start().await;
    let mut config = LibraryConfig::in_folder(desk.path().join("library")).storage_url(server.url("studio"));
    config.storage_keys = Some(s3::Server::keys());
    let library = Studio::with_models(ModelStore::at("/nowhere")).open(config).await.unwrap();
    let path = write_song(desk.path(), "song.flac", 8.0);
    let id = library.import(ME, &path).await.unwrap().track.id;
    let worker = library.start_worker(quickly()).await.unwrap();
    assert_eq!(library.wait(ME, id, |_, _| {}).await.unwrap().status, TrackStatus::Ready);
    worker.shutdown(Duration::ZERO).await;
    let out = desk.path().join("out");
    assert!(library.check_out(ME, id, &out).await.unwrap().len() >= 10);
    assert_eq!(fs::read(out.join("song.flac")).unwrap(), fs::read(&path).unwrap());
    assert!(library.check(false).await.unwrap().is_clean());
    assert!(!desk.path().join("library/files").exists(), "nothing is kept here");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_opens_a_content_until_it_goes() {
    let desk = tempfile::tempdir().unwrap();
    let library = open(&desk.path().join("library")).await;
    let track = library.import(ME, &write_song(desk.path(), "song.flac", 4.0)).await.unwrap().track;
    let hour = Duration::from_secs(3600);
    let query = library.link(ME, &track.blob, "My song.flac", hour).await.unwrap();
    let link = library.follow_link(&track.blob, &query).await.unwrap();
    assert_eq!((link.user, link.file_name.as_str()), (ME.user, "My song.flac"));
    let over = library.link(ME, &track.blob, "", Duration::ZERO).await.unwrap();
    let forged = query.replace("exp=", "exp=9");
    for wrong in [over.as_str(), forged.as_str(), ""] {
        let refused = library.follow_link(&track.blob, wrong).await.unwrap_err();
        assert_eq!(refused.kind(), LibraryErrorKind::NotFound, "{wrong}");
    }
    let stranger = Scope::of(UserId::random());
    let refused = library.link(stranger, &track.blob, "", hour).await.unwrap_err();
    assert_eq!(refused.kind(), LibraryErrorKind::NotFound);
    library.apply(ME, vec![Change::RemoveTrack(track.id)]).await.unwrap();
    assert!(library.follow_link(&track.blob, &query).await.is_err(), "the song is gone");
}

/// What becomes of the first job of a song when its work is done by a shell that runs `script`.
#[cfg(unix)]
async fn job_done_by(script: &str, change: impl FnOnce(&mut ChildProgram)) -> Job {
    let desk = tempfile::tempdir().unwrap();
    let mut program = ChildProgram::new("sh", ["-c", script]);
    change(&mut program);
    let library = open(&desk.path().join("library")).await.with_children(program);
    library.set_settings(ME, &Settings::of_steps([Step::Analyze])).await.unwrap();
    let job = library.import(ME, &write_song(desk.path(), "song.flac", 4.0)).await.unwrap().job.unwrap();
    let worker = library.start_worker(quickly()).await.unwrap();
    loop {
        let now = library.rows().job(ME, job).await.unwrap();
        if now.error.is_some() {
            worker.shutdown(Duration::ZERO).await;
            return now;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_dies_fails_its_job_and_nothing_else() {
    for (script, expected) in [
        ("read line; kill -9 $$", "the process that worked on it died (signal: 9"),
        ("read line; echo 'bad frame' >&2; exit 3", "died (exit status: 3): bad frame"),
        ("read line; echo hello; sleep 60", "said something else"),
        ("exit 0", "died (exit status: 0)"),
    ] {
        let job = job_done_by(script, |_| {}).await;
        let error = job.error.unwrap();
        assert!(error.contains(expected), "{script}: {error}");
        assert_eq!(
            (job.state, job.attempt),
            (JobState::Retryable, 1),
            "it may have been the machine's fault"
        );
    }
    let failed = r#"read line; echo '{"failed":{"kind":"damaged","subject":"a.mp3","message":"no frames"}}'"#;
    let job = job_done_by(failed, |_| {}).await;
    assert_eq!((job.state, job.error.as_deref()), (JobState::Discarded, Some("a.mp3: no frames")));
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_takes_too_much_memory_is_ended() {
    let job = job_done_by("read line; sleep 60", |program| program.memory_limit_bytes = Some(1)).await;
    assert!(job.error.unwrap().contains("more than the 0 MB"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_whose_parent_is_gone_stops() {
    let desk = tempfile::tempdir().unwrap();
    let file = write_song(desk.path(), "song.flac", 120.0);
    let request = serde_json::json!({"analyze": {"file": file, "settings": Settings::default()}});
    let request = format!("{request}\n");
    let said = Said::default();
    let studio = Studio::with_models(ModelStore::at("/nowhere"));
    let input = std::io::Cursor::new(request.into_bytes());
    assert!(!work_for_parent(&studio, input, said.clone(), &Watch::new()).unwrap());
    let last = String::from_utf8(said.0.lock().unwrap().clone()).unwrap();
    assert!(last.lines().last().unwrap().contains("\"cancelled\""), "{last}");
    let people = std::io::Cursor::new(b"hello\n".to_vec());
    let error = work_for_parent(&studio, people, said, &Watch::new()).unwrap_err();
    assert!(error.to_string().contains("not for people"));
}

/// What a child said.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Said {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
