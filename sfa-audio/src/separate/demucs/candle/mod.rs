//! The networks in the operations of candle, a tensor library that also counts on GPUs.
//!
//! Every activation is a tensor of segments x rows x channels x width: behind the segments that run at once, it is
//! laid out as a [`FeatureMap`], so that a spectrogram is one matrix per frequency and a waveform has a single row.
//! That makes residual branches, which work on every frequency by itself, and strides over frequencies plain products
//! of matrices; no layer needs a general convolution in two dimensions.
//!
//! Spectra, normalisation and windows are shared with our own engine and stay on the CPU.

mod layers;
mod memory;
mod ops;
mod residual;
#[cfg(test)]
mod tests;
mod transformer;

use candle_core::{DType, Device, Tensor};

use crate::nn::weights::TensorSet;
use crate::nn::{Context, FeatureMap};
use crate::{Error, ErrorKind, Result};

use super::architecture::Architecture;
use super::blueprint::Blueprint;
use super::model::{Layer, Run};
use super::network::out_of_step;
use layers::{DecoderLayer, EncoderLayer};
use ops::Loader;
use transformer::Transformer;

/// Where tensors live, and the numbers they are made of.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) device: Device,
    pub(super) dtype: DType,
}

impl Place {
    /// The GPU of this number.
    ///
    /// # Errors
    /// `ToolUnavailable` when there is none that can be used.
    #[cfg(feature = "cuda")]
    pub(super) fn cuda(number: usize, precision: super::Precision) -> Result<Self> {
        use super::Precision;

        let device = Device::new_cuda(number).map_err(|error| {
            Error::new(
                ErrorKind::ToolUnavailable,
                format!(
                    "this GPU cannot be used ({}); check its number and the NVIDIA driver, or choose the device cpu",
                    first_line(&error)
                ),
            )
            .caused_by(error)
        })?;
        let dtype = match precision {
            Precision::Fp32 => DType::F32,
            Precision::Bf16 => DType::BF16,
            Precision::Fp16 => DType::F16,
        };
        Ok(Self { device, dtype })
    }
}

/// The layers of both U-nets.
pub(super) struct Network {
    place: Place,
    encoder: Vec<EncoderLayer>,
    time_encoder: Vec<EncoderLayer>,
    /// Per frequency after the first encoder layer and channel.
    frequency_embedding: Option<Tensor>,
    transformer: Option<Transformer>,
    decoder: Vec<DecoderLayer>,
    time_decoder: Vec<DecoderLayer>,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Network {
    /// # Errors
    /// `ModelUnavailable` naming a tensor that is missing or shaped otherwise; what the device says.
    pub(super) fn build(place: &Place, arch: &Architecture, tensors: &mut TensorSet<'_>) -> Result<Self> {
        let blueprint = Blueprint::new(arch)?;
        let loader = &mut Loader { place, tensors };
        let mut network = Self {
            place: place.clone(),
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
        if let Some([frequencies, channels]) = blueprint.frequency_embedding {
            let scale = arch.embedding_scale * arch.frequency_embedding;
            let table = loader.take("freq_emb.embedding.weight", &[frequencies, channels])?;
            let table = (table * scale).and_then(|table| table.reshape((1, frequencies, channels, 1)));
            network.frequency_embedding =
                Some(table.and_then(|table| table.to_dtype(place.dtype)).map_err(fault)?);
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

    /// The spectrogram and the waveform of every segment in, those of all stems out. All segments are equally long.
    ///
    /// # Errors
    /// `Cancelled`, the error of [`Run::layer_done`], what the device says.
    pub(super) fn run<'a>(
        &self,
        context: &Context<'a>,
        run: &Run<'_>,
        inputs: Vec<[FeatureMap<'a>; 2]>,
    ) -> Result<Vec<[FeatureMap<'a>; 2]>> {
        let [x, wave] = [0, 1].map(|branch| {
            let maps: Vec<&FeatureMap<'_>> = inputs.iter().map(|input| &input[branch]).collect();
            upload(&self.place, &maps).map_err(fault)
        });
        let (x, wave) = (x?, wave?);
        drop(inputs);
        let [x, wave] = self.run_layers(run, x, wave)?;
        let (maps, waves) = (download(context, x)?, download(context, wave)?);
        Ok(maps.into_iter().zip(waves).map(|(map, wave)| [map, wave]).collect())
    }

    fn run_layers(&self, run: &Run<'_>, x: Tensor, wave: Tensor) -> Result<[Tensor; 2]> {
        let done = |layer: Layer, map: &Tensor| self.done(run, layer, map);
        // The first map of each list is the input, every other one the output of a layer.
        let (mut maps, mut waves) = (vec![x], vec![wave]);
        for (index, layer) in self.encoder.iter().enumerate() {
            let mut inject = None;
            if let Some(time_layer) = self.time_encoder.get(index) {
                let y = time_layer.run(&waves[index], None).map_err(fault)?;
                done(Layer::TimeEncoder(index), &y)?;
                if time_layer.is_bare() {
                    inject = Some(y);
                } else {
                    waves.push(y);
                }
            }
            let mut y = layer.run(&maps[index], inject.as_ref()).map_err(fault)?;
            if index == 0
                && let Some(table) = &self.frequency_embedding
            {
                y = y.broadcast_add(table).map_err(fault)?;
            }
            done(Layer::Encoder(index), &y)?;
            maps.push(y);
        }
        let width = |map: &Tensor| map.dim(3).map_err(fault);
        let widths: Vec<usize> = maps.iter().map(width).collect::<Result<_>>()?;
        let wave_widths: Vec<usize> = waves.iter().map(width).collect::<Result<_>>()?;
        // Without a transformer, the decoder starts from what the encoder's last layer saw, and from nothing else.
        // A bare time layer has sent its wave into the other branch and gets it back from there.
        let merged = self.time_encoder.last().is_some_and(EncoderLayer::is_bare);
        let mut x = maps.pop().ok_or_else(out_of_step)?;
        let mut wave = if merged { None } else { waves.pop() };
        if let Some(transformer) = &self.transformer {
            let time = wave.take().ok_or_else(out_of_step)?;
            let [over_frequency, over_time] = transformer.run([&x, &time], &done)?;
            (x, wave) = (over_frequency, Some(over_time));
        }
        for (index, layer) in self.decoder.iter().enumerate().rev() {
            let skip = if index > 0 { maps.pop() } else { None };
            let [y, seen] = layer.run(&x, widths[index], skip.as_ref()).map_err(fault)?;
            done(Layer::Decoder(index), &y)?;
            x = y;
            if let Some(time_layer) = self.time_decoder.get(index) {
                let input = if time_layer.is_bare() { Some(seen) } else { wave };
                let skip = if index > 0 { waves.pop() } else { None };
                let input = input.ok_or_else(out_of_step)?;
                let [y, _] = time_layer.run(&input, wave_widths[index], skip.as_ref()).map_err(fault)?;
                done(Layer::TimeDecoder(index), &y)?;
                wave = Some(y);
            }
        }
        Ok([x, wave.ok_or_else(out_of_step)?])
    }

    fn done(&self, run: &Run<'_>, layer: Layer, map: &Tensor) -> Result<()> {
        // A GPU is handed work long before it does it; progress tells of work done.
        self.place.device.synchronize().map_err(fault)?;
        run.watch.checkpoint()?;
        let segments = map.dim(0).map_err(fault)?;
        (run.layer_done)(layer, segments, &|| singles(map).map_err(fault))
    }
}

fn upload(place: &Place, maps: &[&FeatureMap<'_>]) -> candle_core::Result<Tensor> {
    let (rows, channels, width) = maps.first().map_or((0, 0, 0), |map| (map.rows, map.channels, map.width));
    let mut values = Vec::with_capacity(maps.len() * rows * channels * width);
    maps.iter().for_each(|map| values.extend_from_slice(&map.data));
    Tensor::from_vec(values, (maps.len(), rows, channels, width), &place.device)?.to_dtype(place.dtype)
}

fn download<'a>(context: &Context<'a>, maps: Tensor) -> Result<Vec<FeatureMap<'a>>> {
    let (segments, rows, channels, width) = maps.dims4().map_err(fault)?;
    let one = |segment: usize| {
        let values = maps.narrow(0, segment, 1).and_then(|map| singles(&map)).map_err(fault)?;
        let mut map = FeatureMap::new(context, rows, channels, width);
        map.data.copy_from_slice(&values);
        Ok(map)
    };
    (0..segments).map(one).collect()
}

/// All values, on the CPU.
fn singles(map: &Tensor) -> candle_core::Result<Vec<f32>> {
    map.to_dtype(DType::F32)?.flatten_all()?.to_vec1()
}

/// What went wrong in candle or on its device.
fn fault(error: candle_core::Error) -> Error {
    let text = first_line(&error);
    if text.contains("OUT_OF_MEMORY") || text.contains("ALLOC_FAILED") {
        let message =
            "the GPU has not enough memory; choose a smaller batch, a shorter segment or the device cpu";
        return Error::new(ErrorKind::InvalidOption, message).caused_by(error);
    }
    Error::new(ErrorKind::Internal, format!("a layer of the network failed: {text}")).caused_by(error)
}

/// What candle says without the list of its functions that may follow.
fn first_line(error: &candle_core::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
