//! The strongest continuous pitch in a band.

use rayon::prelude::*;

use super::grid::Grid;
use super::scale::Scale;

const STEPS_PER_OCTAVE: f64 = 48.0;
/// How far a pitch glides from one row to the next, in steps; farther is a new note.
const GLIDE_STEPS: usize = 4;
/// Half of a Hann window's main lobe reaches this many bins.
const LOBE_BINS: f64 = 1.5;
/// Vibrato and glides widen a partial by this share of its frequency.
const VIBRATO: f64 = 0.015;

/// A melodic line that is looked for.
pub(super) struct Line {
    pub(super) low_hz: f64,
    pub(super) high_hz: f64,
    /// Partials that are added up, the first included.
    pub(super) partials: usize,
    /// The weight of each partial as a share of the one below.
    pub(super) decay: f32,
    /// The price of a new note as a multiple of the mean salience.
    pub(super) leap_price: f32,
}

impl Line {
    /// The pitch of every row in Hz: the path of the largest sum of partials (Viterbi 1967), which glides for
    /// free and leaps at a price.
    pub(super) fn track(&self, level: &Grid, scale: &Scale) -> Vec<f64> {
        let count = ((self.high_hz / self.low_hz).log2() * STEPS_PER_OCTAVE) as usize + 1;
        let pitches: Vec<f64> =
            (0..count).map(|step| self.low_hz * (step as f64 / STEPS_PER_OCTAVE).exp2()).collect();
        let salience = Grid::from_rows(level.rows(), count, |row, out| {
            for (salience, hz) in out.iter_mut().zip(&pitches) {
                let mut weight = 1.0;
                for partial in 1..=self.partials {
                    // The root keeps one loud partial from deciding alone.
                    *salience += weight * level_at(level.row(row), scale.bin(hz * partial as f64)).sqrt();
                    weight *= self.decay;
                }
            }
        });
        let sums: Vec<f32> =
            (0..level.rows()).into_par_iter().map(|row| salience.row(row).iter().sum::<f32>()).collect();
        let mean = sums.iter().sum::<f32>() / (sums.len() * count).max(1) as f32;
        best_path(&salience, mean * self.leap_price).into_iter().map(|step| pitches[step]).collect()
    }
}

/// The level between two bins, 0 beyond the last.
fn level_at(level: &[f32], bin: f64) -> f32 {
    let below = bin as usize;
    let part = (bin - below as f64) as f32;
    level.get(below..below + 2).map_or(0.0, |pair| pair[0] * (1.0 - part) + pair[1] * part)
}

fn best_path(salience: &Grid, leap_price: f32) -> Vec<usize> {
    let count = salience.bins();
    let mut best = vec![0.0_f32; count];
    let mut came_from: Vec<Vec<u16>> = Vec::with_capacity(salience.rows());
    for row in 0..salience.rows() {
        let leap = highest(&best);
        let mut next = Vec::with_capacity(count);
        let mut from = Vec::with_capacity(count);
        for (step, salience) in salience.row(row).iter().enumerate() {
            let near = step.saturating_sub(GLIDE_STEPS)..(step + GLIDE_STEPS + 1).min(count);
            let glide = near.start + highest(&best[near]);
            let (source, value) = if best[leap] - leap_price > best[glide] {
                (leap, best[leap] - leap_price)
            } else {
                (glide, best[glide])
            };
            next.push(value + salience);
            from.push(source as u16);
        }
        // Only differences matter, and near zero they keep their digits.
        let top = next[highest(&next)];
        best = next.into_iter().map(|value| value - top).collect();
        came_from.push(from);
    }
    let mut step = highest(&best);
    let mut path = vec![0; salience.rows()];
    for (place, from) in path.iter_mut().zip(&came_from).rev() {
        *place = step;
        step = usize::from(from[step]);
    }
    path
}

fn highest(values: &[f32]) -> usize {
    (0..values.len()).fold(0, |best, index| if values[index] > values[best] { index } else { best })
}

/// Tells which bins the partials of a pitch fall into.
pub(super) struct Comb<'a> {
    scale: &'a Scale,
}

impl<'a> Comb<'a> {
    pub(super) fn new(scale: &'a Scale) -> Self {
        Self { scale }
    }

    /// How near each bin is to a partial: 1 on it, 0 where its lobe has ended.
    pub(super) fn fill(&self, hz: f64, out: &mut [f32]) {
        let spacing = self.scale.bin(hz);
        for (bin, out) in out.iter_mut().enumerate() {
            let partial = (bin as f64 / spacing).round().max(1.0) * spacing;
            let width = (LOBE_BINS + VIBRATO * partial).min(spacing * 0.5);
            *out = (1.5 - (bin as f64 - partial).abs() / width).clamp(0.0, 1.0) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_followed_through_a_glide_and_a_leap() {
        let scale = Scale::new(44_100);
        let truth = |row: usize| if row < 60 { 220.0 * (row as f64 / 120.0).exp2() } else { 165.0 };
        let level = Grid::from_rows(120, scale.bins, |row, out| {
            for partial in 1..=5 {
                let centre = scale.bin(truth(row) * f64::from(partial));
                for (bin, level) in out.iter_mut().enumerate() {
                    *level += (1.0 - (bin as f64 - centre).abs() / 2.0).max(0.0) as f32 / partial as f32;
                }
            }
        });
        let line = Line { low_hz: 110.0, high_hz: 700.0, partials: 8, decay: 0.85, leap_price: 1.0 };
        for (row, hz) in line.track(&level, &scale).into_iter().enumerate() {
            // A bin of this window is 10.8 Hz, and partials sharpen that.
            assert!((hz - truth(row)).abs() < 8.0, "row {row}: {hz} Hz for {}", truth(row));
        }
    }
}
