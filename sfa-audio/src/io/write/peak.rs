//! What to do with samples beyond full scale before they are written as integers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Clip;

/// The choice that Demucs calls `--clip-mode`.
///
/// Separated stems may be louder than the mix they came from. With [`Rescale`](Self::Rescale) one factor serves all
/// stems of a song, so that their balance and their sum stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PeakPolicy {
    /// Everything is made quieter by one factor until the loudest peak of all is 1 % below full scale.
    #[default]
    Rescale,
    /// Each clip by itself is made quieter until its peak is 1 % below full scale, as Demucs does it: levels
    /// relative to each other change.
    RescaleEach,
    /// Samples are cut at ±0.99; levels stay.
    Clamp,
    /// Nothing is changed; writing integers then clamps at full scale and counts.
    None,
}

impl PeakPolicy {
    /// The factor for a clip whose largest absolute sample is `own_peak`, among clips that belong together and
    /// reach `joint_peak`: `1 / max(1.01 * peak, 1)` where the policy rescales, 1 otherwise.
    pub fn gain(self, own_peak: f32, joint_peak: f32) -> f32 {
        let peak = match self {
            Self::Rescale => joint_peak,
            Self::RescaleEach => own_peak,
            Self::Clamp | Self::None => return 1.0,
        };
        if peak.is_finite() { 1.0 / (1.01 * peak).max(1.0) } else { 1.0 }
    }

    /// Applies the policy to one block, given the gain for all.
    pub fn apply(self, gain: f32, block: &mut Clip) {
        const LIMIT: f32 = 0.99;
        match self {
            Self::Rescale | Self::RescaleEach if gain != 1.0 => {
                block.channels_mut().flatten().for_each(|sample| *sample *= gain);
            }
            Self::Clamp => {
                block.channels_mut().flatten().for_each(|sample| *sample = sample.clamp(-LIMIT, LIMIT));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rescaling_leaves_quiet_songs_alone_and_loud_ones_just_below_full_scale() {
        assert_eq!(PeakPolicy::Rescale.gain(0.1, 0.5), 1.0);
        assert!((PeakPolicy::Rescale.gain(0.1, 2.0) * 2.0 - 1.0 / 1.01).abs() < 1e-6);
        assert_eq!(PeakPolicy::RescaleEach.gain(0.1, 2.0), 1.0);
        assert!((PeakPolicy::RescaleEach.gain(1.5, 2.0) * 1.5 - 1.0 / 1.01).abs() < 1e-6);
        assert_eq!(PeakPolicy::Clamp.gain(2.0, 2.0), 1.0);
        assert_eq!(PeakPolicy::Rescale.gain(f32::INFINITY, f32::INFINITY), 1.0);
    }
}
