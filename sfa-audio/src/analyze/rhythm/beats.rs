//! Where the beats of a known tempo fall.

use super::attack::ATTACK_RATE_HZ;
use super::onset::FRAME_RATE_HZ;

/// Beat frames that collect the most onset strength while every interval stays near its local period.
///
/// Dynamic programming after Ellis, "Beat tracking by dynamic programming" (2007), with a period that moves.
pub(super) fn track(onsets: &[f32], periods: &[f32]) -> Vec<usize> {
    /// What the squared logarithm of an interval's ratio to the period costs.
    const TIGHTNESS: f32 = 1000.0;
    /// The largest ratio of an interval to the period.
    const STRETCH: f32 = 1.25;

    let mut scores = vec![0.0_f32; onsets.len()];
    let mut previous = vec![0_u32; onsets.len()];
    let longest = periods.iter().fold(0.0_f32, |longest, &period| longest.max(period * STRETCH)) as usize;
    // Of the longest interval first, as the frames that far back come first.
    let logarithms: Vec<f32> = (0..=longest).rev().map(|interval| (interval as f32).ln()).collect();
    let mut reached = Vec::new();
    for frame in 0..onsets.len() {
        let period = periods[frame];
        let period_logarithm = period.ln();
        let intervals = ((period / STRETCH) as usize).max(1)..=((period * STRETCH) as usize).min(frame);
        let mut best = 0.0;
        if !intervals.is_empty() {
            let origins = &scores[frame - intervals.end()..=frame - intervals.start()];
            let logarithms = &logarithms[longest - intervals.end()..=longest - intervals.start()];
            reached.clear();
            reached.extend(origins.iter().zip(logarithms).map(|(score, logarithm)| {
                let deviation = logarithm - period_logarithm;
                score - TIGHTNESS * deviation * deviation
            }));
            best = largest(&reached).max(0.0);
            if best > 0.0 {
                previous[frame] = (intervals.end() - last_of(&reached, best)) as u32;
            }
        }
        scores[frame] = onsets[frame] + best;
    }
    let last_period = periods.last().map_or(0, |&period| period as usize);
    let tail = onsets.len().saturating_sub(last_period.max(1));
    let Some(mut frame) = (tail..onsets.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b])) else {
        return Vec::new();
    };
    let mut beats = vec![frame];
    while previous[frame] > 0 {
        frame -= previous[frame] as usize;
        beats.push(frame);
    }
    beats.reverse();
    beats
}

/// The largest value, of which there must be one.
#[inline(always)]
pub(super) fn largest(values: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let mut lanes = [values[0]; 8];
    let (chunks, rest) = values.as_chunks::<8>();
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(lane, &value)| *lane = larger(*lane, value));
    }
    lanes.iter().chain(rest).copied().fold(values[0], larger)
}

/// The last place of a value that is there.
pub(super) fn last_of(values: &[f32], sought: f32) -> usize {
    values.iter().rposition(|&value| value == sought).unwrap_or(0)
}

/// A beat's time by the sharpest attack nearby, and how sharp that is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attack {
    pub(super) secs: f64,
    pub(super) strength: f32,
}

/// The sharpest attack within `reach_secs` of `secs`; early and late ones count less.
pub(super) fn attack_near(attacks: &[f32], secs: f64, reach_secs: f64) -> Attack {
    let centre = secs * ATTACK_RATE_HZ;
    let reach = reach_secs * ATTACK_RATE_HZ;
    let first = (centre - reach).max(0.0).ceil() as usize;
    let end = ((centre + reach).max(0.0) as usize + 1).min(attacks.len());
    let weighted = |n: usize| {
        let distance = ((n as f64 - centre) / reach) as f32;
        attacks[n] * (1.0 - 0.5 * distance * distance)
    };
    let Some(peak) = (first..end).max_by(|&a, &b| weighted(a).total_cmp(&weighted(b)).then(b.cmp(&a))) else {
        return Attack { secs, strength: 0.0 };
    };
    if attacks[peak] <= 0.0 {
        return Attack { secs, strength: 0.0 };
    }
    let value = |n: usize| attacks.get(n).copied().unwrap_or(0.0);
    let (left, right) = (if peak > 0 { value(peak - 1) } else { 0.0 }, value(peak + 1));
    let curvature = left - 2.0 * attacks[peak] + right;
    let offset = if curvature < 0.0 { 0.5 * (left - right) / curvature } else { 0.0 };
    Attack { secs: (peak as f64 + f64::from(offset)) / ATTACK_RATE_HZ, strength: attacks[peak] }
}

/// The time of an onset whose strength peaks around a frame.
pub(super) fn secs_of_frame(frame: usize) -> f64 {
    frame as f64 / FRAME_RATE_HZ
}
