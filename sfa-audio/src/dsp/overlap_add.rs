//! Back from short-time spectra to samples.

use std::fmt;
use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{ComplexToReal, RealFftPlanner};

use super::hann;

/// Turns changed spectra of a [`StreamingStft`](super::StreamingStft) back into samples by weighted
/// overlap-add (Griffin and Lim 1984), hop by hop.
///
/// The synthesis window is a Hann window too, so that a change between spectra fades in; the constant that
/// both windows sum to is divided out. Unchanged spectra give back the signal.
pub struct OverlapAdd {
    fft: Arc<dyn ComplexToReal<f32>>,
    window: Vec<f32>,
    hop_frames: usize,
    sum: Vec<f32>,
    spectrum: Vec<Complex32>,
    samples: Vec<f32>,
    scratch: Vec<Complex32>,
}

impl OverlapAdd {
    /// Plans transforms of `window_frames` samples every `hop_frames` samples.
    ///
    /// # Panics
    /// When the hop does not divide the window into at least three parts: squared Hann windows add up to a
    /// constant only then.
    pub fn new(window_frames: usize, hop_frames: usize) -> Self {
        assert!(
            hop_frames > 0 && window_frames.is_multiple_of(hop_frames) && window_frames / hop_frames >= 3,
            "the window is at least three whole hops"
        );
        let fft = RealFftPlanner::new().plan_fft_inverse(window_frames);
        // The squared window adds up to 3/8 of a window per hop; the inverse transform is not normalised.
        let scale = hop_frames as f32 / (0.375 * (window_frames as f32).powi(2));
        Self {
            window: hann(window_frames).iter().map(|weight| weight * scale).collect(),
            hop_frames,
            sum: vec![0.0; window_frames],
            spectrum: fft.make_input_vec(),
            samples: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            fft,
        }
    }

    /// Adds the spectrum times `gains` and appends the hop of samples that no later spectrum reaches.
    ///
    /// The samples of the `i`-th call start half a window before the centre of spectrum `i`; the first of them
    /// lie in fewer windows than they should. Beyond the end
    /// of `gains` its last value holds.
    ///
    /// # Panics
    /// When `spectrum` has not `window_frames / 2 + 1` bins or `gains` is empty.
    pub fn push(&mut self, spectrum: &[Complex32], gains: &[f32], out: &mut Vec<f32>) {
        self.spectrum.copy_from_slice(spectrum);
        let (head, tail) = self.spectrum.split_at_mut(gains.len().min(spectrum.len()));
        for (bin, gain) in head.iter_mut().zip(gains) {
            *bin *= gain;
        }
        let last = gains[gains.len() - 1];
        for bin in tail {
            *bin *= last;
        }
        // Rounding may leave a real signal's first and last bin with an imaginary part, which is refused.
        let end = self.spectrum.len() - 1;
        self.spectrum[0].im = 0.0;
        self.spectrum[end].im = 0.0;
        self.fft
            .process_with_scratch(&mut self.spectrum, &mut self.samples, &mut self.scratch)
            .expect("buffers come from the plan");
        for ((sum, sample), weight) in self.sum.iter_mut().zip(&self.samples).zip(&self.window) {
            *sum += sample * weight;
        }
        out.extend_from_slice(&self.sum[..self.hop_frames]);
        self.sum.copy_within(self.hop_frames.., 0);
        let kept = self.sum.len() - self.hop_frames;
        self.sum[kept..].fill(0.0);
    }
}

impl fmt::Debug for OverlapAdd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OverlapAdd")
            .field("window_frames", &self.window.len())
            .field("hop_frames", &self.hop_frames)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dsp::StreamingStft;

    #[test]
    fn unchanged_spectra_give_the_signal_back() {
        let signal: Vec<f32> = (0..4000).map(|n| ((n * n) as f32 * 0.37).sin()).collect();
        let (window, hop) = (512, 128);
        let mut stft = StreamingStft::new(window, hop);
        let mut synthesis = OverlapAdd::new(window, hop);
        let mut out = Vec::new();
        stft.push(&signal, |spectrum| synthesis.push(spectrum, &[1.0], &mut out));
        // The first spectrum is centred on sample 0, so its window starts half a window before; the first hop
        // of the signal lies in one window less than all others.
        let back = out[window / 2..].iter().zip(&signal).enumerate().skip(hop);
        for (sample, (back, original)) in back {
            // 24 bits through two transforms of 512.
            assert!((back - original).abs() < 1e-6, "sample {sample}: {back} for {original}");
        }
        assert!(out.len() > 3000);
    }
}
