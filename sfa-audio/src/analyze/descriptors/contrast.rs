//! Spectral contrast: peaks against valleys in octave bands.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::batch::{LANES, Lanes, SpectrumBatch};
use super::top_db::power_to_db;

/// Bands: below 200 Hz, five octaves above, and the rest.
pub(super) const BANDS: usize = 7;
/// Upper edge of the lowest band.
const LOWEST_EDGE_HZ: f64 = 200.0;
/// Share of a band's bins that make its peak, and its valley.
const QUANTILE: f64 = 0.02;
/// The most bins of a peak: 2 % of what a spectrum of 2048 frames has.
const MOST_PEAK_BINS: usize = 24;

/// Which bins each band looks at.
pub(super) struct Bands([Band; BANDS]);

struct Band {
    bins: Range<usize>,
    /// Bins averaged at either end of the sorted band.
    extremes: usize,
}

/// Levels of one frame in dB, as `10 log10` of magnitudes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Contrast {
    pub(super) peaks_db: [f32; BANDS],
    pub(super) valleys_db: [f32; BANDS],
}

impl Bands {
    /// The bands of `librosa.feature.spectral_contrast`, or `None` where the sample rate is too low for the
    /// highest of them.
    pub(super) fn new(bins: usize, sample_rate_hz: u32) -> Option<Self> {
        let highest_hz = f64::from(sample_rate_hz) / 2.0;
        let bin_hz = highest_hz / (bins - 1) as f64;
        let edge_hz = |edge: usize| if edge == 0 { 0.0 } else { LOWEST_EDGE_HZ * 2f64.powi(edge as i32 - 1) };
        if edge_hz(BANDS - 1) >= highest_hz {
            return None;
        }
        Some(Self(std::array::from_fn(|band| {
            let mut start = (0..bins).find(|&bin| bin as f64 * bin_hz >= edge_hz(band)).unwrap_or(bins);
            let mut end = (start..bins).find(|&bin| bin as f64 * bin_hz > edge_hz(band + 1)).unwrap_or(bins);
            start -= usize::from(band > 0);
            if band == BANDS - 1 {
                end = bins;
            }
            let extremes = ((QUANTILE * (end - start) as f64).round_ties_even() as usize).max(1);
            // All bands but the last leave their top bin to the next.
            end -= usize::from(band < BANDS - 1);
            Band { bins: start..end, extremes: extremes.min(MOST_PEAK_BINS) }
        })))
    }

    /// Measures a batch: one contrast per spectrum.
    pub(super) fn measure(&self, batch: &SpectrumBatch) -> [Contrast; LANES] {
        let mut out = [Contrast::default(); LANES];
        for (index, band) in self.0.iter().enumerate() {
            let bins = &batch.magnitude()[band.bins.clone()];
            let (low, high) = Arch::new().dispatch(Extremes { bins, count: band.extremes });
            for (lane, frame) in out.iter_mut().enumerate() {
                frame.valleys_db[index] = power_to_db(low[lane]);
                frame.peaks_db[index] = power_to_db(high[lane]);
            }
        }
        out
    }
}

/// The means of the `count` smallest and of the `count` largest values of every lane.
struct Extremes<'a> {
    bins: &'a [Lanes],
    count: usize,
}

impl WithSimd for Extremes<'_> {
    type Output = ([f32; LANES], [f32; LANES]);

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> ([f32; LANES], [f32; LANES]) {
        match self.count {
            1 => extremes::<1>(self.bins),
            2 => extremes::<2>(self.bins),
            3 => extremes::<3>(self.bins),
            4..=6 => extremes_up_to::<6>(self.bins, self.count),
            7..=10 => extremes_up_to::<10>(self.bins, self.count),
            _ => extremes_up_to::<MOST_PEAK_BINS>(self.bins, self.count),
        }
    }
}

#[inline(always)]
fn extremes<const COUNT: usize>(bins: &[Lanes]) -> ([f32; LANES], [f32; LANES]) {
    extremes_up_to::<COUNT>(bins, COUNT)
}

/// Keeps `MOST` sorted values at either end, of which `count` are averaged: every new value sinks through the
/// list and pushes the least one out, which takes no branches and lets all lanes run together.
#[inline(always)]
fn extremes_up_to<const MOST: usize>(bins: &[Lanes], count: usize) -> ([f32; LANES], [f32; LANES]) {
    let mut low = [[f32::INFINITY; LANES]; MOST];
    let mut high = [[f32::NEG_INFINITY; LANES]; MOST];
    for bin in bins {
        let (mut up, mut down) = (**bin, **bin);
        for level in 0..MOST {
            for lane in 0..LANES {
                let (kept, value) = (low[level][lane], up[lane]);
                low[level][lane] = if value < kept { value } else { kept };
                up[lane] = if value < kept { kept } else { value };
                let (kept, value) = (high[level][lane], down[lane]);
                high[level][lane] = if value > kept { value } else { kept };
                down[lane] = if value > kept { kept } else { value };
            }
        }
    }
    (mean(&low[..count]), mean(&high[..count]))
}

#[inline(always)]
fn mean(rows: &[[f32; LANES]]) -> [f32; LANES] {
    std::array::from_fn(|lane| rows.iter().map(|row| row[lane]).sum::<f32>() / rows.len() as f32)
}
