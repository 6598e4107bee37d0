//! The onset strength made comparable from one end of a song to the other.

use super::onset::{BANDS, FRAME_RATE_HZ, RhythmFeatures};

/// Onset strength at [`FRAME_RATE_HZ`] in which a quiet verse counts as much as a loud chorus.
#[derive(Debug)]
pub(super) struct Pulse {
    /// Each band, with mean 1 over about eight seconds before its slow part was taken away.
    pub(super) bands: [Vec<f32>; BANDS],
    /// All bands, scaled to a variance of 1.
    pub(super) total: Vec<f32>,
}

impl Pulse {
    /// Evens out the features, or `None` where nothing ever starts.
    pub(super) fn new(features: &RhythmFeatures) -> Option<Self> {
        /// Half of the span over which loudness is evened out.
        const LEVEL_REACH: usize = 400;
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
        let average = mean(&total);
        let variance = total.iter().map(|value| (value - average).powi(2)).sum::<f32>() / total.len() as f32;
        if !variance.is_finite() || variance <= 0.0 {
            return None;
        }
        let scale = 1.0 / variance.sqrt();
        total.iter_mut().for_each(|value| *value *= scale);
        Some(Self { bands, total })
    }

    pub(super) fn frames(&self) -> usize {
        self.total.len()
    }
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
