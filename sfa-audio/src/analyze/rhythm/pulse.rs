//! The onset strength made comparable from one end of a song to the other.

use super::onset::{BANDS, FRAME_RATE_HZ, RhythmFeatures};

/// Half of the span over which loudness is evened out.
const LEVEL_REACH: usize = 400;

/// Onset strength at [`FRAME_RATE_HZ`] in which a quiet verse counts as much as a loud chorus.
#[derive(Debug)]
pub(super) struct Pulse {
    /// Each band, with mean 1 over about eight seconds before its slow part was taken away.
    pub(super) bands: [Vec<f32>; BANDS],
    /// All bands, scaled to a variance of 1.
    pub(super) total: Vec<f32>,
    /// How far the power below 160 Hz, and between, rises within two frames, with mean 1 over about eight
    /// seconds: unlike onset strength it counts a kick more than a bass as much as it is louder.
    pub(super) rises: [Vec<f32>; 2],
    /// Bands and rises by how much of each falls on beats and not between them, scaled to a variance of 1.
    pub(super) beat_likeness: Vec<f32>,
}

/// How much onsets in each band, and rises of power, speak for a beat: each is first scaled to the same sum.
pub(super) const BEAT_BAND_WEIGHTS: [f32; BANDS] = [0.2, 0.5, 0.6];
pub(super) const BEAT_RISE_WEIGHTS: [f32; 2] = [0.8, 0.5];

impl Pulse {
    /// Evens out the features, or `None` where nothing ever starts.
    pub(super) fn new(features: &RhythmFeatures) -> Option<Self> {
        /// Half of the span whose mean is no onset but texture.
        const TEXTURE_REACH: usize = 30;
        const TEXTURE_SHARE: f32 = 0.7;
        /// Flux per frame, in nepers summed over a band's filters, below which a band is silent.
        const AUDIBLE_FLUX: f32 = 1e-3;
        /// Highs carry hats between the beats: they count a little less.
        const BAND_WEIGHTS: [f32; BANDS] = [1.0, 1.0, 0.8];

        let bands = features.onsets.each_ref().map(|onsets| {
            let overall = mean(onsets);
            if overall < AUDIBLE_FLUX {
                return vec![0.0; onsets.len()];
            }
            let level = moving_mean(onsets, LEVEL_REACH);
            let even: Vec<f32> =
                onsets.iter().zip(level).map(|(onset, level)| onset / (level + 0.1 * overall)).collect();
            let texture = moving_mean(&even, TEXTURE_REACH);
            even.iter().zip(texture).map(|(value, slow)| (value - TEXTURE_SHARE * slow).max(0.0)).collect()
        });
        let mut total = vec![0.0; features.frames()];
        for (band, weight) in bands.iter().zip(BAND_WEIGHTS) {
            for (sum, value) in total.iter_mut().zip(band) {
                *sum += weight * value;
            }
        }
        scale_to_unit_variance(&mut total)?;
        let rises = [0, 1].map(|band| power_rise(&features.powers[band]));
        let mut beat_likeness = vec![0.0; features.frames()];
        let weighted = bands.iter().zip(BEAT_BAND_WEIGHTS).chain(rises.iter().zip(BEAT_RISE_WEIGHTS));
        for (trace, weight) in weighted {
            let scale = weight / mean(trace).max(f32::MIN_POSITIVE);
            for (sum, value) in beat_likeness.iter_mut().zip(trace) {
                *sum += scale * value;
            }
        }
        scale_to_unit_variance(&mut beat_likeness)?;
        Some(Self { bands, total, rises, beat_likeness })
    }

    pub(super) fn frames(&self) -> usize {
        self.total.len()
    }
}

/// `None` where nothing varies.
fn scale_to_unit_variance(values: &mut [f32]) -> Option<()> {
    let average = mean(values);
    let variance = values.iter().map(|value| (value - average).powi(2)).sum::<f32>() / values.len() as f32;
    if !variance.is_finite() || variance <= 0.0 {
        return None;
    }
    let scale = 1.0 / variance.sqrt();
    values.iter_mut().for_each(|value| *value *= scale);
    Some(())
}

/// How far power rises from two frames before to two frames after each frame, over its mean around.
fn power_rise(powers: &[f32]) -> Vec<f32> {
    const STEP: usize = 2;
    let mut rises = vec![0.0; powers.len()];
    for (rise, pair) in rises.iter_mut().skip(STEP).zip(powers.windows(2 * STEP + 1)) {
        *rise = (pair[2 * STEP] - pair[0]).max(0.0);
    }
    let least = 0.1 * mean(&rises) + f32::MIN_POSITIVE;
    let level = moving_mean(&rises, LEVEL_REACH);
    rises.iter().zip(level).map(|(rise, level)| rise / (level + least)).collect()
}

/// The largest value within `reach` frames of a time; 0 outside.
pub(super) fn peak_near(values: &[f32], frame: f64, reach: usize) -> f32 {
    let centre = frame.round();
    if centre < 0.0 {
        return 0.0;
    }
    let centre = centre as usize;
    let end = (centre + reach + 1).min(values.len());
    values
        .get(centre.saturating_sub(reach)..end)
        .unwrap_or(&[])
        .iter()
        .fold(0.0, |max, &value| max.max(value))
}

/// The frame of a time.
pub(super) fn frame_at(secs: f64) -> f64 {
    secs * FRAME_RATE_HZ
}

pub(super) fn mean(values: &[f32]) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    (values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len() as f64) as f32
}

/// The mean of the values at most `reach` away from each, fewer at the ends.
pub(super) fn moving_mean(values: &[f32], reach: usize) -> Vec<f32> {
    let mut sum = 0.0_f64;
    let (mut first, mut end) = (0, 0);
    (0..values.len())
        .map(|n| {
            while end < (n + reach + 1).min(values.len()) {
                sum += f64::from(values[end]);
                end += 1;
            }
            while first + reach < n {
                sum -= f64::from(values[first]);
                first += 1;
            }
            (sum / (end - first) as f64) as f32
        })
        .collect()
}

pub(super) fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    (!values.is_empty()).then(|| *values.select_nth_unstable_by(middle, f64::total_cmp).1)
}
