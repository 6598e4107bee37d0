//! What speaks for each key, and how likely that makes it.

use std::ops::Range;

use serde::Serialize;

use super::chords::TriadPath;
use super::decide::KeyScores;
use super::profiles::profile_scores;
use super::weights::{FIT, MOVES, OPENING, SHARES};
use super::{Key, Mode};
use crate::analyze::harmony::ChromaFrames;

/// What a stretch of a song shows of its key. Keys, and triads by root and mode, are in the order of [`Key::all`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct KeyEvidence {
    /// How well all its chroma together fits the profile of each key.
    pub fit: [f32; 24],
    /// The share of each triad in its time.
    pub shares: [f32; 24],
    /// The share of each move from one triad (row) to another in its changes of chord.
    pub moves: [[f32; 24]; 24],
    /// The triad that it begins with.
    pub opening: Option<usize>,
}

impl KeyEvidence {
    /// Hears `range` of the frames.
    pub(super) fn of(frames: &ChromaFrames, range: Range<usize>) -> Self {
        let mut sum = [0.0; 12];
        for (chroma, weight) in frames.chroma[range.clone()].iter().zip(&frames.weights[range.clone()]) {
            sum.iter_mut().zip(chroma).for_each(|(sum, class)| *sum += class * weight);
        }
        let path = TriadPath::through(frames, range);
        Self {
            fit: profile_scores(&sum),
            shares: path.shares(),
            moves: path.moves(),
            opening: path.opening(),
        }
    }

    /// The probability of each key: a conditional logit, whose weights are the same for all keys of one mode once
    /// chords are counted from the tonic.
    pub(super) fn probabilities(&self) -> KeyScores {
        let mut scores = [0.0; 24];
        for (place, (score, key)) in scores.iter_mut().zip(Key::all()).enumerate() {
            let mode = usize::from(key.mode == Mode::Minor);
            *score = FIT * self.fit[place];
            if self.opening == Some(place) {
                *score += OPENING;
            }
            for triad in 0..24 {
                let (chord_mode, degree) = (triad / 12, (triad % 12 + 12 - key.tonic.semitone()) % 12);
                *score += SHARES[mode][chord_mode][degree] * self.shares[triad];
                *score += MOVES[mode][chord_mode][degree] * self.moves[triad][place];
            }
        }
        let best = scores.iter().fold(f32::MIN, |best, &score| best.max(score));
        let likelihoods = scores.map(|score| (score - best).exp());
        let total: f32 = likelihoods.iter().sum();
        likelihoods.map(|likelihood| likelihood / total)
    }
}
