//! One voice at a time.

use std::fs;
use std::path::Path;

use sfa_audio::transcribe::TranscribeKind;
use sfa_audio::{AudioSpec, Clip, Watch};

use crate::play::{Played, RATE_HZ, assert_sane, f_measure, notes_of, pluck};

/// A bass line in eighths at 120 BPM: repeated notes, octaves, steps, rests.
fn bass_line() -> Vec<Played> {
    let pattern = [33, 33, 45, 33, 36, 36, 38, 40, 28, 28, 40, 28, 31, 0, 33, 0];
    (0..48)
        .map(|n| (0.1 + 0.25 * f64::from(n), 0.2, pattern[n as usize % pattern.len()]))
        .filter(|note| note.2 > 0)
        .collect()
}

#[test]
fn a_bass_line_is_written_down() {
    let truth = bass_line();
    for cents in [0.0, -32.0, 22.0] {
        let notes = notes_of(&pluck(&truth, 13.0, cents), TranscribeKind::Bass);
        assert_sane(&notes);
        let f = f_measure(&truth, &notes);
        assert!(f > 0.9, "{cents} cents: {f}");
    }
}

#[test]
fn held_notes_are_not_struck_again() {
    let truth: Vec<Played> =
        (0..6).map(|n| (0.2 + 1.5 * f64::from(n), 1.4, [57, 60, 62, 64, 60, 57][n as usize])).collect();
    let notes = notes_of(&pluck(&truth, 9.5, 0.0), TranscribeKind::Vocals);
    assert_sane(&notes);
    assert_eq!(notes.len(), truth.len(), "{notes:#?}");
    assert!(f_measure(&truth, &notes) > 0.99);
    assert!(notes.iter().all(|note| note.confidence > 0.5), "{notes:#?}");
    for (note, (_, length, _)) in notes.iter().zip(&truth) {
        assert!((note.end_secs - note.start_secs - length).abs() < 0.15, "{note:?}");
    }
}

#[test]
fn silence_noise_and_shards_hold_no_melody() {
    for kind in [TranscribeKind::Bass, TranscribeKind::Vocals, TranscribeKind::Other, TranscribeKind::Drums] {
        for frames in [0, 1, 100, 44_100] {
            let clip = Clip::silence(AudioSpec::new(RATE_HZ, 2).unwrap(), frames);
            assert!(notes_of(&clip, kind).is_empty(), "{kind:?}");
        }
        let broken: Vec<f32> = (0..30_000).map(|n| [f32::NAN, f32::INFINITY, -1e30, 0.1][n % 4]).collect();
        assert_sane(&notes_of(&Clip::from_channels(RATE_HZ, vec![broken]).unwrap(), kind));
        let low_rate = Clip::from_channels(1_000, vec![vec![0.5; 3_000]]).unwrap();
        assert_sane(&notes_of(&low_rate, kind));
    }
}

#[test]
fn a_stop_is_obeyed() {
    let watch = Watch::new();
    watch.stop();
    let clip = Clip::silence(AudioSpec::new(RATE_HZ, 1).unwrap(), 44_100);
    let stopped = sfa_audio::transcribe::transcribe(&mut clip.source(), TranscribeKind::Bass, &watch);
    assert!(stopped.unwrap_err().is_cancelled());
}

#[test]
fn sung_stems_have_the_notes_that_were_sung() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/audio/synth");
    if !folder.exists() {
        eprintln!("skipped: {} is not here", folder.display());
        return;
    }
    let mut scores = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let song = entry.unwrap().path();
        let stem = song.join("stems/vocals.flac");
        if !stem.exists() {
            continue;
        }
        let truth: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(song.join("truth.json")).unwrap()).unwrap();
        let number = |note: &serde_json::Value, n: usize| note[n].as_f64().unwrap();
        let truth: Vec<Played> = truth["vocal_notes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|note| (number(note, 0), number(note, 1), number(note, 2) as u8))
            .collect();
        let notes = notes_of(&sfa_audio::io::read_clip(&stem).unwrap(), TranscribeKind::Vocals);
        assert_sane(&notes);
        scores.push(f_measure(&truth, &notes));
    }
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    // Sung consonants delay the pitch behind the truth's note by more than 50 ms now and then.
    assert!(mean > 0.5, "{mean}: {scores:?}");
}
