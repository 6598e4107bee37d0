//! The networks on our own engine.

use crate::nn::weights::TensorSet;
use crate::nn::{Context, Cpu, FeatureMap};
use crate::{Error, ErrorKind, Result};

use super::architecture::Architecture;
use super::blueprint::Blueprint;
use super::layers::{DecoderLayer, EncoderLayer, Loader};
use super::model::{Layer, Run};
use super::transformer::Transformer;

/// The layers of both U-nets.
#[derive(Debug)]
pub(super) struct Network {
    encoder: Vec<EncoderLayer>,
    time_encoder: Vec<EncoderLayer>,
    /// Per frequency after the first encoder layer and channel.
    frequency_embedding: Option<Vec<f32>>,
    transformer: Option<Transformer>,
    decoder: Vec<DecoderLayer>,
    time_decoder: Vec<DecoderLayer>,
    /// The largest outermost map that is kept for the decoder, in values; a larger one is made again.
    pub(super) most_kept_values: usize,
}

impl Network {
    /// # Errors
    /// `ModelUnavailable` naming a tensor that is missing or shaped otherwise.
    pub(super) fn build(cpu: Cpu, arch: &Architecture, tensors: &mut TensorSet<'_>) -> Result<Self> {
        let blueprint = Blueprint::new(arch)?;
        let loader = &mut Loader { cpu, tensors };
        let mut network = Self {
            encoder: Vec::new(),
            time_encoder: Vec::new(),
            frequency_embedding: None,
            transformer: None,
            decoder: Vec::new(),
            time_decoder: Vec::new(),
            most_kept_values: MOST_KEPT_VALUES,
        };
        for level in &blueprint.levels {
            let pair = &level.frequency;
            network.encoder.push(EncoderLayer::load(loader, &pair.encoder_name, pair.encoder)?);
            network.decoder.push(DecoderLayer::load(loader, &pair.decoder_name, pair.decoder, pair.last)?);
            if let Some(pair) = &level.time {
                network.time_encoder.push(EncoderLayer::load(loader, &pair.encoder_name, pair.encoder)?);
                let layer = DecoderLayer::load(loader, &pair.decoder_name, pair.decoder, pair.last)?;
                network.time_decoder.push(layer);
            }
        }
        if let Some(shape) = blueprint.frequency_embedding {
            let table = loader.take("freq_emb.embedding.weight", &shape)?;
            let scale = (arch.embedding_scale as f32, arch.frequency_embedding as f32);
            network.frequency_embedding =
                Some(table.data.iter().map(|value| value * scale.0 * scale.1).collect());
        }
        if let Some(shape) = &arch.transformer {
            network.transformer = Some(Transformer::load(loader, shape, blueprint.inner_channels)?);
        }
        Ok(network)
    }

    /// Layers of the frequency branch and of the time branch.
    pub(super) fn depths(&self) -> (usize, usize) {
        (self.encoder.len(), self.time_encoder.len())
    }

    /// Spectrogram and waveform in, those of all stems out.
    ///
    /// # Errors
    /// `Cancelled`, or the error of [`Run::layer_done`].
    pub(super) fn run<'a>(
        &'a self,
        context: &Context<'a>,
        run: &Run<'_>,
        x: FeatureMap<'a>,
        wave: FeatureMap<'a>,
    ) -> Result<(Spectra<'a>, FeatureMap<'a>)> {
        let outermost = self.encoder.first().map_or(0, |layer| layer.output_values(&x));
        let keep = outermost <= self.most_kept_values;
        let (mut maps, mut waves) = (Skips::new(x, keep), Skips::new(wave, keep));
        let mut inject = None;
        let mut time_layers = self.time_encoder.iter().enumerate().peekable();
        for index in 0..self.encoder.len() {
            // The time branch is a layer ahead: where its outermost map is not kept, it is gone when the largest of all is made.
            while let Some((time_index, layer)) = time_layers.next_if(|(ahead, _)| *ahead <= index + 1) {
                let y = layer.run(context, waves.last()?, None)?;
                run.done(Layer::TimeEncoder(time_index), &y)?;
                waves.widths.push(waves.last()?.width);
                if layer.is_bare() {
                    inject = Some(y);
                } else {
                    waves.push(y);
                }
            }
            let merging = index + 1 == self.time_encoder.len();
            let y = self.encode(context, index, maps.last()?, inject.take_if(|_| merging))?;
            run.done(Layer::Encoder(index), &y)?;
            maps.widths.push(maps.last()?.width);
            maps.push(y);
        }
        // Without a transformer, the decoder starts from what the encoder's last layer saw, and from nothing else.
        // A bare time layer has sent its wave into the other branch and gets it back from there.
        let merged = self.time_encoder.last().is_some_and(EncoderLayer::is_bare);
        let map_again = |map: &FeatureMap<'_>| self.encode(context, 0, map, None);
        let wave_again = |wave: &FeatureMap<'_>| self.time_encoder[0].run(context, wave, None);
        let mut x = maps.pop(map_again)?.ok_or_else(out_of_step)?;
        let mut wave = if merged { None } else { waves.pop(wave_again)? };
        if let Some(transformer) = &self.transformer {
            let time = wave.take().ok_or_else(out_of_step)?;
            let [over_frequency, over_time] = transformer.run(context, [x, time], run)?;
            (x, wave) = (over_frequency, Some(over_time));
        }
        for (index, layer) in self.decoder.iter().enumerate().rev() {
            let time_layer = self.time_decoder.get(index);
            let mut seen = None;
            if index > 0 || !self.ends_locally() {
                let [y, input] = layer.run(context, x, maps.widths[index], || maps.pop(map_again))?;
                run.done(Layer::Decoder(index), &y)?;
                seen = time_layer.filter(|layer| layer.is_bare()).and(Some(input));
                x = y;
            }
            if let Some(time_layer) = time_layer {
                let input = seen.or_else(|| wave.take()).ok_or_else(out_of_step)?;
                let width = waves.widths[index];
                let [y, _] = time_layer.run(context, input, width, || waves.pop(wave_again))?;
                run.done(Layer::TimeDecoder(index), &y)?;
                wave = Some(y);
            }
        }
        let wave = wave.ok_or_else(out_of_step)?;
        let spectra = match self.decoder.first() {
            Some(layer) if self.ends_locally() => Spectra::Ahead { layer, input: x },
            _ => Spectra::Whole(x),
        };
        Ok((spectra, wave))
    }

    fn encode<'a>(
        &self,
        context: &Context<'a>,
        index: usize,
        input: &FeatureMap<'_>,
        inject: Option<FeatureMap<'a>>,
    ) -> Result<FeatureMap<'a>> {
        let mut y = self.encoder[index].run(context, input, inject)?;
        if index == 0
            && let Some(table) = &self.frequency_embedding
        {
            let (channels, width) = (y.channels, y.width);
            let rows = y.data.chunks_exact_mut(channels * width).zip(table.chunks_exact(channels));
            context.for_each(rows.collect(), |(row, table): (&mut [f32], &[f32])| {
                for (line, &value) in row.chunks_exact_mut(width).zip(table) {
                    line.iter_mut().for_each(|x| *x += value);
                }
                Ok(())
            })?;
        }
        Ok(y)
    }

    /// Whether the last layer of the frequency branch needs no more than a few columns for each column.
    fn ends_locally(&self) -> bool {
        let bare = self.time_decoder.first().is_some_and(DecoderLayer::is_bare);
        self.decoder.first().is_some_and(DecoderLayer::is_local) && !bare
    }
}

/// Values of an outermost map that is kept for the decoder: 64 MiB. Windows of the fourth generation have half of it, those
/// of the third five times as many.
const MOST_KEPT_VALUES: usize = 1 << 24;

/// What one branch's encoder has made and its decoder has not yet used.
struct Skips<'a> {
    /// What went in: until the outermost layer has seen it, or until that layer is needed again.
    input: Option<FeatureMap<'a>>,
    /// Of all layers. The outermost is the largest, and cheap to make: where it is not kept it goes when the next one is
    /// there, and is made again.
    outputs: Vec<Option<FeatureMap<'a>>>,
    keeps_outermost: bool,
    /// Columns that each layer saw.
    widths: Vec<usize>,
}

impl<'a> Skips<'a> {
    fn new(input: FeatureMap<'a>, keeps_outermost: bool) -> Self {
        Self { input: Some(input), outputs: Vec::new(), keeps_outermost, widths: Vec::new() }
    }

    /// What the next layer sees.
    fn last(&self) -> Result<&FeatureMap<'a>> {
        let last = self.outputs.last().map_or(&self.input, |output| output);
        last.as_ref().ok_or_else(out_of_step)
    }

    fn push(&mut self, output: FeatureMap<'a>) {
        self.outputs.push(Some(output));
        match self.outputs.len() {
            1 if self.keeps_outermost => self.input = None,
            2 if !self.keeps_outermost => self.outputs[0] = None,
            _ => {}
        }
    }

    /// The innermost output that is left, if there is one; the outermost by `again` where it was not kept.
    fn pop(
        &mut self,
        again: impl FnOnce(&FeatureMap<'a>) -> Result<FeatureMap<'a>>,
    ) -> Result<Option<FeatureMap<'a>>> {
        match self.outputs.pop() {
            None => Ok(None),
            Some(Some(output)) => Ok(Some(output)),
            Some(None) => {
                let input = self.input.take().ok_or_else(out_of_step)?;
                again(&input).map(Some)
            }
        }
    }
}

/// The spectrograms of all stems, or what the last layer will make them from.
pub(super) enum Spectra<'a> {
    /// The spectrograms.
    Whole(FeatureMap<'a>),
    /// The input of a layer that makes any columns of them: all together would be the largest map of the network.
    Ahead { layer: &'a DecoderLayer, input: FeatureMap<'a> },
}

impl<'a> Spectra<'a> {
    /// Columns made at once.
    const BLOCK_COLS: usize = 96;

    /// Columns in all.
    pub(super) fn width(&self) -> usize {
        match self {
            Self::Whole(map) => map.width,
            Self::Ahead { input, .. } => input.width,
        }
    }

    /// Does `work` on all columns, block by block, each time told the first column of the block.
    ///
    /// # Errors
    /// Those of `work`; `Cancelled`.
    pub(super) fn for_each_block(
        &self,
        context: &Context<'_>,
        mut work: impl FnMut(usize, &FeatureMap<'_>) -> Result<()>,
    ) -> Result<()> {
        match self {
            Self::Whole(map) => work(0, map),
            Self::Ahead { layer, input } => {
                (0..input.width).step_by(Self::BLOCK_COLS).try_for_each(|first| {
                    let width = Self::BLOCK_COLS.min(input.width - first);
                    work(first, &layer.run_columns(context, input, first, width)?)
                })
            }
        }
    }

    /// Tells `run` that all of it was made.
    ///
    /// # Errors
    /// That of [`Run::layer_done`].
    pub(super) fn done(&self, context: &Context<'_>, run: &Run<'_>) -> Result<()> {
        match self {
            Self::Whole(map) => run.done(Layer::Spectrograms, map),
            Self::Ahead { layer, input } => {
                let whole = || layer.run_columns(context, input, 0, input.width).map(|map| map.data.to_vec());
                (run.layer_done)(Layer::Decoder(0), 1, &whole)?;
                (run.layer_done)(Layer::Spectrograms, 1, &whole)
            }
        }
    }
}

pub(super) fn out_of_step() -> Error {
    Error::new(ErrorKind::Internal, "the branches of the network are out of step")
}
