//! Mel bands and cepstral coefficients.

use std::f64::consts::PI;

use pulp::{Arch, Simd, WithSimd};

use super::batch::{LANES, Lanes, SpectrumBatch, add_weighted};
use super::top_db::power_to_db;

/// Mel bands up to half the sample rate.
pub(super) const MEL_BANDS: usize = 128;
/// Cepstral coefficients that are kept.
pub(super) const COEFFICIENTS: usize = 13;

/// Triangular bands on M. Slaney's mel scale, each of unit area, as `librosa.filters.mel`.
pub(super) struct MelBank {
    bands: Vec<Band>,
}

struct Band {
    first_bin: usize,
    weights: Vec<f32>,
}

impl MelBank {
    pub(super) fn new(bins: usize, sample_rate_hz: u32) -> Self {
        let highest_hz = f64::from(sample_rate_hz) / 2.0;
        let bin_hz = highest_hz / (bins - 1) as f64;
        let top_mel = mel(highest_hz);
        let edges_hz: Vec<f64> =
            (0..MEL_BANDS + 2).map(|n| hz(top_mel * n as f64 / (MEL_BANDS + 1) as f64)).collect();
        let bands = edges_hz
            .windows(3)
            .map(|edges| {
                let area = 2.0 / (edges[2] - edges[0]);
                let weight = |bin: usize| {
                    let frequency_hz = bin as f64 * bin_hz;
                    let rising = (frequency_hz - edges[0]) / (edges[1] - edges[0]);
                    let falling = (edges[2] - frequency_hz) / (edges[2] - edges[1]);
                    // Rounded before scaling, as librosa keeps them.
                    f64::from(rising.min(falling).max(0.0) as f32)
                };
                let first_bin = (0..bins).find(|&bin| weight(bin) > 0.0).unwrap_or(0);
                let weights = (first_bin..bins).map(weight).take_while(|&weight| weight > 0.0);
                Band { first_bin, weights: weights.map(|weight| (weight * area) as f32).collect() }
            })
            .collect();
        Self { bands }
    }

    /// The level of every band of a batch in dB, with no floor but that of `power_to_db`.
    pub(super) fn levels_db(&self, batch: &SpectrumBatch, out: &mut [Lanes; MEL_BANDS]) {
        Arch::new().dispatch(Levels { bank: self, power: batch.power(), out });
    }
}

struct Levels<'a> {
    bank: &'a MelBank,
    power: &'a [Lanes],
    out: &'a mut [Lanes; MEL_BANDS],
}

impl WithSimd for Levels<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (out, band) in self.out.iter_mut().zip(&self.bank.bands) {
            let mut sum = Lanes::ZERO;
            for (weight, bin) in band.weights.iter().zip(&self.power[band.first_bin..]) {
                add_weighted(simd, &mut sum, *weight, bin);
            }
            for lane in 0..LANES {
                out[lane] = power_to_db(sum[lane]);
            }
        }
    }
}

/// Mel of a frequency: linear below 1 kHz, logarithmic above (Slaney's Auditory Toolbox).
fn mel(frequency_hz: f64) -> f64 {
    if frequency_hz < 1_000.0 {
        frequency_hz * 3.0 / 200.0
    } else {
        15.0 + (frequency_hz / 1_000.0).ln() / (6.4f64.ln() / 27.0)
    }
}

fn hz(mel: f64) -> f64 {
    if mel < 15.0 { mel * 200.0 / 3.0 } else { 1_000.0 * ((mel - 15.0) * (6.4f64.ln() / 27.0)).exp() }
}

/// The first [`COEFFICIENTS`] of an orthonormal cosine transform (DCT-II) over the mel bands.
pub(super) struct Cepstrum {
    /// For every band its share in every coefficient, padded to a vector register.
    weights: Vec<Lanes>,
}

impl Cepstrum {
    pub(super) fn new() -> Self {
        let weight = |band: usize, order: usize| {
            let scale = if order == 0 { 1.0 } else { 2.0 } / MEL_BANDS as f64;
            scale.sqrt() * (PI * order as f64 * (2 * band + 1) as f64 / (2 * MEL_BANDS) as f64).cos()
        };
        let row = |band: usize| Lanes::from(std::array::from_fn(|order| weight(band, order) as f32));
        Self { weights: (0..MEL_BANDS).map(row).collect() }
    }

    /// The coefficients of one frame of levels.
    pub(super) fn of(&self, levels_db: &[f32]) -> [f32; COEFFICIENTS] {
        // Four sums in turn keep the rounding at 500 dB below 1e-4.
        let mut sums = [[0.0f32; LANES]; 4];
        for (levels, weights) in levels_db.chunks_exact(4).zip(self.weights.chunks_exact(4)) {
            for part in 0..4 {
                for lane in 0..LANES {
                    sums[part][lane] += levels[part] * weights[part][lane];
                }
            }
        }
        std::array::from_fn(|order| (sums[0][order] + sums[1][order]) + (sums[2][order] + sums[3][order]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mel_scale_goes_there_and_back() {
        for frequency in [0.0, 440.0, 999.0, 1_000.0, 8_000.0, 22_050.0] {
            assert!((hz(mel(frequency)) - frequency).abs() < 1e-8);
        }
        assert_eq!(mel(1_000.0), 15.0);
    }

    #[test]
    fn the_cepstrum_of_equal_levels_is_its_first_coefficient() {
        let found = Cepstrum::new().of(&[3.0; MEL_BANDS]);
        assert!((found[0] - 3.0 * (MEL_BANDS as f32).sqrt()).abs() < 1e-4);
        assert!(found[1..].iter().all(|coefficient| coefficient.abs() < 1e-4));
    }
}
