//! What energy is judged by, gathered twice a second.

use realfft::num_complex::Complex32;

use crate::analyze::ANALYSIS_RATE_HZ;
use crate::dsp::{RunningSum, StreamingStft, power_of};

const WINDOW_FRAMES: usize = 2048;
const FRAMES_PER_SLOT: usize = ANALYSIS_RATE_HZ as usize / 2;
/// Forty spectra per second.
pub(super) const FLUX_PER_SLOT: usize = 20;
const HOP_FRAMES: usize = FRAMES_PER_SLOT / FLUX_PER_SLOT;
/// Seconds that one slot stands for.
pub(super) const SLOT_SECS: f64 = FRAMES_PER_SLOT as f64 / ANALYSIS_RATE_HZ as f64;

/// The bands in which levels rise at an onset: half octaves from the kick drum to the hi-hats.
const BANDS: usize = 17;
const LOWEST_BAND_HZ: f64 = 40.0;
/// A band below this level is silent.
const BAND_FLOOR_DBFS: f32 = -70.0;
/// Top of what shakes the floor.
const LOW_END_HZ: f64 = 120.0;
/// Bottom of what hisses and cuts.
const BRIGHT_HZ: f64 = 3_000.0;

/// Half a second of music.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Slot {
    /// Mean square of the samples.
    pub(super) power: f32,
    /// Mean square below 120 Hz.
    pub(super) low_power: f32,
    /// Mean square above 3 kHz.
    pub(super) bright_power: f32,
}

/// What [`EnergyCollector`] hands on.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct EnergyFeatures {
    /// One per half second, the last one perhaps shorter.
    pub(super) slots: Vec<Slot>,
    /// Mean rise of the band levels within two hops, in dB; [`FLUX_PER_SLOT`] per slot.
    pub(super) flux_db: Vec<f32>,
}

/// Collects [`EnergyFeatures`] from mono audio at [`ANALYSIS_RATE_HZ`] in chunks of any size.
pub(crate) struct EnergyCollector {
    stft: StreamingStft,
    spectra: SpectrumMeter,
    /// Mean square of every whole slot.
    powers: Vec<f32>,
    squares: RunningSum,
    frames: usize,
}

impl EnergyCollector {
    pub(crate) fn new() -> Self {
        Self {
            stft: StreamingStft::new(WINDOW_FRAMES, HOP_FRAMES),
            spectra: SpectrumMeter::new(),
            powers: Vec::new(),
            squares: RunningSum::default(),
            frames: 0,
        }
    }

    /// Takes the next samples.
    pub(crate) fn push(&mut self, samples: &[f32]) {
        let mut rest = samples;
        while !rest.is_empty() {
            let (part, after) = rest.split_at(rest.len().min(FRAMES_PER_SLOT - self.frames));
            self.squares.add_squares(part);
            self.frames += part.len();
            if self.frames == FRAMES_PER_SLOT {
                self.close_slot();
            }
            rest = after;
        }
        self.stft.push(samples, |spectrum| self.spectra.measure(spectrum));
    }

    fn close_slot(&mut self) {
        let squares = std::mem::take(&mut self.squares);
        self.powers.push((squares.total() / self.frames as f64) as f32);
        self.frames = 0;
    }

    /// Closes the last slot.
    pub(crate) fn finish(mut self) -> EnergyFeatures {
        if self.frames > 0 {
            self.close_slot();
        }
        self.stft.finish(|spectrum| self.spectra.measure(spectrum));
        let mut slots = self.spectra.slots;
        // A spectrum centred on the very end opens one slot too many.
        slots.resize(self.powers.len(), Slot::default());
        for (slot, power) in slots.iter_mut().zip(&self.powers) {
            slot.power = *power;
        }
        let mut flux_db = self.spectra.flux_db;
        flux_db.truncate(slots.len() * FLUX_PER_SLOT);
        EnergyFeatures { slots, flux_db }
    }
}

/// Sums up spectra slot by slot.
struct SpectrumMeter {
    /// First bin of each band, and the end of the last.
    edges: [usize; BANDS + 1],
    low_end_bin: usize,
    bright_bin: usize,
    /// Levels of the last two spectra: an onset may take two hops to rise.
    before: [[f32; BANDS]; 2],
    slots: Vec<Slot>,
    flux_db: Vec<f32>,
}

impl SpectrumMeter {
    fn new() -> Self {
        let bin = |hz: f64| (hz * WINDOW_FRAMES as f64 / f64::from(ANALYSIS_RATE_HZ)).round() as usize;
        let mut edges = [0; BANDS + 1];
        for (index, edge) in edges.iter_mut().enumerate() {
            *edge = bin(LOWEST_BAND_HZ * 2f64.powf(index as f64 / 2.0)).max(index + 1);
        }
        Self {
            edges,
            low_end_bin: bin(LOW_END_HZ),
            bright_bin: bin(BRIGHT_HZ),
            before: [[BAND_FLOOR_DBFS; BANDS]; 2],
            slots: Vec::new(),
            flux_db: Vec::new(),
        }
    }

    fn measure(&mut self, spectrum: &[Complex32]) {
        // By Parseval, the mean square of the samples under a Hann window (whose own mean square is 3/8).
        let scale = 2.0 / (0.375 * (WINDOW_FRAMES as f32).powi(2));
        let power = |bins: &[Complex32]| power_of(bins) * scale;
        let mut levels = [0.0; BANDS];
        for (level, edge) in levels.iter_mut().zip(self.edges.windows(2)) {
            *level = (10.0 * power(&spectrum[edge[0]..edge[1]]).log10()).max(BAND_FLOOR_DBFS);
        }
        let rise: f32 = (0..BANDS)
            .map(|band| (levels[band] - self.before[0][band].max(self.before[1][band])).max(0.0))
            .sum();
        self.before = [self.before[1], levels];

        if self.flux_db.len().is_multiple_of(FLUX_PER_SLOT) {
            self.slots.push(Slot::default());
        }
        self.flux_db.push(rise / BANDS as f32);
        if let Some(slot) = self.slots.last_mut() {
            slot.low_power += power(&spectrum[1..self.low_end_bin]) / FLUX_PER_SLOT as f32;
            slot.bright_power += power(&spectrum[self.bright_bin..]) / FLUX_PER_SLOT as f32;
        }
    }
}
