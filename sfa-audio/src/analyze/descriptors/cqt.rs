//! Chroma by a constant-Q transform: every octave at its own sample rate.

use std::collections::VecDeque;
use std::f64::consts::TAU;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use pulp::{Arch, Simd, WithSimd};
use rustfft::num_complex::{Complex32, Complex64};
use rustfft::{Fft, FftPlanner};

use super::HOP_FRAMES;
use super::batch::{LANES, Lanes, add_weighted};
use super::folding::CLASSES;
use crate::dsp::Halver;

const BINS_PER_OCTAVE: usize = 36;
const OCTAVES: usize = 7;
/// C1, the lowest bin.
const LOWEST_HZ: f64 = 32.703_195_662_574_83;
/// Width of a Hann window's response, in bins of its transform.
const HANN_BANDWIDTH: f64 = 1.500_183_105_468_75;
/// Share of a filter's magnitude that is left out.
const SPARSITY: f32 = 0.01;

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

/// Lowers the rate to that of the highest octave.
#[derive(Debug)]
pub(super) struct EarlyHalver {
    stages: Vec<(Halver, Vec<f32>)>,
}

impl EarlyHalver {
    pub(super) fn new(plan: CqtPlan) -> Self {
        Self { stages: vec![(Halver::new(), Vec::new()); plan.halvings] }
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

/// The bins of one octave as sums over the spectrum of a frame.
struct Filters {
    fft_frames: usize,
    fft: Arc<dyn Fft<f32>>,
    scratch: Vec<Complex32>,
    /// The bins of the spectrum that any filter looks at.
    first_bin: usize,
    filters: Vec<Filter>,
    /// Spectra of a batch, from `first_bin` on, real and imaginary parts.
    re: Vec<Lanes>,
    im: Vec<Lanes>,
    pair: Vec<Complex32>,
    slide: Slide,
}

struct Filter {
    first_bin: usize,
    weights: Vec<Complex32>,
    /// What makes bins of different lengths comparable.
    scale: f32,
    class: usize,
}

impl Filters {
    fn new(plan: CqtPlan, tuning: f64) -> Self {
        let rate_hz = plan.top_rate_hz();
        let position = |bin: usize| (OCTAVES - 1) as f64 + (bin as f64 + tuning) / BINS_PER_OCTAVE as f64;
        let frequencies_hz: Vec<f64> =
            (0..BINS_PER_OCTAVE).map(|bin| LOWEST_HZ * position(bin).exp2()).collect();
        let length = |frequency_hz: f64| quality() * rate_hz / frequency_hz;
        let fft_frames = length(frequencies_hz[0]).log2().ceil().exp2() as usize;
        let planned = FftPlanner::<f64>::new().plan_fft_forward(fft_frames);
        let mut filters: Vec<Filter> = frequencies_hz
            .iter()
            .enumerate()
            .map(|(bin, &frequency_hz)| {
                let frames = length(frequency_hz);
                let mut spectrum = wavelet(frames, frequency_hz / rate_hz, fft_frames);
                planned.process(&mut spectrum);
                let half = spectrum[..=fft_frames / 2].iter();
                let half: Vec<Complex32> =
                    half.map(|value| Complex32::new(value.re as f32, value.im as f32)).collect();
                let (first_bin, weights) = without_least(&half);
                let class = (bin + 1) / (BINS_PER_OCTAVE / CLASSES) % CLASSES;
                let scale = ((1 << plan.halvings) as f64 / frames).sqrt() as f32;
                Filter { first_bin, weights, scale, class }
            })
            .collect();
        let first_bin = filters.iter().map(|filter| filter.first_bin).min().unwrap_or(0);
        let end_bin = filters.iter().map(|filter| filter.first_bin + filter.weights.len()).max().unwrap_or(0);
        for filter in &mut filters {
            filter.first_bin -= first_bin;
        }
        let fft = FftPlanner::new().plan_fft_forward(fft_frames);
        let zero = Complex32::default();
        Self {
            fft_frames,
            scratch: vec![zero; fft.get_inplace_scratch_len()],
            fft,
            first_bin,
            filters,
            re: vec![[0.0; LANES]; end_bin - first_bin],
            im: vec![[0.0; LANES]; end_bin - first_bin],
            pair: vec![zero; fft_frames],
            slide: Slide::new(fft_frames, first_bin..end_bin),
        }
    }

    /// The pitch classes of up to [`LANES`] frames, of which frame `i` begins at `samples[i * hop]`.
    fn classes(&mut self, samples: &[f32], hop: usize, frames: usize) -> [Lanes; CLASSES] {
        if hop <= MOST_SLID_FRAMES {
            // Two spectra are transformed, the others slide on from them.
            let half = LANES / 2;
            self.transform(samples, hop, [0, if half < frames { half } else { 0 }], [0, half]);
            for start in [0, half] {
                for lane in start + 1..frames.min(start + half) {
                    let leaving = &samples[(lane - 1) * hop..][..hop];
                    let entering = &samples[(lane - 1) * hop + self.fft_frames..][..hop];
                    let step = Step { slide: &mut self.slide, leaving, entering };
                    if lane == start + 1 {
                        step.slide.load(&self.re, &self.im, start);
                    }
                    Arch::new().dispatch(step);
                    self.slide.store(&mut self.re, &mut self.im, lane);
                }
            }
        } else {
            for lane in (0..frames).step_by(2) {
                // The last frame of a signal may be alone: its partner's lane is not read.
                let partner = if lane + 1 < frames { lane + 1 } else { lane };
                self.transform(samples, hop, [lane, partner], [lane, lane + 1]);
            }
        }
        let mut classes = [[0.0; LANES]; CLASSES];
        Arch::new().dispatch(Respond { filters: self, classes: &mut classes });
        classes
    }

    /// Transforms two real frames as one complex frame, and parts their spectra.
    fn transform(&mut self, samples: &[f32], hop: usize, frames: [usize; 2], lanes: [usize; 2]) {
        let [first, second] = frames.map(|frame| &samples[frame * hop..][..self.fft_frames]);
        for (value, (re, im)) in self.pair.iter_mut().zip(first.iter().zip(second)) {
            *value = Complex32::new(*re, *im);
        }
        self.fft.process_with_scratch(&mut self.pair, &mut self.scratch);
        let mirrored = self.pair.iter().rev();
        let bins = self.pair[self.first_bin..].iter().zip(mirrored.skip(self.first_bin - 1));
        for ((re, im), (value, mirror)) in self.re.iter_mut().zip(&mut self.im).zip(bins) {
            re[lanes[0]] = 0.5 * (value.re + mirror.re);
            im[lanes[0]] = 0.5 * (value.im - mirror.im);
            re[lanes[1]] = 0.5 * (value.im + mirror.im);
            im[lanes[1]] = 0.5 * (mirror.re - value.re);
        }
    }
}

/// The most frames that a spectrum slides on by; beyond it, a transform is faster.
const MOST_SLID_FRAMES: usize = 64;
/// Vector registers of bins that slide together.
const SLID_VECTORS: usize = 4;

/// A spectrum that follows its frame: what leaves is taken out, what enters is added, and all phases turn.
///
/// In the low octaves frames overlap so much that this is far less work than a transform of each.
struct Slide {
    bins: usize,
    /// `e^(-2πi k n / N)` of sample `n` at bin `k`: all bins for sample 0, then for sample 1.
    turns_re: Vec<f32>,
    turns_im: Vec<f32>,
    re: Vec<f32>,
    im: Vec<f32>,
}

impl Slide {
    fn new(fft_frames: usize, bins: Range<usize>) -> Self {
        let padded = bins.len().next_multiple_of(SLID_VECTORS * LANES);
        let turn = |index: usize| {
            let (sample, bin) = (index / padded, bins.start + index % padded);
            TAU * (sample * bin % fft_frames) as f64 / fft_frames as f64
        };
        let count = (MOST_SLID_FRAMES + 1) * padded;
        Self {
            bins: padded,
            turns_re: (0..count).map(|index| turn(index).cos() as f32).collect(),
            turns_im: (0..count).map(|index| -turn(index).sin() as f32).collect(),
            re: vec![0.0; padded],
            im: vec![0.0; padded],
        }
    }

    fn load(&mut self, re: &[Lanes], im: &[Lanes], lane: usize) {
        self.re.iter_mut().zip(re).for_each(|(own, bin)| *own = bin[lane]);
        self.im.iter_mut().zip(im).for_each(|(own, bin)| *own = bin[lane]);
    }

    fn store(&self, re: &mut [Lanes], im: &mut [Lanes], lane: usize) {
        re.iter_mut().zip(&self.re).for_each(|(bin, own)| bin[lane] = *own);
        im.iter_mut().zip(&self.im).for_each(|(bin, own)| bin[lane] = *own);
    }
}

/// One step of a [`Slide`].
struct Step<'a> {
    slide: &'a mut Slide,
    leaving: &'a [f32],
    entering: &'a [f32],
}

impl WithSimd for Step<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Slide { bins, turns_re, turns_im, re, im } = self.slide;
        let width = SLID_VECTORS * S::F32_LANES;
        for start in (0..*bins).step_by(width) {
            let at = |sample: usize| sample * *bins + start..sample * *bins + start + width;
            let re = S::as_mut_simd_f32s(&mut re[start..start + width]).0;
            let im = S::as_mut_simd_f32s(&mut im[start..start + width]).0;
            let mut sum_re: [S::f32s; SLID_VECTORS] = std::array::from_fn(|vector| re[vector]);
            let mut sum_im: [S::f32s; SLID_VECTORS] = std::array::from_fn(|vector| im[vector]);
            for (sample, (leaving, entering)) in self.leaving.iter().zip(self.entering).enumerate() {
                let change = simd.splat_f32s(entering - leaving);
                let cos = S::as_simd_f32s(&turns_re[at(sample)]).0;
                let sin = S::as_simd_f32s(&turns_im[at(sample)]).0;
                for vector in 0..SLID_VECTORS {
                    sum_re[vector] = simd.mul_add_e_f32s(change, cos[vector], sum_re[vector]);
                    sum_im[vector] = simd.mul_add_e_f32s(change, sin[vector], sum_im[vector]);
                }
            }
            let cos = S::as_simd_f32s(&turns_re[at(self.leaving.len())]).0;
            let sin = S::as_simd_f32s(&turns_im[at(self.leaving.len())]).0;
            for vector in 0..SLID_VECTORS {
                // Times the conjugate: the frame moved on, so phases turn back.
                let (a, b) = (sum_re[vector], sum_im[vector]);
                re[vector] = simd.mul_add_e_f32s(b, sin[vector], simd.mul_f32s(a, cos[vector]));
                im[vector] = simd.sub_f32s(simd.mul_f32s(b, cos[vector]), simd.mul_f32s(a, sin[vector]));
            }
        }
    }
}

/// One filter: a Hann window over a turning phase, of unit sum, in the middle of a frame.
fn wavelet(frames: f64, turns_per_frame: f64, fft_frames: usize) -> Vec<Complex64> {
    let (start, end) = ((-frames / 2.0).floor(), (frames / 2.0).floor());
    let count = (end - start) as usize;
    let window: Vec<f64> = (0..count).map(|n| 0.5 - 0.5 * (TAU * n as f64 / count as f64).cos()).collect();
    let sum: f64 = window.iter().sum();
    let mut out = vec![Complex64::default(); fft_frames];
    let first = (fft_frames - count) / 2;
    for (n, (value, weight)) in out[first..].iter_mut().zip(window).enumerate() {
        let angle = TAU * turns_per_frame * (start + n as f64);
        *value = Complex64::from_polar(weight / sum * frames / fft_frames as f64, angle);
    }
    out
}

/// The filter from its first to its last bin that counts: the least magnitudes, up to [`SPARSITY`] of their sum,
/// are left out, as `librosa.util.sparsify_rows` does.
fn without_least(spectrum: &[Complex32]) -> (usize, Vec<Complex32>) {
    let magnitudes: Vec<f32> = spectrum.iter().map(|value| value.norm()).collect();
    let total: f32 = magnitudes.iter().sum();
    let mut sorted = magnitudes.clone();
    sorted.sort_unstable_by(f32::total_cmp);
    let mut sum = 0.0;
    let least = sorted.into_iter().find(|magnitude| {
        sum += magnitude / total;
        sum >= SPARSITY
    });
    let least = least.unwrap_or(0.0);
    let kept = |bin: &usize| magnitudes[*bin] >= least;
    let first = (0..spectrum.len()).find(kept).unwrap_or(0).max(1);
    let last = (0..spectrum.len()).rfind(kept).unwrap_or(first).max(first);
    let zero = Complex32::default();
    let weights = (first..=last).map(|bin| if kept(&bin) { spectrum[bin] } else { zero }).collect();
    (first, weights)
}

struct Respond<'a> {
    filters: &'a Filters,
    classes: &'a mut [Lanes; CLASSES],
}

impl WithSimd for Respond<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for filter in &self.filters.filters {
            let bins = self.filters.re[filter.first_bin..].iter().zip(&self.filters.im[filter.first_bin..]);
            let (mut re, mut im) = ([0.0; LANES], [0.0; LANES]);
            for (weight, (bin_re, bin_im)) in filter.weights.iter().zip(bins) {
                add_weighted(simd, &mut re, weight.re, bin_re);
                add_weighted(simd, &mut re, -weight.im, bin_im);
                add_weighted(simd, &mut im, weight.re, bin_im);
                add_weighted(simd, &mut im, weight.im, bin_re);
            }
            let class = &mut self.classes[filter.class];
            for lane in 0..LANES {
                class[lane] += filter.scale * (re[lane] * re[lane] + im[lane] * im[lane]).sqrt();
            }
        }
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
