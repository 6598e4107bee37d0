//! Longer or shorter at the same pitch, higher or lower at the same length.
//!
//! What rings and what strikes are stretched apart, as in Driedger, Müller and Ewert, "Improving Time-Scale
//! Modification of Music Signals using Harmonic-Percussive Separation" (2014): the ringing part by a phase vocoder
//! with phases locked to spectral peaks (Laroche and Dolson 1999), the striking part by adding up short grains.
//! Around every attack time runs at its old speed, and every attack lies exactly where the new tempo wants it.
//! Higher and lower is stretching, then playing faster or slower.

mod attacks;
mod grains;
mod map;
mod parts;
mod split;
mod stretch;
mod vocoder;

use crate::dsp::resample::Resampler;
use crate::{AudioSource, AudioSpec, Clip, Error, ErrorKind, MIN_SAMPLE_RATE_HZ, Result};
use stretch::Stretcher;

/// The least and the most that time may be stretched.
pub const STRETCH_RANGE: std::ops::RangeInclusive<f64> = 0.25..=4.0;
/// The least and the most that pitch may be shifted.
pub const SEMITONES_RANGE: std::ops::RangeInclusive<f64> = -24.0..=24.0;

/// What becomes of time and pitch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WarpOptions {
    /// New length over old length, within [`STRETCH_RANGE`].
    pub stretch: f64,
    /// Change of pitch in semitones, within [`SEMITONES_RANGE`].
    pub semitones: f64,
}

impl Default for WarpOptions {
    fn default() -> Self {
        Self { stretch: 1.0, semitones: 0.0 }
    }
}

/// A source with its time and pitch changed.
///
/// The number of frames is that of the source times the stretch, rounded; all channels are changed alike, so that
/// places in the stereo image stay. Memory does not grow with length. Neutral options pass samples through unchanged.
pub struct Warped<S> {
    source: S,
    options: WarpOptions,
    engine: Option<Engine>,
    block: Clip,
    stretched: Clip,
}

struct Engine {
    stretcher: Stretcher,
    resampler: Option<Resampler>,
    taken_frames: u64,
    given_frames: u64,
    /// Once the source has ended: how many frames there are in all.
    total_frames: Option<u64>,
}

impl<S: AudioSource> Warped<S> {
    /// Reads `source` with its time and pitch changed.
    ///
    /// # Errors
    /// `InvalidOption` for a stretch or a shift out of range.
    pub fn new(source: S, options: WarpOptions) -> Result<Self> {
        if !STRETCH_RANGE.contains(&options.stretch) {
            return Err(Error::new(
                ErrorKind::InvalidOption,
                format!("a stretch of {} is outside 0.25 to 4 times the length", options.stretch),
            ));
        }
        if !SEMITONES_RANGE.contains(&options.semitones) {
            return Err(Error::new(
                ErrorKind::InvalidOption,
                format!("a shift of {} semitones is outside -24 to 24", options.semitones),
            ));
        }
        let spec = source.spec();
        let engine = Engine::new(spec, options)?;
        Ok(Self { source, options, engine, block: Clip::empty(spec), stretched: Clip::empty(spec) })
    }
}

impl Engine {
    /// Nothing for neutral options.
    fn new(spec: AudioSpec, options: WarpOptions) -> Result<Option<Self>> {
        if options == WarpOptions::default() {
            return Ok(None);
        }
        let (faster, slower) = ratio_near((options.semitones / 12.0).exp2());
        let pitch = f64::from(faster) / f64::from(slower);
        let resampler = (faster != slower)
            .then(|| {
                // Any two rates of this ratio do.
                let unit_hz = MIN_SAMPLE_RATE_HZ.div_ceil(faster.min(slower));
                Resampler::new(faster * unit_hz, slower * unit_hz, spec.channels)
            })
            .transpose()?;
        Ok(Some(Self {
            stretcher: Stretcher::new(spec, options.stretch * pitch),
            resampler,
            taken_frames: 0,
            given_frames: 0,
            total_frames: None,
        }))
    }
}

impl<S: AudioSource> AudioSource for Warped<S> {
    fn spec(&self) -> AudioSpec {
        self.source.spec()
    }

    fn frames_hint(&self) -> Option<u64> {
        self.source.frames_hint().map(|frames| stretched_frames(frames, self.options.stretch))
    }

    fn read(&mut self, block: &mut Clip) -> Result<usize> {
        let Some(engine) = &mut self.engine else { return self.source.read(block) };
        if block.spec() == self.source.spec() {
            block.clear();
        } else {
            *block = Clip::empty(self.source.spec());
        }
        while block.is_empty() && engine.total_frames.is_none() {
            self.stretched.clear();
            let has_ended = self.source.read(&mut self.block)? == 0;
            if has_ended {
                engine.total_frames = Some(stretched_frames(engine.taken_frames, self.options.stretch));
                engine.stretcher.finish(&mut self.stretched);
            } else {
                engine.taken_frames += self.block.frames() as u64;
                engine.stretcher.push(&self.block, &mut self.stretched);
            }
            match &mut engine.resampler {
                Some(resampler) => {
                    resampler.push(self.stretched.channels(), block)?;
                    if has_ended {
                        resampler.finish(block)?;
                    }
                }
                None => block.append(&self.stretched),
            }
        }
        // Both stages round up to whole frames; the promise is the source's length times the stretch.
        if let Some(total) = engine.total_frames {
            let left = usize::try_from(total - engine.given_frames).unwrap_or(usize::MAX);
            if block.frames() > left {
                block.truncate(left);
            }
        }
        engine.given_frames += block.frames() as u64;
        Ok(block.frames())
    }

    fn rewind(&mut self) -> Result<()> {
        self.source.rewind()?;
        self.engine = Engine::new(self.source.spec(), self.options)?;
        Ok(())
    }
}

fn stretched_frames(frames: u64, stretch: f64) -> u64 {
    (frames as f64 * stretch).round() as u64
}

/// The fraction with the smallest terms that is within a twentieth of a cent of `ratio`, which lies in 1/4 to 4.
fn ratio_near(ratio: f64) -> (u32, u32) {
    const CLOSE: f64 = 0.05 / 1200.0;
    (1..)
        .map(|slower: u32| ((ratio * f64::from(slower)).round() as u32, slower))
        .find(|&(faster, slower)| (f64::from(faster) / f64::from(slower) / ratio).log2().abs() <= CLOSE)
        .expect("fractions come arbitrarily near")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MAX_SAMPLE_RATE_HZ;

    #[test]
    fn shifts_are_small_fractions() {
        assert_eq!(ratio_near(1.0), (1, 1));
        assert_eq!(ratio_near(2.0), (2, 1));
        for cents in (-2400..=2400).step_by(7) {
            let (faster, slower) = ratio_near((f64::from(cents) / 1200.0).exp2());
            let highest_hz = faster.max(slower) * MIN_SAMPLE_RATE_HZ.div_ceil(faster.min(slower));
            assert!(highest_hz < MAX_SAMPLE_RATE_HZ, "{cents} cents: {faster}/{slower}");
        }
    }
}
