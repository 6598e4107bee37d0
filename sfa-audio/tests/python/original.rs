//! The real package, where there is one: the same weights give the stems of the native engine.

use std::sync::{Arc, Mutex};

use sfa_audio::separate::demucs::{Demucs, DemucsOptions};
use sfa_audio::separate::python::{PythonDemucs, PythonOptions};
use sfa_audio::{Clip, ErrorKind, Separator, StemKind, Watch};

use super::packages::{real, small_repository};
use super::{assert_empty, noise, path, signal_to_error_db};

/// Both compute in single precision: what is left of 24 bits after a whole network.
const SAME_DB: f64 = 90.0;

fn compare(engine: &PythonDemucs, native: &Demucs, mix: &Clip) {
    assert_eq!(engine.info().stems, native.info().stems);
    let stems = engine.separate(mix, &Watch::new()).unwrap();
    let expected = native.separate(mix, &Watch::new()).unwrap();
    for ((kind, found), (_, expected)) in stems.iter().zip(expected.iter()) {
        assert_eq!((found.spec(), found.frames()), (mix.spec(), mix.frames()));
        let agreement_db = signal_to_error_db(&expected.channels().concat(), &found.channels().concat());
        eprintln!("{kind} of {} frames at {:?}: {agreement_db:.1} dB", mix.frames(), mix.spec());
        assert!(agreement_db >= SAME_DB, "{kind}: {agreement_db} dB");
    }
}

#[test]
fn stems_agree_with_the_native_engine_on_the_same_weights() {
    let Some(mut options) = real() else { return };
    let (models, scratch) = (small_repository(), tempfile::tempdir().unwrap());
    options.repo = Some(models.path().to_owned());
    options.scratch_folder = Some(scratch.path().to_owned());
    let engine = PythonDemucs::open("small", options, &Watch::new()).unwrap();
    eprintln!("demucs {}, torch {}", engine.demucs_version(), engine.torch_version());
    let native = Demucs::from_files(&[path("demucs/ht.th")], None, DemucsOptions::default()).unwrap();
    for (sample_rate_hz, channels, frames) in
        [(44_100, 2, 9007), (44_100, 2, 1999), (48_000, 1, 20_000), (44_100, 3, 3001), (44_100, 2, 1)]
    {
        compare(&engine, &native, &noise(sample_rate_hz, channels, frames, 21));
    }
    drop(engine);
    assert_empty(scratch.path());
}

#[test]
fn segment_and_overlap_reach_the_package() {
    let Some(mut options) = real() else { return };
    let models = small_repository();
    options.repo = Some(models.path().to_owned());
    options.segment_secs = Some(2003.5 / 44_100.0);
    options.overlap = 0.6;
    let mut native = DemucsOptions::default();
    native.segment_secs = options.segment_secs;
    native.overlap = options.overlap;
    let native = Demucs::from_files(&[path("demucs/ht.th")], None, native).unwrap();
    let engine = PythonDemucs::open("0badcafe", options.clone(), &Watch::new()).unwrap();
    compare(&engine, &native, &noise(44_100, 2, 7001, 22));

    options.segment_secs = Some(0.2);
    let error = PythonDemucs::open("small", options, &Watch::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOption, "longer than in training: {error}");
}

#[test]
fn the_same_song_gets_the_same_shifts() {
    let Some(mut options) = real() else { return };
    let models = small_repository();
    options.repo = Some(models.path().to_owned());
    let plain = PythonDemucs::open("small", options.clone(), &Watch::new()).unwrap();
    options.shifts = 2;
    let shifted = PythonDemucs::open("small", options, &Watch::new()).unwrap();
    let mix = noise(44_100, 2, 9007, 23);
    let drums = |engine: &PythonDemucs| {
        engine.separate(&mix, &Watch::new()).unwrap().get(StemKind::Drums).unwrap().channels().concat()
    };
    let first = drums(&shifted);
    assert_eq!(drums(&shifted), first);
    let closeness_db = signal_to_error_db(&drums(&plain), &first);
    assert!(closeness_db < SAME_DB, "the shifts changed nothing: {closeness_db} dB");
}

#[test]
fn progress_rises_and_a_stop_is_obeyed() {
    let Some(mut options) = real() else { return };
    let (models, scratch) = (small_repository(), tempfile::tempdir().unwrap());
    options.repo = Some(models.path().to_owned());
    options.scratch_folder = Some(scratch.path().to_owned());
    let engine = PythonDemucs::open("small", options, &Watch::new()).unwrap();
    let mix = noise(44_100, 2, 20_000, 24);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    engine
        .separate(&mix, &Watch::with_sink(move |progress| log.lock().unwrap().push(progress.done)))
        .unwrap();
    let mut seen = std::mem::take(&mut *seen.lock().unwrap());
    assert!(seen.is_sorted() && seen.last() == Some(&20_000), "{seen:?}");
    seen.dedup();
    // Nine segments of 3001 frames that start every 2250, the start and the end of each, and the start of all.
    assert_eq!(seen.len(), 1 + 2 * 9, "{seen:?}");

    let watch = Watch::new();
    let stopper = watch.clone();
    let watch = watch.forward_to(move |progress| {
        if progress.done > 5000 {
            stopper.stop();
        }
    });
    assert!(engine.separate(&mix, &watch).unwrap_err().is_cancelled());
    drop(engine);
    assert_empty(scratch.path());
}

#[test]
fn a_model_that_is_not_in_the_folder_is_refused_in_the_words_of_the_package() {
    let Some(mut options) = real() else { return };
    let models = small_repository();
    options.repo = Some(models.path().to_owned());
    let open = |model: &str, options: &PythonOptions| {
        let error = PythonDemucs::open(model, options.clone(), &Watch::new()).unwrap_err();
        eprintln!("{error}");
        assert_eq!((error.kind(), error.subject()), (ErrorKind::ModelUnavailable, Some(model)));
        error
    };
    assert!(open("mdx_q", &options).message().contains("neither a single pre-trained model"));
    options.repo = Some(models.path().join("nowhere"));
    assert!(open("small", &options).message().contains("must exist and be a directory"));
}
