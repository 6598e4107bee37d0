//! Kernels of three rows, four rows of outputs at a time, with half of the multiplications (S. Winograd, "Arithmetic
//! Complexity of Computations", 1980; A. Lavin, S. Gray, "Fast Algorithms for Convolutional Neural Networks", 2016).
//!
//! Outputs and kernel along the rows are polynomials whose product is known by its values at six points. The points
//! are 0, infinity, `±√½` and `±√2`, whose small powers keep the rounding errors small.

use std::f32::consts::{FRAC_1_SQRT_2, SQRT_2};

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::Result;
use crate::nn::context::{Buffer, Context};
use crate::nn::cpu::{Cpu, Lines, multiply_add};
use crate::nn::map::{FeatureMap, cuts};
use crate::nn::matrix::{MAX_DEPTH, PackedMatrix, Unpacked};

use super::block::Products;
use super::gather::gather_line;
use super::{Activation, Conv, ConvShape, Finish, block_cols, line_length};

const KERNEL_ROWS: usize = 3;
/// Rows of outputs in a band.
const BAND_ROWS: usize = 4;
/// Points, and rows of inputs that a band sees.
const POINTS: usize = BAND_ROWS + KERNEL_ROWS - 1;
/// How many times as wide blocks are as others that take as much memory.
const WIDER: usize = 4;

/// Whether convolutions of this shape are computed in bands.
pub(super) fn suit(shape: ConvShape) -> bool {
    shape.kernel[0] == KERNEL_ROWS && shape.stride == [1, 1]
}

/// The kernel's value at one of the points, divided by the point's distances from the others.
fn kernel_at_point([low, middle, high]: [f64; KERNEL_ROWS], point: usize) -> f64 {
    let at = |place: f64| low + place * (middle + place * high);
    match point {
        0 => low,
        1 => at(0.5_f64.sqrt()) / -1.5,
        2 => at(-(0.5_f64.sqrt())) / -1.5,
        3 => at(2.0_f64.sqrt()) / 6.0,
        4 => at(-(2.0_f64.sqrt())) / 6.0,
        _ => high,
    }
}

/// Packs `channels` of weights `[out, in, 3, kernel_cols]`, one matrix per point.
pub(super) fn pack(
    cpu: Cpu,
    channels: &[usize],
    in_channels: usize,
    kernel_cols: usize,
    weights: &[f32],
) -> Vec<PackedMatrix> {
    let depth = in_channels * kernel_cols;
    let at_point = |point| {
        let mut values = Vec::with_capacity(channels.len() * depth);
        for &channel in channels {
            let kernels = &weights[channel * depth * KERNEL_ROWS..][..depth * KERNEL_ROWS];
            for kernel in kernels.chunks_exact(KERNEL_ROWS * kernel_cols) {
                for col in 0..kernel_cols {
                    let rows = std::array::from_fn(|row| f64::from(kernel[row * kernel_cols + col]));
                    values.push(kernel_at_point(rows, point) as f32);
                }
            }
        }
        PackedMatrix::of_singles(cpu, depth, &values)
    };
    (0..POINTS).into_par_iter().map(at_point).collect()
}

impl Conv {
    pub(super) fn run_in_bands(
        &self,
        context: &Context<'_>,
        input: &FeatureMap<'_>,
        first: usize,
        activation: Activation,
        finish: Finish<'_>,
        output: &mut FeatureMap<'_>,
    ) -> Result<()> {
        let unpacked = self.unpack(context)?;
        // Weights at six points are so many that they stream by, the less often the wider the block.
        let values = POINTS * (self.part_rows() + self.in_channels) / WIDER;
        let block = block_cols(self.cpu, values, output.width);
        let (row_cuts, col_cuts) = (cuts(output.rows, BAND_ROWS), cuts(output.width, block));
        output.for_each_tile(context, &row_cuts, &col_cuts, |band, _, mut tile| {
            let (start, top) = (tile.start, row_cuts[band]);
            let panels = tile.width().div_ceil(self.cpu.tile().cols);
            let seen = BandInput::new(context, self, input, [top as isize, (first + start) as isize], panels);
            for (part, weights) in self.parts.iter().zip(&unpacked) {
                let mut products = weights.iter().enumerate().map(|(point, weights)| {
                    let mut products = Products::new(context, panels, weights.matrix.padded_rows());
                    seen.multiply(self, point, weights, products.values());
                    products
                });
                let mut products: [Products<'_>; POINTS] =
                    std::array::from_fn(|_| products.next().expect("one matrix per point"));
                self.cpu.run(ToRows(products.each_mut().map(Products::values)));
                for (row, products) in products.iter().take(tile.rows()).enumerate() {
                    part.finish(self.cpu, products, activation, finish, row, &mut tile);
                }
            }
            Ok(())
        })
    }
}

/// What a band sees, at every point.
struct BandInput<'a> {
    /// Per point and channel one line.
    lines: Buffer<'a>,
    length: usize,
}

impl<'a> BandInput<'a> {
    fn new(
        context: &Context<'a>,
        conv: &Conv,
        input: &FeatureMap<'_>,
        [top, start]: [isize; 2],
        panels: usize,
    ) -> Self {
        let overhang = (conv.shape.taps() - 1) * conv.shape.shift();
        let length = line_length(panels * conv.cpu.tile().cols + overhang);
        let mut lines = context.buffer(POINTS * conv.in_channels * length);
        let mut raw = context.buffer(POINTS * length);
        let [top, start] = [top - conv.shape.padding[0] as isize, start - conv.shape.padding[1] as isize];
        conv.cpu.run(ToPoints { input, top, start, length, raw: &mut raw, lines: &mut lines });
        Self { lines, length }
    }

    fn multiply(&self, conv: &Conv, point: usize, weights: &Unpacked<'_>, out: &mut [f32]) {
        let (taps, shift) = (conv.shape.taps(), conv.shape.shift());
        let lines = &self.lines[point * conv.in_channels * self.length..][..conv.in_channels * self.length];
        let at_once = (MAX_DEPTH / taps).max(1);
        for (stretch, values) in lines.chunks(at_once * self.length).enumerate() {
            let lines = Lines { values, length: self.length, taps, shift };
            weights.multiply(conv.cpu, stretch * at_once * taps, lines, out);
        }
    }
}

/// From six rows of inputs to their values at the points, channel by channel.
struct ToPoints<'a> {
    input: &'a FeatureMap<'a>,
    top: isize,
    start: isize,
    length: usize,
    raw: &'a mut [f32],
    lines: &'a mut [f32],
}

impl WithSimd for ToPoints<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { input, top, start, length, raw, lines } = self;
        let (minus_half, minus_two, minus_sum) =
            (simd.splat_f32s(-0.5), simd.splat_f32s(-2.0), simd.splat_f32s(-2.5));
        let (inner, outer) = (simd.splat_f32s(FRAC_1_SQRT_2), simd.splat_f32s(SQRT_2));
        let mut planes = lines.chunks_exact_mut(input.channels * length);
        let mut planes: [&mut [f32]; POINTS] = std::array::from_fn(|_| planes.next().unwrap_or_default());
        for channel in 0..input.channels {
            for (row, line) in (top..).zip(raw.chunks_exact_mut(length)) {
                let source = match usize::try_from(row) {
                    Ok(row) if row < input.rows => input.channel(row, channel),
                    _ => &[],
                };
                gather_line::<S>(source, start, 1, line);
            }
            let mut rows = raw.chunks_exact(length).map(|line| S::as_simd_f32s(line).0);
            let rows: [&[S::f32s]; POINTS] = std::array::from_fn(|_| rows.next().unwrap_or_default());
            let out = planes
                .each_mut()
                .map(|plane| S::as_mut_simd_f32s(&mut plane[channel * length..][..length]).0);
            for n in 0..length / S::F32_LANES {
                let x = [rows[0][n], rows[1][n], rows[2][n], rows[3][n], rows[4][n], rows[5][n]];
                let even = multiply_add(simd, x[2], minus_two, x[4]);
                let odd = simd.mul_f32s(inner, multiply_add(simd, x[1], minus_two, x[3]));
                let outer_even = multiply_add(simd, x[2], minus_half, x[4]);
                let outer_odd = simd.mul_f32s(outer, multiply_add(simd, x[1], minus_half, x[3]));
                out[0][n] = simd.add_f32s(x[0], multiply_add(simd, x[2], minus_sum, x[4]));
                out[1][n] = simd.add_f32s(even, odd);
                out[2][n] = simd.sub_f32s(even, odd);
                out[3][n] = simd.add_f32s(outer_even, outer_odd);
                out[4][n] = simd.sub_f32s(outer_even, outer_odd);
                out[5][n] = simd.add_f32s(x[1], multiply_add(simd, x[3], minus_sum, x[5]));
            }
        }
    }
}

/// From values at the points to rows of outputs, which take the places of the first four.
struct ToRows<'a>([&'a mut [f32]; POINTS]);

impl WithSimd for ToRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (half, two) = (simd.splat_f32s(0.5), simd.splat_f32s(2.0));
        let (inner, outer) = (simd.splat_f32s(FRAC_1_SQRT_2), simd.splat_f32s(SQRT_2));
        let (inner_cube, outer_cube) = (simd.splat_f32s(0.5 * FRAC_1_SQRT_2), simd.splat_f32s(2.0 * SQRT_2));
        let values = self.0.map(|values| S::as_mut_simd_f32s(values).0);
        for n in 0..values[0].len() {
            let m = [values[0][n], values[1][n], values[2][n], values[3][n], values[4][n], values[5][n]];
            let (even, odd) = (simd.add_f32s(m[1], m[2]), simd.sub_f32s(m[1], m[2]));
            let (outer_even, outer_odd) = (simd.add_f32s(m[3], m[4]), simd.sub_f32s(m[3], m[4]));
            values[0][n] = simd.add_f32s(m[0], simd.add_f32s(even, outer_even));
            values[1][n] = multiply_add(simd, odd, inner, simd.mul_f32s(outer_odd, outer));
            values[2][n] = multiply_add(simd, even, half, simd.mul_f32s(outer_even, two));
            let last = multiply_add(simd, odd, inner_cube, m[5]);
            values[3][n] = multiply_add(simd, outer_odd, outer_cube, last);
        }
    }
}
