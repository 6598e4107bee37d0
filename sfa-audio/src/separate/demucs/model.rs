//! The hybrid networks: two U-nets, one over the spectrogram and one over the waveform, whose sums are the stems.
//!
//! Third generation: A. Défossez, "Hybrid Spectrogram and Waveform Source Separation", 2021; the branches meet in
//! their innermost layers. Fourth: S. Rouard, F. Massa, A. Défossez, "Hybrid Transformers for Music Source
//! Separation", 2023; a transformer stands in the middle.

use std::path::Path;

use crate::nn::weights::{self, ModelFile, sha256_of};
use crate::nn::{Context, Cpu, FeatureMap, Scratch, mean_and_std};
use crate::{Result, StemKind, Watch};

use super::architecture::Architecture;
use super::device::Backend;
use super::network::{Network, Spectra};
use super::spectrum::Spectrum;

/// The file that a network came from.
#[derive(Debug, Clone, Default)]
pub(super) struct Origin {
    /// Its name without folders.
    pub(super) name: String,
    pub(super) sha256: String,
}

/// One trained network, whoever computes its layers.
#[derive(Debug)]
pub(super) struct Model {
    file: Origin,
    architecture: Architecture,
    cpu: Cpu,
    spectrum: Spectrum,
    layers: Layers,
}

#[derive(Debug)]
enum Layers {
    Native(Box<Network>),
    #[cfg(feature = "candle")]
    Candle(Box<super::candle::Network>),
}

/// One run of a network: where it works, and whom it tells.
pub(super) struct Run<'a> {
    pub(super) scratch: &'a Scratch,
    pub(super) watch: &'a Watch,
    /// Called after each of [`Model::stages`] with what it made.
    pub(super) layer_done: &'a LayerDone<'a>,
}

/// Hears of every finished layer, for how many segments it is finished, and how to get what it made (the values of
/// one segment after those of the other); may stop the run by an error.
pub(super) type LayerDone<'a> = dyn Fn(Layer, usize, &Made<'_>) -> Result<()> + Sync + 'a;

/// What a layer made; whoever does not ask does not pay for a copy.
pub(super) type Made<'a> = dyn Fn() -> Result<Vec<f32>> + 'a;

impl Run<'_> {
    /// Tells of a layer that is finished for one segment.
    pub(super) fn done(&self, layer: Layer, map: &FeatureMap<'_>) -> Result<()> {
        (self.layer_done)(layer, 1, &|| Ok(map.data.to_vec()))
    }
}

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
    /// Reads a model from its file, to be run by `backend`.
    ///
    /// # Errors
    /// `Io`; `ModelUnavailable` naming what is wrong with the file; what `backend` says of its device.
    pub(super) fn read(path: &Path, backend: &Backend) -> Result<Self> {
        let bytes = weights::read(path)?;
        let build = || ModelFile::parse(&bytes).and_then(|file| Self::from_file(file, backend));
        let (model, sha256) = rayon::join(build, || sha256_of(&bytes));
        let mut model = model.map_err(|error| error.about(path.display().to_string()))?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        model.file = Origin { name, sha256 };
        Ok(model)
    }

    /// The file that it was read from.
    pub(super) fn file(&self) -> &Origin {
        &self.file
    }

    pub(super) fn from_file(file: ModelFile<'_>, backend: &Backend) -> Result<Self> {
        let ModelFile { class, options, mut tensors } = file;
        let architecture = Architecture::new(&class, &options)?;
        let cpu = Cpu::detect();
        let layers = match backend {
            Backend::Native => Layers::Native(Box::new(Network::build(cpu, &architecture, &mut tensors)?)),
            #[cfg(feature = "candle")]
            Backend::Candle(place) => {
                let network = super::candle::Network::build(place, &architecture, &mut tensors)?;
                Layers::Candle(Box::new(network))
            }
        };
        tensors.finish()?;
        let spectrum = Spectrum::new(architecture.fft_frames, architecture.old_padding);
        Ok(Self { file: Origin::default(), architecture, cpu, spectrum, layers })
    }

    /// Makes outermost maps again instead of keeping them, however small.
    #[cfg(test)]
    pub(super) fn keep_no_outermost_maps(&mut self) {
        match &mut self.layers {
            Layers::Native(network) => network.most_kept_values = 0,
            #[cfg(feature = "candle")]
            Layers::Candle(_) => {}
        }
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
    pub(super) fn depths(&self) -> (usize, usize) {
        match &self.layers {
            Layers::Native(network) => network.depths(),
            #[cfg(feature = "candle")]
            Layers::Candle(network) => network.depths(),
        }
    }

    /// How often one run reports of every segment.
    pub(super) fn stages(&self) -> usize {
        let transformer = self.architecture.transformer.as_ref().map_or(0, |shape| shape.layers);
        let (depth, time_depth) = self.depths();
        2 + 2 * transformer + 2 * (depth + time_depth)
    }

    /// The stems of segments of equal length: for each of them a map of one row with one channel for every channel of every
    /// source, at the start of which lie as many frames as the channels of the mix have.
    ///
    /// # Errors
    /// `Cancelled`, or the error of [`Run::layer_done`].
    pub(super) fn separate<'a>(
        &self,
        run: &Run<'a>,
        mixes: Vec<Vec<Vec<f32>>>,
    ) -> Result<Vec<FeatureMap<'a>>> {
        let context = &Context { cpu: self.cpu, watch: run.watch, scratch: run.scratch };
        match &self.layers {
            Layers::Native(network) => {
                let separate = |mix| {
                    let (facts, x, wave) = self.enter(context, run, mix)?;
                    let (spectra, wave) = network.run(context, run, x, wave)?;
                    self.leave(context, run, &facts, &spectra, &wave)
                };
                mixes.into_iter().map(separate).collect()
            }
            #[cfg(feature = "candle")]
            Layers::Candle(network) => {
                let (mut facts, mut inputs) = (Vec::new(), Vec::new());
                for mix in mixes {
                    let (fact, x, wave) = self.enter(context, run, mix)?;
                    facts.push(fact);
                    inputs.push([x, wave]);
                }
                let outputs = network.run(context, run, inputs)?;
                let leave = |(facts, [x, wave]): (_, [FeatureMap<'_>; 2])| {
                    self.leave(context, run, facts, &Spectra::Whole(x), &wave)
                };
                facts.iter().zip(outputs).map(leave).collect()
            }
        }
    }

    /// The normalised spectrogram and waveform of a segment.
    fn enter<'a>(
        &self,
        context: &Context<'a>,
        run: &Run<'_>,
        mix: Vec<Vec<f32>>,
    ) -> Result<(Facts<'a>, FeatureMap<'a>, FeatureMap<'a>)> {
        let frames = mix.first().map_or(0, Vec::len);
        let arch = &self.architecture;
        let mut wave = FeatureMap::new(context, 1, arch.audio_channels, frames);
        for (line, channel) in wave.data.chunks_exact_mut(frames.max(1)).zip(mix) {
            line.copy_from_slice(&channel);
        }
        let spectrogram = self.spectrum.analyze(context, &wave)?;
        let (mut x, phases) = if arch.complex_as_channels {
            (spectrogram, None)
        } else {
            (magnitudes(context, &spectrogram), Some(spectrogram))
        };
        let moments = normalize(context, &mut x)?;
        let wave_moments = normalize(context, &mut wave)?;
        run.done(Layer::Spectrogram, &x)?;
        Ok((Facts { phases, moments, wave_moments }, x, wave))
    }

    /// The stems of a segment from what the network made of it.
    fn leave<'a>(
        &self,
        context: &Context<'a>,
        run: &Run<'_>,
        facts: &Facts<'_>,
        spectra: &Spectra<'_>,
        wave: &FeatureMap<'_>,
    ) -> Result<FeatureMap<'a>> {
        let scale = if facts.phases.is_some() {
            [1.0, 0.0]
        } else {
            let [mean, std] = facts.moments;
            [std as f32, mean as f32]
        };
        let columns = spectra.width();
        let mut stems = self.spectrum.sounds(context, wave.channels, columns);
        spectra.for_each_block(context, |first, block| match &facts.phases {
            None => self.spectrum.add_columns(context, block, first, scale, &mut stems),
            Some(phases) => {
                let block = with_phases(context, block, phases, first, facts.moments);
                self.spectrum.add_columns(context, &block, first, scale, &mut stems)
            }
        })?;
        spectra.done(context, run)?;
        let window_sums = self.spectrum.window_sums(wave.width, columns);
        let [wave_mean, wave_std] = facts.wave_moments.map(|moment| moment as f32);
        let items = stems.data.chunks_exact_mut(stems.width).enumerate().collect();
        context.for_each(items, |(channel, stem): (usize, &mut [f32])| {
            let other = wave.channel(0, channel);
            self.spectrum.finish(stem, &window_sums, other, [wave_std, wave_mean]);
            Ok(())
        })?;
        Ok(stems)
    }
}

/// What is known of a segment and not shown to the network.
struct Facts<'a> {
    /// The spectrogram of the mix, where the network works on magnitudes.
    phases: Option<FeatureMap<'a>>,
    /// Mean and deviation of the spectrogram.
    moments: [f64; 2],
    /// Mean and deviation of the waveform.
    wave_moments: [f64; 2],
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
fn magnitudes<'a>(context: &Context<'a>, complex: &FeatureMap<'_>) -> FeatureMap<'a> {
    let (rows, channels, width) = (complex.rows, complex.channels / 2, complex.width);
    let mut map = FeatureMap::new(context, rows, channels, width);
    for (line, out) in map.data.chunks_exact_mut(width).enumerate() {
        let (row, channel) = (line / channels, line % channels);
        let parts = complex.channel(row, 2 * channel).iter().zip(complex.channel(row, 2 * channel + 1));
        out.iter_mut().zip(parts).for_each(|(out, (re, im))| *out = re.hypot(*im));
    }
    map
}

/// Denormalised magnitudes of all stems with the phases of the mix from column `first` on.
fn with_phases<'a>(
    context: &Context<'a>,
    magnitudes: &FeatureMap<'_>,
    mix: &FeatureMap<'_>,
    first: usize,
    [mean, std]: [f64; 2],
) -> FeatureMap<'a> {
    let (rows, channels, width) = (magnitudes.rows, magnitudes.channels, magnitudes.width);
    let (mean, std) = (mean as f32, std as f32);
    let mut map = FeatureMap::new(context, rows, 2 * channels, width);
    for (pair, out) in map.data.chunks_exact_mut(2 * width).enumerate() {
        let (row, channel) = (pair / channels, pair % channels);
        let (real, imaginary) = out.split_at_mut(width);
        let mix_channel = channel % (mix.channels / 2);
        let mix_part = |part| mix.channel(row, 2 * mix_channel + part)[first..].iter();
        let mix_parts = mix_part(0).zip(mix_part(1));
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
