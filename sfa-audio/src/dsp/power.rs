//! Powers of spectra and their logarithms.

use realfft::num_complex::Complex32;

/// The summed power of a stretch of spectrum, in eight running sums, so that the compiler may use vector registers.
#[inline(always)]
pub(crate) fn power_of(bins: &[Complex32]) -> f32 {
    let mut sums = [0.0f32; 8];
    let (chunks, rest) = bins.as_chunks::<8>();
    for chunk in chunks {
        for (sum, bin) in sums.iter_mut().zip(chunk) {
            *sum += bin.re * bin.re + bin.im * bin.im;
        }
    }
    sums.iter().sum::<f32>() + rest.iter().map(Complex32::norm_sqr).sum::<f32>()
}

/// The sum of products in eight running sums, so that the compiler may use vector registers.
#[inline(always)]
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

/// The natural logarithm of a positive normal number within two units of the last place, in a form that compilers turn
/// into vector instructions.
#[inline(always)]
pub(crate) fn ln(value: f32) -> f32 {
    let (of_mantissa, exponent) = ln_parts(value);
    of_mantissa + exponent * std::f32::consts::LN_2
}

/// The natural logarithm of the mantissa of a positive normal number, which is taken to lie around 1, and its exponent.
///
/// S. Moshier's `logf` from the Cephes library.
#[inline(always)]
pub(crate) fn ln_parts(value: f32) -> (f32, f32) {
    const SQRT_HALF: i32 = 0x3f35_04f3;
    const TAIL: [f32; 9] = [
        7.037_683_6e-2,
        -1.151_461e-1,
        1.167_699_9e-1,
        -1.242_014_1e-1,
        1.424_932_3e-1,
        -1.666_805_8e-1,
        2.000_071_5e-1,
        -2.499_999_4e-1,
        3.333_333e-1,
    ];
    let bits = value.to_bits() as i32 - SQRT_HALF;
    let exponent = (bits >> 23) as f32;
    let x = f32::from_bits(((bits & 0x007f_ffff) + SQRT_HALF) as u32) - 1.0;
    let mut tail = TAIL[0];
    for coefficient in &TAIL[1..] {
        tail = tail * x + coefficient;
    }
    (x * x * (x * tail) - 0.5 * x * x + x, exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_add_up() {
        let bins: Vec<Complex32> = (0..21).map(|n| Complex32::new(n as f32, 1.0)).collect();
        assert_eq!(power_of(&bins), 2_870.0 + 21.0);
        assert_eq!(power_of(&[]), 0.0);
    }

    #[test]
    fn logarithms_are_those_of_the_library() {
        for exponent in -37..38 {
            for step in 0..90 {
                let value = 10f32.powi(exponent) * (1.0 + 0.1 * step as f32);
                let expected = f64::from(value).ln();
                let apart = (f64::from(ln(value)) - expected).abs();
                assert!(apart <= 1.2e-7 * expected.abs().max(1.0), "{value}: {apart:e}");
            }
        }
    }
}
