//! Sample rate conversion that keeps every event in its place.
//!
//! The work is done block by block in the frequency domain by [`rubato`]: spectra are cut or extended at a
//! linear-phase low-pass of at least 1024 taps under a squared Blackman-Harris window,
//! which rejects by more than 120 dB. This module takes the filter's delay out and gives lengths exactly.

use rubato::audioadapter_buffers::direct::{SequentialSliceOfSlices, SequentialSliceOfVecs};
use rubato::{Fft, FixedSync, Resampler as _, WindowFunction};

use crate::{AudioSource, AudioSpec, Clip, Error, ErrorKind, Result};

/// Length of the low-pass at the lower of the two rates; decides how sharp it is (the pass band ends at about
/// 98.7 % of the lower Nyquist frequency).
const SHORTEST_FILTER_FRAMES: usize = 1024;

/// Converts planar frames from one rate to another as they come.
///
/// A click in frame `n` comes out centred on `n * to / from`; the number of frames is that of the input times
/// `to / from`, rounded up. How the input is cut into pushes changes nothing in the output.
pub struct Resampler {
    from_hz: u32,
    to_hz: u32,
    engine: Option<Engine>,
    taken_frames: u64,
    given_frames: u64,
}

struct Engine {
    fft: Fft<f32>,
    block_frames: usize,
    input: Vec<Vec<f32>>,
    output: Vec<Vec<f32>>,
    delay_left: usize,
}

impl Resampler {
    /// A converter between two rates for `channels` channels; equal rates pass through unchanged.
    ///
    /// # Errors
    /// As [`AudioSpec::new`].
    pub fn new(from_hz: u32, to_hz: u32, channels: usize) -> Result<Self> {
        AudioSpec::new(from_hz, channels)?;
        AudioSpec::new(to_hz, channels)?;
        let engine = (from_hz != to_hz).then(|| Engine::new(from_hz, to_hz, channels)).transpose()?;
        Ok(Self { from_hz, to_hz, engine, taken_frames: 0, given_frames: 0 })
    }

    /// Takes one slice per channel and appends what is ready to `out`.
    ///
    /// # Errors
    /// `InvalidOption` for another number of channels than was asked for.
    pub fn push<S: AsRef<[f32]>>(&mut self, planes: &[S], out: &mut Clip) -> Result<()> {
        self.taken_frames += planes.first().map_or(0, |plane| plane.as_ref().len()) as u64;
        let Some(engine) = &mut self.engine else {
            out.extend(planes.iter().map(AsRef::as_ref));
            return Ok(());
        };
        if planes.len() != engine.input.len() {
            return Err(Error::new(ErrorKind::InvalidOption, "the channel count changed while resampling"));
        }
        for (queue, plane) in engine.input.iter_mut().zip(planes) {
            queue.extend_from_slice(plane.as_ref());
        }
        self.given_frames += engine.drain(u64::MAX, out)?;
        Ok(())
    }

    /// Ends the stream: appends all that is still inside, then starts over.
    ///
    /// # Errors
    /// `Internal` if the engine refuses its own block size.
    pub fn finish(&mut self, out: &mut Clip) -> Result<()> {
        let total = resampled_frames(self.taken_frames, self.from_hz, self.to_hz);
        if let Some(engine) = &mut self.engine {
            while self.given_frames < total {
                for queue in &mut engine.input {
                    queue.resize(queue.len() + engine.block_frames, 0.0);
                }
                self.given_frames += engine.drain(total - self.given_frames, out)?;
            }
            engine.reset();
        }
        (self.taken_frames, self.given_frames) = (0, 0);
        Ok(())
    }
}

impl Engine {
    fn new(from_hz: u32, to_hz: u32, channels: usize) -> Result<Self> {
        let (from, to) = (from_hz as usize, to_hz as usize);
        let divisor = greatest_common_divisor(from, to);
        let (step_in, step_out) = (from / divisor, to / divisor);
        // An even number of steps makes both block lengths even, and half a block of delay a whole frame.
        let steps = SHORTEST_FILTER_FRAMES.div_ceil(step_in.min(step_out)).next_multiple_of(2);
        let window = WindowFunction::BlackmanHarris2;
        let fft = Fft::new_custom(from, to, steps * step_in, 1, channels, window, FixedSync::Both)
            .map_err(engine_error)?;
        let (block_frames, longest) = (fft.input_frames_max(), fft.output_frames_max());
        let delay_left = fft.output_delay();
        let silence = vec![Vec::new(); channels];
        Ok(Self { fft, block_frames, input: silence, output: vec![vec![0.0; longest]; channels], delay_left })
    }

    /// Converts all whole blocks and appends at most `limit` frames; returns how many.
    fn drain(&mut self, limit: u64, out: &mut Clip) -> Result<u64> {
        let channels = self.input.len();
        let available = self.input[0].len();
        let mut position = 0;
        let mut given = 0;
        while available - position >= self.block_frames {
            let input: Vec<&[f32]> =
                self.input.iter().map(|queue| &queue[position..position + self.block_frames]).collect();
            let longest = self.output[0].len();
            let reader =
                SequentialSliceOfSlices::new(&input, channels, self.block_frames).map_err(engine_error)?;
            let mut writer =
                SequentialSliceOfVecs::new_mut(&mut self.output, channels, longest).map_err(engine_error)?;
            let (taken, made) =
                self.fft.process_into_buffer(&reader, &mut writer, None).map_err(engine_error)?;
            position += taken;
            let start = self.delay_left.min(made);
            self.delay_left -= start;
            let left = usize::try_from(limit - given).unwrap_or(usize::MAX);
            let end = made.min(start.saturating_add(left));
            out.extend(self.output.iter().map(|plane| &plane[start..end]));
            given += (end - start) as u64;
        }
        for queue in &mut self.input {
            queue.drain(..position);
        }
        Ok(given)
    }

    fn reset(&mut self) {
        self.fft.reset();
        self.input.iter_mut().for_each(Vec::clear);
        self.delay_left = self.fft.output_delay();
    }
}

/// How many frames `frames` become: their number times `to_hz / from_hz`, rounded up.
pub fn resampled_frames(frames: u64, from_hz: u32, to_hz: u32) -> u64 {
    let exact = (u128::from(frames) * u128::from(to_hz)).div_ceil(u128::from(from_hz.max(1)));
    u64::try_from(exact).unwrap_or(u64::MAX)
}

/// A whole clip at another rate.
///
/// # Errors
/// `UnsupportedFormat` for a rate outside the bounds of [`AudioSpec::new`].
pub fn resample_clip(clip: &Clip, to_hz: u32) -> Result<Clip> {
    let spec = clip.spec();
    let mut resampler = Resampler::new(spec.sample_rate_hz, to_hz, spec.channels)?;
    let mut out = Clip::empty(AudioSpec::new(to_hz, spec.channels)?);
    resampler.push(clip.channels(), &mut out)?;
    resampler.finish(&mut out)?;
    Ok(out)
}

/// A source as it sounds at another rate.
pub struct Resampled<S> {
    source: S,
    spec: AudioSpec,
    resampler: Resampler,
    block: Clip,
    ended: bool,
}

impl<S: AudioSource> Resampled<S> {
    /// Reads `source` at `to_hz`.
    ///
    /// # Errors
    /// As [`AudioSpec::new`].
    pub fn new(source: S, to_hz: u32) -> Result<Self> {
        let from = source.spec();
        let resampler = Resampler::new(from.sample_rate_hz, to_hz, from.channels)?;
        let spec = AudioSpec::new(to_hz, from.channels)?;
        Ok(Self { block: Clip::empty(from), source, spec, resampler, ended: false })
    }

    /// The source underneath.
    pub fn into_inner(self) -> S {
        self.source
    }
}

impl<S: AudioSource> AudioSource for Resampled<S> {
    fn spec(&self) -> AudioSpec {
        self.spec
    }

    fn frames_hint(&self) -> Option<u64> {
        let from_hz = self.source.spec().sample_rate_hz;
        self.source.frames_hint().map(|frames| resampled_frames(frames, from_hz, self.spec.sample_rate_hz))
    }

    fn read(&mut self, block: &mut Clip) -> Result<usize> {
        if block.spec() == self.spec {
            block.clear();
        } else {
            *block = Clip::empty(self.spec);
        }
        while block.is_empty() && !self.ended {
            if self.source.read(&mut self.block)? > 0 {
                self.resampler.push(self.block.channels(), block)?;
            } else {
                self.resampler.finish(block)?;
                self.ended = true;
            }
        }
        Ok(block.frames())
    }

    fn rewind(&mut self) -> Result<()> {
        let spec = self.source.spec();
        self.source.rewind()?;
        self.resampler = Resampler::new(spec.sample_rate_hz, self.spec.sample_rate_hz, spec.channels)?;
        self.ended = false;
        Ok(())
    }
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

fn engine_error(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Internal, format!("resampling failed: {error}")).caused_by(error)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    fn tone(rate_hz: u32, frequency_hz: f64, frames: usize) -> Clip {
        let step = TAU * frequency_hz / f64::from(rate_hz);
        let samples = (0..frames).map(|n| (step * n as f64).sin() as f32).collect();
        Clip::from_channels(rate_hz, vec![samples]).unwrap()
    }

    /// Level of the middle of a clip, away from its edges.
    fn middle_rms(clip: &Clip) -> f64 {
        let samples = &clip.channels()[0];
        let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
        (middle.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>() / middle.len() as f64).sqrt()
    }

    #[test]
    fn a_click_stays_in_its_place() {
        for (from, to) in
            [(44_100, 48_000), (48_000, 44_100), (44_100, 22_050), (96_000, 44_100), (8_000, 44_100)]
        {
            for frame in [0, 1, 5_000, 19_999] {
                let mut samples = vec![0.0; 20_000];
                samples[frame] = 1.0;
                let clip = Clip::from_channels(from, vec![samples]).unwrap();
                let out = resample_clip(&clip, to).unwrap();
                let ratio = f64::from(to) / f64::from(from);
                assert_eq!(out.frames(), (20_000.0 * ratio).ceil() as usize);
                let loudest = (0..out.frames())
                    .max_by(|&a, &b| out.channels()[0][a].abs().total_cmp(&out.channels()[0][b].abs()))
                    .unwrap();
                // The true peak lies between two frames at most half a frame away, or beyond the last one.
                let expected = (frame as f64 * ratio).min(out.frames() as f64 - 1.0);
                assert!(
                    (loudest as f64 - expected).abs() <= 0.5 + 1e-9,
                    "{from}->{to}: {loudest} not {expected}"
                );
            }
        }
    }

    #[test]
    fn a_tone_keeps_its_phase_to_a_thousandth_of_a_frame() {
        let out = resample_clip(&tone(44_100, 1000.0, 40_000), 48_000).unwrap();
        let (mut sine, mut cosine) = (0.0, 0.0);
        let step = TAU * 1000.0 / 48_000.0;
        // 480 frames are ten periods, so the sums below are free of leakage.
        for n in 9_600..9_600 + 480 * 40 {
            let sample = f64::from(out.channels()[0][n]);
            sine += sample * (step * n as f64).sin();
            cosine += sample * (step * n as f64).cos();
        }
        let shift_frames = cosine.atan2(sine) / step;
        assert!(shift_frames.abs() < 1e-3, "{shift_frames}");
    }

    #[test]
    fn pieces_give_the_same_as_the_whole() {
        let clip = tone(44_100, 3_000.0, 30_011);
        let whole = resample_clip(&clip, 48_000).unwrap();
        for piece in [1, 7, 441, 1024, 29_999] {
            let mut resampler = Resampler::new(44_100, 48_000, 1).unwrap();
            let mut out = Clip::empty(whole.spec());
            for samples in clip.channels()[0].chunks(piece) {
                resampler.push(&[samples], &mut out).unwrap();
            }
            resampler.finish(&mut out).unwrap();
            assert!(out == whole, "pieces of {piece}");
        }
    }

    #[test]
    fn a_source_reads_the_same_as_its_clip_and_again_after_rewinding() {
        let clip = tone(48_000, 440.0, 50_000);
        let mut source = Resampled::new(clip.source(), 44_100).unwrap();
        let once = source.read_to_end().unwrap();
        assert!(once == resample_clip(&clip, 44_100).unwrap());
        source.rewind().unwrap();
        assert!(source.read_to_end().unwrap() == once);
        assert_eq!(source.frames_hint(), Some(once.frames() as u64));
    }

    #[test]
    fn the_pass_band_is_flat_and_what_would_fold_back_is_gone() {
        let level = |from, to, frequency| {
            let clip = tone(from, frequency, from as usize);
            20.0 * (middle_rms(&resample_clip(&clip, to).unwrap()) / middle_rms(&clip)).log10()
        };
        // 95 % of the lower Nyquist frequency; the filter's design allows 0.001 dB there.
        assert!(level(44_100, 48_000, 20_900.0).abs() < 0.01);
        assert!(level(48_000, 44_100, 20_900.0).abs() < 0.01);
        // Single precision leaves a floor near -135 dB.
        assert!(level(44_100, 22_050, 12_000.0) < -120.0);
        assert!(level(48_000, 44_100, 22_700.0) < -120.0);
        assert!(level(96_000, 44_100, 30_000.0) < -120.0);
    }

    #[test]
    fn odd_rates_and_tiny_clips_work() {
        for (from, to, frames) in
            [(44_101, 48_000, 1), (12_345, 44_100, 3), (44_100, 1_000, 10), (1_000, 768_000, 2)]
        {
            let out = resample_clip(&tone(from, 100.0, frames), to).unwrap();
            assert_eq!(out.frames() as u64, resampled_frames(frames as u64, from, to));
        }
        assert_eq!(resample_clip(&tone(44_100, 100.0, 0), 48_000).unwrap().frames(), 0);
    }
}
