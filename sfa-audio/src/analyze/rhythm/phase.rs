//! Which part of the period is the beat.
//!
//! A tracker that only collects onsets may settle between the beats: on the hats of the off-beat, or on a swung
//! sixteenth that the kick likes. What tells the beat apart is what starts there, and what starts half a beat later.

use std::ops::RangeInclusive;

use super::onset::{BANDS, CHROMA_RATE_HZ, RhythmFeatures};
use super::pulse::{BEAT_BAND_WEIGHTS, BEAT_RISE_WEIGHTS, Pulse, frame_at, mean, peak_near};

/// Parts into which a beat is divided.
const PHASES: usize = 24;

/// How far the beats must be moved, as a share of the beat in `0.0..1.0`: 0 unless another part of the period is
/// clearly more like a beat.
///
/// Kicks, snares and chords start on beats, and where bass, chords and hats answer between them, kicks are still
/// what raises the low band most. Sections begin on beats as well. The half-beat has hats and snares of its own, while what lies before and after a
/// sixteenth that was mistaken for the beat is silent half a beat later.
pub(super) fn lag(beats_secs: &[f64], features: &RhythmFeatures, pulse: &Pulse) -> f64 {
    const HALF_BEAT_WEIGHTS: [f32; BANDS] = [0.0, 0.25, 0.25];
    const CHORD_WEIGHT: f32 = 0.3;
    const SECTION_WEIGHT: f32 = 0.15;
    /// The half-beat comes after half of the beat or, where eighths swing, up to a triplet late.
    const HALF_BEATS: RangeInclusive<usize> = PHASES / 2..=PHASES * 2 / 3;
    /// How much more another part must be like a beat: syncopated stretches alone come near, but not this far.
    const CLEARLY: f32 = 0.03;

    let shares = |trace: &Vec<f32>| share(profile(beats_secs, |secs| peak_near(trace, frame_at(secs), 1)));
    let bands = pulse.bands.each_ref().map(shares);
    let rises = pulse.rises.each_ref().map(shares);
    let mut chords = bar_chords(beats_secs, features);
    let usual = mean(&chords).max(f32::MIN_POSITIVE);
    chords.iter_mut().for_each(|change| *change = *change / usual - 1.0);
    let sections = section_starts(beats_secs, features);
    let likeness = |phase: usize| -> f32 {
        let sum_at = |phase: usize, weights: [f32; BANDS]| -> f32 {
            bands.iter().zip(weights).map(|(band, weight)| weight * band[phase % PHASES]).sum()
        };
        let half_beats = HALF_BEATS.map(|late| sum_at(phase + late, HALF_BEAT_WEIGHTS));
        let half = half_beats.fold(0.0, f32::max);
        let rise: f32 = rises.iter().zip(BEAT_RISE_WEIGHTS).map(|(rise, weight)| weight * rise[phase]).sum();
        sum_at(phase, BEAT_BAND_WEIGHTS)
            + rise
            + half
            + CHORD_WEIGHT * chords[phase]
            + SECTION_WEIGHT * sections[phase]
    };
    let best = (0..PHASES).max_by(|&a, &b| likeness(a).total_cmp(&likeness(b))).unwrap_or(0);
    if likeness(best) > likeness(0) + CLEARLY { best as f64 / PHASES as f64 } else { 0.0 }
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

/// How much of what changes for good does so at every part of a beat, `-1.0..=1.0`: sections begin on beats, whatever is
/// played between them.
fn section_starts(beats_secs: &[f64], features: &RhythmFeatures) -> [f32; PHASES] {
    /// Beats that are compared before and after a change, and beats in which there is one change only.
    const BESIDE: usize = 4;
    const APART: usize = 6 * PHASES;
    /// Smaller changes than this many times the mean are no new section.
    const LEAST: f32 = 2.0;
    const MOST: f32 = 4.0;
    /// Fewer changes than this are trusted less.
    const ENOUGH: f32 = 3.0 * LEAST;
    const QUIET_POWER: f64 = 1e-9;

    let sums = features.powers.each_ref().map(|powers| {
        let mut sum = 0.0;
        let later = powers.iter().map(|&power| {
            sum += f64::from(power);
            sum
        });
        std::iter::once(0.0).chain(later).collect::<Vec<f64>>()
    });
    let change = |secs: f64, reach_secs: f64| -> f32 {
        let frame = |secs: f64| (frame_at(secs).round().max(0.0) as usize).min(features.frames());
        let edges = [secs - reach_secs, secs, secs + reach_secs].map(frame);
        let level = |sum: &Vec<f64>, start: usize, end: usize| {
            (QUIET_POWER + (sum[end] - sum[start]) / end.saturating_sub(start).max(1) as f64).ln()
        };
        sums.iter()
            .map(|sum| (level(sum, edges[1], edges[2]) - level(sum, edges[0], edges[1])).abs() as f32)
            .sum()
    };
    let changes: Vec<f32> = beats_secs
        .windows(BESIDE + 1)
        .skip(BESIDE)
        .flat_map(|beats| {
            let period_secs = beats[1] - beats[0];
            let reach_secs = beats[BESIDE] - beats[0];
            (0..PHASES).map(move |part| (beats[0] + period_secs * part as f64 / PHASES as f64, reach_secs))
        })
        .map(|(secs, reach_secs)| change(secs, reach_secs))
        .collect();
    let least = LEAST * mean(&changes);
    let mut starts = [0.0; PHASES];
    for (n, &strength) in changes.iter().enumerate() {
        let around = &changes[n.saturating_sub(APART)..(n + APART + 1).min(changes.len())];
        if strength > least && around.iter().all(|&other| other <= strength) {
            starts[n % PHASES] += (LEAST * strength / least).min(MOST);
        }
    }
    let all = starts.iter().sum::<f32>().max(ENOUGH);
    std::array::from_fn(|phase| {
        let likeness =
            |part: usize| (std::f32::consts::TAU * (part as f32 - phase as f32) / PHASES as f32).cos();
        starts.iter().enumerate().map(|(part, strength)| strength * likeness(part)).sum::<f32>() / all
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
