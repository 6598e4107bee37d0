//! Where beats fall whose tempo may leave what was read of it.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::beats::{largest, last_of};

/// The most frames by which an interval differs from the one before, other than by a jump.
const LARGEST_CHANGE: usize = 4;
/// What any other change costs, as when a song goes on at another tempo: a few beats of clear evidence.
const JUMP_COST: f32 = 20.0;
/// What the squared logarithm of an interval's ratio to the period costs.
const AWAY_COST: f32 = 30.0;

/// Beats like those of [`track`](super::beats::track) that may also follow a tempo which leaves `periods`, as in a
/// ritardando: what costs is mostly that an interval differs from the one before.
pub(super) fn track_freely(onsets: &[f32], periods: &[f32]) -> Vec<usize> {
    const STRETCH: f32 = 1.4;

    let (least, most) = periods.iter().fold((f32::MAX, 0.0_f32), |(a, b), &p| (a.min(p), b.max(p)));
    let shortest = ((least / STRETCH) as usize).max(1);
    let longest = ((most * STRETCH) as usize).max(shortest);
    let mut search = Search::new(shortest, longest);
    let states = search.states;
    let mut previous = vec![0_u8; onsets.len() * states];
    let mut ends = Vec::new();
    let last_start = onsets.len().saturating_sub(periods.last().map_or(1, |&period| period as usize).max(1));
    for (frame, (&onset, &period)) in onsets.iter().zip(periods).enumerate() {
        Arch::new().dispatch(Step { search: &mut search, frame, onset, period_logarithm: period.ln() });
        for (previous, from) in previous[frame * states..].iter_mut().zip(&search.from) {
            *previous = *from as u8;
        }
        if frame >= last_start {
            ends.extend(search.best.iter().enumerate().map(|(state, &score)| (score, frame, state)));
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

/// A search frame by frame for the best beats that end there, for every interval before the last. A state is an interval,
/// counted from the shortest.
struct Search {
    shortest: usize,
    longest: usize,
    states: usize,
    changes: Vec<Change>,
    logarithms: Vec<f32>,
    /// Zero, one, two and so on.
    numbers: Vec<u32>,
    /// A score stands in the row of its frame and state together: all that one change reads lies side by side.
    scores: Vec<f32>,
    rows: usize,
    /// The best score of every frame and its state, after silence as long as the longest interval.
    leader_scores: Vec<f32>,
    leaders: Vec<u32>,
    /// Of this frame: scores, the states before, and what it costs to leave the period.
    best: Vec<f32>,
    from: Vec<u32>,
    away: Vec<f32>,
}

impl Search {
    fn new(shortest: usize, longest: usize) -> Self {
        // A byte holds a state: tempos of one reading span far less.
        let states = (longest - shortest + 1).min(255);
        let largest_change = LARGEST_CHANGE.min(states - 1);
        let slower = (1..=largest_change).rev().map(|step| Change::new((0, step), shortest, states));
        let faster = (0..=largest_change).map(|step| Change::new((step, 0), shortest, states));
        let rows = shortest + states + LARGEST_CHANGE;
        Self {
            shortest,
            longest,
            states,
            changes: slower.chain(faster).collect(),
            logarithms: (0..states).map(|state| ((shortest + state) as f32).ln()).collect(),
            numbers: (0..states as u32).collect(),
            scores: vec![0.0; rows * states],
            rows,
            leader_scores: vec![0.0; longest],
            leaders: vec![0; longest],
            best: vec![0.0; states],
            from: vec![0; states],
            away: vec![0.0; states],
        }
    }
}

/// A change from the interval before to a longer or a shorter one.
struct Change {
    /// States by which the one before was further up, or down.
    up: usize,
    down: usize,
    /// The states that it leads to, and those that it comes from.
    targets: Range<usize>,
    origins: Range<usize>,
    /// What it costs to come to every target.
    costs: Vec<f32>,
}

impl Change {
    fn new((up, down): (usize, usize), shortest: usize, states: usize) -> Self {
        /// What the squared relative change of an interval costs; one frame is free, as periods are no whole frames.
        const COST: f32 = 3000.0;
        let cost = |state: usize| {
            let share = (up + down).saturating_sub(1) as f32 / (shortest + state) as f32;
            COST * share * share
        };
        let (targets, origins) = (down..states - up, up..states - down);
        Self { up, down, costs: targets.clone().map(cost).collect(), targets, origins }
    }
}

/// One frame of a [`Search`].
struct Step<'a> {
    search: &'a mut Search,
    frame: usize,
    onset: f32,
    period_logarithm: f32,
}

impl WithSimd for Step<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { search, frame, onset, period_logarithm } = self;
        let Search { shortest, longest, states, changes, numbers, scores, rows, best, from, away, .. } =
            search;
        for (cost, logarithm) in away.iter_mut().zip(&search.logarithms) {
            let deviation = logarithm - period_logarithm;
            *cost = AWAY_COST * deviation * deviation;
        }
        best.fill(0.0);
        from.copy_from_slice(numbers);
        let after_last = frame + *longest - *shortest + 1;
        let origins = after_last - *states..after_last;
        let leading = search.leader_scores[origins.clone()].iter().zip(&search.leaders[origins]).rev();
        for (target, (score, leader)) in best.iter_mut().zip(&mut *from).zip(&*away).zip(leading) {
            let ((best, from), away) = target;
            let score = score - JUMP_COST - away;
            let is_better = score > *best;
            *best = if is_better { score } else { *best };
            *from = if is_better { *leader } else { *from };
        }
        for change in &*changes {
            let Some(row) = (frame + change.up).checked_sub(*shortest + change.down) else { continue };
            let (targets, origins) = (change.targets.clone(), change.origins.clone());
            let states_before =
                scores[row % *rows * *states..][origins.clone()].iter().zip(&numbers[origins]);
            let costs = change.costs.iter().zip(&away[targets.clone()]);
            let reached = best[targets.clone()].iter_mut().zip(&mut from[targets]);
            for (((best, from), (cost, away)), (score, number)) in reached.zip(costs).zip(states_before) {
                let score = score - cost - away;
                let is_better = score > *best;
                *best = if is_better { score } else { *best };
                *from = if is_better { *number } else { *from };
            }
        }
        best.iter_mut().for_each(|best| *best += onset);
        for (state, score) in best.iter().enumerate() {
            scores[(frame + state) % *rows * *states + state] = *score;
        }
        let leader = largest(best);
        search.leader_scores.push(leader);
        search.leaders.push(last_of(best, leader) as u32);
    }
}
