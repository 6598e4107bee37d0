//! Where somebody sings.

mod collector;
mod judge;
mod model;
mod rows;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use collector::VocalCollector;
pub(crate) use judge::{in_mix, in_stem};

/// Where somebody sings in a song.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Vocals {
    /// What this was heard in: from a mix it is a guess, from the voice alone a measurement.
    pub source: VocalSource,
    /// `0.0..=1.0`: the share of the bars with a voice, each counted by its probability.
    pub share: f32,
    /// Every bar, or every two seconds where there are no bars, from the start of the song to its end.
    pub bars: Vec<VocalBar>,
    /// The bars with a voice joined, in order of time.
    pub ranges: Vec<VocalRange>,
}

/// What the voice was heard in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum VocalSource {
    /// The mix, by how partials and vowels move. Strings, solo guitars and leads with vibrato are mistaken for voices,
    /// and spoken words are missed.
    Mix,
    /// The vocal stem, by its level.
    Stem,
}

/// One bar.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VocalBar {
    /// Start in seconds: a downbeat, or the start of the song.
    pub start_secs: f64,
    /// End in seconds.
    pub end_secs: f64,
    /// `0.0..=1.0`: how likely a voice sounds for at least a fifth of the bar.
    pub probability: f32,
}

/// Bars with a voice that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VocalRange {
    /// Start in seconds.
    pub start_secs: f64,
    /// End in seconds.
    pub end_secs: f64,
    /// `0.5..=1.0`: the mean probability of its bars.
    pub confidence: f32,
}
