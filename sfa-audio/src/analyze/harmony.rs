//! Which pitch classes sound when.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
