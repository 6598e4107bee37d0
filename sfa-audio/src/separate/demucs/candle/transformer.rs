//! The cross-domain transformer between encoder and decoder.

use std::sync::{Mutex, PoisonError};

use candle_core::Tensor;

use crate::Result;
use crate::nn::weights::unusable;

use super::super::architecture::Transformer as Shape;
use super::super::model::Layer as Part;
use super::super::transformer::{line_position, plane_position};
use super::ops::{Conv, GroupNorm, LayerNorm, Linear, Loader, attend};
use super::{Place, fault};

/// Layers for both branches, which listen to each other in every other layer. Tokens are segments x tokens x channels.
pub(super) struct Transformer {
    place: Place,
    samplers: Option<[Samplers; 2]>,
    norms_in: Option<[LayerNorm; 2]>,
    layers: Vec<[Layer; 2]>,
    shape: Shape,
    /// Of the last run, in both branches.
    positions: [Mutex<Option<Positions>>; 2],
}

/// Where the tokens of a map stand.
struct Positions {
    rows: usize,
    width: usize,
    values: Tensor,
}

/// Into and out of the transformer's own channels.
struct Samplers {
    up: Conv,
    down: Conv,
}

struct Layer {
    query_norm: LayerNorm,
    /// Of the other branch's tokens; `None` where a layer listens to its own branch.
    other_norm: Option<LayerNorm>,
    attention: Attention,
    attention_scale: Option<Tensor>,
    forward_norm: LayerNorm,
    widen: Linear,
    narrow: Linear,
    forward_scale: Option<Tensor>,
    norm_out: Option<GroupNorm>,
}

impl Transformer {
    pub(super) fn load(loader: &mut Loader<'_, '_>, shape: &Shape, outer_channels: usize) -> Result<Self> {
        let channels = shape.bottom_channels.unwrap_or(outer_channels);
        if !channels.is_multiple_of(4) || !channels.is_multiple_of(shape.heads) {
            return Err(unusable(format!("a transformer of {channels} channels and {} heads", shape.heads)));
        }
        let samplers = match shape.bottom_channels {
            None => None,
            Some(inner) => {
                let mut load = |suffix: &str| -> Result<Samplers> {
                    let (up, down) =
                        (format!("channel_upsampler{suffix}"), format!("channel_downsampler{suffix}"));
                    Ok(Samplers {
                        up: Conv::line(loader, &up, [outer_channels, inner], 1, 1)?,
                        down: Conv::line(loader, &down, [inner, outer_channels], 1, 1)?,
                    })
                };
                Some([load("")?, load("_t")?])
            }
        };
        let norms_in = if shape.norm_in {
            Some([
                LayerNorm::load(loader, "crosstransformer.norm_in", channels)?,
                LayerNorm::load(loader, "crosstransformer.norm_in_t", channels)?,
            ])
        } else {
            None
        };
        let layers = (0..shape.layers).map(|index| {
            let crossing = (index % 2 == 0) == shape.cross_first;
            let mut load = |list: &str| {
                Layer::load(loader, &format!("crosstransformer.{list}.{index}"), channels, crossing, shape)
            };
            Ok([load("layers")?, load("layers_t")?])
        });
        let layers = layers.collect::<Result<_>>()?;
        let positions = [const { Mutex::new(None) }; 2];
        Ok(Self { place: loader.place.clone(), samplers, norms_in, layers, shape: shape.clone(), positions })
    }

    /// Runs both branches, calls `done` after every layer of each, and adds the inputs to the results.
    ///
    /// # Errors
    /// Those of `done`; what the device says.
    pub(super) fn run(
        &self,
        [frequency_in, time_in]: [&Tensor; 2],
        done: &dyn Fn(Part, &Tensor) -> Result<()>,
    ) -> Result<[Tensor; 2]> {
        let mut frequency = self.enter(frequency_in, 0).map_err(fault)?;
        let mut time = self.enter(time_in, 1).map_err(fault)?;
        let tell =
            |part: Part, tokens: &Tensor, like: &Tensor| done(part, &map_of(tokens, like).map_err(fault)?);
        for (index, [over_frequency, over_time]) in self.layers.iter().enumerate() {
            // Both branches hear the other one as it was before this layer.
            let heard_by_time = over_time.heard(&frequency).map_err(fault)?;
            let heard_by_frequency = over_frequency.heard(&time).map_err(fault)?;
            frequency = over_frequency.run(heard_by_frequency, &frequency).map_err(fault)?;
            tell(Part::Transformer(index), &frequency, frequency_in)?;
            time = over_time.run(heard_by_time, &time).map_err(fault)?;
            tell(Part::TimeTransformer(index), &time, time_in)?;
        }
        let leave = |tokens: &Tensor, branch: usize, skip: &Tensor| {
            let mut map = map_of(tokens, skip)?;
            if let Some(samplers) = &self.samplers {
                map = samplers[branch].down.run(&map.contiguous()?)?;
            }
            map + skip
        };
        Ok([leave(&frequency, 0, frequency_in).map_err(fault)?, leave(&time, 1, time_in).map_err(fault)?])
    }

    fn enter(&self, map: &Tensor, branch: usize) -> candle_core::Result<Tensor> {
        let map = match &self.samplers {
            None => map.clone(),
            Some(samplers) => samplers[branch].up.run(map)?,
        };
        let (segments, rows, channels, width) = map.dims4()?;
        let mut tokens = map.permute((0, 1, 3, 2))?.reshape((segments, rows * width, channels))?;
        if let Some(norms) = &self.norms_in {
            tokens = norms[branch].run(&tokens)?;
        }
        tokens.broadcast_add(&self.positions(branch, [rows, width], channels)?)
    }

    /// Where the tokens of a map of `rows` times `width` stand.
    fn positions(
        &self,
        branch: usize,
        [rows, width]: [usize; 2],
        channels: usize,
    ) -> candle_core::Result<Tensor> {
        let mut last = self.positions[branch].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(positions) = &*last
            && (positions.rows, positions.width) == (rows, width)
        {
            return Ok(positions.values.clone());
        }
        let weight = self.shape.position_weight as f32;
        let mut values = Vec::with_capacity(rows * width * channels);
        for row in 0..rows {
            for column in 0..width {
                values.extend((0..channels).map(|channel| {
                    weight
                        * if branch == 0 {
                            plane_position(channel, channels, self.shape.max_period)(row, column)
                        } else {
                            line_position(channel, channels, self.shape.max_period)(column)
                        }
                }));
            }
        }
        let values = Tensor::from_vec(values, (1, rows * width, channels), &self.place.device)?
            .to_dtype(self.place.dtype)?;
        *last = Some(Positions { rows, width, values: values.clone() });
        Ok(values)
    }
}

/// The map that tokens make, with the rows and columns of another.
fn map_of(tokens: &Tensor, like: &Tensor) -> candle_core::Result<Tensor> {
    let (segments, rows, _, width) = like.dims4()?;
    tokens.reshape((segments, rows, width, ()))?.permute((0, 1, 3, 2))
}

impl Layer {
    fn load(
        loader: &mut Loader<'_, '_>,
        name: &str,
        channels: usize,
        crossing: bool,
        shape: &Shape,
    ) -> Result<Self> {
        let mut norm = |part: &str| LayerNorm::load(loader, &format!("{name}.{part}"), channels);
        let query_norm = norm("norm1")?;
        let (other_norm, forward_norm) =
            if crossing { (Some(norm("norm2")?), norm("norm3")?) } else { (None, norm("norm2")?) };
        let attention = format!("{name}.{}", if crossing { "cross_attn" } else { "self_attn" });
        let attention = Attention::load(loader, &attention, channels, shape.heads)?;
        let hidden = (channels as f64 * shape.hidden_scale) as usize;
        let widen = Linear::load(loader, &format!("{name}.linear1"), [channels, hidden])?;
        let narrow = Linear::load(loader, &format!("{name}.linear2"), [hidden, channels])?;
        let mut scale = |part: &str| -> Result<Option<Tensor>> {
            if !shape.layer_scale {
                return Ok(None);
            }
            let scale = loader.take(&format!("{name}.{part}.scale"), &[channels])?;
            loader.cast(Ok(scale)).map(Some)
        };
        let (attention_scale, forward_scale) = (scale("gamma_1")?, scale("gamma_2")?);
        let norm_out = if shape.norm_out {
            Some(GroupNorm::load(loader, &format!("{name}.norm_out"), channels, 1, false)?)
        } else {
            None
        };
        Ok(Self {
            query_norm,
            other_norm,
            attention,
            attention_scale,
            forward_norm,
            widen,
            narrow,
            forward_scale,
            norm_out,
        })
    }

    /// What this layer will hear of the other branch; `None` where it listens to its own.
    fn heard(&self, other: &Tensor) -> candle_core::Result<Option<Tensor>> {
        self.other_norm.as_ref().map(|norm| norm.run(other)).transpose()
    }

    fn run(&self, heard: Option<Tensor>, tokens: &Tensor) -> candle_core::Result<Tensor> {
        let scaled = |x: Tensor, scale: &Option<Tensor>| match scale {
            Some(scale) => x.broadcast_mul(scale),
            None => Ok(x),
        };
        let normed = self.query_norm.run(tokens)?;
        let found = self.attention.run(&normed, heard.as_ref().unwrap_or(&normed))?;
        let tokens = (tokens + scaled(found, &self.attention_scale)?)?;
        let hidden = self.widen.run(&self.forward_norm.run(&tokens)?)?.gelu_erf()?;
        let tokens = (&tokens + scaled(self.narrow.run(&hidden)?, &self.forward_scale)?)?;
        match &self.norm_out {
            Some(norm) => norm.run(&tokens.unsqueeze(3)?)?.squeeze(3),
            None => Ok(tokens),
        }
    }
}

/// Projections and heads of one attention block.
struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    heads: usize,
}

impl Attention {
    fn load(loader: &mut Loader<'_, '_>, name: &str, channels: usize, heads: usize) -> Result<Self> {
        let weight = loader.take(&format!("{name}.in_proj_weight"), &[3 * channels, channels])?;
        let bias = loader.take(&format!("{name}.in_proj_bias"), &[3 * channels])?;
        let output = Linear::load(loader, &format!("{name}.out_proj"), [channels, channels])?;
        let loader = &*loader;
        let part = |index: usize, factor: f64| -> Result<Linear> {
            let rows = |tensor: &Tensor| tensor.narrow(0, index * channels, channels)? * factor;
            Linear::new(loader, &rows(&weight).map_err(fault)?, &rows(&bias).map_err(fault)?)
        };
        // The scores' factor 1 / sqrt(head size) costs nothing here.
        let query = part(0, 1.0 / ((channels / heads) as f64).sqrt())?;
        Ok(Self { query, key: part(1, 1.0)?, value: part(2, 1.0)?, output, heads })
    }

    fn run(&self, queries: &Tensor, others: &Tensor) -> candle_core::Result<Tensor> {
        let (segments, count, channels) = queries.dims3()?;
        let size = channels / self.heads;
        let per_head = |linear: &Linear, tokens: &Tensor| {
            let projected = linear.run(tokens)?.reshape((segments, (), self.heads, size))?;
            projected.transpose(1, 2)?.reshape((segments * self.heads, (), size))
        };
        let found = attend(
            &per_head(&self.query, queries)?,
            &per_head(&self.key, others)?,
            &per_head(&self.value, others)?,
            |scores, _| Ok(scores),
        )?;
        let found = found.reshape((segments, self.heads, count, size))?.transpose(1, 2)?;
        self.output.run(&found.reshape((segments, count, channels))?)
    }
}
