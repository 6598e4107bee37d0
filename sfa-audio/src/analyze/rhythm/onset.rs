//! What rhythm needs to remember of the audio: onset strength, band energies, attacks and pitch classes.

use pulp::{Arch, Simd, WithSimd};
use realfft::num_complex::Complex32;

use super::attack::AttackMeter;
use crate::analyze::ANALYSIS_RATE_HZ;
use crate::analyze::feed::{Heard, SLOW_FACTOR, SLOW_RATE_HZ};
use crate::dsp::{StreamingStft, dot, ln};

/// Onset frames per second.
pub(crate) const FRAME_RATE_HZ: f64 = 100.0;
/// Samples from one onset spectrum to the next.
pub(crate) const FRAME_HOP: usize = ANALYSIS_RATE_HZ as usize / 100;
/// Samples that an onset spectrum sees.
pub(crate) const FRAME_WINDOW: usize = 2048;

/// Chroma columns per second.
pub(crate) const CHROMA_RATE_HZ: f64 = 20.0;
/// 551.25 samples.
const CHROMA_HOP: (usize, usize) = (ANALYSIS_RATE_HZ as usize / 20, SLOW_FACTOR);
const CHROMA_WINDOW: usize = 2048;

/// The parts of the spectrum in which onsets are counted apart, so that a kick is never mistaken for a hat.
pub(crate) const BANDS: usize = 3;
const BAND_EDGES_HZ: [f32; BANDS - 1] = [160.0, 2500.0];
const FILTERS_PER_OCTAVE: f32 = 24.0;
const FILTER_RANGE_HZ: (f32, f32) = (27.5, 16_000.0);

/// Compact traces of a song's onsets; about 6 kB per second of audio.
///
/// Value `i` of every trace describes the moment `i / rate`, whatever windows were used to find it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct RhythmFeatures {
    /// Super-flux onset strength below 160 Hz, between, and above 2.5 kHz, at [`FRAME_RATE_HZ`].
    pub(crate) onsets: [Vec<f32>; BANDS],
    /// Mean power in the same bands, at [`FRAME_RATE_HZ`].
    pub(crate) powers: [Vec<f32>; BANDS],
    /// How fast the level rises, at [`ATTACK_RATE_HZ`](super::attack::ATTACK_RATE_HZ): a sharp clock for the times of onsets.
    pub(crate) attacks: Vec<f32>,
    /// Strength of the pitch classes C to B, at [`CHROMA_RATE_HZ`].
    pub(crate) chroma: Vec<[f32; 12]>,
    /// Length of the audio in seconds.
    pub(crate) duration_secs: f64,
}

impl RhythmFeatures {
    /// Onset frames in every trace of [`FRAME_RATE_HZ`].
    pub(crate) fn frames(&self) -> usize {
        self.onsets[0].len()
    }
}

/// Collects [`RhythmFeatures`] from what is [`Heard`], pushed in chunks of any size.
///
/// The onset strength is the super-flux of Böck & Widmer, "Maximum filter vibrato suppression for onset
/// detection" (DAFx 2013), summed in three bands.
#[derive(Debug)]
pub(crate) struct RhythmCollector {
    onset_stft: StreamingStft,
    flux: SuperFlux,
    attack: AttackMeter,
    chroma_stft: StreamingStft,
    folding: ChromaFolding,
    samples: u64,
    features: RhythmFeatures,
}

impl Default for RhythmCollector {
    fn default() -> Self {
        Self::new()
    }
}

impl RhythmCollector {
    /// A collector at the first frame of a song.
    pub(crate) fn new() -> Self {
        Self {
            onset_stft: StreamingStft::new(FRAME_WINDOW, FRAME_HOP),
            flux: SuperFlux::new(),
            attack: AttackMeter::new(),
            chroma_stft: StreamingStft::with_fractional_hop(CHROMA_WINDOW, CHROMA_HOP),
            folding: ChromaFolding::new(),
            samples: 0,
            features: RhythmFeatures::default(),
        }
    }

    /// Takes the next samples.
    pub(crate) fn push(&mut self, heard: Heard<'_>) {
        self.push_and_share(heard, |_| {});
    }

    /// [`push`](Self::push), and hands on the onset spectra, [`FRAME_WINDOW`] long, one every [`FRAME_HOP`].
    pub(crate) fn push_and_share(&mut self, heard: Heard<'_>, mut share: impl FnMut(&[Complex32])) {
        let Heard { mono, slow } = heard;
        self.samples += mono.len() as u64;
        let Self { onset_stft, flux, attack, chroma_stft, folding, features, .. } = self;
        onset_stft.push(mono, |spectrum| {
            flux.collect(spectrum, features);
            share(spectrum);
        });
        attack.collect(mono, &mut features.attacks);
        chroma_stft.push(slow, |spectrum| features.chroma.push(folding.fold(spectrum)));
    }

    /// Everything that was collected.
    pub(crate) fn finish(self) -> RhythmFeatures {
        self.finish_and_share(|_| {})
    }

    /// [`finish`](Self::finish), and hands on the last onset spectra.
    pub(crate) fn finish_and_share(self, mut share: impl FnMut(&[Complex32])) -> RhythmFeatures {
        let Self { onset_stft, mut flux, chroma_stft, folding, mut features, .. } = self;
        onset_stft.finish(|spectrum| {
            flux.collect(spectrum, &mut features);
            share(spectrum);
        });
        chroma_stft.finish(|spectrum| features.chroma.push(folding.fold(spectrum)));
        features.duration_secs = self.samples as f64 / f64::from(ANALYSIS_RATE_HZ);
        features
    }
}

/// Rises of a logarithmic filterbank over two frames, against the loudest neighbour so that vibrato is no onset.
#[derive(Debug)]
struct SuperFlux {
    filters: Vec<Filter>,
    magnitudes: Vec<f32>,
    /// The filterbank of this frame and of the two before; silence at first.
    history: [Vec<f32>; 3],
}

#[derive(Debug)]
struct Filter {
    first_bin: usize,
    weights: Vec<f32>,
    band: usize,
}

impl SuperFlux {
    fn new() -> Self {
        let bin_hz = ANALYSIS_RATE_HZ as f32 / FRAME_WINDOW as f32;
        let (low_hz, high_hz) = FILTER_RANGE_HZ;
        let count = ((high_hz / low_hz).log2() * FILTERS_PER_OCTAVE) as usize;
        let mut centres: Vec<usize> = (0..=count)
            .map(|n| (low_hz * (n as f32 / FILTERS_PER_OCTAVE).exp2() / bin_hz).round() as usize)
            .collect();
        centres.dedup();
        let filters: Vec<Filter> = centres
            .windows(3)
            .map(|edges| {
                let (left, centre, right) = (edges[0], edges[1], edges[2]);
                let rising = (left + 1..=centre).map(|bin| (bin - left) as f32 / (centre - left) as f32);
                let falling = (centre + 1..right).map(|bin| (right - bin) as f32 / (right - centre) as f32);
                let mut weights: Vec<f32> = rising.chain(falling).collect();
                let sum: f32 = weights.iter().sum();
                weights.iter_mut().for_each(|weight| *weight /= sum);
                Filter { first_bin: left + 1, weights, band: band_of(centre as f32 * bin_hz) }
            })
            .collect();
        let empty = vec![0.0; filters.len()];
        Self {
            filters,
            magnitudes: vec![0.0; FRAME_WINDOW / 2 + 1],
            history: [empty.clone(), empty.clone(), empty],
        }
    }

    fn collect(&mut self, spectrum: &[Complex32], features: &mut RhythmFeatures) {
        Arch::new().dispatch(Collect { flux: self, spectrum, features });
    }
}

/// One frame of a [`SuperFlux`].
struct Collect<'a> {
    flux: &'a mut SuperFlux,
    spectrum: &'a [Complex32],
    features: &'a mut RhythmFeatures,
}

impl WithSimd for Collect<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        /// A sine at full scale has magnitude 1.
        const SCALE: f32 = 4.0 / FRAME_WINDOW as f32;
        /// Levels below about -66 dB count in proportion, louder ones by their logarithm.
        const COMPRESSION: f32 = 2000.0;

        let Self { flux: SuperFlux { filters, magnitudes, history }, spectrum, features } = self;
        let bin_hz = ANALYSIS_RATE_HZ as f32 / FRAME_WINDOW as f32;
        for (magnitude, bin) in magnitudes.iter_mut().zip(spectrum) {
            *magnitude = bin.norm_sqr().sqrt() * SCALE;
        }
        let edges = BAND_EDGES_HZ.map(|edge_hz| (edge_hz / bin_hz) as usize);
        let bins = magnitudes.len();
        for (powers, range) in
            features.powers.iter_mut().zip([1..edges[0] + 1, edges[0] + 1..edges[1], edges[1]..bins])
        {
            powers.push(dot(&magnitudes[range.clone()], &magnitudes[range]));
        }

        let [now, last, before] = history;
        for (value, filter) in now.iter_mut().zip(&*filters) {
            *value = dot(&filter.weights, &magnitudes[filter.first_bin..][..filter.weights.len()]);
        }
        now.iter_mut().for_each(|value| *value = ln(1.0 + COMPRESSION * *value));
        let mut flux = [0.0; BANDS];
        for (n, filter) in filters.iter().enumerate() {
            let around = &before[n.saturating_sub(1)..(n + 2).min(before.len())];
            let loudest = around.iter().fold(0.0_f32, |max, &value| max.max(value));
            flux[filter.band] += (now[n] - loudest).max(0.0);
        }
        for (onsets, flux) in features.onsets.iter_mut().zip(flux) {
            onsets.push(flux);
        }
        std::mem::swap(before, last);
        std::mem::swap(last, now);
    }
}

fn band_of(frequency_hz: f32) -> usize {
    BAND_EDGES_HZ.iter().filter(|&&edge_hz| frequency_hz >= edge_hz).count()
}

/// Folds spectra to pitch classes at A = 440 Hz.
#[derive(Debug)]
struct ChromaFolding {
    /// First bin used and the pitch class of every bin from there.
    first_bin: usize,
    pitch_classes: Vec<usize>,
}

impl ChromaFolding {
    fn new() -> Self {
        let bin_hz = SLOW_RATE_HZ as f32 / CHROMA_WINDOW as f32;
        let (first_bin, last_bin) = ((55.0 / bin_hz) as usize, (1800.0 / bin_hz) as usize);
        let pitch_classes = (first_bin..last_bin)
            .map(|bin| {
                let semitones_over_c0 = 12.0 * (bin as f32 * bin_hz / 16.351_6).log2();
                semitones_over_c0.round() as usize % 12
            })
            .collect();
        Self { first_bin, pitch_classes }
    }

    fn fold(&self, spectrum: &[Complex32]) -> [f32; 12] {
        let mut chroma = [0.0; 12];
        for (offset, &class) in self.pitch_classes.iter().enumerate() {
            let bin = self.first_bin + offset;
            let power = spectrum[bin].norm_sqr();
            if power > spectrum[bin - 1].norm_sqr() && power >= spectrum[bin + 1].norm_sqr() {
                chroma[class] += power.sqrt().sqrt();
            }
        }
        chroma
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::feed::Ear;

    #[test]
    fn the_cut_into_chunks_changes_nothing() {
        let mut state = 1_u32;
        let mono: Vec<f32> = (0..100_000)
            .map(|n| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let noise = (state >> 8) as f32 / (1 << 24) as f32 - 0.5;
                noise * (-((n % 20_000) as f32) / 3000.0).exp()
            })
            .collect();
        let features_of = |chunk: usize| {
            let (mut collector, mut ear) = (RhythmCollector::new(), Ear::new(true));
            mono.chunks(chunk).for_each(|part| collector.push(ear.hear(part)));
            collector.push(ear.finish());
            collector.finish()
        };
        let whole = features_of(mono.len());
        assert!(whole.onsets[0].iter().any(|&onset| onset > 0.0));
        for chunk in [1, 333, 4096, 70_003] {
            assert!(features_of(chunk) == whole, "chunks of {chunk}");
        }
    }
}
