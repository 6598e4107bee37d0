//! Spectra over time, no finer than a picture shows them.

use sfa_audio::analyze::descriptors::FrameMatrix;
use sfa_audio::dsp::{Complex32, StreamingStft};

use super::matrix::{Matrix, Shrinking};
use crate::{AudioSource, Clip, Result, Stage, Watch};

const WINDOW_FRAMES: usize = 4096;
const HOP_FRAMES: usize = 1024;
/// Rows of the spectrogram, evenly spaced in octaves.
const ROWS: usize = 320;
/// The lowest frequency that is drawn; the highest is half the sample rate.
pub(super) const LOWEST_HZ: f64 = 27.5;
/// From the loudest place down to black.
const RANGE_DB: f32 = 80.0;

/// Level by frequency, on a logarithmic scale from [`LOWEST_HZ`] to half the sample rate.
pub(super) fn spectrogram(audio: &mut dyn AudioSource, watch: &Watch) -> Result<Matrix> {
    audio.rewind()?;
    let spec = audio.spec();
    let bin_hz = f64::from(spec.sample_rate_hz) / WINDOW_FRAMES as f64;
    let octaves = (f64::from(spec.sample_rate_hz) / 2.0 / LOWEST_HZ).log2();
    let edge = |row: usize| LOWEST_HZ * (octaves * row as f64 / ROWS as f64).exp2() / bin_hz;
    // Low rows are narrower than a bin and show the one they lie in, high ones the loudest of several.
    let bins: Vec<(usize, usize)> = (0..ROWS)
        .map(|row| {
            let first = (edge(row).round() as usize).min(WINDOW_FRAMES / 2);
            (first, (edge(row + 1).round() as usize).clamp(first + 1, WINDOW_FRAMES / 2 + 1))
        })
        .collect();
    let mut shrinking = Shrinking::new(ROWS);
    let mut stft = StreamingStft::new(WINDOW_FRAMES, HOP_FRAMES);
    let mut take = |spectrum: &[Complex32]| {
        let loudest = |&(first, end): &(usize, usize)| {
            spectrum[first..end].iter().map(|bin| bin.norm_sqr()).fold(0.0, f32::max)
        };
        shrinking.push(bins.iter().map(loudest));
    };
    let (mut block, mut mono) = (Clip::empty(spec), Vec::new());
    let (mut done, total) = (0, audio.frames_hint().unwrap_or(0));
    while audio.read(&mut block)? > 0 {
        mono.clear();
        block.downmix_into(&mut mono);
        stft.push(&mono, &mut take);
        done += block.frames() as u64;
        watch.report(Stage::Analyze, done, total.max(done))?;
    }
    stft.finish(&mut take);
    let mut matrix = shrinking.finish();
    matrix.values.iter_mut().for_each(|power| *power = 10.0 * power.max(1e-12).log10());
    let top = matrix.highest();
    Ok(matrix.scaled(top - RANGE_DB, top))
}

/// Mel bands in dB, the lowest at the bottom.
pub(super) fn mel(frames: &FrameMatrix) -> Matrix {
    let matrix = shrunk(frames, frames.width, |frame| frame.to_vec());
    let top = matrix.highest();
    matrix.scaled(top - RANGE_DB, top)
}

/// The slowest and the fastest tempo that is drawn.
pub(super) const TEMPO_RANGE_BPM: (f64, f64) = (40.0, 240.0);
const TEMPO_ROWS: usize = 200;

/// Strength by tempo, on a logarithmic scale over [`TEMPO_RANGE_BPM`], from the autocorrelation by lag.
pub(super) fn tempogram(frames: &FrameMatrix, frames_per_minute: f64) -> Matrix {
    let (slowest, fastest) = TEMPO_RANGE_BPM;
    let lags: Vec<f64> = (0..TEMPO_ROWS)
        .map(|row| {
            frames_per_minute / (slowest * (fastest / slowest).powf(row as f64 / (TEMPO_ROWS - 1) as f64))
        })
        .collect();
    let at = |frame: &[f32], lag: f64| {
        let (index, rest) = (lag as usize, lag.fract() as f32);
        match frame.get(index..index + 2) {
            Some(pair) => pair[0] + rest * (pair[1] - pair[0]),
            None => 0.0,
        }
    };
    let matrix =
        shrunk(frames, TEMPO_ROWS, |frame| lags.iter().map(|&lag| at(frame, lag).max(0.0)).collect());
    let top = matrix.highest();
    matrix.scaled(0.0, top)
}

fn shrunk(frames: &FrameMatrix, rows: usize, column: impl Fn(&[f32]) -> Vec<f32>) -> Matrix {
    let mut shrinking = Shrinking::new(rows);
    frames.values.chunks_exact(frames.width).for_each(|frame| shrinking.push(column(frame)));
    shrinking.finish()
}
