//! Normalisation over groups of channels (Y. Wu, K. He, "Group Normalization", 2018) and over the channels of one
//! token (J. L. Ba et al., "Layer Normalization", 2016).

use pulp::{Simd, WithSimd};

use crate::Result;

use super::context::Context;
use super::cpu::multiply_add;
use super::map::{FeatureMap, Tile, cuts};
use super::math::{gelu, sigmoid};
use super::weights::Tensor;

const EPSILON: f64 = 1e-5;

/// Which values share one mean and one deviation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    /// Those of one row.
    EachRow,
    /// Those of all rows.
    AllRows,
}

/// Group normalisation with a gain and an offset per channel.
#[derive(Debug)]
pub(crate) struct GroupNorm {
    gain: Vec<f32>,
    offset: Vec<f32>,
    groups: usize,
    over: Over,
}

/// What follows a normalisation at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// Nothing.
    Nothing,
    /// The Gaussian error linear unit.
    Gelu,
}

impl GroupNorm {
    /// From one gain and one offset per channel; `groups` divides their number.
    pub(crate) fn new(gain: Tensor, offset: Tensor, groups: usize, over: Over) -> Self {
        Self { gain: gain.data, offset: offset.data, groups, over }
    }

    /// Normalises in place.
    ///
    /// # Errors
    /// `Cancelled`.
    pub(crate) fn run(&self, context: &Context<'_>, map: &mut FeatureMap<'_>, then: Then) -> Result<()> {
        let affine = self.affine(context, map)?;
        let (channels, width) = (map.channels, map.width);
        let lines_per_item = if map.rows > 1 { channels } else { 1 };
        let items = map.data.chunks_mut(lines_per_item * width).enumerate().collect();
        context.for_each(items, |(item, lines)| {
            let affine = &affine[item * lines_per_item..];
            context.cpu.run(Line { affine, width, lines, then });
            Ok(())
        })
    }

    /// Normalises `map` and writes to `output` what of its first half of channels passes the gates of the second half:
    /// `a * sigmoid(b)`.
    ///
    /// # Errors
    /// `Cancelled`.
    pub(crate) fn run_gated(
        &self,
        context: &Context<'_>,
        map: &FeatureMap<'_>,
        output: &mut FeatureMap<'_>,
    ) -> Result<()> {
        let affine = self.affine(context, map)?;
        let (half, width) = (output.channels, output.width);
        let lines_per_item = if map.rows > 1 { half } else { 1 };
        let items = output.data.chunks_mut(lines_per_item * width).enumerate().collect();
        context.for_each(items, |(item, lines)| {
            for (index, line) in lines.chunks_exact_mut(width).enumerate() {
                let (row, channel) =
                    ((item * lines_per_item + index) / half, (item * lines_per_item + index) % half);
                context.cpu.run(GatedLine {
                    values: map.channel(row, channel),
                    gates: map.channel(row, channel + half),
                    affine: affine[row * 2 * half + channel],
                    gate_affine: affine[row * 2 * half + half + channel],
                    out: line,
                });
            }
            Ok(())
        })
    }

    /// Factor and summand of every channel of every row, of a norm of single rows in one group, from the sums and sums of
    /// squares of all values of each row.
    pub(crate) fn affine_of_rows(&self, totals: &[[f64; 2]], width: usize) -> Vec<[f32; 2]> {
        debug_assert!(self.over == Over::EachRow && self.groups == 1);
        let count = (self.gain.len() * width) as f64;
        let of_row = |total| (0..self.gain.len()).map(move |channel| self.line(channel, total, count));
        totals.iter().flat_map(|&total| of_row(total)).collect()
    }

    /// Factor and summand of one channel whose group has so many values with this sum and sum of squares.
    fn line(&self, channel: usize, [sum, squares]: [f64; 2], count: f64) -> [f32; 2] {
        let mean = sum / count;
        let factor = 1.0 / ((squares / count - mean * mean).max(0.0) + EPSILON).sqrt();
        let gain = f64::from(self.gain[channel]) * factor;
        [gain as f32, (f64::from(self.offset[channel]) - mean * gain) as f32]
    }

    /// Factor and summand of every channel of every row.
    fn affine(&self, context: &Context<'_>, map: &FeatureMap<'_>) -> Result<Vec<[f32; 2]>> {
        let sums = sums(context, map)?;
        let group = map.channels / self.groups;
        let rows_at_once = if self.over == Over::AllRows { map.rows } else { 1 };
        let mut affine = vec![[0.0; 2]; map.rows * map.channels];
        for rows in (0..map.rows).step_by(rows_at_once) {
            for first in (0..map.channels).step_by(group) {
                let members = || {
                    (rows..rows + rows_at_once).flat_map(|row| {
                        (first..first + group).map(move |channel| row * map.channels + channel)
                    })
                };
                let total =
                    members().fold([0.0; 2], |sum, line| [sum[0] + sums[line][0], sum[1] + sums[line][1]]);
                let count = (rows_at_once * group * map.width) as f64;
                for line in members() {
                    affine[line] = self.line(line % map.channels, total, count);
                }
            }
        }
        Ok(affine)
    }
}

/// The Gaussian error linear unit of every value.
///
/// # Errors
/// `Cancelled`.
pub(crate) fn gelu_in_place(context: &Context<'_>, map: &mut FeatureMap<'_>) -> Result<()> {
    let width = map.width;
    context.for_each(map.data.chunks_mut(map.channels * width).collect(), |lines| {
        for lines in lines.chunks_mut(width) {
            context.cpu.run(Line { affine: &[[1.0, 0.0]], width, lines, then: Then::Gelu });
        }
        Ok(())
    })
}

/// Sum and sum of squares of every channel of every row.
fn sums(context: &Context<'_>, map: &FeatureMap<'_>) -> Result<Vec<[f64; 2]>> {
    let mut sums = vec![[0.0; 2]; map.rows * map.channels];
    let lines_per_item = if map.rows > 1 { map.channels } else { 1 };
    let items = sums.chunks_mut(lines_per_item).zip(map.data.chunks(lines_per_item * map.width)).collect();
    context.for_each(items, |(sums, lines): (&mut [[f64; 2]], &[f32])| {
        for (sum, line) in sums.iter_mut().zip(lines.chunks_exact(map.width)) {
            *sum = context.cpu.run(Sums(line));
        }
        Ok(())
    })?;
    Ok(sums)
}

/// Mean and deviation (with n - 1) of a whole map.
///
/// # Errors
/// `Cancelled`.
pub(crate) fn mean_and_std(context: &Context<'_>, map: &FeatureMap<'_>) -> Result<[f64; 2]> {
    let total = sums(context, map)?.iter().fold([0.0; 2], |sum, line| [sum[0] + line[0], sum[1] + line[1]]);
    let count = map.data.len() as f64;
    let mean = total[0] / count;
    Ok([mean, ((total[1] - mean * total[0]).max(0.0) / (count - 1.0)).sqrt()])
}

/// Values that are summed up in single precision: so few that hardly anything is lost.
const FEW_VALUES: usize = 256;

struct Sums<'a>(&'a [f32]);

impl WithSimd for Sums<'_> {
    type Output = [f64; 2];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> [f64; 2] {
        let mut total = [0.0; 2];
        for values in self.0.chunks(FEW_VALUES) {
            let (values, tail) = S::as_simd_f32s(values);
            let mut sums = simd.partial_load_f32s(tail);
            let mut squares = simd.mul_f32s(sums, sums);
            for value in values {
                sums = simd.add_f32s(sums, *value);
                squares = multiply_add(simd, *value, *value, squares);
            }
            total[0] += f64::from(simd.reduce_sum_f32s(sums));
            total[1] += f64::from(simd.reduce_sum_f32s(squares));
        }
        total
    }
}

struct Line<'a> {
    affine: &'a [[f32; 2]],
    width: usize,
    lines: &'a mut [f32],
    then: Then,
}

impl WithSimd for Line<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (line, [factor, summand]) in self.lines.chunks_exact_mut(self.width).zip(self.affine) {
            let affine = [simd.splat_f32s(*factor), simd.splat_f32s(*summand)];
            let (body, tail) = S::as_mut_simd_f32s(line);
            for value in body {
                *value = finished(simd, *value, affine, self.then);
            }
            let value = finished(simd, simd.partial_load_f32s(tail), affine, self.then);
            simd.partial_store_f32s(tail, value);
        }
    }
}

// Closures would not be compiled for the instruction set of their caller: hence a function here and below.
#[inline(always)]
fn finished<S: Simd>(simd: S, value: S::f32s, [factor, summand]: [S::f32s; 2], then: Then) -> S::f32s {
    let value = multiply_add(simd, value, factor, summand);
    if then == Then::Gelu { gelu(simd, value) } else { value }
}

struct GatedLine<'a> {
    values: &'a [f32],
    gates: &'a [f32],
    affine: [f32; 2],
    gate_affine: [f32; 2],
    out: &'a mut [f32],
}

impl WithSimd for GatedLine<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let affine = [simd.splat_f32s(self.affine[0]), simd.splat_f32s(self.affine[1])];
        let gate_affine = [simd.splat_f32s(self.gate_affine[0]), simd.splat_f32s(self.gate_affine[1])];
        let (values, values_tail) = S::as_simd_f32s(self.values);
        let (gates, gates_tail) = S::as_simd_f32s(self.gates);
        let (out, out_tail) = S::as_mut_simd_f32s(self.out);
        for ((out, value), gate) in out.iter_mut().zip(values).zip(gates) {
            *out = gated(simd, [affine, gate_affine], *value, *gate);
        }
        let (value, gate) = (simd.partial_load_f32s(values_tail), simd.partial_load_f32s(gates_tail));
        simd.partial_store_f32s(out_tail, gated(simd, [affine, gate_affine], value, gate));
    }
}

#[inline(always)]
fn gated<S: Simd>(simd: S, affine: [[S::f32s; 2]; 2], value: S::f32s, gate: S::f32s) -> S::f32s {
    let [[factor, summand], [gate_factor, gate_summand]] = affine;
    let gate = sigmoid(simd, multiply_add(simd, gate, gate_factor, gate_summand));
    simd.mul_f32s(multiply_add(simd, value, factor, summand), gate)
}

/// Layer normalisation of every token (column) over its channels.
#[derive(Debug)]
pub(crate) struct LayerNorm {
    gain: Vec<f32>,
    offset: Vec<f32>,
}

impl LayerNorm {
    /// From one gain and one offset per channel.
    pub(crate) fn new(gain: Tensor, offset: Tensor) -> Self {
        Self { gain: gain.data, offset: offset.data }
    }

    /// Writes the normalised `input` to `output`, a map of the same shape.
    ///
    /// # Errors
    /// `Cancelled`.
    pub(crate) fn run(
        &self,
        context: &Context<'_>,
        input: &FeatureMap<'_>,
        output: &mut FeatureMap<'_>,
    ) -> Result<()> {
        let (row_cuts, col_cuts) = (cuts(output.rows, 1), cuts(output.width, BLOCK_COLS));
        output.for_each_tile(context, &row_cuts, &col_cuts, |row, _, mut tile| {
            context.cpu.run(Tokens { norm: self, input, row, tile: &mut tile });
            Ok(())
        })
    }
}

/// Tokens of one item of work.
const BLOCK_COLS: usize = 128;
/// Vectors of tokens whose sums stay in registers.
const VECTORS: usize = 4;

/// The tokens of one tile, some vectors of them at a time.
struct Tokens<'a, 'b> {
    norm: &'a LayerNorm,
    input: &'a FeatureMap<'a>,
    row: usize,
    tile: &'a mut Tile<'b>,
}

impl WithSimd for Tokens<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { norm, input, row, tile } = self;
        let (start, width, channels) = (tile.start, tile.width(), input.channels);
        let count = simd.splat_f32s(channels as f32);
        let one = simd.splat_f32s(1.0);
        for first in (0..width).step_by(VECTORS * S::F32_LANES) {
            let end = width.min(first + VECTORS * S::F32_LANES);
            let mut mean = [simd.splat_f32s(0.0); VECTORS];
            for channel in 0..channels {
                let values = load(simd, &input.channel(row, channel)[start + first..start + end]);
                for (sum, x) in mean.iter_mut().zip(values) {
                    *sum = simd.add_f32s(*sum, x);
                }
            }
            for sum in &mut mean {
                *sum = simd.div_f32s(*sum, count);
            }
            let mut factor = [simd.splat_f32s(0.0); VECTORS];
            for channel in 0..channels {
                let values = load(simd, &input.channel(row, channel)[start + first..start + end]);
                for ((sum, x), mean) in factor.iter_mut().zip(values).zip(mean) {
                    let distance = simd.sub_f32s(x, mean);
                    *sum = multiply_add(simd, distance, distance, *sum);
                }
            }
            for sum in &mut factor {
                let variance = simd.add_f32s(simd.div_f32s(*sum, count), simd.splat_f32s(EPSILON as f32));
                *sum = simd.div_f32s(one, simd.sqrt_f32s(variance));
            }
            for channel in 0..channels {
                let values = load(simd, &input.channel(row, channel)[start + first..start + end]);
                let (gain, offset) =
                    (simd.splat_f32s(norm.gain[channel]), simd.splat_f32s(norm.offset[channel]));
                let out = tile.channel(0, channel)[first..end].chunks_mut(S::F32_LANES);
                for ((out, x), (mean, factor)) in out.zip(values).zip(mean.iter().zip(&factor)) {
                    let normed = simd.mul_f32s(simd.sub_f32s(x, *mean), *factor);
                    simd.partial_store_f32s(out, multiply_add(simd, normed, gain, offset));
                }
            }
        }
    }
}

/// Up to [`VECTORS`] vectors of values, and zeros after them.
#[inline(always)]
fn load<S: Simd>(simd: S, values: &[f32]) -> [S::f32s; VECTORS] {
    let mut loaded = [simd.splat_f32s(0.0); VECTORS];
    for (loaded, values) in loaded.iter_mut().zip(values.chunks(S::F32_LANES)) {
        *loaded = simd.partial_load_f32s(values);
    }
    loaded
}
