//! What a worker does to its owner, and the owner to it: with a package that is made up and misbehaves on request.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sfa_audio::separate::StemSink;
use sfa_audio::separate::python::{PythonDemucs, PythonOptions};
use sfa_audio::{AudioSpec, Clip, Error, ErrorKind, Progress, Separator, StemKind, Watch};

use super::packages::fake;
use super::{assert_empty, noise, signal_to_error_db};

fn open(model: &str, options: PythonOptions) -> Result<PythonDemucs, Error> {
    PythonDemucs::open(model, options, &Watch::new())
}

/// Why a short song does not come back from `model`; nothing may be left of it.
fn failure(model: &str, change: impl FnOnce(&mut PythonOptions)) -> Option<Error> {
    let mut options = fake(&["fake"])?;
    let folder = tempfile::tempdir().unwrap();
    options.scratch_folder = Some(folder.path().to_owned());
    change(&mut options);
    let engine = open(model, options).unwrap();
    let error = engine.separate(&noise(44_100, 2, 50_000, 1), &Watch::new()).unwrap_err();
    eprintln!("{model}: {error}");
    drop(engine);
    assert_empty(folder.path());
    Some(error)
}

fn failure_to_open(model: &str, change: impl FnOnce(&mut PythonOptions)) -> Option<Error> {
    let mut options = fake(&["fake"])?;
    let folder = tempfile::tempdir().unwrap();
    options.scratch_folder = Some(folder.path().to_owned());
    change(&mut options);
    let error = open(model, options).map(|_| ()).unwrap_err();
    eprintln!("{model}: {error}");
    assert_empty(folder.path());
    Some(error)
}

#[test]
fn stems_have_the_shape_of_the_mix_and_the_order_of_all_engines() {
    let Some(options) = fake(&["fake"]) else { return };
    let engine = open("plain", options).unwrap();
    assert_eq!(engine.info().stems, [StemKind::Drums, StemKind::Bass, StemKind::Vocals]);
    assert_eq!((engine.demucs_version(), engine.torch_version()), ("4.9-fake", "0.0-fake"));
    assert_eq!(engine.device(), "cpu");
    for (sample_rate_hz, channels, frames) in [
        (44_100, 2, 100_000),
        (48_000, 1, 70_001),
        (96_000, 3, 5000),
        (44_100, 2, 1),
        (96_000, 1, 1),
        (8_000, 2, 0),
    ] {
        let mix = noise(sample_rate_hz, channels, frames, 1);
        let stems = engine.separate(&mix, &Watch::new()).unwrap();
        assert!(stems.iter().all(|(_, stem)| stem.spec() == mix.spec() && stem.frames() == mix.frames()));
        if sample_rate_hz == 44_100 && frames > 1 {
            // The mean of the mix goes into every stem.
            assert!(stems.get(StemKind::Drums).unwrap().peak() < 1e-2);
            let vocals = stems.get(StemKind::Vocals).unwrap();
            let agreement_db = signal_to_error_db(&mix.channels()[1], &vocals.channels()[1]);
            assert!(agreement_db > 120.0, "the mix came back with {agreement_db} dB");
        }
    }
}

#[test]
fn progress_rises_from_segment_to_segment() {
    let Some(options) = fake(&["fake"]) else { return };
    let engine = open("plain", options).unwrap();
    let mix = noise(44_100, 2, 10 * 44_100, 2);
    let reports = Arc::new(Mutex::new(Vec::<Progress>::new()));
    let heard = Arc::clone(&reports);
    let watch = Watch::with_sink(move |progress| heard.lock().unwrap().push(progress));
    engine.separate(&mix, &watch).unwrap();
    let mut dones: Vec<u64> = reports.lock().unwrap().iter().map(|report| report.done).collect();
    assert!(dones.is_sorted() && dones.last() == Some(&441_000), "{dones:?}");
    dones.dedup();
    // Segments of one second start every three quarters of it, and both ends of each are told.
    assert_eq!(dones.len(), 1 + 2 * 14, "{dones:?}");
}

#[test]
fn a_model_is_loaded_once_for_all_songs_and_again_after_a_stop() {
    let Some(mut options) = fake(&["fake"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let notes = folder.path().join("notes");
    options.environment.push(("FAKE_NOTES".into(), notes.clone().into()));
    let loads = || std::fs::read_to_string(&notes).unwrap().lines().count();
    let engine = open("plain", options).unwrap();
    let mix = noise(44_100, 2, 44_100, 3);
    let first = engine.separate(&mix, &Watch::new()).unwrap();
    std::thread::scope(|scope| {
        let songs = [(); 3].map(|()| scope.spawn(|| engine.separate(&mix, &Watch::new()).unwrap()));
        assert!(songs.into_iter().all(|song| song.join().unwrap() == first), "songs got mixed up");
    });
    assert_eq!(loads(), 1);

    let watch = Watch::new();
    let stopper = watch.clone();
    let watch = watch.forward_to(move |progress| {
        if progress.done > 0 {
            stopper.stop();
        }
    });
    assert!(engine.separate(&mix, &watch).unwrap_err().is_cancelled());
    assert_eq!(engine.separate(&mix, &Watch::new()).unwrap(), first);
    assert_eq!(loads(), 2);
}

#[test]
fn a_failing_sink_does_not_cost_the_worker() {
    struct Full;
    impl StemSink for Full {
        fn write(&mut self, _: &[Clip]) -> Result<(), Error> {
            Err(Error::new(ErrorKind::Io, "no space left"))
        }
    }
    let Some(options) = fake(&["fake"]) else { return };
    let engine = open("plain", options).unwrap();
    let mix = noise(44_100, 2, 1000, 4);
    let error = engine.separate_into(&mut mix.source(), &mut Full, &Watch::new()).unwrap_err();
    assert_eq!(error.message(), "no space left");
    assert!(engine.separate(&mix, &Watch::new()).is_ok());
}

#[test]
fn a_worker_that_ends_between_two_songs_is_replaced() {
    let Some(mut options) = fake(&["fake"]) else { return };
    // The worker ends when something comes through this connection.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    options.environment.push(("FAKE_PORT".into(), port.into()));
    let engine = open("mortal", options).unwrap();
    let mix = noise(44_100, 2, 1000, 7);
    engine.separate(&mix, &Watch::new()).unwrap();
    let (mut worker, _) = listener.accept().unwrap();
    worker.write_all(b"!").unwrap();
    while matches!(worker.read(&mut [0]), Ok(1..)) {}
    // Its connection is closed; the process itself follows.
    std::thread::sleep(Duration::from_millis(500));
    assert!(engine.separate(&mix, &Watch::new()).is_ok());
}

#[test]
fn a_worker_that_ends_early_is_quoted() {
    let Some(error) = failure("crash", |_| ()) else { return };
    assert_eq!(error.kind(), ErrorKind::ToolUnavailable);
    assert!(error.message().contains("ended early"), "{error}");
    assert!(error.message().ends_with("something broke"), "{error}");
    assert!(error.message().contains('3'), "the exit status is told: {error}");
}

#[test]
fn an_exception_of_the_package_is_quoted_on_one_line() {
    let Some(error) = failure("raise", |_| ()) else { return };
    assert_eq!(error.kind(), ErrorKind::ToolUnavailable);
    let expected = "the demucs package failed: MemoryError: there is no memory; for this song";
    assert_eq!(error.message(), expected);
    let error = failure("exit", |_| ()).unwrap();
    assert!(error.message().contains("this song is fatal"), "{error}");
}

#[test]
fn a_worker_without_progress_is_stopped() {
    let Some(error) = failure("hang", |options| options.stall_limit = Duration::from_millis(300)) else {
        return;
    };
    assert_eq!(error.kind(), ErrorKind::ToolUnavailable);
    assert!(error.message().contains("no progress"), "{error}");
}

#[test]
fn a_worker_that_never_finishes_is_stopped() {
    let change = |options: &mut PythonOptions| options.time_limit = Some(Duration::from_millis(500));
    let Some(error) = failure("eternal", change) else { return };
    assert_eq!(error.kind(), ErrorKind::ToolUnavailable);
    assert!(error.message().contains("was not done within"), "{error}");
}

#[test]
fn a_stop_ends_all_that_the_package_has_started() {
    let Some(mut options) = fake(&["fake"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    options.scratch_folder = Some(folder.path().to_owned());
    // A grandchild holds this connection for as long as it lives.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    options.environment.push(("FAKE_PORT".into(), port.into()));
    let engine = open("grandchild", options).unwrap();
    let watch = Watch::new();
    let mix = noise(44_100, 2, 44_100, 5);
    std::thread::scope(|scope| {
        let song = scope.spawn(|| engine.separate(&mix, &watch));
        let (mut grandchild, _) = listener.accept().unwrap();
        watch.stop();
        assert!(song.join().unwrap().unwrap_err().is_cancelled());
        if cfg!(unix) {
            grandchild.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            let end = grandchild.read(&mut [0]);
            assert!(matches!(end, Ok(0)) || is_reset(&end), "the grandchild still lives: {end:?}");
        }
    });
    drop(engine);
    assert_empty(folder.path());
}

fn is_reset(end: &std::io::Result<usize>) -> bool {
    matches!(end, Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset)
}

#[test]
fn loading_can_be_stopped_and_takes_no_longer_than_allowed() {
    let slow = "slow to load";
    let Some(error) = failure_to_open(slow, |options| options.load_limit = Duration::from_millis(500)) else {
        return;
    };
    assert_eq!(error.kind(), ErrorKind::ToolUnavailable);
    assert!(error.message().contains("was not ready within 0.5 s"), "{error}");
    let watch = Watch::new();
    watch.stop();
    let error = PythonDemucs::open(slow, fake(&["fake"]).unwrap(), &watch).unwrap_err();
    assert!(error.is_cancelled());
}

#[test]
fn garbage_on_standard_output_is_skipped() {
    let Some(options) = fake(&["noisy", "fake"]) else { return };
    let engine = open("noisy", options).unwrap();
    let mix = noise(44_100, 2, 44_100, 6);
    let reports = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&reports);
    let watch = Watch::with_sink(move |progress| heard.lock().unwrap().push(progress.done));
    assert!(engine.separate(&mix, &watch).is_ok());
    assert!(reports.lock().unwrap().is_sorted(), "a percentage that fell was passed on");
}

#[test]
fn samples_that_are_no_numbers_and_stems_of_another_length_are_refused() {
    let Some(error) = failure("nan", |_| ()) else { return };
    assert_eq!((error.kind(), error.subject()), (ErrorKind::ToolUnavailable, Some("bass")));
    assert!(error.message().contains("no numbers"), "{error}");
    let error = failure("long", |_| ()).unwrap();
    assert_eq!(error.kind(), ErrorKind::ToolUnavailable);
    assert!(error.message().contains("another length"), "{error}");
}

#[test]
fn a_model_that_the_package_does_not_know_is_refused_in_its_words() {
    let Some(error) = failure_to_open("unheard of", |_| ()) else { return };
    assert_eq!((error.kind(), error.subject()), (ErrorKind::ModelUnavailable, Some("unheard of")));
    assert!(error.message().contains("neither a single pre-trained model or a bag of models"), "{error}");
    let error = failure_to_open("fatal", |_| ()).unwrap();
    assert_eq!(error.kind(), ErrorKind::ModelUnavailable);
    assert!(error.message().ends_with("is not installed,; run: pip install helper"), "{error}");
}

#[test]
fn a_model_whose_stems_or_channels_are_unknown_here_is_refused() {
    let Some(error) = failure_to_open("strings", |_| ()) else { return };
    assert_eq!(error.kind(), ErrorKind::ModelUnavailable);
    assert!(error.message().contains("\"strings\""), "{error}");
    let error = failure_to_open("mono", |_| ()).unwrap();
    assert!(error.message().contains("1 channels"), "{error}");
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let Some(error) = failure_to_open("plain", |options| options.device = Some("abacus".to_owned())) else {
        return;
    };
    assert_eq!(error.kind(), ErrorKind::InvalidOption);
    assert!(error.message().contains("there is no abacus"), "{error}");
    let changes: [fn(&mut PythonOptions); 4] = [
        |options| options.overlap = 1.0,
        |options| options.overlap = f64::NAN,
        |options| options.segment_secs = Some(0.0),
        |options| options.shifts = 101,
    ];
    for change in changes {
        assert_eq!(failure_to_open("plain", change).unwrap().kind(), ErrorKind::InvalidOption);
    }
}

#[test]
fn a_missing_package_and_a_missing_python_say_what_to_install() {
    let mut options = PythonOptions::default();
    options.python = Some("no-such-python".into());
    let error = open("plain", options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ToolUnavailable);
    assert!(error.message().contains("no-such-python") && error.message().contains("SFA_PYTHON"), "{error}");

    let Some(options) = fake(&["missing", "fake"]) else { return };
    let error = open("plain", options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ToolUnavailable);
    assert!(error.message().contains("-m pip install demucs"), "{error}");
}

#[test]
fn silence_in_gives_silence_out() {
    let Some(options) = fake(&["fake"]) else { return };
    let mix = Clip::silence(AudioSpec::new(44_100, 2).unwrap(), 5000);
    let stems = open("plain", options).unwrap().separate(&mix, &Watch::new()).unwrap();
    assert!(stems.iter().all(|(_, stem)| stem.peak() == 0.0));
}
