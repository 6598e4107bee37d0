//! Which drum is struck when.

mod classify;
mod features;
mod levels;
mod strokes;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use levels::DrumCollector;
use levels::Levels;

/// One stroke on one drum. What is struck together makes one hit each.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct DrumHit {
    /// When, in seconds from the first decoded frame.
    pub time_secs: f64,
    /// On what.
    pub kind: DrumKind,
    /// `0.5..=1.0`: how likely it is this drum.
    pub confidence: f32,
}

/// A family of drum sounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DrumKind {
    /// Bass drum.
    Kick,
    /// Snare drum.
    Snare,
    /// Hi-hat, ride, shaker: whatever is short and bright.
    Hat,
    /// Hand clap, acoustic or from a machine.
    Clap,
    /// Rim shot, conga, block: short and woody.
    Perc,
}

impl DrumKind {
    /// Every kind, in the order of the report.
    pub const ALL: [Self; 5] = [Self::Kick, Self::Snare, Self::Hat, Self::Clap, Self::Perc];

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kick => "kick",
            Self::Snare => "snare",
            Self::Hat => "hat",
            Self::Clap => "clap",
            Self::Perc => "perc",
        }
    }
}

/// The drum hits of a song, in order of time.
///
/// Strokes are where the level of a part of the spectrum rises fastest. How sixteen bands rise and fall around a
/// stroke, against how they usually do in this song, tells a small classifier which drums are in it; what it is sure
/// of then teaches it how these drums sound in this song, and it decides again. The classifier was trained on songs
/// that a program of ours plays (benches/peers/analysis). Drums keep on playing: a hit that it is not sure of counts
/// only where others are.
pub(crate) fn find(levels: &Levels) -> Vec<DrumHit> {
    let strokes = strokes::find(levels);
    let features = features::of(levels, &strokes);
    let hits = classify::hits(&strokes, &features);
    without_lonely(&hits, levels.secs())
}

/// Leaves out what is unsure and alone: attacks of other instruments.
fn without_lonely(hits: &[DrumHit], duration_secs: f64) -> Vec<DrumHit> {
    /// Seconds on each side in which others may be.
    const REACH_SECS: f64 = 4.0;
    /// Drums that play strike more often.
    const HITS_PER_SEC: f64 = 0.75;
    const SURE: f32 = 0.95;

    let before = |secs: f64| hits.partition_point(|hit| hit.time_secs < secs);
    let is_among_others = |hit: &DrumHit| {
        let start = (hit.time_secs - REACH_SECS).max(0.0);
        let end = (hit.time_secs + REACH_SECS).min(duration_secs);
        (before(end) - before(start)) as f64 >= HITS_PER_SEC * (end - start)
    };
    hits.iter().filter(|hit| hit.confidence >= SURE || is_among_others(hit)).copied().collect()
}
