//! Sixteen spectra side by side.

use std::ops::{Deref, DerefMut};

use pulp::{Arch, Simd, WithSimd};
use realfft::num_complex::Complex64;

/// Spectra in a batch. Work on all of them at once needs no sum across a vector register.
pub(super) const LANES: usize = 16;

/// One number of each spectrum in a batch. Aligned, so that no vector register is filled from two cache lines.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Lanes([f32; LANES]);

impl Lanes {
    pub(super) const ZERO: Self = Self([0.0; LANES]);
}

impl From<[f32; LANES]> for Lanes {
    fn from(values: [f32; LANES]) -> Self {
        Self(values)
    }
}

impl Deref for Lanes {
    type Target = [f32; LANES];

    #[inline(always)]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Lanes {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

/// Collects spectra until a batch is full and turns it on its side.
pub(super) struct SpectrumBatch {
    bins: usize,
    frames: usize,
    rows: Vec<f32>,
    power: Vec<Lanes>,
    magnitude: Vec<Lanes>,
    loudest: Lanes,
}

impl SpectrumBatch {
    pub(super) fn new(bins: usize) -> Self {
        Self {
            bins,
            frames: 0,
            rows: vec![0.0; LANES * bins],
            power: vec![Lanes::ZERO; bins],
            magnitude: vec![Lanes::ZERO; bins],
            loudest: Lanes::ZERO,
        }
    }

    /// Takes one spectrum and says whether the batch is full.
    pub(super) fn push(&mut self, spectrum: &[Complex64]) -> bool {
        let row = &mut self.rows[self.frames * self.bins..][..self.bins];
        Arch::new().dispatch(|| {
            for (out, bin) in row.iter_mut().zip(spectrum) {
                *out = bin.norm_sqr() as f32;
            }
        });
        self.frames += 1;
        self.frames == LANES
    }

    /// Turns what was pushed on its side, for the readers below.
    pub(super) fn arrange(&mut self) {
        Arch::new().dispatch(Arrange(self));
    }

    /// Makes room for the next spectra.
    pub(super) fn clear(&mut self) {
        self.frames = 0;
    }

    /// Spectra in the batch: all lanes but in the last one of a signal.
    pub(super) fn frames(&self) -> usize {
        self.frames
    }

    /// The power of every bin of one spectrum.
    pub(super) fn row(&self, frame: usize) -> &[f32] {
        &self.rows[frame * self.bins..][..self.bins]
    }

    /// The largest power of one spectrum.
    pub(super) fn loudest(&self, frame: usize) -> f32 {
        self.loudest[frame]
    }

    /// The power of every spectrum, bin by bin.
    pub(super) fn power(&self) -> &[Lanes] {
        &self.power
    }

    /// The magnitude of every spectrum, bin by bin.
    pub(super) fn magnitude(&self) -> &[Lanes] {
        &self.magnitude
    }
}

struct Arrange<'a>(&'a mut SpectrumBatch);

impl WithSimd for Arrange<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let SpectrumBatch { bins, frames, rows, power, magnitude, loudest } = self.0;
        *loudest = Lanes::ZERO;
        rows[*frames * *bins..].fill(0.0);
        let rows: [&[f32]; LANES] = std::array::from_fn(|lane| &rows[lane * *bins..][..*bins]);
        for (bin, (power, magnitude)) in power.iter_mut().zip(magnitude).enumerate() {
            for lane in 0..LANES {
                power[lane] = rows[lane][bin];
            }
            for lane in 0..LANES {
                magnitude[lane] = power[lane].sqrt();
                loudest[lane] = if power[lane] > loudest[lane] { power[lane] } else { loudest[lane] };
            }
        }
    }
}

/// `sum += weight * values`, lane by lane.
#[inline(always)]
pub(super) fn add_weighted<S: Simd>(simd: S, sum: &mut Lanes, weight: f32, values: &Lanes) {
    let weight_lanes = simd.splat_f32s(weight);
    let (sums, rest) = S::as_mut_simd_f32s(&mut sum.0);
    let (values, rest_values) = S::as_simd_f32s(&values.0);
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum = simd.mul_add_e_f32s(weight_lanes, *value, *sum);
    }
    for (sum, value) in rest.iter_mut().zip(rest_values) {
        *sum += weight * value;
    }
}
