//! The striking part: short grains, added up.

use super::map::TimeMap;
use super::parts::Track;
use crate::Clip;
use crate::dsp::hann;

/// Copies grains to where the map wants them. Where time runs at its old speed, neighbours join without a seam.
pub(super) struct Grains {
    window: Vec<f32>,
    /// Half of a grain; grains lie so far apart in the output.
    hop_frames: usize,
    /// The next grain is centred on this many hops.
    next: i64,
    sum: Vec<Vec<f32>>,
    grain: Vec<f32>,
}

impl Grains {
    pub(super) fn new(channels: usize, frames: usize) -> Self {
        Self {
            window: hann(frames),
            hop_frames: frames / 2,
            next: 0,
            sum: vec![vec![0.0; frames]; channels],
            grain: vec![0.0; frames],
        }
    }

    /// The input frames that the next grain needs: first, and the one after the last.
    pub(super) fn needs(&self, map: &TimeMap) -> (i64, i64) {
        let start = self.start(map);
        (start, start + self.window.len() as i64)
    }

    /// The output frame in the middle of the next grain.
    pub(super) fn centre(&self) -> f64 {
        (self.next * self.hop_frames as i64) as f64
    }

    fn start(&self, map: &TimeMap) -> i64 {
        map.input_at(self.centre()).round() as i64 - self.hop_frames as i64
    }

    /// Adds the next grain and appends the frames that no later one reaches; those before the first frame are not.
    pub(super) fn push(&mut self, striking: &Track, map: &TimeMap, out: &mut Clip) {
        let start = self.start(map);
        for channel in 0..self.sum.len() {
            striking.copy(channel, start, &mut self.grain);
            for ((sum, sample), weight) in self.sum[channel].iter_mut().zip(&self.grain).zip(&self.window) {
                *sum += sample * weight;
            }
        }
        if self.next > 0 {
            out.extend(self.sum.iter().map(|sum| &sum[..self.hop_frames]));
        }
        for sum in &mut self.sum {
            sum.copy_within(self.hop_frames.., 0);
            sum[self.hop_frames..].fill(0.0);
        }
        self.next += 1;
    }
}
