//! Demucs: neural separation with the official models, natively.
//!
//! The networks are those of A. Défossez, "Hybrid Spectrogram and Waveform Source Separation" (2021, third
//! generation) and of S. Rouard, F. Massa, A. Défossez, "Hybrid Transformers for Music Source Separation" (2023,
//! fourth generation). Given the same weights, the stems are those of the original in PyTorch.

pub(super) mod apply;
pub(super) mod architecture;
pub mod bags;
mod blueprint;
#[cfg(feature = "candle")]
mod candle;
mod check;
mod device;
pub(super) mod feed;
mod layers;
mod model;
mod network;
#[cfg(test)]
mod parity;
mod resample;
mod residual;
mod spectrum;
mod transformer;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::nn::Scratch;
use crate::{AudioSource, Error, ErrorKind, Result, StemKind, Watch};

use super::{EngineInfo, Separator, StemSink};
use apply::{Job, Output, Pass, Window};
use bags::{Bag, Network};
use device::Backend;
use feed::Feed;
use model::Model;

pub use check::{ModelSummary, check_file};
pub use device::{Device, Precision};

/// How a [`Demucs`] works on a mix.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DemucsOptions {
    /// The stems wanted; all of them where `None`. Networks that have no vote for any of them are not run.
    pub stems: Option<Vec<StemKind>>,
    /// Seconds of audio per window; the bag's own where `None`. Networks of the fourth generation accept no more
    /// than they were trained with.
    pub segment_secs: Option<f64>,
    /// Share of a window repeated in the next, in `0.0..=0.95`. Default: 0.25.
    pub overlap: f64,
    /// Exponent of the triangle by which overlapping windows are mixed, at least 1. Default: 1.
    pub transition_power: f32,
    /// Shifted passes to average; each costs a whole run. Default: none.
    pub shifts: Shifts,
    /// Worker threads; those of the global pool where `None`.
    pub threads: Option<usize>,
    /// Where the networks run. Default: the CPU.
    pub device: Device,
    /// The numbers they count with. Default: single precision.
    pub precision: Precision,
    /// Windows that a network is given at once, 1 to 64; memory grows with them. What suits the device where `None`:
    /// 1 on the CPU.
    pub batch: Option<usize>,
}

impl Default for DemucsOptions {
    fn default() -> Self {
        Self {
            stems: None,
            segment_secs: None,
            overlap: 0.25,
            transition_power: 1.0,
            shifts: Shifts::None,
            threads: None,
            device: Device::Cpu,
            precision: Precision::Fp32,
            batch: None,
        }
    }
}

/// Passes over a mix that starts up to half a second later, whose results are averaged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Shifts {
    /// One pass, not shifted.
    #[default]
    None,
    /// So many passes, shifted at random; the same seed gives the same shifts.
    Random {
        /// Passes of every network.
        count: u32,
        /// Where the sequence of shifts starts.
        seed: u64,
    },
    /// One pass for each offset in frames, at most half a second.
    Offsets(Vec<u32>),
}

/// Separates with a bag of Demucs networks.
///
/// A mix of one channel is heard as two equal ones, and its stems are the means of two channels. Of a mix of more
/// than two channels the first two are heard, and the others of its stems are silent. Other sample rates than that
/// of the networks are converted to it and back.
///
/// Between two mixes it holds its weights and up to 192 MiB to work in.
#[derive(Debug)]
pub struct Demucs {
    info: EngineInfo,
    models: Vec<Model>,
    votes: Option<Vec<Vec<f32>>>,
    segment_secs: Option<f64>,
    selected: Vec<usize>,
    options: DemucsOptions,
    pool: Option<rayon::ThreadPool>,
    scratch: Scratch,
}

impl Demucs {
    /// Loads the networks of `bag` from the files that `find` names. Networks without a vote for any of the stems
    /// wanted are neither asked for nor loaded.
    ///
    /// # Errors
    /// Those of `find`; `ModelUnavailable` naming a file that is missing or damaged, `Io`, `InvalidOption`,
    /// `ToolUnavailable` where this build or this machine lacks the device.
    pub fn open(
        bag: &Bag,
        find: impl Fn(&Network) -> Result<PathBuf>,
        options: DemucsOptions,
    ) -> Result<Self> {
        let needed = bag.needed_networks(options.stems.as_deref());
        let paths = needed.iter().map(|&index| find(&bag.networks[index])).collect::<Result<Vec<_>>>()?;
        let votes = bag.votes.map(|votes| needed.iter().map(|&index| votes[index].to_vec()).collect());
        let mut demucs = Self::from_files(&paths, votes, options)?;
        demucs.info.name = bag.name;
        demucs.info.description = bag.description;
        demucs.segment_secs = bag.segment_secs;
        demucs.check_segment()?;
        Ok(demucs)
    }

    /// Loads networks from files of weights. `votes` tells how much each network (row) counts for each of its
    /// stems (column); all count alike where it is `None`.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_files(
        files: &[PathBuf],
        votes: Option<Vec<Vec<f32>>>,
        options: DemucsOptions,
    ) -> Result<Self> {
        let backend = options.device.open(options.precision)?;
        Self::from_files_on(&backend, files, votes, options)
    }

    fn from_files_on(
        backend: &Backend,
        files: &[PathBuf],
        votes: Option<Vec<Vec<f32>>>,
        options: DemucsOptions,
    ) -> Result<Self> {
        let models = files.iter().map(|path| Model::read(path, backend)).collect::<Result<Vec<_>>>()?;
        let first = models.first().ok_or_else(|| invalid("a bag needs at least one network"))?;
        let alike = models.iter().all(|model| {
            model.sources() == first.sources()
                && model.sample_rate_hz() == first.sample_rate_hz()
                && model.audio_channels() == first.audio_channels()
        });
        if !alike {
            return Err(invalid("the networks of a bag must have the same stems, sample rate and channels"));
        }
        let sources = first.sources();
        if let Some(votes) = &votes
            && (votes.len() != models.len() || votes.iter().any(|row| row.len() != sources.len()))
        {
            return Err(invalid("votes must have one row per network and one column per stem"));
        }
        let wanted = options.stems.as_deref().unwrap_or(sources);
        if let Some(unknown) = wanted.iter().find(|kind| !sources.contains(kind)) {
            return Err(invalid(format!("this model has no stem \"{unknown}\"")));
        }
        let mut selected: Vec<usize> =
            (0..sources.len()).filter(|&index| wanted.contains(&sources[index])).collect();
        selected.sort_by_key(|&index| sources[index]);
        if selected.is_empty() {
            return Err(invalid("no stem is selected"));
        }
        let kinds: Vec<StemKind> = selected.iter().map(|&index| sources[index]).collect();
        let pool = match options.threads {
            None => None,
            Some(threads) => Some(thread_pool(threads)?),
        };
        let demucs = Self {
            info: EngineInfo {
                name: "demucs",
                description: "Demucs with weights of your own",
                stems: static_stems(&kinds),
            },
            models,
            votes,
            segment_secs: None,
            selected,
            options,
            pool,
            scratch: Scratch::default(),
        };
        demucs.check_options()?;
        demucs.check_segment()?;
        Ok(demucs)
    }

    fn check_options(&self) -> Result<()> {
        let DemucsOptions { overlap, transition_power, shifts, .. } = &self.options;
        if !(0.0..=0.95).contains(overlap) {
            return Err(invalid(format!("an overlap of {overlap} is outside 0..=0.95")));
        }
        if !(1.0..=100.0).contains(transition_power) {
            return Err(invalid(format!("a transition power of {transition_power} is outside 1..=100")));
        }
        if self.options.batch.is_some_and(|batch| !(1..=64).contains(&batch)) {
            return Err(invalid("a batch is 1 to 64 windows"));
        }
        let wrong = match shifts {
            Shifts::None => false,
            Shifts::Random { count, .. } => !(1..=100).contains(count),
            Shifts::Offsets(offsets) => {
                offsets.is_empty() || offsets.len() > 100 || offsets.iter().any(|&at| at > self.max_shift())
            }
        };
        if wrong {
            return Err(invalid("shifts are 1 to 100 passes by at most half a second each"));
        }
        Ok(())
    }

    fn check_segment(&self) -> Result<()> {
        let Some(segment_secs) = self.options.segment_secs else { return Ok(()) };
        if !(0.01..=600.0).contains(&segment_secs) {
            return Err(invalid(format!("a segment of {segment_secs} s is outside 0.01..=600")));
        }
        for model in &self.models {
            let longest = model.segment_frames() as f64 / f64::from(model.sample_rate_hz());
            if model.has_fixed_segment()
                && (segment_secs * f64::from(model.sample_rate_hz())) as usize > model.segment_frames()
            {
                return Err(invalid(format!(
                    "a segment of {segment_secs} s is longer than the {longest:.1} s of the training"
                )));
            }
        }
        Ok(())
    }

    fn sample_rate_hz(&self) -> u32 {
        self.models[0].sample_rate_hz()
    }

    /// Half a second in frames.
    fn max_shift(&self) -> u32 {
        self.sample_rate_hz() / 2
    }

    fn window(&self, model: &Model) -> Window {
        let rate = f64::from(model.sample_rate_hz());
        let wanted = self.options.segment_secs.map(|secs| (secs * rate) as usize);
        let of_bag = self
            .segment_secs
            .map(|secs| (secs * rate) as usize)
            .filter(|&frames| !model.has_fixed_segment() || frames <= model.segment_frames());
        let frames = wanted.or(of_bag).unwrap_or(model.segment_frames()).max(2);
        let shown = model.has_fixed_segment().then(|| wanted.unwrap_or(model.segment_frames()).max(2));
        Window {
            frames,
            stride: (((1.0 - self.options.overlap) * frames as f64) as usize).max(1),
            transition_power: self.options.transition_power,
            shown,
        }
    }

    /// How each network is run, in the order of the files.
    pub fn runs(&self) -> Vec<NetworkRun> {
        let starts = self.starts();
        let runs = self.models.iter().zip(starts).map(|(model, starts)| {
            let window = self.window(model);
            let shifted = self.options.shifts != Shifts::None;
            let offset = |start: i64| (i64::from(self.max_shift()) + start) as u32;
            NetworkRun {
                file: model.file().name.clone(),
                sha256: model.file().sha256.clone(),
                segment_frames: window.frames,
                stride_frames: window.stride,
                shift_offsets_frames: starts.into_iter().filter(|_| shifted).map(offset).collect(),
            }
        });
        runs.collect()
    }

    /// Where the passes of each network start, relative to the mix.
    fn starts(&self) -> Vec<Vec<i64>> {
        let mut random = match self.options.shifts {
            Shifts::Random { seed, .. } => seed,
            _ => 0,
        };
        let mut of_one = || match &self.options.shifts {
            Shifts::None => vec![0],
            Shifts::Offsets(offsets) => {
                offsets.iter().map(|&offset| i64::from(offset) - i64::from(self.max_shift())).collect()
            }
            Shifts::Random { count, .. } => (0..*count)
                .map(|_| -((split_mix(&mut random) % (u64::from(self.max_shift()) + 1)) as i64))
                .collect(),
        };
        self.models.iter().map(|_| of_one()).collect()
    }

    /// Every network with every shift and what it counts for the selected stems; those that count for none are
    /// left out.
    fn passes(&self) -> Vec<Pass<'_>> {
        let vote =
            |model: usize, source: usize| self.votes.as_ref().map_or(1.0, |votes| votes[model][source]);
        let mut passes = Vec::new();
        for (index, (model, starts)) in self.models.iter().zip(self.starts()).enumerate() {
            let shares: Vec<f32> = self
                .selected
                .iter()
                .map(|&source| {
                    let total: f32 = (0..self.models.len()).map(|model| vote(model, source)).sum();
                    vote(index, source) / total / starts.len() as f32
                })
                .collect();
            if shares.iter().any(|&share| share != 0.0) {
                let window = self.window(model);
                let frames = window.shown.unwrap_or(window.frames);
                let batch = self.options.batch.unwrap_or(self.options.device.usual_batch(frames));
                passes.extend(starts.into_iter().map(|start| Pass {
                    model,
                    start,
                    shares: shares.clone(),
                    window,
                    batch,
                }));
            }
        }
        passes
    }
}

/// How one network is run over a mix: what its part of the stems depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct NetworkRun {
    /// Name of the file of its weights, without folders.
    pub file: String,
    /// The SHA-256 of that file, in hexadecimal.
    pub sha256: String,
    /// Frames of one window, at the sample rate of the network.
    pub segment_frames: usize,
    /// Frames from one window to the next.
    pub stride_frames: usize,
    /// Where each pass starts, as the original counts it: in frames before the mix starts, padded by half a
    /// second. Empty where there is one pass that is not shifted.
    pub shift_offsets_frames: Vec<u32>,
}

impl Separator for Demucs {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn sum_error_bound(&self) -> Option<f32> {
        None
    }

    fn separate_into(&self, mix: &mut dyn AudioSource, sink: &mut dyn StemSink, watch: &Watch) -> Result<()> {
        let (rate, channels) = (self.sample_rate_hz(), self.models[0].audio_channels());
        let facts = Feed::new(mix, rate, channels)?.facts(watch)?;
        let mut output = Output::new(sink, mix.spec(), self.selected.len(), channels, rate);
        let passes = self.passes();
        let (selected, scratch, pool) = (&self.selected, &self.scratch, self.pool.as_ref());
        let job = Job { passes: &passes, selected, facts, watch, scratch, pool };
        let result = job.run(&mut Feed::new(mix, rate, channels)?, &mut output);
        scratch.settle();
        result
    }
}

/// The stems of a selection, in the order in which all official models have them.
pub(super) fn static_stems(kinds: &[StemKind]) -> &'static [StemKind] {
    const ALL: [StemKind; 6] = StemKind::SOURCES;
    const SELECTIONS: [[StemKind; 6]; 64] = {
        let mut selections = [ALL; 64];
        let mut mask = 0;
        while mask < 64 {
            let (mut from, mut to) = (0, 0);
            while from < 6 {
                if mask >> from & 1 == 1 {
                    selections[mask][to] = ALL[from];
                    to += 1;
                }
                from += 1;
            }
            mask += 1;
        }
        selections
    };
    static TABLE: [[StemKind; 6]; 64] = SELECTIONS;
    let bits = ALL.iter().enumerate().map(|(bit, kind)| usize::from(kinds.contains(kind)) << bit);
    &TABLE[bits.sum::<usize>()][..kinds.len()]
}

/// The next number of a sequence (G. L. Steele et al., "Fast Splittable Pseudorandom Number Generators", 2014).
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn thread_pool(threads: usize) -> Result<rayon::ThreadPool> {
    if !(1..=1024).contains(&threads) {
        return Err(invalid(format!("{threads} threads are outside 1..=1024")));
    }
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(|error| {
        Error::new(ErrorKind::Internal, format!("the threads could not be started: {error}")).caused_by(error)
    })
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOption, message)
}
