//! Short-time Fourier transform of audio that arrives in pieces.

use std::fmt;

use realfft::FftNum;
use realfft::num_complex::Complex;

use super::real_fft::RealFft;
use super::window::hann_weight;

/// Short-time spectra of one channel, pushed in chunks of any size.
///
/// Spectrum `i` sees a periodic Hann window centred on sample `i * hop_frames`; outside the signal there is
/// silence. A signal of `n > 0` samples has `1 + n / hop_frames` spectra of `window_frames / 2 + 1` bins, and
/// how it was cut into chunks changes not one bit of them. Nothing is allocated after [`new`](Self::new).
///
/// ```
/// let mut stft = sfa_audio::dsp::StreamingStft::new(1024, 256);
/// let mut powers = Vec::new();
/// stft.push(&[0.5; 700], |spectrum| powers.push(spectrum[0].norm_sqr()));
/// stft.finish(|spectrum| powers.push(spectrum[0].norm_sqr()));
/// assert_eq!(powers.len(), 1 + 700 / 256);
/// ```
pub type StreamingStft = ShortTimeSpectra<f32>;

/// A [`StreamingStft`] that counts in double precision: bins more than 120 dB below the loudest are not rounding
/// noise. Takes twice the time.
pub type PreciseStft = ShortTimeSpectra<f64>;

/// How many windows of samples are held before those that were seen are moved out, which costs more the more often it is
/// done.
const PENDING_WINDOWS: usize = 4;

/// What [`StreamingStft`] and [`PreciseStft`] have in common.
pub struct ShortTimeSpectra<T> {
    fft: RealFft<T>,
    window: Vec<T>,
    /// Samples from one spectrum to the next, as a fraction.
    hop: (u64, u64),
    /// The newest samples; the next spectrum sees those from `start` on.
    pending: Vec<f32>,
    start: usize,
    /// Samples to drop before `pending` fills again, where the hop is longer than the window.
    skip: usize,
    pushed: u64,
    emitted: u64,
}

impl<T: FftNum + From<f32>> ShortTimeSpectra<T> {
    /// Plans transforms of `window_frames` samples every `hop_frames` samples.
    ///
    /// # Panics
    /// When either length is 0.
    pub fn new(window_frames: usize, hop_frames: usize) -> Self {
        Self::with_fractional_hop(window_frames, (hop_frames, 1))
    }

    /// As [`new`](Self::new), with a hop that need not be whole: its numerator and its denominator. Every spectrum is
    /// centred on the sample nearest to its time.
    ///
    /// # Panics
    /// When the window or one of the numbers is 0.
    pub fn with_fractional_hop(window_frames: usize, (frames, parts): (usize, usize)) -> Self {
        assert!(window_frames > 0 && frames > 0 && parts > 0, "window and hop are not empty");
        let mut pending = Vec::with_capacity(PENDING_WINDOWS * window_frames);
        pending.resize(window_frames / 2, 0.0);
        Self {
            window: (0..window_frames)
                .map(|n| T::from_f64(hann_weight(n, window_frames)).expect("a float"))
                .collect(),
            hop: (frames as u64, parts as u64),
            pending,
            start: 0,
            skip: 0,
            fft: RealFft::new(window_frames),
            pushed: 0,
            emitted: 0,
        }
    }

    /// Takes the next samples and calls `on_spectrum` for every spectrum they complete, in order of time.
    pub fn push(&mut self, samples: &[f32], mut on_spectrum: impl FnMut(&[Complex<T>])) {
        self.pushed += samples.len() as u64;
        self.feed(samples, &mut on_spectrum);
    }

    /// Calls `on_spectrum` for the spectra that reach over the end of the signal.
    pub fn finish(mut self, mut on_spectrum: impl FnMut(&[Complex<T>])) {
        const SILENCE: [f32; 256] = [0.0; 256];
        let (frames, parts) = self.hop;
        let last = ((self.pushed + 1) * parts - 1 - parts / 2) / frames;
        let total = if self.pushed == 0 { 0 } else { 1 + last };
        while self.emitted < total {
            let needed = (self.skip + self.window.len()).saturating_sub(self.pending.len() - self.start);
            let needed = needed.min(SILENCE.len());
            self.feed(&SILENCE[..needed], &mut on_spectrum);
        }
    }

    fn frames_to_next(&self) -> usize {
        let (frames, parts) = self.hop;
        let centre = |spectrum: u64| (spectrum * frames + parts / 2) / parts;
        (centre(self.emitted + 1) - centre(self.emitted)) as usize
    }

    fn feed(&mut self, mut samples: &[f32], on_spectrum: &mut impl FnMut(&[Complex<T>])) {
        while !samples.is_empty() {
            let skipped = self.skip.min(samples.len());
            self.skip -= skipped;
            samples = &samples[skipped..];
            let taken = (PENDING_WINDOWS * self.window.len() - self.pending.len()).min(samples.len());
            self.pending.extend_from_slice(&samples[..taken]);
            samples = &samples[taken..];
            while self.pending.len() - self.start >= self.window.len() {
                let seen = &self.pending[self.start..self.start + self.window.len()];
                on_spectrum(self.fft.process(seen, &self.window));
                let next = self.start + self.frames_to_next();
                self.emitted += 1;
                self.start = next.min(self.pending.len());
                self.skip = next - self.start;
            }
            if !samples.is_empty() {
                self.pending.drain(..self.start);
                self.start = 0;
            }
        }
    }
}

impl<T> fmt::Debug for ShortTimeSpectra<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShortTimeSpectra")
            .field("window_frames", &self.window.len())
            .field("hop", &self.hop)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn powers(samples: &[f32], window: usize, hop: usize, chunk: usize) -> Vec<Vec<f32>> {
        let mut all = Vec::new();
        let mut stft = StreamingStft::new(window, hop);
        for part in samples.chunks(chunk) {
            stft.push(part, |spectrum| all.push(spectrum.iter().map(|bin| bin.norm_sqr()).collect()));
        }
        stft.finish(|spectrum| all.push(spectrum.iter().map(|bin| bin.norm_sqr()).collect()));
        all
    }

    #[test]
    fn chunk_sizes_change_nothing() {
        let samples: Vec<f32> = (0..5000).map(|n| ((n * n) as f32 * 0.37).sin()).collect();
        for (window, hop) in [(512, 128), (256, 441), (64, 64)] {
            let whole = powers(&samples, window, hop, samples.len());
            assert_eq!(whole.len(), 1 + samples.len() / hop);
            for chunk in [1, 7, 500, 1111] {
                assert_eq!(whole, powers(&samples, window, hop, chunk));
            }
        }
    }

    #[test]
    fn a_spectrum_is_centred_on_its_own_time() {
        let mut samples = vec![0.0; 4000];
        samples[1024] = 1.0;
        let spectra = powers(&samples, 512, 128, 4000);
        // The window is 1 at its centre, one half a quarter of its length away and 0 at its edge.
        assert!((spectra[8][10] - 1.0).abs() < 1e-6);
        assert!((spectra[7][10] - 0.25).abs() < 1e-6);
        assert!(spectra[6][10] < 1e-12);
    }

    #[test]
    fn a_fractional_hop_stays_at_its_time() {
        // An impulse every 55.25 samples, to the nearest.
        let mut samples = vec![0.0; 5_525];
        (0..100).for_each(|n: usize| samples[(n * 221 + 2) / 4] = 1.0);
        let mut stft = StreamingStft::with_fractional_hop(64, (221, 4));
        let mut powers = Vec::new();
        samples.chunks(1000).for_each(|part| stft.push(part, |spectrum| powers.push(spectrum[0].norm_sqr())));
        stft.finish(|spectrum| powers.push(spectrum[0].norm_sqr()));
        // Each window sees its own, at its centre; the last is centred on the end.
        assert_eq!(powers.len(), 101);
        assert!(powers[..100].iter().all(|power| (power - 1.0).abs() < 1e-6));
    }

    #[test]
    fn an_empty_signal_has_no_spectra() {
        assert!(powers(&[], 512, 256, 1).is_empty());
        assert_eq!(powers(&[1.0], 512, 256, 1).len(), 1);
    }
}
