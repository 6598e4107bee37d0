//! Levels gathered block by block.

use ebur128::{EbuR128, Mode};

use super::Loudness;
use crate::analyze::Curve;
use crate::{AudioSpec, Clip, Error, ErrorKind, Result};

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
    meter: EbuR128,
    hop_frames: usize,
    /// Frames of a hop that is not full yet. The meter is fed whole hops only.
    pending: Clip,
    /// Mean square of every hop after K-weighting and channel weights.
    hop_powers: Vec<f32>,
}

impl LoudnessCollector {
    /// # Errors
    /// `Internal` when the meter refuses a spec that [`AudioSpec::new`] accepted.
    pub(crate) fn new(spec: AudioSpec) -> Result<Self> {
        let peaks = Mode::SAMPLE_PEAK | Mode::TRUE_PEAK;
        let is_weighted = spec.sample_rate_hz >= MIN_WEIGHTED_RATE_HZ;
        let mode = if is_weighted { Mode::I | peaks } else { peaks };
        let meter = EbuR128::new(spec.channels as u32, spec.sample_rate_hz, mode).map_err(meter_fault)?;
        // The meter's own block length, so that its windows end where our hops do.
        let hop_frames = (spec.sample_rate_hz as usize + 5) / 10;
        Ok(Self { meter, hop_frames, pending: Clip::empty(spec), hop_powers: Vec::new() })
    }

    /// Takes the next frames.
    pub(crate) fn push(&mut self, block: &Clip) -> Result<()> {
        let mut start = 0;
        while start < block.frames() {
            let end = (start + self.hop_frames - self.pending.frames()).min(block.frames());
            self.pending.extend(block.channels().iter().map(|channel| &channel[start..end]));
            if self.pending.frames() == self.hop_frames {
                self.close_hop()?;
            }
            start = end;
        }
        Ok(())
    }

    fn close_hop(&mut self) -> Result<()> {
        let planes: Vec<&[f32]> = self.pending.channels().iter().map(Vec::as_slice).collect();
        self.meter.add_frames_planar_f32(&planes).map_err(meter_fault)?;
        self.pending.clear();
        let power = self.meter.loudness_window(100).map_or(0.0, power_of_lufs);
        self.hop_powers.push(power as f32);
        Ok(())
    }

    /// Closes the last hop, which may be short, and reads the meter.
    pub(crate) fn finish(mut self) -> Result<Loudness> {
        let whole_hops = self.hop_powers.len();
        if !self.pending.is_empty() {
            self.close_hop()?;
        }
        let channels = 0..self.meter.channels();
        let true_peak = channels.clone().filter_map(|c| self.meter.true_peak(c).ok()).fold(0.0, f64::max);
        let sample_peak = channels.filter_map(|c| self.meter.sample_peak(c).ok()).fold(0.0, f64::max);
        let defined = |value: f64| value.is_finite().then_some(value);
        let loudest = |window: usize| {
            let powers = self.hop_powers[..whole_hops].windows(window).map(mean);
            powers.fold(None, |max: Option<f64>, power| Some(max.map_or(power, |max| max.max(power))))
        };
        let integrated_lufs = self.meter.loudness_global().ok().and_then(defined);
        let true_peak_dbtp = defined(20.0 * true_peak.log10());
        let hop_secs = self.hop_frames as f64 / f64::from(self.meter.rate());
        let curve = |hops| Curve { hop_secs, values: levels(&self.hop_powers, hops) };
        Ok(Loudness {
            integrated_lufs,
            range_lu: range_lu(&self.hop_powers[..whole_hops]).filter(|_| integrated_lufs.is_some()),
            max_momentary_lufs: loudest(MOMENTARY_HOPS).and_then(|power| defined(lufs_of_power(power))),
            max_short_term_lufs: loudest(SHORT_TERM_HOPS).and_then(|power| defined(lufs_of_power(power))),
            true_peak_dbtp,
            peak_to_loudness_lu: true_peak_dbtp.zip(integrated_lufs).map(|(peak, loudness)| peak - loudness),
            sample_peak_dbfs: defined(20.0 * sample_peak.log10()),
            momentary_lufs: curve(MOMENTARY_HOPS),
            short_term_lufs: curve(SHORT_TERM_HOPS),
        })
    }
}

/// The level of the last `hops` at the end of every hop; before the start there was silence.
fn levels(hop_powers: &[f32], hops: usize) -> Vec<f32> {
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
fn range_lu(hop_powers: &[f32]) -> Option<f64> {
    const ABSOLUTE_GATE_LUFS: f64 = -70.0;
    const RELATIVE_GATE_LU: f64 = -20.0;

    let mut powers: Vec<f64> = hop_powers
        .windows(SHORT_TERM_HOPS)
        .map(mean)
        .filter(|&power| lufs_of_power(power) >= ABSOLUTE_GATE_LUFS)
        .collect();
    let gate = powers.iter().sum::<f64>() / powers.len() as f64 * 10f64.powf(RELATIVE_GATE_LU / 10.0);
    powers.retain(|&power| power >= gate);
    powers.sort_by(f64::total_cmp);
    let last = powers.len().checked_sub(1)?;
    let at = |share: f64| lufs_of_power(powers[(last as f64 * share).round() as usize]);
    Some(at(0.95) - at(0.1))
}

fn mean(powers: &[f32]) -> f64 {
    powers.iter().map(|&power| f64::from(power)).sum::<f64>() / powers.len() as f64
}

/// BS.1770-4, equation 2: -0.691 makes up for the K-weighting's gain at 997 Hz.
fn lufs_of_power(power: f64) -> f64 {
    10.0 * power.log10() - 0.691
}

fn power_of_lufs(lufs: f64) -> f64 {
    10f64.powf((lufs + 0.691) / 10.0)
}

fn meter_fault(source: ebur128::Error) -> Error {
    Error::new(ErrorKind::Internal, "the loudness meter refused its input").caused_by(source)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    fn loudness_of(clip: &Clip, chunk_frames: usize) -> Loudness {
        let mut collector = LoudnessCollector::new(clip.spec()).unwrap();
        for start in (0..clip.frames()).step_by(chunk_frames) {
            let end = (start + chunk_frames).min(clip.frames());
            let mut block = Clip::empty(clip.spec());
            block.extend(clip.channels().iter().map(|channel| &channel[start..end]));
            collector.push(&block).unwrap();
        }
        collector.finish().unwrap()
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
}
