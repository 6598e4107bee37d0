//! Which tempos a song may have, and how its tempo moves.

use super::choose::SAME_TEMPO;
use super::onset::FRAME_RATE_HZ;
use super::pulse::Pulse;
use crate::dsp::dot;

/// The tempos that are believed, in beats per minute.
pub(crate) const TEMPO_RANGE_BPM: (f64, f64) = (54.0, 216.0);

/// Autocorrelations of the pulse in overlapping windows.
#[derive(Debug)]
pub(super) struct Tempogram {
    /// One per window: correlation by lag in frames, 1 at lag 0.
    columns: Vec<Vec<f32>>,
    mean: Vec<f32>,
    /// The mean of the middle band alone.
    snare_mean: Vec<f32>,
}

/// Frames of a window; four beats at the slowest tempo must fit twice.
const WINDOW: usize = 1000;
const HOP: usize = 200;
const MAX_LAG: usize = 450;

impl Tempogram {
    pub(super) fn new(pulse: &Pulse) -> Self {
        let columns = columns(&pulse.total);
        let mean = mean_column(&columns);
        let snare_mean = mean_column(&self::columns(&pulse.bands[1]));
        Self { columns, mean, snare_mean }
    }

    /// How strongly the song repeats after one, two, three and four beats of this tempo, about `-1.0..=1.0`.
    pub(super) fn strength(&self, bpm: f64) -> f32 {
        comb(&self.mean, FRAME_RATE_HZ * 60.0 / bpm)
    }

    /// The same of the middle band, where snares and chords are.
    pub(super) fn snare_strength(&self, bpm: f64) -> f32 {
        comb(&self.snare_mean, FRAME_RATE_HZ * 60.0 / bpm)
    }

    /// By how much more the middle band repeats after `late` beats than after `early` ones.
    pub(super) fn snare_gain(&self, bpm: f64, early: f64, late: f64) -> f32 {
        let after =
            |beats: f64| value_at(&self.snare_mean, beats * FRAME_RATE_HZ * 60.0 / bpm).unwrap_or(0.0);
        after(late) - after(early)
    }

    /// The tempo around `bpm`, which is known to a frame per beat, that the song repeats by best.
    pub(super) fn strongest_near(&self, bpm: f64) -> f64 {
        (-12..=12)
            .map(|n| bpm * (1.0 + 0.0025 * f64::from(n)))
            .max_by(|&a, &b| self.strength(a).total_cmp(&self.strength(b)))
            .unwrap_or(bpm)
    }

    /// How strongly each part of the song repeats by its own beat period, on average.
    pub(super) fn local_strength(&self, periods: &[f32]) -> f32 {
        let local = self.columns.iter().enumerate().map(|(n, column)| {
            let middle = (n * HOP + WINDOW / 2).min(periods.len() - 1);
            comb(column, f64::from(periods[middle]))
        });
        local.sum::<f32>() / self.columns.len() as f32
    }

    /// Whether the song repeats at this tempo more than noise of its length would by chance.
    pub(super) fn is_periodic(&self, bpm: f64) -> bool {
        const LEAST: f32 = 0.05;
        /// Chance correlations shrink with the root of the number of windows.
        const CHANCE: f32 = 0.06;
        self.strength(bpm) > LEAST + CHANCE / (self.columns.len() as f32).sqrt()
    }

    /// Tempos of `bpm_range` worth a closer look, in no order: the strongest and their simple multiples.
    pub(super) fn candidates_bpm(&self, bpm_range: (f64, f64)) -> Vec<f64> {
        const PEAKS: usize = 6;
        const RATIOS: [f64; 5] = [1.0, 2.0, 0.5, 1.5, 2.0 / 3.0];

        let (slowest, fastest) = bpm_range;
        let steps = (200.0 * (fastest / slowest).log2()) as usize;
        let grid: Vec<(f64, f32)> = (0..=steps)
            .map(|n| slowest * (n as f64 / 200.0).exp2())
            .map(|bpm| (bpm, self.strength(bpm) * prior(bpm).sqrt()))
            .collect();
        let mut peaks: Vec<(f64, f32)> = (0..grid.len())
            .filter(|&n| {
                let around = &grid[n.saturating_sub(3)..(n + 4).min(grid.len())];
                grid[n].1 > 0.0 && around.iter().all(|other| other.1 <= grid[n].1)
            })
            .map(|n| grid[n])
            .collect();
        peaks.sort_by(|a, b| b.1.total_cmp(&a.1));
        peaks.truncate(PEAKS);
        let mut candidates: Vec<f64> = Vec::new();
        for ratio in RATIOS {
            for &(bpm, _) in &peaks {
                let bpm = bpm * ratio;
                if bpm >= slowest
                    && bpm <= fastest
                    && candidates.iter().all(|other| (bpm / other - 1.0).abs() > SAME_TEMPO)
                {
                    candidates.push(bpm);
                }
            }
        }
        candidates
    }

    /// The beat period in frames at every onset frame: the path near `bpm` that the song repeats by best.
    pub(super) fn periods(&self, bpm: f64, frames: usize) -> Vec<f32> {
        /// Steps of 1 % to either side: less than half way to the next octave.
        const REACH: i32 = 34;
        /// What a change of tempo by 1 % from one window to the next costs, and what any jump costs at most.
        const STEP_COST: f32 = 0.02;
        const JUMP_COST: f32 = 0.25;
        /// What 1 % away from the song's own tempo costs per window.
        const AWAY_COST: f32 = 0.001;

        let periods: Vec<f64> =
            (-REACH..=REACH).map(|n| FRAME_RATE_HZ * 60.0 / bpm * (f64::from(n) * 0.01).exp()).collect();
        let states = periods.len();
        let mut scores = vec![0.0_f32; states];
        let mut origins: Vec<Vec<u8>> = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let (best, &best_score) =
                scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).expect("there are states");
            let mut next = vec![0.0; states];
            let mut origin = vec![0_u8; states];
            for state in 0..states {
                let mut from = best;
                let mut score = best_score - JUMP_COST;
                let near = state.saturating_sub(12)..(state + 13).min(states);
                for other in near {
                    let cost = STEP_COST * state.abs_diff(other) as f32;
                    if scores[other] - cost > score {
                        (from, score) = (other, scores[other] - cost);
                    }
                }
                let away = AWAY_COST * (state as f32 - REACH as f32).abs();
                next[state] = score + comb(column, periods[state]) - away;
                origin[state] = from as u8;
            }
            scores = next;
            origins.push(origin);
        }
        let mut state = (0..states).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap_or(0);
        let mut path = vec![0.0_f32; origins.len()];
        for (value, origin) in path.iter_mut().zip(&origins).rev() {
            *value = periods[state] as f32;
            state = usize::from(origin[state]);
        }
        (0..frames)
            .map(|frame| {
                let column =
                    ((frame as f32 - WINDOW as f32 / 2.0) / HOP as f32).clamp(0.0, (path.len() - 1) as f32);
                let (left, share) = (column as usize, column.fract());
                let right = (left + 1).min(path.len() - 1);
                path[left] * (1.0 - share) + path[right] * share
            })
            .collect()
    }
}

/// How usual a tempo is: log-normal around 120 as in the tempo perception literature (van Noorden & Moelants,
/// "Resonance in the perception of musical pulse", 1999), 1 at its top.
pub(super) fn prior(bpm: f64) -> f32 {
    const CENTRE_BPM: f64 = 122.0;
    const WIDTH_OCTAVES: f64 = 0.7;
    (-0.5 * ((bpm / CENTRE_BPM).log2() / WIDTH_OCTAVES).powi(2)).exp() as f32
}

/// The autocorrelation of every window.
fn columns(onsets: &[f32]) -> Vec<Vec<f32>> {
    // Onsets are one or two frames wide and periods no whole frames: blurred, they still meet after a beat.
    let blurred: Vec<f32> = (0..onsets.len())
        .map(|n| {
            let last = onsets[n.saturating_sub(1)];
            let next = onsets[(n + 1).min(onsets.len() - 1)];
            0.5 * onsets[n] + 0.25 * (last + next)
        })
        .collect();
    let starts = (0..=blurred.len().saturating_sub(WINDOW)).step_by(HOP);
    starts.map(|start| autocorrelation(&blurred[start..(start + WINDOW).min(blurred.len())])).collect()
}

fn mean_column(columns: &[Vec<f32>]) -> Vec<f32> {
    let mut mean = vec![0.0; columns[0].len()];
    for column in columns {
        for (sum, value) in mean.iter_mut().zip(column) {
            *sum += value / columns.len() as f32;
        }
    }
    mean
}

fn autocorrelation(values: &[f32]) -> Vec<f32> {
    let average = super::pulse::mean(values);
    let centred: Vec<f32> = values.iter().map(|value| value - average).collect();
    let lags = MAX_LAG.min(values.len() / 2) + 1;
    let products = |lag: usize| -> f32 {
        dot(&centred[lag..], &centred[..values.len() - lag]) / (values.len() - lag).max(1) as f32
    };
    // A window in which hardly anything starts says hardly anything: the pulse has variance 1 on the whole.
    let power = products(0).max(0.1);
    (0..lags).map(|lag| products(lag) / power).collect()
}

fn comb(correlation: &[f32], period: f64) -> f32 {
    const WEIGHTS: [f32; 4] = [1.0, 1.0, 0.7, 0.7];
    let (mut sum, mut weights) = (0.0, 0.0);
    for (n, weight) in WEIGHTS.iter().enumerate() {
        if let Some(value) = value_at(correlation, period * (n + 1) as f64) {
            sum += weight * value;
            weights += weight;
        }
    }
    if weights > 0.0 { sum / weights } else { 0.0 }
}

/// The correlation at a lag between two frames, where it was measured.
fn value_at(correlation: &[f32], lag: f64) -> Option<f32> {
    let (left, share) = (lag as usize, lag.fract() as f32);
    (left + 1 < correlation.len()).then(|| correlation[left] * (1.0 - share) + correlation[left + 1] * share)
}
