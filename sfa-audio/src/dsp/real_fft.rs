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
        Arch::new().dispatch(|| {
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
        });
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
        spectrum[0] = Complex::new(input[0].re + input[0].im, T::zero());
        spectrum[half] = Complex::new(input[0].re - input[0].im, T::zero());
        if half.is_multiple_of(2) {
            spectrum[half / 2] = input[half / 2].conj();
        }
        let pairs = (half - 1) / 2;
        let (low, high) = (&input[1..][..pairs], &input[half - pairs..]);
        let turns = &turns[1..][..pairs];
        let (below, above) = spectrum.split_at_mut(half - pairs);
        let (below, above) = (&mut below[1..][..pairs], &mut above[..pairs]);
        let (low, low_rest) = low.as_chunks::<BLOCK>();
        let (high_rest, high) = high.as_rchunks::<BLOCK>();
        let (turns, turns_rest) = turns.as_chunks::<BLOCK>();
        let (below, below_rest) = below.as_chunks_mut::<BLOCK>();
        let (above_rest, above) = above.as_rchunks_mut::<BLOCK>();
        let inputs = low.iter().zip(high.iter().rev()).zip(turns);
        for (((low, high), turns), (below, above)) in inputs.zip(below.iter_mut().zip(above.iter_mut().rev()))
        {
            part_block(low, high, turns, below, above);
        }
        let inputs = low_rest.iter().zip(high_rest.iter().rev()).zip(turns_rest);
        let outputs = below_rest.iter_mut().zip(above_rest.iter_mut().rev());
        for (((low, high), turn), (below, above)) in inputs.zip(outputs) {
            let [below_re, below_im, above_re, above_im] =
                part_pair([low.re, low.im], [high.re, high.im], [turn.re, turn.im]);
            *below = Complex::new(below_re, below_im);
            *above = Complex::new(above_re, above_im);
        }
    }
}

/// Pairs of bins that are parted together.
const BLOCK: usize = 16;

/// Parts as many pairs as fill vector registers, with real and imaginary parts in registers of their own. The bins of `high`
/// and `above` count from their ends.
#[inline(always)]
fn part_block<T: FftNum>(
    low: &[Complex<T>; BLOCK],
    high: &[Complex<T>; BLOCK],
    turns: &[Complex<T>; BLOCK],
    below: &mut [Complex<T>; BLOCK],
    above: &mut [Complex<T>; BLOCK],
) {
    let zero = [T::zero(); BLOCK];
    let ([mut low_re, mut low_im], [mut high_re, mut high_im]) = ([zero; 2], [zero; 2]);
    let ([mut turn_re, mut turn_im], mut parts) = ([zero; 2], [zero; 4]);
    for lane in 0..BLOCK {
        (low_re[lane], low_im[lane]) = (low[lane].re, low[lane].im);
    }
    for lane in 0..BLOCK {
        (turn_re[lane], turn_im[lane]) = (turns[lane].re, turns[lane].im);
    }
    for lane in 0..BLOCK {
        (high_re[lane], high_im[lane]) = (high[BLOCK - 1 - lane].re, high[BLOCK - 1 - lane].im);
    }
    for lane in 0..BLOCK {
        let parted = part_pair(
            [low_re[lane], low_im[lane]],
            [high_re[lane], high_im[lane]],
            [turn_re[lane], turn_im[lane]],
        );
        for (part, value) in parts.iter_mut().zip(parted) {
            part[lane] = value;
        }
    }
    let [below_re, below_im, above_re, above_im] = parts;
    for lane in 0..BLOCK {
        below[lane] = Complex::new(below_re[lane], below_im[lane]);
    }
    for lane in 0..BLOCK {
        above[lane] = Complex::new(above_re[BLOCK - 1 - lane], above_im[BLOCK - 1 - lane]);
    }
}

/// A bin of the whole spectrum and its mirror, real and imaginary part each, of a bin of the half-length one and its mirror.
#[inline(always)]
fn part_pair<T: FftNum>(low: [T; 2], high: [T; 2], turn: [T; 2]) -> [T; 4] {
    let two = T::one() + T::one();
    let sum = [(low[0] + high[0]) / two, (low[1] - high[1]) / two];
    let difference = [low[0] - high[0], low[1] + high[1]];
    let turned = [
        turn[0] * difference[0] - turn[1] * difference[1],
        turn[0] * difference[1] + turn[1] * difference[0],
    ];
    [sum[0] + turned[0], sum[1] + turned[1], sum[0] - turned[0], turned[1] - sum[1]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spectra_are_those_of_the_definition() {
        for frames in [1usize, 2, 3, 4, 6, 9, 10, 64, 90, 2048] {
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
