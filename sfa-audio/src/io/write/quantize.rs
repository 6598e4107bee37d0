//! Float samples to integers.

/// Rounds samples to `bits`, with or without dither, and counts what had to be clamped.
///
/// Full scale ±1.0 maps to ±2^(bits-1). Rounding is to the nearest step. Dither is triangular, two steps wide and
/// from a fixed seed, so that the same audio always gives the same file; samples that lie exactly on a step stay
/// undithered, so that material which already has this depth passes bit-exact and digital silence stays silent.
#[derive(Debug, Clone)]
pub(super) struct Quantizer {
    scale: f32,
    highest: f32,
    dither: Option<Noise>,
    clamped: u64,
}

impl Quantizer {
    /// A quantiser to at most 24 `bits`.
    pub(super) fn new(bits: u32, dither: bool) -> Self {
        let scale = (1_u32 << (bits - 1)) as f32;
        Self { scale, highest: scale - 1.0, dither: dither.then(Noise::new), clamped: 0 }
    }

    /// The integer for `sample`; 0 for what is no number.
    pub(super) fn quantize(&mut self, sample: f32) -> i32 {
        if !sample.is_finite() {
            return 0;
        }
        if sample.abs() > 1.0 {
            self.clamped += 1;
        }
        let exact = sample * self.scale;
        let dithered = match &mut self.dither {
            Some(noise) if exact.fract() != 0.0 => exact + noise.triangular(),
            _ => exact,
        };
        dithered.round().clamp(-self.scale, self.highest) as i32
    }

    /// Samples beyond full scale so far.
    pub(super) fn clamped(&self) -> u64 {
        self.clamped
    }
}

/// A xorshift generator (Marsaglia 2003).
#[derive(Debug, Clone)]
struct Noise(u64);

impl Noise {
    fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    fn uniform(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1_u32 << 24) as f32
    }

    /// Triangular in -1.0..1.0.
    fn triangular(&mut self) -> f32 {
        self.uniform() - self.uniform()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_16_bit_value_survives_with_and_without_dither() {
        for dither in [false, true] {
            let mut quantizer = Quantizer::new(16, dither);
            for value in i16::MIN..=i16::MAX {
                assert_eq!(quantizer.quantize(f32::from(value) / 32_768.0), i32::from(value));
            }
            assert_eq!(quantizer.clamped(), 0);
        }
    }

    #[test]
    fn beyond_full_scale_is_clamped_and_counted() {
        let mut quantizer = Quantizer::new(16, true);
        assert_eq!(quantizer.quantize(1.5), 32_767);
        assert_eq!(quantizer.quantize(-7.0), -32_768);
        assert_eq!(quantizer.quantize(1.0), 32_767);
        assert_eq!(quantizer.quantize(f32::NAN), 0);
        assert_eq!(quantizer.clamped(), 2);
    }

    #[test]
    fn dither_makes_the_mean_follow_the_signal_between_steps() {
        // The mean of n roundings of x + triangular noise is x with a deviation of at most 0.75 / sqrt(n).
        let count = 100_000;
        let mut quantizer = Quantizer::new(16, true);
        let sum: f64 = (0..count).map(|_| f64::from(quantizer.quantize(0.3 / 32_768.0))).sum();
        let mean = sum / f64::from(count);
        assert!((mean - 0.3).abs() < 4.0 * 0.75 / f64::from(count).sqrt(), "{mean}");
        let mut plain = Quantizer::new(16, false);
        assert_eq!(plain.quantize(0.3 / 32_768.0), 0);
    }
}
