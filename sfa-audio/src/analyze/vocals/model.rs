//! Written by benches/peers/analysis/train_vocals.py.

use super::rows::NUMBERS;

pub(super) const BIAS: f32 = 0.0;
pub(super) const WEIGHTS: [f32; NUMBERS] = [0.0; NUMBERS];
