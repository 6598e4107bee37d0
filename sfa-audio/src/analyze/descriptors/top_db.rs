//! Levels cut off 80 dB below the loudest of the whole signal.

/// Distance from the loudest level to the floor.
const TOP_DB: f32 = 80.0;
/// What counts as no power at all, as in librosa.
const LEAST_POWER: f32 = 1e-10;

/// `10 log10(max(power, 1e-10))` within 1e-5 dB, in a form that compilers turn into vector instructions.
///
/// The logarithm is S. Moshier's `logf` from the Cephes library.
#[inline(always)]
pub(super) fn power_to_db(power: f32) -> f32 {
    const SQRT_HALF: i32 = 0x3f35_04f3;
    const LN: [f32; 9] = [
        7.037_683_6e-2,
        -1.151_461e-1,
        1.167_699_9e-1,
        -1.242_014_1e-1,
        1.424_932_3e-1,
        -1.666_805_8e-1,
        2.000_071_5e-1,
        -2.499_999_4e-1,
        3.333_333e-1,
    ];
    let above = if power > LEAST_POWER { power } else { LEAST_POWER };
    let bits = above.to_bits() as i32 - SQRT_HALF;
    let exponent = (bits >> 23) as f32;
    let x = f32::from_bits(((bits & 0x007f_ffff) + SQRT_HALF) as u32) - 1.0;
    let mut tail = LN[0];
    for coefficient in &LN[1..] {
        tail = tail * x + coefficient;
    }
    let ln = x * x * (x * tail) - 0.5 * x * x + x;
    ln * (10.0 / std::f32::consts::LN_10) + exponent * (10.0 * std::f32::consts::LOG10_2)
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
