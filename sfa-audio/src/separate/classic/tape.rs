//! The part of the mix that is being worked on.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;
use realfft::num_complex::Complex32;
use realfft::{RealFftPlanner, RealToComplex};

use super::scale::Scale;
use crate::dsp::hann;
use crate::{AudioSpec, Clip};

/// Samples per channel with silence around the mix, so that every sample of it lies in equally many windows.
///
/// Row `r` is the spectrum of the window that starts `r` hops after the start of the tape.
pub(super) struct Tape {
    scale: Scale,
    channels: Vec<Vec<f32>>,
    /// Where in `channels` the mix starts and ends.
    mix: Range<usize>,
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
}

impl Tape {
    pub(super) fn new(spec: AudioSpec, scale: Scale) -> Self {
        let lead_frames = scale.window_frames - scale.hop_frames;
        Self {
            channels: vec![vec![0.0; lead_frames]; spec.channels],
            mix: lead_frames..lead_frames,
            fft: RealFftPlanner::new().plan_fft_forward(scale.window_frames),
            window: hann(scale.window_frames),
            scale,
        }
    }

    /// Adds the next frames. What is not a number, or beyond all measure, counts as silence: it would spread
    /// over whole windows.
    pub(super) fn append(&mut self, block: &Clip) {
        for (channel, samples) in self.channels.iter_mut().zip(block.channels()) {
            channel.extend(samples.iter().map(|&sample| if sample.abs() < 1e9 { sample } else { 0.0 }));
        }
        self.mix.end = self.channels[0].len();
    }

    /// Adds the silence after the mix.
    pub(super) fn end(&mut self) {
        for channel in &mut self.channels {
            channel.resize(channel.len() + self.scale.window_frames, 0.0);
        }
    }

    /// Rows that can be computed.
    pub(super) fn rows(&self) -> usize {
        (self.channels[0].len() + self.scale.hop_frames).saturating_sub(self.scale.window_frames)
            / self.scale.hop_frames
    }

    /// The part of the mix between the starts of two rows: its place counted from the first of them, and its
    /// samples in each channel.
    pub(super) fn mix_between(&self, rows: Range<usize>) -> (Range<usize>, impl Iterator<Item = &[f32]>) {
        let (first, last) = (rows.start * self.scale.hop_frames, rows.end * self.scale.hop_frames);
        let start = self.mix.start.clamp(first, last);
        let end = self.mix.end.clamp(start, last);
        (start - first..end - first, self.channels.iter().map(move |channel| &channel[start..end]))
    }

    /// Forgets everything before the start of `row`.
    pub(super) fn drop_rows_before(&mut self, row: usize) {
        let dropped = row * self.scale.hop_frames;
        for channel in &mut self.channels {
            channel.drain(..dropped);
        }
        self.mix = self.mix.start.saturating_sub(dropped)..self.mix.end.saturating_sub(dropped);
    }

    /// Calls `each` for as many rows from `first` on as `out` is long, with the index in `out`, the spectra of
    /// all channels and that item of `out`.
    pub(super) fn for_each_row<T: Send>(
        &self,
        first: usize,
        out: &mut [T],
        each: impl Fn(usize, &[Vec<Complex32>], &mut T) + Sync,
    ) {
        let make = || {
            let spectra = vec![self.fft.make_output_vec(); self.channels.len()];
            (spectra, self.fft.make_input_vec(), self.fft.make_scratch_vec())
        };
        out.par_iter_mut().enumerate().for_each_init(make, |(spectra, windowed, scratch), (row, out)| {
            let start = (first + row) * self.scale.hop_frames;
            for (channel, spectrum) in self.channels.iter().zip(spectra.iter_mut()) {
                for ((value, sample), weight) in windowed.iter_mut().zip(&channel[start..]).zip(&self.window)
                {
                    *value = sample * weight;
                }
                self.fft
                    .process_with_scratch(windowed, spectrum, scratch)
                    .expect("buffers come from the plan");
            }
            each(row, spectra, out);
        });
    }
}
