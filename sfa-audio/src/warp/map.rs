//! Which input is heard when.

use std::collections::VecDeque;

/// Time runs at its old speed from so long before an attack ...
const BEFORE_SECS: f64 = 0.006;
/// ... to so long after it,
const AFTER_SECS: f64 = 0.03;
/// but for no more than this share of the way to the next one.
const MOST: f64 = 0.4;

/// A piecewise linear, rising map from output frames to input frames.
///
/// An attack in frame `n` is heard in frame `n * stretch`.
pub(super) struct TimeMap {
    stretch: f64,
    before_frames: f64,
    after_frames: f64,
    /// Corners: output frame, input frame.
    corners: VecDeque<(f64, f64)>,
    /// The last attack, whose surroundings are laid when the next one is known.
    attack: Option<f64>,
    /// What the surroundings of the last attack may take before it.
    room_before: f64,
}

impl TimeMap {
    pub(super) fn new(stretch: f64, sample_rate_hz: u32) -> Self {
        let rate = f64::from(sample_rate_hz);
        Self {
            stretch,
            before_frames: BEFORE_SECS * rate,
            after_frames: AFTER_SECS * rate,
            corners: VecDeque::from([(0.0, 0.0)]),
            attack: None,
            room_before: f64::INFINITY,
        }
    }

    /// Adds the next attack, at an input frame.
    pub(super) fn add_attack(&mut self, frame: i64) {
        let frame = frame as f64;
        let since = self.attack.or(self.corners.back().map(|corner| corner.1)).unwrap_or(0.0);
        let room = MOST * (frame - since) * self.stretch.min(1.0);
        self.lay(room);
        self.attack = Some(frame);
        self.room_before = room / 2.0;
    }

    /// Says that there is no attack before an input frame; the map is known up to there.
    pub(super) fn settle_until(&mut self, frame: i64) {
        let frame = frame as f64;
        let Some(attack) = self.attack else {
            self.push(frame);
            return;
        };
        self.lay(MOST * (frame - attack).max(0.0) * self.stretch.min(1.0));
        self.push(frame);
    }

    /// The output frame up to which the map is known.
    pub(super) fn known(&self) -> f64 {
        self.corners.back().map_or(0.0, |corner| corner.0)
    }

    /// Lays the surroundings of the last attack, with `room` for what follows it.
    fn lay(&mut self, room: f64) {
        let Some(attack) = self.attack.take() else { return };
        let before = self.before_frames.min(self.room_before);
        let after = self.after_frames.min(room / 2.0);
        let heard = attack * self.stretch;
        let last = self.corners.back().copied().unwrap_or((0.0, 0.0));
        for corner in [(heard - before, attack - before), (heard + after, attack + after)] {
            if corner.0 > last.0 && corner.1 > last.1 {
                self.corners.push_back(corner);
            }
        }
    }

    fn push(&mut self, frame: f64) {
        let last = self.corners.back().copied().unwrap_or((0.0, 0.0));
        let corner = (frame * self.stretch, frame);
        if corner.0 > last.0 && corner.1 > last.1 {
            self.corners.push_back(corner);
        }
    }

    /// Where an input frame is heard that lies far from any attack.
    pub(super) fn output_at_speed(&self, input: i64) -> f64 {
        input as f64 * self.stretch
    }

    /// The input frame heard at an output frame, which is not less than `known` and those forgotten.
    pub(super) fn input_at(&self, output: f64) -> f64 {
        let index = self.corners.partition_point(|corner| corner.0 <= output);
        let Some(&next) = self.corners.get(index) else {
            let last = self.corners.back().copied().unwrap_or((0.0, 0.0));
            return last.1 + (output - last.0) / self.stretch;
        };
        if index == 0 {
            return next.1 + (output - next.0) / self.stretch;
        }
        let last = self.corners[index - 1];
        last.1 + (output - last.0) * (next.1 - last.1) / (next.0 - last.0)
    }

    /// Forgets what is only needed before an output frame.
    pub(super) fn forget_before(&mut self, output: f64) {
        while self.corners.len() > 2 && self.corners[1].0 < output {
            self.corners.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attacks_lie_where_the_new_tempo_wants_them() {
        for stretch in [0.5, 0.8, 1.25, 2.0] {
            let mut map = TimeMap::new(stretch, 44_100);
            let attacks = [5_000, 9_000, 12_000, 60_000];
            attacks.iter().for_each(|&frame| map.add_attack(frame));
            map.settle_until(100_000);
            for frame in attacks {
                assert!((map.input_at(frame as f64 * stretch) - frame as f64).abs() < 1e-6);
                // Around it, time runs at its old speed.
                let near = map.input_at(frame as f64 * stretch + 200.0) - frame as f64;
                assert!((near - 200.0).abs() < 1e-6, "{near}");
            }
            let all: Vec<f64> = (0..(100_000.0 * stretch) as usize).map(|n| map.input_at(n as f64)).collect();
            assert!(all.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
