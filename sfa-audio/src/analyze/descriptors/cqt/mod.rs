//! Chroma by a constant-Q transform: every octave at its own sample rate.

mod filters;
mod slide;

use std::collections::VecDeque;
use std::fmt;

use super::HOP_FRAMES;
use super::batch::LANES;
use super::folding::CLASSES;
use crate::dsp::{Decimator, Halver};
use filters::Filters;

const BINS_PER_OCTAVE: usize = 36;
const OCTAVES: usize = 7;
/// C1, the lowest bin.
const LOWEST_HZ: f64 = 32.703_195_662_574_83;
/// Width of a Hann window's response, in bins of its transform.
const HANN_BANDWIDTH: f64 = 1.500_183_105_468_75;

/// Where the transform works: how often the rate is halved before the highest octave, and by which filters.
#[derive(Debug, Clone, Copy)]
pub(super) struct CqtPlan {
    sample_rate_hz: f64,
    halvings: usize,
}

impl CqtPlan {
    /// `None` where half the sample rate is below the highest bin.
    pub(super) fn new(sample_rate_hz: u32) -> Option<Self> {
        let sample_rate_hz = f64::from(sample_rate_hz);
        let nyquist_hz = sample_rate_hz / 2.0;
        // librosa refuses by the bin's real tuning; half a bin more costs nothing and needs no knowledge of it.
        let top_hz = LOWEST_HZ * (OCTAVES as f64 - 0.5 / BINS_PER_OCTAVE as f64).exp2();
        let cut_off_hz = top_hz * (1.0 + 0.5 * HANN_BANDWIDTH / quality());
        if cut_off_hz > nyquist_hz {
            return None;
        }
        let by_rate = ((nyquist_hz / cut_off_hz).log2().ceil() as usize).saturating_sub(2);
        let by_hop = (HOP_FRAMES.trailing_zeros() as usize + 1).saturating_sub(OCTAVES);
        Some(Self { sample_rate_hz, halvings: by_rate.min(by_hop) })
    }

    fn top_rate_hz(&self) -> f64 {
        self.sample_rate_hz / (1 << self.halvings) as f64
    }
}

/// Centre frequency over bandwidth of every bin.
fn quality() -> f64 {
    let step = (2.0 / BINS_PER_OCTAVE as f64).exp2();
    (step + 1.0) / (step - 1.0)
}

/// Lowers the rate to that of the highest octave, which leaves the upper half of what that could carry alone.
#[derive(Debug)]
pub(super) struct EarlyHalver {
    stages: Vec<(Decimator<2>, Vec<f32>)>,
}

impl EarlyHalver {
    pub(super) fn new(plan: CqtPlan) -> Self {
        Self { stages: vec![(Decimator::sharp(), Vec::new()); plan.halvings] }
    }

    pub(super) fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        let mut input = samples;
        for (halver, made) in &mut self.stages {
            made.clear();
            halver.push(input, made);
            input = made;
        }
        out.extend_from_slice(input);
    }

    pub(super) fn finish(self, out: &mut Vec<f32>) {
        let mut input = Vec::new();
        for (mut halver, mut made) in self.stages {
            made.clear();
            halver.push(&input, &mut made);
            halver.finish(&mut made);
            input = made;
        }
        out.extend(input);
    }
}

/// `librosa.feature.chroma_cqt` without its scaling to the largest, on what an [`EarlyHalver`] gives.
///
/// C. Schörkhuber and A. Klapuri, "Constant-Q transform toolbox for music processing" (2010). One set of filters
/// serves all octaves, because each is seen at a rate that places it alike.
pub(super) struct ChromaCqt {
    filters: Filters,
    octaves: Vec<Octave>,
}

impl ChromaCqt {
    pub(super) fn new(plan: CqtPlan, tuning: f64) -> Self {
        let filters = Filters::new(plan, tuning);
        let top_hop = HOP_FRAMES >> plan.halvings;
        let octaves = (0..OCTAVES).map(|octave| Octave::new(filters.fft_frames, top_hop, octave)).collect();
        Self { filters, octaves }
    }

    /// Takes the next samples and hands on the frames they complete.
    pub(super) fn push(&mut self, samples: &[f32], emit: impl FnMut([f32; CLASSES])) {
        for index in 0..OCTAVES {
            let (above, below) = self.octaves.split_at_mut(index);
            let input = above.last().map_or(samples, |octave| &octave.halved);
            below[0].push(input, &mut self.filters);
        }
        self.drain(emit);
    }

    /// Hands on the frames that reach over the end.
    pub(super) fn finish(mut self, emit: impl FnMut([f32; CLASSES])) {
        for index in 0..OCTAVES {
            let (above, below) = self.octaves.split_at_mut(index);
            let input: &[f32] = above.last().map_or(&[], |octave| &octave.halved);
            below[0].push(input, &mut self.filters);
            below[0].finish(&mut self.filters);
        }
        self.drain(emit);
    }

    /// Adds up the octaves of every frame that all have made.
    fn drain(&mut self, mut emit: impl FnMut([f32; CLASSES])) {
        let ready = self.octaves.iter().map(|octave| octave.made.len()).min().unwrap_or(0);
        for _ in 0..ready {
            let mut sum = [0.0f32; CLASSES];
            for octave in &mut self.octaves {
                let part = octave.made.pop_front().unwrap_or_default();
                sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
            }
            emit(sum);
        }
    }
}

impl fmt::Debug for ChromaCqt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChromaCqt").finish_non_exhaustive()
    }
}

/// One octave's samples and what was made of them.
struct Octave {
    fft_frames: usize,
    hop: usize,
    gain: f32,
    samples: Vec<f32>,
    pushed: u64,
    taken: u64,
    made: VecDeque<[f32; CLASSES]>,
    halver: Halver,
    /// What the last push gives to the octave below.
    halved: Vec<f32>,
}

impl Octave {
    fn new(fft_frames: usize, top_hop: usize, octave: usize) -> Self {
        // Halved signals are scaled to keep their energy, filters are scaled up with their lengths, and all is
        // divided by the root of the lengths.
        let gain = (octave as f32 / 2.0).exp2();
        let hop = top_hop >> octave;
        let samples = vec![0.0; fft_frames / 2];
        let (halver, halved) = (Halver::new(), Vec::new());
        Self { fft_frames, hop, gain, samples, pushed: 0, taken: 0, made: VecDeque::new(), halver, halved }
    }

    fn push(&mut self, samples: &[f32], filters: &mut Filters) {
        self.halved.clear();
        self.halver.push(samples, &mut self.halved);
        self.pushed += samples.len() as u64;
        self.samples.extend_from_slice(samples);
        let batch_frames = (LANES - 1) * self.hop + self.fft_frames;
        let mut start = 0;
        while self.samples.len() - start >= batch_frames {
            self.take(start, LANES, filters);
            start += LANES * self.hop;
        }
        self.samples.drain(..start);
    }

    /// Makes the frames that reach over the end. What the last push gave to the octave below stays, and what the
    /// filter still held joins it.
    fn finish(&mut self, filters: &mut Filters) {
        std::mem::take(&mut self.halver).finish(&mut self.halved);
        if self.pushed == 0 {
            return;
        }
        let frames = 1 + self.pushed / self.hop as u64;
        self.samples.resize(self.samples.len() + self.fft_frames, 0.0);
        let mut start = 0;
        while self.taken < frames {
            let batch = ((frames - self.taken) as usize).min(LANES);
            self.take(start, batch, filters);
            start += batch * self.hop;
        }
    }

    fn take(&mut self, start: usize, frames: usize, filters: &mut Filters) {
        let classes = filters.classes(&self.samples[start..], self.hop, frames);
        self.made.extend((0..frames).map(|lane| classes.map(|class| self.gain * class[lane])));
        self.taken += frames as u64;
    }
}
