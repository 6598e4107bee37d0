//! Sections, drops, build-ups and breakdowns.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Result, Watch};

use super::harmony::ChromaFrames;
use super::timbre::TimbreFeatures;
use super::{Curve, Rhythm};

mod boundaries;
mod events;
mod labels;
mod loops;
mod parts;
mod phrases;
mod raster;
mod riser;
#[cfg(test)]
mod tests;

use parts::{Full, Part};
pub use phrases::Phrase;
use raster::Raster;

/// Squared distance of neighbours at which a section is half clear.
const HALF_CLEAR_DISTANCE: f64 = 2.0;

/// Pitch classes over time, as form needs them: any rate, any scale up to 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChromaView<'a> {
    /// Seconds between two frames.
    pub(crate) hop_secs: f64,
    /// Strength of C to B.
    pub(crate) frames: &'a [[f32; 12]],
}

impl<'a> From<&'a ChromaFrames> for ChromaView<'a> {
    fn from(frames: &'a ChromaFrames) -> Self {
        Self { hop_secs: frames.hop_secs, frames: &frames.chroma }
    }
}

impl ChromaView<'_> {
    /// The mean between two times with its strongest class at 1; all 0 where nothing is pitched.
    fn mean_between(&self, start_secs: f64, end_secs: f64) -> [f32; 12] {
        let index = |secs: f64| ((secs / self.hop_secs).round().max(0.0) as usize).min(self.frames.len());
        let mut mean = [0.0; 12];
        for frame in &self.frames[index(start_secs)..index(end_secs).max(index(start_secs))] {
            for (mean, &class) in mean.iter_mut().zip(frame) {
                *mean += if class.is_finite() { class } else { 0.0 };
            }
        }
        let strongest = mean.iter().copied().fold(0.0, f32::max);
        if strongest > 0.0 { mean.map(|class| class / strongest) } else { mean }
    }
}

/// Reads the form of a song: sections, events and loops.
///
/// With `rhythm` everything starts on its downbeats; without it sections are cut from timbre alone on a raster
/// of a second, and there are no loops. `energy` is `0.0..=1.0`; without it the level of the timbre stands in.
/// Memory grows with the number of bars; time with bars times 256, the longest part considered.
///
/// # Errors
/// `Cancelled` when `watch` says so.
pub(crate) fn find(
    timbre: &TimbreFeatures,
    chroma: Option<ChromaView<'_>>,
    rhythm: Option<&Rhythm>,
    energy: Option<&Curve>,
    duration_secs: f64,
    watch: &Watch,
) -> Result<Form> {
    watch.checkpoint()?;
    if !(duration_secs.is_finite() && duration_secs > 0.0) {
        return Ok(Form::default());
    }
    let raster = Raster::new(timbre, chroma, rhythm, energy, duration_secs);
    watch.checkpoint()?;
    let starts = boundaries::find(&raster);
    watch.checkpoint()?;
    let parts = parts::join_repeats(&raster, parts::describe(&raster, &starts));
    let full = Full::of(&raster);
    let arrivals = events::arrivals(&raster, &parts, &full);
    let kinds = labels::label(&parts, &arrivals, &full);
    let sections = sections(&raster, &parts, &kinds);
    let clarity: Vec<f32> = sections.iter().map(|section| section.confidence).collect();
    let phrases = phrases::find(&raster, &parts, &arrivals, &clarity);
    Ok(Form {
        sections,
        phrase_bars: phrases.usual_bars,
        phrases: phrases.phrases,
        events: events::list(&raster, &parts, &arrivals, &full),
        loops: loops::find(&raster, &parts),
    })
}

fn sections(raster: &Raster, parts: &[Part], kinds: &[SectionKind]) -> Vec<Section> {
    let clarity = |index: usize| {
        let difference = parts::distance(&parts[index].mean, &parts.get(index + 1)?.mean);
        Some(difference / (difference + HALF_CLEAR_DISTANCE))
    };
    let section = |(index, (part, &kind)): (usize, (&Part, &SectionKind))| {
        let sides = [index.checked_sub(1).and_then(clarity), clarity(index)];
        let clearest = sides.into_iter().flatten().fold(0.0, f64::max);
        Section {
            start_secs: part.start_secs(raster),
            end_secs: part.end_secs(raster),
            kind,
            group: part.group,
            energy: part.energy,
            confidence: clearest as f32,
        }
    };
    parts.iter().zip(kinds).enumerate().map(section).collect()
}

/// The form of a song.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Form {
    /// Sections that tile the song from 0 to its end without gaps.
    pub sections: Vec<Section>,
    /// Phrases that tile the song's bars from its first downbeat to the end of its last bar; empty without bars.
    #[serde(default)]
    pub phrases: Vec<Phrase>,
    /// The length of a usual phrase: 4, 8, 16 or 32 bars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phrase_bars: Option<u32>,
    /// What a DJ waits for, in order of time.
    pub events: Vec<FormEvent>,
    /// Stretches that can be played round and round, in order of time: the best of each length in each
    /// section, at most 32.
    #[serde(skip)]
    pub loops: Vec<SeamlessLoop>,
}

/// A stretch of whole bars that can be played round and round.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct SeamlessLoop {
    /// Start in seconds, on a downbeat.
    pub start_secs: f64,
    /// End in seconds, on a downbeat.
    pub end_secs: f64,
    /// Length in bars.
    pub bars: u32,
    /// `0.6..=1.0`: how alike it sounds to go on and to go back, and how steady it is inside.
    pub quality: f32,
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
    /// `0.0..=1.0`: how clearly it differs from its neighbours.
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
