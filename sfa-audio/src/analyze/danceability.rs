//! How well a song can be danced to.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Rhythm;
use super::rhythm::{FRAME_RATE_HZ, RhythmFeatures};

/// How well a song can be danced to, with what that was judged by.
///
/// `value` is 0.35 of how even the level fluctuates, 0.25 of how strong beats are, 0.2 of how exactly bars repeat each
/// other and 0.2 of how near the tempo is to that of dancing. It knows neither taste nor style: a march scores high.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Danceability {
    /// `0.0..=1.0`: 1 is a straight and strong beat at 120 BPM.
    pub value: f32,
    /// Exponent of the detrended fluctuation of the level between 0.31 and 8.8 s (Streich and Herrera,
    /// "Detrended fluctuation analysis of music signals", AES 2005): about 0.6 where a strong beat holds the level
    /// even, 1 and more where it wanders, as in music without drums.
    pub fluctuation_exponent: f32,
    /// `0.0..=1.0`: how far the level rises on beats, in lows, mids and highs alike; 0 without beats.
    pub beat_strength: f32,
    /// `0.0..=1.0`: how alike what starts in one bar is to what starts in the next; 0 without beats.
    pub regularity: f32,
}

/// Judges what a collector of rhythm heard, or `None` in silence and in less than a second.
pub(crate) fn judge(features: &RhythmFeatures, rhythm: Option<&Rhythm>) -> Option<Danceability> {
    /// Exponents of a straight beat and of music without one.
    const EVEN_EXPONENT: f32 = 0.5;
    const WANDERING_EXPONENT: f32 = 1.1;
    /// How far the level rises on beats that are hardly felt, and on those of drums alone, in dB.
    const BEAT_RISE_DB: RangeInclusive<f32> = 1.0..=9.0;
    const DANCE_BPM: f64 = 120.0;
    const DANCE_OCTAVES: f64 = 0.7;

    let exponent = fluctuation_exponent(&levels(features))?;
    let even = ((WANDERING_EXPONENT - exponent) / (WANDERING_EXPONENT - EVEN_EXPONENT)).clamp(0.0, 1.0);
    let onsets = onsets(features);
    let beats: Vec<f64> = rhythm
        .map(|rhythm| rhythm.beats.iter().map(|beat| beat.time_secs * FRAME_RATE_HZ).collect())
        .unwrap_or_default();
    let (mut strength, mut regularity, mut tempo) = (0.0, 0.0, 0.0);
    if let Some(rhythm) = rhythm.filter(|_| beats.len() > 1) {
        let rise_db = beats.iter().map(|&frame| rise_db(features, frame)).sum::<f32>() / beats.len() as f32;
        strength =
            ((rise_db - BEAT_RISE_DB.start()) / (BEAT_RISE_DB.end() - BEAT_RISE_DB.start())).clamp(0.0, 1.0);
        regularity = repetition(&onsets, &beats, usize::from(rhythm.meter.beats_per_bar));
        tempo = (-0.5 * ((rhythm.tempo.bpm / DANCE_BPM).log2() / DANCE_OCTAVES).powi(2)).exp() as f32;
    }
    Some(Danceability {
        value: 0.35 * even + 0.25 * strength + 0.2 * regularity + 0.2 * tempo,
        fluctuation_exponent: exponent,
        beat_strength: strength,
        regularity,
    })
}

/// Amplitude every 10 ms.
fn levels(features: &RhythmFeatures) -> Vec<f32> {
    (0..features.frames())
        .map(|frame| features.powers.iter().map(|band| band[frame]).sum::<f32>().sqrt())
        .collect()
}

/// The slope of the fluctuation over the length of the windows it is seen in, both in logarithms.
fn fluctuation_exponent(levels: &[f32]) -> Option<f32> {
    const SHORTEST_SECS: f64 = 0.31;
    const LONGEST_SECS: f64 = 8.8;
    const STEP: f64 = 1.2;
    /// Amplitude that is no music, -80 dB.
    const SILENCE: f64 = 1e-4;

    let mean = levels.iter().map(|&level| f64::from(level)).sum::<f64>() / levels.len().max(1) as f64;
    if mean < SILENCE {
        return None;
    }
    let mut sum = 0.0;
    let walk: Vec<f64> = levels
        .iter()
        .map(|&level| {
            sum += f64::from(level) - mean;
            sum
        })
        .collect();
    let longest = (LONGEST_SECS * FRAME_RATE_HZ).min(walk.len() as f64 / 2.0);
    let points: Vec<(f64, f64)> =
        std::iter::successors(Some(SHORTEST_SECS * FRAME_RATE_HZ), |length| Some(length * STEP))
            .take_while(|&length| length <= longest)
            .map(|length| length.round() as usize)
            .map(|length| ((length as f64).ln(), fluctuation(&walk, length).max(f64::MIN_POSITIVE).ln()))
            .collect();
    let count = points.len().max(1) as f64;
    let middle = |value: fn(&(f64, f64)) -> f64| points.iter().map(value).sum::<f64>() / count;
    let (x, y) = (middle(|point| point.0), middle(|point| point.1));
    let spread: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    let slope: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    (spread > 0.0).then(|| (slope / spread) as f32)
}

/// The root of the mean square of what is left of windows of `length` after their straight lines are taken away.
fn fluctuation(walk: &[f64], length: usize) -> f64 {
    let middle = (length - 1) as f64 / 2.0;
    let spread: f64 = (0..length).map(|n| (n as f64 - middle).powi(2)).sum();
    let residual = |window: &[f64]| -> f64 {
        let mean = window.iter().sum::<f64>() / length as f64;
        let (mut squares, mut slope) = (0.0, 0.0);
        for (n, value) in window.iter().enumerate() {
            squares += (value - mean).powi(2);
            slope += (n as f64 - middle) * (value - mean);
        }
        (squares - slope * slope / spread).max(0.0) / length as f64
    };
    let windows = walk.chunks_exact(length);
    let count = windows.len().max(1) as f64;
    (windows.map(residual).sum::<f64>() / count).sqrt()
}

/// How far the bands rise on a beat at `frame`, on average.
fn rise_db(features: &RhythmFeatures, frame: f64) -> f32 {
    /// Frames before the attack, whose window does not reach it, and from it on.
    const BEFORE: std::ops::Range<isize> = -5..-2;
    const AFTER: std::ops::Range<isize> = 0..6;
    const FLOOR: f32 = 1e-8;
    const MOST_DB: f32 = 15.0;
    let middle = frame.round().max(0.0) as usize;
    let loudest = |band: &[f32], range: std::ops::Range<isize>| {
        let power = |offset: isize| band.get(middle.saturating_add_signed(offset)).copied().unwrap_or(0.0);
        range.map(power).fold(FLOOR, f32::max)
    };
    let rise =
        |band: &Vec<f32>| (10.0 * (loudest(band, AFTER) / loudest(band, BEFORE)).log10()).clamp(0.0, MOST_DB);
    features.powers.iter().map(rise).sum::<f32>() / features.powers.len() as f32
}

/// What starts every 10 ms, all bands alike, with mean 1.
fn onsets(features: &RhythmFeatures) -> Vec<f32> {
    let mut sum = vec![0.0; features.frames()];
    for band in &features.onsets {
        let mean = band.iter().map(|&onset| f64::from(onset)).sum::<f64>() / band.len().max(1) as f64;
        if mean > 1e-3 {
            let scale = (1.0 / (mean * features.onsets.len() as f64)) as f32;
            sum.iter_mut().zip(band).for_each(|(sum, onset)| *sum += scale * onset);
        }
    }
    sum
}

fn onset_at(onsets: &[f32], frame: f64) -> f32 {
    let middle = frame.round().max(0.0) as usize;
    let around = middle.saturating_sub(1)..(middle + 2).min(onsets.len());
    onsets.get(around).unwrap_or(&[]).iter().fold(0.0, |most, &onset| most.max(onset))
}

/// The correlation of what starts at every twelfth of a beat with what starts there a bar later.
fn repetition(onsets: &[f32], beats: &[f64], beats_per_bar: usize) -> f32 {
    const PARTS: usize = 12;
    let grid: Vec<f32> = beats
        .windows(2)
        .flat_map(|pair| {
            let step = (pair[1] - pair[0]) / PARTS as f64;
            (0..PARTS).map(move |part| onset_at(onsets, pair[0] + step * part as f64))
        })
        .collect();
    let bar = beats_per_bar.max(1) * PARTS;
    let Some(compared) = grid.len().checked_sub(bar).filter(|&count| count > 0) else { return 0.0 };
    let mean = grid.iter().sum::<f32>() / grid.len() as f32;
    let variance = grid.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / grid.len() as f32;
    let products: f32 = grid.iter().zip(&grid[bar..]).map(|(a, b)| (a - mean) * (b - mean)).sum();
    if variance > 0.0 { (products / compared as f32 / variance).clamp(0.0, 1.0) } else { 0.0 }
}
