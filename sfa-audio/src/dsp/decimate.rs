//! Taking every n-th sample of what was low-passed first.

use std::f64::consts::PI;

use pulp::{Arch, Simd, WithSimd};

/// Vector registers of output made at once: enough to hide how long a product takes.
const VECTORS: usize = 4;
/// Output is made in whole blocks, which those of any processor's vector registers fill.
const BLOCK: usize = 64;

/// Lowers the sample rate of one channel by a whole factor, in chunks of any size.
///
/// Output sample `i` stands at input sample `i * FACTOR`; outside the signal there is silence; lengths are rounded
/// up. Made for analysis that only looks at the lower part of what the new rate could carry: above it there are
/// aliases, which takes half the work of a filter that leaves none.
#[derive(Debug, Clone)]
pub struct Decimator<const FACTOR: usize> {
    /// Output samples that the filter reaches on one side.
    reach: usize,
    middle: f32,
    /// Those on one side, from the middle on, that are not zero.
    taps: Vec<Tap>,
    /// The samples in reach, by their place modulo `FACTOR`.
    phases: [Vec<f32>; FACTOR],
    /// Samples in `phases` from the place of the next output on.
    held: usize,
}

/// A weight of two samples at the same distance from the output's place.
#[derive(Debug, Clone, Copy)]
struct Tap {
    weight: f32,
    /// Phase of the sample before, and how many output samples earlier it stands.
    before: (usize, usize),
    /// Phase of the sample after, and how many output samples later it stands.
    after: (usize, usize),
}

impl<const FACTOR: usize> Default for Decimator<FACTOR> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const FACTOR: usize> Decimator<FACTOR> {
    /// A filter before the first sample: up to a quarter of the new rate the response is flat within 0.01 dB, and what
    /// would fold into that range is at least 80 dB down.
    pub fn new() -> Self {
        // The transition is half the new rate wide: Kaiser's estimate for 80 dB is 5.0 * FACTOR / 0.5 taps.
        Self::with(6, 7.86)
    }

    /// As [`new`](Self::new), but flat up to two fifths of the new rate, and 90 dB.
    pub fn sharp() -> Self {
        Self::with(16, 9.0)
    }

    fn with(reach: usize, kaiser_beta: f64) -> Self {
        // The -6 dB point is at half the new rate, so that every FACTOR-th tap is zero.
        let half = reach * FACTOR;
        let tap = |distance: usize| {
            let x = PI * distance as f64 / FACTOR as f64;
            let sinc = if distance == 0 { 1.0 } else { x.sin() / x };
            let edge = distance as f64 / (half + 1) as f64;
            sinc * bessel_i0(kaiser_beta * (1.0 - edge * edge).sqrt())
        };
        let distances = (1..half).filter(|distance| !distance.is_multiple_of(FACTOR));
        let gain = tap(0) + 2.0 * distances.clone().map(tap).sum::<f64>();
        let taps = distances.map(|distance| Tap {
            weight: (tap(distance) / gain) as f32,
            before: (FACTOR - distance % FACTOR, distance.div_ceil(FACTOR)),
            after: (distance % FACTOR, distance / FACTOR),
        });
        Self {
            reach,
            middle: (tap(0) / gain) as f32,
            taps: taps.collect(),
            phases: std::array::from_fn(|_| vec![0.0; reach]),
            held: 0,
        }
    }

    /// Takes the next samples and appends those of the lower rate that they complete to `out`.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        let aligned = (FACTOR - self.held % FACTOR) % FACTOR;
        let (first, rest) = samples.split_at(aligned.min(samples.len()));
        let (rows, last) = rest.as_chunks::<FACTOR>();
        for (offset, sample) in first.iter().enumerate() {
            self.phases[(self.held + offset) % FACTOR].push(*sample);
        }
        for (place, phase) in self.phases.iter_mut().enumerate() {
            phase.extend(rows.iter().map(|row| row[place]));
        }
        for (phase, sample) in self.phases.iter_mut().zip(last) {
            phase.push(*sample);
        }
        self.held += samples.len();
        self.make(out);
    }

    /// Appends the samples whose filter reaches over the end.
    pub fn finish(mut self, out: &mut Vec<f32>) {
        self.push(&vec![0.0; self.reach * FACTOR - 1], out);
    }

    fn make(&mut self, out: &mut Vec<f32>) {
        // A filter sees `reach * FACTOR - 1` samples beyond its place.
        let ready = (self.held / FACTOR + 1).saturating_sub(self.reach);
        let start = out.len();
        out.resize(start + ready.next_multiple_of(BLOCK), 0.0);
        let lengths = self.phases.each_ref().map(Vec::len);
        self.phases.iter_mut().for_each(|phase| phase.resize(phase.len() + BLOCK, 0.0));
        Arch::new().dispatch(Filter { decimator: self, out: &mut out[start..] });
        out.truncate(start + ready);
        for (phase, length) in self.phases.iter_mut().zip(lengths) {
            phase.truncate(length);
            phase.drain(..ready);
        }
        self.held -= ready * FACTOR;
    }
}

struct Filter<'a, const FACTOR: usize> {
    decimator: &'a Decimator<FACTOR>,
    out: &'a mut [f32],
}

impl<const FACTOR: usize> WithSimd for Filter<'_, FACTOR> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Decimator { reach, middle, taps, phases, .. } = self.decimator;
        let width = VECTORS * S::F32_LANES;
        for (index, out) in self.out.chunks_exact_mut(width).enumerate() {
            let place = reach + index * width;
            let at = |phase: usize, start: usize| S::as_simd_f32s(&phases[phase][start..start + width]).0;
            let mut sums = [simd.splat_f32s(0.0); VECTORS];
            // The outer taps first: they are the smallest.
            for tap in taps.iter().rev() {
                let weight = simd.splat_f32s(tap.weight);
                let before = at(tap.before.0, place - tap.before.1);
                let after = at(tap.after.0, place + tap.after.1);
                for vector in 0..VECTORS {
                    let both = simd.add_f32s(before[vector], after[vector]);
                    sums[vector] = simd.mul_add_e_f32s(weight, both, sums[vector]);
                }
            }
            let (middle, own) = (simd.splat_f32s(*middle), at(0, place));
            let out = S::as_mut_simd_f32s(out).0;
            for vector in 0..VECTORS {
                out[vector] = simd.mul_add_e_f32s(middle, own[vector], sums[vector]);
            }
        }
    }
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

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    fn decimated<const FACTOR: usize>(samples: &[f32], chunk: usize) -> Vec<f32> {
        decimated_by(Decimator::<FACTOR>::new(), samples, chunk)
    }

    fn decimated_by<const FACTOR: usize>(
        mut decimator: Decimator<FACTOR>,
        samples: &[f32],
        chunk: usize,
    ) -> Vec<f32> {
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
            let output = decimated::<4>(&input, 1000);
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
            let output = decimated::<4>(&sine(frequency, 44_100), 1000);
            let peak = output[20..11_000].iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
            assert!(peak < 1.2e-4, "{frequency} Hz: {peak}");
        }
    }

    #[test]
    fn a_sharp_filter_keeps_more_and_folds_less() {
        let halved = |frequency_hz| decimated_by(Decimator::<2>::sharp(), &sine(frequency_hz, 4_000), 300);
        let (kept, input) = (halved(8_800.0), sine(8_800.0, 4_000));
        // The ripple of 90 dB.
        assert!((30..1_970).all(|n| (kept[n] - input[2 * n]).abs() < 4e-5));
        assert!(halved(13_300.0)[30..1_970].iter().all(|sample| sample.abs() < 4e-5));
    }

    #[test]
    fn chunk_sizes_change_nothing_and_lengths_round_up() {
        let input = sine(1_000.0, 5_003);
        let whole = decimated::<4>(&input, input.len());
        assert_eq!(whole.len(), 1_251);
        for chunk in [1, 2, 3, 4, 5, 64, 777] {
            assert_eq!(whole, decimated::<4>(&input, chunk));
        }
        assert!(decimated::<4>(&[], 1).is_empty());
        assert_eq!(decimated::<2>(&[1.0], 1).len(), 1);
    }
}
