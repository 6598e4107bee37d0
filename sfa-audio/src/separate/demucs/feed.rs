//! The mix as the networks want it: their sample rate, their channels, any stretch of it at constant memory.

use crate::{AudioSource, Clip, Result, Watch};

use super::resample::Resampler;

/// Reads a source once from start to end and remembers the last stretch of it.
pub(in crate::separate) struct Feed<'a> {
    source: &'a mut dyn AudioSource,
    block: Clip,
    resamplers: Vec<Resampler>,
    /// What is remembered of each channel; the first frame has the number `start`.
    channels: Vec<Vec<f32>>,
    start: u64,
    source_frames: u64,
    ended: bool,
}

/// What the first reading of a mix finds.
#[derive(Debug, Clone, Copy)]
pub(in crate::separate) struct MixFacts {
    /// Frames at the rate of the mix.
    pub(in crate::separate) source_frames: u64,
    /// Frames at the rate of the networks.
    pub(in crate::separate) frames: u64,
    /// Of the mean of the channels, at the rate of the networks.
    pub(in crate::separate) mean: f32,
    /// Deviation with n - 1.
    pub(in crate::separate) std: f32,
}

impl<'a> Feed<'a> {
    /// Rewinds `source`. A single channel is heard by all `channels`; those beyond `channels` are not heard.
    pub(in crate::separate) fn new(
        source: &'a mut dyn AudioSource,
        sample_rate_hz: u32,
        channels: usize,
    ) -> Result<Self> {
        source.rewind()?;
        let spec = source.spec();
        let heard = if spec.channels == 1 || channels == 1 { 1 } else { channels.min(spec.channels) };
        Ok(Self {
            block: Clip::empty(spec),
            resamplers: (0..heard).map(|_| Resampler::new(spec.sample_rate_hz, sample_rate_hz)).collect(),
            channels: vec![Vec::new(); channels],
            start: 0,
            source_frames: 0,
            ended: false,
            source,
        })
    }

    fn end(&self) -> u64 {
        self.start + self.channels[0].len() as u64
    }

    /// Reads one more block, if there is one.
    fn advance(&mut self) -> Result<()> {
        if self.ended {
            return Ok(());
        }
        let heard = self.resamplers.len();
        let read = self.source.read(&mut self.block)?;
        self.source_frames += read as u64;
        self.ended = read == 0;
        let mono;
        let sources: Vec<&[f32]> = if heard == 1 {
            mono = self.block.downmix();
            vec![&mono]
        } else {
            self.block.channels()[..heard].iter().map(Vec::as_slice).collect()
        };
        for ((resampler, source), channel) in self.resamplers.iter_mut().zip(sources).zip(&mut self.channels)
        {
            if read > 0 {
                resampler.push(source, channel);
            } else {
                let total = resampler.output_frames(self.source_frames);
                resampler.finish(total as usize, channel);
                channel.truncate((total.saturating_sub(self.start)) as usize);
            }
        }
        let (first, others) = self.channels.split_at_mut(heard);
        for channel in others {
            channel.extend_from_slice(&first[0][channel.len()..]);
            channel.truncate(first[0].len());
        }
        Ok(())
    }

    /// Reads to the end, keeping nothing but numbers.
    ///
    /// # Errors
    /// Those of the source; `Cancelled`.
    pub(in crate::separate) fn facts(mut self, watch: &Watch) -> Result<MixFacts> {
        let (mut sum, mut squares, mut frames) = (0.0, 0.0, 0_u64);
        let scale = 1.0 / self.channels.len() as f64;
        // Squares are counted around the first value: a mix that never moves has no deviation at all.
        let mut origin = None;
        loop {
            self.advance()?;
            watch.report(crate::Stage::Separate, 0, self.source.frames_hint().unwrap_or(0))?;
            let mut sums = (0.0, 0.0);
            for frame in 0..self.channels[0].len() {
                let value =
                    self.channels.iter().map(|channel| f64::from(channel[frame])).sum::<f64>() * scale;
                let value = value - *origin.get_or_insert(value);
                sums.0 += value;
                sums.1 += value * value;
            }
            sum += sums.0;
            squares += sums.1;
            frames += self.channels[0].len() as u64;
            self.forget_before(frames);
            if self.ended {
                break;
            }
        }
        let count = frames.max(1) as f64;
        let mean = sum / count;
        let variance = (squares - mean * sum).max(0.0) / (count - 1.0).max(1.0);
        Ok(MixFacts {
            source_frames: self.source_frames,
            frames,
            mean: (mean + origin.unwrap_or(0.0)) as f32,
            std: variance.sqrt() as f32,
        })
    }

    /// Drops all frames before number `frame`.
    pub(in crate::separate) fn forget_before(&mut self, frame: u64) {
        let spent = frame.min(self.end()).saturating_sub(self.start);
        for channel in &mut self.channels {
            channel.drain(..spent as usize);
        }
        self.start += spent;
    }

    /// Copies the frames from number `from` on, silent before the first and after the last frame of the mix, and
    /// normalised by `facts`.
    ///
    /// # Errors
    /// Those of the source.
    pub(in crate::separate) fn stretch(
        &mut self,
        from: i64,
        facts: &MixFacts,
        out: &mut [Vec<f32>],
    ) -> Result<()> {
        let frames = out.first().map_or(0, Vec::len) as i64;
        while (self.end() as i64) < from + frames && !self.ended {
            self.advance()?;
        }
        let divisor = facts.std + 1e-8;
        for (out, channel) in out.iter_mut().zip(&self.channels) {
            out.fill(0.0);
            let first = from.max(self.start as i64);
            let last = (from + frames).min(self.end() as i64);
            if first < last {
                let source =
                    &channel[(first - self.start as i64) as usize..(last - self.start as i64) as usize];
                let target = &mut out[(first - from) as usize..];
                for (out, value) in target.iter_mut().zip(source) {
                    *out = (value - facts.mean) / divisor;
                }
            }
        }
        Ok(())
    }
}
