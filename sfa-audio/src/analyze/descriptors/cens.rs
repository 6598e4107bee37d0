//! Chroma energy normalised statistics: chroma that is blind to loudness and ornament.

use super::folding::CLASSES;

/// Frames of the smoothing window; its two ends more are zero.
const SMOOTHED_FRAMES: usize = 41;
/// Shares of a frame's energy above which a pitch class gains a step.
const STEPS: [f32; 4] = [0.4, 0.2, 0.1, 0.05];

/// `librosa.feature.chroma_cens` on unscaled chroma of a constant-Q transform that comes frame by frame.
///
/// M. Müller and S. Ewert, "Chroma toolbox" (2011).
#[derive(Debug, Default)]
pub(super) struct CensCollector {
    steps: Vec<[u8; CLASSES]>,
}

impl CensCollector {
    pub(super) fn push(&mut self, chroma: &[f32; CLASSES]) {
        let total: f32 = chroma.iter().sum();
        let total = if total < f32::MIN_POSITIVE { 1.0 } else { total };
        let steps = |value: f32| STEPS.iter().filter(|&&step| value / total > step).count() as u8;
        self.steps.push(chroma.map(steps));
    }

    /// Hands on all frames, smoothed and of unit length.
    pub(super) fn finish(&self, mut emit: impl FnMut([f32; CLASSES])) {
        let window: Vec<f64> = (1..=SMOOTHED_FRAMES)
            .map(|n| {
                let turn = n as f64 / (SMOOTHED_FRAMES + 1) as f64;
                0.5 - 0.5 * (std::f64::consts::TAU * turn).cos()
            })
            .collect();
        let sum: f64 = window.iter().sum();
        let window: Vec<f32> =
            window.iter().map(|weight| (weight / sum / STEPS.len() as f64) as f32).collect();
        let half = SMOOTHED_FRAMES / 2;
        for frame in 0..self.steps.len() {
            let start = frame.saturating_sub(half);
            let seen = &self.steps[start..(frame + half + 1).min(self.steps.len())];
            let weights = &window[start + half - frame..];
            let mut smoothed = [0.0f32; CLASSES];
            for (steps, weight) in seen.iter().zip(weights) {
                for (sum, &step) in smoothed.iter_mut().zip(steps) {
                    *sum += weight * f32::from(step);
                }
            }
            let length = smoothed.iter().map(|value| value * value).sum::<f32>().sqrt();
            if length >= f32::MIN_POSITIVE {
                smoothed.iter_mut().for_each(|value| *value /= length);
            }
            emit(smoothed);
        }
    }
}
