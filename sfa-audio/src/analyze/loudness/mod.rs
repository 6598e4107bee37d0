//! Loudness by EBU R128 / ITU-R BS.1770-4.

mod collector;
mod true_peak;
mod weighting;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Curve;

pub(crate) use collector::LoudnessCollector;

/// How loud a song is. Levels are `None` where the standard defines none, as in silence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Loudness {
    /// Integrated loudness in LUFS, gated as BS.1770-4.
    pub integrated_lufs: Option<f64>,
    /// Loudness range in LU, as EBU Tech 3342, of short-term windows that begin every 100 ms.
    pub range_lu: Option<f64>,
    /// The loudest 400 ms in LUFS.
    pub max_momentary_lufs: Option<f64>,
    /// The loudest 3 s in LUFS.
    pub max_short_term_lufs: Option<f64>,
    /// The highest true peak of any channel in dBTP, by oversampling as BS.1770-4 annex 2.
    pub true_peak_dbtp: Option<f64>,
    /// Peak to loudness ratio in LU: true peak less integrated loudness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_to_loudness_lu: Option<f64>,
    /// The highest sample of any channel in dBFS.
    pub sample_peak_dbfs: Option<f64>,
    /// Momentary loudness in LUFS over time, as a meter shows it at the end of each hop of 100 ms; silence
    /// is -120.
    pub momentary_lufs: Curve,
    /// Short-term loudness, of the last 3 s, in the same way.
    #[serde(default)]
    pub short_term_lufs: Curve,
}
