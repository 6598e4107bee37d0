//! Convolutions over rows and columns, with everything that follows them while the tile is still in the cache.

use pulp::{Simd, WithSimd};

use crate::Result;

use super::context::{Buffer, Context};
use super::cpu::{Cpu, Lines};
use super::map::{FeatureMap, cuts};
use super::math::{gelu, sigmoid};
use super::matrix::{MAX_DEPTH, PackedMatrix};
use super::weights::Tensor;

/// Kernel size and movement along rows and along columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConvShape {
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    /// Zeros before the first row and column; as many as needed follow the last.
    pub(crate) padding: [usize; 2],
    /// Of columns, where they have no stride; a stride of columns must divide the kernel's.
    pub(crate) dilation: usize,
}

impl ConvShape {
    /// One value in, one value out.
    pub(crate) const POINT: Self = Self { kernel: [1, 1], stride: [1, 1], padding: [0, 0], dilation: 1 };

    /// Lines of inputs that the kernel sees along one row: with a stride, one line for every remainder.
    fn phases(&self) -> usize {
        self.stride[1]
    }

    /// Places of each line that the kernel sees.
    fn taps(&self) -> usize {
        self.kernel[1] / self.phases()
    }

    /// Places from one tap to the next.
    fn shift(&self) -> usize {
        if self.stride[1] > 1 { 1 } else { self.dilation }
    }
}

/// What is done to `weights * input + bias`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activation {
    /// Nothing.
    None,
    /// The Gaussian error linear unit.
    Gelu,
    /// The first half of the channels times the sigmoid of the second half.
    Glu,
}

/// Where the results go.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Finish<'a> {
    /// Over what was there.
    Store,
    /// Added to what was there, each channel scaled first.
    Accumulate {
        /// One factor per channel.
        scale: &'a [f32],
    },
    /// Over what was there, plus the same place of another map.
    PlusMap(&'a FeatureMap<'a>),
}

/// A convolution with its weights packed.
#[derive(Debug)]
pub(crate) struct Conv {
    weights: PackedMatrix,
    bias: Vec<f32>,
    in_channels: usize,
    shape: ConvShape,
    cpu: Cpu,
}

impl Conv {
    /// From weights of shape `[out, in, kernel rows, kernel columns]` and one bias per output.
    pub(crate) fn new(cpu: Cpu, weight: &Tensor, bias: Tensor, in_channels: usize, shape: ConvShape) -> Self {
        let [kernel_rows, kernel_cols] = shape.kernel;
        let depth = in_channels * kernel_rows * kernel_cols;
        let (phases, taps) = (shape.phases(), shape.taps());
        let weights = PackedMatrix::new(cpu, bias.data.len(), depth, &weight.data, |k| {
            // The gathered lines come by kernel row, channel, phase and tap.
            let (kernel_row, rest) = (k / (in_channels * kernel_cols), k % (in_channels * kernel_cols));
            let (channel, rest) = (rest / kernel_cols, rest % kernel_cols);
            let kernel_col = rest % taps * phases + rest / taps;
            (channel * kernel_rows + kernel_row) * kernel_cols + kernel_col
        });
        Self { weights, bias: bias.data, in_channels, shape, cpu }
    }

    /// Outputs before the activation.
    pub(crate) fn out_channels(&self) -> usize {
        self.bias.len()
    }

    /// Fills `output`, whose rows and width decide how far the kernel moves.
    ///
    /// # Errors
    /// `Cancelled`.
    pub(crate) fn run(
        &self,
        context: &Context<'_>,
        input: &FeatureMap<'_>,
        activation: Activation,
        finish: Finish<'_>,
        output: &mut FeatureMap<'_>,
    ) -> Result<()> {
        debug_assert_eq!(input.channels, self.in_channels);
        let block = self.block_cols(output.width);
        let (row_cuts, col_cuts) = (cuts(output.rows, 1), cuts(output.width, block));
        output.for_each_tile(context, &row_cuts, &col_cuts, |row, _, mut tile| {
            let (start, width) = (tile.start, tile.width());
            let mut products = self.products(context, input, row as isize, start as isize, width);
            self.activate(&mut products, activation);
            for channel in 0..activation_channels(activation, self.out_channels()) {
                let out = tile.channel(0, channel);
                products.write(channel, finish, Place { row, channel, start }, out);
            }
            Ok(())
        })
    }

    /// Columns of one block: as many panels as keep a block's input and output in half of a common second-level
    /// cache of 1 MiB.
    fn block_cols(&self, width: usize) -> usize {
        let cols = self.cpu.tile().cols;
        let panel_values = cols * (self.weights.padded_rows() + self.weights.depth.min(MAX_DEPTH));
        let panels = ((1 << 17) / panel_values).clamp(1, 8);
        panels.min(width.div_ceil(cols)).max(1) * cols
    }

    /// Weights times input, without bias, for `width` positions from column `start` of one row of positions.
    fn products<'c>(
        &self,
        context: &Context<'c>,
        input: &FeatureMap<'_>,
        row: isize,
        start: isize,
        width: usize,
    ) -> Products<'c> {
        let cols = self.cpu.tile().cols;
        let panels = width.div_ceil(cols);
        let padded_rows = self.weights.padded_rows();
        let mut values = context.buffer(panels * padded_rows * cols);
        let (taps, shift) = (self.shape.taps(), self.shape.shift());
        let length = panels * cols + (taps - 1) * shift;
        let (lines, lines_at_once) = (self.weights.depth / taps, (MAX_DEPTH / taps).max(1));
        let mut gathered = context.buffer(lines.min(lines_at_once) * length);
        for from in (0..lines).step_by(lines_at_once) {
            let gathered = &mut gathered[..lines_at_once.min(lines - from) * length];
            self.cpu.run(Gather { conv: self, input, from, row, start, length, lines: &mut *gathered });
            let lines = Lines { values: gathered, length, taps, shift };
            self.weights.multiply(self.cpu, from * taps, lines, &mut values);
        }
        Products { values, cols, padded_rows }
    }

    fn activate(&self, products: &mut Products<'_>, activation: Activation) {
        let Products { values, cols, padded_rows } = products;
        self.cpu.run(Activate {
            values: &mut *values,
            cols: *cols,
            padded_rows: *padded_rows,
            bias: &self.bias,
            activation,
        });
    }
}

/// Channels left after the activation.
fn activation_channels(activation: Activation, channels: usize) -> usize {
    if activation == Activation::Glu { channels / 2 } else { channels }
}

/// The lines of inputs from number `from` on that `conv` sees from column `start` of one row of positions.
struct Gather<'a> {
    conv: &'a Conv,
    input: &'a FeatureMap<'a>,
    from: usize,
    row: isize,
    start: isize,
    length: usize,
    lines: &'a mut [f32],
}

impl WithSimd for Gather<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { conv, input, from, row, start, length, lines } = self;
        let shape = &conv.shape;
        let phases = shape.phases();
        for (index, line) in (from..).zip(lines.chunks_exact_mut(length)) {
            let (kernel_row, rest) =
                (index / (conv.in_channels * phases), index % (conv.in_channels * phases));
            let (channel, phase) = (rest / phases, rest % phases);
            let in_row = row * shape.stride[0] as isize + kernel_row as isize - shape.padding[0] as isize;
            let source = match usize::try_from(in_row) {
                Ok(in_row) if in_row < input.rows => input.channel(in_row, channel),
                _ => &[],
            };
            let first = start * shape.stride[1] as isize + phase as isize - shape.padding[1] as isize;
            gather_line::<S>(source, first, shape.stride[1], line);
        }
    }
}

/// `out[n] = source[first + n * stride]`, zero outside.
#[inline(always)]
fn gather_line<S: Simd>(source: &[f32], first: isize, stride: usize, out: &mut [f32]) {
    // Outputs before the first input, and outputs up to the last one.
    let before = first.min(0).unsigned_abs().div_ceil(stride).min(out.len());
    let inside =
        (source.len() as isize - first).max(0).unsigned_abs().div_ceil(stride).clamp(before, out.len());
    out[..before].fill(0.0);
    out[inside..].fill(0.0);
    if before == inside {
        return;
    }
    let source = &source[(first + (before * stride) as isize) as usize..];
    let out = &mut out[before..inside];
    if stride == 1 {
        // Vector by vector: a call would cost as much as the few values it copies.
        let source = &source[..out.len()];
        let (out, out_tail) = S::as_mut_simd_f32s(out);
        let (source, source_tail) = S::as_simd_f32s(source);
        out.iter_mut().zip(source).for_each(|(out, value)| *out = *value);
        out_tail.copy_from_slice(source_tail);
    } else {
        out.iter_mut().zip(source.iter().step_by(stride)).for_each(|(out, value)| *out = *value);
    }
}

/// A block of results: panels of `cols` positions, in each one line per row of the weights.
struct Products<'a> {
    values: Buffer<'a>,
    cols: usize,
    padded_rows: usize,
}

impl Products<'_> {
    /// The parts of one line, panel by panel.
    fn line(&self, line: usize) -> impl Iterator<Item = &[f32]> {
        self.values
            .chunks_exact(self.padded_rows * self.cols)
            .map(move |panel| &panel[line * self.cols..][..self.cols])
    }

    /// Finishes line `line` of the block into the place `out`.
    fn write(&self, line: usize, finish: Finish<'_>, place: Place, out: &mut [f32]) {
        let parts = out.chunks_mut(self.cols).zip(self.line(line));
        match finish {
            Finish::Store => parts.for_each(|(out, part)| out.copy_from_slice(&part[..out.len()])),
            Finish::Accumulate { scale } => {
                let scale = scale[place.channel];
                parts.for_each(|(out, part)| {
                    out.iter_mut().zip(part).for_each(|(out, value)| *out += scale * value);
                });
            }
            Finish::PlusMap(map) => {
                let other = &map.channel(place.row, place.channel)[place.start..];
                parts.zip(other.chunks(self.cols)).for_each(|((out, part), other)| {
                    for ((out, value), other) in out.iter_mut().zip(part).zip(other) {
                        *out = value + other;
                    }
                });
            }
        }
    }
}

/// Where in a map a stretch of one channel lies.
#[derive(Debug, Clone, Copy)]
struct Place {
    row: usize,
    channel: usize,
    start: usize,
}

/// Bias and activation over a whole block, in place.
struct Activate<'a> {
    values: &'a mut [f32],
    cols: usize,
    padded_rows: usize,
    bias: &'a [f32],
    activation: Activation,
}

impl WithSimd for Activate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for panel in self.values.chunks_exact_mut(self.padded_rows * self.cols) {
            match self.activation {
                Activation::None => {
                    for (line, &bias) in panel.chunks_exact_mut(self.cols).zip(self.bias) {
                        let bias = simd.splat_f32s(bias);
                        for value in S::as_mut_simd_f32s(line).0 {
                            *value = simd.add_f32s(*value, bias);
                        }
                    }
                }
                Activation::Gelu => {
                    for (line, &bias) in panel.chunks_exact_mut(self.cols).zip(self.bias) {
                        let bias = simd.splat_f32s(bias);
                        for value in S::as_mut_simd_f32s(line).0 {
                            *value = gelu(simd, simd.add_f32s(*value, bias));
                        }
                    }
                }
                Activation::Glu => {
                    let half = self.bias.len() / 2;
                    let (values, gates) = panel.split_at_mut(half * self.cols);
                    let biases = self.bias[..half].iter().zip(&self.bias[half..]);
                    let lines = values.chunks_exact_mut(self.cols).zip(gates.chunks_exact(self.cols));
                    for ((values, gates), (&bias, &gate_bias)) in lines.zip(biases) {
                        let (bias, gate_bias) = (simd.splat_f32s(bias), simd.splat_f32s(gate_bias));
                        let gates = S::as_simd_f32s(gates).0;
                        for (value, &gate) in S::as_mut_simd_f32s(values).0.iter_mut().zip(gates) {
                            let gate = sigmoid(simd, simd.add_f32s(gate, gate_bias));
                            *value = simd.mul_f32s(simd.add_f32s(*value, bias), gate);
                        }
                    }
                }
            }
        }
    }
}

/// A transposed convolution along one axis whose kernel is twice its stride, cropped at both ends.
///
/// With stride `s`, output `s i + p` hears input `i` through tap `p` and input `i - 1` through tap `p + s` only:
/// that is a convolution with two taps and `s` times the channels whose results are laid side by side.
#[derive(Debug)]
pub(crate) struct TransposedConv {
    conv: Conv,
    stride: usize,
    crop: usize,
    axis: Axis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Axis {
    Rows,
    Columns,
}

impl TransposedConv {
    /// Along the rows, from weights of shape `[in, out, 2 stride, 1]`; `crop` rows go at either end.
    pub(crate) fn over_rows(cpu: Cpu, weight: &Tensor, bias: &Tensor, stride: usize, crop: usize) -> Self {
        Self::new(cpu, weight, bias, stride, crop, Axis::Rows)
    }

    /// Along the columns, from weights of shape `[in, out, 2 stride]`; `crop` columns go at the start, and at
    /// the end what is beyond the output.
    pub(crate) fn over_columns(cpu: Cpu, weight: &Tensor, bias: &Tensor, stride: usize, crop: usize) -> Self {
        Self::new(cpu, weight, bias, stride, crop, Axis::Columns)
    }

    fn new(cpu: Cpu, weight: &Tensor, bias: &Tensor, stride: usize, crop: usize, axis: Axis) -> Self {
        let (in_channels, out_channels) = (weight.shape[0], weight.shape[1]);
        let kernel = 2 * stride;
        let shape = match axis {
            Axis::Rows => ConvShape { kernel: [2, 1], padding: [1, 0], ..ConvShape::POINT },
            Axis::Columns => ConvShape { kernel: [1, 2], padding: [0, 1], ..ConvShape::POINT },
        };
        let mut taps = Vec::with_capacity(weight.data.len());
        let mut biases = Vec::with_capacity(stride * out_channels);
        for channel in 0..out_channels {
            for phase in 0..stride {
                biases.push(bias.data[channel]);
                for input in 0..in_channels {
                    let at = (input * out_channels + channel) * kernel + phase;
                    taps.extend([weight.data[at + stride], weight.data[at]]);
                }
            }
        }
        let taps = Tensor { shape: vec![stride * out_channels, in_channels, 2], data: taps };
        let biases = Tensor { shape: vec![biases.len()], data: biases };
        Self { conv: Conv::new(cpu, &taps, biases, in_channels, shape), stride, crop, axis }
    }

    /// Outputs per place.
    pub(crate) fn out_channels(&self) -> usize {
        self.conv.out_channels() / self.stride
    }

    /// Fills `output`.
    ///
    /// # Errors
    /// `Cancelled`.
    pub(crate) fn run(
        &self,
        context: &Context<'_>,
        input: &FeatureMap<'_>,
        activation: Activation,
        finish: Finish<'_>,
        output: &mut FeatureMap<'_>,
    ) -> Result<()> {
        match self.axis {
            Axis::Rows => self.run_rows(context, input, activation, finish, output),
            Axis::Columns => self.run_columns(context, input, activation, finish, output),
        }
    }

    fn run_rows(
        &self,
        context: &Context<'_>,
        input: &FeatureMap<'_>,
        activation: Activation,
        finish: Finish<'_>,
        output: &mut FeatureMap<'_>,
    ) -> Result<()> {
        let row_cuts = shifted_cuts(output.rows, self.stride, self.crop);
        let col_cuts = cuts(output.width, self.conv.block_cols(output.width));
        let channels = output.channels;
        output.for_each_tile(context, &row_cuts, &col_cuts, |index, _, mut tile| {
            let (start, width, top) = (tile.start, tile.width(), row_cuts[index]);
            let position = (top + self.crop) / self.stride;
            let mut products = self.conv.products(context, input, position as isize, start as isize, width);
            self.conv.activate(&mut products, activation);
            for row in 0..tile.rows() {
                let phase = (top + row + self.crop) % self.stride;
                for channel in 0..channels {
                    let out = tile.channel(row, channel);
                    let place = Place { row: top + row, channel, start };
                    products.write(channel * self.stride + phase, finish, place, out);
                }
            }
            Ok(())
        })
    }

    fn run_columns(
        &self,
        context: &Context<'_>,
        input: &FeatureMap<'_>,
        activation: Activation,
        finish: Finish<'_>,
        output: &mut FeatureMap<'_>,
    ) -> Result<()> {
        let block = self.conv.block_cols(output.width.div_ceil(self.stride));
        let row_cuts = cuts(output.rows, 1);
        let col_cuts = shifted_cuts(output.width, self.stride * block, self.crop);
        let channels = output.channels;
        output.for_each_tile(context, &row_cuts, &col_cuts, |row, _, mut tile| {
            let (start, width) = (tile.start, tile.width());
            let first = (start + self.crop) / self.stride;
            let skipped = (start + self.crop) % self.stride;
            let positions = (skipped + width).div_ceil(self.stride);
            let mut products = self.conv.products(context, input, row as isize, first as isize, positions);
            self.conv.activate(&mut products, activation);
            for channel in 0..channels {
                self.interleave(&products, channel, skipped, tile.channel(0, channel));
                add_finish(finish, row, channel, start, tile.channel(0, channel));
            }
            Ok(())
        })
    }

    /// Lays the phases of one channel side by side, leaving out the first `skipped` values.
    fn interleave(&self, products: &Products<'_>, channel: usize, skipped: usize, out: &mut [f32]) {
        for phase in 0..self.stride {
            let values = products.line(channel * self.stride + phase).flatten();
            let first = (phase + self.stride - skipped) % self.stride;
            let late = usize::from(phase < skipped);
            let places = out.iter_mut().skip(first).step_by(self.stride);
            for (out, value) in places.zip(values.skip(late)) {
                *out = *value;
            }
        }
    }
}

/// What [`Finish`] asks for beyond storing.
fn add_finish(finish: Finish<'_>, row: usize, channel: usize, start: usize, out: &mut [f32]) {
    if let Finish::PlusMap(map) = finish {
        let other = &map.channel(row, channel)[start..];
        out.iter_mut().zip(other).for_each(|(out, other)| *out += other);
    }
}

/// The cuts at 0 and `end` and at every `n * step - shift` between them.
fn shifted_cuts(end: usize, step: usize, shift: usize) -> Vec<usize> {
    let inner = (1..).map(|n| n * step - shift).take_while(|&cut| cut < end);
    std::iter::once(0).chain(inner.filter(|&cut| cut > 0)).chain([end]).collect()
}
