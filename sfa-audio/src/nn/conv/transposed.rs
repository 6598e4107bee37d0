//! Transposed convolutions as convolutions whose results are laid side by side.

use crate::Result;
use crate::nn::context::Context;
use crate::nn::cpu::Cpu;
use crate::nn::map::{FeatureMap, cuts};
use crate::nn::weights::Tensor;

use super::block::{Place, Products};
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
        output.for_each_tile(context, &row_cuts, &col_cuts, |index, _, mut tile| {
            let (start, width, top) = (tile.start, tile.width(), row_cuts[index]);
            let first_phase = (top + self.crop) % self.stride;
            let place = [((top + self.crop) / self.stride) as isize, start as isize];
            self.conv.for_each_part(context, input, place, width, activation, |channels, products| {
                for (line, &at) in channels.iter().enumerate() {
                    let (channel, phase) = (at / self.stride, at % self.stride);
                    let row = (phase + self.stride - first_phase) % self.stride;
                    if row < tile.rows() {
                        let place = Place { row: top + row, channel, start };
                        products.write(context.cpu, line, finish, place, tile.channel(row, channel));
                    }
                }
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
        let block = self.conv.block_cols(output.width.div_ceil(self.stride));
        let row_cuts = cuts(output.rows, 1);
        let col_cuts = shifted_cuts(output.width, self.stride * block, self.crop);
        let channels = output.channels;
        output.for_each_tile(context, &row_cuts, &col_cuts, |row, _, mut tile| {
            let (start, width) = (tile.start, tile.width());
            let first = (start + self.crop) / self.stride;
            let skipped = (start + self.crop) % self.stride;
            let positions = (skipped + width).div_ceil(self.stride);
            let place = [row as isize, first as isize];
            self.conv.for_each_part(context, input, place, positions, activation, |lines, products| {
                for (line, &at) in lines.iter().enumerate() {
                    let out = tile.channel(0, at / self.stride);
                    self.interleave(products, line, at % self.stride, skipped, out);
                }
            });
            for channel in 0..channels {
                add_finish(finish, row, channel, start, tile.channel(0, channel));
            }
            Ok(())
        })
    }

    /// Lays one line, which is one phase of a channel, between the others, leaving out the first `skipped` values.
    fn interleave(
        &self,
        products: &Products<'_>,
        line: usize,
        phase: usize,
        skipped: usize,
        out: &mut [f32],
    ) {
        let first = (phase + self.stride - skipped) % self.stride;
        let late = usize::from(phase < skipped);
        let places = out.iter_mut().skip(first).step_by(self.stride);
        for (out, value) in places.zip(products.line(line).flatten().skip(late)) {
            *out = *value;
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
