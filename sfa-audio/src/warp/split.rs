//! What rings apart from what strikes: medians along time and along frequency (Fitzgerald 2010).

use std::collections::VecDeque;

use realfft::num_complex::Complex32;

use super::parts::Track;
use crate::dsp::{OverlapAdd, StreamingStft, median_along_row, median_of_rows};
use crate::{AudioSpec, Clip};

/// At 44.1 kHz; other rates have windows of the nearest power of two times this.
const WINDOW_FRAMES: usize = 2048;
/// Spectra that a median in time looks at: a fifth of a second.
const ROWS: usize = 17;
/// Bins that a median in frequency looks at: 500 Hz.
const BINS: usize = 23;

/// Splits every channel by the same masks. The two parts add up to the input.
pub(super) struct Splitter {
    window_frames: usize,
    stfts: Vec<StreamingStft>,
    synthesis: Vec<OverlapAdd>,
    /// Spectra that are still needed, oldest first, per channel.
    spectra: Vec<VecDeque<Vec<Complex32>>>,
    magnitudes: VecDeque<Vec<f32>>,
    /// The spectrum that `magnitudes[0]` belongs to, and the next one to be split.
    first: u64,
    next: u64,
    /// The input that is not split yet, per channel.
    waiting: Vec<VecDeque<f32>>,
    clean: Vec<f32>,
    out: Vec<f32>,
    mask: Vec<f32>,
    medians: [Vec<f32>; 2],
}

impl Splitter {
    pub(super) fn new(spec: AudioSpec) -> Self {
        let window_frames = scaled(WINDOW_FRAMES, spec.sample_rate_hz);
        let hop_frames = window_frames / 4;
        let bins = window_frames / 2 + 1;
        Self {
            window_frames,
            stfts: (0..spec.channels).map(|_| StreamingStft::new(window_frames, hop_frames)).collect(),
            synthesis: (0..spec.channels).map(|_| OverlapAdd::new(window_frames, hop_frames)).collect(),
            spectra: vec![VecDeque::new(); spec.channels],
            magnitudes: VecDeque::new(),
            first: 0,
            next: 0,
            waiting: vec![VecDeque::new(); spec.channels],
            clean: Vec::new(),
            out: Vec::new(),
            mask: vec![0.0; bins],
            medians: [vec![0.0; bins], vec![0.0; bins]],
        }
    }

    /// Takes the next frames and appends what can be split to both parts.
    pub(super) fn push(&mut self, block: &Clip, ringing: &mut Track, striking: &mut Track) {
        for (channel, samples) in block.channels().iter().enumerate() {
            // What is not a number, or beyond all measure, would spread over whole windows.
            self.clean.clear();
            self.clean.extend(samples.iter().map(|&sample| if sample.abs() < 1e9 { sample } else { 0.0 }));
            self.waiting[channel].extend(&self.clean);
            let spectra = &mut self.spectra[channel];
            self.stfts[channel].push(&self.clean, |spectrum| spectra.push_back(spectrum.to_vec()));
        }
        self.measure();
        while self.next + (ROWS / 2) as u64 + 1 < self.first + self.magnitudes.len() as u64 {
            self.split_next(ringing, striking);
        }
    }

    /// Splits what is left.
    pub(super) fn finish(&mut self, ringing: &mut Track, striking: &mut Track) {
        for (stft, spectra) in std::mem::take(&mut self.stfts).into_iter().zip(&mut self.spectra) {
            stft.finish(|spectrum| spectra.push_back(spectrum.to_vec()));
        }
        self.measure();
        while self.next < self.first + self.magnitudes.len() as u64 {
            self.split_next(ringing, striking);
        }
        // The last frames lie beyond the middle of the last window: they go with what rings.
        for channel in 0..self.waiting.len() {
            let rest = self.waiting[channel].drain(..);
            let count = rest.len();
            ringing.channel_mut(channel).extend(rest);
            let strikes = striking.channel_mut(channel);
            strikes.resize(strikes.len() + count, 0.0);
        }
    }

    fn measure(&mut self) {
        let measured = self.magnitudes.len();
        for row in measured..self.spectra[0].len() {
            let bins = self.mask.len();
            let magnitude =
                |bin: usize| self.spectra.iter().map(|rows| rows[row][bin].norm_sqr()).sum::<f32>().sqrt();
            self.magnitudes.push_back((0..bins).map(magnitude).collect());
        }
    }

    fn split_next(&mut self, ringing: &mut Track, striking: &mut Track) {
        let index = (self.next - self.first) as usize;
        let rows: Vec<&[f32]> = (index.saturating_sub(ROWS / 2)..=index + ROWS / 2)
            .filter_map(|row| self.magnitudes.get(row).map(Vec::as_slice))
            .collect();
        let [along_time, along_frequency] = &mut self.medians;
        median_of_rows(&rows, along_time);
        median_along_row(&self.magnitudes[index], BINS, along_frequency);
        for ((mask, ring), strike) in self.mask.iter_mut().zip(along_time.iter()).zip(along_frequency.iter())
        {
            let (ring, strike) = (ring * ring, strike * strike);
            *mask = if strike > 0.0 { strike / (ring + strike) } else { 0.0 };
        }
        for channel in 0..self.spectra.len() {
            self.out.clear();
            self.synthesis[channel].push(&self.spectra[channel][index], &self.mask, &mut self.out);
            // Samples start half a window before the middle of the first spectrum, which is the first frame.
            let lead = if self.next < self.lead_hops() { self.out.len() } else { 0 };
            let strikes = &self.out[lead..];
            for &strike in strikes {
                let Some(sample) = self.waiting[channel].pop_front() else { break };
                striking.channel_mut(channel).push(strike);
                ringing.channel_mut(channel).push(sample - strike);
            }
        }
        self.next += 1;
        if index >= ROWS / 2 {
            self.magnitudes.pop_front();
            self.spectra.iter_mut().for_each(|rows| drop(rows.pop_front()));
            self.first += 1;
        }
    }

    fn lead_hops(&self) -> u64 {
        let hop_frames = self.window_frames / 4;
        (self.window_frames / 2 / hop_frames) as u64
    }
}

/// A length at 44.1 kHz as the nearest power-of-two multiple for `sample_rate_hz`.
pub(super) fn scaled(frames: usize, sample_rate_hz: u32) -> usize {
    let octaves = (f64::from(sample_rate_hz) / 44_100.0).log2().round() as i32;
    if octaves >= 0 { frames << octaves } else { (frames >> -octaves).max(64) }
}
