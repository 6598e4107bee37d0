//! Which part of the period is the beat.
//!
//! A tracker that only collects onsets may settle between the beats: on the hats of the off-beat, or on a swung
//! sixteenth that the kick likes. What tells the beat apart is what starts there, and what starts half a beat later.

use std::ops::RangeInclusive;

use super::onset::{BANDS, CHROMA_RATE_HZ, RhythmFeatures};
use super::pulse::{BEAT_BAND_WEIGHTS, BEAT_RISE_WEIGHTS, Pulse, frame_at, mean, peak_near};

/// Parts into which a beat is divided.
const PHASES: usize = 24;

/// How far the beats must be moved, as a share of the beat in `0.0..=1.0`: 0 unless another part of the period is
/// clearly more like a beat.
pub(super) fn lag(beats_secs: &[f64], features: &RhythmFeatures, pulse: &Pulse) -> f64 {
    /// How much more another part must be like a beat: syncopated stretches alone come near, but not this far.
    const CLEARLY: f32 = 0.03;

    let likeness = likeness(beats_secs, features, pulse);
    let best = (0..PHASES).max_by(|&a, &b| likeness[a].total_cmp(&likeness[b])).unwrap_or(0);
    if likeness[best] > likeness[0] + CLEARLY { best as f64 / PHASES as f64 } else { 0.0 }
}

/// Of each beat, whether it lies between two: a tracker without a line may lose the beat in a breakdown, and find back
/// half of one late.
///
/// Of all ways to be on and off the beat, the one is taken in which windows of beats are most like beats (Viterbi).
pub(super) fn off_beats(beats_secs: &[f64], features: &RhythmFeatures, pulse: &Pulse) -> Vec<bool> {
    const WINDOW_BEATS: usize = 32;
    const HOP_BEATS: usize = 16;
    /// What must speak for it, over all windows, that the tracker lost the beat once.
    const LOST_COST: f32 = 0.15;

    let mut costs = [0.0_f32; 2];
    let mut origins = Vec::new();
    for first in (0..beats_secs.len().saturating_sub(HOP_BEATS)).step_by(HOP_BEATS) {
        let window = &beats_secs[first..(first + WINDOW_BEATS).min(beats_secs.len())];
        let likeness = likeness(window, features, pulse);
        let lean = likeness[0] - likeness[PHASES / 2];
        let origin = [costs[1] + LOST_COST < costs[0], costs[0] + LOST_COST >= costs[1]];
        let reached = origin.map(usize::from).map(|from| costs[from]);
        let lost = [origin[0], !origin[1]].map(|lost| if lost { LOST_COST } else { 0.0 });
        costs = [reached[0] + lost[0] - lean.min(0.0), reached[1] + lost[1] + lean.max(0.0)];
        origins.push(origin);
    }
    let mut is_off = costs[1] < costs[0];
    let mut windows = vec![false; origins.len()];
    for (window, origin) in windows.iter_mut().zip(&origins).rev() {
        *window = is_off;
        is_off = origin[usize::from(is_off)];
    }
    // A window that begins at a beat decides about those around its middle.
    let window_of =
        |beat: usize| (beat.saturating_sub(HOP_BEATS / 2) / HOP_BEATS).min(windows.len().saturating_sub(1));
    (0..beats_secs.len()).map(|beat| windows.get(window_of(beat)).copied().unwrap_or(false)).collect()
}

/// How much every part of a period is like a beat.
///
/// Kicks, snares and chords start on beats, and where bass, chords and hats answer between them, kicks are still
/// what raises the low band most. The half-beat has hats and snares of its own, while what lies before and after a
/// sixteenth that was mistaken for the beat is silent half a beat later.
fn likeness(beats_secs: &[f64], features: &RhythmFeatures, pulse: &Pulse) -> [f32; PHASES] {
    const HALF_BEAT_WEIGHTS: [f32; BANDS] = [0.0, 0.25, 0.25];
    const CHORD_WEIGHT: f32 = 0.3;
    /// The half-beat comes after half of the beat or, where eighths swing, up to a triplet late.
    const HALF_BEATS: RangeInclusive<usize> = PHASES / 2..=PHASES * 2 / 3;

    let shares = |trace: &Vec<f32>| share(profile(beats_secs, |secs| peak_near(trace, frame_at(secs), 1)));
    let bands = pulse.bands.each_ref().map(shares);
    let rises = pulse.rises.each_ref().map(shares);
    let mut chords = bar_chords(beats_secs, features);
    let usual = mean(&chords).max(f32::MIN_POSITIVE);
    chords.iter_mut().for_each(|change| *change = *change / usual - 1.0);
    std::array::from_fn(|phase| {
        let sum_at = |phase: usize, weights: [f32; BANDS]| -> f32 {
            bands.iter().zip(weights).map(|(band, weight)| weight * band[phase % PHASES]).sum()
        };
        let half_beats = HALF_BEATS.map(|late| sum_at(phase + late, HALF_BEAT_WEIGHTS));
        let half = half_beats.fold(0.0, f32::max);
        let rise: f32 = rises.iter().zip(BEAT_RISE_WEIGHTS).map(|(rise, weight)| weight * rise[phase]).sum();
        sum_at(phase, BEAT_BAND_WEIGHTS) + rise + half + CHORD_WEIGHT * chords[phase]
    })
}

/// How much the pitch classes change at every part of a beat, at that place of a bar where they change most: chords
/// last for bars, and the beats within say nothing.
fn bar_chords(beats_secs: &[f64], features: &RhythmFeatures) -> [f32; PHASES] {
    const BARS: [usize; 2] = [3, 4];
    std::array::from_fn(|phase| {
        let share = phase as f64 / PHASES as f64;
        let changes: Vec<f32> = beats_secs
            .windows(2)
            .map(|pair| (pair[0], pair[1] - pair[0]))
            .map(|(secs, period_secs)| chord_change(features, secs + share * period_secs, period_secs / 2.0))
            .collect();
        let of_place = |bar: usize, place: usize| {
            let sum: f32 = changes.iter().skip(place).step_by(bar).sum();
            sum / changes.len().div_ceil(bar).max(1) as f32
        };
        BARS.iter()
            .flat_map(|&bar| (0..bar).map(move |place| (bar, place)))
            .fold(0.0, |most, (bar, place)| f32::max(most, of_place(bar, place)))
    })
}

/// The mean of a value at every part of a beat, the beat itself first.
fn profile(beats_secs: &[f64], value: impl Fn(f64) -> f32) -> [f32; PHASES] {
    let mut sums = [0.0; PHASES];
    for pair in beats_secs.windows(2) {
        let period_secs = pair[1] - pair[0];
        for (phase, sum) in sums.iter_mut().enumerate() {
            *sum += value(pair[0] + period_secs * phase as f64 / PHASES as f64);
        }
    }
    sums.map(|sum| sum / beats_secs.len() as f32)
}

fn share(profile: [f32; PHASES]) -> [f32; PHASES] {
    let sum = profile.iter().sum::<f32>().max(f32::MIN_POSITIVE);
    profile.map(|value| value / sum)
}

/// How different the pitch classes are within `reach_secs` before and after a moment, `0.0..=1.0`.
pub(super) fn chord_change(features: &RhythmFeatures, secs: f64, reach_secs: f64) -> f32 {
    /// The attack itself, whose noise has no pitch.
    const ATTACK_SECS: f64 = 0.08;
    let chroma = |start_secs: f64, end_secs: f64| {
        let column =
            |secs: f64| ((secs * CHROMA_RATE_HZ).round().max(0.0) as usize).min(features.chroma.len());
        let (start, end) = (column(start_secs), column(end_secs).max(column(start_secs)));
        let mut sum = [0.0_f32; 12];
        for column in &features.chroma[start..end] {
            sum.iter_mut().zip(column).for_each(|(sum, value)| *sum += value);
        }
        sum
    };
    1.0 - super::meter::cosine(
        &chroma(secs - reach_secs, secs),
        &chroma(secs + ATTACK_SECS, secs + reach_secs),
    )
}
