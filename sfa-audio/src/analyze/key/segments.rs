//! Which key a song is in when.

use super::decide::{self, Window};
use super::profiles::profile_scores;
use super::{Key, KeyEstimate, KeySegment};
use crate::analyze::harmony::ChromaFrames;

/// Seconds that are heard at once when the place of a change is sought.
const STEP_SECS: f64 = 1.5;
/// How far from the border of two windows it may be.
const REACH_SECS: f64 = 12.0;

/// The keys of a song from its first to its last moment; empty where nothing is pitched.
///
/// Each stretch that stays in one key is judged as the whole song is, and what neighbours have in common is joined.
/// A border is then moved to where the keys on its two sides fit best what is before and after it.
pub(crate) fn segments(frames: &ChromaFrames, duration_secs: f64) -> Vec<KeySegment> {
    if decide::pitchedness(frames) < decide::MIN_PITCHEDNESS {
        return Vec::new();
    }
    let windows = decide::windows(frames);
    let mut parts: Vec<(KeyEstimate, &[Window])> = Vec::new();
    let mut first = 0;
    for stretch in decide::stretches(&windows) {
        let found = decide::judge(frames, &windows[stretch.clone()]);
        match parts.last_mut() {
            Some((before, part)) if before.key == found.key => {
                *part = &windows[first..stretch.end];
                *before = KeyEstimate { key: before.key, ..decide::judge(frames, part) };
            }
            _ => {
                first = stretch.start;
                parts.push((found, &windows[stretch]));
            }
        }
    }
    let mut starts_secs = vec![0.0];
    for pair in parts.windows(2) {
        let border = pair[1].1[0].frames.start as f64 * frames.hop_secs;
        let earliest = starts_secs[starts_secs.len() - 1] + STEP_SECS;
        starts_secs.push(change_secs(frames, pair[0].0.key, pair[1].0.key, border).max(earliest));
    }
    let ends_secs = starts_secs[1..].iter().copied().chain([duration_secs]);
    starts_secs
        .iter()
        .zip(ends_secs)
        .zip(&parts)
        .map(|((&start_secs, end_secs), (found, _))| KeySegment {
            start_secs: start_secs.min(end_secs),
            end_secs,
            key: found.key,
            confidence: found.confidence,
            runner_up: found.runner_up,
        })
        .collect()
}

/// The time near `border_secs` that best parts `before` from `after`.
fn change_secs(frames: &ChromaFrames, before: Key, after: Key, border_secs: f64) -> f64 {
    let step = (STEP_SECS / frames.hop_secs) as usize;
    let first = ((border_secs - REACH_SECS) / frames.hop_secs).max(0.0) as usize;
    let last = (((border_secs + REACH_SECS) / frames.hop_secs) as usize).min(frames.chroma.len());
    let place = |key: Key| Key::all().position(|other| other == key).expect("every key is among all keys");
    let (before, after) = (place(before), place(after));
    // What the first key is better by, up to each step.
    let mut lead = 0.0;
    let mut best = (f32::MIN, border_secs);
    for start in (first..last).step_by(step.max(1)) {
        let here_secs = start as f64 * frames.hop_secs;
        if lead > best.0 {
            best = (lead, here_secs);
        }
        let mut sum = [0.0; 12];
        for index in start..(start + step).min(last) {
            let weight = frames.weights[index];
            sum.iter_mut().zip(&frames.chroma[index]).for_each(|(sum, class)| *sum += class * weight);
        }
        let scores = profile_scores(&sum);
        lead += scores[before] - scores[after];
    }
    if lead > best.0 { last as f64 * frames.hop_secs } else { best.1 }
}
