//! Encoder and decoder layers of both branches (A. Défossez, "Hybrid Spectrogram and Waveform Source Separation",
//! 2021). The frequency branch moves over rows, the time branch over columns; they differ in nothing else.

use crate::Result;
use crate::nn::weights::{Linear, Tensor, TensorSet};
use crate::nn::{
    Activation, Context, Conv, ConvShape, Cpu, FeatureMap, Finish, GroupNorm, Over, Then, TransposedConv,
    gelu_in_place,
};

use super::residual::{Residual, band_rows};

/// Takes tensors below one name.
pub(super) struct Loader<'a, 'b> {
    pub(super) cpu: Cpu,
    pub(super) tensors: &'a mut TensorSet<'b>,
}

impl<'b> Loader<'_, 'b> {
    pub(super) fn take(&mut self, name: &str, shape: &[usize]) -> Result<Tensor> {
        self.tensors.take(name, shape)
    }

    /// The weights and the biases below `name`.
    pub(super) fn pair(&mut self, name: &str, shape: &[usize], outputs: usize) -> Result<Linear<'b>> {
        let weights = self.tensors.take_weights(&format!("{name}.weight"), shape)?;
        Ok((weights, self.take(&format!("{name}.bias"), &[outputs])?.data))
    }

    /// A convolution; along `axis` for kernels that have only one.
    pub(super) fn conv(&mut self, name: &str, [inputs, outputs]: [usize; 2], kernel: Kernel) -> Result<Conv> {
        let (stored, shape) = match kernel {
            Kernel::Columns(shape) => (vec![outputs, inputs, shape.kernel[1]], shape),
            Kernel::Plane(shape) => (vec![outputs, inputs, shape.kernel[0], shape.kernel[1]], shape),
        };
        let (weights, bias) = self.pair(name, &stored, outputs)?;
        Ok(Conv::new(self.cpu, &weights, &bias, inputs, shape))
    }

    /// A convolution over a plane of one row, which meets nothing but the middle row of its kernel.
    fn conv_of_one_row(
        &mut self,
        name: &str,
        [inputs, outputs]: [usize; 2],
        neighbours: usize,
    ) -> Result<Conv> {
        let size = 2 * neighbours + 1;
        let (weights, bias) = self.pair(name, &[outputs, inputs, size, size], outputs)?;
        let middle = (0..inputs * outputs).flat_map(|kernel| (0..size).map(move |col| (kernel, col)));
        let middle = weights.at(middle.map(|(kernel, col)| (kernel * size + neighbours) * size + col));
        let shape = ConvShape { kernel: [1, size], padding: [0, neighbours], ..ConvShape::POINT };
        Ok(Conv::new(self.cpu, &middle, &bias, inputs, shape))
    }

    /// A gain and an offset per channel.
    pub(super) fn vectors(&mut self, name: &str, channels: usize) -> Result<[Tensor; 2]> {
        let gain = self.take(&format!("{name}.weight"), &[channels])?;
        Ok([gain, self.take(&format!("{name}.bias"), &[channels])?])
    }

    pub(super) fn norm(
        &mut self,
        name: &str,
        channels: usize,
        groups: usize,
        over: Over,
    ) -> Result<GroupNorm> {
        let [gain, offset] = self.vectors(name, channels)?;
        if !channels.is_multiple_of(groups) {
            return Err(crate::nn::weights::unusable(format!(
                "{name} has {channels} channels in {groups} groups"
            )));
        }
        Ok(GroupNorm::new(gain, offset, groups, over))
    }
}

/// How a kernel is stored: with one axis or with two.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kernel {
    Columns(ConvShape),
    Plane(ConvShape),
}

impl Kernel {
    /// A stride along the rows (`over_rows`) or along the columns.
    fn strided(over_rows: bool, kernel: usize, stride: usize, padding: usize) -> Self {
        if over_rows {
            Self::Plane(ConvShape {
                kernel: [kernel, 1],
                stride: [stride, 1],
                padding: [padding, 0],
                ..ConvShape::POINT
            })
        } else {
            Self::Columns(ConvShape {
                kernel: [1, kernel],
                stride: [1, stride],
                padding: [0, padding],
                ..ConvShape::POINT
            })
        }
    }

    /// `context` neighbours on every side.
    fn around(over_rows: bool, context: usize) -> Self {
        let size = 2 * context + 1;
        if over_rows {
            Self::Plane(ConvShape { kernel: [size, size], padding: [context, context], ..ConvShape::POINT })
        } else {
            Self::Columns(ConvShape { kernel: [1, size], padding: [0, context], ..ConvShape::POINT })
        }
    }
}

/// What one layer of one branch is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct LayerShape {
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    /// Whether it moves over rows (frequencies).
    pub(super) over_rows: bool,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) padding: usize,
    pub(super) norm_groups: Option<usize>,
    /// Neighbours that the rewriting convolution sees; `None` where there is none.
    pub(super) rewrite_context: Option<usize>,
    pub(super) residual: Option<super::residual::ResidualShape>,
    /// Only the strided convolution.
    pub(super) bare: bool,
    /// Whether its encoder leaves one row.
    pub(super) merging: bool,
}

/// Strided convolution, residual branches, rewriting with gates.
#[derive(Debug)]
pub(super) struct EncoderLayer {
    shape: LayerShape,
    conv: Conv,
    norm: Option<GroupNorm>,
    residual: Option<Residual>,
    rewrite: Option<(Conv, Option<GroupNorm>)>,
}

impl EncoderLayer {
    pub(super) fn load(loader: &mut Loader<'_, '_>, name: &str, shape: LayerShape) -> Result<Self> {
        let LayerShape { inputs, outputs, over_rows, .. } = shape;
        let kernel = Kernel::strided(over_rows, shape.kernel, shape.stride, shape.padding);
        let conv = loader.conv(&format!("{name}.conv"), [inputs, outputs], kernel)?;
        let mut layer = Self { shape, conv, norm: None, residual: None, rewrite: None };
        if shape.bare {
            return Ok(layer);
        }
        if let Some(groups) = shape.norm_groups {
            layer.norm = Some(loader.norm(&format!("{name}.norm1"), outputs, groups, Over::AllRows)?);
        }
        if let Some(residual) = shape.residual {
            layer.residual = Some(Residual::load(loader, &format!("{name}.dconv"), outputs, residual)?);
        }
        if let Some(context) = shape.rewrite_context {
            let kernel = Kernel::around(over_rows, context);
            let conv = loader.conv(&format!("{name}.rewrite"), [outputs, 2 * outputs], kernel)?;
            let norm = match shape.norm_groups {
                Some(groups) => {
                    Some(loader.norm(&format!("{name}.norm2"), 2 * outputs, groups, Over::AllRows)?)
                }
                None => None,
            };
            layer.rewrite = Some((conv, norm));
        }
        Ok(layer)
    }

    /// Whether it is nothing but the strided convolution.
    pub(super) fn is_bare(&self) -> bool {
        self.shape.bare
    }

    /// Values that it makes of `input`.
    pub(super) fn output_values(&self, input: &FeatureMap<'_>) -> usize {
        let [rows, width] = self.output_shape(input);
        rows * width * self.shape.outputs
    }

    fn output_shape(&self, input: &FeatureMap<'_>) -> [usize; 2] {
        let LayerShape { over_rows, kernel, stride, padding, .. } = self.shape;
        if over_rows {
            [(input.rows + 2 * padding - kernel) / stride + 1, input.width]
        } else {
            [input.rows, input.width.div_ceil(stride)]
        }
    }

    /// The strided convolution is added to `inject`.
    pub(super) fn run<'a>(
        &self,
        context: &Context<'a>,
        input: &FeatureMap<'_>,
        inject: Option<FeatureMap<'a>>,
    ) -> Result<FeatureMap<'a>> {
        let [rows, width] = self.output_shape(input);
        let plain = !self.shape.bare && self.norm.is_none() && inject.is_none();
        let activation = if plain { Activation::Gelu } else { Activation::None };
        let (mut y, finish) = match inject {
            Some(map) => (map, Finish::Add),
            None => (FeatureMap::new(context, rows, self.shape.outputs, width), Finish::Store),
        };
        self.conv.run(context, input, activation, finish, &mut y)?;
        if self.shape.bare {
            return Ok(y);
        }
        match &self.norm {
            Some(norm) => norm.run(context, &mut y, Then::Gelu)?,
            None if !plain => gelu_in_place(context, &mut y)?,
            None => {}
        }
        match &self.rewrite {
            Some((gates, None)) if gates.can_gate_in_place() => {
                self.finish_bands(context, gates, &mut y)?;
                Ok(y)
            }
            layer => {
                if let Some(residual) = &self.residual {
                    residual.run(context, &mut y)?;
                }
                rewrite(context, layer.as_ref(), y)
            }
        }
    }

    /// Residual branches and gates without neighbours, band by band in the cache and in place.
    fn finish_bands(&self, context: &Context<'_>, gates: &Conv, y: &mut FeatureMap<'_>) -> Result<()> {
        let rows = band_rows(y);
        context.for_each(y.bands(rows), |mut band| {
            if let Some(residual) = &self.residual {
                residual.run(context, &mut band)?;
            }
            gates.gate_in_place(context, &mut band)
        })
    }
}

fn rewrite<'a>(
    context: &Context<'a>,
    layer: Option<&(Conv, Option<GroupNorm>)>,
    y: FeatureMap<'a>,
) -> Result<FeatureMap<'a>> {
    let Some((conv, norm)) = layer else { return Ok(y) };
    let mut z = FeatureMap::new(context, y.rows, y.channels, y.width);
    match norm {
        None => conv.run(context, &y, Activation::Glu, Finish::Store, &mut z)?,
        Some(norm) => {
            let mut both = FeatureMap::new(context, y.rows, 2 * y.channels, y.width);
            conv.run(context, &y, Activation::None, Finish::Store, &mut both)?;
            norm.run_gated(context, &both, &mut z)?;
        }
    }
    Ok(z)
}

/// Rewriting with gates, residual branches, transposed convolution.
#[derive(Debug)]
pub(super) struct DecoderLayer {
    shape: LayerShape,
    rewrite: Option<(Conv, Option<GroupNorm>)>,
    residual: Option<Residual>,
    conv: TransposedConv,
    norm: Option<GroupNorm>,
    last: bool,
}

impl DecoderLayer {
    pub(super) fn load(
        loader: &mut Loader<'_, '_>,
        name: &str,
        shape: LayerShape,
        last: bool,
    ) -> Result<Self> {
        let LayerShape { inputs, outputs, over_rows, .. } = shape;
        // A normalisation sees what is cropped later.
        let crop = if shape.norm_groups.is_some() { 0 } else { shape.padding };
        let name_conv = format!("{name}.conv_tr");
        let conv = if over_rows {
            let (weights, bias) = loader.pair(&name_conv, &[inputs, outputs, shape.kernel, 1], outputs)?;
            TransposedConv::over_rows(loader.cpu, &weights, &bias, shape.stride, crop)
        } else {
            let (weights, bias) = loader.pair(&name_conv, &[inputs, outputs, shape.kernel], outputs)?;
            TransposedConv::over_columns(loader.cpu, &weights, &bias, shape.stride, crop)
        };
        let norm = match shape.norm_groups {
            Some(groups) => Some(loader.norm(&format!("{name}.norm2"), outputs, groups, Over::AllRows)?),
            None => None,
        };
        let mut layer = Self { shape, rewrite: None, residual: None, conv, norm, last };
        if shape.bare {
            return Ok(layer);
        }
        if let Some(neighbours) = shape.rewrite_context {
            let name_conv = format!("{name}.rewrite");
            let channels = [inputs, 2 * inputs];
            let conv = if over_rows && shape.merging {
                loader.conv_of_one_row(&name_conv, channels, neighbours)?
            } else {
                loader.conv(&name_conv, channels, Kernel::around(over_rows, neighbours))?
            };
            let norm = match shape.norm_groups {
                Some(groups) => {
                    Some(loader.norm(&format!("{name}.norm1"), 2 * inputs, groups, Over::AllRows)?)
                }
                None => None,
            };
            layer.rewrite = Some((conv, norm));
        }
        if let Some(residual) = shape.residual {
            layer.residual = Some(Residual::load(loader, &format!("{name}.dconv"), inputs, residual)?);
        }
        Ok(layer)
    }

    /// Whether it is nothing but the transposed convolution.
    pub(super) fn is_bare(&self) -> bool {
        self.shape.bare
    }

    /// From an input that already holds its skip connection: the output, `width` columns wide, added to the skip connection
    /// of the next layer, and what the transposed convolution saw.
    pub(super) fn run<'a>(
        &self,
        context: &Context<'a>,
        input: FeatureMap<'a>,
        width: usize,
        next_skip: impl FnOnce() -> Result<Option<FeatureMap<'a>>>,
    ) -> Result<[FeatureMap<'a>; 2]> {
        let mut y = rewrite(context, self.rewrite.as_ref(), input)?;
        if let Some(residual) = &self.residual {
            residual.run(context, &mut y)?;
        }
        Ok([self.transpose(context, &y, width, next_skip()?)?, y])
    }

    /// Whether every column of the output depends on few columns of the input, none of which a residual branch or a norm
    /// brings together with all others.
    pub(super) fn is_local(&self) -> bool {
        let plain = self.norm.is_none() && matches!(self.rewrite, Some((_, None)));
        self.shape.over_rows && self.residual.is_none() && plain
    }

    /// The `width` columns from `first` on of what a [local](Self::is_local) layer makes of an input that already holds its
    /// skip connection.
    pub(super) fn run_columns<'a>(
        &self,
        context: &Context<'a>,
        input: &FeatureMap<'_>,
        first: usize,
        width: usize,
    ) -> Result<FeatureMap<'a>> {
        let Some((conv, _)) = &self.rewrite else { return Err(super::network::out_of_step()) };
        let mut y = FeatureMap::new(context, input.rows, input.channels, width);
        conv.run_from(context, input, first, Activation::Glu, Finish::Store, &mut y)?;
        self.transpose(context, &y, width, None)
    }

    fn transpose<'a>(
        &self,
        context: &Context<'a>,
        y: &FeatureMap<'_>,
        width: usize,
        next_skip: Option<FeatureMap<'a>>,
    ) -> Result<FeatureMap<'a>> {
        let LayerShape { over_rows, kernel, stride, padding, .. } = self.shape;
        let full_rows = if over_rows { (y.rows - 1) * stride + kernel } else { y.rows };
        let rows = if over_rows { full_rows - 2 * padding } else { y.rows };
        let channels = self.conv.out_channels();
        let (mut z, finish) = match next_skip {
            Some(skip) => (skip, Finish::Add),
            None => (FeatureMap::new(context, rows, channels, width), Finish::Store),
        };
        match &self.norm {
            None => {
                let activation = if self.last { Activation::None } else { Activation::Gelu };
                self.conv.run(context, y, activation, finish, &mut z)?;
            }
            Some(norm) => {
                let full_width = if over_rows { width } else { (y.width - 1) * stride + kernel };
                let mut full = FeatureMap::new(context, full_rows, channels, full_width);
                self.conv.run(context, y, Activation::None, Finish::Store, &mut full)?;
                norm.run(context, &mut full, if self.last { Then::Nothing } else { Then::Gelu })?;
                let [top, left] = if over_rows { [padding, 0] } else { [0, padding] };
                for (line, out) in z.data.chunks_exact_mut(width).enumerate() {
                    let part = &full.channel(line / channels + top, line % channels)[left..][..width];
                    match finish {
                        Finish::Store => out.copy_from_slice(part),
                        _ => out.iter_mut().zip(part).for_each(|(out, value)| *out += value),
                    }
                }
            }
        }
        Ok(z)
    }
}
