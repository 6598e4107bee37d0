//! Against librosa's pyin; pitches by tools/fixtures/pyin.py.

use std::f64::consts::TAU;

use serde::Deserialize;
use sfa_audio::transcribe::{PitchFrame, Pyin, PyinOptions};

const RATE_HZ: u32 = 22_050;

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    lowest_hz: f64,
    highest_hz: f64,
    hop: usize,
    hz: Vec<Option<f64>>,
    voiced_probability: Vec<f64>,
}

fn harmonic(phase: f64, partials: u32) -> f64 {
    (1..=partials).map(|k| (TAU * f64::from(k) * phase).sin() / f64::from(k)).sum()
}

/// The signals of the fixture script.
fn signal(name: &str) -> Vec<f32> {
    let mut state = 12_345_u32;
    let mut noise = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 23) - 1.0
    };
    let frames = if name == "shard" { 700 } else { 2 * RATE_HZ as usize };
    (0..frames)
        .map(|n| {
            let secs = n as f64 / f64::from(RATE_HZ);
            let sample = match name {
                "glide" => 0.3 * harmonic(110.0 * secs + 55.0 * secs * secs / 2.0, 6),
                "vibrato with pauses and noise" => {
                    let depth = 440.0 * 0.02 / (TAU * 5.5);
                    let sung = harmonic(440.0 * secs - depth * (TAU * 5.5 * secs).cos(), 4);
                    let is_on = secs % 0.5 < 0.35;
                    0.2 * if is_on { sung } else { 0.0 } + 0.02 * noise()
                }
                "bass octaves" => {
                    let hz = if secs % 0.5 < 0.25 { 55.0 } else { 110.0 };
                    0.4 * harmonic(hz * (secs % 0.25), 5) * (-4.0 * (secs % 0.25)).exp()
                }
                "noise" => 0.3 * noise(),
                "silence" => 0.0,
                "shard" => 0.3 * harmonic(220.0 * secs, 3),
                _ => panic!("no signal is called {name}"),
            };
            sample as f32
        })
        .collect()
}

fn track(samples: &[f32], case: &Case, chunk: usize) -> Vec<PitchFrame> {
    let options = PyinOptions::default().range_hz(case.lowest_hz, case.highest_hz).hop_samples(case.hop);
    let mut pyin = Pyin::new(RATE_HZ, options);
    samples.chunks(chunk).for_each(|part| pyin.push(part));
    pyin.finish()
}

#[test]
fn pitches_are_those_of_librosa() {
    let golden: Golden = serde_json::from_str(include_str!("pyin.golden.json")).unwrap();
    for case in &golden.cases {
        let found = track(&signal(&case.name), case, 4096);
        let label = format!("{} at hop {}", case.name, case.hop);
        assert_eq!(found.len(), case.hz.len(), "{label}");
        // librosa works in single precision: where two periods are equally good, rounding decides. A bin is a tenth
        // of a semitone.
        let same = found.iter().zip(&case.hz).filter(|(frame, hz)| match (frame.hz, hz) {
            (None, None) => true,
            (Some(ours), Some(theirs)) => (12.0 * (ours / theirs).log2()).abs() < 0.11,
            _ => false,
        });
        let same = same.count() as f64 / found.len() as f64;
        assert!(same >= 0.98, "{label}: {same}");
        let mut off: Vec<f64> = found
            .iter()
            .zip(&case.voiced_probability)
            .map(|(frame, probability)| (frame.voiced_probability - probability).abs())
            .collect();
        off.sort_by(f64::total_cmp);
        assert!(off[off.len() * 9 / 10] < 1e-3, "{label}: {}", off[off.len() * 9 / 10]);
    }
}

#[test]
fn chunk_sizes_change_nothing() {
    let golden: Golden = serde_json::from_str(include_str!("pyin.golden.json")).unwrap();
    let case = &golden.cases[2];
    let samples = signal(&case.name);
    let whole = track(&samples, case, samples.len());
    for chunk in [1, 255, 2048, 5000] {
        assert_eq!(whole, track(&samples, case, chunk));
    }
    assert!(track(&[], case, 1).is_empty());
    assert_eq!(track(&[0.5], case, 1).len(), 1);
}

#[test]
fn a_long_signal_is_decided_block_by_block() {
    // More frames than two blocks of the decoder: a steady tone must come out steady across their borders.
    let samples: Vec<f32> = (0..RATE_HZ as usize * 20).map(|n| (n as f32 * 0.0627).sin()).collect();
    let options = PyinOptions::default().range_hz(150.0, 300.0).hop_samples(32);
    let mut pyin = Pyin::new(RATE_HZ, options);
    pyin.push(&samples);
    let found = pyin.finish();
    assert_eq!(found.len(), 1 + samples.len() / 32);
    let steady = &found[64..found.len() - 64];
    assert!(steady.iter().all(|frame| frame.hz.is_some_and(|hz| (hz - 220.0).abs() < 1.5)));
}
