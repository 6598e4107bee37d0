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
        &self,
        context: &Context<'a>,
        run: &Run<'_>,
        x: FeatureMap<'a>,
        wave: FeatureMap<'a>,
    ) -> Result<[FeatureMap<'a>; 2]> {
        let (mut maps, mut waves): (Vec<FeatureMap<'a>>, Vec<FeatureMap<'a>>) = (Vec::new(), Vec::new());
        let (mut widths, mut wave_widths) = (Vec::new(), Vec::new());
        // The inputs are needed no longer than the first layers run.
        let mut inputs = Some([x, wave]);
        for (index, layer) in self.encoder.iter().enumerate() {
            let inputs = inputs.take();
            let (x, wave) = match &inputs {
                Some([x, wave]) => (Some(x), Some(wave)),
                None => (maps.last(), waves.last()),
            };
            let x = x.ok_or_else(out_of_step)?;
            widths.push(x.width);
            let mut inject = None;
            if let Some(time_layer) = self.time_encoder.get(index) {
                let wave = wave.ok_or_else(out_of_step)?;
                wave_widths.push(wave.width);
                let y = time_layer.run(context, wave, None)?;
                run.done(Layer::TimeEncoder(index), &y)?;
                if time_layer.is_bare() {
                    inject = Some(y);
                } else {
                    waves.push(y);
                }
            }
            let mut y = layer.run(context, x, inject.as_ref())?;
            if index == 0
                && let Some(table) = &self.frequency_embedding
            {
                let width = y.width;
                for (line, &value) in y.data.chunks_exact_mut(width).zip(table) {
                    line.iter_mut().for_each(|x| *x += value);
                }
            }
            run.done(Layer::Encoder(index), &y)?;
            maps.push(y);
        }
        // Without a transformer, the decoder starts from what the encoder's last layer saw, and from nothing else.
        // A bare time layer has sent its wave into the other branch and gets it back from there.
        let merged = self.time_encoder.last().is_some_and(EncoderLayer::is_bare);
        let mut x = maps.pop().ok_or_else(out_of_step)?;
        let mut wave = if merged { None } else { waves.pop() };
        if let Some(transformer) = &self.transformer {
            let time = wave.take().ok_or_else(out_of_step)?;
            let [over_frequency, over_time] = transformer.run(context, [&x, &time], run)?;
            (x, wave) = (over_frequency, Some(over_time));
        }
        for (index, layer) in self.decoder.iter().enumerate().rev() {
            let skip = maps.pop();
            let [y, seen] = layer.run(context, x, widths[index], skip.as_ref())?;
            run.done(Layer::Decoder(index), &y)?;
            drop(skip);
            x = y;
            if let Some(time_layer) = self.time_decoder.get(index) {
                let input = if time_layer.is_bare() {
                    Some(seen)
                } else {
                    drop(seen);
                    wave.take()
                };
                let skip = waves.pop();
                let input = input.ok_or_else(out_of_step)?;
                let [y, _] = time_layer.run(context, input, wave_widths[index], skip.as_ref())?;
                run.done(Layer::TimeDecoder(index), &y)?;
                wave = Some(y);
            }
        }
        Ok([x, wave.ok_or_else(out_of_step)?])
    }
}

pub(super) fn out_of_step() -> Error {
    Error::new(ErrorKind::Internal, "the branches of the network are out of step")
}
