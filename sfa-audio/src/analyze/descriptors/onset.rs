//! Onsets: how strongly something begins in every frame, and where.

use super::mel::MEL_BANDS;
use super::{HOP_FRAMES, WINDOW_FRAMES};

/// Frames that an onset is moved by, so that it stands where its window is centred: one for the difference,
/// the rest for the window.
const SHIFT_FRAMES: usize = 1 + WINDOW_FRAMES / (2 * HOP_FRAMES);

/// `librosa.onset.onset_strength` on mel levels in dB that come frame by frame: by how much the bands rise, as
/// their mean and as their median.
#[derive(Debug)]
pub(super) struct OnsetCollector {
    before: Option<[f32; MEL_BANDS]>,
    strengths: OnsetStrengths,
}

/// Onset strength per frame.
#[derive(Debug, Default)]
pub(super) struct OnsetStrengths {
    /// Mean rise over the mel bands in dB, librosa's default.
    pub(super) mean: Vec<f32>,
    /// Median rise, which beat tracking uses.
    pub(super) median: Vec<f32>,
}

impl OnsetCollector {
    pub(super) fn new() -> Self {
        let mean = vec![0.0; SHIFT_FRAMES];
        let median = mean.clone();
        Self { before: None, strengths: OnsetStrengths { mean, median } }
    }

    pub(super) fn push(&mut self, levels_db: &[f32]) {
        let levels: &[f32; MEL_BANDS] = levels_db.try_into().expect("one level per band");
        if let Some(before) = &self.before {
            let rises: [f32; MEL_BANDS] = std::array::from_fn(|band| (levels[band] - before[band]).max(0.0));
            // Sixteen sums in turn: the compiler may add them side by side.
            let mut sums = [0.0f32; 16];
            for part in rises.as_chunks::<16>().0 {
                sums.iter_mut().zip(part).for_each(|(sum, rise)| *sum += rise);
            }
            self.strengths.mean.push(sums.iter().sum::<f32>() / MEL_BANDS as f32);
            self.strengths.median.push(median(rises));
        }
        self.before = Some(*levels);
    }

    /// The strength of every frame; the last frames of the signal have nowhere to be moved to.
    pub(super) fn finish(mut self) -> OnsetStrengths {
        let frames = self.strengths.mean.len() + 1 - SHIFT_FRAMES;
        let frames = if self.before.is_some() { frames } else { 0 };
        self.strengths.mean.truncate(frames);
        self.strengths.median.truncate(frames);
        self.strengths
    }
}

/// The mean of the two middle values.
fn median(mut rises: [f32; MEL_BANDS]) -> f32 {
    const MIDDLE: usize = MEL_BANDS / 2;
    if rises.iter().filter(|&&rise| rise == 0.0).count() > MIDDLE {
        return 0.0;
    }
    let (below, upper, _) = rises.select_nth_unstable_by(MIDDLE, f32::total_cmp);
    let lower = below.iter().fold(0.0f32, |largest, &rise| largest.max(rise));
    (lower + *upper) / 2.0
}

/// Frames at which something begins: local peaks of an onset strength that stand out of its mean.
///
/// As `librosa.onset.onset_detect(onset_envelope=..., delta=delta)`: the strength is scaled to `0..=1` first; a
/// peak is the largest of the 30 ms before it, exceeds the mean of 100 ms on either side by `delta` (librosa's
/// default is 0.07) and comes at least 30 ms after the last. The peak picking is that of S. Böck et al.,
/// "Evaluating the online capabilities of onset detection methods" (2012).
pub fn onset_detect(strength: &[f32], sample_rate_hz: u32, delta: f32) -> Vec<usize> {
    let hops = |secs: f64| (secs * f64::from(sample_rate_hz) / HOP_FRAMES as f64).floor() as usize;
    let (before_max, before_mean, after_mean, wait) = (hops(0.03), hops(0.1), hops(0.1) + 1, hops(0.03));
    let least = strength.iter().copied().fold(f32::INFINITY, f32::min);
    let most = strength.iter().map(|value| value - least).fold(0.0f32, f32::max);
    if most.is_nan() || most <= 0.0 {
        return Vec::new();
    }
    let scaled: Vec<f32> =
        strength.iter().map(|value| (value - least) / (most + f32::MIN_POSITIVE)).collect();
    let mut onsets = Vec::new();
    let mut frame = 0;
    while frame < scaled.len() {
        let value = scaled[frame];
        let around_max = &scaled[frame.saturating_sub(before_max)..=frame];
        let around_mean = &scaled[frame.saturating_sub(before_mean)..(frame + after_mean).min(scaled.len())];
        let mean = around_mean.iter().sum::<f32>() / around_mean.len() as f32;
        if around_max.iter().all(|&other| other <= value) && value >= mean + delta {
            onsets.push(frame);
            frame += wait;
        }
        frame += 1;
    }
    onsets
}

/// Moves every onset back to where its rise begins: the last local minimum of `strength` before it, or the start.
///
/// As `librosa.onset.onset_backtrack`.
pub fn onset_backtrack(onsets: &[usize], strength: &[f32]) -> Vec<usize> {
    let is_minimum = |frame: usize| {
        frame > 0
            && frame + 1 < strength.len()
            && strength[frame] <= strength[frame - 1]
            && strength[frame] < strength[frame + 1]
    };
    onsets.iter().map(|&onset| (0..=onset).rev().find(|&frame| is_minimum(frame)).unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_click_is_an_onset() {
        let mut strength = vec![0.0; 400];
        for frame in (20..400).step_by(43) {
            strength[frame] = 1.0;
        }
        let onsets = onset_detect(&strength, 44_100, 0.07);
        assert_eq!(onsets, (20..400).step_by(43).collect::<Vec<_>>());
        assert_eq!(onset_backtrack(&onsets, &strength)[..2], [19, 62]);
        assert!(onset_detect(&[0.5; 90], 44_100, 0.07).is_empty());
        assert!(onset_detect(&[], 44_100, 0.07).is_empty());
    }

    #[test]
    fn the_median_is_that_of_the_two_middle_bands() {
        let mut rises = [0.0; MEL_BANDS];
        rises[..MEL_BANDS / 2].fill(3.0);
        assert_eq!(median(rises), 1.5);
        rises[MEL_BANDS / 2] = 1.0;
        assert_eq!(median(rises), 2.0);
        rises[..2].fill(0.0);
        assert_eq!(median(rises), 0.0);
    }
}
