//! Rooms and echoes.

use crate::demo::voice::Stereo;
use crate::demo::voice::envelope::decay_per_frame;
use crate::demo::voice::filter::StateVariable;

/// A feedback delay network (Jot and Chaigne 1991): eight lines mixed by a Householder matrix, each with a
/// one-pole damping filter, so that high frequencies die first.
pub(crate) struct Room {
    lines: [Vec<f32>; 8],
    positions: [usize; 8],
    feedback: [f32; 8],
    damped: [f32; 8],
    damping: f32,
    pre_delay: [Vec<f32>; 2],
    pre_position: usize,
}

impl Room {
    /// A room whose sound falls by 60 dB in `decay_secs`; `damping_hz` is where the walls start to absorb.
    pub(crate) fn new(decay_secs: f32, pre_delay_secs: f32, damping_hz: f32, rate_hz: f32) -> Self {
        // Mutually prime at 44.1 kHz, from 29 to 74 ms: dense, without a common pitch.
        const LENGTHS_SECS: [f32; 8] = [
            1277.0 / 44_100.0,
            1531.0 / 44_100.0,
            1787.0 / 44_100.0,
            2039.0 / 44_100.0,
            2311.0 / 44_100.0,
            2593.0 / 44_100.0,
            2861.0 / 44_100.0,
            3253.0 / 44_100.0,
        ];
        let frames = LENGTHS_SECS.map(|secs| ((secs * rate_hz) as usize).max(1));
        let pre_delay_frames = ((pre_delay_secs * rate_hz) as usize).max(1);
        Self {
            lines: frames.map(|length| vec![0.0; length]),
            positions: [0; 8],
            feedback: frames.map(|length| 10_f32.powf(-3.0 * length as f32 / (decay_secs * rate_hz))),
            damped: [0.0; 8],
            damping: decay_per_frame(1.0 / (std::f32::consts::TAU * damping_hz), rate_hz),
            pre_delay: [vec![0.0; pre_delay_frames], vec![0.0; pre_delay_frames]],
            pre_position: 0,
        }
    }

    /// Replaces a signal by its reverberation.
    pub(crate) fn process(&mut self, signal: &mut Stereo) {
        for (left, right) in signal.iter_mut() {
            let [l, r] = self.step(*left, *right);
            *left = l;
            *right = r;
        }
    }

    fn step(&mut self, left: f32, right: f32) -> [f32; 2] {
        let slot = self.pre_position;
        let input = [self.pre_delay[0][slot], self.pre_delay[1][slot]];
        self.pre_delay[0][slot] = left;
        self.pre_delay[1][slot] = right;
        self.pre_position = (slot + 1) % self.pre_delay[0].len();

        let mut outputs = [0.0; 8];
        for (line, output) in outputs.iter_mut().enumerate() {
            let current = self.lines[line][self.positions[line]];
            self.damped[line] = current + (self.damped[line] - current) * self.damping;
            *output = self.damped[line];
        }
        let mean = outputs.iter().sum::<f32>() * 0.25;
        for line in 0..8 {
            let mixed = (outputs[line] - mean) * self.feedback[line];
            let position = self.positions[line];
            self.lines[line][position] = input[line % 2] + mixed;
            self.positions[line] = (position + 1) % self.lines[line].len();
        }
        // Signs differ between the sides, so that the room is wide and no line is heard as a place.
        [
            0.35 * (outputs[0] - outputs[2] + outputs[4] - outputs[6] + 0.5 * (outputs[1] - outputs[5])),
            0.35 * (outputs[1] - outputs[3] + outputs[5] - outputs[7] + 0.5 * (outputs[2] - outputs[4])),
        ]
    }
}

/// Echoes that jump between the sides and lose lows and highs on the way.
pub(crate) fn ping_pong(signal: &mut Stereo, echo_secs: f32, feedback: f32, wet: f32, rate_hz: f32) {
    let length = ((echo_secs * rate_hz) as usize).max(1);
    let mut lines = [vec![0.0_f32; length], vec![0.0_f32; length]];
    let mut high_cuts = [StateVariable::new(3800.0, 0.6, rate_hz); 2];
    let mut low_cuts = [StateVariable::new(260.0, 0.6, rate_hz); 2];
    let mut position = 0;
    for (left, right) in signal.iter_mut() {
        let mut echo = [lines[0][position], lines[1][position]];
        for (side, sample) in echo.iter_mut().enumerate() {
            *sample = low_cuts[side].process(high_cuts[side].process(*sample).low).high;
        }
        lines[0][position] = 0.5 * (*left + *right) + feedback * echo[1];
        lines[1][position] = feedback * echo[0];
        position = (position + 1) % length;
        *left += wet * echo[0];
        *right += wet * echo[1];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_falls_by_sixty_decibels_in_its_decay_time() {
        let mut signal = Stereo::silence(2 * 44_100);
        signal.left[0] = 1.0;
        signal.right[0] = 1.0;
        // Damping far above the audible range: the decay is then the same at all frequencies.
        Room::new(1.0, 0.01, 100_000.0, 44_100.0).process(&mut signal);
        let level_db = |centre_secs: f32| {
            let start = ((centre_secs - 0.1) * 44_100.0) as usize;
            let power: f32 = signal.left[start..start + 8820].iter().map(|x| x * x).sum();
            10.0 * power.log10()
        };
        let fall_db = level_db(0.3) - level_db(1.3);
        // One-pole damping at 100 kHz still takes a little from each round trip.
        assert!((55.0..75.0).contains(&fall_db), "{fall_db} dB");
    }
}
