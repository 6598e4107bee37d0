//! Level and zero crossings of frames in the time domain.

use super::{HOP_FRAMES, WINDOW_FRAMES};
use crate::dsp::RunningSum;

/// Hops in a window.
const HOPS: usize = WINDOW_FRAMES / HOP_FRAMES;
/// Samples nearer to zero than this have no sign.
const NO_SIGN: f32 = 1e-10;

/// Root mean square and zero-crossing rate of windows of [`WINDOW_FRAMES`] every [`HOP_FRAMES`], as
/// `librosa.feature.rms` and `zero_crossing_rate`: the first is padded with silence, the second with what
/// stands at either end.
#[derive(Debug, Default)]
pub(super) struct LevelCollector {
    hops: Vec<Hop>,
    current: Hop,
    filled: usize,
    pushed: u64,
    was_negative: bool,
}

/// What a stretch of [`HOP_FRAMES`] adds to the windows over it.
#[derive(Debug, Default, Clone, Copy)]
struct Hop {
    squares: RunningSum,
    crossings: u16,
    /// Whether the sign changes at the first sample, which a window that begins here does not count.
    crosses_first: bool,
}

/// Values per frame.
#[derive(Debug, Default)]
pub(super) struct Levels {
    pub(super) rms: Vec<f32>,
    pub(super) zero_crossing_rate: Vec<f32>,
}

impl LevelCollector {
    pub(super) fn push(&mut self, mut samples: &[f32]) {
        if self.pushed == 0 && !samples.is_empty() {
            self.was_negative = samples[0] < -NO_SIGN;
        }
        self.pushed += samples.len() as u64;
        while !samples.is_empty() {
            let (part, rest) = samples.split_at(samples.len().min(HOP_FRAMES - self.filled));
            self.feed(part);
            samples = rest;
        }
    }

    fn feed(&mut self, part: &[f32]) {
        if self.filled == 0 {
            self.current.crosses_first = (part[0] < -NO_SIGN) != self.was_negative;
        }
        self.current.squares.add_squares(part);
        let is_negative = |sample: f32| sample < -NO_SIGN;
        let pairs = part.iter().zip(&part[1..]);
        let crossings: u16 = pairs.map(|(&a, &b)| u16::from(is_negative(a) != is_negative(b))).sum();
        self.current.crossings += crossings + u16::from(is_negative(part[0]) != self.was_negative);
        self.was_negative = is_negative(part[part.len() - 1]);
        self.filled += part.len();
        if self.filled == HOP_FRAMES {
            self.hops.push(std::mem::take(&mut self.current));
            self.filled = 0;
        }
    }

    pub(super) fn finish(mut self) -> Levels {
        if self.pushed == 0 {
            return Levels::default();
        }
        self.hops.push(self.current);
        let frames = 1 + self.pushed as usize / HOP_FRAMES;
        let mut levels = Levels::default();
        for frame in 0..frames {
            let start = frame.saturating_sub(HOPS / 2);
            let window = &self.hops[start..(frame + HOPS / 2).min(self.hops.len())];
            let energy: f64 = window.iter().map(|hop| hop.squares.total()).sum();
            let mut crossings: u32 = window.iter().map(|hop| u32::from(hop.crossings)).sum();
            if frame >= HOPS / 2 && window[0].crosses_first {
                crossings -= 1;
            }
            levels.rms.push((energy / WINDOW_FRAMES as f64).sqrt() as f32);
            levels.zero_crossing_rate.push(crossings as f32 / WINDOW_FRAMES as f32);
        }
        levels
    }
}
