//! The steps of the work on a song.

use serde::{Deserialize, Serialize};

/// One thing that is done to a song.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Stems.
    Separate,
    /// Tempo, key, loudness, form and whatever else is asked for; read from the stems of a neural model where there are
    /// some.
    Analyze,
    /// Cues and loops, from what the analysis found. The user's own stay.
    Cues,
    /// Which chord sounds when, where the analysis has not measured that already.
    Chords,
    /// The notes of each stem, or of the song where there are none, as MIDI files.
    Midi,
    /// Files for other programs.
    Export,
}

impl Step {
    /// Every step in the order of the pipeline.
    pub const ALL: [Self; 6] =
        [Self::Separate, Self::Analyze, Self::Cues, Self::Chords, Self::Midi, Self::Export];

    /// What is done to a song unless its user wants something else.
    pub const DEFAULT: [Self; 5] = [Self::Separate, Self::Analyze, Self::Cues, Self::Chords, Self::Export];

    /// The kind of its job.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Separate => "separate",
            Self::Analyze => "analyze",
            Self::Cues => "cues",
            Self::Chords => "chords",
            Self::Midi => "midi",
            Self::Export => "export",
        }
    }

    /// The queue that its jobs wait in: by what they cost.
    pub const fn queue(self) -> &'static str {
        match self {
            Self::Separate => "separate",
            Self::Analyze | Self::Chords | Self::Midi => "analyze",
            Self::Cues | Self::Export => "export",
        }
    }

    /// The step of a kind of job.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }

    /// Whether it works on what [`Analyze`](Self::Analyze) has found.
    pub const fn needs_analysis(self) -> bool {
        matches!(self, Self::Cues | Self::Chords | Self::Export)
    }
}
