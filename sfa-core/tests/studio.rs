//! Whole journeys through the front door, on songs whose truth is known because we made them.
#![allow(clippy::print_stderr, reason = "tests say aloud what they skip")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sfa_core::audio::analyze::FormEventKind;
use sfa_core::audio::io::{AudioFormat, EncodeOptions, read_clip, write_clip};
use sfa_core::demo::{DemoOptions, DemoStyle, DemoTruth, song};
use sfa_core::models::ModelStore;
use sfa_core::{AnalyzeOptions, ErrorKind, ProcessOptions, Studio, Watch};

/// Renders a song into `folder` and returns its file and its truth.
fn write_song(folder: &Path, name: &str, options: &DemoOptions) -> (PathBuf, DemoTruth) {
    let song = song(options).unwrap();
    let path = folder.join(name);
    write_clip(&path, &song.mix, &EncodeOptions::new(AudioFormat::Flac), None).unwrap();
    (path, song.truth)
}

/// A studio without any models, whatever the user has.
fn studio() -> Studio {
    Studio::with_models(ModelStore::at("/nowhere"))
}

/// Names of everything in a folder, hidden ones too.
fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_house_track_is_understood_and_taken_apart() {
    let desk = tempfile::tempdir().unwrap();
    let (path, truth) = write_song(desk.path(), "house.flac", &DemoOptions::default());
    let out = desk.path().join("out");
    let song = studio().process(&path, &out, &ProcessOptions::default(), &Watch::new()).unwrap();
    let analysis = &song.report.analysis;

    let rhythm = analysis.rhythm.as_ref().expect("a pulse");
    // A hundredth of a beat per minute is half a millisecond per bar.
    assert!((rhythm.tempo.bpm - truth.bpm).abs() < 0.01, "{} BPM", rhythm.tempo.bpm);
    assert_eq!(rhythm.meter.beats_per_bar, truth.beats_per_bar);
    assert!(rhythm.tempo.is_constant && rhythm.grid.len() == 1);
    assert_eq!(analysis.key.expect("a key").key, truth.key);

    let form = analysis.form.as_ref().unwrap();
    let bar_secs = 240.0 / truth.bpm;
    let drops: Vec<f64> = form
        .events
        .iter()
        .filter(|event| event.kind == FormEventKind::Drop)
        .map(|event| event.start_secs)
        .collect();
    assert_eq!(drops.len(), truth.drops_secs.len(), "{drops:?}");
    for (found, planted) in drops.iter().zip(&truth.drops_secs) {
        assert!((found - planted).abs() < bar_secs, "{found} for {planted}");
    }

    // 16-bit stems with a joint gain: half a step of rounding and one of dither for each of the four.
    let mix = read_clip(&path).unwrap();
    let gain = song.report.separation.as_ref().unwrap().gain;
    let mut sum = vec![0.0_f32; mix.frames()];
    for stem in &song.report.stems {
        let clip = read_clip(&song.folder.join(&stem.file)).unwrap();
        assert_eq!((clip.frames(), clip.spec()), (mix.frames(), mix.spec()), "{}", stem.file);
        sum.iter_mut().zip(&clip.channels()[0]).for_each(|(sum, sample)| *sum += sample);
    }
    let worst = sum.iter().zip(&mix.channels()[0]).map(|(a, b)| (a - b * gain).abs()).fold(0.0, f32::max);
    assert!(worst < 4.0 * 1.5 / 32_768.0 + 1e-5, "the stems miss the mix by {worst}");
}

#[test]
fn a_waltz_is_counted_in_three() {
    let desk = tempfile::tempdir().unwrap();
    let (path, truth) = write_song(desk.path(), "waltz.flac", &DemoOptions::new(DemoStyle::Waltz));
    let report = studio().analyze(&path, &AnalyzeOptions::default(), &Watch::new()).unwrap();
    let rhythm = report.analysis.rhythm.unwrap();
    assert_eq!(rhythm.meter.beats_per_bar, 3);
    assert!((rhythm.tempo.bpm - truth.bpm).abs() < 0.01, "{} BPM", rhythm.tempo.bpm);
}

#[test]
fn a_stopped_song_leaves_nothing() {
    let desk = tempfile::tempdir().unwrap();
    let (path, _) = write_song(desk.path(), "a.flac", &DemoOptions::default().duration_secs(30.0));
    let out = desk.path().join("out");
    for stop_at_percent in [0, 30, 70, 90] {
        let handle = Watch::new();
        let stopper = handle.clone();
        let watch = handle.forward_to(move |progress| {
            if progress.fraction().is_some_and(|fraction| fraction * 100.0 >= f64::from(stop_at_percent)) {
                stopper.stop();
            }
        });
        let error = studio().process(&path, &out, &ProcessOptions::default(), &watch).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled, "at {stop_at_percent} %: {error}");
        assert_eq!(names_in(&out), Vec::<String>::new(), "at {stop_at_percent} %");
    }
}

#[test]
fn progress_of_a_song_only_rises_and_ends_at_the_end() {
    let desk = tempfile::tempdir().unwrap();
    let (path, _) = write_song(desk.path(), "a.flac", &DemoOptions::default().duration_secs(30.0));
    let highest = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&highest);
    let watch = Watch::with_sink(move |progress| {
        let permille = (progress.fraction().expect("the whole is known") * 1000.0) as u64;
        assert!(seen.fetch_max(permille, Ordering::SeqCst) <= permille, "progress fell to {permille}");
    });
    let out = desk.path().join("out");
    studio().process(&path, &out, &ProcessOptions::default(), &watch).unwrap();
    assert_eq!(highest.load(Ordering::SeqCst), 1000);
}

#[test]
fn songs_of_one_name_made_side_by_side_do_not_mix() {
    let desk = tempfile::tempdir().unwrap();
    let studio = studio();
    let out = desk.path().join("out");
    let songs: Vec<PathBuf> = (1..=3)
        .map(|seed| {
            let folder = desk.path().join(seed.to_string());
            fs::create_dir(&folder).unwrap();
            write_song(&folder, "same.flac", &DemoOptions::default().duration_secs(8.0).seed(seed)).0
        })
        .collect();
    std::thread::scope(|scope| {
        for song in songs.iter().chain(&songs) {
            let (studio, out) = (&studio, &out);
            scope
                .spawn(move || studio.process(song, out, &ProcessOptions::default(), &Watch::new()).unwrap());
        }
    });
    assert_eq!(names_in(&out), ["same", "same (2)", "same (3)"]);
}

#[test]
fn odd_files_give_an_answer_or_a_clear_error_and_leave_no_litter() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/audio/odd");
    let Ok(entries) = fs::read_dir(&folder) else {
        eprintln!("skipped: {} is not here", folder.display());
        return;
    };
    let desk = tempfile::tempdir().unwrap();
    let studio = studio();
    let mut finished = 0;
    for entry in entries {
        let path = entry.unwrap().path();
        match studio.process(&path, desk.path(), &ProcessOptions::default(), &Watch::new()) {
            Ok(song) => {
                assert!(song.report.analysis.duration_secs > 0.0, "{}", path.display());
                finished += 1;
            }
            Err(error) => {
                assert!(
                    matches!(
                        error.kind(),
                        ErrorKind::UnsupportedFormat | ErrorKind::Damaged | ErrorKind::ToolUnavailable
                    ),
                    "{}: {:?} {error}",
                    path.display(),
                    error.kind()
                );
                assert!(error.message().len() > 15, "{}: {error}", path.display());
            }
        }
    }
    let names = names_in(desk.path());
    assert_eq!(names.len(), finished, "{names:?}");
    assert!(names.iter().all(|name| !name.starts_with('.')), "{names:?}");
}
