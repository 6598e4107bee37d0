//! What a song is: tempo and beats, key, loudness, energy, form, and the curves to draw it with.
//!
//! [`analyze`] reads a source once, block by block, and keeps only compact features, so that a two-hour set
//! needs little more memory than a song. Each child module is one question: a *collector* that eats audio and
//! a *decision* that turns what was collected into an answer.

mod curve;
mod energy;
mod form;
mod harmony;
mod key;
mod loudness;
mod pass;
mod rhythm;
mod stems;
mod timbre;
mod waveform;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Result};

pub use curve::Curve;
pub use energy::Energy;
pub use form::{Form, FormEvent, FormEventKind, SeamlessLoop, Section, SectionKind};
pub use harmony::Chroma;
pub use key::{Key, KeyEstimate, Mode, PitchClass};
pub use loudness::Loudness;
pub use pass::{analyze, analyze_with_stems};
pub use rhythm::{Beat, GridRegion, Meter, Rhythm, Swing, Tempo, TempoCandidate};
pub use stems::{StemSources, StemUse};
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
    /// Key, tuning and chroma.
    Key,
    /// EBU R128 loudness and true peak.
    Loudness,
    /// Energy level and curve.
    Energy,
    /// Peaks for drawing.
    Waveform,
    /// Sections, drops, build-ups and breakdowns.
    Form,
}

impl Feature {
    /// Every feature, in the order of the report.
    pub const ALL: [Self; 6] =
        [Self::Rhythm, Self::Key, Self::Loudness, Self::Energy, Self::Waveform, Self::Form];
}

/// What to measure.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AnalyzeOptions {
    /// The questions to answer. Default: all. Form needs rhythm, key and energy inside and is slower alone
    /// than its share of the whole.
    pub features: Vec<Feature>,
    /// The slowest and the fastest tempo to consider, in beats per minute, where it is known: a DJ's 88 to 176
    /// leaves no doubt between a tempo and its half. Default: 54 to 216.
    pub bpm_range: Option<(f64, f64)>,
}

impl Default for AnalyzeOptions {
    fn default() -> Self {
        Self { features: Feature::ALL.to_vec(), bpm_range: None }
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

    /// Only tempos between these, in beats per minute.
    #[must_use]
    pub fn bpm_range(mut self, slowest: f64, fastest: f64) -> Self {
        self.bpm_range = Some((slowest, fastest));
        self
    }

    /// # Errors
    /// `InvalidOption` when the tempo range is none, or reaches beyond what can be measured.
    fn check(&self) -> Result<()> {
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
    /// Pitch classes over time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chroma: Option<Chroma>,
    /// Loudness by EBU R128.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loudness: Option<Loudness>,
    /// Energy level and curve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energy: Option<Energy>,
    /// Sections and events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
    /// Peaks for drawing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waveform: Option<Waveform>,
    /// What was read from stems; the rest, and everything where this is empty, was read from the mix.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stems: Vec<StemUse>,
}
