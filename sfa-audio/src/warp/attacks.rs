//! Where something strikes.

use super::parts::Track;

/// Length of the steps in which energy is watched.
const STEP_SECS: f64 = 0.003;
/// An attack is so many times louder, in energy, than what came before.
const RISE: f32 = 6.0;
/// How fast the memory of what came before fades, per step: it is gone after some 30 ms.
const FADE: f32 = 0.9;
/// Attacks that are quieter than the loudest ones by more than this, in energy, are let go.
const FLOOR: f32 = 1e-4;
/// Two attacks are at least so far apart.
const APART_SECS: f64 = 0.05;

/// Finds attacks in the striking part as it comes.
pub(super) struct Attacks {
    step_frames: usize,
    apart_frames: i64,
    /// The next frame to be looked at.
    next: i64,
    before: f32,
    loudest: f32,
    last: i64,
    samples: Vec<f32>,
}

impl Attacks {
    pub(super) fn new(sample_rate_hz: u32) -> Self {
        let rate = f64::from(sample_rate_hz);
        let step_frames = ((STEP_SECS * rate) as usize).max(1);
        let apart_frames = (APART_SECS * rate) as i64;
        Self {
            step_frames,
            apart_frames,
            next: 0,
            before: 0.0,
            loudest: 0.0,
            last: -apart_frames,
            samples: vec![0.0; step_frames],
        }
    }

    /// The frame up to which everything has been looked at.
    pub(super) fn seen(&self) -> i64 {
        self.next
    }

    /// Looks at what is new and calls `found` with the frame of every attack.
    pub(super) fn look(&mut self, striking: &Track, mut found: impl FnMut(i64)) {
        while self.next + self.step_frames as i64 <= striking.end() {
            let mut energy = 0.0;
            for channel in 0..striking.channels() {
                striking.copy(channel, self.next, &mut self.samples);
                energy += self.samples.iter().map(|sample| sample * sample).sum::<f32>();
            }
            self.loudest = self.loudest.max(energy);
            let is_rise = energy > RISE * self.before && energy > FLOOR * self.loudest;
            if is_rise && self.next - self.last >= self.apart_frames {
                self.last = self.next;
                found(self.next);
            }
            self.before = (FADE * self.before).max(energy);
            self.next += self.step_frames as i64;
        }
    }
}
