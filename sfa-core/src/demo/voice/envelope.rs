//! How loud a note is over time.

/// Attack, decay, sustain, release.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Adsr {
    pub(crate) attack_secs: f32,
    /// Time constant of the fall towards `sustain`.
    pub(crate) decay_secs: f32,
    /// Level that a held note rests at.
    pub(crate) sustain: f32,
    /// Time from the note's end to silence.
    pub(crate) release_secs: f32,
}

/// An [`Adsr`] under way; ends with silence after the release.
#[derive(Debug, Clone)]
pub(crate) struct AdsrRun {
    shape: Adsr,
    gate_frames: usize,
    attack_frames: f32,
    decay: f32,
    release_frames: f32,
    frame: usize,
    level: f32,
    release_from: f32,
}

impl Adsr {
    pub(crate) fn run(self, gate_frames: usize, rate_hz: f32) -> AdsrRun {
        AdsrRun {
            shape: self,
            gate_frames,
            attack_frames: (self.attack_secs * rate_hz).max(1.0),
            decay: decay_per_frame(self.decay_secs, rate_hz),
            release_frames: (self.release_secs * rate_hz).max(1.0),
            frame: 0,
            level: 0.0,
            release_from: 0.0,
        }
    }
}

impl Iterator for AdsrRun {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        let level = if self.frame < self.gate_frames {
            let attack = self.frame as f32 / self.attack_frames;
            self.level = if attack < 1.0 {
                attack
            } else {
                self.shape.sustain + (self.level - self.shape.sustain) * self.decay
            };
            self.release_from = self.level;
            self.level
        } else {
            let left = 1.0 - (self.frame - self.gate_frames) as f32 / self.release_frames;
            if left <= 0.0 {
                return None;
            }
            self.release_from * left * left
        };
        self.frame += 1;
        Some(level)
    }
}

/// The factor per frame of an exponential fall to 1/e in `secs`.
pub(crate) fn decay_per_frame(secs: f32, rate_hz: f32) -> f32 {
    (-1.0 / (secs.max(1e-4) * rate_hz)).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_starts_and_ends_silent_and_never_jumps() {
        let shape = Adsr { attack_secs: 0.01, decay_secs: 0.05, sustain: 0.5, release_secs: 0.02 };
        for gate_frames in [3, 200, 2000] {
            let levels: Vec<f32> = shape.run(gate_frames, 10_000.0).collect();
            assert_eq!(levels[0], 0.0);
            assert_eq!(levels.len(), gate_frames + 200);
            // The steepest slope is the attack's: 1 / (0.01 s * 10 kHz) per frame.
            assert!(levels.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 0.0101));
            assert!(levels.last().unwrap() < &0.01);
        }
    }
}
