//! Peaks in three bands at several zooms, for drawing.

mod collector;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use collector::WaveformCollector;

/// The picture of a song at several zooms, finest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Waveform {
    /// Rate that the frame counts below refer to: the decoded audio's.
    pub sample_rate_hz: u32,
    /// The zooms; each has a quarter of the points of the one before.
    pub levels: Vec<WaveformLevel>,
}

/// One zoom. All vectors have one entry per point.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct WaveformLevel {
    /// Frames that one point stands for; the last point may stand for fewer.
    pub frames_per_point: u32,
    /// Lowest sample of the downmix, -128 = -1.0.
    pub min: Vec<i8>,
    /// Highest sample of the downmix, 127 = 1.0.
    pub max: Vec<i8>,
    /// Peak below 200 Hz, 255 = full scale.
    pub low: Vec<u8>,
    /// Peak from 200 Hz to 2 kHz, 255 = full scale.
    pub mid: Vec<u8>,
    /// Peak above 2 kHz, 255 = full scale.
    pub high: Vec<u8>,
}
