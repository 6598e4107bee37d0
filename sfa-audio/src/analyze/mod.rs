//! What a song is: tempo and beats, key, loudness, energy, form, and the curves to draw it with.
//!
//! [`analyze`] reads a source once, block by block, and keeps only compact features, so that a two-hour set
//! needs little more memory than a song. Each child module is one question: a *collector* that eats audio and
//! a *decision* that turns what was collected into an answer.

mod chords;
mod curve;
mod danceability;
pub mod descriptors;
mod drums;
mod energy;
mod form;
mod harmony;
mod key;
mod loudness;
mod pass;
mod rhythm;
mod signal;
mod stems;
mod timbre;
mod vocals;
mod waveform;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Result};

pub use chords::{Chord, ChordLabel, ChordQuality};
pub use curve::Curve;
pub use danceability::Danceability;
use descriptors::{Descriptors, FeatureFrames};
pub use drums::{DrumHit, DrumKind};
pub use energy::Energy;
pub use form::{Form, FormEvent, FormEventKind, Phrase, SeamlessLoop, Section, SectionKind};
pub use harmony::Chroma;
pub use key::{Key, KeyEstimate, KeySegment, Mode, PitchClass};
pub use loudness::Loudness;
pub(crate) use pass::make_finite;
pub use pass::{analyze, analyze_with_stems};
pub use rhythm::{Beat, GridRegion, Meter, Rhythm, Swing, Tempo, TempoCandidate};
pub use signal::Signal;
pub use stems::{StemSources, StemUse};
pub use vocals::{VocalBar, VocalRange, VocalSource, Vocals};
pub use waveform::{Waveform, WaveformCollector, WaveformLevel};

/// The rate at which rhythm, harmony and timbre are measured; other rates are resampled to it.
///
/// One rate makes every window length, band edge and threshold mean the same thing on every file.
pub(crate) const ANALYSIS_RATE_HZ: u32 = 44_100;

/// One question that [`analyze`] can answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Feature {
    /// Tempo, beats, downbeats and metre.
    Rhythm,
    /// Key, key changes, tuning and chroma.
    Key,
    /// EBU R128 loudness and true peak.
    Loudness,
    /// Energy level and curve.
    Energy,
    /// Peaks for drawing.
    Waveform,
    /// Sections, drops, build-ups and breakdowns.
    Form,
    /// Which chord sounds when.
    Chords,
    /// Which drum is struck when.
    Drums,
    /// Where somebody sings.
    Vocals,
    /// How well it can be danced to.
    Danceability,
    /// Level, zero crossings, and the shape of the spectrum, as librosa measures them.
    Spectral,
    /// Mel-frequency cepstral coefficients, as librosa's.
    Mfcc,
    /// Chroma and tuning, as librosa's `chroma_stft`, `chroma_cqt` and `chroma_cens`.
    #[serde(rename = "chroma")]
    ChromaVectors,
    /// Onset strength and onsets, as librosa's.
    Onsets,
    /// Periodicity of the onsets over time, as librosa's.
    Tempogram,
    /// Tempo and beats as librosa finds them.
    BeatTrack,
    /// Harmonic against percussive energy, as librosa parts them.
    Hpss,
    /// What sounds alike, as librosa's recurrence matrix of chroma.
    Recurrence,
}

impl Feature {
    /// Every feature, in the order of the report.
    pub const ALL: [Self; 18] = [
        Self::Rhythm,
        Self::Key,
        Self::Loudness,
        Self::Energy,
        Self::Waveform,
        Self::Form,
        Self::Chords,
        Self::Drums,
        Self::Vocals,
        Self::Danceability,
        Self::Spectral,
        Self::Mfcc,
        Self::ChromaVectors,
        Self::Onsets,
        Self::Tempogram,
        Self::BeatTrack,
        Self::Hpss,
        Self::Recurrence,
    ];

    /// What is measured unless something else is asked for: what DJs and producers ask. The rest are librosa's
    /// features, for those who know them.
    pub const DEFAULT: [Self; 10] = [
        Self::Rhythm,
        Self::Key,
        Self::Loudness,
        Self::Energy,
        Self::Waveform,
        Self::Form,
        Self::Chords,
        Self::Drums,
        Self::Vocals,
        Self::Danceability,
    ];

    /// librosa's features, which [`descriptors`] measures.
    pub const DESCRIPTORS: [Self; 8] = [
        Self::Spectral,
        Self::Mfcc,
        Self::ChromaVectors,
        Self::Onsets,
        Self::Tempogram,
        Self::BeatTrack,
        Self::Hpss,
        Self::Recurrence,
    ];
}

/// What to measure.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AnalyzeOptions {
    /// The questions to answer. Default: [`Feature::DEFAULT`]. Form needs rhythm, key and energy inside and is slower alone
    /// than its share of the whole.
    pub features: Vec<Feature>,
    /// Whether librosa's features are also kept frame by frame, in [`Analysis::frames`]. Takes 0.1 MB per second
    /// and more. Default: no.
    pub keep_frames: bool,
    /// The slowest and the fastest tempo to consider, in beats per minute, where it is known: a DJ's 88 to 176
    /// leaves no doubt between a tempo and its half. Default: 54 to 216.
    pub bpm_range: Option<(f64, f64)>,
}

impl Default for AnalyzeOptions {
    fn default() -> Self {
        Self { features: Feature::DEFAULT.to_vec(), keep_frames: false, bpm_range: None }
    }
}

impl AnalyzeOptions {
    /// Only these features.
    #[must_use]
    pub fn features(mut self, features: impl IntoIterator<Item = Feature>) -> Self {
        self.features = features.into_iter().collect();
        self.features.sort_unstable();
        self.features.dedup();
        self
    }

    /// Keeps librosa's features frame by frame.
    #[must_use]
    pub fn keep_frames(mut self, keep_frames: bool) -> Self {
        self.keep_frames = keep_frames;
        self
    }

    /// Only tempos between these, in beats per minute.
    #[must_use]
    pub fn bpm_range(mut self, slowest: f64, fastest: f64) -> Self {
        self.bpm_range = Some((slowest, fastest));
        self
    }

    /// Whether this can be measured; [`analyze`] asks by itself.
    ///
    /// # Errors
    /// `InvalidOption` when the tempo range is none, or reaches beyond what can be measured.
    pub fn check(&self) -> Result<()> {
        let (least, most) = rhythm::TEMPO_RANGE_BPM;
        match self.bpm_range {
            Some((slowest, fastest)) if !(least <= slowest && slowest < fastest && fastest <= most) => {
                Err(Error::new(
                    ErrorKind::InvalidOption,
                    format!(
                        "tempo range {slowest} to {fastest}: must rise and lie within {least} to {most} BPM"
                    ),
                ))
            }
            _ => Ok(()),
        }
    }
}

/// Everything that was measured of one song.
///
/// A part is `None` when it was not asked for, or when the audio has no answer (silence has no key);
/// [`features`](Self::features) tells the two apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Analysis {
    /// Length of the decoded audio in seconds.
    pub duration_secs: f64,
    /// Rate of the decoded audio in Hz.
    pub sample_rate_hz: u32,
    /// Channels of the decoded audio.
    pub channels: usize,
    /// The questions that were asked.
    pub features: Vec<Feature>,
    /// Tempo, beats and metre; absent where there is no pulse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rhythm: Option<Rhythm>,
    /// The key of the whole song; absent where nothing is pitched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyEstimate>,
    /// The keys over time, without gaps: more than one where the song modulates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_segments: Option<Vec<KeySegment>>,
    /// Pitch classes over time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chroma: Option<Chroma>,
    /// Loudness by EBU R128.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loudness: Option<Loudness>,
    /// Offset, clipping and correlation of the recording, measured with its loudness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<Signal>,
    /// Energy level and curve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energy: Option<Energy>,
    /// Sections and events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
    /// The chords in order of time, without gaps; absent where nothing is pitched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chords: Option<Vec<Chord>>,
    /// Every drum hit in order of time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drums: Option<Vec<DrumHit>>,
    /// Where somebody sings, bar by bar; absent in silence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vocals: Option<Vocals>,
    /// How well it can be danced to; absent in silence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub danceability: Option<Danceability>,
    /// Peaks for drawing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waveform: Option<Waveform>,
    /// What librosa measures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub descriptors: Option<Descriptors>,
    /// The descriptors frame by frame, where [`AnalyzeOptions`] asked for them. Too much for a
    /// document: see [`FeatureFrames::write_npz`].
    #[serde(skip)]
    pub frames: Option<FeatureFrames>,
    /// What was read from stems; the rest, and everything where this is empty, was read from the mix.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stems: Vec<StemUse>,
}

/// The index of the largest value, the first of equals.
fn argmax(values: &[f32]) -> usize {
    (1..values.len()).fold(0, |best, index| if values[index] > values[best] { index } else { best })
}
