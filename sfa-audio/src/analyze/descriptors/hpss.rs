//! What sounds on and what strikes: harmonic-percussive separation of a spectrogram.

use std::collections::VecDeque;

use crate::dsp::median_of_rows;

/// Frames, and bins, that a median is taken of.
const TAPS: usize = 31;
const REACH: usize = TAPS / 2;

/// Parts magnitudes that come frame by frame into a harmonic and a percussive share, as `librosa.decompose.hpss`:
/// medians of 31 along time and along frequency, squared and compared. Both shares add up to the input.
///
/// D. FitzGerald, "Harmonic/percussive separation using median filtering" (2010).
#[derive(Debug, Clone)]
pub struct HarmonicPercussive {
    /// The newest frames; the last stands at `seen - 1`.
    recent: VecDeque<Vec<f32>>,
    seen: usize,
    given: usize,
}

impl Default for HarmonicPercussive {
    fn default() -> Self {
        Self::new()
    }
}

impl HarmonicPercussive {
    /// Before the first frame.
    pub fn new() -> Self {
        Self { recent: VecDeque::new(), seen: 0, given: 0 }
    }

    /// Takes one frame of magnitudes and hands the harmonic and the percussive part of the frame 15 earlier to
    /// `on_frame`.
    ///
    /// # Panics
    /// When frames differ in length.
    pub fn push(&mut self, magnitudes: &[f32], on_frame: impl FnMut(&[f32], &[f32])) {
        if self.recent.len() == TAPS {
            self.recent.pop_front();
        }
        self.recent.push_back(magnitudes.to_vec());
        self.seen += 1;
        self.give(self.seen.saturating_sub(REACH), on_frame);
    }

    /// Hands on the last 15 frames.
    pub fn finish(mut self, on_frame: impl FnMut(&[f32], &[f32])) {
        self.give(self.seen, on_frame);
    }

    fn give(&mut self, end: usize, mut on_frame: impl FnMut(&[f32], &[f32])) {
        while self.given < end {
            let first = self.seen - self.recent.len();
            let row = |frame: usize| self.recent[frame - first].as_slice();
            let magnitudes = row(self.given);
            // Beyond either end the frames go on as in a mirror. At the start of a signal the frames to come are
            // all here, so that the mirror never looks beyond them.
            let mirrored: [&[f32]; TAPS] =
                std::array::from_fn(|tap| row(mirror(self.given + tap, self.seen)));
            let mut sustained = vec![0.0; magnitudes.len()];
            median_of_rows(&mirrored, &mut sustained);
            let struck = along_bins(magnitudes);
            let mut harmonic = vec![0.0; magnitudes.len()];
            let mut percussive = vec![0.0; magnitudes.len()];
            for (bin, &magnitude) in magnitudes.iter().enumerate() {
                let share = share(sustained[bin], struck[bin]);
                harmonic[bin] = magnitude * share;
                percussive[bin] = magnitude * self::share(struck[bin], sustained[bin]);
            }
            on_frame(&harmonic, &percussive);
            self.given += 1;
        }
    }
}

/// The place of `shifted - REACH` in a series of `length` that is mirrored at both ends, the ends included.
fn mirror(shifted: usize, length: usize) -> usize {
    let period = 2 * length;
    let place = (shifted + period * TAPS - REACH) % period;
    if place < length { place } else { period - 1 - place }
}

/// The running median over the bins of one frame.
fn along_bins(magnitudes: &[f32]) -> Vec<f32> {
    let bins = magnitudes.len();
    let padded: Vec<f32> = (0..bins + 2 * REACH).map(|place| magnitudes[mirror(place, bins)]).collect();
    let shifted: [&[f32]; TAPS] = std::array::from_fn(|tap| &padded[tap..tap + bins]);
    let mut out = vec![0.0; bins];
    median_of_rows(&shifted, &mut out);
    out
}

/// A soft mask: the squared share of `own` in both, a half where both are silent.
fn share(own: f32, other: f32) -> f32 {
    let larger = own.max(other);
    if larger < f32::MIN_POSITIVE {
        return 0.5;
    }
    let (own, other) = ((own / larger).powi(2), (other / larger).powi(2));
    own / (own + other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_harmonic_and_a_click_percussive() {
        let mut split = HarmonicPercussive::new();
        let mut sums = [0.0f32; 2];
        let mut frames = 0;
        let mut add = |harmonic: &[f32], percussive: &[f32]| {
            frames += 1;
            sums[0] += harmonic[70];
            sums[1] += percussive[90];
        };
        for frame in 0..100 {
            let mut magnitudes = vec![0.0; 200];
            magnitudes[70] = 1.0;
            if frame == 50 {
                magnitudes.fill(1.0);
            }
            split.push(&magnitudes, &mut add);
        }
        split.finish(&mut add);
        assert_eq!(frames, 100);
        assert!(sums[0] > 99.0 && sums[1] > 0.99, "{sums:?}");
    }

    #[test]
    fn short_signals_are_mirrored_as_often_as_needed() {
        for frames in 1..40 {
            let mut split = HarmonicPercussive::new();
            let mut seen = 0;
            for _ in 0..frames {
                split.push(&[1.0; 5], |_, _| seen += 1);
            }
            split.finish(|harmonic, percussive| {
                seen += 1;
                assert_eq!((harmonic[0], percussive[4]), (0.5, 0.5));
            });
            assert_eq!(seen, frames);
        }
    }
}
