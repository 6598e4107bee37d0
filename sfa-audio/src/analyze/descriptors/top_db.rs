//! Levels cut off 80 dB below the loudest of the whole signal.

use crate::dsp::ln_parts;

/// Distance from the loudest level to the floor.
const TOP_DB: f32 = 80.0;
/// What counts as no power at all, as in librosa.
const LEAST_POWER: f32 = 1e-10;

/// `10 log10(max(power, 1e-10))` within 1e-5 dB, in a form that compilers turn into vector instructions.
#[inline(always)]
pub(super) fn power_to_db(power: f32) -> f32 {
    let (of_mantissa, exponent) = ln_parts(if power > LEAST_POWER { power } else { LEAST_POWER });
    of_mantissa * (10.0 / std::f32::consts::LN_10) + exponent * (10.0 * std::f32::consts::LOG10_2)
}

/// Holds back frames of levels until the loudest is known.
///
/// That is at the end of the signal, or once `horizon_frames` have been seen: from there on a frame goes
/// through at once, cut off below the loudest so far. So short signals are exact and long ones need no more
/// memory.
#[derive(Debug, Clone)]
pub(super) struct TopDb {
    width: usize,
    horizon_frames: usize,
    loudest_db: f32,
    waiting: Option<Vec<f32>>,
}

impl TopDb {
    pub(super) fn new(width: usize, horizon_frames: usize) -> Self {
        Self { width, horizon_frames, loudest_db: f32::NEG_INFINITY, waiting: Some(Vec::new()) }
    }

    /// Takes one frame and hands on those that are decided.
    pub(super) fn push(&mut self, levels_db: &[f32], mut emit: impl FnMut(&[f32])) {
        debug_assert_eq!(levels_db.len(), self.width);
        self.loudest_db = levels_db.iter().fold(self.loudest_db, |loudest, &level| loudest.max(level));
        match &mut self.waiting {
            Some(waiting) => {
                waiting.extend_from_slice(levels_db);
                if waiting.len() >= self.horizon_frames * self.width {
                    self.finish(emit);
                }
            }
            None => {
                let mut frame = levels_db.to_vec();
                raise(&mut frame, self.loudest_db);
                emit(&frame);
            }
        }
    }

    /// Hands on what still waits.
    pub(super) fn finish(&mut self, mut emit: impl FnMut(&[f32])) {
        for frame in self.waiting.take().unwrap_or_default().chunks_exact_mut(self.width) {
            raise(frame, self.loudest_db);
            emit(frame);
        }
    }
}

fn raise(frame: &mut [f32], loudest_db: f32) {
    for level in frame {
        *level = level.max(loudest_db - TOP_DB);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_those_of_the_real_logarithm() {
        for exponent in -120..120 {
            for step in 0..50 {
                let power = 10f64.powf(f64::from(exponent) / 10.0 + f64::from(step) * 0.002);
                let expected = 10.0 * power.max(1e-10).log10();
                let found = f64::from(power_to_db(power as f32));
                // Two units of the last place at 100 dB.
                assert!((found - expected).abs() < 1.6e-5, "{power}: {found} for {expected}");
            }
        }
    }

    #[test]
    fn a_late_peak_lifts_the_floor_of_what_came_before() {
        let mut levels = TopDb::new(1, 10);
        let mut out = Vec::new();
        for level in [-90.0, -10.0, 20.0] {
            levels.push(&[level], |frame| out.push(frame[0]));
        }
        assert!(out.is_empty());
        levels.finish(|frame| out.push(frame[0]));
        assert_eq!(out, [-60.0, -10.0, 20.0]);
    }

    #[test]
    fn beyond_the_horizon_the_loudest_so_far_counts() {
        let mut levels = TopDb::new(1, 2);
        let mut out = Vec::new();
        for level in [0.0, -100.0, -90.0, 10.0, -90.0] {
            levels.push(&[level], |frame| out.push(frame[0]));
        }
        assert_eq!(out, [0.0, -80.0, -80.0, 10.0, -70.0]);
    }
}
