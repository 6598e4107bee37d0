//! Drum hits of patterns we play ourselves, and of songs whose strokes are known.

use std::f64::consts::TAU;
use std::fs;
use std::path::Path;

use sfa_audio::analyze::{DrumHit, DrumKind, Feature};
use sfa_audio::{AudioSpec, Clip};

use crate::song::Dice;
use crate::{analysis_of, decoded, shared_audio};

const RATE_HZ: u32 = 44_100;
const KICK: &[DrumKind] = &[DrumKind::Kick];
/// In the truth of the shared songs every snare, clap and rim is a snare.
const SNARE: &[DrumKind] = &[DrumKind::Snare, DrumKind::Clap, DrumKind::Perc];
const HAT: &[DrumKind] = &[DrumKind::Hat];

/// Harmonic mean of precision and recall within 50 ms, one to one.
fn f_measure(truth: &[f64], hits: &[DrumHit], kinds: &[DrumKind]) -> f64 {
    let mut found: Vec<f64> =
        hits.iter().filter(|hit| kinds.contains(&hit.kind)).map(|hit| hit.time_secs).collect();
    let mut truth = truth.to_vec();
    for times in [&mut truth, &mut found] {
        times.sort_by(f64::total_cmp);
        times.dedup_by(|later, earlier| *later - *earlier < 0.03);
    }
    let (mut t, mut f, mut matched) = (0, 0, 0);
    while t < truth.len() && f < found.len() {
        let off = found[f] - truth[t];
        if off.abs() <= 0.05 {
            matched += 1;
        }
        t += usize::from(off.abs() <= 0.05 || off > 0.0);
        f += usize::from(off.abs() <= 0.05 || off < 0.0);
    }
    2.0 * f64::from(matched) / (truth.len() + found.len()).max(1) as f64
}

/// Kick on one and three, snare on two and four, hats on eighths at 120 BPM, all from formulas.
fn beat(secs: f64) -> Vec<f32> {
    let mut dice = Dice(7);
    let mut last = 0.0;
    (0..(secs * f64::from(RATE_HZ)) as usize)
        .map(|n| {
            let secs = n as f64 / f64::from(RATE_HZ);
            let white = dice.noise();
            let bright = white - last;
            last = white;
            let (kick, snare, hat) = (secs % 1.0, (secs + 0.5) % 1.0, secs % 0.25);
            let kick = (-10.0 * kick).exp() * (TAU * (50.0 * kick - 5.0 * (-25.0 * kick).exp())).sin();
            let snare = (-16.0 * snare).exp() * (0.5 * white + 0.5 * (TAU * 190.0 * snare).sin());
            let hat = (-50.0 * hat).exp() * 0.25 * bright;
            (0.7 * kick + if secs > 0.4 { 0.5 * snare } else { 0.0 } + 0.4 * hat) as f32
        })
        .collect()
}

fn hits_of(samples: Vec<f32>) -> Vec<DrumHit> {
    let clip = Clip::from_channels(RATE_HZ, vec![samples]).unwrap();
    analysis_of(&clip, Feature::Drums).drums.unwrap()
}

#[test]
fn a_plain_beat_is_written_down() {
    let hits = hits_of(beat(16.0));
    let every = |start: f64, step: f64| -> Vec<f64> {
        (0..).map(|n| start + step * f64::from(n)).take_while(|secs| *secs < 15.99).collect()
    };
    assert!(hits.is_sorted_by_key(|hit| (hit.time_secs * 1e6) as u64));
    assert!(hits.iter().all(|hit| (0.5..=1.0).contains(&hit.confidence)));
    for (truth, kinds) in [(every(0.0, 1.0), KICK), (every(0.5, 1.0), SNARE), (every(0.0, 0.25), HAT)] {
        let f = f_measure(&truth, &hits, kinds);
        assert!(f > 0.85, "{kinds:?}: {f}");
    }
}

#[test]
fn what_is_not_struck_is_not_heard() {
    assert!(hits_of(Vec::new()).is_empty());
    assert!(hits_of(vec![1.0]).is_empty());
    assert!(hits_of(vec![0.0; 100_000]).is_empty());
    let tone: Vec<f32> = (0..441_000).map(|n| 0.5 * (n as f32 * 0.06267).sin()).collect();
    // Its start and its end are clicks.
    let within: Vec<DrumHit> =
        hits_of(tone).into_iter().filter(|hit| (0.1..9.9).contains(&hit.time_secs)).collect();
    assert!(within.is_empty(), "{within:?}");
}

/// White noise, and noise whose level falls by about 3 dB per octave (P. Kellet's three poles).
fn noises(secs: f64) -> [Vec<f32>; 2] {
    let mut dice = Dice(11);
    let mut poles = [0.0f64; 3];
    (0..(secs * f64::from(RATE_HZ)) as usize)
        .map(|_| {
            let white = dice.noise();
            poles[0] = 0.99765 * poles[0] + white * 0.099046;
            poles[1] = 0.963 * poles[1] + white * 0.2965164;
            poles[2] = 0.57 * poles[2] + white * 1.0526913;
            (0.3 * white as f32, 0.1 * (poles.iter().sum::<f64>() + 0.1848 * white) as f32)
        })
        .unzip::<_, _, Vec<f32>, Vec<f32>>()
        .into()
}

#[test]
fn noise_and_glides_are_not_struck() {
    const SECS: f64 = 20.0;
    let [white, pink] = noises(SECS);
    // From 80 Hz to 16 kHz: of lower tones every single swing is heard.
    let glide = (0..white.len())
        .map(|n| {
            let share = n as f64 / white.len() as f64;
            let cycles = 80.0 * SECS / 200f64.ln() * (200f64.powf(share) - 1.0);
            0.5 * (TAU * cycles).sin() as f32
        })
        .collect();
    for (name, samples) in [("white noise", white), ("pink noise", pink), ("a glide", glide)] {
        let hits = hits_of(samples);
        // A song has five to fifteen a second.
        assert!((hits.len() as f64) < 0.25 * SECS, "{name}: {hits:?}");
    }
}

#[test]
fn block_sizes_and_rates_do_not_matter() {
    let clip = Clip::from_channels(RATE_HZ, vec![beat(4.0)]).unwrap();
    let stereo = Clip::from_channels(RATE_HZ, vec![beat(4.0); 2]).unwrap();
    assert_eq!(analysis_of(&clip, Feature::Drums).drums, analysis_of(&stereo, Feature::Drums).drums);
    let eight_kilohertz = Clip::silence(AudioSpec::new(8_000, 1).unwrap(), 8_000);
    assert_eq!(analysis_of(&eight_kilohertz, Feature::Drums).drums, Some(Vec::new()));
}

/// The mean F over songs and drums.
fn mean_f(songs: &Path, audio: &str) -> f64 {
    let mut all = Vec::new();
    for entry in fs::read_dir(songs).unwrap() {
        let song = entry.unwrap().path();
        if !song.join(audio).exists() {
            continue;
        }
        let truth: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(song.join("truth.json")).unwrap()).unwrap();
        let hits = analysis_of(&decoded(&song.join(audio)), Feature::Drums).drums.unwrap();
        for (name, kinds) in [("kick", KICK), ("snare", SNARE), ("hat", HAT)] {
            let times: Vec<f64> = serde_json::from_value(truth["onsets"][name].clone()).unwrap_or_default();
            if !times.is_empty() {
                all.push(f_measure(&times, &hits, kinds));
            }
        }
    }
    all.iter().sum::<f64>() / all.len() as f64
}

#[test]
fn synthesised_songs_have_the_strokes_they_were_written_with() {
    let Some(folder) = shared_audio("synth") else { return };
    // The goal of the project.
    for audio in ["mix.flac", "stems/drums.flac"] {
        let f = mean_f(&folder, audio);
        assert!(f >= 0.85, "{audio}: {f}");
    }
}
