//! The K-weighting of BS.1770: what loudness is the power of.

use std::f64::consts::PI;

use pulp::{Arch, Simd, WithSimd};

use crate::dsp::{BLOCK, Biquad, BlockFilter, step_in_series};

/// Values inside the filter.
const ORDER: usize = 4;
/// What a channel counts: how much of its power goes into the sum.
const SURROUND_WEIGHT: f64 = 1.41;
/// States below this, far below any hearing, become zero: numbers next to nothing are slow.
const NOTHING: f64 = 1e-100;

/// Filters channels and sums their power.
#[derive(Debug, Clone)]
pub(super) struct KWeighting {
    stages: [Biquad; 2],
    filter: BlockFilter<ORDER>,
    channels: Vec<Channel>,
}

#[derive(Debug, Clone)]
struct Channel {
    plane: usize,
    weight: f64,
    state: [f64; ORDER],
}

impl KWeighting {
    pub(super) fn new(sample_rate_hz: u32, channels: usize) -> Self {
        let stages = stages(f64::from(sample_rate_hz));
        let heard = (0..channels).map(|plane| (plane, weight(plane, channels)));
        let channels = heard.filter(|&(_, weight)| weight > 0.0);
        Self {
            filter: BlockFilter::in_series(&stages),
            stages,
            channels: channels
                .map(|(plane, weight)| Channel { plane, weight, state: [0.0; ORDER] })
                .collect(),
        }
    }

    /// Takes the next frames, and adds their weighted power to `powers`, frame by frame.
    pub(super) fn add(&mut self, planes: &[Vec<f32>], powers: &mut [f64]) {
        let (blocks, rest) = powers.as_chunks_mut::<BLOCK>();
        let filtered = blocks.len() * BLOCK;
        Arch::new().dispatch(AddBlocks { weighting: self, planes, blocks });
        for Channel { plane, weight, state } in &mut self.channels {
            for (power, sample) in rest.iter_mut().zip(&planes[*plane][filtered..]) {
                *power += *weight * step_in_series(&self.stages, f64::from(*sample), state).powi(2);
            }
            for value in state {
                *value = if value.abs() < NOTHING { 0.0 } else { *value };
            }
        }
    }
}

struct AddBlocks<'a> {
    weighting: &'a mut KWeighting,
    planes: &'a [Vec<f32>],
    blocks: &'a mut [[f64; BLOCK]],
}

impl WithSimd for AddBlocks<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let KWeighting { filter, channels, .. } = self.weighting;
        for (index, powers) in self.blocks.iter_mut().enumerate() {
            for Channel { plane, weight, state } in channels.iter_mut() {
                let samples = &self.planes[*plane].as_chunks().0[index];
                let (heard, weight) = (filter.process(simd, samples, state), *weight);
                for (power, heard) in powers.iter_mut().zip(heard) {
                    *power += weight * heard * heard;
                }
            }
        }
    }
}

/// BS.1770-4, table 3, for the usual order of channels: L R, L R C, L R Ls Rs, L R C Ls Rs, L R C LFE Ls Rs.
fn weight(channel: usize, channels: usize) -> f64 {
    let surrounds = match channels {
        4 => 2..4,
        5 => 3..5,
        _ => 4..6,
    };
    match channel {
        3 if channels > 5 => 0.0,
        6.. => 0.0,
        _ if surrounds.contains(&channel) => SURROUND_WEIGHT,
        _ => 1.0,
    }
}

/// Both stages of the filter, for any rate: the analog prototypes whose bilinear transforms at 48 kHz are those printed in
/// BS.1770 (B. De Man, "Evaluation of implementations of the EBU R128 loudness measurement", 2018).
fn stages(sample_rate_hz: f64) -> [Biquad; 2] {
    let warped = |frequency_hz: f64| (PI * frequency_hz / sample_rate_hz).tan();
    let denominator = |k: f64, quality: f64| {
        let a0 = 1.0 + k / quality + k * k;
        (a0, [2.0 * (k * k - 1.0) / a0, (1.0 - k / quality + k * k) / a0])
    };
    let (k, quality) = (warped(1_681.974_450_955_533), 0.707_175_236_955_419_6);
    let high = 10f64.powf(3.999_843_853_973_347 / 20.0);
    let between = high.powf(0.499_666_774_154_541_6);
    let (a0, feed_back) = denominator(k, quality);
    let shelf = [
        (high + between * k / quality + k * k) / a0,
        2.0 * (k * k - high) / a0,
        (high - between * k / quality + k * k) / a0,
    ];
    let shelf = Biquad::from_coefficients(shelf, feed_back);
    let (_, feed_back) = denominator(warped(38.135_470_876_024_44), 0.500_327_037_323_877_3);
    [shelf, Biquad::from_coefficients([1.0, -2.0, 1.0], feed_back)]
}
