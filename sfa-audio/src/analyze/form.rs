//! Sections, drops, build-ups and breakdowns.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The form of a song.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Form {
    /// Sections that tile the song from 0 to its end without gaps.
    pub sections: Vec<Section>,
    /// What a DJ waits for, in order of time.
    pub events: Vec<FormEvent>,
}

/// A musical part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Section {
    /// Start in seconds; on a downbeat except at 0.
    pub start_secs: f64,
    /// End in seconds: the next section's start.
    pub end_secs: f64,
    /// What the part does in the song.
    pub kind: SectionKind,
    /// Sections with the same number repeat each other.
    pub group: u32,
    /// Mean of the energy curve, `0.0..=1.0`.
    pub energy: f32,
    /// `0.0..=1.0`.
    pub confidence: f32,
}

/// What a part does in a song.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the words are the field's own")]
pub enum SectionKind {
    Intro,
    Verse,
    PreChorus,
    Chorus,
    Bridge,
    BuildUp,
    Drop,
    Breakdown,
    Solo,
    Outro,
}

impl SectionKind {
    /// The word people read.
    pub fn label(self) -> &'static str {
        match self {
            Self::Intro => "Intro",
            Self::Verse => "Verse",
            Self::PreChorus => "Pre-chorus",
            Self::Chorus => "Chorus",
            Self::Bridge => "Bridge",
            Self::BuildUp => "Build-up",
            Self::Drop => "Drop",
            Self::Breakdown => "Breakdown",
            Self::Solo => "Solo",
            Self::Outro => "Outro",
        }
    }
}

/// Something a DJ waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct FormEvent {
    /// What happens.
    pub kind: FormEventKind,
    /// When it starts, in seconds, on the beat grid.
    pub start_secs: f64,
    /// When it is over, in seconds.
    pub end_secs: f64,
    /// How strong it is, `0.0..=1.0`.
    pub intensity: f32,
    /// `0.0..=1.0`.
    pub confidence: f32,
}

/// The kinds of [`FormEvent`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FormEventKind {
    /// Tension rises towards what follows.
    BuildUp,
    /// The full beat and bass come in at once.
    Drop,
    /// Beat and bass go away.
    Breakdown,
}
