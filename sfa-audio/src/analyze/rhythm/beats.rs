//! Where the beats of a known tempo fall.

use super::onset::{ATTACK_RATE_HZ, FRAME_RATE_HZ};

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
    let longest = periods.iter().fold(0.0_f32, |longest, &period| longest.max(period * STRETCH));
    let logarithms: Vec<f32> = (0..=longest as usize).map(|interval| (interval as f32).ln()).collect();
    for frame in 0..onsets.len() {
        let period = periods[frame];
        let period_logarithm = period.ln();
        let shortest = ((period / STRETCH) as usize).max(1);
        let longest = ((period * STRETCH) as usize).min(frame);
        let mut best = 0.0;
        for interval in shortest..=longest {
            let deviation = logarithms[interval] - period_logarithm;
            let score = scores[frame - interval] - TIGHTNESS * deviation * deviation;
            if score > best {
                best = score;
                previous[frame] = interval as u32;
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

/// Beats like those of [`track`] that may also follow a tempo which leaves `periods`, as in a ritardando: what
/// costs is mostly that an interval differs from the one before.
pub(super) fn track_freely(onsets: &[f32], periods: &[f32]) -> Vec<usize> {
    /// What the squared relative change of an interval costs; one frame is free, as periods are no whole frames.
    const CHANGE_COST: f32 = 3000.0;
    const AWAY_COST: f32 = 30.0;
    const STRETCH: f32 = 1.4;
    const LARGEST_CHANGE: usize = 4;
    /// What any other change costs, as when a song goes on at another tempo: a few beats of clear evidence.
    const JUMP_COST: f32 = 20.0;

    let (least, most) = periods.iter().fold((f32::MAX, 0.0_f32), |(a, b), &p| (a.min(p), b.max(p)));
    let shortest = ((least / STRETCH) as usize).max(1);
    let longest = ((most * STRETCH) as usize).max(shortest);
    // A byte holds a state: tempos of one reading span far less.
    let states = (longest - shortest + 1).min(255);
    let rows = longest + 1;
    let mut scores = vec![0.0_f32; rows * states];
    let mut previous = vec![0_u8; onsets.len() * states];
    let mut best_states = vec![0_u8; rows];
    let logarithms: Vec<f32> = (0..states).map(|state| ((shortest + state) as f32).ln()).collect();
    let mut ends = Vec::new();
    let last_start = onsets.len().saturating_sub(periods.last().map_or(1, |&period| period as usize).max(1));
    for (frame, (&onset, &period)) in onsets.iter().zip(periods).enumerate() {
        let period_logarithm = period.ln();
        for state in 0..states {
            let interval = shortest + state;
            let (mut best, mut from) = (0.0, state);
            if interval <= frame {
                let row = (frame - interval) % rows * states;
                let away = logarithms[state] - period_logarithm;
                let leader = usize::from(best_states[(frame - interval) % rows]);
                let jump = scores[row + leader] - JUMP_COST - AWAY_COST * away * away;
                if jump > best {
                    (best, from) = (jump, leader);
                }
                let near = state.saturating_sub(LARGEST_CHANGE)..(state + LARGEST_CHANGE + 1).min(states);
                for other in near {
                    let change = state.abs_diff(other).saturating_sub(1) as f32 / interval as f32;
                    let score = scores[row + other] - CHANGE_COST * change * change - AWAY_COST * away * away;
                    if score > best {
                        (best, from) = (score, other);
                    }
                }
            }
            scores[frame % rows * states + state] = onset + best;
            previous[frame * states + state] = from as u8;
        }
        let row = &scores[frame % rows * states..][..states];
        let leader = (0..states).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0);
        best_states[frame % rows] = leader as u8;
        if frame >= last_start {
            ends.extend((0..states).map(|state| (row[state], frame, state)));
        }
    }
    let Some((_, mut frame, mut state)) = ends.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)) else {
        return Vec::new();
    };
    let mut beats = vec![frame];
    while frame >= shortest + state {
        let from = usize::from(previous[frame * states + state]);
        frame -= shortest + state;
        state = from;
        beats.push(frame);
    }
    beats.reverse();
    beats
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
