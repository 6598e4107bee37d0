//! What layers are made of: convolutions as products of matrices, normalisation, gates.
//!
//! Weights and activations have the numbers of the [`Place`]; whatever is summed over many values for a mean or a
//! deviation is so in single precision.

use candle_core::{D, DType, Result, Tensor};

use crate::nn::weights::{TensorSet, unusable};

use super::super::layers::LayerShape;
use super::{Place, fault};

/// Values that the columns gathered for a convolution may have at once; few in tests, so that they see several bands.
const GATHERED_VALUES: usize = if cfg!(test) { 1 << 16 } else { 1 << 25 };
/// Scores of attention that are held at once.
const SCORES: usize = if cfg!(test) { 1 << 14 } else { 1 << 25 };
const EPSILON: f64 = 1e-5;

/// Takes tensors out of a file, each once.
pub(super) struct Loader<'a, 'b> {
    pub(super) place: &'a Place,
    pub(super) tensors: &'a mut TensorSet<'b>,
}

impl Loader<'_, '_> {
    /// A tensor in single precision.
    pub(super) fn take(&mut self, name: &str, shape: &[usize]) -> crate::Result<Tensor> {
        let tensor = self.tensors.take(name, shape)?;
        Tensor::from_vec(tensor.data, tensor.shape, &self.place.device).map_err(fault)
    }

    /// The weight and the bias below `name`.
    pub(super) fn pair(&mut self, name: &str, shape: &[usize], outputs: usize) -> crate::Result<[Tensor; 2]> {
        let weight = self.take(&format!("{name}.weight"), shape)?;
        Ok([weight, self.take(&format!("{name}.bias"), &[outputs])?])
    }

    /// One number per channel, to be combined with a map.
    pub(super) fn per_channel(&mut self, name: &str, channels: usize) -> crate::Result<Tensor> {
        let values = self.take(name, &[channels])?;
        self.cast(per_channel(&values))
    }

    /// In the numbers of the place.
    pub(super) fn cast(&self, tensor: Result<Tensor>) -> crate::Result<Tensor> {
        tensor.and_then(|tensor| tensor.to_dtype(self.place.dtype)).map_err(fault)
    }
}

/// A vector of one value per channel as a map that is broadcast to others.
fn per_channel(values: &Tensor) -> Result<Tensor> {
    values.reshape((1, 1, (), 1))
}

/// `weight` times every matrix of `maps`.
fn product(weight: &Tensor, maps: &Tensor) -> Result<Tensor> {
    let (segments, rows, inputs, width) = maps.dims4()?;
    let outputs = weight.dim(0)?;
    let weight = weight.broadcast_as((segments * rows, outputs, inputs))?;
    weight.matmul(&maps.reshape((segments * rows, inputs, width))?)?.reshape((segments, rows, outputs, width))
}

/// A convolution that keeps rows and columns as they are.
pub(super) struct Conv {
    /// Outputs, inputs of all rows that are seen at once, columns that are seen at once.
    weight: Tensor,
    bias: Tensor,
    rows: usize,
    dilation: usize,
}

impl Conv {
    /// Over `taps` columns, stored with one axis.
    pub(super) fn line(
        loader: &mut Loader<'_, '_>,
        name: &str,
        [inputs, outputs]: [usize; 2],
        taps: usize,
        dilation: usize,
    ) -> crate::Result<Self> {
        let [weight, bias] = loader.pair(name, &[outputs, inputs, taps], outputs)?;
        Ok(Self {
            weight: loader.cast(Ok(weight))?,
            bias: loader.cast(per_channel(&bias))?,
            rows: 1,
            dilation,
        })
    }

    /// Over `size` rows and columns, stored with two axes.
    pub(super) fn plane(
        loader: &mut Loader<'_, '_>,
        name: &str,
        [inputs, outputs]: [usize; 2],
        size: usize,
    ) -> crate::Result<Self> {
        let [weight, bias] = loader.pair(name, &[outputs, inputs, size, size], outputs)?;
        let weight =
            weight.permute((0, 2, 1, 3)).and_then(|weight| weight.reshape((outputs, size * inputs, size)));
        Ok(Self {
            weight: loader.cast(weight)?,
            bias: loader.cast(per_channel(&bias))?,
            rows: size,
            dilation: 1,
        })
    }

    /// Over single values, stored as a matrix.
    pub(super) fn matrix(
        loader: &mut Loader<'_, '_>,
        name: &str,
        [inputs, outputs]: [usize; 2],
    ) -> crate::Result<Self> {
        let [weight, bias] = loader.pair(name, &[outputs, inputs], outputs)?;
        Ok(Self {
            weight: loader.cast(weight.unsqueeze(2))?,
            bias: loader.cast(per_channel(&bias))?,
            rows: 1,
            dilation: 1,
        })
    }

    pub(super) fn run(&self, x: &Tensor) -> Result<Tensor> {
        let (segments, rows, inputs, width) = x.dims4()?;
        let (outputs, _, taps) = self.weight.dims3()?;
        if self.rows == 1 && taps == 1 {
            return product(&self.weight.squeeze(2)?, x)?.broadcast_add(&self.bias);
        }
        // The rows that are seen at once become channels of one row, in bands that bound what is gathered.
        let margin = self.rows / 2;
        let padded = if margin > 0 { x.pad_with_zeros(1, margin, margin)? } else { x.clone() };
        let gathered = segments * self.rows * inputs * taps * width;
        let band = (GATHERED_VALUES / gathered.max(1)).max(1);
        let mut bands = Vec::with_capacity(rows.div_ceil(band));
        for start in (0..rows).step_by(band) {
            let count = band.min(rows - start);
            let seen: Vec<Tensor> = (0..self.rows)
                .map(|offset| padded.narrow(1, start + offset, count))
                .collect::<Result<_>>()?;
            let lines = Tensor::cat(&seen, 2)?.reshape((segments * count, self.rows * inputs, width))?;
            let padding = taps / 2 * self.dilation;
            let out = lines.conv1d(&self.weight, padding, 1, self.dilation, 1)?;
            bands.push(out.reshape((segments, count, outputs, width))?);
        }
        Tensor::cat(&bands, 1)?.broadcast_add(&self.bias)
    }
}

/// A convolution whose kernel is twice its stride, over rows or over columns.
pub(super) struct StridedConv {
    weight: Tensor,
    bias: Tensor,
    shape: LayerShape,
}

impl StridedConv {
    pub(super) fn load(loader: &mut Loader<'_, '_>, name: &str, shape: LayerShape) -> crate::Result<Self> {
        let LayerShape { inputs, outputs, kernel, stride, .. } = shape;
        let [weight, bias] = if shape.over_rows {
            let [weight, bias] = loader.pair(name, &[outputs, inputs, kernel, 1], outputs)?;
            // Both halves of the kernel on top of each other, each over the inputs of one stride.
            let halves = weight
                .reshape((outputs, inputs, 2, stride))
                .and_then(|weight| weight.permute((2, 0, 3, 1)))
                .and_then(|weight| weight.reshape((2 * outputs, stride * inputs)))
                .map_err(fault)?;
            [halves, bias]
        } else {
            loader.pair(name, &[outputs, inputs, kernel], outputs)?
        };
        Ok(Self { weight: loader.cast(Ok(weight))?, bias: loader.cast(per_channel(&bias))?, shape })
    }

    pub(super) fn run(&self, x: &Tensor) -> Result<Tensor> {
        let (segments, rows, inputs, width) = x.dims4()?;
        let LayerShape { outputs, stride, padding, .. } = self.shape;
        let y = if self.shape.over_rows {
            let strides = (rows + 2 * padding) / stride;
            let blocks = x.pad_with_zeros(1, padding, padding)?.reshape((
                segments,
                strides,
                stride * inputs,
                width,
            ))?;
            let halves = product(&self.weight, &blocks)?;
            // Every output joins the first half of the kernel here and the second half one stride further.
            let half =
                |index: usize| halves.narrow(1, index, strides - 1)?.narrow(2, index * outputs, outputs);
            (half(0)? + half(1)?)?
        } else {
            let missing = width.next_multiple_of(stride) - width;
            let line = x.reshape((segments * rows, inputs, width))?.pad_with_zeros(2, 0, missing)?;
            let line = line.conv1d(&self.weight, padding, stride, 1, 1)?;
            line.reshape((segments, rows, outputs, width.div_ceil(stride)))?
        };
        y.broadcast_add(&self.bias)
    }
}

/// The transposed convolution of a [`StridedConv`], without its cropping.
pub(super) struct TransposedConv {
    /// Both halves of the kernel on top of each other, each of `stride` times all outputs.
    weight: Tensor,
    bias: Tensor,
    shape: LayerShape,
}

impl TransposedConv {
    pub(super) fn load(loader: &mut Loader<'_, '_>, name: &str, shape: LayerShape) -> crate::Result<Self> {
        let LayerShape { inputs, outputs, kernel, .. } = shape;
        let stored: &[usize] =
            if shape.over_rows { &[inputs, outputs, kernel, 1] } else { &[inputs, outputs, kernel] };
        let [weight, bias] = loader.pair(name, stored, outputs)?;
        let weight = weight
            .reshape((inputs, outputs, kernel))
            .and_then(|weight| weight.permute((2, 1, 0)))
            .and_then(|weight| weight.reshape((kernel * outputs, inputs)));
        Ok(Self { weight: loader.cast(weight)?, bias: loader.cast(per_channel(&bias))?, shape })
    }

    /// One stride longer than the input has strides.
    pub(super) fn run(&self, x: &Tensor) -> Result<Tensor> {
        let (segments, rows, _, width) = x.dims4()?;
        let LayerShape { outputs, stride, over_rows, .. } = self.shape;
        let halves = product(&self.weight, x)?;
        // The second half of one stride falls onto the first half of the next.
        let axis = if over_rows { 1 } else { 3 };
        let half = |index: usize| {
            let half = halves.narrow(2, index * stride * outputs, stride * outputs)?;
            half.pad_with_zeros(axis, index, 1 - index)
        };
        let sum = (half(0)? + half(1)?)?;
        let y =
            if over_rows {
                sum.reshape((segments, (rows + 1) * stride, outputs, width))?
            } else {
                sum.reshape((segments * rows, stride, outputs, width + 1))?
                    .permute((0, 2, 3, 1))?
                    .reshape((segments, rows, outputs, (width + 1) * stride))?
            };
        y.broadcast_add(&self.bias)
    }
}

/// Group normalisation with a gain and an offset per channel.
pub(super) struct GroupNorm {
    gain: Tensor,
    offset: Tensor,
    groups: usize,
    each_row: bool,
}

impl GroupNorm {
    /// Over every row by itself, or over all of them.
    pub(super) fn load(
        loader: &mut Loader<'_, '_>,
        name: &str,
        channels: usize,
        groups: usize,
        each_row: bool,
    ) -> crate::Result<Self> {
        let [gain, offset] = loader.pair(name, &[channels], channels)?;
        if !channels.is_multiple_of(groups) {
            return Err(unusable(format!("{name} has {channels} channels in {groups} groups")));
        }
        let (gain, offset) = (per_channel(&gain).map_err(fault)?, per_channel(&offset).map_err(fault)?);
        Ok(Self { gain, offset, groups, each_row })
    }

    pub(super) fn run(&self, x: &Tensor) -> Result<Tensor> {
        let (segments, rows, channels, width) = x.dims4()?;
        let (items, rows_at_once) = if self.each_row { (segments * rows, 1) } else { (segments, rows) };
        let grouped = (items, rows_at_once, self.groups, channels / self.groups, width);
        let y = x.to_dtype(DType::F32)?.reshape(grouped)?;
        let y = y.broadcast_sub(&mean(&y)?)?;
        let deviation = (mean(&y.sqr()?)? + EPSILON)?.sqrt()?;
        let y = y.broadcast_div(&deviation)?.reshape((segments, rows, channels, width))?;
        y.broadcast_mul(&self.gain)?.broadcast_add(&self.offset)?.to_dtype(x.dtype())
    }
}

/// The mean over rows, channels of a group and columns: short sums of short sums, which lose less and keep a GPU
/// busier than one long sum.
fn mean(grouped: &Tensor) -> Result<Tensor> {
    grouped.mean_keepdim(4)?.mean_keepdim(3)?.mean_keepdim(1)
}

/// The first half of the channels through the gates of the second half.
pub(super) fn gated(x: &Tensor) -> Result<Tensor> {
    let half = x.dim(2)? / 2;
    x.narrow(2, 0, half)? * candle_nn::ops::sigmoid(&x.narrow(2, half, half)?)?
}

/// A product with a matrix, and a sum, for every token.
pub(super) struct Linear {
    weight: Tensor,
    bias: Tensor,
}

impl Linear {
    /// From a weight of outputs x inputs and a bias.
    pub(super) fn new(loader: &Loader<'_, '_>, weight: &Tensor, bias: &Tensor) -> crate::Result<Self> {
        Ok(Self { weight: loader.cast(weight.t())?, bias: loader.cast(Ok(bias.clone()))? })
    }

    pub(super) fn load(
        loader: &mut Loader<'_, '_>,
        name: &str,
        [inputs, outputs]: [usize; 2],
    ) -> crate::Result<Self> {
        let [weight, bias] = loader.pair(name, &[outputs, inputs], outputs)?;
        Self::new(loader, &weight, &bias)
    }

    /// Of segments x tokens x inputs.
    pub(super) fn run(&self, tokens: &Tensor) -> Result<Tensor> {
        let (segments, count, inputs) = tokens.dims3()?;
        let flat = tokens.reshape((segments * count, inputs))?.matmul(&self.weight)?;
        flat.broadcast_add(&self.bias)?.reshape((segments, count, ()))
    }
}

/// Softmax attention of queries to keys, all of heads x tokens x size; the queries are already scaled.
///
/// `adjust` changes the scores of a range of queries. Only as many queries are scored at once as [`SCORES`] allows.
pub(super) fn attend(
    queries: &Tensor,
    keys: &Tensor,
    values: &Tensor,
    adjust: impl Fn(Tensor, std::ops::Range<usize>) -> Result<Tensor>,
) -> Result<Tensor> {
    let (heads, count, _) = queries.dims3()?;
    let chunk = (SCORES / (heads * keys.dim(1)?).max(1)).max(1);
    let keys = keys.contiguous()?.t()?;
    let values = values.contiguous()?;
    let mut found = Vec::with_capacity(count.div_ceil(chunk));
    for start in (0..count).step_by(chunk) {
        let range = start..(start + chunk).min(count);
        let scores = queries.narrow(1, start, range.len())?.contiguous()?.matmul(&keys)?;
        let weights = candle_nn::ops::softmax_last_dim(&adjust(scores, range)?)?;
        found.push(weights.to_dtype(values.dtype())?.matmul(&values)?);
    }
    Tensor::cat(&found, 1)
}

/// Layer normalisation of every token.
pub(super) struct LayerNorm {
    gain: Tensor,
    offset: Tensor,
}

impl LayerNorm {
    pub(super) fn load(loader: &mut Loader<'_, '_>, name: &str, channels: usize) -> crate::Result<Self> {
        let [gain, offset] = loader.pair(name, &[channels], channels)?;
        Ok(Self { gain, offset })
    }

    /// Of segments x tokens x channels.
    pub(super) fn run(&self, tokens: &Tensor) -> Result<Tensor> {
        let x = tokens.to_dtype(DType::F32)?;
        let x = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
        let deviation = (x.sqr()?.mean_keepdim(D::Minus1)? + EPSILON)?.sqrt()?;
        let x = x.broadcast_div(&deviation)?.broadcast_mul(&self.gain)?;
        x.broadcast_add(&self.offset)?.to_dtype(tokens.dtype())
    }
}
