//! A quantity over time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Evenly spaced values; value `i` describes the time from `i * hop_secs` to `(i + 1) * hop_secs`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Curve {
    /// Seconds between two values.
    pub hop_secs: f64,
    /// The values.
    pub values: Vec<f32>,
}

impl Curve {
    /// The curve with at most `most` values, each the mean of several.
    pub fn thinned(&self, most: usize) -> Self {
        let factor = self.values.len().div_ceil(most.max(1)).max(1);
        let mean = |part: &[f32]| part.iter().sum::<f32>() / part.len() as f32;
        Self {
            hop_secs: self.hop_secs * factor as f64,
            values: self.values.chunks(factor).map(mean).collect(),
        }
    }

    /// The mean between two times, or `None` where the curve holds no value there.
    pub fn mean_between(&self, start_secs: f64, end_secs: f64) -> Option<f32> {
        let first = (start_secs / self.hop_secs).floor().max(0.0) as usize;
        let last = ((end_secs / self.hop_secs).ceil().max(0.0) as usize).min(self.values.len());
        let part = self.values.get(first..last).filter(|part| !part.is_empty())?;
        Some((part.iter().map(|&value| f64::from(value)).sum::<f64>() / part.len() as f64) as f32)
    }
}
