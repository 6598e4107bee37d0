//! How high a signal rises between its samples.

use std::f64::consts::PI;

use pulp::{Arch, Simd, WithSimd};

/// Length of the interpolating filter, at the higher rate.
const FILTER_FRAMES: usize = 48;
/// From here on samples are close enough to each other, or need half the oversampling.
const DENSE_RATE_HZ: u32 = 192_000;
const HALF_DENSE_RATE_HZ: u32 = 96_000;
/// Samples that are looked at together.
const BLOCK: usize = 64;

/// Follows the highest sample of one channel, and of what lies between its samples: four times oversampled, as BS.1770-4
/// annex 2, with a Hann-windowed sinc.
#[derive(Debug, Clone)]
pub(super) struct PeakMeter {
    /// For every place between two samples, its filter.
    phases: Vec<Vec<f32>>,
    /// How far a filter can rise above the highest sample that it sees.
    most_gain: f32,
    /// As many samples as a filter sees beyond the newest, and the newest ones.
    seen: Vec<f32>,
    reach: usize,
    sample_peak: f32,
    between_peak: f32,
}

impl PeakMeter {
    pub(super) fn new(sample_rate_hz: u32) -> Self {
        let factor = match sample_rate_hz {
            0..HALF_DENSE_RATE_HZ => 4,
            HALF_DENSE_RATE_HZ..DENSE_RATE_HZ => 2,
            _ => 1,
        };
        let taps = FILTER_FRAMES / factor;
        // At phase 0 the filter gives the samples themselves.
        let phases: Vec<Vec<f32>> = (1..factor)
            .map(|phase| (0..taps).map(|tap| filter_weight(tap * factor + phase, factor) as f32).collect())
            .collect();
        let reach = if phases.is_empty() { 0 } else { taps - 1 };
        let gain = |taps: &Vec<f32>| taps.iter().map(|tap| tap.abs()).sum::<f32>();
        // Rounded up generously: sums round by less.
        let most_gain = 1.001 * phases.iter().map(gain).fold(1.0, f32::max);
        Self { phases, most_gain, seen: vec![0.0; reach], reach, sample_peak: 0.0, between_peak: 0.0 }
    }

    /// Takes the next samples.
    pub(super) fn push(&mut self, samples: &[f32]) {
        self.seen.truncate(self.reach);
        self.seen.extend_from_slice(samples);
        let Self { phases, most_gain, seen, sample_peak, between_peak, .. } = self;
        Arch::new().dispatch(Follow {
            phases,
            most_gain: *most_gain,
            seen,
            samples,
            sample_peak,
            between_peak,
        });
        self.seen.drain(..samples.len());
    }

    /// The highest sample, full scale 1.
    pub(super) fn sample_peak(&self) -> f64 {
        f64::from(self.sample_peak)
    }

    /// The highest point of the curve through the samples.
    pub(super) fn true_peak(&self) -> f64 {
        f64::from(self.between_peak.max(self.sample_peak))
    }
}

fn filter_weight(n: usize, factor: usize) -> f64 {
    let window = 0.5 - 0.5 * (2.0 * PI * n as f64 / FILTER_FRAMES as f64).cos();
    let x = (n as f64 - FILTER_FRAMES as f64 / 2.0) * PI / factor as f64;
    window * if x == 0.0 { 1.0 } else { x.sin() / x }
}

struct Follow<'a> {
    phases: &'a [Vec<f32>],
    most_gain: f32,
    seen: &'a [f32],
    samples: &'a [f32],
    sample_peak: &'a mut f32,
    between_peak: &'a mut f32,
}

impl WithSimd for Follow<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        *self.sample_peak = self.sample_peak.max(highest(self.samples));
        let width = S::F32_LANES;
        let count = self.samples.len();
        let load = |start: usize| S::as_simd_f32s(&self.seen[start..start + width]).0[0];
        for start in (0..if self.phases.is_empty() { 0 } else { count }).step_by(BLOCK) {
            let end = (start + BLOCK).min(count);
            let reach = self.seen.len() - count;
            // Most of a song is too soft to rise above its loudest moment so far.
            if highest(&self.seen[start..end + reach]) * self.most_gain <= *self.between_peak {
                continue;
            }
            for taps in self.phases {
                if end - start < width {
                    let sums = (start..end).map(|at| {
                        let seen = &self.seen[at..at + taps.len()];
                        taps.iter().rev().zip(seen).map(|(tap, sample)| tap * sample).sum::<f32>().abs()
                    });
                    *self.between_peak = sums.fold(*self.between_peak, f32::max);
                    continue;
                }
                let mut peak = simd.splat_f32s(0.0);
                for at in (start..end).step_by(width) {
                    // The last vector looks at some once more.
                    let at = at.min(end - width);
                    let mut sum = simd.splat_f32s(0.0);
                    for (back, tap) in taps.iter().enumerate() {
                        let seen = load(at + taps.len() - 1 - back);
                        sum = simd.mul_add_e_f32s(simd.splat_f32s(*tap), seen, sum);
                    }
                    peak = simd.max_f32s(peak, simd.abs_f32s(sum));
                }
                *self.between_peak = self.between_peak.max(simd.reduce_max_f32s(peak));
            }
        }
    }
}

/// The largest magnitude.
#[inline(always)]
fn highest(samples: &[f32]) -> f32 {
    let higher = |peak: f32, sample: f32| if sample.abs() > peak { sample.abs() } else { peak };
    let mut peaks = [0.0f32; 16];
    let (chunks, rest) = samples.as_chunks::<16>();
    for chunk in chunks {
        for (peak, sample) in peaks.iter_mut().zip(chunk) {
            *peak = higher(*peak, *sample);
        }
    }
    peaks.iter().chain(rest).copied().fold(0.0, higher)
}
