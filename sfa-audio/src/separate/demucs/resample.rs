//! Conversion of the sample rate as Demucs does it: a windowed sinc of 24 zero crossings, the band edge at 0.945 of
//! the lower Nyquist frequency, the ends of the signal held (J. O. Smith, "Digital Audio Resampling", 1984).

use std::collections::VecDeque;
use std::f64::consts::PI;

const ZERO_CROSSINGS: f64 = 24.0;
const ROLLOFF: f64 = 0.945;

/// Converts one channel, block by block.
#[derive(Debug)]
pub(super) struct Resampler {
    old: usize,
    new: usize,
    width: usize,
    /// Per phase, the first input (relative to the block of `old` inputs) and the weights from there on.
    phases: Vec<(isize, Vec<f32>)>,
    /// Inputs still needed; the first one has the number `start`.
    inputs: VecDeque<f32>,
    start: isize,
    produced: usize,
}

impl Resampler {
    /// From `old_hz` to `new_hz`.
    pub(super) fn new(old_hz: u32, new_hz: u32) -> Self {
        let divisor = greatest_common_divisor(old_hz, new_hz);
        let (old, new) = ((old_hz / divisor) as usize, (new_hz / divisor) as usize);
        let edge = old.min(new) as f64 * ROLLOFF;
        let width = (ZERO_CROSSINGS * old as f64 / edge).ceil() as usize;
        let phases = if old == new {
            Vec::new()
        } else {
            (0..new).map(|phase| weights(old, new, width, phase)).collect()
        };
        Self { old, new, width, phases, inputs: VecDeque::new(), start: 0, produced: 0 }
    }

    /// Frames that `frames` frames become: `frames * new / old`, rounded down.
    pub(super) fn output_frames(&self, frames: u64) -> u64 {
        (u128::from(frames) * self.new as u128 / self.old as u128) as u64
    }

    /// Takes `inputs` and appends to `output` what they decide.
    pub(super) fn push(&mut self, inputs: &[f32], output: &mut Vec<f32>) {
        if self.old == self.new {
            output.extend_from_slice(inputs);
            return;
        }
        if let (Some(&first), true) = (inputs.first(), self.inputs.is_empty() && self.start == 0) {
            // Before its start the signal holds its first value.
            let lead = self.width + self.old;
            self.inputs.extend(std::iter::repeat_n(first, lead));
            self.start = -(lead as isize);
        }
        self.inputs.extend(inputs);
        self.produce(output, usize::MAX);
    }

    /// Ends the signal: appends outputs until there were `total` in all.
    pub(super) fn finish(&mut self, total: usize, output: &mut Vec<f32>) {
        if self.old == self.new {
            return;
        }
        let Some(&last) = self.inputs.back() else {
            // There was no signal at all, or one too short to have a frame at the rate it came from.
            output.extend(std::iter::repeat_n(0.0, total.saturating_sub(self.produced)));
            self.produced = self.produced.max(total);
            return;
        };
        while self.produced < total {
            self.inputs.extend(std::iter::repeat_n(last, self.old + 2 * self.width));
            self.produce(output, total);
        }
    }

    fn produce(&mut self, output: &mut Vec<f32>, total: usize) {
        let end = self.start + self.inputs.len() as isize;
        while self.produced < total {
            let (first, weights) = &self.phases[self.produced % self.new];
            let from = (self.produced / self.new * self.old) as isize + first;
            if from + weights.len() as isize > end {
                break;
            }
            let inputs = self.inputs.range((from - self.start) as usize..).zip(weights);
            output.push(inputs.map(|(input, weight)| input * weight).sum());
            self.produced += 1;
        }
        let needed = (self.produced / self.new * self.old) as isize - (self.width + self.old) as isize;
        let spent = (needed - self.start).clamp(0, self.inputs.len() as isize);
        self.inputs.drain(..spent as usize);
        self.start += spent;
    }
}

/// The weights of output number `phase` of a block, without the zeros at either end.
fn weights(old: usize, new: usize, width: usize, phase: usize) -> (isize, Vec<f32>) {
    let edge = old.min(new) as f64 * ROLLOFF;
    let weight = |index: isize| {
        let t = (index as f64 / old as f64 - phase as f64 / new as f64) * edge;
        let t = t.clamp(-ZERO_CROSSINGS, ZERO_CROSSINGS) * PI;
        let window = (t / ZERO_CROSSINGS / 2.0).cos().powi(2);
        if t == 0.0 { 1.0 } else { t.sin() / t * window }
    };
    let centre = (phase * old / new) as isize;
    let first = centre - width as isize;
    let values: Vec<f64> = (first..=centre + width as isize + 1).map(weight).collect();
    let sum: f64 = values.iter().sum();
    (first, values.iter().map(|value| (value / sum) as f32).collect())
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
