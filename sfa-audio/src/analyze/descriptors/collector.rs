//! All descriptors of one signal from one transform.

use super::batch::SpectrumBatch;
use super::chroma::{ChromaCollector, FoundChroma};
use super::onset::OnsetStrengths;
use super::report::{Descriptors, HarmonicShare, OnsetSummary, RecurrenceSummary, TempogramSummary};
use super::spectral::SpectralCollector;
use super::tempogram::mean_tempogram;
use super::timbre::TimbreCollector;
use super::{
    BINS, FeatureFrames, FrameMatrix, HOP_FRAMES, HarmonicPercussive, TEMPOGRAM_LAGS, WINDOW_FRAMES,
    beat_track, frame_secs, onset_detect, recurrence_matrix, tempogram,
};
use crate::analyze::Feature;
use crate::dsp::PreciseStft;
use crate::{Result, Watch};

/// How far an onset stands out, as librosa has it by default.
const ONSET_DELTA: f32 = 0.07;
/// Frames of chroma from one frame of the recurrence matrix to the next, and the most of those.
const RECURRENCE_STRIDE: usize = 8;
const MOST_RECURRENCE_FRAMES: usize = 4_000;

/// Collects what `features` ask for from mono audio at the file's own rate.
pub(crate) struct DescriptorCollector {
    sample_rate_hz: u32,
    features: Vec<Feature>,
    keep_frames: bool,
    frames: u64,
    stft: PreciseStft,
    sources: Sources,
}

/// Everything that reads spectra, batch by batch.
struct Sources {
    batch: SpectrumBatch,
    spectral: Option<SpectralCollector>,
    timbre: Option<TimbreCollector>,
    chroma: Option<ChromaCollector>,
    hpss: Option<HpssCollector>,
}

impl DescriptorCollector {
    /// A collector for those of `features` that are [`Feature::DESCRIPTORS`], or `None` where none is.
    pub(crate) fn new(sample_rate_hz: u32, features: &[Feature], keep_frames: bool) -> Option<Self> {
        let wanted = |asked: &[Feature]| asked.iter().any(|feature| features.contains(feature));
        let mfcc = wanted(&[Feature::Mfcc]);
        let onsets = wanted(&[Feature::Onsets, Feature::Tempogram, Feature::BeatTrack]);
        let recurrence = wanted(&[Feature::Recurrence]);
        let chroma = wanted(&[Feature::ChromaVectors, Feature::Recurrence]);
        wanted(&Feature::DESCRIPTORS).then(|| Self {
            sample_rate_hz,
            features: features.to_vec(),
            keep_frames,
            frames: 0,
            stft: PreciseStft::new(WINDOW_FRAMES, HOP_FRAMES),
            sources: Sources {
                batch: SpectrumBatch::new(BINS),
                spectral: wanted(&[Feature::Spectral])
                    .then(|| SpectralCollector::new(sample_rate_hz, keep_frames)),
                timbre: (mfcc || onsets)
                    .then(|| TimbreCollector::new(sample_rate_hz, mfcc, onsets, keep_frames)),
                chroma: chroma
                    .then(|| ChromaCollector::new(sample_rate_hz, keep_frames, keep_frames || recurrence)),
                hpss: wanted(&[Feature::Hpss]).then(|| HpssCollector::new(keep_frames)),
            },
        })
    }

    /// Takes the next samples.
    pub(crate) fn push(&mut self, mono: &[f32]) {
        if let Some(spectral) = &mut self.sources.spectral {
            spectral.push_audio(mono);
        }
        if let Some(chroma) = &mut self.sources.chroma {
            chroma.push_audio(mono);
        }
        let (sources, frames) = (&mut self.sources, &mut self.frames);
        self.stft.push(mono, |spectrum| {
            *frames += 1;
            if sources.batch.push(spectrum) {
                sources.read_batch();
            }
        });
    }

    /// The descriptors, and their frames where they were to be kept; nothing of an empty signal.
    ///
    /// # Errors
    /// `Cancelled` once `watch` was stopped.
    pub(crate) fn finish(mut self, watch: &Watch) -> Result<Option<(Descriptors, Option<FeatureFrames>)>> {
        let (sources, frames) = (&mut self.sources, &mut self.frames);
        self.stft.finish(|spectrum| {
            *frames += 1;
            if sources.batch.push(spectrum) {
                sources.read_batch();
            }
        });
        sources.read_batch();
        if self.frames == 0 {
            return Ok(None);
        }
        let asked = |feature: Feature| self.features.contains(&feature);
        let mut matrices = Vec::new();
        let mut found = Descriptors { frames: self.frames, hop_frames: HOP_FRAMES, ..Descriptors::default() };
        let Sources { spectral, timbre, chroma, hpss, .. } = self.sources;
        found.spectral = spectral.map(|spectral| spectral.finish(&mut matrices));
        watch.checkpoint()?;
        let (mfcc, strengths) = timbre.map_or((None, None), |timbre| timbre.finish(&mut matrices));
        found.mfcc = mfcc;
        if let Some(strengths) = strengths {
            if asked(Feature::Onsets) {
                found.onsets = Some(summarise_onsets(&strengths, self.sample_rate_hz));
            }
            if asked(Feature::Tempogram) {
                found.tempogram =
                    Some(summarise_tempogram(&strengths.mean, self.keep_frames, &mut matrices, watch)?);
            }
            if asked(Feature::BeatTrack) {
                found.beat_track = beat_track(&strengths.median, self.sample_rate_hz, watch)?;
            }
            if self.keep_frames {
                let OnsetStrengths { mean, median } = strengths;
                matrices.push(FrameMatrix::new("onset_strength", 1, mean));
                matrices.push(FrameMatrix::new("onset_strength_median", 1, median));
            }
        }
        watch.checkpoint()?;
        if let Some(chroma) = chroma {
            let FoundChroma { means, cqt_frames } = chroma.finish(self.keep_frames, &mut matrices);
            watch.checkpoint()?;
            if asked(Feature::Recurrence)
                && let Some(frames) = &cqt_frames
            {
                found.recurrence = summarise_recurrence(frames, self.keep_frames, &mut matrices);
            }
            found.chroma = asked(Feature::ChromaVectors).then_some(means);
            matrices.extend(cqt_frames.filter(|_| self.keep_frames));
        }
        found.hpss = hpss.map(|hpss| hpss.finish(&mut matrices));
        let frames = self.keep_frames.then_some(FeatureFrames {
            sample_rate_hz: self.sample_rate_hz,
            hop_frames: HOP_FRAMES,
            matrices,
        });
        Ok(Some((found, frames)))
    }
}

impl Sources {
    fn read_batch(&mut self) {
        if self.batch.frames() == 0 {
            return;
        }
        self.batch.arrange();
        if let Some(spectral) = &mut self.spectral {
            spectral.push_batch(&self.batch);
        }
        if let Some(timbre) = &mut self.timbre {
            timbre.push_batch(&self.batch);
        }
        if let Some(chroma) = &mut self.chroma {
            chroma.push_batch(&self.batch);
        }
        if let Some(hpss) = &mut self.hpss {
            hpss.push_batch(&self.batch);
        }
        self.batch.clear();
    }
}

fn summarise_onsets(strengths: &OnsetStrengths, sample_rate_hz: u32) -> OnsetSummary {
    let mean = |values: &[f32]| {
        values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len().max(1) as f64
    };
    let onsets = onset_detect(&strengths.mean, sample_rate_hz, ONSET_DELTA);
    OnsetSummary {
        onset_strength_mean: mean(&strengths.mean),
        onset_strength_median_mean: mean(&strengths.median),
        onset_times: onsets.into_iter().map(|frame| frame_secs(frame, sample_rate_hz)).collect(),
    }
}

fn summarise_tempogram(
    strength: &[f32],
    keep_frames: bool,
    matrices: &mut Vec<FrameMatrix>,
    watch: &Watch,
) -> Result<TempogramSummary> {
    if keep_frames {
        let mut values = Vec::with_capacity(strength.len() * TEMPOGRAM_LAGS);
        tempogram(strength, TEMPOGRAM_LAGS, watch, |frame| {
            values.extend(frame.iter().map(|&value| value as f32));
        })?;
        matrices.push(FrameMatrix::new("tempogram", TEMPOGRAM_LAGS, values));
    }
    Ok(TempogramSummary { tempogram_mean: mean_tempogram(strength, TEMPOGRAM_LAGS, watch)? })
}

fn summarise_recurrence(
    chroma: &FrameMatrix,
    keep_frames: bool,
    matrices: &mut Vec<FrameMatrix>,
) -> Option<RecurrenceSummary> {
    let mut stride = RECURRENCE_STRIDE;
    while chroma.frames().div_ceil(stride) > MOST_RECURRENCE_FRAMES {
        stride *= 2;
    }
    let frames: Vec<f32> =
        chroma.values.chunks_exact(chroma.width).step_by(stride).flatten().copied().collect();
    let found = recurrence_matrix(&frames, chroma.width)?;
    let count = found.links.len();
    let affinities = found.links.iter().flatten().map(|link| f64::from(link.1));
    let summary = RecurrenceSummary {
        frames: count,
        hop_frames: stride * HOP_FRAMES,
        neighbours: found.links.iter().map(Vec::len).max().unwrap_or(0),
        bandwidth: found.bandwidth,
        mean_affinity: affinities.sum::<f64>() / (count * count) as f64,
    };
    if keep_frames {
        // A matrix of frames has its columns one after the other.
        let dense = found.to_dense();
        let columns = (0..count).flat_map(|column| dense.iter().skip(column).step_by(count).copied());
        matrices.push(FrameMatrix::new("recurrence", count, columns.collect()));
    }
    Some(summary)
}

/// The energies that [`HarmonicPercussive`] parts.
struct HpssCollector {
    split: HarmonicPercussive,
    magnitudes: Vec<f32>,
    sums: HpssSums,
}

struct HpssSums {
    whole: f64,
    harmonic: f64,
    percussive: f64,
    kept: Option<[Vec<f32>; 2]>,
}

impl HpssCollector {
    fn new(keep_frames: bool) -> Self {
        let kept = keep_frames.then(Default::default);
        Self {
            split: HarmonicPercussive::new(),
            magnitudes: Vec::with_capacity(BINS),
            sums: HpssSums { whole: 0.0, harmonic: 0.0, percussive: 0.0, kept },
        }
    }

    fn push_batch(&mut self, batch: &SpectrumBatch) {
        for frame in 0..batch.frames() {
            self.magnitudes.clear();
            self.magnitudes.extend(batch.row(frame).iter().map(|power| power.sqrt()));
            self.sums.whole += energy(&self.magnitudes);
            self.split.push(&self.magnitudes, |harmonic, percussive| self.sums.add(harmonic, percussive));
        }
    }

    fn finish(self, matrices: &mut Vec<FrameMatrix>) -> HarmonicShare {
        let Self { split, mut sums, .. } = self;
        split.finish(|harmonic, percussive| sums.add(harmonic, percussive));
        if let Some([harmonic, percussive]) = sums.kept {
            matrices.push(FrameMatrix::new("harmonic", BINS, harmonic));
            matrices.push(FrameMatrix::new("percussive", BINS, percussive));
        }
        let whole = sums.whole.max(1e-30);
        HarmonicShare { percussive_ratio: sums.percussive / whole, harmonic_ratio: sums.harmonic / whole }
    }
}

impl HpssSums {
    fn add(&mut self, harmonic: &[f32], percussive: &[f32]) {
        self.harmonic += energy(harmonic);
        self.percussive += energy(percussive);
        if let Some(kept) = &mut self.kept {
            kept[0].extend_from_slice(harmonic);
            kept[1].extend_from_slice(percussive);
        }
    }
}

/// The sum of squares, in eight sums that the compiler may add side by side.
fn energy(values: &[f32]) -> f64 {
    let mut sums = [0.0f64; 8];
    let (chunks, rest) = values.as_chunks::<8>();
    for chunk in chunks {
        for (sum, &value) in sums.iter_mut().zip(chunk) {
            *sum += f64::from(value) * f64::from(value);
        }
    }
    sums.iter().sum::<f64>() + rest.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>()
}
