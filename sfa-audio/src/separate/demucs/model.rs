//! The hybrid networks: two U-nets, one over the spectrogram and one over the waveform, whose sums are the stems.
//!
//! Third generation: A. Défossez, "Hybrid Spectrogram and Waveform Source Separation", 2021; the branches meet in
//! their innermost layers. Fourth: S. Rouard, F. Massa, A. Défossez, "Hybrid Transformers for Music Source
//! Separation", 2023; a transformer stands in the middle.

use std::path::Path;

use crate::nn::weights::{ModelFile, TensorSet, unusable};
use crate::nn::{Context, Cpu, FeatureMap, Scratch, mean_and_std};
use crate::{Error, ErrorKind, Result, StemKind, Watch};

use super::architecture::Architecture;
use super::layers::{DecoderLayer, EncoderLayer, LayerShape, Loader};
use super::residual::ResidualShape;
use super::spectrum::Spectrum;
use super::transformer::Transformer;

/// The file that a network came from.
#[derive(Debug, Clone, Default)]
pub(super) struct Origin {
    /// Its name without folders.
    pub(super) name: String,
    pub(super) sha256: String,
}

/// One trained network.
#[derive(Debug)]
pub(super) struct Model {
    file: Origin,
    architecture: Architecture,
    cpu: Cpu,
    spectrum: Spectrum,
    encoder: Vec<EncoderLayer>,
    time_encoder: Vec<EncoderLayer>,
    /// Per frequency after the first encoder layer and channel.
    frequency_embedding: Option<Vec<f32>>,
    transformer: Option<Transformer>,
    decoder: Vec<DecoderLayer>,
    time_decoder: Vec<DecoderLayer>,
}

/// One run of a network: where it works, and whom it tells.
pub(super) struct Run<'a> {
    pub(super) scratch: &'a Scratch,
    pub(super) watch: &'a Watch,
    /// Called after each of [`Model::stages`] with what it made.
    pub(super) layer_done: &'a LayerDone<'a>,
}

/// Hears of every finished layer and may stop the run by an error.
pub(super) type LayerDone<'a> = dyn Fn(Layer, &FeatureMap<'_>) -> Result<()> + Sync + 'a;

/// A part of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layer {
    /// The input of the frequency branch.
    Spectrogram,
    Encoder(usize),
    TimeEncoder(usize),
    Transformer(usize),
    TimeTransformer(usize),
    /// With the skip connection of the next layer, as are all decoder layers.
    Decoder(usize),
    TimeDecoder(usize),
    /// The spectrograms of all stems.
    Spectrograms,
}

/// Added to deviations before dividing by them.
const EPSILON: f64 = 1e-5;
/// Values that one thread changes at a time.
const BLOCK_VALUES: usize = 1 << 16;

impl Model {
    /// Reads a model from its file.
    ///
    /// # Errors
    /// `Io`; `ModelUnavailable` naming what is wrong with the file.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let (file, sha256) = ModelFile::read(path)?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let mut model = Self::from_file(file).map_err(|error| error.about(path.display().to_string()))?;
        model.file = Origin { name, sha256 };
        Ok(model)
    }

    /// The file that it was read from.
    pub(super) fn file(&self) -> &Origin {
        &self.file
    }

    pub(super) fn from_file(file: ModelFile) -> Result<Self> {
        let ModelFile { class, options, mut tensors } = file;
        let model = Self::build(Architecture::new(&class, &options)?, &mut tensors)?;
        tensors.finish()?;
        Ok(model)
    }

    fn build(architecture: Architecture, tensors: &mut TensorSet) -> Result<Self> {
        let cpu = Cpu::detect();
        let mut loader = Loader { cpu, tensors };
        let arch = &architecture.clone();
        let mut model = Self {
            file: Origin::default(),
            cpu,
            spectrum: Spectrum::new(architecture.fft_frames, architecture.old_padding),
            encoder: Vec::new(),
            time_encoder: Vec::new(),
            frequency_embedding: None,
            transformer: None,
            decoder: Vec::new(),
            time_decoder: Vec::new(),
            architecture,
        };
        let audio = arch.audio_channels;
        let complex = if arch.complex_as_channels { 2 } else { 1 };
        // Channels into the encoder layer and out of the decoder layer of the same depth, for both branches.
        let (mut inner, mut time_inner) = (audio * complex, audio);
        let (mut outer, mut time_outer) = (inner * arch.sources.len(), time_inner * arch.sources.len());
        let mut channels = arch.channels;
        let mut frequencies = arch.fft_frames / 2;
        let time_layers = time_layers(arch);
        for index in 0..arch.depth {
            let over_rows = frequencies > 1;
            let merging = over_rows && frequencies <= arch.kernel;
            let stride = if over_rows { arch.stride } else { arch.time_stride };
            let kernel = 2 * stride;
            if merging && (frequencies != kernel || arch.transformer.is_some())
                || over_rows && !frequencies.is_multiple_of(stride)
            {
                return Err(unusable(format!("layer {index} cannot work on {frequencies} frequencies")));
            }
            let shape = LayerShape {
                inputs: inner,
                outputs: channels,
                over_rows,
                kernel,
                stride,
                padding: if merging { 0 } else { kernel / 4 },
                norm_groups: (index >= arch.norm_starts).then_some(arch.norm_groups),
                rewrite_context: arch.rewrite.then_some(arch.context_encoder),
                residual: None,
                bare: false,
            };
            let residual = ResidualShape {
                depth: arch.residual_depth,
                compression: arch.residual_compression,
                memory: index >= arch.memory_starts,
                attention: index >= arch.attention_starts,
            };
            let encoding = LayerShape { residual: arch.residual_in_encoder.then_some(residual), ..shape };
            let decoding = |shape: LayerShape, outputs: usize| LayerShape {
                inputs: channels,
                outputs,
                rewrite_context: arch.rewrite.then_some(arch.context),
                residual: arch.residual_in_decoder.then_some(residual),
                ..shape
            };
            model.encoder.push(EncoderLayer::load(&mut loader, &format!("encoder.{index}"), encoding)?);
            let name = format!("decoder.{}", arch.depth - 1 - index);
            model.decoder.push(DecoderLayer::load(&mut loader, &name, decoding(shape, outer), index == 0)?);
            if over_rows {
                let in_time = |shape: LayerShape| LayerShape {
                    over_rows: false,
                    kernel: arch.kernel,
                    stride: arch.stride,
                    padding: arch.kernel / 4,
                    bare: merging,
                    ..shape
                };
                let encoding = in_time(LayerShape { inputs: time_inner, ..encoding });
                let name = format!("tencoder.{index}");
                model.time_encoder.push(EncoderLayer::load(&mut loader, &name, encoding)?);
                let name = format!("tdecoder.{}", time_layers - 1 - index);
                let decoding = in_time(decoding(shape, time_outer));
                model.time_decoder.push(DecoderLayer::load(&mut loader, &name, decoding, index == 0)?);
            }
            (inner, time_inner, outer, time_outer) = (channels, channels, channels, channels);
            if over_rows {
                frequencies = if merging { 1 } else { frequencies / arch.stride };
            }
            if index == 0 && arch.frequency_embedding != 0.0 {
                let table = loader.take("freq_emb.embedding.weight", &[frequencies, channels])?;
                let scale = (arch.embedding_scale as f32, arch.frequency_embedding as f32);
                model.frequency_embedding =
                    Some(table.data.iter().map(|value| value * scale.0 * scale.1).collect());
            }
            if index + 1 < arch.depth {
                channels *= arch.growth;
            }
        }
        if let Some(shape) = &arch.transformer {
            model.transformer = Some(Transformer::load(&mut loader, shape, channels)?);
        }
        Ok(model)
    }

    pub(super) fn sources(&self) -> &[StemKind] {
        &self.architecture.sources
    }

    pub(super) fn audio_channels(&self) -> usize {
        self.architecture.audio_channels
    }

    pub(super) fn sample_rate_hz(&self) -> u32 {
        self.architecture.sample_rate_hz
    }

    /// Frames of the segment it was trained with.
    pub(super) fn segment_frames(&self) -> usize {
        self.architecture.segment_frames()
    }

    /// Whether it must always be given [`segment_frames`](Self::segment_frames) frames.
    pub(super) fn has_fixed_segment(&self) -> bool {
        self.architecture.fixed_segment
    }

    /// Layers of the frequency branch and of the time branch.
    #[cfg(test)]
    pub(super) fn depths(&self) -> (usize, usize) {
        (self.encoder.len(), self.time_encoder.len())
    }

    /// How often one run reports.
    pub(super) fn stages(&self) -> usize {
        let transformer = self.architecture.transformer.as_ref().map_or(0, |shape| shape.layers);
        2 + 2 * transformer + 2 * (self.encoder.len() + self.time_encoder.len())
    }

    /// The stems of one segment: for every source and channel as many frames as `mix` has in each channel.
    ///
    /// # Errors
    /// `Cancelled`, or the error of [`Run::layer_done`].
    pub(super) fn separate(&self, run: &Run<'_>, mix: &[&[f32]]) -> Result<Vec<Vec<f32>>> {
        let context = &Context { cpu: self.cpu, watch: run.watch, scratch: run.scratch };
        let frames = mix.first().map_or(0, |channel| channel.len());
        let arch = &self.architecture;
        let mut wave = FeatureMap::new(context, 1, arch.audio_channels, frames);
        for (line, channel) in wave.data.chunks_exact_mut(frames.max(1)).zip(mix) {
            line.copy_from_slice(channel);
        }
        let spectrogram = self.spectrum.analyze(context, &wave)?;
        let phases = (!arch.complex_as_channels).then(|| spectrogram.duplicate(context));
        let mut x = if arch.complex_as_channels { spectrogram } else { magnitudes(context, spectrogram) };
        let moments = normalize(context, &mut x)?;
        let wave_moments = normalize(context, &mut wave)?;
        (run.layer_done)(Layer::Spectrogram, &x)?;

        let [mut x, wave] = self.run_network(context, run, x, wave)?;

        if let Some(phases) = phases {
            x = with_phases(context, &x, &phases, moments);
        }
        let scale =
            if arch.complex_as_channels { [moments[1] as f32, moments[0] as f32] } else { [1.0, 0.0] };
        let [wave_mean, wave_std] = wave_moments.map(|moment| moment as f32);
        let mut stems: Vec<Vec<f32>> = wave
            .data
            .chunks_exact(frames.max(1))
            .map(|line| line.iter().map(|value| value * wave_std + wave_mean).collect())
            .collect();
        context.for_each(stems.iter_mut().enumerate().collect(), |(channel, stem)| {
            self.spectrum.synthesize_onto(context, &x, 2 * channel, scale, stem)
        })?;
        (run.layer_done)(Layer::Spectrograms, &x)?;
        Ok(stems)
    }

    /// Both U-nets: spectrogram and waveform in, those of all stems out.
    fn run_network<'a>(
        &self,
        context: &Context<'a>,
        run: &Run<'_>,
        x: FeatureMap<'a>,
        wave: FeatureMap<'a>,
    ) -> Result<[FeatureMap<'a>; 2]> {
        // The first map of each list is the input, every other one the output of a layer.
        let (mut maps, mut waves) = (vec![x], vec![wave]);
        for (index, layer) in self.encoder.iter().enumerate() {
            let mut inject = None;
            if let Some(time_layer) = self.time_encoder.get(index) {
                let y = time_layer.run(context, &waves[index], None)?;
                (run.layer_done)(Layer::TimeEncoder(index), &y)?;
                if time_layer.is_bare() {
                    inject = Some(y);
                } else {
                    waves.push(y);
                }
            }
            let mut y = layer.run(context, &maps[index], inject.as_ref())?;
            if index == 0
                && let Some(table) = &self.frequency_embedding
            {
                let width = y.width;
                for (line, &value) in y.data.chunks_exact_mut(width).zip(table) {
                    line.iter_mut().for_each(|x| *x += value);
                }
            }
            (run.layer_done)(Layer::Encoder(index), &y)?;
            maps.push(y);
        }
        let widths: Vec<usize> = maps.iter().map(|map| map.width).collect();
        let wave_widths: Vec<usize> = waves.iter().map(|wave| wave.width).collect();
        // Without a transformer, the decoder starts from what the encoder's last layer saw, and from nothing else.
        // A bare time layer has sent its wave into the other branch and gets it back from there.
        let merged = self.time_encoder.last().is_some_and(EncoderLayer::is_bare);
        let mut x = maps.pop().ok_or_else(out_of_step)?;
        let mut wave = if merged { None } else { waves.pop() };
        if let Some(transformer) = &self.transformer {
            let time = wave.take().ok_or_else(out_of_step)?;
            let [over_frequency, over_time] = transformer.run(context, [&x, &time], run.layer_done)?;
            (x, wave) = (over_frequency, Some(over_time));
        }
        for (index, layer) in self.decoder.iter().enumerate().rev() {
            let skip = if index > 0 { maps.pop() } else { None };
            let [y, seen] = layer.run(context, x, widths[index], skip.as_ref())?;
            (run.layer_done)(Layer::Decoder(index), &y)?;
            x = y;
            if let Some(time_layer) = self.time_decoder.get(index) {
                let input = if time_layer.is_bare() { Some(seen) } else { wave };
                let skip = if index > 0 { waves.pop() } else { None };
                let input = input.ok_or_else(out_of_step)?;
                let [y, _] = time_layer.run(context, input, wave_widths[index], skip.as_ref())?;
                (run.layer_done)(Layer::TimeDecoder(index), &y)?;
                wave = Some(y);
            }
        }
        Ok([x, wave.ok_or_else(out_of_step)?])
    }
}

fn out_of_step() -> Error {
    Error::new(ErrorKind::Internal, "the branches of the network are out of step")
}

/// How many layers of the frequency branch have a partner in the time branch: those that still have more than one
/// frequency before them.
fn time_layers(arch: &Architecture) -> usize {
    let mut frequencies = arch.fft_frames / 2;
    (0..arch.depth)
        .take_while(|_| {
            let before = frequencies;
            frequencies = if before <= arch.kernel { 1 } else { before / arch.stride };
            before > 1
        })
        .count()
}

/// Subtracts the mean and divides by the deviation of all values; gives both.
fn normalize(context: &Context<'_>, map: &mut FeatureMap<'_>) -> Result<[f64; 2]> {
    let [mean, std] = mean_and_std(context, map)?;
    let (shift, divisor) = (mean as f32, (EPSILON + std) as f32);
    context.for_each(map.data.chunks_mut(BLOCK_VALUES).collect(), |values| {
        values.iter_mut().for_each(|value| *value = (*value - shift) / divisor);
        Ok(())
    })?;
    Ok([mean, std])
}

/// The absolute value of every complex number.
fn magnitudes<'a>(context: &Context<'a>, complex: FeatureMap<'a>) -> FeatureMap<'a> {
    let (rows, channels, width) = (complex.rows, complex.channels / 2, complex.width);
    let mut map = FeatureMap::new(context, rows, channels, width);
    for (line, out) in map.data.chunks_exact_mut(width).enumerate() {
        let (row, channel) = (line / channels, line % channels);
        let parts = complex.channel(row, 2 * channel).iter().zip(complex.channel(row, 2 * channel + 1));
        out.iter_mut().zip(parts).for_each(|(out, (re, im))| *out = re.hypot(*im));
    }
    map
}

/// Denormalised magnitudes of all stems with the phases of the mix.
fn with_phases<'a>(
    context: &Context<'a>,
    magnitudes: &FeatureMap<'_>,
    mix: &FeatureMap<'_>,
    [mean, std]: [f64; 2],
) -> FeatureMap<'a> {
    let (rows, channels, width) = (magnitudes.rows, magnitudes.channels, magnitudes.width);
    let (mean, std) = (mean as f32, std as f32);
    let mut map = FeatureMap::new(context, rows, 2 * channels, width);
    for (pair, out) in map.data.chunks_exact_mut(2 * width).enumerate() {
        let (row, channel) = (pair / channels, pair % channels);
        let (real, imaginary) = out.split_at_mut(width);
        let mix_channel = channel % (mix.channels / 2);
        let mix_parts = mix.channel(row, 2 * mix_channel).iter().zip(mix.channel(row, 2 * mix_channel + 1));
        let outs = real.iter_mut().zip(imaginary);
        for ((magnitude, (re, im)), (real, imaginary)) in
            magnitudes.channel(row, channel).iter().zip(mix_parts).zip(outs)
        {
            let magnitude = magnitude * std + mean;
            let size = re.hypot(*im);
            // Silence has the phase 0.
            let (cos, sin) = if size > 0.0 { (re / size, im / size) } else { (1.0, 0.0) };
            (*real, *imaginary) = (magnitude * cos, magnitude * sin);
        }
    }
    map
}
