//! Halving a sample rate with almost nothing lost and nothing folded.

use std::f64::consts::PI;

use pulp::{Arch, Simd, WithSimd};

use super::decimate::bessel_i0;

/// Taps on either side of the middle one that are not zero.
const SIDE_TAPS: usize = 32;
/// Kaiser's shape for 120 dB.
const KAISER_BETA: f64 = 12.26;
/// Output samples made at once.
const BLOCK: usize = 32;

/// Lowers the sample rate of one channel to a half, in chunks of any size.
///
/// Output sample `i` stands at input sample `2 * i`; outside the signal there is silence; an odd length is
/// rounded up. A half-band filter: flat up to 88 % of the new Nyquist frequency, and from 112 % on at least
/// 120 dB down. In between there are aliases.
#[derive(Debug, Clone)]
pub struct Halver {
    /// Weights of the samples 1, 3, 5... before and after the middle.
    taps: [f32; SIDE_TAPS],
    /// Samples at even and at odd places that are still in reach.
    even: Vec<f32>,
    odd: Vec<f32>,
    is_odd_next: bool,
}

impl Default for Halver {
    fn default() -> Self {
        Self::new()
    }
}

impl Halver {
    /// A filter before the first sample.
    pub fn new() -> Self {
        let tap = |index: usize| {
            let offset = (2 * index + 1) as f64;
            let edge = offset / (2 * SIDE_TAPS) as f64;
            (PI * offset / 2.0).sin() / (PI * offset) * bessel_i0(KAISER_BETA * (1.0 - edge * edge).sqrt())
        };
        // Both sides and the middle tap of one half add up to 1.
        let sum: f64 = (0..SIDE_TAPS).map(tap).sum();
        Self {
            taps: std::array::from_fn(|index| (tap(index) / sum * 0.25) as f32),
            even: Vec::new(),
            odd: vec![0.0; SIDE_TAPS],
            is_odd_next: false,
        }
    }

    /// Takes the next samples and appends those of the lower rate that they complete to `out`.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        let mut samples = samples;
        if self.is_odd_next && let Some((first, rest)) = samples.split_first() {
            self.odd.push(*first);
            self.is_odd_next = false;
            samples = rest;
        }
        let (pairs, last) = samples.as_chunks::<2>();
        self.even.extend(pairs.iter().map(|pair| pair[0]));
        self.odd.extend(pairs.iter().map(|pair| pair[1]));
        if let [last] = last {
            self.even.push(*last);
            self.is_odd_next = true;
        }
        self.make(out);
    }

    /// Appends the samples whose filter reaches over the end.
    pub fn finish(mut self, out: &mut Vec<f32>) {
        // Every even sample left becomes an output; silence follows it.
        self.odd.resize(self.even.len() + 2 * SIDE_TAPS, 0.0);
        self.make(out);
    }

    /// Output `i` is made of even sample `i` and of the odd ones `i - SIDE_TAPS..i + SIDE_TAPS`, of which the
    /// first lies at `odd[i]`.
    fn make(&mut self, out: &mut Vec<f32>) {
        let ready = (self.odd.len() + 1).saturating_sub(2 * SIDE_TAPS).min(self.even.len());
        let start = out.len();
        out.resize(start + ready, 0.0);
        Arch::new().dispatch(Filter {
            taps: &self.taps,
            even: &self.even,
            odd: &self.odd,
            out: &mut out[start..],
        });
        self.even.drain(..ready);
        self.odd.drain(..ready);
    }
}

struct Filter<'a> {
    taps: &'a [f32; SIDE_TAPS],
    even: &'a [f32],
    odd: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for Filter<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (blocks, rest) = self.out.as_chunks_mut::<BLOCK>();
        let whole = blocks.len() * BLOCK;
        for (block, out) in blocks.iter_mut().enumerate() {
            let start = block * BLOCK;
            *out = filtered(self.taps, &self.even[start..], &self.odd[start..]);
        }
        for (index, out) in rest.iter_mut().enumerate() {
            let start = whole + index;
            [*out] = filtered(self.taps, &self.even[start..], &self.odd[start..]);
        }
    }
}

/// `COUNT` outputs, all in the same order of sums, so that blocks and single samples agree to the bit.
#[inline(always)]
fn filtered<const COUNT: usize>(taps: &[f32; SIDE_TAPS], even: &[f32], odd: &[f32]) -> [f32; COUNT] {
    let mut sums = [0.0f32; COUNT];
    let odd = &odd[..COUNT + 2 * SIDE_TAPS - 1];
    // The outer taps first: they are the smallest.
    for index in (0..SIDE_TAPS).rev() {
        let before = &odd[SIDE_TAPS - 1 - index..][..COUNT];
        let after = &odd[SIDE_TAPS + index..][..COUNT];
        for n in 0..COUNT {
            sums[n] += taps[index] * (before[n] + after[n]);
        }
    }
    std::array::from_fn(|n| sums[n] + 0.5 * even[n])
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    fn halved(samples: &[f32], chunk: usize) -> Vec<f32> {
        let mut halver = Halver::new();
        let mut out = Vec::new();
        for part in samples.chunks(chunk) {
            halver.push(part, &mut out);
        }
        halver.finish(&mut out);
        out
    }

    fn sine(share_of_nyquist: f64, frames: usize) -> Vec<f32> {
        (0..frames).map(|n| (TAU * share_of_nyquist * n as f64 / 4.0).sin() as f32).collect()
    }

    #[test]
    fn the_pass_band_keeps_level_and_position() {
        for share in [0.01, 0.3, 0.7, 0.88] {
            let input = sine(share, 4_000);
            let output = halved(&input, 300);
            assert_eq!(output.len(), 2_000);
            for n in 100..1_900 {
                // 120 dB and the rounding of 64 sums.
                assert!((output[n] - input[2 * n]).abs() < 3e-6, "{share} at {n}");
            }
        }
    }

    #[test]
    fn nothing_folds_from_beyond_the_stop_band() {
        for share in [1.12, 1.3, 1.5, 1.9, 2.0] {
            let output = halved(&sine(share, 4_000), 4_000);
            let peak = output[100..1_900].iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
            assert!(peak < 3e-6, "{share}: {peak}");
        }
    }

    #[test]
    fn chunk_sizes_change_nothing_and_odd_lengths_round_up() {
        let input = sine(0.4, 1_003);
        let whole = halved(&input, input.len());
        assert_eq!(whole.len(), 502);
        for chunk in [1, 2, 3, 64, 777] {
            assert_eq!(whole, halved(&input, chunk));
        }
        assert!(halved(&[], 1).is_empty());
        assert_eq!(halved(&[1.0], 1).len(), 1);
    }
}
