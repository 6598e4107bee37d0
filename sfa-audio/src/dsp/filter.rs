//! Recursive filters of second and fourth order.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

/// One second-order section in transposed direct form II.
///
/// Coefficients and state are `f64`: with a cut-off at 1/4000 of the sample rate the poles lie so close to 1
/// that `f32` would bend the response.
#[derive(Debug, Clone, PartialEq)]
pub struct Biquad {
    b: [f64; 3],
    a: [f64; 2],
    state: [f64; 2],
}

impl Biquad {
    /// What lets everything through.
    pub(crate) const IDENTITY: Self = Self { b: [1.0, 0.0, 0.0], a: [0.0; 2], state: [0.0; 2] };
    /// What lets nothing through.
    pub(crate) const SILENCE: Self = Self { b: [0.0; 3], a: [0.0; 2], state: [0.0; 2] };

    /// The section with these feed-forward coefficients, and these feed-back coefficients but the first, which is 1.
    pub(crate) fn from_coefficients(b: [f64; 3], a: [f64; 2]) -> Self {
        Self { b, a, state: [0.0; 2] }
    }

    /// Second-order Butterworth low-pass: -3 dB at `cutoff_hz`, 12 dB per octave above.
    ///
    /// Bilinear transform after R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients".
    /// `cutoff_hz` must lie between 0 and half of `sample_rate_hz`.
    pub fn butterworth_low_pass(cutoff_hz: f64, sample_rate_hz: f64) -> Self {
        let (cos, alpha) = prewarp(cutoff_hz, sample_rate_hz);
        Self::normalised([(1.0 - cos) / 2.0, 1.0 - cos, (1.0 - cos) / 2.0], cos, alpha)
    }

    /// Second-order Butterworth high-pass: -3 dB at `cutoff_hz`, 12 dB per octave below.
    ///
    /// The counterpart of [`butterworth_low_pass`](Self::butterworth_low_pass).
    pub fn butterworth_high_pass(cutoff_hz: f64, sample_rate_hz: f64) -> Self {
        let (cos, alpha) = prewarp(cutoff_hz, sample_rate_hz);
        Self::normalised([(1.0 + cos) / 2.0, -1.0 - cos, (1.0 + cos) / 2.0], cos, alpha)
    }

    fn normalised(b: [f64; 3], cos: f64, alpha: f64) -> Self {
        let a0 = 1.0 + alpha;
        Self::from_coefficients(b.map(|b| b / a0), [-2.0 * cos / a0, (1.0 - alpha) / a0])
    }

    /// Filters one sample.
    #[inline]
    pub fn process(&mut self, input: f64) -> f64 {
        let mut state = self.state;
        let output = self.step(input, &mut state);
        self.state = state;
        output
    }

    /// Filters one sample with what is inside kept elsewhere.
    #[inline]
    pub(super) fn step(&self, input: f64, state: &mut [f64; 2]) -> f64 {
        let output = self.b[0] * input + state[0];
        state[0] = self.b[1] * input - self.a[0] * output + state[1];
        state[1] = self.b[2] * input - self.a[1] * output;
        output
    }
}

fn prewarp(cutoff_hz: f64, sample_rate_hz: f64) -> (f64, f64) {
    let (sin, cos) = (TAU * cutoff_hz / sample_rate_hz).sin_cos();
    (cos, sin / (2.0 * FRAC_1_SQRT_2))
}

/// One side of a fourth-order Linkwitz-Riley crossover: two equal Butterworth sections in series, -6 dB at the
/// cut-off and 24 dB per octave beyond. Both sides of one crossover add up to an all-pass.
///
/// S. Linkwitz, "Active crossover networks for noncoincident drivers", JAES 24 (1976).
#[derive(Debug, Clone, PartialEq)]
pub struct LinkwitzRiley([Biquad; 2]);

impl LinkwitzRiley {
    /// What lies below `cutoff_hz`, which must be between 0 and half of `sample_rate_hz`.
    pub fn low_pass(cutoff_hz: f64, sample_rate_hz: f64) -> Self {
        let section = Biquad::butterworth_low_pass(cutoff_hz, sample_rate_hz);
        Self([section.clone(), section])
    }

    /// The two sections.
    pub(crate) fn into_sections(self) -> [Biquad; 2] {
        self.0
    }

    /// What lies above `cutoff_hz`, which must be between 0 and half of `sample_rate_hz`.
    pub fn high_pass(cutoff_hz: f64, sample_rate_hz: f64) -> Self {
        let section = Biquad::butterworth_high_pass(cutoff_hz, sample_rate_hz);
        Self([section.clone(), section])
    }

    /// Filters one sample.
    #[inline]
    pub fn process(&mut self, input: f64) -> f64 {
        let between = self.0[0].process(input);
        self.0[1].process(between)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Peak of a unit sine at `frequency_hz` after one second, in dB.
    fn gain_db(mut filter: impl FnMut(f64) -> f64, frequency_hz: f64, sample_rate_hz: f64) -> f64 {
        let frames = (2.0 * sample_rate_hz) as usize;
        let peak = (0..frames)
            .map(|n| filter((TAU * frequency_hz * n as f64 / sample_rate_hz).sin()))
            .skip(frames / 2)
            .fold(0.0, |peak: f64, sample| peak.max(sample.abs()));
        20.0 * peak.log10()
    }

    #[test]
    fn butterworth_sections_are_three_decibels_down_at_the_cut_off() {
        for rate in [8_000.0, 44_100.0, 192_000.0] {
            let mut low = Biquad::butterworth_low_pass(1_000.0, rate);
            let mut high = Biquad::butterworth_high_pass(1_000.0, rate);
            // 20 log10(1/sqrt 2) = -3.0103; the grid of samples can miss the crest of an 8 kHz sine by 0.03 dB.
            assert!((gain_db(|x| low.process(x), 1_000.0, rate) + 3.01).abs() < 0.05);
            assert!((gain_db(|x| high.process(x), 1_000.0, rate) + 3.01).abs() < 0.05);
        }
    }

    #[test]
    fn crossover_sides_are_six_decibels_down_at_the_cut_off_and_steep_beyond() {
        for (cutoff, rate) in [(200.0, 44_100.0), (200.0, 768_000.0), (2_000.0, 44_100.0)] {
            let mut low = LinkwitzRiley::low_pass(cutoff, rate);
            assert!((gain_db(|x| low.process(x), cutoff, rate) + 6.02).abs() < 0.05);
            // Two octaves away: 48 dB asymptotically, 48.1 by the exact formula.
            assert!(gain_db(|x| low.process(x), 4.0 * cutoff, rate) < -47.0);
            assert!(gain_db(|x| low.process(x), cutoff / 4.0, rate).abs() < 0.1);

            let mut high = LinkwitzRiley::high_pass(cutoff, rate);
            assert!((gain_db(|x| high.process(x), cutoff, rate) + 6.02).abs() < 0.05);
            assert!(gain_db(|x| high.process(x), cutoff / 4.0, rate) < -47.0);
            assert!(gain_db(|x| high.process(x), 4.0 * cutoff, rate).abs() < 0.1);
        }
    }

    #[test]
    fn both_sides_of_a_crossover_add_up_to_the_input_level() {
        for frequency in [50.0, 150.0, 200.0, 300.0, 1_000.0] {
            let mut low = LinkwitzRiley::low_pass(200.0, 44_100.0);
            let mut high = LinkwitzRiley::high_pass(200.0, 44_100.0);
            assert!(gain_db(|x| low.process(x) + high.process(x), frequency, 44_100.0).abs() < 0.01);
        }
    }
}
