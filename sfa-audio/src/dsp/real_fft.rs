//! Spectra of real signals.

use std::sync::Arc;

use pulp::{Arch, Simd, WithSimd};
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftNum, FftPlanner};

/// The transform of a real signal, by one of complex numbers of half its length that hold two samples each.
///
/// What parts the two is written for vector registers, unlike that of `realfft`, which takes as long as the transform.
pub(super) struct RealFft<T> {
    fft: Arc<dyn Fft<T>>,
    frames: usize,
    /// What turns the half-length spectrum into the whole one; nothing for odd lengths, which are transformed as they are.
    turns: Vec<Complex<T>>,
    input: Vec<Complex<T>>,
    spectrum: Vec<Complex<T>>,
    scratch: Vec<Complex<T>>,
}

impl<T: FftNum + From<f32>> RealFft<T> {
    pub(super) fn new(frames: usize) -> Self {
        let half = frames / 2;
        let is_even = frames.is_multiple_of(2);
        let length = if is_even { half } else { frames };
        let fft = FftPlanner::new().plan_fft_forward(length);
        let turn = |bin: usize| {
            let (sin, cos) = (std::f64::consts::TAU * bin as f64 / frames as f64).sin_cos();
            let number = |value: f64| T::from_f64(value).expect("a float");
            Complex::new(number(-sin / 2.0), number(-cos / 2.0))
        };
        let zero = Complex::new(T::zero(), T::zero());
        Self {
            scratch: vec![zero; fft.get_inplace_scratch_len()],
            fft,
            frames,
            turns: if is_even { (0..half).map(turn).collect() } else { Vec::new() },
            input: vec![zero; length],
            spectrum: vec![zero; half + 1],
        }
    }

    /// Transforms the samples under the window, both as long as the transform.
    pub(super) fn process(&mut self, samples: &[f32], window: &[T]) -> &[Complex<T>] {
        let Self { fft, frames, turns, input, spectrum, scratch } = self;
        let weighted = |sample: f32, weight: T| <T as From<f32>>::from(sample) * weight;
        if frames.is_multiple_of(2) {
            let pairs = samples.as_chunks::<2>().0.iter().zip(window.as_chunks::<2>().0);
            for (value, (samples, weights)) in input.iter_mut().zip(pairs) {
                *value = Complex::new(weighted(samples[0], weights[0]), weighted(samples[1], weights[1]));
            }
        } else {
            for (value, (sample, weight)) in input.iter_mut().zip(samples.iter().zip(window)) {
                *value = Complex::new(weighted(*sample, *weight), T::zero());
            }
        }
        fft.process_with_scratch(input, scratch);
        if frames.is_multiple_of(2) {
            Arch::new().dispatch(Part { input, turns, spectrum });
        } else {
            spectrum.iter_mut().zip(input).for_each(|(bin, value)| *bin = *value);
        }
        spectrum
    }
}

/// Parts what even and odd samples add to a spectrum, and joins them to that of all.
struct Part<'a, T> {
    input: &'a [Complex<T>],
    turns: &'a [Complex<T>],
    spectrum: &'a mut [Complex<T>],
}

impl<T: FftNum> WithSimd for Part<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { input, turns, spectrum } = self;
        let half = input.len();
        let two = T::one() + T::one();
        spectrum[0] = Complex::new(input[0].re + input[0].im, T::zero());
        spectrum[half] = Complex::new(input[0].re - input[0].im, T::zero());
        if half.is_multiple_of(2) {
            spectrum[half / 2] = input[half / 2].conj();
        }
        let pairs = (half - 1) / 2;
        let (low, high) = (&input[1..=pairs], &input[half - pairs..]);
        let (below, above) = spectrum.split_at_mut(half - pairs);
        let outputs = below[1..].iter_mut().zip(above[..pairs].iter_mut().rev());
        let inputs = low.iter().zip(high.iter().rev()).zip(&turns[1..=pairs]);
        for (((a, b), turn), (below, above)) in inputs.zip(outputs) {
            let (sum_re, sum_im) = ((a.re + b.re) / two, (a.im - b.im) / two);
            let (difference_re, difference_im) = (a.re - b.re, a.im + b.im);
            let turned_re = turn.re * difference_re - turn.im * difference_im;
            let turned_im = turn.re * difference_im + turn.im * difference_re;
            below.re = sum_re + turned_re;
            below.im = sum_im + turned_im;
            above.re = sum_re - turned_re;
            above.im = turned_im - sum_im;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spectra_are_those_of_the_definition() {
        for frames in [1usize, 2, 3, 4, 6, 9, 10, 64, 90] {
            let samples: Vec<f32> = (0..frames).map(|n| ((n * n + 1) as f32 * 0.7).sin()).collect();
            let window = vec![0.5f64; frames];
            let mut fft = RealFft::new(frames);
            let found = fft.process(&samples, &window);
            assert_eq!(found.len(), frames / 2 + 1);
            for (bin, found) in found.iter().enumerate() {
                let terms = samples.iter().enumerate().map(|(n, sample)| {
                    let angle = -std::f64::consts::TAU * (bin * n % frames) as f64 / frames as f64;
                    Complex::from_polar(f64::from(*sample) * 0.5, angle)
                });
                let expected: Complex<f64> = terms.sum();
                assert!((found - expected).norm() < 1e-12 * frames as f64, "bin {bin} of {frames} frames");
            }
        }
    }
}
