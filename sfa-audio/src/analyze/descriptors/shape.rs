//! The shape of a spectrum in four numbers: centroid, bandwidth, roll-off, flatness.

use pulp::{Arch, Simd, WithSimd};

use super::batch::{LANES, Lanes, SpectrumBatch};

/// Share of the magnitude below the roll-off.
const ROLLOFF_SHARE: f32 = 0.85;
/// The least power of a bin in the flatness.
const LEAST_POWER: f32 = 1e-10;
/// Bins summed before they join the whole: keeps rounding as small as numpy's pairwise sums do, and products
/// of so many powers within the range of `f64`.
const CHUNK: usize = 25;

/// One number per spectrum of a batch.
pub(super) struct Shape {
    pub(super) centroid_hz: [f32; LANES],
    pub(super) bandwidth_hz: [f32; LANES],
    pub(super) rolloff_hz: [f32; LANES],
    pub(super) flatness: [f32; LANES],
}

/// Measures a batch, as `librosa.feature.spectral_centroid`, `spectral_bandwidth`, `spectral_rolloff` and
/// `spectral_flatness`.
pub(super) fn measure(batch: &SpectrumBatch, bin_hz: f64) -> Shape {
    Arch::new().dispatch(Measure { batch, bin_hz: bin_hz as f32 })
}

struct Measure<'a> {
    batch: &'a SpectrumBatch,
    bin_hz: f32,
}

impl WithSimd for Measure<'_> {
    type Output = Shape;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Shape {
        let magnitude = self.batch.magnitude();
        let mut running = [0.0f32; LANES];
        let (mut total, mut moment) = ([0.0f32; LANES], [0.0f32; LANES]);
        for (chunk, bins) in magnitude.chunks(CHUNK).enumerate() {
            let (mut sum, mut weighted) = ([0.0f32; LANES], [0.0f32; LANES]);
            for (offset, bin) in bins.iter().enumerate() {
                let index = (chunk * CHUNK + offset) as f32;
                for lane in 0..LANES {
                    running[lane] += bin[lane];
                    sum[lane] += bin[lane];
                    weighted[lane] += index * bin[lane];
                }
            }
            for lane in 0..LANES {
                total[lane] += sum[lane];
                moment[lane] += weighted[lane];
            }
        }
        let mut centroid = [0.0f32; LANES];
        for lane in 0..LANES {
            centroid[lane] = if total[lane] > 0.0 { moment[lane] / total[lane] } else { 0.0 };
        }
        let (mut spread, mut below, mut cumulative) = ([0.0f32; LANES], [0.0f32; LANES], [0.0f32; LANES]);
        for (chunk, bins) in magnitude.chunks(CHUNK).enumerate() {
            let mut sum = [0.0f32; LANES];
            for (offset, bin) in bins.iter().enumerate() {
                let index = (chunk * CHUNK + offset) as f32;
                for lane in 0..LANES {
                    let deviation = index - centroid[lane];
                    sum[lane] += bin[lane] * deviation * deviation;
                    cumulative[lane] += bin[lane];
                    below[lane] += if cumulative[lane] < ROLLOFF_SHARE * running[lane] { 1.0 } else { 0.0 };
                }
            }
            for lane in 0..LANES {
                spread[lane] += sum[lane];
            }
        }
        for lane in 0..LANES {
            let variance = if total[lane] > 0.0 { spread[lane] / total[lane] } else { 0.0 };
            spread[lane] = variance.sqrt() * self.bin_hz;
            centroid[lane] *= self.bin_hz;
            below[lane] *= self.bin_hz;
        }
        let flatness = flatness(self.batch.power());
        Shape { centroid_hz: centroid, bandwidth_hz: spread, rolloff_hz: below, flatness }
    }
}

/// The geometric over the arithmetic mean of the power. One logarithm: that of the product of all bins, whose exponent is
/// kept apart.
#[inline(always)]
fn flatness(power: &[Lanes]) -> [f32; LANES] {
    const MANTISSA_BITS: u32 = f64::MANTISSA_DIGITS - 1;
    const ONE: u64 = 1.0f64.to_bits();
    let (mut total, mut mantissas, mut exponents) = ([0.0f64; LANES], [1.0f64; LANES], [0i64; LANES]);
    for bins in power.chunks(CHUNK) {
        let (mut sum, mut product) = ([0.0f32; LANES], mantissas);
        for bin in bins {
            for lane in 0..LANES {
                let above = if bin[lane] > LEAST_POWER { bin[lane] } else { LEAST_POWER };
                sum[lane] += above;
                product[lane] *= f64::from(above);
            }
        }
        for lane in 0..LANES {
            total[lane] += f64::from(sum[lane]);
            let bits = product[lane].to_bits();
            exponents[lane] += (bits >> MANTISSA_BITS) as i64 - (ONE >> MANTISSA_BITS) as i64;
            mantissas[lane] = f64::from_bits(bits & ((1 << MANTISSA_BITS) - 1) | ONE);
        }
    }
    let count = power.len() as f64;
    std::array::from_fn(|lane| {
        let logarithm = mantissas[lane].ln() + exponents[lane] as f64 * std::f64::consts::LN_2;
        ((logarithm / count).exp() / (total[lane] / count)) as f32
    })
}
