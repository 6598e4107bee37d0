//! Straight lines through beats: constant tempo.

use super::beats::{Attack, attack_near};
use super::pulse::median;

/// Beats at `start_secs + k * period_secs`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Line {
    pub(super) start_secs: f64,
    pub(super) period_secs: f64,
}

impl Line {
    pub(super) fn bpm(&self) -> f64 {
        60.0 / self.period_secs
    }

    pub(super) fn at(&self, index: f64) -> f64 {
        self.start_secs + index * self.period_secs
    }

    pub(super) fn index_near(&self, secs: f64) -> f64 {
        ((secs - self.start_secs) / self.period_secs).round()
    }

    /// Its beats from the one nearest to a time to the one nearest to another.
    pub(super) fn between(&self, first_secs: f64, last_secs: f64) -> Vec<f64> {
        let (first, last) = (self.index_near(first_secs), self.index_near(last_secs));
        (0..=(last - first).max(0.0) as usize).map(|n| self.at(first + n as f64)).collect()
    }

    pub(super) fn residual(&self, secs: f64) -> f64 {
        secs - self.at(self.index_near(secs))
    }

    /// The least squares line through weighted points, each at the nearest index of the line `guess`.
    pub(super) fn through(points: impl Iterator<Item = Attack>, guess: &Line) -> Option<Line> {
        let (mut weight, mut index_sum, mut secs_sum) = (0.0, 0.0, 0.0);
        let (mut index_squares, mut products) = (0.0, 0.0);
        for point in points {
            let w = f64::from(point.strength);
            let (index, secs) = (guess.index_near(point.secs), point.secs - guess.start_secs);
            weight += w;
            index_sum += w * index;
            secs_sum += w * secs;
            index_squares += w * index * index;
            products += w * index * secs;
        }
        let spread = weight * index_squares - index_sum * index_sum;
        if spread.is_nan() || spread <= 0.0 {
            return None;
        }
        let period_secs = (weight * products - index_sum * secs_sum) / spread;
        let start_secs = guess.start_secs + (secs_sum - period_secs * index_sum) / weight;
        (period_secs > 0.0).then_some(Line { start_secs, period_secs })
    }
}

/// The line that most of the beats lie on: grown from several places of the song, best supported first.
pub(super) fn best_line(beats: &[Attack]) -> Option<Line> {
    const ANCHORS: usize = 9;
    const SEED_BEATS: usize = 16;
    const NEAR_SECS: f64 = 0.03;

    let seed_beats = SEED_BEATS.min(beats.len());
    if seed_beats < 3 {
        return None;
    }
    let mut best: Option<(f64, Line)> = None;
    for anchor in 0..ANCHORS {
        let mut first = (beats.len() - seed_beats) * anchor / (ANCHORS - 1);
        let mut end = first + seed_beats;
        let mut intervals: Vec<f64> =
            beats[first..end].windows(2).map(|pair| pair[1].secs - pair[0].secs).collect();
        let Some(period_secs) = median(&mut intervals).filter(|&period| period > 0.0) else { continue };
        let mut line = Line { start_secs: beats[first + seed_beats / 2].secs, period_secs };
        loop {
            for _ in 0..3 {
                let near = beats[first..end].iter().filter(|beat| line.residual(beat.secs).abs() < NEAR_SECS);
                let Some(better) = Line::through(near.copied(), &line) else { break };
                line = better;
            }
            if (first, end) == (0, beats.len()) {
                break;
            }
            let grown = (end - first) / 2;
            (first, end) = (first.saturating_sub(grown), (end + grown).min(beats.len()));
        }
        let support: f64 = beats
            .iter()
            .filter(|beat| line.residual(beat.secs).abs() < NEAR_SECS / 2.0)
            .map(|beat| f64::from(beat.strength))
            .sum();
        if best.is_none_or(|(most, _)| support > most) {
            best = Some((support, line));
        }
    }
    best.map(|(_, line)| line)
}

/// The line moved onto the attacks around its own beats between two times.
pub(super) fn sharpen(line: Line, attacks: &[f32], from_secs: f64, to_secs: f64) -> Line {
    const ROUNDS: usize = 4;
    let mut line = line;
    for round in 0..ROUNDS {
        let reach_secs = if round == 0 { 0.03 } else { 0.015 };
        let points: Vec<Attack> = line
            .between(from_secs, to_secs)
            .into_iter()
            .map(|secs| attack_near(attacks, secs, reach_secs))
            .filter(|attack| attack.strength > 0.0)
            .collect();
        let mut residuals: Vec<f64> = points.iter().map(|point| line.residual(point.secs)).collect();
        let Some(shift) = median(&mut residuals) else { return line };
        let near = points.iter().filter(|point| (line.residual(point.secs) - shift).abs() < reach_secs / 2.0);
        let Some(better) = Line::through(near.copied(), &line) else { return line };
        line = better;
    }
    line
}
