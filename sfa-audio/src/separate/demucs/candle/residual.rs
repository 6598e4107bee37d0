//! Residual branches with growing dilation, and what deep layers add to them.

use candle_core::{Result, Tensor};

use super::super::residual::ResidualShape;
use super::memory::{LocalAttention, Memory};
use super::ops::{Conv, GroupNorm, Loader, gated};

/// Branches one after the other, each added to its input.
pub(super) struct Residual(Vec<Branch>);

struct Branch {
    squeeze: Conv,
    squeeze_norm: GroupNorm,
    memory: Option<Memory>,
    attention: Option<LocalAttention>,
    expand: Conv,
    expand_norm: GroupNorm,
    scale: Tensor,
}

impl Residual {
    pub(super) fn load(
        loader: &mut Loader<'_, '_>,
        name: &str,
        channels: usize,
        shape: ResidualShape,
    ) -> crate::Result<Self> {
        let branches = (0..shape.depth)
            .map(|index| Branch::load(loader, &format!("{name}.layers.{index}"), channels, index, shape));
        Ok(Self(branches.collect::<crate::Result<_>>()?))
    }

    /// Every row of `map` is a signal of its own.
    pub(super) fn run(&self, map: &Tensor) -> Result<Tensor> {
        // As rows of one segment, they can be worked on in bands.
        let (segments, rows, channels, width) = map.dims4()?;
        let signals = map.reshape((1, segments * rows, channels, width))?;
        let signals = self.0.iter().try_fold(signals, |signals, branch| branch.run(&signals))?;
        signals.reshape((segments, rows, channels, width))
    }
}

impl Branch {
    fn load(
        loader: &mut Loader<'_, '_>,
        name: &str,
        channels: usize,
        index: usize,
        shape: ResidualShape,
    ) -> crate::Result<Self> {
        let hidden = channels / shape.compression;
        // The layers are numbered as they follow each other.
        let mut number = 0..;
        let mut next = || format!("{name}.{}", number.next().unwrap_or_default());
        let squeeze = Conv::line(loader, &next(), [channels, hidden], 3, 1 << index)?;
        let squeeze_norm = GroupNorm::load(loader, &next(), hidden, 1, true)?;
        let _activation = next();
        let memory = if shape.memory { Some(Memory::load(loader, &next(), hidden)?) } else { None };
        let attention =
            if shape.attention { Some(LocalAttention::load(loader, &next(), hidden)?) } else { None };
        let expand = Conv::line(loader, &next(), [hidden, 2 * channels], 1, 1)?;
        let expand_norm = GroupNorm::load(loader, &next(), 2 * channels, 1, true)?;
        let _gates = next();
        let scale = loader.per_channel(&format!("{}.scale", next()), channels)?;
        Ok(Self { squeeze, squeeze_norm, memory, attention, expand, expand_norm, scale })
    }

    fn run(&self, signals: &Tensor) -> Result<Tensor> {
        let mut hidden = self.squeeze_norm.run(&self.squeeze.run(signals)?)?.gelu_erf()?;
        if let Some(memory) = &self.memory {
            hidden = memory.run(&hidden)?;
        }
        if let Some(attention) = &self.attention {
            hidden = attention.run(&hidden)?;
        }
        let expanded = gated(&self.expand_norm.run(&self.expand.run(&hidden)?)?)?;
        signals + expanded.broadcast_mul(&self.scale)?
    }
}
