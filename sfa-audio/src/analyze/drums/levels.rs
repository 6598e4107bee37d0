//! What is kept of a song to find drums in.

use realfft::num_complex::Complex32;

use crate::analyze::ANALYSIS_RATE_HZ;
use crate::dsp::{StreamingStft, power_of};

/// 23 ms: shorter than the gap between strokes of a roll.
const WINDOW_FRAMES: usize = 1024;
const HOP_FRAMES: usize = ANALYSIS_RATE_HZ as usize / 100;
/// Seconds between two columns.
pub(super) const HOP_SECS: f64 = HOP_FRAMES as f64 / ANALYSIS_RATE_HZ as f64;
/// Bands from 21 Hz to 16.4 kHz.
pub(super) const BANDS: usize = 16;
/// Bands below hold too few bins to tell noise from tones.
pub(super) const NOISE_FROM: usize = 4;
/// Bands, then the noise level of those from [`NOISE_FROM`] on.
pub(super) const VALUES: usize = 2 * BANDS - NOISE_FROM;
/// Where bands begin, in bins of 43 Hz.
const EDGES: [usize; BANDS + 1] = [1, 3, 4, 6, 8, 11, 15, 21, 29, 40, 55, 76, 105, 145, 200, 277, 381];
/// What a stored level of 0 stands for.
const FLOOR_DB: f32 = -110.0;
const STEPS_PER_DB: f32 = 2.0;

/// Levels of a song in half decibels, 28 bytes per 10 ms: 20 MB for two hours.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Levels {
    columns: Vec<[u8; VALUES]>,
}

impl Levels {
    pub(super) fn len(&self) -> usize {
        self.columns.len()
    }

    pub(super) fn secs(&self) -> f64 {
        self.len() as f64 * HOP_SECS
    }

    pub(super) fn column(&self, index: usize) -> &[u8; VALUES] {
        &self.columns[index]
    }

    /// The amplitude that each level stands for, 1.0 at full scale.
    pub(super) fn amplitudes() -> [f32; 256] {
        std::array::from_fn(|level| 10f32.powf((level as f32 / STEPS_PER_DB + FLOOR_DB) / 20.0))
    }
}

/// Collects [`Levels`] from mono audio at 44 100 Hz that arrives in blocks of any size.
pub(crate) struct DrumCollector {
    stft: StreamingStft,
    levels: Levels,
}

impl DrumCollector {
    /// A collector that has heard nothing.
    pub(crate) fn new() -> Self {
        Self { stft: StreamingStft::new(WINDOW_FRAMES, HOP_FRAMES), levels: Levels::default() }
    }

    /// Hears the next samples.
    pub(crate) fn push(&mut self, mono: &[f32]) {
        let Self { stft, levels } = self;
        stft.push(mono, |spectrum| levels.columns.push(column(spectrum)));
    }

    /// What was heard.
    pub(crate) fn finish(self) -> Levels {
        let Self { stft, mut levels } = self;
        stft.finish(|spectrum| levels.columns.push(column(spectrum)));
        levels
    }
}

fn column(spectrum: &[Complex32]) -> [u8; VALUES] {
    /// Squared; a full-scale sine has magnitude 1.
    const SCALE: f32 = (4.0 / WINDOW_FRAMES as f32) * (4.0 / WINDOW_FRAMES as f32);
    /// Powers multiplied before one logarithm is taken; as many as fit a double.
    const FACTORS: usize = 16;

    let mut column = [0; VALUES];
    for band in 0..BANDS {
        let bins = &spectrum[EDGES[band]..EDGES[band + 1]];
        column[band] = quantised(power_of(bins) * SCALE);
        if band >= NOISE_FROM {
            let logs: f64 = bins
                .chunks(FACTORS)
                .map(|bins| {
                    bins.iter().map(|bin| f64::from(bin.norm_sqr() * SCALE) + 1e-13).product::<f64>().ln()
                })
                .sum();
            // The geometric mean follows noise and passes over the peaks of tones.
            let noise = (logs / bins.len() as f64).exp() * bins.len() as f64;
            column[BANDS + band - NOISE_FROM] = quantised(noise as f32);
        }
    }
    column
}

fn quantised(power: f32) -> u8 {
    let db = 10.0 * (power + 1e-11).log10();
    // A cast saturates at both ends.
    ((db - FLOOR_DB) * STEPS_PER_DB).round_ties_even() as u8
}
