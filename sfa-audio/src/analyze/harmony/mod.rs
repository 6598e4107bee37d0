//! Which pitch classes sound when.

mod chroma;
mod expected;
mod peaks;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use chroma::ChromaFrames;
pub(crate) use expected::expected_chroma;
pub(crate) use peaks::HarmonyCollector;

/// Pitch-class strength over time, for drawing and for the chroma wheel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Chroma {
    /// Share of each pitch class in the whole song, C to B, the strongest at 1.
    pub mean: [f32; 12],
    /// Seconds between two columns.
    pub hop_secs: f64,
    /// One column per hop, C to B, each with its strongest class at 1; all 0 in silence.
    pub columns: Vec<[f32; 12]>,
}

/// The most columns a [`Chroma`] holds: more than a screen shows.
const MAX_COLUMNS: usize = 2000;

impl Chroma {
    pub(crate) fn from_frames(frames: &ChromaFrames) -> Self {
        let per_column = frames.chroma.len().div_ceil(MAX_COLUMNS).max(1);
        let mut mean = [0.0; 12];
        for (chroma, weight) in frames.chroma.iter().zip(&frames.weights) {
            add_scaled(&mut mean, chroma, *weight);
        }
        let columns = frames.chroma.chunks(per_column).map(|group| {
            let mut column = [0.0; 12];
            group.iter().for_each(|chroma| add_scaled(&mut column, chroma, 1.0));
            with_maximum_one(column)
        });
        Self {
            mean: with_maximum_one(mean),
            hop_secs: per_column as f64 * frames.hop_secs,
            columns: columns.collect(),
        }
    }
}

fn add_scaled(sum: &mut [f32; 12], chroma: &[f32; 12], scale: f32) {
    sum.iter_mut().zip(chroma).for_each(|(sum, class)| *sum += class * scale);
}

fn with_maximum_one(chroma: [f32; 12]) -> [f32; 12] {
    let max = chroma.iter().fold(0.0f32, |max, &class| max.max(class));
    if max > 0.0 { chroma.map(|class| class / max) } else { chroma }
}
