//! Taking every n-th sample of what was low-passed first.

use std::f64::consts::PI;

/// Lowers the sample rate of one channel by a whole factor, in chunks of any size.
///
/// Output sample `i` stands at input sample `i * factor`; outside the signal there is silence. Made for analysis
/// that only looks at the lower half of what the new rate could carry: up to a quarter of the new rate the
/// response is flat within 0.01 dB, and what would fold into that range is at least 80 dB down. Between a
/// quarter and half of the new rate there are aliases.
#[derive(Debug, Clone)]
pub struct Decimator {
    factor: usize,
    taps: Vec<f32>,
    pending: Vec<f32>,
}

impl Decimator {
    /// A decimator by `factor`.
    ///
    /// # Panics
    /// When `factor` is 0.
    pub fn new(factor: usize) -> Self {
        assert!(factor > 0, "a factor of at least 1");
        // Pass up to 1/4, stop from 3/4 of the new rate: the transition is half the new rate wide, and Kaiser's
        // estimate for 80 dB is 5.0 * factor / 0.5 taps.
        let half = 6 * factor;
        let taps =
            (0..=2 * half).map(|n| low_pass_tap(n as f64 - half as f64, factor, half)).collect::<Vec<_>>();
        let gain: f64 = taps.iter().sum();
        Self { factor, taps: taps.iter().map(|tap| (tap / gain) as f32).collect(), pending: vec![0.0; half] }
    }

    /// Takes the next samples and appends those of the lower rate that they complete to `out`.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        self.pending.extend_from_slice(samples);
        let mut start = 0;
        while start + self.taps.len() <= self.pending.len() {
            let window = &self.pending[start..start + self.taps.len()];
            out.push(dot(window, &self.taps));
            start += self.factor;
        }
        self.pending.drain(..start);
    }

    /// Appends the samples whose filter reaches over the end.
    pub fn finish(mut self, out: &mut Vec<f32>) {
        let half = self.taps.len() / 2;
        self.push(&vec![0.0; half], out);
    }
}

/// A windowed sinc with its -6 dB point at half the new rate; Kaiser window for 80 dB (beta 7.86).
fn low_pass_tap(offset: f64, factor: usize, half: usize) -> f64 {
    let x = PI * offset / factor as f64;
    let sinc = if offset == 0.0 { 1.0 } else { x.sin() / x };
    let edge = offset / (half + 1) as f64;
    sinc * bessel_i0(7.86 * (1.0 - edge * edge).sqrt())
}

/// The modified Bessel function of the first kind and order 0, by its power series.
pub(super) fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..40 {
        term *= quarter / f64::from(k * k);
        sum += term;
    }
    sum
}

/// The sum of products in eight running sums, so that the compiler may use vector registers.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    let (a_chunks, b_chunks) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a_chunks.zip(b_chunks) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    rest + sums.iter().sum::<f32>()
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    fn decimated(samples: &[f32], factor: usize, chunk: usize) -> Vec<f32> {
        let mut decimator = Decimator::new(factor);
        let mut out = Vec::new();
        for part in samples.chunks(chunk) {
            decimator.push(part, &mut out);
        }
        decimator.finish(&mut out);
        out
    }

    fn sine(frequency_hz: f64, frames: usize) -> Vec<f32> {
        (0..frames).map(|n| (TAU * frequency_hz * n as f64 / 44_100.0).sin() as f32).collect()
    }

    #[test]
    fn the_pass_band_keeps_level_and_position() {
        for frequency in [40.0, 440.0, 2_200.0] {
            let input = sine(frequency, 44_100);
            let output = decimated(&input, 4, 1000);
            assert_eq!(output.len(), 11_025);
            for (n, sample) in output.iter().enumerate().skip(20).take(10_980) {
                // 0.01 dB of full scale.
                assert!((sample - input[4 * n]).abs() < 1.2e-3, "{frequency} Hz at {n}");
            }
        }
    }

    #[test]
    fn nothing_folds_into_the_pass_band() {
        for frequency in [8_825.0, 11_025.0, 13_000.0, 20_000.0, 22_000.0] {
            let output = decimated(&sine(frequency, 44_100), 4, 1000);
            let peak = output[20..11_000].iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
            assert!(peak < 1.2e-4, "{frequency} Hz: {peak}");
        }
    }

    #[test]
    fn chunk_sizes_change_nothing() {
        let input = sine(1_000.0, 5_003);
        let whole = decimated(&input, 4, input.len());
        for chunk in [1, 3, 4, 777] {
            assert_eq!(whole, decimated(&input, 4, chunk));
        }
        assert!(decimated(&[], 4, 1).len() <= 1);
    }
}
