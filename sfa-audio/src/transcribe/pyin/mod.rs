//! The pitch of one voice over time.

mod candidates;
mod path;

use candidates::CandidateFinder;
use path::Decoder;

/// What to look for.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct PyinOptions {
    /// The lowest pitch in Hz. Default: C2, 65.4 Hz.
    pub lowest_hz: f64,
    /// The highest pitch in Hz, below half the sample rate. Default: C7, 2093 Hz.
    pub highest_hz: f64,
    /// Samples in a frame; should hold two periods of the lowest pitch. Default: 2048.
    pub frame_samples: usize,
    /// Samples from one frame to the next. Default: 512.
    pub hop_samples: usize,
}

impl Default for PyinOptions {
    fn default() -> Self {
        Self {
            lowest_hz: 440.0 * 2f64.powf(-33.0 / 12.0),
            highest_hz: 440.0 * 2f64.powf(27.0 / 12.0),
            frame_samples: 2048,
            hop_samples: 512,
        }
    }
}

impl PyinOptions {
    /// Pitches between two frequencies in Hz.
    #[must_use]
    pub fn range_hz(mut self, lowest_hz: f64, highest_hz: f64) -> Self {
        (self.lowest_hz, self.highest_hz) = (lowest_hz, highest_hz);
        self
    }

    /// One frame each `hop_samples`.
    #[must_use]
    pub fn hop_samples(mut self, hop_samples: usize) -> Self {
        self.hop_samples = hop_samples;
        self
    }
}

/// Pitch at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PitchFrame {
    /// Fundamental frequency, or `None` where nothing is pitched.
    pub hz: Option<f64>,
    /// `0.0..=1.0`: how likely the frame is pitched, by itself.
    pub voiced_probability: f64,
    /// The likeliest frequency of the frame by itself, whatever came before.
    pub candidate_hz: Option<f64>,
    /// `0.0..=1.0`: how likely that is.
    pub candidate_probability: f64,
}

/// Follows the pitch of a monophonic signal that arrives in pieces.
///
/// Probabilistic YIN: M. Mauch & S. Dixon, "pYIN: a fundamental frequency estimator using probabilistic threshold
/// distributions" (ICASSP 2014), with the parameters and the exact arithmetic of librosa 0.11's `pyin`: candidates by
/// YIN under a hundred thresholds, and a path through tenths of semitones that are voiced or not. Frame `i` is centred
/// on sample `i * hop_samples`; outside the signal there is silence.
///
/// ```
/// use sfa_audio::transcribe::{Pyin, PyinOptions};
///
/// let tone: Vec<f32> = (0..22_050).map(|n| (n as f32 * 0.0627).sin()).collect();
/// let mut pyin = Pyin::new(22_050, PyinOptions::default());
/// pyin.push(&tone);
/// let track = pyin.finish();
/// assert!((track[20].hz.unwrap() - 220.0).abs() < 1.0);
/// ```
pub struct Pyin {
    options: PyinOptions,
    finder: CandidateFinder,
    decoder: Decoder,
    /// The newest samples, at most one frame of them.
    pending: Vec<f32>,
    pushed: u64,
    frames: Vec<Heard>,
}

/// What one frame says by itself.
#[derive(Debug, Clone, Copy)]
struct Heard {
    voiced_probability: f64,
    /// The likeliest bin with its probability.
    candidate: Option<(usize, f64)>,
}

impl Pyin {
    /// A tracker at the first sample of a signal of `sample_rate_hz`.
    ///
    /// # Panics
    /// When the range is empty, reaches below what a frame holds or above half the rate, or hop or frame is 0.
    pub fn new(sample_rate_hz: u32, options: PyinOptions) -> Self {
        let PyinOptions { lowest_hz, highest_hz, frame_samples, hop_samples } = options;
        let rate_hz = f64::from(sample_rate_hz);
        assert!(hop_samples > 0 && frame_samples > 1, "hop and frame are not empty");
        assert!(
            lowest_hz > 0.0 && lowest_hz < highest_hz && highest_hz <= rate_hz / 2.0,
            "a range between 0 Hz and half the rate"
        );
        let finder = CandidateFinder::new(rate_hz, &options);
        let decoder = Decoder::new(finder.bins(), rate_hz / hop_samples as f64);
        Self {
            options,
            finder,
            decoder,
            pending: vec![0.0; frame_samples / 2],
            pushed: 0,
            frames: Vec::new(),
        }
    }

    /// Takes the next samples.
    pub fn push(&mut self, samples: &[f32]) {
        self.pushed += samples.len() as u64;
        self.feed(samples);
    }

    /// The pitch of every frame: one, and one more for each whole hop; none for an empty signal.
    pub fn finish(mut self) -> Vec<PitchFrame> {
        let total =
            if self.pushed == 0 { 0 } else { 1 + self.pushed / self.options.hop_samples as u64 } as usize;
        let silence = vec![0.0; self.options.hop_samples];
        while self.frames.len() < total {
            self.feed(&silence);
        }
        let mut bins = self.decoder.finish();
        bins.truncate(total);
        let hz = |bin: usize| self.options.lowest_hz * (bin as f64 / candidates::BINS_PER_OCTAVE).exp2();
        bins.into_iter()
            .zip(&self.frames)
            .map(|(bin, heard)| PitchFrame {
                hz: bin.map(hz),
                voiced_probability: heard.voiced_probability,
                candidate_hz: heard.candidate.map(|(bin, _)| hz(bin)),
                candidate_probability: heard.candidate.map_or(0.0, |(_, probability)| probability),
            })
            .collect()
    }

    fn feed(&mut self, mut samples: &[f32]) {
        let frame = self.options.frame_samples;
        loop {
            let taken = (frame.saturating_sub(self.pending.len())).min(samples.len());
            self.pending.extend_from_slice(&samples[..taken]);
            samples = &samples[taken..];
            if self.pending.len() < frame {
                return;
            }
            let voiced_probability = self.finder.find(&self.pending);
            let candidates = self.finder.candidates();
            self.decoder.step(candidates, voiced_probability);
            let candidate = candidates.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1));
            self.frames.push(Heard { voiced_probability, candidate });
            // A hop longer than the frame would skip samples; none of ours is.
            self.pending.drain(..self.options.hop_samples.min(frame));
        }
    }
}
