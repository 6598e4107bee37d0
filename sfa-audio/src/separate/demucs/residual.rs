//! Residual branches with growing dilation, and what deep layers add to them: memory and attention.

use crate::Result;
use crate::nn::{
    Activation, BidirectionalLstm, Context, Conv, ConvShape, Direction, DirectionWeights, FeatureMap, Finish,
    GroupNorm, LocalAttention, LocalAttentionWeights, OutputMoments, Over, Then,
};

use super::layers::{Kernel, Loader};

/// Values of a band of rows that stay in the cache from one step to the next.
const BAND_VALUES: usize = 1 << 18;
/// The longest stretch that the memory hears at once; longer inputs come in overlapping stretches.
pub(super) const MEMORY_STEPS: usize = 200;
pub(super) const ATTENTION_HEADS: usize = 4;
pub(super) const ATTENTION_DECAYS: usize = 4;

/// What the branches of a layer are made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct ResidualShape {
    pub(super) depth: usize,
    pub(super) compression: usize,
    pub(super) memory: bool,
    pub(super) attention: bool,
}

/// Branches one after the other, each added to its input.
#[derive(Debug)]
pub(super) struct Residual(Vec<Branch>);

#[derive(Debug)]
struct Branch {
    squeeze: Conv,
    squeeze_norm: GroupNorm,
    memory: Option<Memory>,
    attention: Option<LocalAttention>,
    expand: Conv,
    expand_moments: OutputMoments,
    expand_norm: GroupNorm,
    scale: Vec<f32>,
}

/// Rows of a band of `map`.
pub(super) fn band_rows(map: &FeatureMap<'_>) -> usize {
    (BAND_VALUES / (2 * map.channels * map.width)).max(1)
}

impl Residual {
    pub(super) fn load(
        loader: &mut Loader<'_, '_>,
        name: &str,
        channels: usize,
        shape: ResidualShape,
    ) -> Result<Self> {
        let branches = (0..shape.depth)
            .map(|index| Branch::load(loader, &format!("{name}.layers.{index}"), channels, index, shape));
        Ok(Self(branches.collect::<Result<_>>()?))
    }

    /// Adds the branches to `map`, each of whose rows is a signal of its own.
    ///
    /// # Errors
    /// `Cancelled`.
    pub(super) fn run(&self, context: &Context<'_>, map: &mut FeatureMap<'_>) -> Result<()> {
        let rows = band_rows(map);
        context.for_each(map.bands(rows), |mut band| {
            self.0.iter().try_for_each(|branch| branch.run(context, &mut band))
        })
    }
}

impl Branch {
    fn load(
        loader: &mut Loader<'_, '_>,
        name: &str,
        channels: usize,
        index: usize,
        shape: ResidualShape,
    ) -> Result<Self> {
        let hidden = channels / shape.compression;
        let dilation = 1 << index;
        // The layers are numbered as they follow each other.
        let mut number = 0..;
        let mut next = || format!("{name}.{}", number.next().unwrap_or_default());
        let dilated = ConvShape { kernel: [1, 3], padding: [0, dilation], dilation, ..ConvShape::POINT };
        let squeeze = loader.conv(&next(), [channels, hidden], Kernel::Columns(dilated))?;
        let squeeze_norm = loader.norm(&next(), hidden, 1, Over::EachRow)?;
        let _activation = next();
        let memory = if shape.memory { Some(Memory::load(loader, &next(), hidden)?) } else { None };
        let attention = if shape.attention { Some(load_attention(loader, &next(), hidden)?) } else { None };
        let (weights, bias) = loader.pair(&next(), &[2 * channels, hidden, 1], 2 * channels)?;
        let expand_moments = OutputMoments::new(loader.cpu, &weights.singles(), &bias);
        let expand = Conv::new(loader.cpu, &weights, &bias, hidden, ConvShape::POINT);
        let expand_norm = loader.norm(&next(), 2 * channels, 1, Over::EachRow)?;
        let _gates = next();
        let scale = loader.take(&format!("{}.scale", next()), &[channels])?.data;
        Ok(Self { squeeze, squeeze_norm, memory, attention, expand, expand_moments, expand_norm, scale })
    }

    fn run(&self, context: &Context<'_>, map: &mut FeatureMap<'_>) -> Result<()> {
        let mut hidden = FeatureMap::new(context, map.rows, self.squeeze.out_channels(), map.width);
        self.squeeze.run(context, map, Activation::None, Finish::Store, &mut hidden)?;
        self.squeeze_norm.run(context, &mut hidden, Then::Gelu)?;
        if let Some(memory) = &self.memory {
            for mut row in hidden.bands(1) {
                memory.run(context, &mut row)?;
            }
        }
        if let Some(attention) = &self.attention {
            attention.run(context, &mut hidden)?;
        }
        // What the branch widens to is far larger than its input, and is never stored.
        let totals = self.expand_moments.of_rows(context, &hidden)?;
        let affine = self.expand_norm.affine_of_rows(&totals, hidden.width);
        self.expand.add_gated(context, &hidden, &affine, &self.scale, map)
    }
}

/// Two layers of bidirectional memory over overlapping stretches, added to their input.
#[derive(Debug)]
struct Memory {
    lstm: BidirectionalLstm,
    linear: Conv,
}

impl Memory {
    fn load(loader: &mut Loader<'_, '_>, name: &str, hidden: usize) -> Result<Self> {
        let mut direction = |layer: usize, suffix: &str| -> Result<Direction> {
            let inputs = if layer == 0 { hidden } else { 2 * hidden };
            let path = |kind: &str| format!("{name}.lstm.{kind}_l{layer}{suffix}");
            let weights = DirectionWeights {
                input: loader.tensors.take_weights(&path("weight_ih"), &[4 * hidden, inputs])?,
                recurrent: loader.tensors.take_weights(&path("weight_hh"), &[4 * hidden, hidden])?,
                input_bias: loader.take(&path("bias_ih"), &[4 * hidden])?.data,
                recurrent_bias: loader.take(&path("bias_hh"), &[4 * hidden])?.data,
            };
            Ok(Direction::new(loader.cpu, weights))
        };
        let layers = vec![
            [direction(0, "")?, direction(0, "_reverse")?],
            [direction(1, "")?, direction(1, "_reverse")?],
        ];
        let (weights, bias) = loader.pair(&format!("{name}.linear"), &[hidden, 2 * hidden], hidden)?;
        Ok(Self {
            lstm: BidirectionalLstm::new(layers),
            linear: Conv::new(loader.cpu, &weights, &bias, 2 * hidden, ConvShape::POINT),
        })
    }

    fn run(&self, context: &Context<'_>, map: &mut FeatureMap<'_>) -> Result<()> {
        let frames = map.width;
        let (steps, stride, batch) = if frames > MEMORY_STEPS {
            let stride = MEMORY_STEPS / 2;
            (MEMORY_STEPS, stride, frames.div_ceil(stride))
        } else {
            (frames, frames, 1)
        };
        let mut stretches = FeatureMap::new(context, 1, map.channels, steps * batch);
        for channel in 0..map.channels {
            let source = map.channel(0, channel);
            let target = &mut stretches.data[channel * steps * batch..][..steps * batch];
            for (index, value) in target.iter_mut().enumerate() {
                let (step, stretch) = (index / batch, index % batch);
                *value = source.get(stretch * stride + step).copied().unwrap_or(0.0);
            }
        }
        let heard = self.lstm.run(context, &stretches, batch)?;
        self.linear.run(context, &heard, Activation::None, Finish::Store, &mut stretches)?;
        // Of two overlapping stretches, each frame believes the one in which it is further from the end.
        let limit = if batch > 1 { stride / 2 } else { 0 };
        for channel in 0..map.channels {
            let source = &stretches.data[channel * steps * batch..][..steps * batch];
            for (frame, value) in map.data[channel * frames..][..frames].iter_mut().enumerate() {
                let stretch = (frame.saturating_sub(limit) / stride).min(batch - 1);
                *value += source[(frame - stretch * stride) * batch + stretch];
            }
        }
        Ok(())
    }
}

fn load_attention(loader: &mut Loader<'_, '_>, name: &str, channels: usize) -> Result<LocalAttention> {
    let mut pair =
        |part: &str, outputs: usize| loader.pair(&format!("{name}.{part}"), &[outputs, channels, 1], outputs);
    if !channels.is_multiple_of(ATTENTION_HEADS) {
        return Err(crate::nn::weights::unusable(format!("{name} has {channels} channels in 4 heads")));
    }
    let weights = LocalAttentionWeights {
        query: pair("query", channels)?,
        key: pair("key", channels)?,
        content: pair("content", channels)?,
        decay: pair("query_decay", ATTENTION_HEADS * ATTENTION_DECAYS)?,
        output: pair("proj", channels)?,
    };
    Ok(LocalAttention::new(loader.cpu, weights, ATTENTION_HEADS))
}
