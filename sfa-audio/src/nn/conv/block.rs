//! A block of results while it is in the cache, and everything that is done to it there.

use pulp::{Simd, WithSimd};

use crate::nn::context::{Buffer, Context};
use crate::nn::cpu::{Cpu, multiply_add};
use crate::nn::math::{gelu, sigmoid};

use super::{Activation, Finish};

/// A block of results: panels of `cols` positions, in each one line per row of the weights.
pub(super) struct Products<'a> {
    values: Buffer<'a>,
    cols: usize,
    padded_rows: usize,
}

impl<'a> Products<'a> {
    /// A block of arbitrary values.
    pub(super) fn new(context: &Context<'a>, panels: usize, padded_rows: usize) -> Self {
        let cols = context.cpu.tile().cols;
        Self { values: context.buffer(panels * padded_rows * cols), cols, padded_rows }
    }

    pub(super) fn values(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// Factor and summand of every line, and then the activation, over the whole block.
    pub(super) fn activate(&mut self, cpu: Cpu, affine: &[[f32; 2]], activation: Activation) {
        let Self { values, cols, padded_rows } = self;
        cpu.run(Activate { values, cols: *cols, padded_rows: *padded_rows, affine, activation });
    }

    /// The parts of one line, panel by panel.
    pub(super) fn line(&self, line: usize) -> impl Iterator<Item = &[f32]> {
        self.values
            .chunks_exact(self.padded_rows * self.cols)
            .map(move |panel| &panel[line * self.cols..][..self.cols])
    }

    /// Finishes line `line` of the block into `out`, a stretch of channel `channel`.
    pub(super) fn write(&self, cpu: Cpu, line: usize, finish: Finish<'_>, channel: usize, out: &mut [f32]) {
        cpu.run(Write { products: self, line, finish, channel, out });
    }
}

struct Write<'a> {
    products: &'a Products<'a>,
    line: usize,
    finish: Finish<'a>,
    channel: usize,
    out: &'a mut [f32],
}

impl WithSimd for Write<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { products, line, finish, channel, out } = self;
        let cols = products.cols;
        let panels = products.values.chunks_exact(products.padded_rows * cols);
        for (out, panel) in out.chunks_mut(cols).zip(panels) {
            let part = &panel[line * cols..][..out.len()];
            let (values, values_tail) = S::as_simd_f32s(part);
            let (out, out_tail) = S::as_mut_simd_f32s(out);
            let tail = simd.partial_load_f32s(values_tail);
            match finish {
                Finish::Store => {
                    for (out, value) in out.iter_mut().zip(values) {
                        *out = *value;
                    }
                    simd.partial_store_f32s(out_tail, tail);
                }
                Finish::Accumulate { scale } => {
                    let scale = simd.splat_f32s(scale[channel]);
                    for (out, value) in out.iter_mut().zip(values) {
                        *out = multiply_add(simd, *value, scale, *out);
                    }
                    let sum = multiply_add(simd, tail, scale, simd.partial_load_f32s(out_tail));
                    simd.partial_store_f32s(out_tail, sum);
                }
                Finish::Add => {
                    for (out, value) in out.iter_mut().zip(values) {
                        *out = simd.add_f32s(*value, *out);
                    }
                    simd.partial_store_f32s(out_tail, simd.add_f32s(tail, simd.partial_load_f32s(out_tail)));
                }
            }
        }
    }
}

/// Factors, summands and activation over a whole block, in place.
struct Activate<'a> {
    values: &'a mut [f32],
    cols: usize,
    padded_rows: usize,
    affine: &'a [[f32; 2]],
    activation: Activation,
}

impl WithSimd for Activate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for panel in self.values.chunks_exact_mut(self.padded_rows * self.cols) {
            match self.activation {
                Activation::None => {
                    for (line, affine) in panel.chunks_exact_mut(self.cols).zip(self.affine) {
                        let (factor, summand) = (simd.splat_f32s(affine[0]), simd.splat_f32s(affine[1]));
                        for value in S::as_mut_simd_f32s(line).0 {
                            *value = multiply_add(simd, *value, factor, summand);
                        }
                    }
                }
                Activation::Gelu => {
                    for (line, affine) in panel.chunks_exact_mut(self.cols).zip(self.affine) {
                        let (factor, summand) = (simd.splat_f32s(affine[0]), simd.splat_f32s(affine[1]));
                        for value in S::as_mut_simd_f32s(line).0 {
                            *value = gelu(simd, multiply_add(simd, *value, factor, summand));
                        }
                    }
                }
                Activation::Glu => {
                    let half = self.affine.len() / 2;
                    let (values, gates) = panel.split_at_mut(half * self.cols);
                    let affines = self.affine[..half].iter().zip(&self.affine[half..]);
                    let lines = values.chunks_exact_mut(self.cols).zip(gates.chunks_exact(self.cols));
                    for ((values, gates), (affine, gate_affine)) in lines.zip(affines) {
                        let (factor, summand) = (simd.splat_f32s(affine[0]), simd.splat_f32s(affine[1]));
                        let (gate_factor, gate_summand) =
                            (simd.splat_f32s(gate_affine[0]), simd.splat_f32s(gate_affine[1]));
                        let gates = S::as_simd_f32s(gates).0;
                        for (value, &gate) in S::as_mut_simd_f32s(values).0.iter_mut().zip(gates) {
                            let gate = sigmoid(simd, multiply_add(simd, gate, gate_factor, gate_summand));
                            *value = simd.mul_f32s(multiply_add(simd, *value, factor, summand), gate);
                        }
                    }
                }
            }
        }
    }
}
