//! From segments to songs: overlapping windows over a stream of any length, shifted passes and votes of a bag.

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use crate::nn::{Context, Cpu, FeatureMap, Scratch};
use crate::separate::StemSink;
use crate::{Clip, Error, ErrorKind, Result, Stage, Watch};

use super::feed::{Feed, MixFacts};
use super::model::{Layer, Made, Model, Run};
use super::resample::Resampler;

/// One model with one shift, over the whole mix.
pub(super) struct Pass<'a> {
    pub(super) model: &'a Model,
    /// Where its first window starts: at 0, or before the mix.
    pub(super) start: i64,
    /// What its answer counts for each selected stem; all passes together make 1.
    pub(super) shares: Vec<f32>,
    pub(super) window: Window,
    /// Windows that the model is given at once.
    pub(super) batch: usize,
}

impl Pass<'_> {
    /// Where the first window starts that sees any of the mix.
    fn first_window(&self) -> i64 {
        let stride = self.window.stride as u64;
        let unseen = (self.start + self.window.frames as i64).min(1).abs_diff(1);
        self.start + (unseen.div_ceil(stride) * stride) as i64
    }
}

/// The windows of one pass.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// Frames of one window.
    pub(super) frames: usize,
    /// Frames from one window to the next.
    pub(super) stride: usize,
    /// Exponent of the weights.
    pub(super) transition_power: f32,
    /// Frames that the network is shown, with what is around the window; `None` where it takes any number.
    pub(super) shown: Option<usize>,
}

impl Window {
    /// A triangle with its top, 1, in the middle.
    fn weight(&self, frame: usize) -> f32 {
        let top = self.frames - self.frames / 2;
        let height = if frame < self.frames / 2 { frame + 1 } else { self.frames - frame };
        let height = height as f32 / top as f32;
        // The usual power is 1, and each frame of each window asks.
        if self.transition_power == 1.0 { height } else { height.powf(self.transition_power) }
    }

    /// The weights of all windows of a pass that see the frame `frame` of this one, its own included.
    fn total_weight(&self, frame: usize, windows_before: usize, windows_after: usize) -> f32 {
        let before = (1..=windows_before).map(|n| frame + n * self.stride).take_while(|&at| at < self.frames);
        let after = (1..=windows_after).map_while(|n| frame.checked_sub(n * self.stride));
        before.chain([frame]).chain(after).map(|at| self.weight(at)).sum()
    }
}

/// Where the results of all passes are summed up.
struct Sums<'a> {
    /// Per selected stem and channel, from frame `start` on.
    lines: FeatureMap<'a>,
    start: i64,
}

impl<'a> Sums<'a> {
    fn new(context: &Context<'a>, lines: usize) -> Self {
        Self { lines: FeatureMap::new(context, 1, lines, 0), start: 0 }
    }

    fn end(&self) -> i64 {
        self.start + self.lines.width as i64
    }

    /// Forgets what lies before `start`, and reaches to `end` or further.
    fn cover(&mut self, context: &Context<'a>, start: i64, end: i64) {
        let end = end.max(self.end()).max(start);
        if (start, end) == (self.start, self.end()) {
            return;
        }
        let frames = (end - start) as usize;
        let forgotten = ((start - self.start) as usize).min(self.lines.width);
        let mut lines = FeatureMap::new(context, 1, self.lines.channels, frames);
        for (channel, line) in lines.data.chunks_exact_mut(frames.max(1)).enumerate() {
            let kept = &self.lines.channel(0, channel)[forgotten..];
            let (known, unknown) = line.split_at_mut(kept.len());
            known.copy_from_slice(kept);
            unknown.fill(0.0);
        }
        *self = Self { lines, start };
    }

    /// Gives what lies before frame `end`, up to which it reaches, to `output` and forgets it.
    ///
    /// # Errors
    /// Those of `output`.
    fn drain(
        &mut self,
        context: &Context<'a>,
        end: i64,
        output: &mut Output<'_>,
        facts: &MixFacts,
    ) -> Result<()> {
        let frames = (end - self.start).max(0) as usize;
        for start in (0..frames).step_by(BLOCK_FRAMES) {
            let range = start..(start + BLOCK_FRAMES).min(frames);
            let line = |channel| self.lines.channel(0, channel)[range.clone()].to_vec();
            output.write((0..self.lines.channels).map(line).collect(), facts, context.watch)?;
        }
        self.cover(context, self.start + frames as i64, end);
        Ok(())
    }
}

/// Everything that stays the same while a mix is separated.
pub(super) struct Job<'a> {
    pub(super) passes: &'a [Pass<'a>],
    /// The numbers of the selected stems among the sources of the models.
    pub(super) selected: &'a [usize],
    pub(super) facts: MixFacts,
    pub(super) watch: &'a Watch,
    pub(super) scratch: &'a Scratch,
    pub(super) pool: Option<&'a rayon::ThreadPool>,
}

impl Job<'_> {
    /// Separates the mix in `feed` and gives the stems to `output` as soon as all passes are done with a stretch.
    ///
    /// # Errors
    /// `Cancelled`; what the mix or the sink returned.
    pub(super) fn run(&self, feed: &mut Feed<'_>, output: &mut Output<'_>) -> Result<()> {
        let frames = self.facts.frames as i64;
        let channels = self.passes[0].model.audio_channels();
        // Summing up and separating take turns with the same memory.
        let context = &Context { cpu: Cpu::detect(), watch: self.watch, scratch: self.scratch };
        let mut sums = Sums::new(context, self.selected.len() * channels);
        let clock = Clock::new(self);
        let mut next: Vec<i64> = self.passes.iter().map(Pass::first_window).collect();
        loop {
            let pending = next.iter().enumerate().filter(|(_, start)| **start < frames);
            let Some((index, &start)) = pending.min_by_key(|(index, start)| (**start, *index)) else { break };
            // No pass will touch what lies before the earliest window left.
            sums.drain(context, start.min(frames), output, &self.facts)?;
            next[index] = self.windows(context, index, start, feed, &clock, &mut sums)?;
        }
        sums.cover(context, sums.start, frames);
        sums.drain(context, frames, output, &self.facts)?;
        output.finish(self.facts.source_frames, self.watch)
    }

    /// Runs the windows of one pass from that at `start` on, as many at once as are alike and wanted; gives the start
    /// of the next.
    fn windows<'a>(
        &self,
        context: &Context<'a>,
        index: usize,
        start: i64,
        feed: &mut Feed<'_>,
        clock: &Clock<'_>,
        sums: &mut Sums<'a>,
    ) -> Result<i64> {
        let Pass { model, window, batch, .. } = &self.passes[index];
        // Later windows of all passes start later, but are shown some of what lies before them.
        let reach = self.passes.iter().filter_map(|pass| pass.window.shown).max();
        feed.forget_before((start - reach.unwrap_or(0) as i64).max(0) as u64);
        let first = self.view(index, start);
        let views: Vec<View> = (0..*batch as i64)
            .map(|n| start + n * window.stride as i64)
            .take_while(|&start| start < self.facts.frames as i64)
            .map(|start| self.view(index, start))
            .take_while(|view| view.shown == first.shown)
            .collect();
        let mut mixes = Vec::with_capacity(views.len());
        for view in &views {
            let mut mix = vec![vec![0.0; view.shown]; model.audio_channels()];
            feed.stretch(view.start - view.lead as i64, &self.facts, &mut mix)?;
            if model.has_fixed_segment() {
                mix.iter_mut()
                    .for_each(|channel| channel.resize(model.segment_frames().max(view.shown), 0.0));
            }
            mixes.push(mix);
        }
        let layer_done = |_: Layer, windows: usize, _: &Made<'_>| clock.tick(windows as u64);
        let run = Run { scratch: context.scratch, watch: self.watch, layer_done: &layer_done };
        let separate = || -> Result<()> {
            let stems = model.separate(&run, mixes)?;
            views.iter().zip(&stems).for_each(|(view, stems)| self.add(context, index, view, stems, sums));
            Ok(())
        };
        match self.pool {
            Some(pool) => pool.install(separate),
            None => separate(),
        }?;
        Ok(start + (views.len() * window.stride) as i64)
    }

    /// Which part of the mix the window at `start` sees.
    fn view(&self, index: usize, start: i64) -> View {
        let window = &self.passes[index].window;
        let end = (start + window.frames as i64).min(self.facts.frames as i64);
        let seen = (end - start) as usize;
        let shown = window.shown.unwrap_or(seen);
        View { start, seen, shown, lead: (shown - seen) / 2 }
    }

    /// Adds the stems of one window to the sums.
    fn add<'a>(
        &self,
        context: &Context<'a>,
        index: usize,
        view: &View,
        stems: &FeatureMap<'_>,
        sums: &mut Sums<'a>,
    ) {
        let Pass { model, shares, window, start: first, .. } = &self.passes[index];
        let &View { start, seen, lead, .. } = view;
        let frames = self.facts.frames as i64;
        let from = start.max(0);
        let windows_before = ((start - first) / window.stride as i64) as usize;
        let windows_after = ((frames - start - 1) / window.stride as i64) as usize;
        let skipped = (from - start) as usize;
        let weight = |frame| window.weight(frame) / window.total_weight(frame, windows_before, windows_after);
        let weights: Vec<f32> = (skipped..seen).into_par_iter().map(weight).collect();
        sums.cover(context, sums.start, start + seen as i64);
        let (channels, before) = (model.audio_channels(), (from - sums.start) as usize);
        let width = sums.lines.width.max(1);
        sums.lines.data.par_chunks_mut(width).enumerate().for_each(|(line, sum)| {
            let (stem, channel) = (line / channels, line % channels);
            let (source, share) = (self.selected[stem], shares[stem]);
            if share != 0.0 {
                let estimate = &stems.channel(0, source * channels + channel)[lead + skipped..lead + seen];
                for ((sum, value), weight) in sum[before..].iter_mut().zip(estimate).zip(&weights) {
                    *sum += value * weight * share;
                }
            }
        });
    }
}

/// What one window sees of the mix.
struct View {
    start: i64,
    /// Frames of the mix from `start` on.
    seen: usize,
    /// Frames that the network is shown.
    shown: usize,
    /// How many of those lie before `start`.
    lead: usize,
}

/// Counts stages of networks and reports frames of the mix.
struct Clock<'a> {
    watch: &'a Watch,
    stages_done: AtomicU64,
    stages: u64,
    frames: u64,
}

impl<'a> Clock<'a> {
    fn new(job: &Job<'a>) -> Self {
        let stages = job.passes.iter().map(|pass| {
            let length = (job.facts.frames as i64 - pass.first_window()).max(0) as u64;
            length.div_ceil(pass.window.stride as u64) * pass.model.stages() as u64
        });
        Self {
            watch: job.watch,
            stages_done: AtomicU64::new(0),
            stages: stages.sum(),
            frames: job.facts.source_frames,
        }
    }

    fn tick(&self, stages: u64) -> Result<()> {
        let done = self.stages_done.fetch_add(stages, Ordering::Relaxed) + stages;
        let frames = u128::from(self.frames) * u128::from(done) / u128::from(self.stages.max(1));
        self.watch.report(Stage::Separate, (frames as u64).min(self.frames), self.frames)
    }
}

/// Brings stems back to the rate, channels and length of the mix.
pub(in crate::separate) struct Output<'a> {
    sink: &'a mut dyn StemSink,
    resamplers: Vec<Resampler>,
    blocks: Vec<Clip>,
    /// Channels per stem, as the networks make them.
    channels: usize,
    written: u64,
}

/// Frames handed to the sink at once.
const BLOCK_FRAMES: usize = 1 << 15;

impl<'a> Output<'a> {
    pub(in crate::separate) fn new(
        sink: &'a mut dyn StemSink,
        spec: crate::AudioSpec,
        stems: usize,
        channels: usize,
        sample_rate_hz: u32,
    ) -> Self {
        let resampler = || Resampler::new(sample_rate_hz, spec.sample_rate_hz);
        Self {
            sink,
            resamplers: (0..stems * channels).map(|_| resampler()).collect(),
            blocks: vec![Clip::empty(spec); stems],
            channels,
            written: 0,
        }
    }

    /// Takes normalised frames, one line per stem and channel.
    ///
    /// # Errors
    /// Those of the sink; `Cancelled`.
    pub(in crate::separate) fn write(
        &mut self,
        mut lines: Vec<Vec<f32>>,
        facts: &MixFacts,
        watch: &Watch,
    ) -> Result<()> {
        let mut converted = vec![Vec::new(); lines.len()];
        for ((line, resampler), converted) in lines.iter_mut().zip(&mut self.resamplers).zip(&mut converted) {
            watch.checkpoint()?;
            line.iter_mut().for_each(|value| *value = *value * facts.std + facts.mean);
            resampler.push(line, converted);
        }
        self.emit(&converted)
    }

    /// Ends every stem at `frames` frames.
    ///
    /// # Errors
    /// Those of the sink; `Cancelled`.
    pub(in crate::separate) fn finish(&mut self, frames: u64, watch: &Watch) -> Result<()> {
        let mut converted = vec![Vec::new(); self.resamplers.len()];
        for (resampler, converted) in self.resamplers.iter_mut().zip(&mut converted) {
            resampler.finish(frames as usize, converted);
            if converted.len() as u64 != frames - self.written {
                return Err(Error::new(
                    ErrorKind::Internal,
                    "a stem came out with another length than the mix",
                ));
            }
        }
        self.emit(&converted)?;
        watch.report(Stage::Separate, frames, frames)
    }

    /// A mix of one channel gets the mean of a stem's channels; channels that the networks did not hear are silent.
    fn emit(&mut self, lines: &[Vec<f32>]) -> Result<()> {
        let frames = lines.first().map_or(0, Vec::len);
        let silence = vec![0.0; BLOCK_FRAMES.min(frames)];
        for start in (0..frames).step_by(BLOCK_FRAMES) {
            let range = start..(start + BLOCK_FRAMES).min(frames);
            for (block, stem) in self.blocks.iter_mut().zip(lines.chunks_exact(self.channels)) {
                block.clear();
                if let ([left, right], 1) = (stem, block.spec().channels) {
                    let mean: Vec<f32> = left[range.clone()]
                        .iter()
                        .zip(&right[range.clone()])
                        .map(|(l, r)| (l + r) * 0.5)
                        .collect();
                    block.extend([mean.as_slice()]);
                } else {
                    let silence = &silence[..range.len()];
                    let heard = stem.iter().map(|line| &line[range.clone()]);
                    let channels = block.spec().channels;
                    block.extend(heard.chain(std::iter::repeat(silence)).take(channels));
                }
            }
            self.sink.write(&self.blocks)?;
        }
        self.written += frames as u64;
        Ok(())
    }
}
