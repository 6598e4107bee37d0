//! Lengths and band edges at the sample rate of the mix.

use std::ops::Range;

/// The window is the power of two nearest to this: 4096 frames at 44.1 and 48 kHz. Long enough to tell bass
/// notes apart, short enough for syllables.
const WINDOW_SECS: f64 = 4096.0 / 44_100.0;

/// Masks are estimated up to here; what lies above shares the masks of the bin below.
const TOP_HZ: f64 = 16_000.0;

/// The time-frequency grid at one sample rate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    pub(super) sample_rate_hz: u32,
    pub(super) window_frames: usize,
    pub(super) hop_frames: usize,
    /// Bins that masks are estimated for, from 0 Hz up.
    pub(super) bins: usize,
}

impl Scale {
    pub(super) fn new(sample_rate_hz: u32) -> Self {
        let exponent = (WINDOW_SECS * f64::from(sample_rate_hz)).log2().round();
        let window_frames = 1 << exponent as u32;
        let all_bins = window_frames / 2 + 1;
        let top = (TOP_HZ * window_frames as f64 / f64::from(sample_rate_hz)) as usize + 1;
        Self { sample_rate_hz, window_frames, hop_frames: window_frames / 4, bins: top.min(all_bins) }
    }

    /// The position of a frequency in bins.
    pub(super) fn bin(&self, hz: f64) -> f64 {
        hz * self.window_frames as f64 / f64::from(self.sample_rate_hz)
    }

    /// The first bin at or above a frequency, at most the number of bins.
    pub(super) fn first_bin(&self, hz: f64) -> usize {
        (self.bin(hz).ceil() as usize).min(self.bins)
    }

    /// Bands evenly spaced over `hz` on a logarithmic scale, each at least one bin wide.
    pub(super) fn bands<const COUNT: usize>(&self, hz: Range<f64>) -> [Range<usize>; COUNT] {
        let edge =
            |band: usize| self.first_bin(hz.start * (hz.end / hz.start).powf(band as f64 / COUNT as f64));
        std::array::from_fn(|band| {
            let start = edge(band).min(self.bins - 1);
            start..edge(band + 1).clamp(start + 1, self.bins)
        })
    }

    /// The number of spectra that last nearest to `secs`.
    pub(super) fn rows(&self, secs: f64) -> usize {
        (secs * f64::from(self.sample_rate_hz) / self.hop_frames as f64).round() as usize
    }

    /// An odd number of spectra that last about `secs`.
    pub(super) fn odd_rows(&self, secs: f64) -> usize {
        self.rows(secs / 2.0) * 2 + 1
    }

    /// An odd number of bins that span about `hz`.
    pub(super) fn odd_bins(&self, hz: f64) -> usize {
        (self.bin(hz) / 2.0).round() as usize * 2 + 1
    }
}
