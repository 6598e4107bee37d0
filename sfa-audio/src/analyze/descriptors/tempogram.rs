//! Local autocorrelation of the onset strength, and the tempo that it speaks for.

use std::sync::Arc;

use rustfft::num_complex::{Complex32, Complex64};
use rustfft::{Fft, FftPlanner};

use super::HOP_FRAMES;
use crate::dsp::hann_weight;
use crate::{Result, Watch};

/// Lags of librosa's default tempogram.
pub const TEMPOGRAM_LAGS: usize = 384;
/// Length of the windows that the global tempo is read from.
const TEMPO_WINDOW_SECS: f64 = 8.0;
/// The tempo that is believed in before anything is heard, with a deviation of one octave.
const EXPECTED_BPM: f64 = 120.0;
/// No tempo is faster.
const FASTEST_BPM: f64 = 320.0;

/// `librosa.feature.tempogram`: the autocorrelation of `strength` in a Hann window of `lags` frames around every
/// frame, each scaled to its largest value and handed to `on_frame` in order of time.
///
/// P. Grosche, M. Müller and F. Kurth, "Cyclic tempogram" (2010).
///
/// # Errors
/// `Cancelled` once `watch` was stopped.
pub fn tempogram(
    strength: &[f32],
    lags: usize,
    watch: &Watch,
    mut on_frame: impl FnMut(&[f64]),
) -> Result<()> {
    if strength.is_empty() || lags == 0 {
        return Ok(());
    }
    let padded = padded_by_ramps(strength, lags / 2);
    let window: Vec<f64> = (0..lags).map(|n| hann_weight(n, lags)).collect();
    let mut correlator = Correlator::new(lags);
    let mut frame = 0;
    while frame < strength.len() {
        if frame.is_multiple_of(1024) {
            watch.checkpoint()?;
        }
        let windowed = |start: usize, n: usize| padded[start + n] * window[n];
        // Frames go through the transform two by two; the last may go with itself.
        let partner = (frame + 1).min(strength.len() - 1);
        correlator.correlate(lags, |n| Complex64::new(windowed(frame, n), windowed(partner, n)));
        for part in [|value: &Complex64| value.re, |value: &Complex64| value.im] {
            if frame < strength.len() {
                let mut correlation: Vec<f64> = correlator.buffer[..lags].iter().map(part).collect();
                scale_to_largest(&mut correlation);
                on_frame(&correlation);
            }
            frame += 1;
        }
    }
    Ok(())
}

/// The mean over time of what [`tempogram`] gives, without the frames: spectra are summed, and only their sum goes back to
/// lags. Single precision is enough for that, as every frame is scaled before it is transformed.
pub(super) fn mean_tempogram(strength: &[f32], lags: usize, watch: &Watch) -> Result<Vec<f64>> {
    if strength.is_empty() || lags == 0 {
        return Ok(vec![0.0; lags]);
    }
    let padded = padded_by_ramps(strength, lags / 2);
    let window: Vec<f64> = (0..lags).map(|n| hann_weight(n, lags)).collect();
    let frames = unwrapped_frames(lags);
    let fft = FftPlanner::<f32>::new().plan_fft_forward(frames);
    let mut scratch = vec![Complex32::default(); fft.get_inplace_scratch_len()];
    let mut pair = vec![Complex32::default(); frames];
    let mut parts = [vec![0.0f64; lags], vec![0.0f64; lags]];
    let mut powers = vec![0.0f64; frames];
    for frame in (0..strength.len()).step_by(2) {
        if frame.is_multiple_of(1024) {
            watch.checkpoint()?;
        }
        for (offset, part) in parts.iter_mut().enumerate() {
            if frame + offset >= strength.len() {
                part.fill(0.0);
                continue;
            }
            let seen = &padded[frame + offset..];
            for ((out, value), weight) in part.iter_mut().zip(seen).zip(&window) {
                *out = value * weight;
            }
            // At lag 0 the autocorrelation is largest.
            let energy: f64 = part.iter().map(|value| value * value).sum();
            let scale = if energy >= f64::MIN_POSITIVE { energy.sqrt().recip() } else { 1.0 };
            part.iter_mut().for_each(|value| *value *= scale);
        }
        for (value, (re, im)) in pair.iter_mut().zip(parts[0].iter().zip(&parts[1])) {
            *value = Complex32::new(*re as f32, *im as f32);
        }
        pair[lags..].fill(Complex32::default());
        fft.process_with_scratch(&mut pair, &mut scratch);
        for (sum, bin) in powers.iter_mut().zip(&pair) {
            *sum += f64::from(bin.re * bin.re + bin.im * bin.im);
        }
    }
    // A bin and its mirror share what both frames of a pair have there.
    let mut sum: Vec<Complex64> = (0..frames)
        .map(|bin| Complex64::new((powers[bin] + powers[(frames - bin) % frames]) / 2.0, 0.0))
        .collect();
    FftPlanner::new().plan_fft_inverse(frames).process(&mut sum);
    let scale = (frames * strength.len()) as f64;
    Ok(sum[..lags].iter().map(|value| value.re / scale).collect())
}

/// Long enough that nothing wraps around, and a length that transforms fast.
fn unwrapped_frames(lags: usize) -> usize {
    let power = (2 * lags).next_power_of_two();
    if power * 3 / 4 >= 2 * lags { power * 3 / 4 } else { power }
}

/// As many frames before and after as half a window, falling to zero in a straight line.
fn padded_by_ramps(strength: &[f32], pad: usize) -> Vec<f64> {
    let ramp = |edge: f32, n: usize| f64::from(edge * (n as f32 / pad as f32));
    let (first, last) = (strength[0], strength[strength.len() - 1]);
    let before = (0..pad).map(|n| ramp(first, n));
    let after = (0..pad).rev().map(|n| ramp(last, n));
    before.chain(strength.iter().map(|&value| f64::from(value))).chain(after).collect()
}

fn scale_to_largest(values: &mut [f64]) {
    let largest = values.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    if largest >= f64::MIN_POSITIVE {
        values.iter_mut().for_each(|value| *value /= largest);
    }
}

/// Autocorrelates two real series at once, as the real and the imaginary part of one.
struct Correlator {
    forward: Arc<dyn Fft<f64>>,
    inverse: Arc<dyn Fft<f64>>,
    buffer: Vec<Complex64>,
    scratch: Vec<Complex64>,
}

impl Correlator {
    fn new(lags: usize) -> Self {
        let frames = unwrapped_frames(lags);
        let mut planner = FftPlanner::new();
        let (forward, inverse) = (planner.plan_fft_forward(frames), planner.plan_fft_inverse(frames));
        let scratch = forward.get_inplace_scratch_len().max(inverse.get_inplace_scratch_len());
        let zero = Complex64::default();
        Self { forward, inverse, buffer: vec![zero; frames], scratch: vec![zero; scratch] }
    }

    fn correlate(&mut self, lags: usize, pair: impl Fn(usize) -> Complex64) {
        let frames = self.buffer.len();
        self.buffer[lags..].fill(Complex64::default());
        self.buffer[..lags].iter_mut().enumerate().for_each(|(n, value)| *value = pair(n));
        self.forward.process_with_scratch(&mut self.buffer, &mut self.scratch);
        for bin in 0..=frames / 2 {
            let mirror = (frames - bin) % frames;
            let (a, b) = (self.buffer[bin], self.buffer[mirror].conj());
            let powers = Complex64::new((a + b).norm_sqr(), (a - b).norm_sqr()) * 0.25;
            // Both powers are even functions: the transform of each comes out real.
            self.buffer[bin] = powers;
            self.buffer[mirror] = powers;
        }
        self.inverse.process_with_scratch(&mut self.buffer, &mut self.scratch);
    }
}

/// The lag of the global tempo in frames and its beats per minute, as `librosa.feature.tempo`; `None` where
/// nothing begins.
///
/// # Errors
/// `Cancelled` once `watch` was stopped.
pub fn tempo(strength: &[f32], sample_rate_hz: u32, watch: &Watch) -> Result<Option<(usize, f64)>> {
    if strength.iter().all(|&value| value == 0.0) {
        return Ok(None);
    }
    let frame_rate_hz = f64::from(sample_rate_hz) / HOP_FRAMES as f64;
    let lags = (TEMPO_WINDOW_SECS * frame_rate_hz) as usize;
    let means = mean_tempogram(strength, lags, watch)?;
    let bpm = |lag: usize| 60.0 * frame_rate_hz / lag as f64;
    let mut best: Option<(usize, f64)> = None;
    for (lag, &mean) in means.iter().enumerate().skip(1) {
        if bpm(lag) >= FASTEST_BPM {
            continue;
        }
        let prior = -0.5 * (bpm(lag) / EXPECTED_BPM).log2().powi(2);
        let score = (1e6 * mean.max(0.0)).ln_1p() + prior;
        if best.is_none_or(|(_, most)| score > most) {
            best = Some((lag, score));
        }
    }
    Ok(best.map(|(lag, _)| (lag, bpm(lag))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stroke_every_half_second_is_found() {
        let mut strength = vec![0.0; 2_000];
        strength.iter_mut().step_by(43).for_each(|value| *value = 1.0);
        let (lag, bpm) = tempo(&strength, 44_100, &Watch::new()).unwrap().unwrap();
        assert_eq!(lag, 43);
        assert!((bpm - 120.185).abs() < 1e-3);
        assert_eq!(tempo(&[0.0; 90], 44_100, &Watch::new()).unwrap(), None);
        assert_eq!(tempo(&[], 44_100, &Watch::new()).unwrap(), None);
    }

    #[test]
    fn the_mean_is_that_of_the_frames() {
        for frames in [1, 2, 301] {
            let strength: Vec<f32> = (0..frames).map(|n| ((n * n) as f32 * 0.37).sin().max(0.0)).collect();
            let mut sums = vec![0.0; 90];
            tempogram(&strength, 90, &Watch::new(), |frame| {
                sums.iter_mut().zip(frame).for_each(|(sum, value)| *sum += value);
            })
            .unwrap();
            let means = mean_tempogram(&strength, 90, &Watch::new()).unwrap();
            for (sum, mean) in sums.iter().zip(&means) {
                // Single precision.
                assert!((sum / frames as f64 - mean).abs() < 1e-6, "{frames} frames");
            }
        }
    }

    #[test]
    fn an_odd_number_of_frames_loses_none() {
        for frames in [1, 2, 5] {
            let mut seen = 0;
            tempogram(&vec![1.0; frames], 9, &Watch::new(), |frame| {
                assert_eq!((frame.len(), frame[0]), (9, 1.0));
                seen += 1;
            })
            .unwrap();
            assert_eq!(seen, frames);
        }
    }
}
