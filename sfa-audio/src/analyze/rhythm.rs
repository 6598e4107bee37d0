//! Tempo, beats, downbeats and metre.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The pulse of a song.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Rhythm {
    /// How fast.
    pub tempo: Tempo,
    /// How beats group into bars.
    pub meter: Meter,
    /// Every beat in order of time, with its place in the bar.
    pub beats: Vec<Beat>,
    /// The beats as stretches of constant tempo, for tools that store a grid: one region where the tempo is
    /// constant, one per change where it is not.
    pub grid: Vec<GridRegion>,
}

impl Rhythm {
    /// The times of all first beats of bars, in seconds.
    pub fn downbeats(&self) -> impl Iterator<Item = f64> + '_ {
        self.beats.iter().filter(|beat| beat.bar_position == 1).map(|beat| beat.time_secs)
    }
}

/// A tempo with its rivals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Tempo {
    /// Beats per minute; the median where the tempo varies.
    pub bpm: f64,
    /// `0.0..=1.0`: how clearly this tempo wins over [`alternatives`](Self::alternatives).
    pub confidence: f32,
    /// Other readings of the pulse, best first: usually half and double.
    pub alternatives: Vec<TempoCandidate>,
    /// Whether one straight grid fits the whole song.
    pub is_constant: bool,
}

/// A possible tempo.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TempoCandidate {
    /// Beats per minute.
    pub bpm: f64,
    /// `0.0..=1.0`, on the scale of [`Tempo::confidence`].
    pub confidence: f32,
}

/// How beats group into bars.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Meter {
    /// Beats in a bar: the upper number of the time signature.
    pub beats_per_bar: u8,
    /// The note that is one beat: the lower number of the time signature.
    pub beat_unit: u8,
    /// `0.0..=1.0`: how clearly this metre wins.
    pub confidence: f32,
}

/// One beat.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Beat {
    /// When, in seconds from the first decoded frame.
    pub time_secs: f64,
    /// Place in the bar, from 1 (the downbeat) to the metre's beats per bar.
    pub bar_position: u8,
}

/// A stretch of constant tempo that lasts until the next region or the end of the song.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GridRegion {
    /// The first beat of the region, in seconds.
    pub start_secs: f64,
    /// Beats per minute within the region.
    pub bpm: f64,
    /// Place in the bar of the first beat, from 1.
    pub bar_position: u8,
}
