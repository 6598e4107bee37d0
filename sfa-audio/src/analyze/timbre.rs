//! How a song sounds over time: what form is read from.

use std::ops::Range;

use realfft::num_complex::Complex32;

use super::ANALYSIS_RATE_HZ;
use super::rhythm::{FRAME_HOP, FRAME_WINDOW};
use crate::dsp::power_of;

/// Spectrum size: 46 ms, long enough to part 60 Hz from 100 Hz.
const WINDOW_FRAMES: usize = FRAME_WINDOW;
/// Of the spectra that onsets are read from, every second is heard: one every 20 ms is enough to see single strokes.
const EVERY: usize = 2;
const HOP_FRAMES: usize = EVERY * FRAME_HOP;
/// Spectra in one column of 100 ms.
const HOPS_PER_COLUMN: usize = 5;
/// Bands of a column; the first [`LOW_BANDS`] lie below 150 Hz, the rest are 0.32 octaves wide.
pub(crate) const BANDS: usize = 24;
/// Bands below 150 Hz: kick and bass.
pub(crate) const LOW_BANDS: usize = 3;
/// First band above 5 kHz: cymbals, noise, air.
pub(crate) const FIRST_HIGH_BAND: usize = LOW_BANDS + 16;
/// Level that stands for silence, in dB below full scale.
pub(crate) const SILENCE_DB: f32 = -100.0;
/// Differences below this level are not heard as strokes, in dBFS per band.
const ONSET_FLOOR_DB: f32 = -70.0;
/// First band whose strokes count as middle, and first that count as high (about 2.5 kHz).
const ONSET_SPLITS: [usize; 2] = [LOW_BANDS, LOW_BANDS + 13];

/// 100 ms of sound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TimbreColumn {
    /// Mean power of each band in dBFS, never below [`SILENCE_DB`].
    pub(crate) bands_db: [f32; BANDS],
    /// How much the bands rose from spectrum to spectrum, in dB per band and second: strokes below 150 Hz,
    /// up to 2.5 kHz, and above.
    pub(crate) onsets: [f32; 3],
}

impl TimbreColumn {
    /// Power of bands `range` together, in dBFS.
    pub(crate) fn level_db(&self, range: Range<usize>) -> f32 {
        let power: f32 = self.bands_db[range].iter().map(|&db| 10f32.powf(db / 10.0)).sum();
        to_db(power)
    }
}

/// A song in columns of 100 ms: 108 bytes each, 8 MB for two hours.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct TimbreFeatures {
    pub(crate) columns: Vec<TimbreColumn>,
}

impl TimbreFeatures {
    /// Seconds between two columns.
    pub(crate) const HOP_SECS: f64 = (HOP_FRAMES * HOPS_PER_COLUMN) as f64 / ANALYSIS_RATE_HZ as f64;

    /// The columns whose middle lies between two times; at least one where there is any nearby.
    pub(crate) fn between(&self, start_secs: f64, end_secs: f64) -> &[TimbreColumn] {
        let index = |secs: f64| ((secs / Self::HOP_SECS).round().max(0.0) as usize).min(self.columns.len());
        let first = index(start_secs).min(self.columns.len().saturating_sub(1));
        let last = index(end_secs).max(first + 1).min(self.columns.len());
        &self.columns[first..last]
    }
}

/// Collects [`TimbreFeatures`] from the spectra that onsets are read from.
#[derive(Debug)]
pub(crate) struct TimbreCollector {
    heard: usize,
    summary: Summary,
}

impl Default for TimbreCollector {
    fn default() -> Self {
        Self::new()
    }
}

impl TimbreCollector {
    /// A collector that has heard nothing.
    pub(crate) fn new() -> Self {
        Self { heard: 0, summary: Summary::new() }
    }

    /// Hears the next spectrum.
    pub(crate) fn hear(&mut self, spectrum: &[Complex32]) {
        if self.heard.is_multiple_of(EVERY) {
            self.summary.add(spectrum);
        }
        self.heard += 1;
    }

    /// What was heard.
    pub(crate) fn finish(mut self) -> TimbreFeatures {
        self.summary.close_column();
        TimbreFeatures { columns: self.summary.columns }
    }
}

/// Sums spectra to bands and bands to columns.
#[derive(Debug)]
struct Summary {
    band_bins: [Range<usize>; BANDS],
    /// What turns the squared magnitude of a bin into the power of a sine, 1.0 at full scale.
    power_scale: f32,
    previous_db: Option<[f32; BANDS]>,
    power_sums: [f32; BANDS],
    onset_sums: [f32; 3],
    spectra: usize,
    columns: Vec<TimbreColumn>,
}

impl Summary {
    fn new() -> Self {
        let window_sum = WINDOW_FRAMES as f32 / 2.0;
        Self {
            band_bins: band_bins(),
            power_scale: 4.0 / (window_sum * window_sum),
            previous_db: None,
            power_sums: [0.0; BANDS],
            onset_sums: [0.0; 3],
            spectra: 0,
            columns: Vec::new(),
        }
    }

    fn add(&mut self, spectrum: &[Complex32]) {
        let mut levels_db = [0.0; BANDS];
        for ((level_db, bins), sum) in levels_db.iter_mut().zip(&self.band_bins).zip(&mut self.power_sums) {
            let power = power_of(&spectrum[bins.clone()]);
            let power = if power.is_finite() { power * self.power_scale } else { 0.0 };
            *sum += power;
            *level_db = to_db(power).max(ONSET_FLOOR_DB);
        }
        if let Some(previous_db) = &self.previous_db {
            let [low, high] = ONSET_SPLITS;
            for (sum, range) in self.onset_sums.iter_mut().zip([0..low, low..high, high..BANDS]) {
                let bands = range.len() as f32;
                let rise: f32 = range.map(|band| (levels_db[band] - previous_db[band]).max(0.0)).sum();
                *sum += rise / bands;
            }
        }
        self.previous_db = Some(levels_db);
        self.spectra += 1;
        if self.spectra == HOPS_PER_COLUMN {
            self.close_column();
        }
    }

    fn close_column(&mut self) {
        if self.spectra == 0 {
            return;
        }
        let spectra = self.spectra as f32;
        let spectra_per_sec = ANALYSIS_RATE_HZ as f32 / HOP_FRAMES as f32;
        self.columns.push(TimbreColumn {
            bands_db: self.power_sums.map(|sum| to_db(sum / spectra)),
            onsets: self.onset_sums.map(|sum| sum / spectra * spectra_per_sec),
        });
        self.power_sums = [0.0; BANDS];
        self.onset_sums = [0.0; 3];
        self.spectra = 0;
    }
}

fn to_db(power: f32) -> f32 {
    (10.0 * power.max(f32::MIN_POSITIVE).log10()).max(SILENCE_DB)
}

/// The bins of each band: 20, 60, 100, 150 Hz, then 0.32 octaves each up to 16 kHz.
fn band_bins() -> [Range<usize>; BANDS] {
    let edge_hz = |edge: usize| match edge {
        0..LOW_BANDS => 20.0 + 40.0 * edge as f64,
        _ => {
            let share = (edge - LOW_BANDS) as f64 / (BANDS - LOW_BANDS) as f64;
            150.0 * (16_000.0f64 / 150.0).powf(share)
        }
    };
    let bin =
        |edge: usize| (edge_hz(edge) * WINDOW_FRAMES as f64 / f64::from(ANALYSIS_RATE_HZ)).round() as usize;
    std::array::from_fn(|band| bin(band)..bin(band + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dsp::StreamingStft;

    impl TimbreFeatures {
        /// What is collected of mono audio that arrives in chunks.
        pub(in crate::analyze) fn of_samples(samples: &[f32], chunk: usize) -> Self {
            let mut collector = TimbreCollector::new();
            let mut stft = StreamingStft::new(FRAME_WINDOW, FRAME_HOP);
            samples.chunks(chunk).for_each(|part| stft.push(part, |spectrum| collector.hear(spectrum)));
            stft.finish(|spectrum| collector.hear(spectrum));
            collector.finish()
        }
    }

    #[test]
    fn bands_follow_each_other_and_split_where_documented() {
        let bins = band_bins();
        assert!(bins.iter().all(|band| !band.is_empty()));
        assert!(bins.windows(2).all(|pair| pair[0].end == pair[1].start));
        let hz = |bin: usize| bin as f64 * f64::from(ANALYSIS_RATE_HZ) / WINDOW_FRAMES as f64;
        let bin_width_hz = hz(1);
        assert!((hz(bins[LOW_BANDS].start) - 150.0).abs() < bin_width_hz);
        assert!((4_000.0..6_000.0).contains(&hz(bins[FIRST_HIGH_BAND].start)));
        assert!((2_000.0..3_000.0).contains(&hz(bins[ONSET_SPLITS[1]].start)));
    }

    #[test]
    fn a_full_scale_sine_stands_at_its_level_in_its_band() {
        let samples: Vec<f32> =
            (0..44_100).map(|n| (n as f32 * 1000.0 * std::f32::consts::TAU / 44_100.0).sin()).collect();
        let features = TimbreFeatures::of_samples(&samples, 4096);
        let loudest = features.columns[5].level_db(0..BANDS);
        // A Hann window spreads a sine's power over bins whose squares sum to 1.5 times the middle one's.
        assert!((loudest - 10.0 * 1.5f32.log10()).abs() < 0.5, "{loudest} dB");
        assert!(features.columns[5].onsets.iter().all(|&rise| rise < 1.0));
    }

    #[test]
    fn chunk_sizes_change_nothing() {
        let samples: Vec<f32> = (0..30_000).map(|n| ((n * n) as f32 * 0.01).sin()).collect();
        let whole = TimbreFeatures::of_samples(&samples, samples.len());
        assert_eq!(whole.columns.len(), 7);
        for chunk in [1, 100, 4099] {
            assert_eq!(whole, TimbreFeatures::of_samples(&samples, chunk));
        }
    }

    #[test]
    fn strange_input_gives_finite_numbers() {
        assert!(TimbreFeatures::of_samples(&[], 1).columns.is_empty());
        for samples in [vec![0.0; 1], vec![0.0; 44_100], vec![f32::NAN; 5000], vec![f32::MAX; 5000]] {
            for column in TimbreFeatures::of_samples(&samples, 512).columns {
                assert!(column.bands_db.iter().chain(&column.onsets).all(|value| value.is_finite()));
            }
        }
    }
}
