//! A block of results while it is in the cache, and everything that is done to it there.

use pulp::{Simd, WithSimd};

use crate::nn::context::{Buffer, Context};
use crate::nn::cpu::{Cpu, multiply_add};
use crate::nn::map::Tile;
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

    /// Factor and summand of every line, and then an activation without gates, over the whole block.
    pub(super) fn activate(&mut self, cpu: Cpu, affine: &[[f32; 2]], activation: Activation) {
        debug_assert!(activation != Activation::Glu);
        let Self { values, cols, padded_rows } = self;
        cpu.run(Activate { values, cols: *cols, padded_rows: *padded_rows, affine, activation });
    }

    pub(super) fn panels(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.padded_rows * self.cols)
    }

    pub(super) fn panels_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.values.chunks_exact_mut(self.padded_rows * self.cols)
    }

    /// The parts of one line, panel by panel.
    pub(super) fn line(&self, line: usize) -> impl Iterator<Item = &[f32]> {
        self.panels().map(move |panel| &panel[line * self.cols..][..self.cols])
    }

    /// Factor and summand of every line, and then the activation, into the tile: `place` says for each line that is left in
    /// which of its rows and channels, or that it is cropped.
    pub(super) fn finish(
        &self,
        cpu: Cpu,
        affine: &[[f32; 2]],
        activation: Activation,
        finish: Finish<'_>,
        place: impl Fn(usize) -> Option<[usize; 2]>,
        tile: &mut Tile<'_>,
    ) {
        cpu.run(Write { products: self, affine, activation, finish, place, tile });
    }
}

struct Write<'a, 'b, P> {
    products: &'a Products<'a>,
    affine: &'a [[f32; 2]],
    activation: Activation,
    finish: Finish<'a>,
    place: P,
    tile: &'a mut Tile<'b>,
}

impl<P: Fn(usize) -> Option<[usize; 2]>> WithSimd for Write<'_, '_, P> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { products, affine, activation, finish, place, tile } = self;
        let cols = products.cols;
        let left = activation.channels(affine.len());
        // Without gates a line is its own, which costs nothing.
        let gates_after = affine.len() - left;
        for line in 0..left {
            let Some([row, channel]) = place(line) else { continue };
            let gate_line = line + gates_after;
            let affine = [splat(simd, affine[line]), splat(simd, affine[gate_line])];
            let scale = match finish {
                Finish::Accumulate { scale } => scale[channel],
                Finish::Store | Finish::Add => 1.0,
            };
            let scale = simd.splat_f32s(scale);
            for (out, panel) in tile.channel(row, channel).chunks_mut(cols).zip(products.panels()) {
                let values = S::as_simd_f32s(&panel[line * cols..][..cols]).0;
                let gates = S::as_simd_f32s(&panel[gate_line * cols..][..cols]).0;
                let (out, out_tail) = S::as_mut_simd_f32s(out);
                for ((out, value), gate) in out.iter_mut().zip(values).zip(gates) {
                    let value = activated(simd, activation, affine, [*value, *gate]);
                    *out = finished(simd, finish, scale, value, out);
                }
                if !out_tail.is_empty() {
                    let value = activated(simd, activation, affine, [values[out.len()], gates[out.len()]]);
                    let value = finished(simd, finish, scale, value, &simd.partial_load_f32s(out_tail));
                    simd.partial_store_f32s(out_tail, value);
                }
            }
        }
    }
}

// Closures would not be compiled for the instruction set of their caller: hence functions.

#[inline(always)]
fn splat<S: Simd>(simd: S, [factor, summand]: [f32; 2]) -> [S::f32s; 2] {
    [simd.splat_f32s(factor), simd.splat_f32s(summand)]
}

#[inline(always)]
fn activated<S: Simd>(
    simd: S,
    activation: Activation,
    [[factor, summand], [gate_factor, gate_summand]]: [[S::f32s; 2]; 2],
    [value, gate]: [S::f32s; 2],
) -> S::f32s {
    let value = multiply_add(simd, value, factor, summand);
    match activation {
        Activation::None => value,
        Activation::Gelu => gelu(simd, value),
        Activation::Glu => {
            simd.mul_f32s(value, sigmoid(simd, multiply_add(simd, gate, gate_factor, gate_summand)))
        }
    }
}

#[inline(always)]
fn finished<S: Simd>(
    simd: S,
    finish: Finish<'_>,
    scale: S::f32s,
    value: S::f32s,
    before: &S::f32s,
) -> S::f32s {
    match finish {
        Finish::Store => value,
        Finish::Add => simd.add_f32s(value, *before),
        Finish::Accumulate { .. } => multiply_add(simd, value, scale, *before),
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
            for (line, affine) in panel.chunks_exact_mut(self.cols).zip(self.affine) {
                let affine = [splat(simd, *affine); 2];
                for value in S::as_mut_simd_f32s(line).0 {
                    *value = activated(simd, self.activation, affine, [*value; 2]);
                }
            }
        }
    }
}
