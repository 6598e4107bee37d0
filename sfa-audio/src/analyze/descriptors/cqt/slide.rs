//! Spectra that follow their frames.

use std::f64::consts::TAU;
use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use crate::analyze::descriptors::batch::{LANES, Lanes};

/// The most frames that a spectrum slides on by; beyond it, a transform is faster.
pub(super) const MOST_SLID_FRAMES: usize = 64;
/// Vector registers of bins that slide together.
const SLID_VECTORS: usize = 4;

/// A spectrum that follows its frame: what leaves is taken out, what enters is added, and all phases turn.
///
/// In the low octaves frames overlap so much that this is far less work than a transform of each.
pub(super) struct Slide {
    bins: usize,
    /// `e^(-2πi k n / N)` of sample `n` at bin `k`: all bins for sample 0, then for sample 1.
    turns_re: Vec<f32>,
    turns_im: Vec<f32>,
    re: Vec<f32>,
    im: Vec<f32>,
}

impl Slide {
    pub(super) fn new(fft_frames: usize, bins: Range<usize>) -> Self {
        let padded = bins.len().next_multiple_of(SLID_VECTORS * LANES);
        let turn = |index: usize| {
            let (sample, bin) = (index / padded, bins.start + index % padded);
            TAU * (sample * bin % fft_frames) as f64 / fft_frames as f64
        };
        let count = (MOST_SLID_FRAMES + 1) * padded;
        Self {
            bins: padded,
            turns_re: (0..count).map(|index| turn(index).cos() as f32).collect(),
            turns_im: (0..count).map(|index| -turn(index).sin() as f32).collect(),
            re: vec![0.0; padded],
            im: vec![0.0; padded],
        }
    }

    pub(super) fn load(&mut self, re: &[Lanes], im: &[Lanes], lane: usize) {
        self.re.iter_mut().zip(re).for_each(|(own, bin)| *own = bin[lane]);
        self.im.iter_mut().zip(im).for_each(|(own, bin)| *own = bin[lane]);
    }

    /// Moves the frame on by as many samples as leave and enter, [`MOST_SLID_FRAMES`] at most.
    pub(super) fn step(&mut self, leaving: &[f32], entering: &[f32]) {
        Arch::new().dispatch(Step { slide: self, leaving, entering });
    }

    pub(super) fn store(&self, re: &mut [Lanes], im: &mut [Lanes], lane: usize) {
        re.iter_mut().zip(&self.re).for_each(|(bin, own)| bin[lane] = *own);
        im.iter_mut().zip(&self.im).for_each(|(bin, own)| bin[lane] = *own);
    }
}

/// One step of a [`Slide`].
struct Step<'a> {
    slide: &'a mut Slide,
    leaving: &'a [f32],
    entering: &'a [f32],
}

impl WithSimd for Step<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Slide { bins, turns_re, turns_im, re, im } = self.slide;
        let width = SLID_VECTORS * S::F32_LANES;
        for start in (0..*bins).step_by(width) {
            let at = |sample: usize| sample * *bins + start..sample * *bins + start + width;
            let re = S::as_mut_simd_f32s(&mut re[start..start + width]).0;
            let im = S::as_mut_simd_f32s(&mut im[start..start + width]).0;
            let mut sum_re: [S::f32s; SLID_VECTORS] = std::array::from_fn(|vector| re[vector]);
            let mut sum_im: [S::f32s; SLID_VECTORS] = std::array::from_fn(|vector| im[vector]);
            for (sample, (leaving, entering)) in self.leaving.iter().zip(self.entering).enumerate() {
                let change = simd.splat_f32s(entering - leaving);
                let cos = S::as_simd_f32s(&turns_re[at(sample)]).0;
                let sin = S::as_simd_f32s(&turns_im[at(sample)]).0;
                for vector in 0..SLID_VECTORS {
                    sum_re[vector] = simd.mul_add_e_f32s(change, cos[vector], sum_re[vector]);
                    sum_im[vector] = simd.mul_add_e_f32s(change, sin[vector], sum_im[vector]);
                }
            }
            let cos = S::as_simd_f32s(&turns_re[at(self.leaving.len())]).0;
            let sin = S::as_simd_f32s(&turns_im[at(self.leaving.len())]).0;
            for vector in 0..SLID_VECTORS {
                // Times the conjugate: the frame moved on, so phases turn back.
                let (a, b) = (sum_re[vector], sum_im[vector]);
                re[vector] = simd.mul_add_e_f32s(b, sin[vector], simd.mul_f32s(a, cos[vector]));
                im[vector] = simd.sub_f32s(simd.mul_f32s(b, cos[vector]), simd.mul_f32s(a, sin[vector]));
            }
        }
    }
}
