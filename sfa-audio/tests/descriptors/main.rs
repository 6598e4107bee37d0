//! Every descriptor against librosa 0.11 itself, on signals that both sides make to the bit.
//!
//! `goldens.json` is written by `tools/fixtures/librosa_goldens.py`.

mod signals;

use std::collections::HashMap;

use serde_json::Value;
use sfa_audio::analyze::descriptors::{Descriptors, FeatureFrames};
use sfa_audio::analyze::{Feature, analyze};
use sfa_audio::{AnalyzeOptions, AudioSource, AudioSpec, Clip, Result, Watch};

struct Measured {
    name: String,
    sample_rate_hz: u32,
    golden: Value,
    found: Descriptors,
    frames: FeatureFrames,
    stride: usize,
}

fn measure(clip: &Clip) -> (Descriptors, FeatureFrames) {
    let options = AnalyzeOptions::default().features(Feature::DESCRIPTORS).keep_frames(true);
    let analysis = analyze(&mut clip.source(), &options, &Watch::new()).unwrap();
    (analysis.descriptors.unwrap(), analysis.frames.unwrap())
}

fn measured() -> Vec<Measured> {
    let goldens: Value = serde_json::from_str(include_str!("goldens.json")).unwrap();
    let stride = goldens["stride"].as_u64().unwrap() as usize;
    goldens["signals"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, signal)| {
            let sample_rate_hz = signal["sample_rate_hz"].as_u64().unwrap() as u32;
            let samples = signal["samples"].as_u64().unwrap() as usize;
            let mono = signals::signal(name, sample_rate_hz, samples);
            let (found, frames) = measure(&Clip::from_channels(sample_rate_hz, vec![mono]).unwrap());
            let golden = signal["features"].clone();
            Measured { name: name.clone(), sample_rate_hz, golden, found, frames, stride }
        })
        .collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// The largest difference of two series of equal length.
fn difference(expected: &[f64], found: &[f64]) -> f64 {
    assert_eq!(expected.len(), found.len());
    expected.iter().zip(found).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// Tolerances of a frame and of a mean: where librosa's own single and double precision differ, with the room that
/// another transform needs.
const TOLERANCES: [(&str, f64, f64); 16] = [
    ("rms", 1e-6, 1e-6),
    ("zero_crossing_rate", 1e-7, 1e-7),
    ("spectral_centroid", 0.05, 0.01),
    ("spectral_bandwidth", 0.05, 0.01),
    // A bin, where the cumulative magnitude ties with the threshold.
    ("spectral_rolloff", 24.0, 0.5),
    ("spectral_flatness", 1e-6, 1e-6),
    ("spectral_contrast", 1e-3, 1e-3),
    ("mfcc", 1e-3, 1e-3),
    ("chroma_stft", 1e-4, 1e-4),
    // librosa's own decimator is another filter than ours.
    ("chroma_cqt", 1e-3, 1e-4),
    // Quantised: a value near a threshold may fall on either side.
    ("chroma_cens", 0.05, 2e-3),
    ("onset_strength", 1e-4, 1e-4),
    ("onset_strength_median", 1e-4, 1e-4),
    ("tempogram", 1e-4, 1e-4),
    ("mel_db", 1e-3, 1e-3),
    ("recurrence", 1e-3, 1e-3),
];

#[test]
fn frames_and_means_are_those_of_librosa() {
    let mut compared = HashMap::new();
    for signal in measured() {
        for (name, frame_tolerance, mean_tolerance) in TOLERANCES {
            let golden = &signal.golden[name];
            if golden.is_null() {
                continue;
            }
            *compared.entry(name).or_insert(0) += 1;
            let about = format!("{name} of {}", signal.name);
            let matrix = signal.frames.matrices.iter().find(|matrix| matrix.name == name).expect(&about);
            let frames: Vec<&[f32]> = matrix.values.chunks_exact(matrix.width).collect();
            let mean_of = |index: usize| {
                frames.iter().map(|frame| f64::from(frame[index])).sum::<f64>() / frames.len() as f64
            };
            let means: Vec<f64> = (0..matrix.width).map(mean_of).collect();
            // A mean over a few frames is no better than they are.
            let mean_tolerance = if frames.len() < 10 { frame_tolerance } else { mean_tolerance };
            let apart = difference(&numbers(&golden["mean"]), &means);
            assert!(apart <= mean_tolerance, "the mean {about} differs by {apart:e}");
            if !golden["frames"].is_null() {
                let strided = frames.iter().step_by(signal.stride).copied().flatten();
                let strided: Vec<f64> = strided.map(|&value| f64::from(value)).collect();
                let apart = difference(&numbers(&golden["frames"]), &strided);
                assert!(apart <= frame_tolerance, "{about} differs by {apart:e}");
            }
        }
    }
    for (name, ..) in TOLERANCES.iter().filter(|(name, ..)| *name != "mel_db") {
        assert!(compared[name] >= 3, "{name} was hardly compared");
    }
}

#[test]
fn summaries_are_the_means_of_the_frames() {
    for signal in measured() {
        let mean = |name: &str| numbers(&signal.golden[name]["mean"]);
        let spectral = signal.found.spectral.unwrap();
        assert!((spectral.spectral_centroid - mean("spectral_centroid")[0]).abs() < 0.01);
        assert!((spectral.zero_crossing_rate - mean("zero_crossing_rate")[0]).abs() < 1e-7);
        let mfcc = signal.found.mfcc.unwrap();
        assert!(difference(&mean("mfcc"), &mfcc.mfcc) < 1e-3);
        // A variance moves by twice the deviation times the tolerance of a frame.
        for (expected, found) in numbers(&signal.golden["mfcc"]["variance"]).iter().zip(mfcc.mfcc_variance) {
            assert!((expected - found).abs() < 2e-3 * expected.sqrt() + 1e-6, "{}", signal.name);
        }
    }
}

#[test]
fn tuning_tempo_beats_and_onsets_are_the_same() {
    for signal in measured() {
        let golden = |name: &str| numbers(&signal.golden[name]);
        let chroma = signal.found.chroma.unwrap();
        for (name, found) in [("tuning", chroma.tuning), ("tuning_cqt", chroma.tuning_cqt)] {
            if !signal.golden[name].is_null() {
                assert!((golden(name)[0] - found).abs() < 1e-9, "{name} of {}: {found}", signal.name);
            }
        }
        let track = signal.found.beat_track;
        let bpm = track.as_ref().map_or(0.0, |track| track.bpm);
        // Seven digits are written. The next lag is 0.9 BPM away or more.
        assert!((golden("tempo")[0] - bpm).abs() < 1e-4, "{}: {bpm} BPM", signal.name);
        let beats: Vec<f64> =
            track.map_or(Vec::new(), |track| track.frames.iter().map(|&frame| frame as f64).collect());
        assert_eq!(golden("beats"), beats, "beats of {}", signal.name);
        let frame = |secs: &f64| (secs * f64::from(signal.sample_rate_hz) / 512.0).round();
        let onsets: Vec<f64> = signal.found.onsets.unwrap().onset_times.iter().map(frame).collect();
        assert_eq!(golden("onsets"), onsets, "onsets of {}", signal.name);
    }
}

#[test]
fn the_percussive_share_is_the_same() {
    for signal in measured().into_iter().filter(|signal| !signal.golden["percussive_ratio"].is_null()) {
        let found = signal.found.hpss.unwrap().percussive_ratio;
        let expected = numbers(&signal.golden["percussive_ratio"])[0];
        assert!((expected - found).abs() < 1e-5, "{}: {found} for {expected}", signal.name);
    }
}

/// Reads a clip in blocks of another size than the clip's own source.
struct Blocks<'a>(&'a Clip, usize, usize);

impl AudioSource for Blocks<'_> {
    fn spec(&self) -> AudioSpec {
        self.0.spec()
    }

    fn frames_hint(&self) -> Option<u64> {
        None
    }

    fn read(&mut self, block: &mut Clip) -> Result<usize> {
        let Self(clip, position, frames) = self;
        let end = (*position + *frames).min(clip.frames());
        block.clear();
        block.extend(clip.channels().iter().map(|channel| &channel[*position..end]));
        Ok(end - std::mem::replace(position, end))
    }

    fn rewind(&mut self) -> Result<()> {
        self.1 = 0;
        Ok(())
    }
}

#[test]
fn block_sizes_change_nothing() {
    let mono = signals::signal("song", 44_100, 60_000);
    let clip = Clip::from_channels(44_100, vec![mono]).unwrap();
    let whole = measure(&clip);
    let options = AnalyzeOptions::default().features(Feature::DESCRIPTORS).keep_frames(true);
    for frames in [1, 777, 40_001] {
        let analysis = analyze(&mut Blocks(&clip, 0, frames), &options, &Watch::new()).unwrap();
        assert!(whole == (analysis.descriptors.unwrap(), analysis.frames.unwrap()), "blocks of {frames}");
    }
}

#[test]
fn beyond_the_horizon_frames_go_on_and_block_sizes_change_nothing() {
    // The lowest common rate at which all features exist keeps eleven minutes short.
    const RATE_HZ: u32 = 16_000;
    let mono = signals::signal("song", RATE_HZ, (660.0 * f64::from(RATE_HZ)) as usize);
    let frames = 1 + mono.len() / 512;
    let clip = Clip::from_channels(RATE_HZ, vec![mono]).unwrap();
    let options = AnalyzeOptions::default()
        .features([Feature::Spectral, Feature::Mfcc, Feature::ChromaVectors, Feature::Onsets])
        .keep_frames(true);
    let whole = analyze(&mut clip.source(), &options, &Watch::new()).unwrap();
    for matrix in &whole.frames.as_ref().unwrap().matrices {
        assert_eq!(matrix.frames(), frames, "{}", matrix.name);
    }
    let again = analyze(&mut Blocks(&clip, 0, 100_003), &options, &Watch::new()).unwrap();
    assert!(whole.descriptors == again.descriptors && whole.frames == again.frames);
}

#[test]
fn odd_shapes_give_finite_answers() {
    let square: Vec<f32> = (0..20_000).map(|n| if n / 50 % 2 == 0 { 1.0 } else { -1.0 }).collect();
    for (rate, samples) in [
        (44_100, vec![0.5]),
        (1_000, square[..3_000].to_vec()),
        (8_000, square.clone()),
        (768_000, square.clone()),
        (192_000, vec![1000.0; 5_000]),
        (44_100, vec![1e-30; 5_000]),
        (12_345, square),
    ] {
        let frames = 1 + samples.len() / 512;
        let (found, matrices) = measure(&Clip::from_channels(rate, vec![samples]).unwrap());
        assert_eq!(found.frames, frames as u64);
        // JSON has no word for numbers that are none.
        assert!(!serde_json::to_string(&found).unwrap().contains("null"), "{rate} Hz");
        for matrix in matrices.matrices {
            assert!(matrix.values.iter().all(|value| value.is_finite()), "{} at {rate} Hz", matrix.name);
        }
    }
    let empty = Clip::from_channels(44_100, vec![Vec::new()]).unwrap();
    let options = AnalyzeOptions::default().features(Feature::DESCRIPTORS);
    assert!(analyze(&mut empty.source(), &options, &Watch::new()).unwrap().descriptors.is_none());
}
