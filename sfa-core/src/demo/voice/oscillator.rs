//! Band-limited oscillators.

use std::f32::consts::TAU;

/// A phase that runs from 0 to 1, read out as one of several waveforms.
///
/// Saw and pulse are smoothed at their jumps by a two-sample polynomial residual (polyBLEP; Välimäki and
/// Huovilainen, "Antialiasing Oscillators in Subtractive Synthesis", 2007).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Oscillator {
    phase: f32,
    step: f32,
}

impl Oscillator {
    /// Starts at `phase` in `0.0..1.0`.
    pub(crate) fn new(phase: f32) -> Self {
        Self { phase, step: 0.0 }
    }

    /// Moves on by one frame at `cycles_per_frame`.
    pub(crate) fn advance(&mut self, cycles_per_frame: f32) {
        self.step = cycles_per_frame.clamp(1e-9, 0.49);
        self.phase += self.step;
        if self.phase >= 1.0 {
            self.phase -= 1.0;
        }
    }

    pub(crate) fn saw(&self) -> f32 {
        2.0 * self.phase - 1.0 - step_residual(self.phase, self.step)
    }

    /// A pulse that is high for `width` of its cycle, without the constant part that such a pulse has.
    pub(crate) fn pulse(&self, width: f32) -> f32 {
        let fall = if self.phase < width { self.phase + 1.0 - width } else { self.phase - width };
        let level = if self.phase < width { 1.0 } else { -1.0 };
        level + step_residual(self.phase, self.step) - step_residual(fall, self.step) - (2.0 * width - 1.0)
    }

    pub(crate) fn sine(&self) -> f32 {
        (TAU * self.phase).sin()
    }

    /// A sine whose phase is pushed by `radians`: phase modulation.
    pub(crate) fn sine_pushed(&self, radians: f32) -> f32 {
        (TAU * self.phase + radians).sin()
    }
}

/// What a band-limited upward step of height 2 at phase 0 differs from the naive one.
fn step_residual(phase: f32, step: f32) -> f32 {
    if phase < step {
        let x = phase / step;
        x + x - x * x - 1.0
    } else if phase > 1.0 - step {
        let x = (phase - 1.0) / step;
        x * x + x + x + 1.0
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waveforms_carry_no_constant_part() {
        for read in [|o: &Oscillator| o.saw(), |o: &Oscillator| o.pulse(0.3), |o: &Oscillator| o.sine()] {
            let mut oscillator = Oscillator::new(0.0);
            let mean = (0..44_100)
                .map(|_| {
                    oscillator.advance(441.0 / 44_100.0);
                    f64::from(read(&oscillator))
                })
                .sum::<f64>()
                / 44_100.0;
            // 441 whole cycles; the phase drifts by a few float steps per cycle.
            assert!(mean.abs() < 2e-3, "{mean}");
        }
    }
}
