//! What the evidence for a key weighs, in natural logarithms of odds. Made by benches/peers/analysis/train_key.py
//! from 187 songs of songs.py.
//!
//! Tables hold major keys, then minor keys; in each, a row of major triads and a row of minor triads by the
//! semitones of their root above the tonic.

/// Of a perfect fit of all chroma to the profile of the key.
pub(super) const FIT: f32 = 9.65;
/// Of beginning with the triad on the tonic.
pub(super) const OPENING: f32 = 1.39;
/// Of sounding all the time, for each triad.
pub(super) const SHARES: [[[f32; 12]; 2]; 2] = [
    [
        [1.71, -0.02, -1.93, -0.33, -1.91, 1.90, 0.00, 2.54, -0.22, -0.44, -5.35, -0.45],
        [-0.95, -0.02, -0.78, -0.08, -0.83, -0.79, -0.02, 0.10, -0.03, -1.51, -0.40, -0.50],
    ],
    [
        [-0.81, -2.18, -0.44, -1.27, -0.01, -1.71, -0.04, 3.21, 1.99, -0.01, 5.75, -0.01],
        [4.60, 0.18, -0.17, 0.13, 0.00, 0.61, -0.01, 1.06, 0.75, -0.30, -1.07, 0.02],
    ],
];
/// Of all changes of chord being those from each triad to the one on the tonic.
pub(super) const MOVES: [[[f32; 12]; 2]; 2] = [
    [
        [0.00, -0.01, -0.64, -0.01, -0.07, 1.30, 0.00, 5.89, 0.00, 0.00, -2.36, -0.16],
        [-0.01, 0.00, -0.22, 0.00, -0.55, -0.67, 0.00, 0.48, 0.00, 0.04, -0.01, -0.08],
    ],
    [
        [0.01, -0.10, -0.01, -3.11, 0.00, 0.25, 0.00, 2.88, -0.42, 0.00, 3.54, 0.00],
        [0.00, 0.21, 0.01, -0.02, 0.03, -0.08, 0.00, 1.46, 0.47, -0.04, -0.39, 0.03],
    ],
];
