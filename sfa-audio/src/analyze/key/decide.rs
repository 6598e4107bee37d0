//! From chroma to a key.

use std::ops::Range;

use super::evidence::KeyEvidence;
use super::profiles::profile_scores;
use super::{Key, KeyEstimate};
use crate::analyze::argmax;
use crate::analyze::harmony::ChromaFrames;

/// One number per key, in the order of [`Key::all`].
pub(super) type KeyScores = [f32; 24];

/// Seconds over which one local key is judged.
const WINDOW_SECS: f64 = 10.0;
/// What leaving a key must gain, in seconds of perfect correlation. A real modulation earns it in half a minute;
/// a verse that leans on the relative key does not.
const MODULATION_COST_SECS: f32 = 6.0;
/// Less music than this leaves doubt whatever it says: of keys heard in 9 s as many are right as they are likely, in
/// 4 s fewer.
const CERTAIN_SECS: f32 = 6.0;
/// Chroma of less than this, in summed decibels per frame, comes from noise and clicks. Music shows 400 to 800.
pub(super) const MIN_PITCHEDNESS: f32 = 60.0;

/// The key that a song is in for the longest time, or `None` where nothing is pitched.
///
/// Windows of ten seconds are compared with key profiles, and a path through the local keys finds the longest
/// stretch in one key. Which key that is, profiles of all its chroma and its chords decide together: how long each
/// triad sounds, which one moves to which, and which one opens the stretch. Chords tell a minor key from its relative
/// major when both use the same tones, and a key from its dominant, whose chord often sounds longest.
pub(crate) fn decide(frames: &ChromaFrames) -> Option<KeyEstimate> {
    let windows = windows(frames);
    home(frames, &windows).map(|stretch| judge(frames, &windows[stretch]))
}

/// The longest stretch of `windows` in one key, or `None` where nothing is pitched.
pub(super) fn home(frames: &ChromaFrames, windows: &[Window]) -> Option<Range<usize>> {
    if pitchedness(frames) < MIN_PITCHEDNESS {
        return None;
    }
    let secs = |stretch: &Range<usize>| -> f32 { windows[stretch.clone()].iter().map(|w| w.weight).sum() };
    stretches(windows).into_iter().rev().max_by(|a, b| secs(a).total_cmp(&secs(b)))
}

/// The key of some windows that lie side by side.
pub(super) fn judge(frames: &ChromaFrames, home: &[Window]) -> KeyEstimate {
    let probabilities = KeyEvidence::of(frames, frames_of(home)).probabilities();
    let mut ranked: Vec<(f32, Key)> = probabilities.into_iter().zip(Key::all()).collect();
    ranked.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let heard_secs: f32 = home.iter().map(|window| window.weight).sum();
    KeyEstimate {
        key: ranked[0].1,
        confidence: ranked[0].0 * (heard_secs / CERTAIN_SECS).min(1.0),
        runner_up: ranked[1].1,
        tuning_cents: frames.tuning_cents,
    }
}

/// The frames of windows that lie side by side.
pub(super) fn frames_of(home: &[Window]) -> Range<usize> {
    home[0].frames.start..home[home.len() - 1].frames.end
}

/// Mean chroma of a frame, loud frames first.
pub(super) fn pitchedness(frames: &ChromaFrames) -> f32 {
    let weight: f32 = frames.weights.iter().sum();
    let chroma =
        frames.chroma.iter().zip(&frames.weights).map(|(chroma, weight)| chroma.iter().sum::<f32>() * weight);
    if weight > 0.0 { chroma.sum::<f32>() / weight } else { 0.0 }
}

pub(super) struct Window {
    pub(super) frames: Range<usize>,
    scores: KeyScores,
    /// Seconds of loud music.
    weight: f32,
}

/// The song in equal parts of about [`WINDOW_SECS`].
pub(super) fn windows(frames: &ChromaFrames) -> Vec<Window> {
    let count = frames.chroma.len();
    let parts = ((count as f64 * frames.hop_secs / WINDOW_SECS).round() as usize).max(1);
    (0..parts)
        .map(|part| {
            let mut sum = [0.0; 12];
            let range = part * count / parts..(part + 1) * count / parts;
            for (chroma, weight) in frames.chroma[range.clone()].iter().zip(&frames.weights[range.clone()]) {
                sum.iter_mut().zip(chroma).for_each(|(sum, class)| *sum += class * weight);
            }
            let weight = frames.weights[range.clone()].iter().sum::<f32>() * frames.hop_secs as f32;
            Window { frames: range, scores: profile_scores(&sum), weight }
        })
        .collect()
}

/// The windows cut where the key changes, after the best path through local keys (Viterbi).
pub(super) fn stretches(windows: &[Window]) -> Vec<Range<usize>> {
    let mut totals = [0.0f32; 24];
    let mut came_from = Vec::with_capacity(windows.len());
    for window in windows {
        let leader = argmax(&totals);
        let moved = totals[leader] - MODULATION_COST_SECS;
        came_from
            .push(std::array::from_fn::<usize, 24, _>(|key| if totals[key] < moved { leader } else { key }));
        for (total, score) in totals.iter_mut().zip(window.scores) {
            *total = total.max(moved) + score * window.weight;
        }
    }
    let mut key = argmax(&totals);
    let mut end = windows.len();
    let mut stretches = Vec::new();
    for start in (0..windows.len()).rev() {
        let before = came_from[start][key];
        if before != key || start == 0 {
            stretches.push(start..end);
            (key, end) = (before, start);
        }
    }
    stretches.reverse();
    stretches
}
