//! Peaks gathered block by block.

use pulp::{Arch, Simd, WithSimd};

use super::{Waveform, WaveformLevel};
use crate::dsp::{Biquad, BiquadBank, LinkwitzRiley};
use crate::{AudioSpec, Clip};

/// Frames per point at the finest zoom.
const BASE_FRAMES: u32 = 512;
/// Points of one zoom in a point of the next.
const ZOOM_STEP: usize = 4;
/// Zooms are added until one has fewer points than this: enough for an overview of any width.
const OVERVIEW_POINTS: usize = 1000;
/// Borders between the bass that one feels, the body of most instruments, and the air above.
const LOW_MID_HZ: f64 = 200.0;
const MID_HIGH_HZ: f64 = 2_000.0;

/// Draws the [`Waveform`] of audio that arrives in blocks of any size; how it is cut changes nothing.
pub struct WaveformCollector {
    spec: AudioSpec,
    bands: Bands,
    /// The newest samples, from those on that the bands have not given back yet.
    mono: Vec<f32>,
    point: Point,
    base: WaveformLevel,
}

impl WaveformCollector {
    /// A collector for audio of this shape.
    pub fn new(spec: AudioSpec) -> Self {
        Self {
            spec,
            bands: Bands::new(f64::from(spec.sample_rate_hz)),
            mono: Vec::new(),
            point: Point::default(),
            base: WaveformLevel { frames_per_point: BASE_FRAMES, ..WaveformLevel::default() },
        }
    }

    /// Takes the next frames.
    pub fn push(&mut self, block: &Clip) {
        let held = self.mono.len();
        block.downmix_into(&mut self.mono);
        self.draw(held);
    }

    /// Draws on with `mono`, of which the bands have heard `held` samples.
    fn draw(&mut self, held: usize) {
        let first = (held + DELAY.saturating_sub(held)).min(self.mono.len());
        self.bands.feed(&self.mono[held..first]);
        let mut drawn = 0;
        let ready = self.mono.len() - first;
        while drawn < ready {
            let count = (ready - drawn).min((BASE_FRAMES - self.point.frames) as usize);
            let heard = &self.mono[first + drawn..][..count];
            self.point.add(&self.mono[drawn..][..count], self.bands.feed(heard));
            if self.point.frames == BASE_FRAMES {
                std::mem::take(&mut self.point).write_to(&mut self.base);
            }
            drawn += count;
        }
        self.mono.drain(..drawn);
    }

    /// Closes the last point and derives the coarser zooms.
    pub fn finish(mut self) -> Waveform {
        let held = self.mono.len();
        self.mono.resize(held + DELAY, 0.0);
        self.draw(held);
        if self.point.frames > 0 {
            self.point.write_to(&mut self.base);
        }
        let mut levels = vec![self.base];
        while let Some(finest) = levels.last().filter(|level| level.min.len() >= OVERVIEW_POINTS) {
            let coarser = zoom_out(finest);
            levels.push(coarser);
        }
        Waveform { sample_rate_hz: self.spec.sample_rate_hz, levels }
    }
}

/// Samples by which one section's output reaches the next, late enough that no section waits for another.
const LINK: usize = 2;
/// Samples by which all bands come late.
const DELAY: usize = 3 * LINK;

/// A three-way crossover; bands that lie above half the sample rate stay silent.
///
/// Its eight sections work side by side, on samples of different age: a section that filters what another one made
/// hears it [`LINK`] samples later, and shorter chains start later, so that all bands end [`DELAY`] samples late.
#[derive(Clone)]
struct Bands {
    sections: BiquadBank<8>,
    /// The newest samples and outputs, newest first.
    samples: [f64; 2 * LINK],
    outputs: [[f64; 8]; LINK],
}

impl Bands {
    fn new(rate_hz: f64) -> Self {
        let below_nyquist = |cutoff_hz: f64| (cutoff_hz < rate_hz / 2.0).then_some(cutoff_hz);
        let both = |filter: Option<LinkwitzRiley>, otherwise: Biquad| {
            filter.map_or([otherwise.clone(), otherwise], LinkwitzRiley::into_sections)
        };
        let (low, high) = (below_nyquist(LOW_MID_HZ), below_nyquist(MID_HIGH_HZ));
        let [low_1, low_2] = both(low.map(|hz| LinkwitzRiley::low_pass(hz, rate_hz)), Biquad::IDENTITY);
        let [above_1, above_2] = both(low.map(|hz| LinkwitzRiley::high_pass(hz, rate_hz)), Biquad::SILENCE);
        let [mid_1, mid_2] = both(high.map(|hz| LinkwitzRiley::low_pass(hz, rate_hz)), Biquad::IDENTITY);
        let [high_1, high_2] = both(high.map(|hz| LinkwitzRiley::high_pass(hz, rate_hz)), Biquad::SILENCE);
        Self {
            sections: BiquadBank::new(&[low_1, above_1, high_1, low_2, above_2, high_2, mid_1, mid_2]),
            samples: [0.0; 2 * LINK],
            outputs: [[0.0; 8]; LINK],
        }
    }

    /// Hears the next samples and gives the peaks of low, mid and high in as many samples, [`DELAY`] earlier.
    fn feed(&mut self, samples: &[f32]) -> [f64; 3] {
        Arch::new().dispatch(Feed { bands: self, samples })
    }
}

struct Feed<'a> {
    bands: &'a mut Bands,
    samples: &'a [f32],
}

impl WithSimd for Feed<'_> {
    type Output = [f64; 3];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> [f64; 3] {
        // What stands in locals may stay in registers.
        let Bands { mut sections, mut samples, mut outputs } = self.bands.clone();
        let mut peaks = [0.0f64; 8];
        for &sample in self.samples {
            let (newest, late) = (f64::from(sample), samples[2 * LINK - 1]);
            let before = outputs[LINK - 1];
            let inputs = [late, newest, late, before[0], before[1], before[2], before[4], before[6]];
            let made = sections.process(simd, &inputs);
            for (peak, made) in peaks.iter_mut().zip(made) {
                *peak = if made.abs() > *peak { made.abs() } else { *peak };
            }
            samples = [newest, samples[0], samples[1], samples[2]];
            outputs = [made, outputs[0]];
        }
        *self.bands = Bands { sections, samples, outputs };
        [peaks[3], peaks[7], peaks[5]]
    }
}

/// The extremes of the frames since the last point.
#[derive(Default)]
struct Point {
    frames: u32,
    min: f32,
    max: f32,
    bands: [f64; 3],
}

impl Point {
    fn add(&mut self, samples: &[f32], bands: [f64; 3]) {
        if self.frames == 0 {
            (self.min, self.max) = (samples[0], samples[0]);
        }
        let (mut least, mut most) = ([self.min; 8], [self.max; 8]);
        let (chunks, rest) = samples.as_chunks::<8>();
        for chunk in chunks {
            for lane in 0..8 {
                least[lane] = if chunk[lane] < least[lane] { chunk[lane] } else { least[lane] };
                most[lane] = if chunk[lane] > most[lane] { chunk[lane] } else { most[lane] };
            }
        }
        self.min = least.iter().chain(rest).copied().fold(self.min, f32::min);
        self.max = most.iter().chain(rest).copied().fold(self.max, f32::max);
        for (peak, band) in self.bands.iter_mut().zip(bands) {
            *peak = peak.max(band);
        }
        self.frames += samples.len() as u32;
    }

    fn write_to(self, level: &mut WaveformLevel) {
        // Float-to-integer casts saturate: overs are drawn at full scale.
        let signed = |sample: f32| (if sample < 0.0 { sample * 128.0 } else { sample * 127.0 }).round() as i8;
        let unsigned = |peak: f64| (peak * 255.0).round() as u8;
        level.min.push(signed(self.min));
        level.max.push(signed(self.max));
        let [low, mid, high] = self.bands;
        level.low.push(unsigned(low));
        level.mid.push(unsigned(mid));
        level.high.push(unsigned(high));
    }
}

fn zoom_out(level: &WaveformLevel) -> WaveformLevel {
    fn reduce<T: Copy + Ord>(points: &[T], pick: impl Fn(T, T) -> T) -> Vec<T> {
        points.chunks(ZOOM_STEP).filter_map(|group| group.iter().copied().reduce(&pick)).collect()
    }
    WaveformLevel {
        frames_per_point: level.frames_per_point * ZOOM_STEP as u32,
        min: reduce(&level.min, Ord::min),
        max: reduce(&level.max, Ord::max),
        low: reduce(&level.low, Ord::max),
        mid: reduce(&level.mid, Ord::max),
        high: reduce(&level.high, Ord::max),
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    fn waveform_of(clip: &Clip, chunk_frames: usize) -> Waveform {
        let mut collector = WaveformCollector::new(clip.spec());
        for start in (0..clip.frames()).step_by(chunk_frames) {
            let end = (start + chunk_frames).min(clip.frames());
            let mut block = Clip::empty(clip.spec());
            block.extend(clip.channels().iter().map(|channel| &channel[start..end]));
            collector.push(&block);
        }
        collector.finish()
    }

    fn sine(frequency_hz: f64, amplitude: f64, rate_hz: u32, secs: f64) -> Clip {
        let samples = (0..(secs * f64::from(rate_hz)) as usize)
            .map(|n| (amplitude * (TAU * frequency_hz * n as f64 / f64::from(rate_hz)).sin()) as f32)
            .collect();
        Clip::from_channels(rate_hz, vec![samples]).unwrap()
    }

    #[test]
    fn a_sine_shows_its_amplitude_in_its_own_band_only() {
        // Each tone lies at least 1.6 octaves from the next cut-off: 40 dB of a 24 dB/octave slope leave 1 of 128
        // at most, and an allowance of 4 covers the sum of two slopes.
        for (frequency, band) in [(50.0, 0), (630.0, 1), (8_000.0, 2)] {
            let waveform = waveform_of(&sine(frequency, 0.5, 44_100, 2.0), 4096);
            let level = &waveform.levels[0];
            let settled = level.min.len() / 2..;
            assert!((i16::from(*level.max[settled.clone()].iter().max().unwrap()) - 64).abs() <= 1);
            assert!((i16::from(*level.min[settled.clone()].iter().min().unwrap()) + 64).abs() <= 1);
            for (index, peaks) in [&level.low, &level.mid, &level.high].into_iter().enumerate() {
                let peak = i16::from(*peaks[settled.clone()].iter().max().unwrap());
                if index == band {
                    assert!((peak - 128).abs() <= 4, "{frequency} Hz: {peak}");
                } else {
                    assert!(peak <= 4, "{frequency} Hz leaks {peak} into band {index}");
                }
            }
        }
    }

    #[test]
    fn each_zoom_has_a_quarter_of_the_points_and_the_same_extremes() {
        let clip = sine(100.0, 0.9, 44_100, 60.0);
        let waveform = waveform_of(&clip, 4096);
        let counts: Vec<usize> = waveform.levels.iter().map(|level| level.min.len()).collect();
        assert_eq!(counts, [5168, 1292, 323]);
        assert_eq!(waveform.levels[0].min.len(), clip.frames().div_ceil(512));
        for level in &waveform.levels {
            assert_eq!(level.max.iter().max(), waveform.levels[0].max.iter().max());
            assert_eq!(level.low.iter().max(), waveform.levels[0].low.iter().max());
        }
    }

    #[test]
    fn block_sizes_change_nothing() {
        let clip = sine(333.0, 0.7, 48_000, 1.0);
        let whole = waveform_of(&clip, clip.frames());
        for chunk in [1, 511, 513, 4096] {
            assert_eq!(whole, waveform_of(&clip, chunk));
        }
    }

    #[test]
    fn bands_above_half_the_sample_rate_are_silent() {
        let waveform = waveform_of(&sine(400.0, 1.0, 1_000, 5.0), 256);
        let level = &waveform.levels[0];
        assert!(level.high.iter().all(|&peak| peak == 0));
        assert!(level.mid.iter().any(|&peak| peak > 200));
    }

    #[test]
    fn nothing_draws_as_nothing_and_overs_as_full_scale() {
        let nothing = WaveformCollector::new(AudioSpec::new(44_100, 2).unwrap()).finish();
        assert_eq!(nothing.levels.len(), 1);
        assert!(nothing.levels[0].min.is_empty());

        let loud = Clip::from_channels(44_100, vec![vec![3.0, -3.0, f32::NAN]]).unwrap();
        let level = &waveform_of(&loud, 8).levels[0];
        assert_eq!((level.min[0], level.max[0]), (-128, 127));
    }
}
