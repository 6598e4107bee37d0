//! Transposed convolutions as convolutions whose results are laid side by side.

use crate::Result;
use crate::nn::context::Context;
use crate::nn::cpu::Cpu;
use crate::nn::map::{FeatureMap, cuts};
use crate::nn::weights::Weights;

use super::block::Products;
use super::{Activation, Conv, ConvShape, Finish};

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
    /// Along the rows, from weights of shape `[in, out, 2 stride]`; `crop` rows go at either end.
    pub(crate) fn over_rows(
        cpu: Cpu,
        weights: &Weights<'_>,
        bias: &[f32],
        stride: usize,
        crop: usize,
    ) -> Self {
        Self::new(cpu, weights, bias, stride, crop, Axis::Rows)
    }

    /// Along the columns, from weights of the same shape; `crop` columns go at the start, and at the end what is
    /// beyond the output.
    pub(crate) fn over_columns(
        cpu: Cpu,
        weights: &Weights<'_>,
        bias: &[f32],
        stride: usize,
        crop: usize,
    ) -> Self {
        Self::new(cpu, weights, bias, stride, crop, Axis::Columns)
    }

    fn new(cpu: Cpu, weights: &Weights<'_>, bias: &[f32], stride: usize, crop: usize, axis: Axis) -> Self {
        let (outputs, kernel) = (bias.len(), 2 * stride);
        let inputs = weights.len() / (outputs * kernel);
        let shape = match axis {
            Axis::Rows => ConvShape { kernel: [2, 1], padding: [1, 0], ..ConvShape::POINT },
            Axis::Columns => ConvShape { kernel: [1, 2], padding: [0, 1], ..ConvShape::POINT },
        };
        let taps = (0..outputs * stride).flat_map(|output| {
            let (channel, phase) = (output / stride, output % stride);
            (0..inputs).flat_map(move |input| {
                let at = (input * outputs + channel) * kernel + phase;
                [at + stride, at]
            })
        });
        let biases: Vec<f32> = bias.iter().flat_map(|&bias| std::iter::repeat_n(bias, stride)).collect();
        let conv = Conv::new(cpu, &weights.at(taps), &biases, inputs, shape);
        Self { conv, stride, crop, axis }
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
        let unpacked = self.conv.unpack(context)?;
        let row_cuts = shifted_cuts(output.rows, self.stride, self.crop);
        let col_cuts = cuts(output.width, self.conv.block_cols(output.width));
        output.for_each_tile(context, &row_cuts, &col_cuts, |index, _, mut tile| {
            let (start, width, top) = (tile.start, tile.width(), row_cuts[index]);
            let first_phase = (top + self.crop) % self.stride;
            let place = [((top + self.crop) / self.stride) as isize, start as isize];
            self.conv.for_each_part(context, &unpacked, input, place, width, |part, products| {
                let rows = tile.rows();
                let place = |line: usize| {
                    let at = part.channels[line];
                    let row = (at % self.stride + self.stride - first_phase) % self.stride;
                    (row < rows).then_some([row, at / self.stride])
                };
                products.finish(context.cpu, &part.affine, activation, finish, place, &mut tile);
            });
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
        let unpacked = self.conv.unpack(context)?;
        let block = self.conv.block_cols(output.width.div_ceil(self.stride));
        let row_cuts = cuts(output.rows, 1);
        let col_cuts = shifted_cuts(output.width, self.stride * block, self.crop);
        output.for_each_tile(context, &row_cuts, &col_cuts, |row, _, mut tile| {
            let (start, width) = (tile.start, tile.width());
            let first = (start + self.crop) / self.stride;
            let skipped = (start + self.crop) % self.stride;
            let positions = (skipped + width).div_ceil(self.stride);
            let place = [row as isize, first as isize];
            self.conv.for_each_part(context, &unpacked, input, place, positions, |part, products| {
                products.activate(context.cpu, &part.affine, activation);
                for (line, &at) in part.channels.iter().enumerate() {
                    let out = tile.channel(0, at / self.stride);
                    self.interleave(products, [line, at], skipped, finish, out);
                }
            });
            Ok(())
        })
    }

    /// Lays one line, which holds output `at` of the convolution, one phase of a channel, between the others, leaving out
    /// the first `skipped` values.
    fn interleave(
        &self,
        products: &Products<'_>,
        [line, at]: [usize; 2],
        skipped: usize,
        finish: Finish<'_>,
        out: &mut [f32],
    ) {
        let (channel, phase) = (at / self.stride, at % self.stride);
        let first = (phase + self.stride - skipped) % self.stride;
        let late = usize::from(phase < skipped);
        let stretches = products.line(line);
        match finish {
            Finish::Store => lay(stretches, late, out, [first, self.stride], |out, value| *out = value),
            Finish::Add => lay(stretches, late, out, [first, self.stride], |out, value| *out += value),
            Finish::Accumulate { scale } => {
                let scale = scale[channel];
                lay(stretches, late, out, [first, self.stride], |out, value| *out += value * scale);
            }
        }
    }
}

/// Combines the values of `stretches` after the first `late` with the places `first`, `first + stride`, ... of `out`.
fn lay<'a>(
    stretches: impl Iterator<Item = &'a [f32]>,
    mut late: usize,
    out: &mut [f32],
    [first, stride]: [usize; 2],
    combine: impl Fn(&mut f32, f32),
) {
    let mut out = out.get_mut(first..).unwrap_or_default();
    for values in stretches {
        let values = &values[late..];
        late = 0;
        for (out, &value) in out.iter_mut().step_by(stride).zip(values) {
            combine(out, value);
        }
        out = out.get_mut(values.len() * stride..).unwrap_or_default();
    }
}

/// The cuts at 0 and `end` and at every `n * step - shift` between them.
fn shifted_cuts(end: usize, step: usize, shift: usize) -> Vec<usize> {
    let inner = (1..).map(|n| n * step - shift).take_while(|&cut| cut < end);
    std::iter::once(0).chain(inner.filter(|&cut| cut > 0)).chain([end]).collect()
}
