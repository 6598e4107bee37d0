//! Cue points and loops that a DJ would set, from an [`Analysis`](crate::Analysis).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod loops;
mod points;

pub use loops::find_loops;
pub use points::suggest_cues;

/// A place to jump to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct CuePoint {
    /// Where, in seconds; on the beat grid, unless somebody placed it.
    pub position_secs: f64,
    /// What to show, for example "Drop 1".
    pub label: String,
    /// What is there.
    pub kind: CueKind,
    /// For buttons and flags.
    pub color: Rgb,
    /// `0.0..=1.0`.
    pub confidence: f32,
    /// The pad, 0 (A) to 7 (H): in order of time for the at most eight found cues that matter most, as they chose for
    /// those that somebody placed. `None` for the others, which are memory cues in tools that know two kinds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hot_cue: Option<u8>,
}

impl CuePoint {
    /// A cue that somebody placed, which leaves no doubt.
    pub fn placed(position_secs: f64, label: String, kind: CueKind, color: Rgb, hot_cue: Option<u8>) -> Self {
        Self { position_secs, label, kind, color, confidence: 1.0, hot_cue }
    }
}

/// What is at a cue point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CueKind {
    /// The first downbeat: where a deck is set to.
    Load,
    /// A section starts; its kind is in the label.
    Section,
    /// A drop.
    Drop,
    /// A build-up starts.
    BuildUp,
    /// A breakdown starts.
    Breakdown,
    /// Where mixing out begins.
    MixOut,
    /// Whatever made somebody place it.
    Own,
}

/// A colour, written "#RRGGBB".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(into = "String", try_from = "String")]
#[schemars(with = "String")]
pub struct Rgb(pub u8, pub u8, pub u8);

impl From<Rgb> for String {
    fn from(Rgb(red, green, blue): Rgb) -> Self {
        format!("#{red:02X}{green:02X}{blue:02X}")
    }
}

impl TryFrom<String> for Rgb {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii());
        let byte = |at: usize| digits.and_then(|digits| u8::from_str_radix(&digits[at..at + 2], 16).ok());
        match (byte(0), byte(2), byte(4)) {
            (Some(red), Some(green), Some(blue)) => Ok(Self(red, green, blue)),
            _ => Err(format!("{text:?} is not a colour of the form #RRGGBB")),
        }
    }
}

/// A stretch that repeats well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct LoopPoint {
    /// Start in seconds, on a downbeat.
    pub start_secs: f64,
    /// End in seconds, on a downbeat.
    pub end_secs: f64,
    /// Length in bars.
    pub bars: u32,
    /// Length in beats.
    pub beats: u32,
    /// `0.0..=1.0`: how alike the two ends sound.
    pub quality: f32,
    /// The section that the loop lies in, for example "Intro".
    pub section: String,
    /// Whether this is one of the few to offer first.
    pub recommended: bool,
    /// What somebody called it who placed it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub label: Option<String>,
    /// The pad, 0 (A) to 7 (H), that somebody chose for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hot_cue: Option<u8>,
}

impl LoopPoint {
    /// A loop that somebody placed, of so many beats in bars of `beats_per_bar`; of none where there is no beat.
    pub fn placed(
        (start_secs, end_secs): (f64, f64),
        label: String,
        hot_cue: Option<u8>,
        beats: u32,
        beats_per_bar: u32,
    ) -> Self {
        Self {
            start_secs,
            end_secs,
            bars: beats / beats_per_bar.max(1),
            beats,
            quality: 1.0,
            section: String::new(),
            recommended: true,
            label: Some(label),
            hot_cue,
        }
    }

    /// What to show, for example "Intro loop, 4 bars".
    pub fn name(&self) -> String {
        self.label.clone().unwrap_or_else(|| format!("{} loop, {} bars", self.section, self.bars))
    }
}
