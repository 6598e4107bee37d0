//! The most likely chord of every step.

use super::steps::Step;
use super::vocabulary::Vocabulary;
use crate::analyze::argmax;

/// What a change of chord costs in log-likelihood where a bar starts, and elsewhere.
const DOWNBEAT_CHANGE_COST: f32 = 1.5;
const CHANGE_COST: f32 = 6.0;

/// One state of the vocabulary per step.
pub(super) struct Path {
    pub(super) states: Vec<usize>,
    /// How likely each of them is, given all that was heard.
    pub(super) posteriors: Vec<f32>,
}

impl Path {
    /// The best path, where every change costs the same whatever it leads to: that way both algorithms take one
    /// pass over the states per step.
    pub(super) fn through(steps: &[Step], vocabulary: &Vocabulary) -> Self {
        let states = vocabulary.len();
        let mut fits = vec![0.0; states * steps.len()];
        for (fits, step) in fits.chunks_exact_mut(states).zip(steps) {
            vocabulary.fits(step, fits);
        }
        let costs: Vec<f32> = steps
            .iter()
            .map(|step| if step.is_downbeat { DOWNBEAT_CHANGE_COST } else { CHANGE_COST })
            .collect();
        let best = best_path(&fits, &costs, states);
        let posteriors = posteriors(&fits, &costs, &best, states);
        Self { states: best, posteriors }
    }
}

/// Viterbi's algorithm; `costs[i]` is what a change at the start of step `i` costs.
fn best_path(fits: &[f32], costs: &[f32], states: usize) -> Vec<usize> {
    let mut totals = vec![0.0f32; states];
    let mut came_from: Vec<Vec<u16>> = Vec::with_capacity(costs.len());
    for (fits, cost) in fits.chunks_exact(states).zip(costs) {
        let leader = argmax(&totals);
        let level = totals[leader];
        let changed = level - cost;
        came_from.push(
            totals
                .iter()
                .enumerate()
                .map(|(state, &total)| if total < changed { leader } else { state } as u16)
                .collect(),
        );
        // Only differences matter: without the leader's total, the sums stay small in a song of any length.
        for (total, fit) in totals.iter_mut().zip(fits) {
            *total = total.max(changed) - level + fit;
        }
    }
    let mut state = argmax(&totals);
    let mut path = vec![state; costs.len()];
    for (place, from) in path.iter_mut().zip(&came_from).rev() {
        *place = state;
        state = usize::from(from[state]);
    }
    path
}

/// The forward-backward algorithm: the probability of each state of `path`.
fn posteriors(fits: &[f32], costs: &[f32], path: &[usize], states: usize) -> Vec<f32> {
    let likelihoods = |step: usize| {
        let fits = &fits[step * states..][..states];
        let best = fits.iter().fold(f32::MIN, |best, &fit| best.max(fit));
        fits.iter().map(move |fit| (fit - best).exp())
    };
    // What each state inherits: its own share, and a little of all that changes into it.
    let spread = |values: &mut [f32], cost: f32| {
        let sum: f32 = values.iter().sum();
        let moves = (-cost).exp();
        values.iter_mut().for_each(|value| *value = *value / sum * (1.0 - moves) + moves);
    };
    let mut forward = Vec::with_capacity(path.len());
    let mut now = vec![1.0f32; states];
    for (step, &cost) in costs.iter().enumerate() {
        spread(&mut now, cost);
        now.iter_mut().zip(likelihoods(step)).for_each(|(value, likelihood)| *value *= likelihood);
        forward.push(now.clone());
    }
    let mut later = vec![1.0f32; states];
    let mut found = vec![0.0; path.len()];
    for step in (0..path.len()).rev() {
        let joint: f32 = forward[step].iter().zip(&later).map(|(before, after)| before * after).sum();
        found[step] = forward[step][path[step]] * later[path[step]] / joint;
        later.iter_mut().zip(likelihoods(step)).for_each(|(value, likelihood)| *value *= likelihood);
        spread(&mut later, costs[step]);
    }
    found
}
