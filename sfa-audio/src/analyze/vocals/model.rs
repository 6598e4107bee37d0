//! Written by benches/peers/analysis/train_vocals.py.

use super::rows::NUMBERS;

pub(super) const BIAS: f32 = -43.888;
pub(super) const WEIGHTS: [f32; NUMBERS] = [
    35.035, -5.2887, 9.8593, -11.53, 36.813, -21.844, -73.438, 17.619, 1.9985, -0.71635, 0.24714, 4.9902,
    -2.5452, 0.88475, 2.7338, 0.69699, 0.58773,
];
