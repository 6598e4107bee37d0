//! How fast the level rises: a sharp clock for the times of onsets.

use super::onset::FRAME_HOP;
use crate::dsp::RunningSum;

/// Attack values per second: seven to an onset frame.
pub(crate) const ATTACK_RATE_HZ: f64 = 700.0;
const ATTACK_HOP: usize = FRAME_HOP / 7;

/// Level of the high-passed signal in steps of 1.4 ms, and how much the next 4 ms rise over the last.
#[derive(Debug)]
pub(super) struct AttackMeter {
    last_sample: f32,
    /// The high-passed samples, for a moment.
    high: Vec<f32>,
    energy: RunningSum,
    count: usize,
    /// Levels of the newest steps, oldest first; silence at first.
    levels: [f32; 2 * Self::REACH],
    steps: usize,
}

impl AttackMeter {
    /// Steps compared on either side of the moment.
    const REACH: usize = 3;
    /// Mean power under which nothing is heard: about -70 dB.
    const FLOOR: f32 = 1e-7;

    pub(super) fn new() -> Self {
        Self {
            last_sample: 0.0,
            high: Vec::new(),
            energy: RunningSum::default(),
            count: 0,
            levels: [Self::FLOOR.ln(); 2 * Self::REACH],
            steps: 0,
        }
    }

    pub(super) fn collect(&mut self, samples: &[f32], attacks: &mut Vec<f32>) {
        /// Lifts the click of a drum over the bass that rings under it.
        const PRE_EMPHASIS: f32 = 0.97;

        let before = std::iter::once(&self.last_sample).chain(samples);
        self.high.clear();
        self.high.extend(samples.iter().zip(before).map(|(sample, before)| sample - PRE_EMPHASIS * before));
        self.last_sample = samples.last().copied().unwrap_or(self.last_sample);
        let mut rest = &self.high[..];
        while !rest.is_empty() {
            let (part, after) = rest.split_at(rest.len().min(ATTACK_HOP - self.count));
            self.energy.add_squares(part);
            self.count += part.len();
            rest = after;
            if self.count == ATTACK_HOP {
                let power = std::mem::take(&mut self.energy).total() as f32 / ATTACK_HOP as f32;
                self.levels.rotate_left(1);
                self.levels[2 * Self::REACH - 1] = (Self::FLOOR + power).ln();
                self.count = 0;
                self.steps += 1;
                // The first value compares the first steps with the silence before them.
                if self.steps >= Self::REACH {
                    let (old, new) = self.levels.split_at(Self::REACH);
                    let rise = new.iter().sum::<f32>() - old.iter().sum::<f32>();
                    attacks.push(rise.max(0.0) / Self::REACH as f32);
                }
            }
        }
    }
}
