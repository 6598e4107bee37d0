//! The short-time spectrum in exactly the framing that Demucs was trained with.

use std::f64::consts::PI;
use std::sync::Arc;

use rayon::prelude::*;
use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use crate::Result;
use crate::nn::{Context, FeatureMap};

/// Columns that are transformed together, so that the spectrogram is written in stretches of a cache line.
const BLOCK_COLUMNS: usize = 16;

/// Plans and window for one size of transform.
///
/// A signal of n frames becomes `ceil(n / hop)` columns, and column t sees the frames from `t hop - 1.5 hop` on:
/// each column is centred on its own hop, as each output of the time branch is on its stride. Beyond the ends the
/// signal is mirrored (or silent, in models with the old padding). The Nyquist row is left out.
pub(super) struct Spectrum {
    fft_frames: usize,
    hop_frames: usize,
    window: Vec<f32>,
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    old_padding: bool,
}

impl std::fmt::Debug for Spectrum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spectrum").field("fft_frames", &self.fft_frames).finish_non_exhaustive()
    }
}

impl Spectrum {
    pub(super) fn new(fft_frames: usize, old_padding: bool) -> Self {
        let mut planner = RealFftPlanner::new();
        let window = (0..fft_frames)
            .map(|n| (0.5 - 0.5 * (2.0 * PI * n as f64 / fft_frames as f64).cos()) as f32)
            .collect();
        Self {
            fft_frames,
            hop_frames: fft_frames / 4,
            window,
            forward: planner.plan_fft_forward(fft_frames),
            inverse: planner.plan_fft_inverse(fft_frames),
            old_padding,
        }
    }

    fn lead(&self) -> usize {
        self.hop_frames / 2 * 3
    }

    /// Frames before the signal in what the columns add up to.
    fn trim(&self) -> usize {
        if self.old_padding { 0 } else { self.lead() }
    }

    /// The spectrogram of every channel of a single-row map: one row per frequency, and real and imaginary part as
    /// two channels each.
    ///
    /// # Errors
    /// `Cancelled`.
    pub(super) fn analyze<'a>(
        &self,
        context: &Context<'a>,
        signal: &FeatureMap<'_>,
    ) -> Result<FeatureMap<'a>> {
        let columns = signal.width.div_ceil(self.hop_frames);
        let padded: Vec<Vec<f32>> =
            (0..signal.channels).map(|channel| self.pad(signal.channel(0, channel), columns)).collect();
        let rows = self.fft_frames / 2;
        let mut map = FeatureMap::new(context, rows, 2 * signal.channels, columns);
        let scale = 1.0 / (self.fft_frames as f32).sqrt();
        let col_cuts: Vec<usize> = (0..columns).step_by(BLOCK_COLUMNS).chain([columns]).collect();
        map.for_each_tile(context, &[0, rows], &col_cuts, |_, _, mut tile| {
            let mut frame = self.forward.make_input_vec();
            let mut spectrum = self.forward.make_output_vec();
            let mut work = self.forward.make_scratch_vec();
            let (start, width) = (tile.start, tile.width());
            let mut block = vec![Complex::default(); rows * width];
            for (channel, padded) in padded.iter().enumerate() {
                for column in 0..width {
                    let samples = &padded[(start + column) * self.hop_frames..][..self.fft_frames];
                    for ((frame, sample), window) in frame.iter_mut().zip(samples).zip(&self.window) {
                        *frame = sample * window;
                    }
                    transformed(self.forward.process_with_scratch(&mut frame, &mut spectrum, &mut work))?;
                    for (row, value) in spectrum[..rows].iter().enumerate() {
                        block[row * width + column] = value * scale;
                    }
                }
                for (row, values) in block.chunks_exact(width).enumerate() {
                    let real = tile.channel(row, 2 * channel).iter_mut();
                    real.zip(values).for_each(|(out, value)| *out = value.re);
                    let imaginary = tile.channel(row, 2 * channel + 1).iter_mut();
                    imaginary.zip(values).for_each(|(out, value)| *out = value.im);
                }
            }
            Ok(())
        })?;
        Ok(map)
    }

    /// What the squares of all windows over each frame add up to, for signals of `frames` frames in `columns` columns.
    pub(super) fn window_sums(&self, frames: usize, columns: usize) -> Vec<f32> {
        let hop = self.hop_frames;
        let trim = self.trim();
        let squares: Vec<f32> = self.window.iter().map(|value| value.powi(2)).collect();
        let sum = |n: usize| {
            // Two silent columns stand on either side: they count.
            let place = n + trim + 2 * hop;
            let last = (place / hop).min(columns + 3);
            let first = (place / hop).saturating_sub(3);
            (first..=last).map(|column| squares[place - column * hop]).sum()
        };
        (0..frames).into_par_iter().map(sum).collect()
    }

    /// Room for the sounds of `count` spectrograms of `columns` columns, one channel for each.
    pub(super) fn sounds<'a>(&self, context: &Context<'a>, count: usize, columns: usize) -> FeatureMap<'a> {
        let mut sounds = FeatureMap::new(context, 1, count, (columns + 3) * self.hop_frames);
        sounds.data.fill(0.0);
        sounds
    }

    /// Adds to each of `sounds` the columns of its spectrogram that `map` holds, which are those from `first` on: real and
    /// imaginary parts are two channels of `map` each, and are multiplied by `scale` and increased by `offset`.
    ///
    /// # Errors
    /// `Cancelled`.
    pub(super) fn add_columns(
        &self,
        context: &Context<'_>,
        map: &FeatureMap<'_>,
        first: usize,
        [scale, offset]: [f32; 2],
        sounds: &mut FeatureMap<'_>,
    ) -> Result<()> {
        let (rows, hop) = (map.rows, self.hop_frames);
        let items = sounds.data.chunks_exact_mut(sounds.width).enumerate().collect();
        context.for_each(items, |(index, sound): (usize, &mut [f32])| {
            let mut spectrum = self.inverse.make_input_vec();
            let mut frame = self.inverse.make_output_vec();
            let mut work = self.inverse.make_scratch_vec();
            let mut block = vec![Complex::default(); rows * BLOCK_COLUMNS];
            for start in (0..map.width).step_by(BLOCK_COLUMNS) {
                context.watch.checkpoint()?;
                let width = BLOCK_COLUMNS.min(map.width - start);
                for (row, values) in block.chunks_exact_mut(BLOCK_COLUMNS).enumerate() {
                    let real = &map.channel(row, 2 * index)[start..][..width];
                    let imaginary = &map.channel(row, 2 * index + 1)[start..][..width];
                    for (value, (re, im)) in values.iter_mut().zip(real.iter().zip(imaginary)) {
                        *value = Complex::new(re * scale + offset, im * scale + offset);
                    }
                }
                for column in 0..width {
                    for (value, values) in spectrum.iter_mut().zip(block.chunks_exact(BLOCK_COLUMNS)) {
                        *value = values[column];
                    }
                    spectrum[0].im = 0.0;
                    spectrum[rows] = Complex::default();
                    transformed(self.inverse.process_with_scratch(&mut spectrum, &mut frame, &mut work))?;
                    let out = sound[(first + start + column) * hop..].iter_mut();
                    for (out, (value, window)) in out.zip(frame.iter().zip(&self.window)) {
                        *out += value * window;
                    }
                }
            }
            Ok(())
        })
    }

    /// Turns the start of a sound to which all columns were added into the signal that it stands for, plus `other`, multiplied
    /// by `scale` and increased by `offset`; `window_sums` are those of the signal.
    pub(super) fn finish(
        &self,
        sound: &mut [f32],
        window_sums: &[f32],
        other: &[f32],
        [scale, offset]: [f32; 2],
    ) {
        let (trim, own_scale) = (self.trim(), 1.0 / (self.fft_frames as f32).sqrt());
        for (frame, (other, windows)) in other.iter().zip(window_sums).enumerate() {
            sound[frame] = other * scale + offset + sound[frame + trim] * own_scale / windows;
        }
    }

    /// `signal` with what the first and last column see beyond its ends.
    fn pad(&self, signal: &[f32], columns: usize) -> Vec<f32> {
        let (lead, total) = (self.lead(), (columns + 3) * self.hop_frames);
        let mut padded = vec![0.0; total];
        padded[lead..lead + signal.len()].copy_from_slice(signal);
        if self.old_padding {
            return padded;
        }
        let trail = total - lead - signal.len();
        // A signal too short to be mirrored is first continued by silence, on the right as far as possible.
        let missing = (lead.max(trail) + 1).saturating_sub(signal.len());
        let silent_right = missing.min(trail);
        let silent_left = missing - silent_right;
        let (start, end) = (lead - silent_left, lead + signal.len() + silent_right);
        for n in 0..start {
            padded[n] = padded[2 * start - n];
        }
        for n in end..total {
            padded[n] = padded[2 * (end - 1) - n];
        }
        padded
    }
}

fn transformed(result: std::result::Result<(), realfft::FftError>) -> Result<()> {
    result.map_err(|error| crate::Error::new(crate::ErrorKind::Internal, error.to_string()))
}
