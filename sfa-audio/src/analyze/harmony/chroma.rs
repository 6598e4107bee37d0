//! Folding peaks into pitch classes.

use std::f64::consts::TAU;

use super::peaks::{HOP_SECS, Peak, PeakFrames};

/// Pitch-class strength of every frame, for deciding the key and for finding what repeats.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ChromaFrames {
    /// Seconds between two frames; frame `i` is centred on `i * hop_secs`.
    pub(crate) hop_secs: f64,
    /// How far the song is tuned from A4 = 440 Hz, in cents, `-50.0..50.0`.
    pub(crate) tuning_cents: f32,
    /// C to B, on a scale of decibels that tones stick out; all 0 where nothing is pitched.
    pub(crate) chroma: Vec<[f32; 12]>,
    /// The lowest strong tone of each frame, on the same scale.
    pub(crate) bass: Vec<[f32; 12]>,
    /// `0.0..=1.0`: how loud each frame is within the song.
    pub(crate) weights: Vec<f32>,
}

/// A tone's share in the pitch classes whose overtone it may be: the fundamental itself, then the tones an
/// octave, a twelfth, two octaves and two octaves and a third below.
const HARMONIC_WEIGHTS: [f32; 5] = [1.0, 0.6, 0.35, 0.25, 0.18];
/// What is left of a peak that may be the fifth, seventh or tenth partial of another.
const OVERTONE_WEIGHT: f32 = 0.7;
/// C#2, 69 Hz: below lie the kick drum and fundamentals whose octave is found above.
const BASS_BOTTOM_PITCH: f32 = 24.5;
/// The highest pitch that counts as bass: E3, 165 Hz.
const BASS_TOP_PITCH: f32 = 40.3;
/// How much weaker than the strongest the lowest bass tone may be.
const BASS_RANGE_DB: f32 = 14.0;
/// Frames this far below the loud ones count nothing.
const GATE_DB: f32 = 40.0;

impl ChromaFrames {
    pub(crate) fn from_peaks(frames: &PeakFrames) -> Self {
        let tuning_cents = tuning_cents(frames.all());
        let count = frames.len();
        let mut chroma = Vec::with_capacity(count);
        let mut bass = Vec::with_capacity(count);
        for index in 0..count {
            let peaks = frames.peaks(index);
            chroma.push(fold(peaks, tuning_cents));
            bass.push(fold_bass(peaks, tuning_cents));
        }
        Self { hop_secs: HOP_SECS, tuning_cents, chroma, bass, weights: weights(frames) }
    }
}

/// The circular mean of how far partials lie from the semitones of A4 = 440 Hz.
fn tuning_cents(peaks: &[Peak]) -> f32 {
    let (sin, cos) = peaks.iter().fold((0.0, 0.0), |(sin, cos), peak| {
        // Short windows place low partials too coarsely for cents, and high ones belong to stretched overtones.
        if !(48.0..=96.0).contains(&(peak.pitch() + 12.0)) {
            return (sin, cos);
        }
        let (s, c) = (TAU * f64::from(peak.pitch())).sin_cos();
        let weight = f64::from(peak.prominence_db());
        (sin + weight * s, cos + weight * c)
    });
    let cents = (sin.atan2(cos) / TAU * 100.0) as f32;
    if cents >= 50.0 { -50.0 } else { cents }
}

fn fold(peaks: &[Peak], tuning_cents: f32) -> [f32; 12] {
    let mut chroma = [0.0; 12];
    for peak in peaks.iter().filter(|peak| peak.pitch() > BASS_BOTTOM_PITCH) {
        let pitch = peak.pitch() - tuning_cents / 100.0;
        let strength = peak.prominence_db() * if is_overtone(*peak, peaks) { OVERTONE_WEIGHT } else { 1.0 };
        for (number, weight) in (1u8..).zip(HARMONIC_WEIGHTS) {
            let class = pitch - 12.0 * f32::from(number).log2();
            let nearest = class.round();
            let distance = (class - nearest).abs();
            // A raised cosine that ends half-way to the next semitone: what lies between two notes is neither.
            let closeness = (std::f32::consts::PI * distance).cos().max(0.0);
            chroma[(nearest as i32).rem_euclid(12) as usize] += weight * closeness * strength;
        }
    }
    chroma
}

/// Whether a stronger peak sounds where this one would be its fifth, seventh or tenth partial. Those are the partials
/// outside the minor triad: counted in full, they make every minor chord half a major one.
fn is_overtone(peak: Peak, peaks: &[Peak]) -> bool {
    [5.0f32, 7.0, 10.0].into_iter().any(|number| {
        let fundamental = peak.pitch() - 12.0 * number.log2();
        peaks
            .iter()
            .any(|other| (other.pitch() - fundamental).abs() < 0.35 && other.level_dbfs() > peak.level_dbfs())
    })
}

fn fold_bass(peaks: &[Peak], tuning_cents: f32) -> [f32; 12] {
    let mut bass = [0.0; 12];
    let low = || peaks.iter().filter(|peak| (BASS_BOTTOM_PITCH..BASS_TOP_PITCH).contains(&peak.pitch()));
    let strongest = low().map(|peak| peak.level_dbfs()).fold(f32::MIN, f32::max);
    if let Some(peak) = low().find(|peak| peak.level_dbfs() > strongest - BASS_RANGE_DB) {
        let nearest = (peak.pitch() - tuning_cents / 100.0).round();
        bass[(nearest as i32).rem_euclid(12) as usize] = peak.prominence_db();
    }
    bass
}

fn weights(frames: &PeakFrames) -> Vec<f32> {
    let mut levels: Vec<f32> = (0..frames.len()).map(|frame| frames.level_db(frame)).collect();
    let Some(rank) = levels.len().checked_sub(1).map(|last| last * 9 / 10) else { return Vec::new() };
    let loud = *levels.clone().select_nth_unstable_by(rank, f32::total_cmp).1;
    levels.iter_mut().for_each(|level| *level = (1.0 + (*level - loud) / GATE_DB).clamp(0.0, 1.0));
    levels
}
