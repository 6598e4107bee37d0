//! Loudness and the limiter: one gain curve for the mix and all its stems.

use std::f64::consts::PI;

use crate::demo::voice::Stereo;

/// Where the limiter holds the true peak, in dBTP.
pub(crate) const CEILING_DBTP: f64 = -1.0;
/// How far ahead the limiter looks: it starts to turn down this long before a peak.
const LOOKAHEAD_SECS: f64 = 0.004;
/// Time constant with which it lets go.
const RELEASE_SECS: f64 = 0.09;

/// The gain for every frame that brings `mix` to `target_lufs` under [`CEILING_DBTP`].
///
/// No sample of a stem passes the ceiling either: where stems cancel, one of them may be louder than the mix.
/// What the limiter takes away is given back by more drive, three times over: loudness and gain depend on each
/// other.
pub(crate) fn gain_curve<'a>(
    mix: &Stereo,
    stems: impl Iterator<Item = &'a Stereo>,
    target_lufs: f64,
    rate_hz: f64,
) -> Vec<f32> {
    let mut peaks = true_peaks(mix);
    for channel in stems.flat_map(|stem| [&stem.left, &stem.right]) {
        raise_to(&mut peaks, channel);
    }
    let powers = block_powers(mix, rate_hz);
    let Some(start_lufs) = gated_loudness(&powers) else {
        return vec![1.0; mix.frames()];
    };
    let mut drive_db = target_lufs - start_lufs;
    let mut gains = Vec::new();
    for _ in 0..3 {
        gains = limit(&peaks, drive_db, rate_hz);
        let mut limited = mix.clone();
        apply(&mut limited, &gains);
        let reached = gated_loudness(&block_powers(&limited, rate_hz)).unwrap_or(target_lufs);
        let missing_db = target_lufs - reached;
        if missing_db.abs() < 0.1 {
            break;
        }
        drive_db += missing_db.clamp(-3.0, 3.0);
    }
    gains
}

/// Multiplies both channels by a gain per frame.
pub(crate) fn apply(signal: &mut Stereo, gains: &[f32]) {
    for channel in signal.channels_mut() {
        channel.iter_mut().zip(gains).for_each(|(sample, gain)| *sample *= gain);
    }
}

/// The gain curve of a look-ahead limiter: the wanted gain, its lowest value ahead, a slow return, and a moving
/// average as long as the look-ahead, which can never exceed what the peak at its end allows.
fn limit(peaks: &[f32], drive_db: f64, rate_hz: f64) -> Vec<f32> {
    let drive = 10_f64.powf(drive_db / 20.0);
    let ceiling = 10_f64.powf(CEILING_DBTP / 20.0);
    let lookahead = ((LOOKAHEAD_SECS * rate_hz) as usize).max(1);
    let release = (-1.0 / (RELEASE_SECS * rate_hz)).exp();

    let wanted = |peak: f32| (ceiling / (drive * f64::from(peak)).max(1e-12)).min(1.0);
    let mut held = vec![1.0_f64; peaks.len()];
    // Sliding minimum over [frame, frame + lookahead] by a queue of candidates.
    let mut queue: std::collections::VecDeque<(usize, f64)> = std::collections::VecDeque::new();
    for ahead in 0..peaks.len() + lookahead {
        if let Some(&peak) = peaks.get(ahead) {
            let gain = wanted(peak);
            while queue.back().is_some_and(|&(_, last)| last >= gain) {
                queue.pop_back();
            }
            queue.push_back((ahead, gain));
        }
        if let Some(frame) = ahead.checked_sub(lookahead) {
            while queue.front().is_some_and(|&(index, _)| index < frame) {
                queue.pop_front();
            }
            held[frame] = queue.front().map_or(1.0, |&(_, gain)| gain);
        }
    }
    let mut last = 1.0;
    for gain in &mut held {
        last = gain.min(1.0 - (1.0 - last) * release);
        *gain = last;
    }
    // Before the first frame the curve is thought to go on as it starts.
    let window = lookahead as f64;
    let mut sum = held.first().copied().unwrap_or(1.0) * window;
    (0..held.len())
        .map(|frame| {
            let leaving = held[frame.saturating_sub(lookahead)];
            sum += held[frame] - leaving;
            (drive * sum / window) as f32
        })
        .collect()
}

/// The true peak around each frame: the larger of the sample and three values between it and the next, read
/// from a windowed sinc as BS.1770-4 annex 2 proposes.
fn true_peaks(mix: &Stereo) -> Vec<f32> {
    const HALF: usize = 6;
    let taps: [[f32; 2 * HALF]; 3] = [0.25, 0.5, 0.75].map(|fraction: f64| {
        let mut row = [0.0; 2 * HALF];
        for (tap, weight) in row.iter_mut().enumerate() {
            let distance = tap as f64 - (HALF as f64 - 1.0) - fraction;
            let window = (PI * distance / (2.0 * HALF as f64)).cos().powi(2);
            *weight = ((PI * distance).sin() / (PI * distance) * window) as f32;
        }
        let sum: f32 = row.iter().sum();
        row.map(|weight| weight / sum)
    });
    let mut peaks = vec![0.0_f32; mix.frames()];
    for channel in [&mix.left, &mix.right] {
        raise_to(&mut peaks, channel);
        for (start, around) in channel.windows(2 * HALF).enumerate() {
            let frame = start + HALF - 1;
            for row in &taps {
                let between: f32 = row.iter().zip(around).map(|(weight, sample)| weight * sample).sum();
                peaks[frame] = peaks[frame].max(between.abs());
                peaks[frame + 1] = peaks[frame + 1].max(between.abs());
            }
        }
    }
    peaks
}

/// Raises each peak to the sample at its place, where that is larger.
fn raise_to(peaks: &mut [f32], samples: &[f32]) {
    peaks.iter_mut().zip(samples).for_each(|(peak, sample)| *peak = peak.max(sample.abs()));
}

/// Mean K-weighted power of both channels in blocks of 400 ms every 100 ms (ITU-R BS.1770-4).
fn block_powers(mix: &Stereo, rate_hz: f64) -> Vec<f64> {
    let hop = ((0.1 * rate_hz) as usize).max(1);
    let hops = mix.frames() / hop;
    let mut hop_powers = vec![0.0; hops];
    for channel in [&mix.left, &mix.right] {
        let mut shelf = Biquad::k_weighting_shelf(rate_hz);
        let mut high_pass = Biquad::k_weighting_high_pass(rate_hz);
        for (power, samples) in hop_powers.iter_mut().zip(channel.chunks_exact(hop)) {
            *power += samples
                .iter()
                .map(|&sample| high_pass.process(shelf.process(f64::from(sample))).powi(2))
                .sum::<f64>()
                / hop as f64;
        }
    }
    hop_powers.windows(4).map(|window| window.iter().sum::<f64>() / 4.0).collect()
}

/// Integrated loudness of the blocks with both gates of BS.1770-4; `None` for silence.
fn gated_loudness(powers: &[f64]) -> Option<f64> {
    let lufs = |power: f64| -0.691 + 10.0 * power.log10();
    let mean_above = |threshold: f64| {
        let (sum, count) = powers
            .iter()
            .filter(|&&power| power > 0.0 && lufs(power) > threshold)
            .fold((0.0, 0), |(sum, count), power| (sum + power, count + 1));
        (count > 0).then(|| lufs(sum / f64::from(count)))
    };
    mean_above(mean_above(-70.0)? - 10.0)
}

/// A second-order section in direct form I.
struct Biquad {
    b: [f64; 3],
    a: [f64; 2],
    inputs: [f64; 2],
    outputs: [f64; 2],
}

impl Biquad {
    /// The head's high shelf. Analogue prototype of the coefficients in BS.1770-4 table 1, so that every rate works.
    fn k_weighting_shelf(rate_hz: f64) -> Self {
        let (centre_hz, gain_db, quality) = (1_681.974_45, 3.999_843_85, 0.707_175_237);
        let k = (PI * (centre_hz / rate_hz).min(0.49)).tan();
        let high = 10_f64.powf(gain_db / 20.0);
        let middle = high.powf(0.499_666_774);
        let a0 = 1.0 + k / quality + k * k;
        Self::new(
            [
                (high + middle * k / quality + k * k) / a0,
                2.0 * (k * k - high) / a0,
                (high - middle * k / quality + k * k) / a0,
            ],
            [2.0 * (k * k - 1.0) / a0, (1.0 - k / quality + k * k) / a0],
        )
    }

    /// The low cut of BS.1770-4 table 2.
    fn k_weighting_high_pass(rate_hz: f64) -> Self {
        let (centre_hz, quality) = (38.135_470_9, 0.500_327_037);
        let k = (PI * centre_hz / rate_hz).tan();
        let a0 = 1.0 + k / quality + k * k;
        Self::new([1.0, -2.0, 1.0], [2.0 * (k * k - 1.0) / a0, (1.0 - k / quality + k * k) / a0])
    }

    fn new(b: [f64; 3], a: [f64; 2]) -> Self {
        Self { b, a, inputs: [0.0; 2], outputs: [0.0; 2] }
    }

    fn process(&mut self, input: f64) -> f64 {
        let output = self.b[0] * input + self.b[1] * self.inputs[0] + self.b[2] * self.inputs[1]
            - self.a[0] * self.outputs[0]
            - self.a[1] * self.outputs[1];
        self.inputs = [input, self.inputs[0]];
        self.outputs = [output, self.outputs[0]];
        output
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f64, amplitude: f32, frames: usize) -> Stereo {
        let wave: Vec<f32> =
            (0..frames).map(|n| amplitude * (2.0 * PI * hz * n as f64 / 48_000.0).sin() as f32).collect();
        Stereo { left: wave.clone(), right: wave }
    }

    #[test]
    fn a_tone_at_minus_23_dbfs_is_minus_23_lufs() {
        // EBU Tech 3341, case 1: stereo sine of 1 kHz at -23 dBFS, tolerance 0.1 LU.
        let mix = tone(1000.0, 10_f32.powf(-23.0 / 20.0), 48_000 * 5);
        let lufs = gated_loudness(&block_powers(&mix, 48_000.0)).unwrap();
        assert!((lufs + 23.0).abs() < 0.1, "{lufs}");
    }

    #[test]
    fn a_peak_between_samples_is_found() {
        // A quarter of the rate at 45 degrees: samples reach 0.707 of the wave, which is 3 dB more.
        let wave: Vec<f32> = (0..64).map(|n| (PI * (f64::from(n) / 2.0 + 0.25)).sin() as f32).collect();
        let peaks = true_peaks(&Stereo { left: wave.clone(), right: wave });
        assert!((peaks[32] - 1.0).abs() < 0.03, "{}", peaks[32]);
    }

    #[test]
    fn the_limiter_never_lets_a_peak_through_and_lets_go_afterwards() {
        let mut mix = tone(1000.0, 0.3, 48_000);
        (24_000..24_050).for_each(|frame| mix.left[frame] *= 3.0);
        let gains = limit(&true_peaks(&mix), 6.0, 48_000.0);
        apply(&mut mix, &gains);
        let ceiling = 10_f32.powf(CEILING_DBTP as f32 / 20.0);
        assert!(mix.left.iter().all(|sample| sample.abs() <= ceiling + 1e-5));
        assert!((f64::from(gains[47_999]) - 10_f64.powf(0.3)).abs() < 0.01);
    }
}
