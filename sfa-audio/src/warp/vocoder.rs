//! The ringing part: a phase vocoder with phases locked to peaks.

use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{RealFftPlanner, RealToComplex};

use super::map::TimeMap;
use super::parts::Track;
use crate::Clip;
use crate::dsp::{OverlapAdd, hann};

/// Turns every spectrum so that it goes on where the last one ended.
///
/// Beside the spectrum of an input window, that of the window one *output* hop earlier is taken: what it would have
/// to be turned by to equal the last output spectrum is what the new one is turned by. A peak and the bins around it
/// turn together (Laroche and Dolson 1999), in all channels alike.
pub(super) struct Vocoder {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    hop_frames: usize,
    /// The next window is centred on this many hops.
    next: i64,
    last_start: Option<i64>,
    channels: Vec<Channel>,
    synthesis: Vec<OverlapAdd>,
    /// Energy of all channels per bin.
    energy: Vec<f32>,
    turns: Vec<Complex32>,
    windowed: Vec<f32>,
    scratch: Vec<Complex32>,
}

struct Channel {
    spectrum: Vec<Complex32>,
    /// The spectrum one hop earlier.
    earlier: Vec<Complex32>,
    /// The last output.
    turned: Vec<Complex32>,
    out: Vec<f32>,
}

impl Vocoder {
    pub(super) fn new(channels: usize, window_frames: usize) -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(window_frames);
        let hop_frames = window_frames / 4;
        let bins = || fft.make_output_vec();
        Self {
            window: hann(window_frames),
            hop_frames,
            next: -1,
            last_start: None,
            channels: (0..channels)
                .map(|_| Channel { spectrum: bins(), earlier: bins(), turned: bins(), out: Vec::new() })
                .collect(),
            synthesis: (0..channels).map(|_| OverlapAdd::new(window_frames, hop_frames)).collect(),
            energy: vec![0.0; window_frames / 2 + 1],
            turns: bins(),
            windowed: fft.make_input_vec(),
            scratch: fft.make_scratch_vec(),
            fft,
        }
    }

    /// The input frames that the next window needs: first, and the one after the last.
    pub(super) fn needs(&self, map: &TimeMap) -> (i64, i64) {
        let start = self.start(map);
        (start - self.hop_frames as i64, start + self.window.len() as i64)
    }

    /// The output frame in the middle of the next window.
    pub(super) fn centre(&self) -> f64 {
        (self.next * self.hop_frames as i64) as f64
    }

    fn start(&self, map: &TimeMap) -> i64 {
        map.input_at(self.centre()).round() as i64 - self.window.len() as i64 / 2
    }

    /// Adds the next window and appends the frames that no later one reaches; those before the first frame are not.
    pub(super) fn push(&mut self, ringing: &Track, map: &TimeMap, out: &mut Clip) {
        let start = self.start(map);
        let earlier = start - self.hop_frames as i64;
        let is_first = self.last_start.is_none();
        let runs_on = self.last_start == Some(earlier);
        for index in 0..self.channels.len() {
            if runs_on {
                let Channel { spectrum, earlier, .. } = &mut self.channels[index];
                std::mem::swap(spectrum, earlier);
            } else {
                self.transform(ringing, index, earlier, true);
            }
            self.transform(ringing, index, start, false);
        }
        self.last_start = Some(start);
        if is_first {
            self.turns.fill(Complex32::new(1.0, 0.0));
        } else {
            self.lock_phases();
        }
        for (channel, synthesis) in self.channels.iter_mut().zip(&mut self.synthesis) {
            for ((turned, bin), turn) in channel.turned.iter_mut().zip(&channel.spectrum).zip(&self.turns) {
                *turned = bin * turn;
            }
            channel.out.clear();
            synthesis.push(&channel.turned, &[1.0], &mut channel.out);
        }
        // What the first three windows end lies before the first frame.
        if self.next > 1 {
            out.extend(self.channels.iter().map(|channel| channel.out.as_slice()));
        }
        self.next += 1;
    }

    fn transform(&mut self, ringing: &Track, channel: usize, start: i64, is_earlier: bool) {
        ringing.copy(channel, start, &mut self.windowed);
        for (sample, weight) in self.windowed.iter_mut().zip(&self.window) {
            *sample *= weight;
        }
        let channel = &mut self.channels[channel];
        let spectrum = if is_earlier { &mut channel.earlier } else { &mut channel.spectrum };
        self.fft
            .process_with_scratch(&mut self.windowed, spectrum, &mut self.scratch)
            .expect("buffers come from the plan");
    }

    fn lock_phases(&mut self) {
        let bins = self.energy.len();
        for (bin, energy) in self.energy.iter_mut().enumerate() {
            *energy = self.channels.iter().map(|channel| channel.spectrum[bin].norm_sqr()).sum();
        }
        // From one valley to the next, all turn with the peak in between.
        let mut region = 0;
        let mut peak = 0;
        for bin in 0..bins {
            if self.energy[bin] > self.energy[peak] {
                peak = bin;
            }
            let is_last = bin + 1 == bins;
            let is_valley = !is_last
                && bin > peak
                && self.energy[bin] < self.energy[bin + 1]
                && self.energy[bin] <= self.energy[bin - 1];
            if is_last || is_valley {
                let turn = self.turn_at(peak);
                self.turns[region..=bin].fill(turn);
                region = bin + 1;
                peak = (bin + 1).min(bins - 1);
            }
        }
    }

    fn turn_at(&self, bin: usize) -> Complex32 {
        let sum: Complex32 =
            self.channels.iter().map(|channel| channel.turned[bin] * channel.earlier[bin].conj()).sum();
        let norm = sum.norm();
        if norm > 0.0 && norm.is_finite() { sum / norm } else { Complex32::new(1.0, 0.0) }
    }
}
