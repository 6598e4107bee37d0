//! The cross-domain transformer between encoder and decoder (S. Rouard, F. Massa, A. Défossez, "Hybrid Transformers
//! for Music Source Separation", 2023).

use std::sync::{Arc, Mutex, PoisonError};

use crate::Result;
use crate::nn::weights::unusable;
use crate::nn::{
    Activation, Attention, Context, Conv, ConvShape, FeatureMap, FeedForward, Finish, GroupNorm, LayerNorm,
    Over, Then,
};

use super::architecture::Transformer as Shape;
use super::layers::{Kernel, Loader};
use super::model::{Layer as Part, Run};

/// Layers for both branches, which listen to each other in every other layer.
#[derive(Debug)]
pub(super) struct Transformer {
    samplers: Option<[Samplers; 2]>,
    norms_in: Option<[LayerNorm; 2]>,
    layers: Vec<[Layer; 2]>,
    shape: Shape,
    /// Of the last run, in both branches.
    positions: [Mutex<Option<Positions>>; 2],
}

/// What tells the tokens of a map of this size where they stand.
#[derive(Debug)]
struct Positions {
    rows: usize,
    width: usize,
    values: Arc<Vec<f32>>,
}

/// Into and out of the transformer's own channels.
#[derive(Debug)]
struct Samplers {
    up: Conv,
    down: Conv,
}

#[derive(Debug)]
struct Layer {
    query_norm: LayerNorm,
    /// Of the other branch's tokens; `None` where a layer listens to its own branch.
    other_norm: Option<LayerNorm>,
    attention: Attention,
    attention_scale: Vec<f32>,
    forward_norm: LayerNorm,
    forward: FeedForward,
    forward_scale: Vec<f32>,
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
                    let point = Kernel::Columns(ConvShape::POINT);
                    let up =
                        loader.conv(&format!("channel_upsampler{suffix}"), [outer_channels, inner], point)?;
                    let down = loader.conv(
                        &format!("channel_downsampler{suffix}"),
                        [inner, outer_channels],
                        point,
                    )?;
                    Ok(Samplers { up, down })
                };
                Some([load("")?, load("_t")?])
            }
        };
        let norms_in = if shape.norm_in {
            Some([
                layer_norm(loader, "crosstransformer.norm_in", channels)?,
                layer_norm(loader, "crosstransformer.norm_in_t", channels)?,
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
        Ok(Self { samplers, norms_in, layers, shape: shape.clone(), positions })
    }

    /// Runs both branches, tells `run` of every layer of each, and adds the inputs to the results.
    ///
    /// # Errors
    /// `Cancelled`.
    pub(super) fn run<'a>(
        &self,
        context: &Context<'a>,
        [frequency_in, time_in]: [FeatureMap<'a>; 2],
        run: &Run<'_>,
    ) -> Result<[FeatureMap<'a>; 2]> {
        let mut frequency = self.enter(context, &frequency_in, 0)?;
        let mut time = self.enter(context, &time_in, 1)?;
        for (index, [over_frequency, over_time]) in self.layers.iter().enumerate() {
            // Both branches hear the other one as it was before this layer.
            let heard_by_time = over_time.heard(context, &frequency)?;
            let heard_by_frequency = over_frequency.heard(context, &time)?;
            over_frequency.run(context, heard_by_frequency, &mut frequency)?;
            run.done(Part::Transformer(index), &frequency)?;
            over_time.run(context, heard_by_time, &mut time)?;
            run.done(Part::TimeTransformer(index), &time)?;
        }
        Ok([self.leave(context, frequency, 0, frequency_in)?, self.leave(context, time, 1, time_in)?])
    }

    fn enter<'a>(
        &self,
        context: &Context<'a>,
        map: &FeatureMap<'_>,
        branch: usize,
    ) -> Result<FeatureMap<'a>> {
        let mut tokens = match &self.samplers {
            None => map.duplicate(context),
            Some(samplers) => {
                let up = &samplers[branch].up;
                let mut wide = FeatureMap::new(context, map.rows, up.out_channels(), map.width);
                up.run(context, map, Activation::None, Finish::Store, &mut wide)?;
                wide
            }
        };
        if let Some(norms) = &self.norms_in {
            let mut normed = FeatureMap::new(context, tokens.rows, tokens.channels, tokens.width);
            norms[branch].run(context, &tokens, &mut normed)?;
            tokens = normed;
        }
        let positions = self.positions(context, branch, &tokens)?;
        let lines = tokens.data.chunks_mut(map.width).zip(positions.chunks(map.width)).collect();
        context.for_each(lines, |(line, positions): (&mut [f32], &[f32])| {
            line.iter_mut().zip(positions).for_each(|(value, position)| *value += position);
            Ok(())
        })?;
        Ok(tokens)
    }

    /// One value for each of `tokens`.
    fn positions(
        &self,
        context: &Context<'_>,
        branch: usize,
        tokens: &FeatureMap<'_>,
    ) -> Result<Arc<Vec<f32>>> {
        let &FeatureMap { rows, channels, width, .. } = tokens;
        let last = || self.positions[branch].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(positions) = &*last()
            && (positions.rows, positions.width) == (rows, width)
        {
            return Ok(Arc::clone(&positions.values));
        }
        let (weight, period) = (self.shape.position_weight as f32, self.shape.max_period);
        let mut values = vec![0.0; tokens.data.len()];
        context.for_each(values.chunks_exact_mut(width).enumerate().collect(), |(line, values)| {
            let (row, channel) = (line / channels, line % channels);
            let fill = |values: &mut [f32], position: &dyn Fn(usize) -> f32| {
                values.iter_mut().enumerate().for_each(|(column, value)| *value = weight * position(column));
            };
            if branch == 0 {
                let position = plane_position(channel, channels, period);
                fill(values, &|column| position(row, column));
            } else {
                fill(values, &line_position(channel, channels, period));
            }
            Ok(())
        })?;
        let values = Arc::new(values);
        *last() = Some(Positions { rows, width, values: Arc::clone(&values) });
        Ok(values)
    }

    /// Adds what became of the tokens to `map`, from which they came.
    fn leave<'a>(
        &self,
        context: &Context<'a>,
        tokens: FeatureMap<'a>,
        branch: usize,
        mut map: FeatureMap<'a>,
    ) -> Result<FeatureMap<'a>> {
        match &self.samplers {
            None => map.data.iter_mut().zip(&*tokens.data).for_each(|(value, token)| *value += token),
            Some(samplers) => {
                samplers[branch].down.run(context, &tokens, Activation::None, Finish::Add, &mut map)?;
            }
        }
        Ok(map)
    }
}

impl Layer {
    fn load(
        loader: &mut Loader<'_, '_>,
        name: &str,
        channels: usize,
        crossing: bool,
        shape: &Shape,
    ) -> Result<Self> {
        let mut norm = |part: &str| layer_norm(loader, &format!("{name}.{part}"), channels);
        let query_norm = norm("norm1")?;
        let (other_norm, forward_norm) =
            if crossing { (Some(norm("norm2")?), norm("norm3")?) } else { (None, norm("norm2")?) };
        let attention = format!("{name}.{}", if crossing { "cross_attn" } else { "self_attn" });
        let inward = (
            loader.tensors.take_weights(&format!("{attention}.in_proj_weight"), &[3 * channels, channels])?,
            loader.take(&format!("{attention}.in_proj_bias"), &[3 * channels])?.data,
        );
        let outward = loader.pair(&format!("{attention}.out_proj"), &[channels, channels], channels)?;
        let hidden = (channels as f64 * shape.hidden_scale) as usize;
        let widen = loader.pair(&format!("{name}.linear1"), &[hidden, channels], hidden)?;
        let narrow = loader.pair(&format!("{name}.linear2"), &[channels, hidden], channels)?;
        let mut scale = |part: &str| -> Result<Vec<f32>> {
            if shape.layer_scale {
                Ok(loader.take(&format!("{name}.{part}.scale"), &[channels])?.data)
            } else {
                Ok(vec![1.0; channels])
            }
        };
        let (attention_scale, forward_scale) = (scale("gamma_1")?, scale("gamma_2")?);
        let norm_out = if shape.norm_out {
            Some(loader.norm(&format!("{name}.norm_out"), channels, 1, Over::AllRows)?)
        } else {
            None
        };
        Ok(Self {
            query_norm,
            other_norm,
            attention: Attention::new(loader.cpu, inward, outward, shape.heads),
            attention_scale,
            forward_norm,
            forward: FeedForward::new(loader.cpu, widen, narrow, channels),
            forward_scale,
            norm_out,
        })
    }

    /// What this layer will hear of the other branch; `None` where it listens to its own.
    fn heard<'a>(&self, context: &Context<'a>, other: &FeatureMap<'_>) -> Result<Option<FeatureMap<'a>>> {
        let Some(norm) = &self.other_norm else { return Ok(None) };
        let mut normed = FeatureMap::new(context, other.rows, other.channels, other.width);
        norm.run(context, other, &mut normed)?;
        Ok(Some(normed))
    }

    fn run<'a>(
        &self,
        context: &Context<'a>,
        heard: Option<FeatureMap<'a>>,
        tokens: &mut FeatureMap<'_>,
    ) -> Result<()> {
        let mut normed = FeatureMap::new(context, tokens.rows, tokens.channels, tokens.width);
        self.query_norm.run(context, tokens, &mut normed)?;
        let others = heard.as_ref().unwrap_or(&normed);
        self.attention.run(context, &normed, others, &self.attention_scale, tokens)?;
        drop(heard);
        self.forward_norm.run(context, tokens, &mut normed)?;
        self.forward.run(context, &normed, &self.forward_scale, tokens)?;
        match &self.norm_out {
            Some(norm) => norm.run(context, tokens, Then::Nothing),
            None => Ok(()),
        }
    }
}

fn layer_norm(loader: &mut Loader<'_, '_>, name: &str, channels: usize) -> Result<LayerNorm> {
    let [gain, offset] = loader.vectors(name, channels)?;
    Ok(LayerNorm::new(gain, offset))
}

/// The position of tokens of the frequency branch by row and column, as one channel tells it: half of the channels
/// tell their time, half their frequency, sine and cosine in turn. The steps are rounded to single precision as the
/// training did it.
pub(super) fn plane_position(
    channel: usize,
    channels: usize,
    max_period: f64,
) -> impl Fn(usize, usize) -> f32 {
    let half = channels / 2;
    let over_time = channel < half;
    let channel = channel % half;
    let exponent = (channel / 2 * 2) as f32 * -(max_period.ln() / half as f64) as f32;
    let rate = f64::from(exponent).exp() as f32;
    move |row, column| {
        let phase = f64::from((if over_time { column } else { row }) as f32 * rate);
        (if channel.is_multiple_of(2) { phase.sin() } else { phase.cos() }) as f32
    }
}

/// The position of tokens of the time branch by column, as one channel tells it: a block of cosines, then a block of
/// sines.
pub(super) fn line_position(channel: usize, channels: usize, max_period: f64) -> impl Fn(usize) -> f32 {
    let half = channels / 2;
    let index = channel % half;
    let period = max_period.powf(f64::from(index as f32 / (half - 1) as f32)) as f32;
    move |column| {
        let phase = f64::from(column as f32 / period);
        (if channel < half { phase.cos() } else { phase.sin() }) as f32
    }
}
