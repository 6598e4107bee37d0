//! Recursive filters that take several samples at a time.

use pulp::Simd;

use super::filter::Biquad;

/// Samples that are filtered at once.
pub(crate) const BLOCK: usize = 8;
/// What is made of a block: its samples, what stays inside the filter, and nothing up to whole vector registers.
const WIDTH: usize = 16;

/// What one number adds to what is made of a block. Aligned, so that no vector register is filled from two cache lines.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Shares([f64; WIDTH]);

/// A recursive filter with `ORDER` values inside.
///
/// Sample by sample, each waits for the one before, which takes far longer than its sums. What is made of a block as sums
/// over its samples and over what the block before left waits once.
#[derive(Debug, Clone)]
pub(crate) struct BlockFilter<const ORDER: usize> {
    /// What each sample of a block adds to what is made of it.
    of_samples: [Shares; BLOCK],
    /// What each value left inside adds.
    of_state: [Shares; ORDER],
}

impl<const ORDER: usize> BlockFilter<ORDER> {
    /// The filter that `step` is for one sample: it must be linear in the sample and in what is inside.
    ///
    /// # Panics
    /// When there are more values inside than samples in a block.
    pub(crate) fn new(mut step: impl FnMut(f64, &mut [f64; ORDER]) -> f64) -> Self {
        assert!(ORDER <= WIDTH - BLOCK, "a state beside the block");
        let mut made = |sample_at: Option<usize>, mut state: [f64; ORDER]| {
            let mut made = [0.0; WIDTH];
            for (n, made) in made[..BLOCK].iter_mut().enumerate() {
                *made = step(f64::from(u8::from(sample_at == Some(n))), &mut state);
            }
            made[BLOCK..BLOCK + ORDER].copy_from_slice(&state);
            Shares(made)
        };
        Self {
            of_samples: std::array::from_fn(|n| made(Some(n), [0.0; ORDER])),
            of_state: std::array::from_fn(|n| {
                made(None, std::array::from_fn(|other| f64::from(u8::from(other == n))))
            }),
        }
    }

    /// Second-order sections in series, half as many as `ORDER`.
    pub(crate) fn in_series(sections: &[Biquad]) -> Self {
        assert_eq!(2 * sections.len(), ORDER, "two values in a section");
        Self::new(|sample, state| step_in_series(sections, sample, state))
    }

    /// Filters one block.
    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "loops over iterators are not unrolled here")]
    pub(crate) fn process<S: Simd>(
        &self,
        simd: S,
        samples: &[f32; BLOCK],
        state: &mut [f64; ORDER],
    ) -> [f64; BLOCK] {
        let mut made = [0.0; WIDTH];
        for vector in 0..WIDTH / S::F64_LANES {
            let share = |shares: &Shares| S::as_simd_f64s(&shares.0).0[vector];
            let mut sums = [simd.splat_f64s(0.0); 2];
            for n in 0..BLOCK {
                let sample = simd.splat_f64s(f64::from(samples[n]));
                sums[0] = simd.mul_add_e_f64s(share(&self.of_samples[n]), sample, sums[0]);
            }
            // What waits for the block before comes last, in two sums that wait half as long.
            for n in 0..ORDER {
                let value = simd.splat_f64s(state[n]);
                sums[n % 2] = simd.mul_add_e_f64s(share(&self.of_state[n]), value, sums[n % 2]);
            }
            S::as_mut_simd_f64s(&mut made).0[vector] = simd.add_f64s(sums[0], sums[1]);
        }
        state.copy_from_slice(&made[BLOCK..BLOCK + ORDER]);
        std::array::from_fn(|n| made[n])
    }
}

/// Filters one sample by what [`BlockFilter::in_series`] filters blocks by.
pub(crate) fn step_in_series<const ORDER: usize>(
    sections: &[Biquad],
    sample: f64,
    state: &mut [f64; ORDER],
) -> f64 {
    let states = state.as_chunks_mut::<2>().0;
    sections.iter().zip(states).fold(sample, |sample, (section, state)| section.step(sample, state))
}

#[cfg(test)]
mod tests {
    use pulp::{Arch, WithSimd};

    use super::*;

    struct Process<'a>(&'a BlockFilter<4>, &'a [f32; BLOCK], &'a mut [f64; 4]);

    impl WithSimd for Process<'_> {
        type Output = [f64; BLOCK];

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> [f64; BLOCK] {
            self.0.process(simd, self.1, self.2)
        }
    }

    #[test]
    fn blocks_are_filtered_as_samples_are() {
        let mut sections =
            [Biquad::butterworth_low_pass(30.0, 44_100.0), Biquad::butterworth_high_pass(9_000.0, 44_100.0)];
        let filter = BlockFilter::in_series(&sections);
        let mut state = [0.0; 4];
        for block in 0..1_000 {
            let samples: [f32; BLOCK] = std::array::from_fn(|n| ((block * BLOCK + n) as f32 * 0.7).sin());
            let found = Arch::new().dispatch(Process(&filter, &samples, &mut state));
            for (sample, found) in samples.into_iter().zip(found) {
                let expected =
                    sections.iter_mut().fold(f64::from(sample), |value, section| section.process(value));
                assert!((found - expected).abs() < 1e-12, "block {block}: {found}, not {expected}");
            }
        }
    }
}
