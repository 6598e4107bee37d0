//! YIN's candidates for the pitch of one frame, with probabilities.

use std::sync::Arc;

use realfft::num_complex::Complex64;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use super::PyinOptions;

/// Ten bins to a semitone.
pub(super) const BINS_PER_OCTAVE: f64 = 120.0;
const THRESHOLDS: usize = 100;
/// What the deepest trough gets where none is below the threshold.
const NO_TROUGH_PROBABILITY: f64 = 0.01;
/// Decay of the prior over troughs: shorter periods first.
const BOLTZMANN: f64 = 2.0;

/// Finds candidates frame by frame.
pub(super) struct CandidateFinder {
    rate_hz: f64,
    lowest_hz: f64,
    bins: usize,
    min_period: usize,
    max_period: usize,
    /// How likely each threshold is: a beta distribution with parameters 2 and 18.
    threshold_probabilities: [f64; THRESHOLDS],
    forward: Arc<dyn RealToComplex<f64>>,
    backward: Arc<dyn ComplexToReal<f64>>,
    padded: Vec<f64>,
    spectrum: Vec<Complex64>,
    correlation: Vec<f64>,
    /// The normalised difference for every period.
    difference: Vec<f64>,
    troughs: Vec<usize>,
    probabilities: Vec<f64>,
    /// Pitch bins and their probabilities.
    candidates: Vec<(usize, f64)>,
}

impl CandidateFinder {
    pub(super) fn new(rate_hz: f64, options: &PyinOptions) -> Self {
        let size = (2 * options.frame_samples).next_power_of_two();
        let mut planner = RealFftPlanner::new();
        let (forward, backward) = (planner.plan_fft_forward(size), planner.plan_fft_inverse(size));
        let min_period = ((rate_hz / options.highest_hz).floor() as usize).max(1);
        let max_period = ((rate_hz / options.lowest_hz).ceil() as usize)
            .min(options.frame_samples - 1)
            .max(min_period + 1);
        let cumulative = |n: usize| {
            let (x, rest) = (n as f64 / THRESHOLDS as f64, 1.0 - n as f64 / THRESHOLDS as f64);
            1.0 - rest.powi(19) - 19.0 * x * rest.powi(18)
        };
        Self {
            rate_hz,
            lowest_hz: options.lowest_hz,
            bins: (BINS_PER_OCTAVE * (options.highest_hz / options.lowest_hz).log2()).floor() as usize + 1,
            min_period,
            max_period,
            threshold_probabilities: std::array::from_fn(|n| cumulative(n + 1) - cumulative(n)),
            padded: forward.make_input_vec(),
            spectrum: forward.make_output_vec(),
            correlation: backward.make_output_vec(),
            forward,
            backward,
            difference: Vec::new(),
            troughs: Vec::new(),
            probabilities: Vec::new(),
            candidates: Vec::new(),
        }
    }

    /// Pitch bins, from the lowest pitch up.
    pub(super) fn bins(&self) -> usize {
        self.bins
    }

    /// What the last frame may be, by rising bin.
    pub(super) fn candidates(&self) -> &[(usize, f64)] {
        &self.candidates
    }

    /// Looks at a frame; returns how likely it is voiced.
    pub(super) fn find(&mut self, frame: &[f32]) -> f64 {
        self.measure_difference(frame);
        self.find_troughs();
        self.weigh_troughs();
        self.candidates.clear();
        for (&trough, &probability) in self.troughs.iter().zip(&self.probabilities) {
            if probability == 0.0 {
                continue;
            }
            let period = (self.min_period + trough) as f64 + self.shift(trough);
            let bin = (BINS_PER_OCTAVE * (self.rate_hz / period / self.lowest_hz).log2()).round_ties_even();
            let bin = bin.clamp(0.0, self.bins as f64) as usize;
            // Of two in one bin the longer period stays.
            self.candidates.retain(|&(other, _)| other != bin);
            if bin < self.bins {
                self.candidates.push((bin, probability));
            }
        }
        self.candidates.sort_unstable_by_key(|&(bin, _)| bin);
        self.candidates.iter().map(|(_, probability)| probability).sum::<f64>().clamp(0.0, 1.0)
    }

    /// The cumulative mean normalised difference function (equation 8 of de Cheveigné & Kawahara, "YIN", JASA 2002).
    fn measure_difference(&mut self, frame: &[f32]) {
        self.padded.fill(0.0);
        self.padded.iter_mut().zip(frame).for_each(|(out, &sample)| *out = f64::from(sample));
        self.forward.process(&mut self.padded, &mut self.spectrum).expect("buffers come from the plan");
        let scale = 1.0 / self.correlation.len() as f64;
        self.spectrum.iter_mut().for_each(|bin| *bin = Complex64::new(bin.norm_sqr() * scale, 0.0));
        self.backward.process(&mut self.spectrum, &mut self.correlation).expect("buffers come from the plan");
        self.difference.clear();
        let (mut energy, mut total) = (0.0, 0.0);
        for period in 1..=self.max_period {
            energy += f64::from(frame[period - 1]).powi(2);
            let difference = 2.0 * (self.correlation[0] - self.correlation[period]) - energy;
            // Rounding must not make silence periodic: single precision is what the definition works in.
            let difference = if difference.abs() < 1e-12 * self.correlation[0] { 0.0 } else { difference };
            total += difference;
            if period >= self.min_period {
                self.difference.push(difference / (total / period as f64 + f64::from(f32::MIN_POSITIVE)));
            }
        }
    }

    fn find_troughs(&mut self) {
        let heights = &self.difference;
        let last = heights.len() - 1;
        self.troughs.clear();
        self.troughs.extend((0..=last).filter(|&n| match n {
            0 => heights[0] < heights[1],
            n if n == last => heights[n] < heights[n - 1],
            n => heights[n] < heights[n - 1] && heights[n] <= heights[n + 1],
        }));
    }

    /// The probability of each trough: for every threshold, those below share its probability, the first most.
    fn weigh_troughs(&mut self) {
        self.probabilities.clear();
        self.probabilities.resize(self.troughs.len(), 0.0);
        let Some(deepest) = (0..self.troughs.len())
            .min_by(|&a, &b| self.difference[self.troughs[a]].total_cmp(&self.difference[self.troughs[b]]))
        else {
            return;
        };
        let decay = (-BOLTZMANN).exp();
        for (n, &threshold_probability) in self.threshold_probabilities.iter().enumerate() {
            let threshold = (n + 1) as f64 / THRESHOLDS as f64;
            let below = |trough: usize| self.difference[trough] < threshold;
            if !below(self.troughs[deepest]) {
                self.probabilities[deepest] += NO_TROUGH_PROBABILITY * threshold_probability;
                continue;
            }
            let count = self.troughs.iter().filter(|&&trough| below(trough)).count();
            let mut prior = (1.0 - decay) / (1.0 - decay.powi(count as i32));
            for (&trough, probability) in self.troughs.iter().zip(&mut self.probabilities) {
                if self.difference[trough] < threshold {
                    *probability += prior * threshold_probability;
                    prior *= decay;
                }
            }
        }
    }

    /// How far the true minimum is from a trough, by a parabola through its neighbours.
    fn shift(&self, trough: usize) -> f64 {
        if trough == 0 || trough + 1 == self.difference.len() {
            return 0.0;
        }
        let [left, centre, right] = [-1, 0, 1].map(|step| self.difference[trough.wrapping_add_signed(step)]);
        let curvature = right + left - 2.0 * centre;
        let slope = (right - left) / 2.0;
        if slope.abs() >= curvature.abs() { 0.0 } else { -slope / curvature }
    }
}
