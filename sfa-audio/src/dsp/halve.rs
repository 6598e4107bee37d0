//! Halving a sample rate with almost nothing lost and nothing folded.

use std::f64::consts::PI;

use pulp::{Arch, Simd, WithSimd};

use super::decimate::bessel_i0;

/// Taps on either side of the middle one.
const SIDE_TAPS: usize = 128;
/// Samples of either parity that the filter reaches on one side.
const REACH: usize = SIDE_TAPS / 2;
/// Kaiser's shape for 90 dB.
const KAISER_BETA: f64 = 9.0;
/// Middle of the transition, as a share of the new Nyquist frequency.
const CUT_OFF: f64 = 0.9565;
/// Vector registers of output made at once: enough to hide how long a product takes.
const VECTORS: usize = 4;

/// Lowers the sample rate of one channel to a half, in chunks of any size.
///
/// Output sample `i` stands at input sample `2 * i`; outside the signal there is silence; an odd length is
/// rounded up. Flat up to 91 % of the new Nyquist frequency, and from there on up 90 dB down, so that nothing
/// folds: the response of the `soxr_hq` filter, as far as analysis can tell. A half-band filter would need half
/// the work, but folds what is just above into what is just below.
#[derive(Debug, Clone)]
pub struct Halver {
    /// The middle tap, then those on one side.
    taps: [f32; SIDE_TAPS + 1],
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
        let tap = |offset: usize| {
            let x = PI * offset as f64 * CUT_OFF / 2.0;
            let sinc = if offset == 0 { 1.0 } else { x.sin() / x };
            let edge = offset as f64 / SIDE_TAPS as f64;
            sinc * bessel_i0(KAISER_BETA * (1.0 - edge * edge).sqrt())
        };
        let gain = tap(0) + 2.0 * (1..=SIDE_TAPS).map(tap).sum::<f64>();
        Self {
            taps: std::array::from_fn(|offset| (tap(offset) / gain) as f32),
            even: vec![0.0; REACH],
            odd: vec![0.0; REACH],
            is_odd_next: false,
        }
    }

    /// Takes the next samples and appends those of the lower rate that they complete to `out`.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        let mut samples = samples;
        if self.is_odd_next
            && let Some((first, rest)) = samples.split_first()
        {
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
        // Every even sample from the reach on becomes an output.
        let waiting = self.even.len() - REACH;
        self.even.resize(waiting + 2 * REACH, 0.0);
        self.odd.resize(waiting + 2 * REACH, 0.0);
        self.make(out);
    }

    /// Output `i` is made of the even samples around `even[i + REACH]` and the odd ones around
    /// `odd[i + REACH]`, which stands after it.
    fn make(&mut self, out: &mut Vec<f32>) {
        let ready = self.even.len().saturating_sub(2 * REACH);
        let ready = ready.min((self.odd.len() + 1).saturating_sub(2 * REACH));
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
    taps: &'a [f32; SIDE_TAPS + 1],
    even: &'a [f32],
    odd: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for Filter<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let block = VECTORS * S::F32_LANES;
        let seen = block + 2 * REACH;
        for (index, out) in self.out.chunks_mut(block).enumerate() {
            let start = index * block;
            if out.len() == block {
                filter_block(simd, self.taps, &self.even[start..], &self.odd[start..], out);
                continue;
            }
            // The last block goes the same way, so that it is rounded the same way.
            let whole = |samples: &[f32]| {
                let mut padded = samples[start..samples.len().min(start + seen)].to_vec();
                padded.resize(seen, 0.0);
                padded
            };
            let mut filtered = vec![0.0; block];
            filter_block(simd, self.taps, &whole(self.even), &whole(self.odd), &mut filtered);
            out.copy_from_slice(&filtered[..out.len()]);
        }
    }
}

/// Makes [`VECTORS`] vectors of output.
#[inline(always)]
fn filter_block<S: Simd>(simd: S, taps: &[f32; SIDE_TAPS + 1], even: &[f32], odd: &[f32], out: &mut [f32]) {
    let width = VECTORS * S::F32_LANES;
    let at = |samples: &'_ [f32], start: usize, vector: usize| {
        S::as_simd_f32s(&samples[start..start + width]).0[vector]
    };
    let mut sums = [simd.splat_f32s(0.0); VECTORS];
    // The outer taps first: they are the smallest.
    for offset in (0..REACH).rev() {
        let even_tap = simd.splat_f32s(taps[2 * offset + 2]);
        let odd_tap = simd.splat_f32s(taps[2 * offset + 1]);
        for (vector, sum) in sums.iter_mut().enumerate() {
            let evens =
                simd.add_f32s(at(even, REACH - 1 - offset, vector), at(even, REACH + 1 + offset, vector));
            let odds = simd.add_f32s(at(odd, REACH - 1 - offset, vector), at(odd, REACH + offset, vector));
            *sum = simd.mul_add_e_f32s(even_tap, evens, *sum);
            *sum = simd.mul_add_e_f32s(odd_tap, odds, *sum);
        }
    }
    let middle = simd.splat_f32s(taps[0]);
    for (vector, out) in S::as_mut_simd_f32s(out).0.iter_mut().enumerate() {
        *out = simd.mul_add_e_f32s(middle, at(even, REACH, vector), sums[vector]);
    }
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
        for share in [0.01, 0.3, 0.7, 0.91] {
            let input = sine(share, 4_000);
            let output = halved(&input, 300);
            assert_eq!(output.len(), 2_000);
            for n in 150..1_850 {
                // The ripple of 90 dB.
                assert!((output[n] - input[2 * n]).abs() < 4e-5, "{share} at {n}");
            }
        }
    }

    #[test]
    fn nothing_folds_from_beyond_the_stop_band() {
        for share in [1.002, 1.1, 1.5, 1.9, 2.0] {
            let output = halved(&sine(share, 4_000), 4_000);
            let peak = output[150..1_850].iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
            assert!(peak < 4e-5, "{share}: {peak}");
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
