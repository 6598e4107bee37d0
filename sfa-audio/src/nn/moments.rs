//! What the outputs of a layer add up to, without computing them.
//!
//! With outputs `W x` at every place, the sum of their squares is that of the products of two tables, `Wᵀ W` and the sum
//! of `x xᵀ` over all places. The first is known as soon as the weights are; the second is small where a layer widens.
//! A bias is the weight of an input that is always 1.

use pulp::{Simd, WithSimd};

use crate::Result;

use super::context::Context;
use super::cpu::Cpu;
use super::map::{FeatureMap, cuts};

/// Lines whose products are summed up in registers at once.
const BLOCK: usize = 4;
/// Values of double precision that stay in the second-level cache.
const CACHED_VALUES: usize = 1 << 15;
/// Columns of one item of work.
const STRETCH_COLS: usize = 1 << 13;
/// A multiple of the lanes of every vector.
const MOST_LANES: usize = 8;

/// How to find the sum and the sum of squares of all outputs of a linear layer from its inputs.
#[derive(Debug)]
pub(crate) struct OutputMoments {
    /// Products of weights, as [`Products`] lays them out; those that stand for two are doubled.
    squares: Vec<f64>,
    /// The sums of all weights of each input, that of the bias last.
    sums: Vec<f64>,
}

impl OutputMoments {
    /// Of the layer with the weights `[outputs, inputs]` and one bias per output.
    pub(crate) fn new(cpu: Cpu, weight: &[f32], bias: &[f32]) -> Self {
        let (outputs, inputs) = (bias.len(), weight.len() / bias.len());
        let mut lines: Vec<f32> = Vec::with_capacity((inputs + 1) * outputs);
        for input in 0..inputs {
            lines.extend(weight[input..].iter().step_by(inputs));
        }
        lines.extend(bias);
        let lines: Vec<&[f32]> = lines.chunks_exact(outputs).collect();
        let sums = lines.iter().map(|line| line.iter().map(|&value| f64::from(value)).sum()).collect();
        let mut squares = cpu.run(Products(&lines));
        let side = side(lines.len());
        for (row, squares) in squares.chunks_exact_mut(side).enumerate() {
            squares[..row / BLOCK * BLOCK].iter_mut().for_each(|value| *value *= 2.0);
        }
        Self { squares, sums }
    }

    /// Sum and sum of squares of all outputs of each row of `input`.
    ///
    /// # Errors
    /// `Cancelled`.
    pub(crate) fn of_rows(&self, context: &Context<'_>, input: &FeatureMap<'_>) -> Result<Vec<[f64; 2]>> {
        let ones = vec![1.0; STRETCH_COLS.min(input.width)];
        let cuts = cuts(input.width, STRETCH_COLS);
        let stretches = cuts.len() - 1;
        let mut found = vec![[0.0; 2]; input.rows * stretches];
        context.for_each(
            found.iter_mut().enumerate().collect(),
            |(item, found): (usize, &mut [f64; 2])| {
                let (row, stretch) = (item / stretches, item % stretches);
                let (start, end) = (cuts[stretch], cuts[stretch + 1]);
                let lines = (0..input.channels).map(|channel| &input.channel(row, channel)[start..end]);
                let lines: Vec<&[f32]> = lines.chain([&ones[..end - start]]).collect();
                let products = context.cpu.run(Products(&lines));
                // The products with the ones are the sums of the inputs.
                let inputs = &products[input.channels * side(lines.len())..];
                let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum();
                *found = [dot(&self.sums, inputs), dot(&self.squares, &products)];
                Ok(())
            },
        )?;
        let total = |found: &[[f64; 2]]| {
            found.iter().fold([0.0; 2], |sum, found| [sum[0] + found[0], sum[1] + found[1]])
        };
        Ok(found.chunks_exact(stretches).map(total).collect())
    }
}

/// Lines of a table of `count` lines with itself.
fn side(count: usize) -> usize {
    count.next_multiple_of(BLOCK)
}

/// The scalar products of all lines with each other, block by block of the lower left half, the diagonal blocks
/// whole; what lies above and what fills up the last block is zero.
struct Products<'a>(&'a [&'a [f32]]);

impl WithSimd for Products<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f64> {
        let side = side(self.0.len());
        let length = self.0.first().map_or(0, |line| line.len());
        let cols =
            (CACHED_VALUES / side).next_multiple_of(MOST_LANES).min(length.next_multiple_of(MOST_LANES));
        let mut table = vec![0.0; side * side];
        let mut values = vec![0.0; side * cols];
        for start in (0..length).step_by(cols.max(1)) {
            let width = cols.min(length - start);
            for (line, out) in self.0.iter().zip(values.chunks_exact_mut(cols)) {
                for (out, &value) in out.iter_mut().zip(&line[start..start + width]) {
                    *out = f64::from(value);
                }
                out[width..].fill(0.0);
            }
            for (row, first) in values.chunks_exact(BLOCK * cols).enumerate() {
                for (col, second) in values.chunks_exact(BLOCK * cols).take(row + 1).enumerate() {
                    let sums = block(simd, first, second, cols);
                    for (line, sums) in sums.iter().enumerate() {
                        let out = &mut table[(row * BLOCK + line) * side + col * BLOCK..][..BLOCK];
                        out.iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
                    }
                }
            }
        }
        table
    }
}

/// The scalar products of two blocks of lines of `cols` values.
#[inline(always)]
fn block<S: Simd>(simd: S, first: &[f64], second: &[f64], cols: usize) -> [[f64; BLOCK]; BLOCK] {
    let length = cols / S::F64_LANES;
    let (first, second) = (S::as_simd_f64s(first).0, S::as_simd_f64s(second).0);
    let first: [&[S::f64s]; BLOCK] = std::array::from_fn(|line| &first[line * length..][..length]);
    let second: [&[S::f64s]; BLOCK] = std::array::from_fn(|line| &second[line * length..][..length]);
    let mut sums = [[simd.splat_f64s(0.0); BLOCK]; BLOCK];
    for col in 0..length {
        for row in 0..BLOCK {
            for line in 0..BLOCK {
                let (a, b) = (first[row][col], second[line][col]);
                sums[row][line] = if S::IS_SCALAR {
                    simd.add_f64s(simd.mul_f64s(a, b), sums[row][line])
                } else {
                    simd.mul_add_f64s(a, b, sums[row][line])
                };
            }
        }
    }
    let mut reduced = [[0.0; BLOCK]; BLOCK];
    for row in 0..BLOCK {
        for line in 0..BLOCK {
            reduced[row][line] = simd.reduce_sum_f64s(sums[row][line]);
        }
    }
    reduced
}
