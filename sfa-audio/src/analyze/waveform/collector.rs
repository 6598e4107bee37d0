//! Peaks gathered block by block.

use pulp::{Arch, Simd, WithSimd};

use super::{Waveform, WaveformLevel};
use crate::dsp::{BLOCK, Biquad, BlockFilter, LinkwitzRiley};
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
    /// The newest samples, fewer than a block.
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
        block.downmix_into(&mut self.mono);
        let ready = self.mono.len() / BLOCK * BLOCK;
        self.draw(ready);
        self.mono.drain(..ready);
    }

    /// Draws whole blocks; the last of all may be cut short.
    fn draw(&mut self, frames: usize) {
        let mut rest = &self.mono[..frames];
        while !rest.is_empty() {
            let (part, after) = rest.split_at(rest.len().min((BASE_FRAMES - self.point.frames) as usize));
            self.point.add(part, self.bands.peaks(part));
            if self.point.frames == BASE_FRAMES {
                std::mem::take(&mut self.point).write_to(&mut self.base);
            }
            rest = after;
        }
    }

    /// Closes the last point and derives the coarser zooms.
    pub fn finish(mut self) -> Waveform {
        self.draw(self.mono.len());
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

/// A three-way crossover; bands that lie above half the sample rate stay silent.
struct Bands {
    low: (BlockFilter<4>, [f64; 4]),
    mid: (BlockFilter<8>, [f64; 8]),
    high: (BlockFilter<4>, [f64; 4]),
}

impl Bands {
    fn new(rate_hz: f64) -> Self {
        let below_nyquist = |cutoff_hz: f64| (cutoff_hz < rate_hz / 2.0).then_some(cutoff_hz);
        let both = |filter: Option<LinkwitzRiley>, otherwise: Biquad| {
            filter.map_or([otherwise.clone(), otherwise], LinkwitzRiley::into_sections)
        };
        let (low, high) = (below_nyquist(LOW_MID_HZ), below_nyquist(MID_HIGH_HZ));
        let below_low = both(low.map(|hz| LinkwitzRiley::low_pass(hz, rate_hz)), Biquad::IDENTITY);
        let above_low = both(low.map(|hz| LinkwitzRiley::high_pass(hz, rate_hz)), Biquad::SILENCE);
        let below_high = both(high.map(|hz| LinkwitzRiley::low_pass(hz, rate_hz)), Biquad::IDENTITY);
        let above_high = both(high.map(|hz| LinkwitzRiley::high_pass(hz, rate_hz)), Biquad::SILENCE);
        Self {
            low: (BlockFilter::in_series(&below_low), [0.0; 4]),
            mid: (BlockFilter::in_series(&[above_low, below_high].concat()), [0.0; 8]),
            high: (BlockFilter::in_series(&above_high), [0.0; 4]),
        }
    }

    /// The peaks of low, mid and high in the next samples. Only at the end of all may they be no whole blocks.
    fn peaks(&mut self, samples: &[f32]) -> [f64; 3] {
        Arch::new().dispatch(Peaks { bands: self, samples })
    }

    /// Raises the peaks of low, mid and high, place by place, to those of the first `frames` of a block.
    #[inline(always)]
    fn feed<S: Simd>(&mut self, simd: S, block: &[f32; BLOCK], frames: usize, peaks: &mut [[f64; BLOCK]; 3]) {
        let Self { low, mid, high } = self;
        let made = [
            low.0.process(simd, block, &mut low.1),
            mid.0.process(simd, block, &mut mid.1),
            high.0.process(simd, block, &mut high.1),
        ];
        for (peaks, made) in peaks.iter_mut().zip(&made) {
            for (peak, made) in peaks.iter_mut().zip(&made[..frames]) {
                *peak = if made.abs() > *peak { made.abs() } else { *peak };
            }
        }
    }
}

struct Peaks<'a> {
    bands: &'a mut Bands,
    samples: &'a [f32],
}

impl WithSimd for Peaks<'_> {
    type Output = [f64; 3];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> [f64; 3] {
        let mut peaks = [[0.0f64; BLOCK]; 3];
        let (blocks, rest) = self.samples.as_chunks::<BLOCK>();
        for block in blocks {
            self.bands.feed(simd, block, BLOCK, &mut peaks);
        }
        if !rest.is_empty() {
            let mut last = [0.0; BLOCK];
            last[..rest.len()].copy_from_slice(rest);
            self.bands.feed(simd, &last, rest.len(), &mut peaks);
        }
        peaks.map(|peaks| peaks.into_iter().fold(0.0, f64::max))
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
        clip.blocks(chunk_frames).for_each(|block| collector.push(&block));
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
