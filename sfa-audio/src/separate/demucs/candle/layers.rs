//! Encoder and decoder layers of both branches.

use candle_core::{Result, Tensor};

use super::super::layers::LayerShape;
use super::ops::{Conv, GroupNorm, Loader, StridedConv, TransposedConv, gated};
use super::residual::Residual;

/// Strided convolution, residual branches, rewriting with gates.
pub(super) struct EncoderLayer {
    bare: bool,
    conv: StridedConv,
    norm: Option<GroupNorm>,
    residual: Option<Residual>,
    rewrite: Option<Rewrite>,
}

impl EncoderLayer {
    pub(super) fn load(loader: &mut Loader<'_, '_>, name: &str, shape: LayerShape) -> crate::Result<Self> {
        let outputs = shape.outputs;
        let conv = StridedConv::load(loader, &format!("{name}.conv"), shape)?;
        let mut layer = Self { bare: shape.bare, conv, norm: None, residual: None, rewrite: None };
        if shape.bare {
            return Ok(layer);
        }
        if let Some(groups) = shape.norm_groups {
            layer.norm = Some(GroupNorm::load(loader, &format!("{name}.norm1"), outputs, groups, false)?);
        }
        if let Some(residual) = shape.residual {
            layer.residual = Some(Residual::load(loader, &format!("{name}.dconv"), outputs, residual)?);
        }
        layer.rewrite = Rewrite::load(loader, name, "norm2", outputs, shape)?;
        Ok(layer)
    }

    /// Whether it is nothing but the strided convolution.
    pub(super) fn is_bare(&self) -> bool {
        self.bare
    }

    /// `inject` is added to the strided convolution.
    pub(super) fn run(&self, input: &Tensor, inject: Option<&Tensor>) -> Result<Tensor> {
        let mut y = self.conv.run(input)?;
        if let Some(inject) = inject {
            y = (y + inject)?;
        }
        if self.bare {
            return Ok(y);
        }
        if let Some(norm) = &self.norm {
            y = norm.run(&y)?;
        }
        y = y.gelu_erf()?;
        if let Some(residual) = &self.residual {
            y = residual.run(&y)?;
        }
        match &self.rewrite {
            Some(rewrite) => rewrite.run(&y),
            None => Ok(y),
        }
    }
}

/// A convolution to twice the channels, half of which are gates.
struct Rewrite {
    conv: Conv,
    norm: Option<GroupNorm>,
}

impl Rewrite {
    fn load(
        loader: &mut Loader<'_, '_>,
        name: &str,
        norm_name: &str,
        channels: usize,
        shape: LayerShape,
    ) -> crate::Result<Option<Self>> {
        let Some(neighbours) = shape.rewrite_context else { return Ok(None) };
        let (size, widening) = (2 * neighbours + 1, [channels, 2 * channels]);
        let conv_name = format!("{name}.rewrite");
        let conv = if shape.over_rows {
            Conv::plane(loader, &conv_name, widening, size)?
        } else {
            Conv::line(loader, &conv_name, widening, size, 1)?
        };
        let norm = match shape.norm_groups {
            Some(groups) => {
                Some(GroupNorm::load(loader, &format!("{name}.{norm_name}"), 2 * channels, groups, false)?)
            }
            None => None,
        };
        Ok(Some(Self { conv, norm }))
    }

    fn run(&self, x: &Tensor) -> Result<Tensor> {
        let y = self.conv.run(x)?;
        match &self.norm {
            Some(norm) => gated(&norm.run(&y)?),
            None => gated(&y),
        }
    }
}

/// Rewriting with gates, residual branches, transposed convolution.
pub(super) struct DecoderLayer {
    shape: LayerShape,
    rewrite: Option<Rewrite>,
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
    ) -> crate::Result<Self> {
        let LayerShape { inputs, outputs, .. } = shape;
        let conv = TransposedConv::load(loader, &format!("{name}.conv_tr"), shape)?;
        let norm = match shape.norm_groups {
            Some(groups) => Some(GroupNorm::load(loader, &format!("{name}.norm2"), outputs, groups, false)?),
            None => None,
        };
        let mut layer = Self { shape, rewrite: None, residual: None, conv, norm, last };
        if shape.bare {
            return Ok(layer);
        }
        layer.rewrite = Rewrite::load(loader, name, "norm1", inputs, shape)?;
        if let Some(residual) = shape.residual {
            layer.residual = Some(Residual::load(loader, &format!("{name}.dconv"), inputs, residual)?);
        }
        Ok(layer)
    }

    /// Whether it is nothing but the transposed convolution.
    pub(super) fn is_bare(&self) -> bool {
        self.shape.bare
    }

    /// From an input that already holds its skip connection: the output, `width` columns wide, with the skip
    /// connection of the next layer added, and what the transposed convolution saw.
    pub(super) fn run(
        &self,
        input: &Tensor,
        width: usize,
        next_skip: Option<&Tensor>,
    ) -> Result<[Tensor; 2]> {
        let mut y = input.clone();
        if let Some(rewrite) = &self.rewrite {
            y = rewrite.run(&y)?;
        }
        if let Some(residual) = &self.residual {
            y = residual.run(&y)?;
        }
        let mut z = self.conv.run(&y)?;
        // A normalisation sees what is cropped.
        if let Some(norm) = &self.norm {
            z = norm.run(&z)?;
        }
        let padding = self.shape.padding;
        z = if self.shape.over_rows {
            let rows = z.dim(1)? - 2 * padding;
            z.narrow(1, padding, rows)?
        } else {
            z.narrow(3, padding, width)?
        };
        if !self.last {
            z = z.gelu_erf()?;
        }
        match next_skip {
            Some(skip) => Ok([(z + skip)?, y]),
            None => Ok([z.contiguous()?, y]),
        }
    }
}
