//! What pitches stick out of each short-time spectrum.

use pulp::{Arch, Simd, WithSimd};
use realfft::num_complex::Complex32;

use crate::analyze::feed::SLOW_RATE_HZ;
use crate::dsp::{StreamingStft, ln, power_of};

/// 371 ms: tells semitones apart down to 100 Hz, and single bass notes below.
const WINDOW_FRAMES: usize = 4096;
const HOP_FRAMES: usize = 1024;
const BIN_HZ: f64 = SLOW_RATE_HZ / WINDOW_FRAMES as f64;
/// Seconds between two frames of peaks.
pub(crate) const HOP_SECS: f64 = HOP_FRAMES as f64 / SLOW_RATE_HZ;

/// From the lowest note of a bass guitar to the end of what melodies and their first overtones fill.
const LOWEST_HZ: f64 = 38.0;
const HIGHEST_HZ: f64 = 2_200.0;
/// Highest peak of Hann-windowed noise over its own mean level in dB, most of the time: what stands out less
/// is no tone.
const NOISE_PROMINENCE_DB: f32 = 8.0;
/// A tone in silence would otherwise count for more than a chord.
const MAX_PROMINENCE_DB: f32 = 40.0;
/// Peaks this far below the strongest of their frame are side lobes or reverberation.
const FRAME_RANGE_DB: f32 = 60.0;
/// Quieter frames are silence.
const SILENCE_DB: f32 = -90.0;
const MAX_PEAKS: usize = 32;

/// A partial that sticks out of its surroundings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peak {
    /// Pitch in cents above A0 (27.5 Hz).
    cents: u16,
    /// Height over the surrounding spectrum beyond what noise shows, in quarters of a decibel.
    prominence: u8,
    /// Attenuation against a full-scale sine in halves of a decibel.
    attenuation: u8,
}

impl Peak {
    /// Semitones above C0 at A4 = 440 Hz, with fraction.
    pub(crate) fn pitch(self) -> f32 {
        f32::from(self.cents) / 100.0 + 9.0
    }

    /// Height over the surrounding spectrum beyond what noise shows, in decibels.
    pub(crate) fn prominence_db(self) -> f32 {
        f32::from(self.prominence) / 4.0
    }

    /// Level against a full-scale sine, in decibels.
    pub(crate) fn level_dbfs(self) -> f32 {
        -f32::from(self.attenuation) / 2.0
    }
}

/// The peaks of every frame, packed: two hours take about 10 MB.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct PeakFrames {
    peaks: Vec<Peak>,
    /// Where each frame's peaks end.
    ends: Vec<u32>,
    /// Level of each frame between the lowest and the highest pitch, in dBFS.
    levels_db: Vec<f32>,
}

impl PeakFrames {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The peaks of one frame, from low to high.
    pub(crate) fn peaks(&self, frame: usize) -> &[Peak] {
        let start = if frame == 0 { 0 } else { self.ends[frame - 1] as usize };
        &self.peaks[start..self.ends[frame] as usize]
    }

    pub(crate) fn level_db(&self, frame: usize) -> f32 {
        self.levels_db[frame]
    }

    /// Every peak of every frame.
    pub(crate) fn all(&self) -> &[Peak] {
        &self.peaks
    }
}

/// Collects [`PeakFrames`] from mono audio at [`SLOW_RATE_HZ`] in chunks of any size.
pub(crate) struct HarmonyCollector {
    stft: StreamingStft,
    picker: PeakPicker,
}

impl HarmonyCollector {
    pub(crate) fn new() -> Self {
        Self { stft: StreamingStft::new(WINDOW_FRAMES, HOP_FRAMES), picker: PeakPicker::new() }
    }

    /// Takes the next samples.
    pub(crate) fn push(&mut self, slow: &[f32]) {
        let Self { stft, picker } = self;
        stft.push(slow, |spectrum| picker.pick(spectrum));
    }

    /// Takes the frames that reach over the end.
    pub(crate) fn finish(self) -> PeakFrames {
        let Self { stft, mut picker } = self;
        stft.finish(|spectrum| picker.pick(spectrum));
        picker.frames
    }
}

/// Gives the level of every bin of a spectrum and of all together, in dBFS.
struct Level<'a> {
    spectrum: &'a [Complex32],
    levels_db: &'a mut [f32],
}

impl WithSimd for Level<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f32 {
        // A full-scale sine has a Hann-windowed magnitude of a quarter of the window.
        let scale = (4.0 / WINDOW_FRAMES as f32).powi(2);
        for (level, bin) in self.levels_db.iter_mut().zip(self.spectrum) {
            let power = bin.norm_sqr() * scale + 1e-14;
            *level = 10.0 / std::f32::consts::LN_10 * ln(power);
        }
        10.0 * (power_of(self.spectrum) * scale + 1e-14).log10()
    }
}

/// Turns spectra into peaks.
struct PeakPicker {
    first_bin: usize,
    /// For each bin from `first_bin`, the bins whose mean level is its surroundings.
    surroundings: Vec<(usize, usize)>,
    levels_db: Vec<f32>,
    /// Running sum of `levels_db`, one longer.
    sums: Vec<f64>,
    candidates: Vec<(f32, Peak)>,
    frames: PeakFrames,
}

impl PeakPicker {
    fn new() -> Self {
        let first_bin = (LOWEST_HZ / BIN_HZ) as usize;
        let last_bin = (HIGHEST_HZ / BIN_HZ) as usize;
        // A fifth of an octave on both sides, but enough bins in the bass to see past the main lobe.
        let surroundings = (first_bin..=last_bin)
            .map(|bin| {
                let reach = (bin / 7).max(14);
                (bin.saturating_sub(reach).max(3), bin + reach + 1)
            })
            .collect::<Vec<_>>();
        let bins = surroundings.iter().map(|&(_, end)| end).max().unwrap_or(0);
        Self {
            first_bin,
            surroundings,
            levels_db: vec![0.0; bins],
            sums: vec![0.0; bins + 1],
            candidates: Vec::new(),
            frames: PeakFrames::default(),
        }
    }

    fn pick(&mut self, spectrum: &[Complex32]) {
        let spectrum = &spectrum[..self.levels_db.len()];
        let frame_level = Arch::new().dispatch(Level { spectrum, levels_db: &mut self.levels_db });
        for (bin, level) in self.levels_db.iter().enumerate() {
            self.sums[bin + 1] = self.sums[bin] + f64::from(*level);
        }
        self.candidates.clear();
        if frame_level > SILENCE_DB {
            self.find_candidates();
        }
        if self.candidates.len() > MAX_PEAKS {
            self.candidates.select_nth_unstable_by(MAX_PEAKS, |a, b| b.0.total_cmp(&a.0));
            self.candidates.truncate(MAX_PEAKS);
            self.candidates.sort_unstable_by_key(|(_, peak)| peak.cents);
        }
        self.frames.peaks.extend(self.candidates.iter().map(|&(_, peak)| peak));
        self.frames.ends.push(self.frames.peaks.len() as u32);
        self.frames.levels_db.push(frame_level);
    }

    fn find_candidates(&mut self) {
        let range = self.first_bin..self.first_bin + self.surroundings.len();
        let strongest = self.levels_db[range.clone()].iter().fold(f32::MIN, |max, &level| max.max(level));
        for (bin, &(start, end)) in range.zip(&self.surroundings) {
            let [left, centre, right] = [-1, 0, 1].map(|step| self.levels_db[bin.wrapping_add_signed(step)]);
            if centre <= left || centre < right || centre < strongest - FRAME_RANGE_DB {
                continue;
            }
            let surrounding = ((self.sums[end] - self.sums[start]) / (end - start) as f64) as f32;
            // The crest of the parabola through three points of the logarithmic spectrum.
            let curvature = left - 2.0 * centre + right;
            let shift = if curvature < -1e-6 { 0.5 * (left - right) / curvature } else { 0.0 };
            let level = centre - 0.25 * (left - right) * shift;
            let prominence = (level - surrounding - NOISE_PROMINENCE_DB).min(MAX_PROMINENCE_DB);
            if prominence <= 0.0 {
                continue;
            }
            let frequency_hz = (bin as f64 + f64::from(shift)) * BIN_HZ;
            let peak = Peak {
                cents: (1200.0 * (frequency_hz / 27.5).log2()).round() as u16,
                prominence: (prominence * 4.0).round() as u8,
                attenuation: (-level * 2.0).round() as u8,
            };
            self.candidates.push((prominence, peak));
        }
    }
}
