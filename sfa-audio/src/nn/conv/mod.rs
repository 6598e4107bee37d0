//! Convolutions over rows and columns, with everything that follows them while the tile is still in the cache.

mod bands;
mod block;
mod feed_forward;
mod gather;
mod transposed;

use std::borrow::Cow;

use crate::Result;

use self::block::Products;
use self::gather::Gather;
use super::context::{Context, LINE_VALUES};
use super::cpu::{Cpu, Lines};
use super::map::{FeatureMap, Tile, cuts};
use super::matrix::{MAX_DEPTH, PackedMatrix, Unpacked};
use super::weights::Weights;

pub(crate) use feed_forward::FeedForward;
pub(crate) use transposed::TransposedConv;

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

impl Activation {
    /// How many of `channels` are left.
    fn channels(self, channels: usize) -> usize {
        if self == Self::Glu { channels / 2 } else { channels }
    }
}

/// Where the results go.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Finish<'a> {
    /// Over what was there.
    Store,
    /// Added to what was there.
    Add,
    /// Added to what was there, each channel scaled first.
    Accumulate {
        /// One factor per channel.
        scale: &'a [f32],
    },
}

/// A convolution with its weights packed.
#[derive(Debug)]
pub(crate) struct Conv {
    parts: Vec<Part>,
    out_channels: usize,
    in_channels: usize,
    shape: ConvShape,
    cpu: Cpu,
}

/// Some of the outputs: those whose results are held at once.
#[derive(Debug)]
struct Part {
    /// The weights, or their transforms where rows are computed in bands.
    weights: Vec<PackedMatrix>,
    /// By what every product is multiplied, and what is added to it then: the bias.
    affine: Vec<[f32; 2]>,
    /// Which outputs they are.
    channels: Vec<usize>,
}

impl Part {
    fn unpack<'a>(&'a self, context: &Context<'a>) -> Result<Vec<Unpacked<'a>>> {
        self.weights.iter().map(|weights| weights.unpack(context)).collect()
    }

    /// Finishes `products` into one row of `tile`.
    fn finish(
        &self,
        cpu: Cpu,
        products: &Products<'_>,
        activation: Activation,
        finish: Finish<'_>,
        row: usize,
        tile: &mut Tile<'_>,
    ) {
        let place = |line: usize| Some([row, self.channels[line]]);
        products.finish(cpu, &self.affine, activation, finish, place, tile);
    }
}

/// The most outputs of a part: a multiple of the rows of every register tile.
const PART_ROWS: usize = 192;

impl Conv {
    /// From weights of shape `[out, in, kernel rows, kernel columns]` and one bias per output.
    pub(crate) fn new(
        cpu: Cpu,
        weights: &Weights<'_>,
        bias: &[f32],
        in_channels: usize,
        shape: ConvShape,
    ) -> Self {
        // Where all inputs are gathered at once, they can serve one part after the other.
        let cut = bands::suit(shape) || in_channels * shape.kernel[0] * shape.kernel[1] <= MAX_DEPTH;
        let parts = if cut { parts(bias.len()) } else { vec![(0..bias.len()).collect()] };
        Self::in_parts(cpu, weights, bias, in_channels, shape, parts)
    }

    /// As [`new`](Self::new), with the outputs in given parts.
    fn in_parts(
        cpu: Cpu,
        weights: &Weights<'_>,
        bias: &[f32],
        in_channels: usize,
        shape: ConvShape,
        parts: Vec<Vec<usize>>,
    ) -> Self {
        let [kernel_rows, kernel_cols] = shape.kernel;
        let depth = in_channels * kernel_rows * kernel_cols;
        let (phases, taps) = (shape.phases(), shape.taps());
        // The gathered lines come by kernel row, channel, phase and tap.
        let order = |k: usize| {
            let (kernel_row, rest) = (k / (in_channels * kernel_cols), k % (in_channels * kernel_cols));
            let (channel, rest) = (rest / kernel_cols, rest % kernel_cols);
            let kernel_col = rest % taps * phases + rest / taps;
            (channel * kernel_rows + kernel_row) * kernel_cols + kernel_col
        };
        let in_bands = bands::suit(shape);
        let out_channels = bias.len();
        let singles = if in_bands { weights.singles() } else { Cow::default() };
        let pack = |channels: Vec<usize>| Part {
            weights: if in_bands {
                bands::pack(cpu, &channels, in_channels, kernel_cols, &singles)
            } else {
                vec![PackedMatrix::new(cpu, &channels, depth, weights, order)]
            },
            affine: channels.iter().map(|&channel| [1.0, bias[channel]]).collect(),
            channels,
        };
        Self { parts: parts.into_iter().map(pack).collect(), out_channels, in_channels, shape, cpu }
    }

    /// The same with all outputs multiplied by `factor`.
    pub(crate) fn scaled(mut self, factor: f32) -> Self {
        let values = self.parts.iter_mut().flat_map(|part| part.affine.as_flattened_mut());
        values.for_each(|value| *value *= factor);
        self
    }

    /// Outputs before the activation.
    pub(crate) fn out_channels(&self) -> usize {
        self.out_channels
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
        self.run_from(context, input, 0, activation, finish, output)
    }

    /// As [`run`](Self::run), of the columns from `first` on.
    ///
    /// # Errors
    /// `Cancelled`.
    pub(crate) fn run_from(
        &self,
        context: &Context<'_>,
        input: &FeatureMap<'_>,
        first: usize,
        activation: Activation,
        finish: Finish<'_>,
        output: &mut FeatureMap<'_>,
    ) -> Result<()> {
        debug_assert_eq!(input.channels, self.in_channels);
        if bands::suit(self.shape) {
            return self.run_in_bands(context, input, first, activation, finish, output);
        }
        let unpacked = self.unpack(context)?;
        let block = self.block_cols(output.width);
        let (row_cuts, col_cuts) = (cuts(output.rows, 1), cuts(output.width, block));
        output.for_each_tile(context, &row_cuts, &col_cuts, |row, _, mut tile| {
            let (start, width) = (tile.start, tile.width());
            let place = [row as isize, (first + start) as isize];
            self.for_each_part(context, &unpacked, input, place, width, |part, products| {
                part.finish(self.cpu, products, activation, finish, 0, &mut tile);
            });
            Ok(())
        })
    }

    /// Adds to `map`, scaled per channel, what passes the gates among the outputs: each row's outputs are first multiplied and
    /// increased by its part of `affine`.
    ///
    /// # Errors
    /// `Cancelled`.
    pub(crate) fn add_gated(
        &self,
        context: &Context<'_>,
        input: &FeatureMap<'_>,
        affine: &[[f32; 2]],
        scale: &[f32],
        map: &mut FeatureMap<'_>,
    ) -> Result<()> {
        debug_assert!(!bands::suit(self.shape));
        let unpacked = self.unpack(context)?;
        let (row_cuts, col_cuts) = (cuts(map.rows, 1), cuts(map.width, self.block_cols(map.width)));
        map.for_each_tile(context, &row_cuts, &col_cuts, |row, _, mut tile| {
            let (start, width) = (tile.start, tile.width());
            let affine = &affine[row * self.out_channels..][..self.out_channels];
            let place = [row as isize, start as isize];
            self.for_each_part(context, &unpacked, input, place, width, |part, products| {
                let lines = part.affine.iter().zip(&part.channels);
                let affine: Vec<_> = lines
                    .map(|(own, &channel)| {
                        let [factor, summand] = affine[channel];
                        [own[0] * factor, own[1].mul_add(factor, summand)]
                    })
                    .collect();
                let place = |line: usize| Some([0, part.channels[line]]);
                let finish = Finish::Accumulate { scale };
                products.finish(self.cpu, &affine, Activation::Glu, finish, place, &mut tile);
            });
            Ok(())
        })
    }

    /// Replaces `map` by what passes the gates among the outputs, where these see nothing but their own place and are
    /// twice as many.
    ///
    /// # Errors
    /// `Cancelled`.
    pub(crate) fn gate_in_place(&self, context: &Context<'_>, map: &mut FeatureMap<'_>) -> Result<()> {
        debug_assert!(self.can_gate_in_place());
        let cols = self.cpu.tile().cols;
        let unpacked = self.unpack(context)?;
        let (row_cuts, col_cuts) = (cuts(map.rows, 1), cuts(map.width, self.block_cols(map.width)));
        map.for_each_tile(context, &row_cuts, &col_cuts, |_, _, mut tile| {
            let width = tile.width();
            let panels = width.div_ceil(cols);
            let length = line_length(panels * cols);
            let mut seen = context.buffer(self.in_channels * length);
            for (channel, line) in seen.chunks_exact_mut(length).enumerate() {
                line[..width].copy_from_slice(tile.channel(0, channel));
                line[width..].fill(0.0);
            }
            for (part, unpacked) in self.parts.iter().zip(&unpacked) {
                let weights = &unpacked[0];
                let mut products = Products::new(context, panels, weights.matrix.padded_rows());
                for (stretch, lines) in seen.chunks(MAX_DEPTH * length).enumerate() {
                    let lines = Lines::plain(lines, length);
                    weights.multiply(self.cpu, stretch * MAX_DEPTH, lines, products.values());
                }
                part.finish(self.cpu, &products, Activation::Glu, Finish::Store, 0, &mut tile);
            }
            Ok(())
        })
    }

    /// The weights of every part.
    fn unpack<'a>(&'a self, context: &Context<'a>) -> Result<Vec<Vec<Unpacked<'a>>>> {
        self.parts.iter().map(|part| part.unpack(context)).collect()
    }

    /// Whether [`gate_in_place`](Self::gate_in_place) may be asked for.
    pub(crate) fn can_gate_in_place(&self) -> bool {
        self.shape == ConvShape::POINT && self.out_channels == 2 * self.in_channels
    }

    /// Columns of one block: as many panels as keep a block's input and output in the cache.
    fn block_cols(&self, width: usize) -> usize {
        let depth = self.parts[0].weights[0].depth.min(MAX_DEPTH);
        block_cols(self.cpu, self.part_rows() + depth, width)
    }

    fn part_rows(&self) -> usize {
        self.parts[0].weights[0].padded_rows()
    }

    /// Multiplies at `width` positions from column `start` of one row of positions and hands the products of every part
    /// to `work`.
    fn for_each_part(
        &self,
        context: &Context<'_>,
        unpacked: &[Vec<Unpacked<'_>>],
        input: &FeatureMap<'_>,
        [row, start]: [isize; 2],
        width: usize,
        mut work: impl FnMut(&Part, &mut Products<'_>),
    ) {
        let cols = self.cpu.tile().cols;
        let panels = width.div_ceil(cols);
        let (taps, shift) = (self.shape.taps(), self.shape.shift());
        let length = line_length(panels * cols + (taps - 1) * shift);
        let (all, at_once) = (self.parts[0].weights[0].depth / taps, (MAX_DEPTH / taps).max(1));
        let mut lines = context.buffer(all.min(at_once) * length);
        let mut gathered = None;
        for (part, unpacked) in self.parts.iter().zip(unpacked) {
            let weights = &unpacked[0];
            let mut products = Products::new(context, panels, weights.matrix.padded_rows());
            for from in (0..all).step_by(at_once) {
                let lines = &mut lines[..at_once.min(all - from) * length];
                if gathered != Some(from) {
                    self.cpu.run(Gather { conv: self, input, from, row, start, length, lines: &mut *lines });
                    gathered = Some(from);
                }
                let lines = Lines { values: lines, length, taps, shift };
                weights.multiply(self.cpu, from * taps, lines, products.values());
            }
            work(part, &mut products);
        }
    }
}

/// From the start of one line of inputs to that of the next, where `values` are seen of each: whole lines of the cache, of
/// which an odd number spreads a panel's lines over all places of the first-level cache.
fn line_length(values: usize) -> usize {
    (values.div_ceil(LINE_VALUES) | 1) * LINE_VALUES
}

/// Columns of one block whose every column takes `values` values: at most as many panels as fit half of a common second-level
/// cache, which is larger where registers are more, and about as many in every block.
fn block_cols(cpu: Cpu, values: usize, width: usize) -> usize {
    let cols = cpu.tile().cols;
    let cache_values = if cols > 16 { 1 << 18 } else { 1 << 17 };
    let most = (cache_values / (values * cols)).clamp(1, 8);
    let panels = width.div_ceil(cols).max(1);
    panels.div_ceil(panels.div_ceil(most)) * cols
}

/// The outputs in parts, the two halves cut alike so that every gate is with its value.
fn parts(outputs: usize) -> Vec<Vec<usize>> {
    let half = outputs / 2;
    if outputs <= PART_ROWS || outputs % 2 == 1 {
        return vec![(0..outputs).collect()];
    }
    let starts = (0..half).step_by(PART_ROWS / 2);
    starts
        .map(|start| {
            let end = (start + PART_ROWS / 2).min(half);
            (start..end).chain(half + start..half + end).collect()
        })
        .collect()
}
