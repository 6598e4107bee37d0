//! How many beats chords last: what tells a tempo from its half, its double and two thirds of it where drums do not.

use super::onset::{FRAME_RATE_HZ, RhythmFeatures};
use super::phase::chord_change;

/// How clearly chords change every three, four or seven beats, and neither twice as often nor half as often, about
/// `0.0..=1.0`: bars are of so many beats, and harmony moves by bars.
pub(super) fn bars(beats: &[usize], features: &RhythmFeatures) -> f32 {
    const FEWEST_BEATS: usize = 16;
    const MOST: f32 = 1.0;
    if beats.len() < FEWEST_BEATS {
        return 0.0;
    }
    let changes: Vec<f32> = beats
        .windows(2)
        .map(|pair| {
            let period_secs = (pair[1] - pair[0]) as f64 / FRAME_RATE_HZ;
            chord_change(features, pair[0] as f64 / FRAME_RATE_HZ, period_secs)
        })
        .collect();
    let mean = super::pulse::mean(&changes);
    if mean <= 1e-6 {
        return 0.0;
    }
    // The mean change at that place of a group of beats where it is largest, against the mean of all beats.
    let contrast = |group: usize| -> f32 {
        (0..group)
            .map(|place| {
                let places = changes.iter().skip(place).step_by(group);
                let count = places.len().max(1) as f32;
                places.sum::<f32>() / count / mean
            })
            .fold(0.0, f32::max)
    };
    let bars = |group: usize, part: usize| {
        let whole = contrast(group);
        whole - contrast(part) - (contrast(2 * group) - whole).max(0.0)
    };
    bars(4, 2).max(bars(3, 1)).max(bars(7, 1)).clamp(0.0, MOST)
}
