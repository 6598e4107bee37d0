//! The bins of one octave, read from the spectrum of a frame.

use std::f64::consts::TAU;
use std::sync::Arc;

use pulp::{Arch, Simd, WithSimd};
use rustfft::num_complex::{Complex32, Complex64};
use rustfft::{Fft, FftPlanner};

use super::slide::{MOST_SLID_FRAMES, Slide};
use super::{BINS_PER_OCTAVE, CqtPlan, LOWEST_HZ, OCTAVES, quality};
use crate::analyze::descriptors::batch::{LANES, Lanes, add_weighted};
use crate::analyze::descriptors::folding::CLASSES;
use crate::dsp::hann_weight;

/// Share of a filter's magnitude that is left out.
const SPARSITY: f32 = 0.01;

/// The bins of one octave as sums over the spectrum of a frame.
pub(super) struct Filters {
    pub(super) fft_frames: usize,
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
    pub(super) fn new(plan: CqtPlan, tuning: f64) -> Self {
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
            re: vec![Lanes::ZERO; end_bin - first_bin],
            im: vec![Lanes::ZERO; end_bin - first_bin],
            pair: vec![zero; fft_frames],
            slide: Slide::new(fft_frames, first_bin..end_bin),
        }
    }

    /// The pitch classes of up to [`LANES`] frames, of which frame `i` begins at `samples[i * hop]`.
    pub(super) fn classes(&mut self, samples: &[f32], hop: usize, frames: usize) -> [Lanes; CLASSES] {
        if hop <= MOST_SLID_FRAMES {
            // Two spectra are transformed, the others slide on from them.
            let half = LANES / 2;
            self.transform(samples, hop, [0, if half < frames { half } else { 0 }], [0, half]);
            for start in [0, half] {
                self.slide.load(&self.re, &self.im, start);
                for lane in start + 1..frames.min(start + half) {
                    let leaving = &samples[(lane - 1) * hop..][..hop];
                    let entering = &samples[(lane - 1) * hop + self.fft_frames..][..hop];
                    self.slide.step(leaving, entering);
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
        let mut classes = [Lanes::ZERO; CLASSES];
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

/// One filter: a Hann window over a turning phase, of unit sum, in the middle of a frame.
fn wavelet(frames: f64, turns_per_frame: f64, fft_frames: usize) -> Vec<Complex64> {
    let (start, end) = ((-frames / 2.0).floor(), (frames / 2.0).floor());
    let count = (end - start) as usize;
    let window: Vec<f64> = (0..count).map(|n| hann_weight(n, count)).collect();
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
            let (mut re, mut im) = (Lanes::ZERO, Lanes::ZERO);
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
