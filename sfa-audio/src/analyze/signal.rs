//! What can be wrong with a recording whatever its music: offset, clipping, channels out of phase.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dsp::RunningSum;
use crate::{AudioSpec, Clip};

/// The state of a recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Signal {
    /// Mean of every channel, with full scale at 1.
    pub dc_offset: Vec<f64>,
    /// Places where a channel stays at full scale for three samples and more, as a clipped converter does.
    pub clipped_runs: u64,
    /// Samples in those places.
    pub clipped_samples: u64,
    /// Correlation of left and right, `-1.0..=1.0`: 1 is mono, below 0 much is lost on one loudspeaker. Absent for other
    /// than two channels, and where one of them is silent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stereo_correlation: Option<f64>,
}

/// Half a step of 16 bits below full scale, on either side.
const FULL_SCALE: f32 = 1.0 - 1.5 / 32_768.0;
/// Fewer samples in a row may be a peak that just fits.
const SHORTEST_RUN: u64 = 3;
/// Samples that are looked at together.
const LOOKED_AT: usize = 256;

/// Measures [`Signal`] block by block; how it is cut changes nothing.
pub(crate) struct SignalCollector {
    frames: u64,
    sums: Vec<RunningSum>,
    /// Left times left, right times right, left times right.
    products: [RunningSum; 3],
    runs: Vec<u64>,
    clipped_runs: u64,
    clipped_samples: u64,
}

impl SignalCollector {
    pub(crate) fn new(spec: AudioSpec) -> Self {
        Self {
            frames: 0,
            sums: vec![RunningSum::default(); spec.channels],
            products: [RunningSum::default(); 3],
            runs: vec![0; spec.channels],
            clipped_runs: 0,
            clipped_samples: 0,
        }
    }

    pub(crate) fn push(&mut self, block: &Clip) {
        self.frames += block.frames() as u64;
        for (channel, samples) in block.channels().iter().enumerate() {
            self.sums[channel].add(samples);
            for part in samples.chunks(LOOKED_AT) {
                self.count_runs(channel, part);
            }
        }
        if let [left, right] = block.channels() {
            self.products[0].add_squares(left);
            self.products[1].add_squares(right);
            self.products[2].add_products(left, right);
        }
    }

    fn count_runs(&mut self, channel: usize, samples: &[f32]) {
        // Most music is nowhere near full scale most of the time, which is seen sooner of many samples at once.
        let loud = samples.iter().fold(0u32, |loud, sample| loud | u32::from(sample.abs() >= FULL_SCALE));
        if loud == 0 {
            self.end_run(channel);
            return;
        }
        for sample in samples {
            if sample.abs() >= FULL_SCALE {
                self.runs[channel] += 1;
            } else {
                self.end_run(channel);
            }
        }
    }

    fn end_run(&mut self, channel: usize) {
        let run = std::mem::take(&mut self.runs[channel]);
        if run >= SHORTEST_RUN {
            self.clipped_runs += 1;
            self.clipped_samples += run;
        }
    }

    pub(crate) fn finish(mut self) -> Signal {
        (0..self.runs.len()).for_each(|channel| self.end_run(channel));
        let count = self.frames.max(1) as f64;
        let dc_offset: Vec<f64> = self.sums.iter().map(|sum| sum.total() / count).collect();
        let [left, right, both] = self.products.map(|products| products.total());
        let stereo_correlation = match dc_offset[..] {
            [left_mean, right_mean] => {
                let covariance = both / count - left_mean * right_mean;
                let variances = (left / count - left_mean.powi(2)) * (right / count - right_mean.powi(2));
                (variances > 1e-20).then(|| (covariance / variances.sqrt()).clamp(-1.0, 1.0))
            }
            _ => None,
        };
        Signal {
            dc_offset,
            clipped_runs: self.clipped_runs,
            clipped_samples: self.clipped_samples,
            stereo_correlation,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal_of(channels: Vec<Vec<f32>>, chunk_frames: usize) -> Signal {
        let clip = Clip::from_channels(44_100, channels).unwrap();
        let mut collector = SignalCollector::new(clip.spec());
        clip.blocks(chunk_frames).for_each(|block| collector.push(&block));
        collector.finish()
    }

    fn tone(frames: usize, offset: f32) -> Vec<f32> {
        (0..frames).map(|n| 0.5 * (n as f32 * std::f32::consts::TAU / 100.0).sin() + offset).collect()
    }

    #[test]
    fn offset_and_correlation_are_found() {
        let left = tone(10_000, 0.1);
        let turned: Vec<f32> = tone(10_000, 0.0).iter().map(|sample| -sample).collect();
        let found = signal_of(vec![left.clone(), turned], 777);
        // A sum of 24-bit roundings.
        assert!((found.dc_offset[0] - 0.1).abs() < 1e-6 && found.dc_offset[1].abs() < 1e-6);
        assert!((found.stereo_correlation.unwrap() + 1.0).abs() < 1e-6);
        let mono = signal_of(vec![left.clone(), left.clone()], 10_000);
        assert!((mono.stereo_correlation.unwrap() - 1.0).abs() < 1e-6);
        assert_eq!(signal_of(vec![left.clone(), vec![0.0; 10_000]], 100).stereo_correlation, None);
        assert_eq!(signal_of(vec![left], 100).stereo_correlation, None);
    }

    #[test]
    fn runs_at_full_scale_are_counted_across_blocks() {
        let mut samples = vec![0.0; 100];
        samples[10..15].fill(1.0);
        samples[40..42].fill(-1.0);
        samples[97..].fill(-1.0);
        for chunk in [1, 12, 100] {
            let found = signal_of(vec![samples.clone()], chunk);
            assert_eq!((found.clipped_runs, found.clipped_samples), (2, 8));
        }
    }
}
