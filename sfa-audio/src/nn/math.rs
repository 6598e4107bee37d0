//! The transcendental functions of the layers, on vectors.

use pulp::Simd;

use super::cpu::multiply_add;

/// `e^r` for `|r| <= ln 2 / 2`: minimax in relative error (8e-8), highest power first.
const EXP: [f32; 7] = [0.001_381_461_3, 0.008_368_711, 0.041_668_39, 0.166_665_21, 0.499_999_94, 1.0, 1.0];

/// `ln(2 Φ(-a))` for `0 <= a <= 5.75`, fitted so that the error of `a Φ(-a)` is even and below 3e-8.
const LOG_TAIL: [f32; 10] = [
    2.723_139_4e-7,
    -5.407_516e-6,
    4.464_698e-5,
    -1.737_523_4e-4,
    -3.241_365e-5,
    0.004_849_94,
    -0.036_372_215,
    -0.318_299_95,
    -0.797_885_6,
    0.0,
];

/// A polynomial by Horner's rule.
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(simd: S, x: S::f32s, coefficients: [f32; N]) -> S::f32s {
    let mut sum = simd.splat_f32s(coefficients[0]);
    for &coefficient in &coefficients[1..] {
        sum = multiply_add(simd, sum, x, simd.splat_f32s(coefficient));
    }
    sum
}

/// `e^x` for `x <= 88`, within 2 units of the last place; below -87 it stays at `e^-87`.
#[inline(always)]
pub(crate) fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    // Adding 1.5 * 2^23 rounds to an integer n and leaves n in the low bits, from where a shift moves it into
    // the exponent of e^(x - n ln 2).
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = simd.max_f32s(x, simd.splat_f32s(-87.0));
    let shifted = multiply_add(simd, x, simd.splat_f32s(std::f32::consts::LOG2_E), simd.splat_f32s(ROUND));
    let n = simd.sub_f32s(shifted, simd.splat_f32s(ROUND));
    let r = multiply_add(simd, n, simd.splat_f32s(-LN_2_HIGH), x);
    let r = multiply_add(simd, n, simd.splat_f32s(-LN_2_LOW), r);
    let mantissa = polynomial(simd, r, EXP);
    let exponent = simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(shifted), simd.splat_u32s(23));
    simd.transmute_f32s_u32s(simd.add_u32s(simd.transmute_u32s_f32s(mantissa), exponent))
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
pub(crate) fn sigmoid<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let one = simd.splat_f32s(1.0);
    let negated = simd.min_f32s(simd.neg_f32s(x), simd.splat_f32s(87.0));
    simd.div_f32s(one, simd.add_f32s(one, exp(simd, negated)))
}

/// The hyperbolic tangent.
#[inline(always)]
pub(crate) fn tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let two = simd.splat_f32s(2.0);
    simd.sub_f32s(simd.mul_f32s(two, sigmoid(simd, simd.mul_f32s(two, x))), simd.splat_f32s(1.0))
}

/// `x Φ(x)` with the normal distribution's Φ, the exact form of D. Hendrycks and K. Gimpel, "Gaussian Error
/// Linear Units", 2016.
#[inline(always)]
pub(crate) fn gelu<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    // Φ(-a) = exp(P(a)) / 2 for a = min(|x|, 5.75); beyond that it is below 1e-8.
    let a = simd.min_f32s(simd.abs_f32s(x), simd.splat_f32s(5.75));
    let tail = simd.mul_f32s(simd.splat_f32s(0.5), exp(simd, polynomial(simd, a, LOG_TAIL)));
    let lost = simd.mul_f32s(simd.abs_f32s(x), tail);
    simd.sub_f32s(simd.max_f32s(x, simd.splat_f32s(0.0)), lost)
}

#[cfg(test)]
mod tests {
    use pulp::WithSimd;

    use super::super::cpu::Cpu;
    use super::*;

    struct Apply<'a>(&'a mut [f32], fn_kind::Kind);

    mod fn_kind {
        #[derive(Clone, Copy)]
        pub(super) enum Kind {
            Exp,
            Sigmoid,
            Gelu,
        }
    }

    impl WithSimd for Apply<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            for x in S::as_mut_simd_f32s(self.0).0 {
                *x = match self.1 {
                    fn_kind::Kind::Exp => exp(simd, *x),
                    fn_kind::Kind::Sigmoid => sigmoid(simd, *x),
                    fn_kind::Kind::Gelu => gelu(simd, *x),
                };
            }
        }
    }

    fn check(kind: fn_kind::Kind, range: f64, tolerance: f64, relative: bool, expected: impl Fn(f64) -> f64) {
        for cpu in Cpu::all() {
            let inputs: Vec<f32> =
                (0..1 << 16).map(|n| ((n as f64 / 32_768.0 - 1.0) * range) as f32).collect();
            let mut found = inputs.clone();
            cpu.run(Apply(&mut found, kind));
            for (&x, &y) in inputs.iter().zip(&found) {
                let expected = expected(f64::from(x));
                let scale = if relative { expected } else { 1.0_f64.max(f64::from(x).abs()) };
                assert!((f64::from(y) - expected).abs() <= tolerance * scale, "f({x}) = {y}, not {expected}");
            }
        }
    }

    #[test]
    fn exp_is_right_to_two_units_of_the_last_place() {
        check(fn_kind::Kind::Exp, 86.0, 2.4e-7, true, f64::exp);
    }

    #[test]
    fn sigmoid_is_right_to_single_precision() {
        check(fn_kind::Kind::Sigmoid, 80.0, 3e-7, true, |x| 1.0 / (1.0 + (-x).exp()));
    }

    #[test]
    fn gelu_is_right_to_single_precision() {
        // erfc by its continued fraction or its series, whichever converges.
        let erfc = |x: f64| {
            if x.abs() < 2.5 {
                let (mut term, mut sum) = (x, x);
                for n in 1..80 {
                    term *= -x * x / f64::from(n);
                    sum += term / f64::from(2 * n + 1);
                }
                1.0 - sum * std::f64::consts::FRAC_2_SQRT_PI
            } else {
                let fraction = (1..200).rev().fold(0.0, |f, n| f64::from(n) / 2.0 / (x.abs() + f));
                let tail = (-x * x).exp() / ((x.abs() + fraction) * std::f64::consts::PI.sqrt());
                if x > 0.0 { tail } else { 2.0 - tail }
            }
        };
        check(fn_kind::Kind::Gelu, 9.0, 2e-7, false, |x| 0.5 * x * erfc(-x / std::f64::consts::SQRT_2));
    }
}
