//! What voices are told by: how the partials between 200 and 2700 Hz move, and how the vowels change.

use realfft::num_complex::Complex32;

use crate::analyze::feed::SLOW_RATE_HZ;
use crate::dsp::StreamingStft;

const RATE_HZ: f32 = SLOW_RATE_HZ as f32;
const WINDOW: usize = 1024;
/// 20 ms.
const HOP: usize = 220;
const FRAMES_PER_COLUMN: usize = 5;
/// Bins in which partials are looked for: 194 to 2692 Hz.
const BINS: std::ops::Range<usize> = 18..251;
/// Partials below this bin are too close to each other and to the bass for their movement to be seen.
const MOVING_FROM: usize = 37;
const MOST_PEAKS: usize = 20;
/// Bands of the cepstrum, which is the shape of the vowel.
const BANDS: usize = 13;
const BAND_RANGE_HZ: (f32, f32) = (150.0, 2700.0);
pub(super) const CEPSTRUM: usize = 5;

/// 100 ms of sound. Amplitudes are sums over its spectra.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Column {
    /// Amplitude of all partials from 400 Hz.
    pub(super) partials: f32,
    /// Of those that go on from the spectrum before: by less than 4, 12, 30 and more cents in 20 ms.
    pub(super) moved: [f32; 4],
    /// Of those that move on as they moved, and of those that turn.
    pub(super) smooth: f32,
    pub(super) rough: f32,
    /// Of moving partials, what is left when those that rise and those that fall take each other away; and all.
    pub(super) together: f32,
    pub(super) moving: f32,
    /// Number of partials.
    pub(super) count: f32,
    /// Standard deviation of the cepstrum over this column and the one before.
    pub(super) unrest: [f32; CEPSTRUM],
    /// Mean level of all between 200 and 2700 Hz, and of the partials there from 400 Hz, in dB.
    pub(super) level_db: f32,
    pub(super) tonal_db: f32,
}

/// A song in columns of 100 ms: 68 bytes each, 5 MB for two hours.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct VocalFeatures {
    pub(super) columns: Vec<Column>,
}

impl VocalFeatures {
    /// Columns per second.
    pub(super) const RATE_HZ: f64 = RATE_HZ as f64 / (HOP * FRAMES_PER_COLUMN) as f64;
}

/// Collects [`VocalFeatures`] from mono audio at [`SLOW_RATE_HZ`], pushed in chunks of any size.
pub(crate) struct VocalCollector {
    stft: StreamingStft,
    meter: Meter,
}

impl VocalCollector {
    pub(crate) fn new() -> Self {
        Self { stft: StreamingStft::new(WINDOW, HOP), meter: Meter::new() }
    }

    /// Takes the next samples.
    pub(crate) fn push(&mut self, slow: &[f32]) {
        let Self { stft, meter } = self;
        stft.push(slow, |spectrum| meter.measure(spectrum));
    }

    /// Everything that was collected.
    pub(crate) fn finish(self) -> VocalFeatures {
        let Self { stft, mut meter } = self;
        stft.finish(|spectrum| meter.measure(spectrum));
        meter.close_column();
        VocalFeatures { columns: meter.columns }
    }
}

/// A partial of one spectrum.
#[derive(Debug, Clone, Copy)]
struct Partial {
    bin: usize,
    amplitude: f32,
    cents: f32,
    /// How far it moved since the spectrum before, where it was there.
    step_cents: Option<f32>,
}

struct Meter {
    /// Of each band of the cepstrum: first bin and weights.
    bands: Vec<(usize, Vec<f32>)>,
    cosines: [[f32; BANDS]; CEPSTRUM],
    amplitudes: Vec<f32>,
    partials: Vec<Partial>,
    before: Vec<Partial>,
    /// Cepstra of this column and the one before.
    cepstra: Vec<[f32; CEPSTRUM]>,
    column: Column,
    frames: usize,
    columns: Vec<Column>,
}

impl Meter {
    fn new() -> Self {
        let (low_hz, high_hz) = BAND_RANGE_HZ;
        let edge = |n: usize| {
            low_hz * (high_hz / low_hz).powf(n as f32 / (BANDS + 1) as f32) * WINDOW as f32 / RATE_HZ
        };
        let bands = (0..BANDS)
            .map(|band| {
                let (left, centre, right) = (edge(band), edge(band + 1), edge(band + 2));
                let bins = left.ceil() as usize..right.floor() as usize + 1;
                let weight = |bin: usize| {
                    let bin = bin as f32;
                    ((bin - left) / (centre - left)).min((right - bin) / (right - centre)).max(0.0)
                };
                (bins.start, bins.map(weight).collect())
            })
            .collect();
        let cosine = |k: usize, band: usize| {
            let angle = std::f32::consts::PI * (k + 1) as f32 * (band as f32 + 0.5) / BANDS as f32;
            angle.cos() * (2.0 / BANDS as f32).sqrt()
        };
        Self {
            bands,
            cosines: std::array::from_fn(|k| std::array::from_fn(|band| cosine(k, band))),
            amplitudes: vec![0.0; WINDOW / 2 + 1],
            partials: Vec::new(),
            before: Vec::new(),
            cepstra: Vec::new(),
            column: Column::default(),
            frames: 0,
            columns: Vec::new(),
        }
    }

    fn measure(&mut self, spectrum: &[Complex32]) {
        /// A sine at full scale has amplitude 1.
        const SCALE: f32 = 4.0 / WINDOW as f32;
        for (amplitude, bin) in self.amplitudes.iter_mut().zip(spectrum) {
            *amplitude = bin.norm_sqr().sqrt() * SCALE;
        }
        self.find_partials();
        self.follow_partials();
        let cepstrum = self.cepstrum();
        self.cepstra.push(cepstrum);
        let power: f32 = self.amplitudes[BINS].iter().map(|amplitude| amplitude * amplitude).sum();
        let tonal: f32 =
            self.partials.iter().filter(|partial| partial.bin >= MOVING_FROM).map(|p| p.amplitude).sum();
        self.column.level_db += 10.0 * (power + 1e-9).log10();
        self.column.tonal_db += 20.0 * (tonal + 1e-4).log10();
        self.column.count += self.partials.len() as f32;
        self.column.partials += tonal;
        self.frames += 1;
        if self.frames == FRAMES_PER_COLUMN {
            self.close_column();
        }
    }

    /// The strongest peaks of the spectrum, in order of frequency.
    fn find_partials(&mut self) {
        const LEAST_SHARE: f32 = 0.03;
        const SILENCE: f32 = 1e-4;
        let amplitudes = &self.amplitudes;
        let loudest = amplitudes[BINS].iter().fold(0.0_f32, |most, &amplitude| most.max(amplitude));
        let least = (LEAST_SHARE * loudest).max(SILENCE);
        std::mem::swap(&mut self.partials, &mut self.before);
        self.partials.clear();
        for bin in BINS {
            let amplitude = amplitudes[bin];
            if amplitude > least
                && amplitude > amplitudes[bin - 1]
                && amplitude >= amplitudes[bin + 1]
                && amplitude > amplitudes[bin - 2]
                && amplitude >= amplitudes[bin + 2]
            {
                let [left, middle, right] = [bin - 1, bin, bin + 1].map(|bin| (amplitudes[bin] + 1e-9).ln());
                let offset = 0.5 * (left - right) / (left - 2.0 * middle + right - 1e-9);
                let cents = 1200.0 * (bin as f32 + offset).log2();
                self.partials.push(Partial { bin, amplitude, cents, step_cents: None });
            }
        }
        if self.partials.len() > MOST_PEAKS {
            self.partials.sort_by(|a, b| b.amplitude.total_cmp(&a.amplitude));
            self.partials.truncate(MOST_PEAKS);
            self.partials.sort_by_key(|partial| partial.bin);
        }
    }

    /// Finds each partial in the spectrum before, and sums up how it moved.
    fn follow_partials(&mut self) {
        const FARTHEST_CENTS: f32 = 80.0;
        const STEPS_CENTS: [f32; 3] = [4.0, 12.0, 30.0];
        /// Steps much smaller than this, in cents, have no direction.
        const DIRECTED_CENTS: f32 = 4.0;
        let mut balance = 0.0;
        for partial in &mut self.partials {
            let distance = |other: &&Partial| (partial.cents - other.cents).abs();
            let nearest = self.before.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
            let Some(origin) = nearest.filter(|origin| distance(origin) < FARTHEST_CENTS) else { continue };
            let step = partial.cents - origin.cents;
            partial.step_cents = Some(step);
            if partial.bin < MOVING_FROM {
                continue;
            }
            let amplitude = partial.amplitude;
            let class = STEPS_CENTS.iter().filter(|&&least| step.abs() >= least).count();
            self.column.moved[class] += amplitude;
            if class > 0 {
                self.column.moving += amplitude;
                balance += amplitude * step.signum();
            }
            if let Some(last) = origin.step_cents {
                let likeness =
                    step * last / (step * step + last * last + 2.0 * DIRECTED_CENTS * DIRECTED_CENTS);
                self.column.smooth += amplitude * likeness.max(0.0);
                self.column.rough += amplitude * (-likeness).max(0.0);
            }
        }
        self.column.together += balance.abs();
    }

    fn cepstrum(&self) -> [f32; CEPSTRUM] {
        let mut levels = [0.0; BANDS];
        for (level, (first, weights)) in levels.iter_mut().zip(&self.bands) {
            let power: f32 = weights.iter().zip(&self.amplitudes[*first..]).map(|(w, a)| w * a * a).sum();
            *level = (power + 1e-7).ln();
        }
        self.cosines.map(|cosines| cosines.iter().zip(levels).map(|(cosine, level)| cosine * level).sum())
    }

    fn close_column(&mut self) {
        if self.frames == 0 {
            return;
        }
        let frames = self.frames as f32;
        self.column.level_db /= frames;
        self.column.tonal_db /= frames;
        for k in 0..CEPSTRUM {
            let mean =
                self.cepstra.iter().map(|cepstrum| cepstrum[k]).sum::<f32>() / self.cepstra.len() as f32;
            let squares: f32 = self.cepstra.iter().map(|cepstrum| (cepstrum[k] - mean).powi(2)).sum();
            self.column.unrest[k] = (squares / self.cepstra.len() as f32).sqrt();
        }
        self.cepstra.drain(..self.cepstra.len() - self.frames);
        self.columns.push(std::mem::take(&mut self.column));
        self.frames = 0;
    }
}
