//! Window functions.

use std::f64::consts::TAU;

/// The periodic Hann window of `frames` frames: the symmetric one of `frames + 1` without its last value, so
/// that shifted copies add up to a constant.
pub fn hann(frames: usize) -> Vec<f32> {
    (0..frames).map(|n| hann_weight(n, frames) as f32).collect()
}

/// Value `n` of a periodic Hann window.
pub(crate) fn hann_weight(n: usize, frames: usize) -> f64 {
    0.5 - 0.5 * (TAU * n as f64 / frames as f64).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hann_windows_half_apart_add_up_to_one() {
        let window = hann(64);
        for n in 0..32 {
            // One rounding to f32 per value.
            assert!((window[n] + window[n + 32] - 1.0).abs() < 1e-6);
        }
    }
}
