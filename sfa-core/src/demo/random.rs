//! A tiny generator, so that a seed means the same song on every platform and in every release.

/// SplitMix64 (Steele, Lea and Flood 2014): one word of state, good enough for noise and choices.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// An independent generator for one purpose, so that a change in one part leaves the others alone.
    pub(crate) fn for_purpose(seed: u64, purpose: &str) -> Self {
        let hash = purpose.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self::new(Self(seed ^ hash).next_u64())
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// Uniform in `0.0..1.0`.
    pub(crate) fn unit(&mut self) -> f32 {
        (self.next_u64() >> 40) as f32 / (1_u64 << 24) as f32
    }

    /// Uniform in `-1.0..1.0`: one sample of white noise.
    pub(crate) fn bipolar(&mut self) -> f32 {
        self.unit() * 2.0 - 1.0
    }

    /// One of the choices.
    pub(crate) fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[(self.next_u64() % choices.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_no_mean_and_the_variance_of_a_uniform_distribution() {
        let mut random = Random::new(1);
        let samples: Vec<f64> = (0..100_000).map(|_| f64::from(random.bipolar())).collect();
        let mean = samples.iter().sum::<f64>() / 1e5;
        let variance = samples.iter().map(|sample| sample * sample).sum::<f64>() / 1e5;
        // Five standard errors: sqrt(1/3 / 1e5) = 0.0018 for the mean, 0.3 / sqrt(1e5) = 0.001 for the variance.
        assert!(mean.abs() < 0.009, "{mean}");
        assert!((variance - 1.0 / 3.0).abs() < 0.005, "{variance}");
    }

    #[test]
    fn purposes_get_different_sequences() {
        let first = |purpose| Random::for_purpose(7, purpose).next_u64();
        assert_ne!(first("bass"), first("lead"));
        assert_eq!(first("bass"), first("bass"));
    }
}
