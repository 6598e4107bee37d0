//! Levels gathered block by block.

use super::Loudness;
use super::true_peak::PeakMeter;
use super::weighting::KWeighting;
use crate::analyze::Curve;
use crate::{AudioSpec, Clip};

/// The floor of the momentary curve.
const SILENCE_LUFS: f64 = -120.0;
/// Hops of 100 ms in a momentary (400 ms) and in a short-term window (3 s).
const MOMENTARY_HOPS: usize = 4;
const SHORT_TERM_HOPS: usize = 30;
/// Below this rate the K-weighting's shelf at 1.7 kHz has no digital counterpart.
const MIN_WEIGHTED_RATE_HZ: u32 = 4_000;

/// Measures [`Loudness`] of audio that arrives in blocks of any size; how it is cut changes nothing.
///
/// A mono file counts as one channel, as BS.1770 says: it reads 3 LU below the same signal on two channels.
/// In files of six channels and more, the fourth is taken as the LFE and left out.
pub(crate) struct LoudnessCollector {
    sample_rate_hz: u32,
    /// `None` where nothing can be weighted.
    weighting: Option<KWeighting>,
    /// One per channel, where they are asked for.
    peaks: Vec<PeakMeter>,
    hop_frames: usize,
    /// Frames of a hop that is not full yet. Only whole hops are measured, and what is left at the end.
    pending: Clip,
    /// Weighted power of every frame of the last hop and of this one.
    frame_powers: [Vec<f64>; 2],
    /// Mean square of every hop after K-weighting and channel weights.
    hop_powers: Vec<f64>,
}

impl LoudnessCollector {
    /// Peaks between samples cost more than everything else here and are followed only where `want_peaks` says so.
    pub(crate) fn new(spec: AudioSpec, want_peaks: bool) -> Self {
        let is_weighted = spec.sample_rate_hz >= MIN_WEIGHTED_RATE_HZ;
        let peaks = if want_peaks { spec.channels } else { 0 };
        let hop_frames = (spec.sample_rate_hz as usize + 5) / 10;
        Self {
            sample_rate_hz: spec.sample_rate_hz,
            weighting: is_weighted.then(|| KWeighting::new(spec.sample_rate_hz, spec.channels)),
            peaks: vec![PeakMeter::new(spec.sample_rate_hz); peaks],
            hop_frames,
            pending: Clip::empty(spec),
            frame_powers: [vec![0.0; hop_frames], Vec::new()],
            hop_powers: Vec::new(),
        }
    }

    /// Takes the next frames.
    pub(crate) fn push(&mut self, block: &Clip) {
        let mut start = 0;
        while start < block.frames() {
            let end = (start + self.hop_frames - self.pending.frames()).min(block.frames());
            self.pending.extend(block.channels().iter().map(|channel| &channel[start..end]));
            if self.pending.frames() == self.hop_frames {
                self.close_hop();
            }
            start = end;
        }
    }

    fn close_hop(&mut self) {
        let frames = self.pending.frames();
        let [before, now] = &mut self.frame_powers;
        now.clear();
        now.resize(frames, 0.0);
        if let Some(weighting) = &mut self.weighting {
            weighting.add(self.pending.channels(), now);
        }
        for (meter, channel) in self.peaks.iter_mut().zip(self.pending.channels()) {
            meter.push(channel);
        }
        self.pending.clear();
        // The last hop of a song may be short: its window begins in the one before.
        let power = now.iter().sum::<f64>() + before[frames..].iter().sum::<f64>();
        self.hop_powers.push(power / self.hop_frames as f64);
        std::mem::swap(before, now);
    }

    /// Closes the last hop, which may be short, and sums up.
    pub(crate) fn finish(mut self) -> Loudness {
        let whole_hops = self.hop_powers.len();
        if !self.pending.is_empty() {
            self.close_hop();
        }
        let whole = &self.hop_powers[..whole_hops];
        let true_peak = self.peaks.iter().map(PeakMeter::true_peak).fold(0.0, f64::max);
        let sample_peak = self.peaks.iter().map(PeakMeter::sample_peak).fold(0.0, f64::max);
        let defined = |value: f64| value.is_finite().then_some(value);
        let loudest = |window: usize| {
            let powers = whole.windows(window).map(mean);
            powers.fold(None, |max: Option<f64>, power| Some(max.map_or(power, |max| max.max(power))))
        };
        let integrated_lufs = integrated_lufs(whole);
        let true_peak_dbtp = defined(20.0 * true_peak.log10());
        let hop_secs = self.hop_frames as f64 / f64::from(self.sample_rate_hz);
        let curve = |hops| Curve { hop_secs, values: levels(&self.hop_powers, hops) };
        Loudness {
            integrated_lufs,
            range_lu: range_lu(whole).filter(|_| integrated_lufs.is_some()),
            max_momentary_lufs: loudest(MOMENTARY_HOPS).and_then(|power| defined(lufs_of_power(power))),
            max_short_term_lufs: loudest(SHORT_TERM_HOPS).and_then(|power| defined(lufs_of_power(power))),
            true_peak_dbtp,
            peak_to_loudness_lu: true_peak_dbtp.zip(integrated_lufs).map(|(peak, loudness)| peak - loudness),
            sample_peak_dbfs: defined(20.0 * sample_peak.log10()),
            momentary_lufs: curve(MOMENTARY_HOPS),
            short_term_lufs: curve(SHORT_TERM_HOPS),
        }
    }
}

/// BS.1770-4: the mean of windows of 400 ms that begin every 100 ms, without what is below -70 LUFS or 10 LU below the mean
/// of the rest; `None` where nothing is left.
fn integrated_lufs(hop_powers: &[f64]) -> Option<f64> {
    const RELATIVE_GATE_LU: f64 = -10.0;
    gated(hop_powers, MOMENTARY_HOPS, RELATIVE_GATE_LU).map(|powers| lufs_of_power(mean(&powers)))
}

/// The powers of all windows of `hops` that pass an absolute gate of -70 LUFS and then a gate relative to the mean of
/// those; `None` where none does.
fn gated(hop_powers: &[f64], hops: usize, relative_gate_lu: f64) -> Option<Vec<f64>> {
    const ABSOLUTE_GATE_LUFS: f64 = -70.0;
    let windows = hop_powers.windows(hops).map(mean);
    let mut powers: Vec<f64> = windows.filter(|&power| lufs_of_power(power) >= ABSOLUTE_GATE_LUFS).collect();
    let gate = mean(&powers) * 10f64.powf(relative_gate_lu / 10.0);
    powers.retain(|&power| power >= gate);
    (!powers.is_empty()).then_some(powers)
}

/// The level of the last `hops` at the end of every hop; before the start there was silence.
fn levels(hop_powers: &[f64], hops: usize) -> Vec<f32> {
    (1..=hop_powers.len())
        .map(|end| {
            let window = &hop_powers[end.saturating_sub(hops)..end];
            let power = mean(window) * window.len() as f64 / hops as f64;
            lufs_of_power(power).max(SILENCE_LUFS) as f32
        })
        .collect()
}

/// EBU Tech 3342: from the 10th to the 95th percentile of short-term loudness, without what is below -70 LUFS or 20 LU
/// below the mean of the rest.
fn range_lu(hop_powers: &[f64]) -> Option<f64> {
    const RELATIVE_GATE_LU: f64 = -20.0;
    let mut powers = gated(hop_powers, SHORT_TERM_HOPS, RELATIVE_GATE_LU)?;
    powers.sort_by(f64::total_cmp);
    let last = powers.len() - 1;
    let at = |share: f64| lufs_of_power(powers[(last as f64 * share).round() as usize]);
    Some(at(0.95) - at(0.1))
}

fn mean(powers: &[f64]) -> f64 {
    powers.iter().sum::<f64>() / powers.len() as f64
}

/// BS.1770-4, equation 2: -0.691 makes up for the K-weighting's gain at 997 Hz.
fn lufs_of_power(power: f64) -> f64 {
    10.0 * power.log10() - 0.691
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    fn loudness_of(clip: &Clip, chunk_frames: usize) -> Loudness {
        let mut collector = LoudnessCollector::new(clip.spec(), true);
        clip.blocks(chunk_frames).for_each(|block| collector.push(&block));
        collector.finish()
    }

    fn tone(frequency_hz: f64, peak_dbfs: f64, rate_hz: u32, secs: f64) -> Vec<f32> {
        let amplitude = 10f64.powf(peak_dbfs / 20.0);
        (0..(secs * f64::from(rate_hz)) as usize)
            .map(|n| (amplitude * (TAU * frequency_hz * n as f64 / f64::from(rate_hz)).sin()) as f32)
            .collect()
    }

    fn clip(rate_hz: u32, channels: Vec<Vec<f32>>) -> Clip {
        Clip::from_channels(rate_hz, channels).unwrap()
    }

    #[test]
    fn the_calibration_tone_reads_its_level_at_every_rate() {
        // BS.1770-4: a 997 Hz sine of -23 dBFS on both channels reads -23 LUFS. EBU Tech 3341 allows 0.1 LU.
        for rate in [8_000, 12_345, 44_100, 48_000, 96_000, 192_000] {
            let tone = tone(997.0, -23.0, rate, 5.0);
            let loudness = loudness_of(&clip(rate, vec![tone.clone(), tone]), 4096);
            for measured in
                [loudness.integrated_lufs, loudness.max_momentary_lufs, loudness.max_short_term_lufs]
            {
                assert!((measured.unwrap() + 23.0).abs() < 0.1, "{rate} Hz: {loudness:?}");
            }
            assert!(loudness.range_lu.unwrap() < 0.1);
            assert!((loudness.true_peak_dbtp.unwrap() + 23.0).abs() < 0.2, "{rate} Hz: {loudness:?}");
            let curve = &loudness.momentary_lufs;
            assert!((curve.hop_secs - 0.1).abs() < 1e-3 && (curve.values.len() as i32 - 50).abs() <= 1);
            assert!((curve.values[20] + 23.0).abs() < 0.1);
        }
    }

    #[test]
    fn mono_is_one_channel_and_surround_channels_weigh_more() {
        let tone = tone(997.0, -23.0, 48_000, 4.0);
        let silence = vec![0.0; tone.len()];
        let integrated = |channels: Vec<Vec<f32>>| loudness_of(&clip(48_000, channels), 4096).integrated_lufs;
        // One channel of two: 10 log10(2) = 3.01 LU less.
        assert!((integrated(vec![tone.clone()]).unwrap() + 26.01).abs() < 0.1);
        // L R C LFE Ls Rs: the LFE counts nothing, a surround channel 1.41 times (+1.49 LU).
        let only = |channel: usize| {
            let mut channels = vec![silence.clone(); 6];
            channels[channel].clone_from(&tone);
            integrated(channels)
        };
        assert!((only(2).unwrap() + 26.01).abs() < 0.1);
        assert_eq!(only(3), None);
        assert!((only(4).unwrap() + 24.52).abs() < 0.1);
    }

    #[test]
    fn peaks_between_samples_are_found_on_any_channel() {
        // EBU Tech 3341 case 15 and on: a sine of a quarter of the rate sampled at 45 degrees hides 3 dB of its
        // peak between the samples; +0.2/-0.4 dB are allowed.
        let hidden: Vec<f32> =
            (0..48_000).map(|n| (0.5 * (TAU * (n as f64 / 4.0 + 0.125)).sin()) as f32).collect();
        let loudness = loudness_of(&clip(48_000, vec![vec![0.0; 48_000], hidden]), 1000);
        assert!((loudness.sample_peak_dbfs.unwrap() + 9.03).abs() < 0.01);
        let error_db = loudness.true_peak_dbtp.unwrap() + 6.02;
        assert!((-0.4..=0.2).contains(&error_db), "{error_db}");
    }

    #[test]
    fn what_the_standard_does_not_define_is_none_and_never_infinite() {
        let silent = loudness_of(&Clip::silence(AudioSpec::new(44_100, 2).unwrap(), 441_000), 4096);
        assert_eq!(silent.integrated_lufs, None);
        assert_eq!(silent.range_lu, None);
        assert_eq!(silent.max_momentary_lufs, None);
        assert_eq!(silent.max_short_term_lufs, None);
        assert_eq!(silent.true_peak_dbtp, None);
        assert_eq!(silent.sample_peak_dbfs, None);
        assert!(silent.momentary_lufs.values.iter().all(|&lufs| lufs == -120.0));

        let nothing = loudness_of(&Clip::silence(AudioSpec::new(44_100, 2).unwrap(), 0), 4096);
        assert!(nothing.momentary_lufs.values.is_empty());

        let short = loudness_of(&clip(44_100, vec![tone(997.0, -6.0, 44_100, 0.25)]), 4096);
        assert_eq!((short.integrated_lufs, short.max_momentary_lufs), (None, None));
        assert!(short.sample_peak_dbfs.is_some());

        let slow = loudness_of(&clip(1_000, vec![tone(100.0, -6.0, 1_000, 10.0)]), 4096);
        assert_eq!(slow.integrated_lufs, None);
        assert!((slow.sample_peak_dbfs.unwrap() + 6.0).abs() < 0.5);
    }

    #[test]
    fn block_sizes_change_nothing() {
        let mut samples = tone(440.0, -12.0, 44_100, 4.0);
        samples[60_000..].iter_mut().for_each(|sample| *sample *= 0.3);
        let clip = clip(44_100, vec![samples]);
        let whole = loudness_of(&clip, clip.frames());
        for chunk in [1, 4409, 4411, 10_000] {
            assert_eq!(whole, loudness_of(&clip, chunk));
        }
    }

    #[test]
    fn another_meter_reads_the_same() {
        use ebur128::{EbuR128, Mode};

        let noise = |seed: u32, rate: u32| -> Vec<f32> {
            let mut state = seed;
            (0..7 * rate / 2)
                .map(|n| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let swell = (n as f32 / rate as f32).sin().abs() + 0.01;
                    swell * ((state >> 8) as f32 / (1 << 24) as f32 - 0.5)
                })
                .collect()
        };
        for (rate, channels) in [(44_100, 1), (44_100, 2), (48_000, 3), (8_000, 4), (96_000, 5), (192_000, 7)]
        {
            let planes: Vec<Vec<f32>> = (0..channels).map(|channel| noise(channel + 1, rate)).collect();
            let mut meter =
                EbuR128::new(channels, rate, Mode::I | Mode::TRUE_PEAK | Mode::SAMPLE_PEAK).unwrap();
            meter.add_frames_planar_f32(&planes.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
            let true_peak = (0..channels).map(|c| meter.true_peak(c).unwrap()).fold(0.0, f64::max);
            let found = loudness_of(&clip(rate, planes), 5000);
            // It sums in another order, and filters peaks in single precision.
            assert!((found.integrated_lufs.unwrap() - meter.loudness_global().unwrap()).abs() < 1e-9);
            assert!((found.true_peak_dbtp.unwrap() - 20.0 * true_peak.log10()).abs() < 1e-5, "{rate} Hz");
            let last = f64::from(*found.momentary_lufs.values.last().unwrap());
            assert!((last - meter.loudness_momentary().unwrap()).abs() < 1e-5, "{rate} Hz");
        }
    }
}
