//! Filters that may be swept while they run.

use std::f32::consts::PI;

/// A two-pole filter with low-, band- and high-pass outputs that stays stable under fast sweeps.
///
/// The trapezoidal state-variable filter: Simper, "Linear Trapezoidal Integrated State Variable Filter", 2013;
/// Zavalishin, "The Art of VA Filter Design".
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StateVariable {
    damping: f32,
    gain_1: f32,
    gain_2: f32,
    gain_3: f32,
    state_1: f32,
    state_2: f32,
}

/// The outputs of [`StateVariable`] for one frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bands {
    pub(crate) low: f32,
    /// Scaled to gain 1 at the centre.
    pub(crate) band: f32,
    pub(crate) high: f32,
}

impl StateVariable {
    pub(crate) fn new(cutoff_hz: f32, quality: f32, rate_hz: f32) -> Self {
        let mut filter = Self::default();
        filter.tune(cutoff_hz, quality, rate_hz);
        filter
    }

    /// Moves the cutoff and keeps the state.
    pub(crate) fn tune(&mut self, cutoff_hz: f32, quality: f32, rate_hz: f32) {
        let warped = (PI * cutoff_hz.clamp(5.0, 0.45 * rate_hz) / rate_hz).tan();
        self.damping = 1.0 / quality;
        self.gain_1 = 1.0 / (1.0 + warped * (warped + self.damping));
        self.gain_2 = warped * self.gain_1;
        self.gain_3 = warped * self.gain_2;
    }

    pub(crate) fn process(&mut self, input: f32) -> Bands {
        let difference = input - self.state_2;
        let band = self.gain_1 * self.state_1 + self.gain_2 * difference;
        let low = self.state_2 + self.gain_2 * self.state_1 + self.gain_3 * difference;
        self.state_1 = 2.0 * band - self.state_1;
        self.state_2 = 2.0 * low - self.state_2;
        Bands { low, band: band * self.damping, high: input - self.damping * band - low }
    }
}

/// A two-pole resonance with gain 1 at 0 Hz: one formant of a cascade (Klatt, "Software for a cascade/parallel
/// formant synthesizer", 1980).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Resonator {
    input: f32,
    feedback_1: f32,
    feedback_2: f32,
    last: f32,
    before_last: f32,
}

impl Resonator {
    pub(crate) fn tune(&mut self, centre_hz: f32, bandwidth_hz: f32, rate_hz: f32) {
        let radius = (-PI * bandwidth_hz / rate_hz).exp();
        self.feedback_2 = -radius * radius;
        self.feedback_1 = 2.0 * radius * (2.0 * PI * centre_hz.min(0.45 * rate_hz) / rate_hz).cos();
        self.input = 1.0 - self.feedback_1 - self.feedback_2;
    }

    pub(crate) fn process(&mut self, input: f32) -> f32 {
        let output = self.input * input + self.feedback_1 * self.last + self.feedback_2 * self.before_last;
        self.before_last = self.last;
        self.last = output;
        output
    }
}

/// Soft clipping with slope 1 at 0 and a ceiling of ±1: the [3/2] Padé approximant of `tanh`, flat beyond ±3.
pub(crate) fn saturate(sample: f32) -> f32 {
    let x = sample.clamp(-3.0, 3.0);
    x * (27.0 + x * x) / (27.0 + 9.0 * x * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gain_at(hz: f32, mut process: impl FnMut(f32) -> f32) -> f32 {
        let wave = (0..44_100).map(|n| (2.0 * PI * hz * n as f32 / 44_100.0).sin());
        let output: Vec<f32> = wave.map(&mut process).skip(22_050).collect();
        (output.iter().map(|x| x * x).sum::<f32>() / output.len() as f32 * 2.0).sqrt()
    }

    #[test]
    fn the_outputs_pass_what_their_names_say() {
        let filter = StateVariable::new(1000.0, 0.707, 44_100.0);
        // Two poles: 12 dB per octave, so 10 times the cutoff is 40 dB down (0.01) and the passband is flat.
        let (mut low, mut high, mut band) = (filter, filter, filter);
        assert!((gain_at(50.0, |x| low.process(x).low) - 1.0).abs() < 0.01);
        assert!(gain_at(50.0, |x| high.process(x).high) < 0.01);
        assert!((gain_at(1000.0, |x| band.process(x).band) - 1.0).abs() < 0.02);
        assert!(gain_at(10_000.0, |x| low.process(x).low) < 0.011);
    }

    #[test]
    fn saturation_is_clean_when_quiet_and_bounded_when_loud() {
        assert!((saturate(0.01) - 0.01).abs() < 1e-5);
        assert!((saturate(100.0) - 1.0).abs() < 1e-6);
        // The approximant's largest distance from tanh is 0.0235, near 1.8.
        assert!((-40..40).map(|n| n as f32 / 10.0).all(|x| (saturate(x) - x.tanh()).abs() < 0.024));
    }
}
