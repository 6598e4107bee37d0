//! Arguments that several commands share.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use sfa_core::audio::io::{AudioFormat, BitDepth, PeakPolicy};
use sfa_core::audio::separate::demucs::{Device, Precision};
use sfa_core::{
    AUTO, EngineRequest, ErrorKind, ModelOptions, Rest, SeparateOptions, StemKind, StemOptions, StemSelection,
};

use super::{Context, Exit, inputs};

/// Which songs.
#[derive(Debug, Args)]
pub(super) struct Inputs {
    /// Audio files, folders (searched recursively) or quoted patterns such as "set/**/*.flac"
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<PathBuf>,
}

impl Inputs {
    /// The addresses of the web among them, and the files, where there are some.
    pub(super) fn apart(&self) -> (Vec<&str>, Option<Self>) {
        let (mut addresses, mut inputs) = (Vec::new(), Vec::new());
        for input in &self.inputs {
            match input.to_str() {
                Some(text) if text.starts_with("https://") || text.starts_with("http://") => {
                    addresses.push(text);
                }
                _ => inputs.push(input.clone()),
            }
        }
        (addresses, (!inputs.is_empty()).then_some(Self { inputs }))
    }

    /// The files that were meant, leaving out what is below `output`.
    ///
    /// # Errors
    /// How to exit, after saying what matched nothing.
    pub(super) fn files(&self, context: &Context, output: Option<&Path>) -> Result<Vec<PathBuf>, Exit> {
        inputs::expand(&self.inputs, output).map_err(|message| {
            context.terminal.fail(message);
            Exit::Usage
        })
    }
}

/// How stems are made and written.
#[derive(Debug, Args)]
pub(super) struct StemArguments {
    #[command(flatten)]
    engine: EngineArguments,

    #[command(flatten)]
    selection: SelectionArguments,

    /// File format of the stems; mp3 and m4a need `ffmpeg`
    #[arg(long, value_enum, default_value_t = Format::Wav)]
    format: Format,

    /// Bits per sample of the stems (wav: 16, 24, 32f; flac: 16, 24)
    #[arg(long, value_enum, default_value_t = Depth::Sixteen)]
    bit_depth: Depth,

    /// Also pack the stems into stems.zip
    #[arg(long)]
    zip: bool,

    /// What to do when a stem is louder than full scale
    #[arg(long, value_enum, default_value_t = Clipping::Rescale)]
    clip: Clipping,
}

impl StemArguments {
    /// What was asked for, after saying which engine that means.
    ///
    /// # Errors
    /// How to exit, after saying why there is no such engine.
    pub(super) fn options(&self, context: &Context, measure: bool) -> Result<SeparateOptions, Exit> {
        let mut stems = StemOptions::default();
        stems.encode.format = match self.format {
            Format::Wav => AudioFormat::Wav,
            Format::Flac => AudioFormat::Flac,
            Format::Mp3 => AudioFormat::Mp3,
            Format::M4a => AudioFormat::M4aAac,
        };
        stems.encode.bit_depth = self.bit_depth.into();
        stems.peaks = match self.clip {
            Clipping::Rescale => PeakPolicy::Rescale,
            Clipping::RescaleEach => PeakPolicy::RescaleEach,
            Clipping::Clamp => PeakPolicy::Clamp,
            Clipping::None => PeakPolicy::None,
        };
        stems.zip = self.zip;
        stems.measure = measure;
        stems.selection = self.selection.selection();
        let options = SeparateOptions { engine: self.engine.request(), stems };
        match context.studio.choose_engine(&options) {
            Ok(choice) => context.terminal.note(choice.to_string()),
            Err(error) => {
                context.terminal.fail(error.to_string());
                let is_usage = error.kind() == ErrorKind::InvalidOption;
                return Err(if is_usage { Exit::Usage } else { Exit::SomeFailed });
            }
        }
        Ok(options)
    }
}

/// Who separates, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Engine")]
struct EngineArguments {
    /// auto, demucs, python or classic; `auto` takes the best one that is ready and says which
    #[arg(long, default_value = AUTO, value_name = "NAME")]
    engine: String,

    /// Model of the engine, for example htdemucs; `sfa models list` shows them
    #[arg(long, value_name = "NAME")]
    model: Option<String>,

    /// Seconds of audio that the network sees at once [default: the model's own]
    #[arg(long, value_name = "SECONDS")]
    segment: Option<f64>,

    /// Share of a segment repeated in the next, 0 to 0.95
    #[arg(long, default_value_t = ModelOptions::default().overlap, value_name = "SHARE")]
    overlap: f64,

    /// Passes over a randomly shifted song to average: a little better, each costs a whole run
    #[arg(long, default_value_t = 0, value_name = "N")]
    shifts: u32,

    /// Where the random shifts start; the same seed gives the same stems
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,

    /// Numbers that the network counts with: fp32, bf16, fp16
    #[arg(long, default_value_t = Precision::default(), value_name = "NAME")]
    precision: Precision,

    /// Where the network runs: cpu, cuda or cuda:N
    #[arg(long, default_value_t = Device::default(), value_name = "NAME")]
    device: Device,

    /// Threads of the network [default: one per core]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,

    /// Folder with models of your own, for --engine python
    #[arg(long, value_name = "DIR")]
    repo: Option<PathBuf>,
}

impl EngineArguments {
    fn request(&self) -> EngineRequest {
        EngineRequest {
            engine: self.engine.clone(),
            model: self.model.clone(),
            options: ModelOptions {
                segment_secs: self.segment,
                overlap: self.overlap,
                shifts: self.shifts,
                seed: self.seed,
                precision: self.precision,
                device: self.device,
            },
            threads: self.threads,
            repo: self.repo.clone(),
        }
    }
}

/// Which stems.
#[derive(Debug, Args)]
#[command(next_help_heading = "Stems")]
struct SelectionArguments {
    /// Only these stems, for example vocals,drums; no_vocals is the song without its vocals
    #[arg(long, value_delimiter = ',', value_name = "STEM,...")]
    stems: Option<Vec<StemKind>>,

    /// One stem, and the rest of the song in one
    #[arg(long, value_name = "STEM", conflicts_with = "stems")]
    two_stems: Option<StemKind>,

    /// How the rest of --two-stems is made
    #[arg(long, value_enum, default_value_t = RestMethod::Add, requires = "two_stems", value_name = "HOW")]
    rest: RestMethod,

    /// The song without its vocals, and nothing else: the same as --stems no_vocals
    #[arg(long, conflicts_with_all = ["stems", "two_stems"])]
    karaoke: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RestMethod {
    /// Add up all other stems
    Add,
    /// Subtract the stem from the song: nothing is lost, and other stems need not be made
    Minus,
}

impl SelectionArguments {
    fn selection(&self) -> StemSelection {
        let rest = match self.rest {
            RestMethod::Add => Rest::Add,
            RestMethod::Minus => Rest::Minus,
        };
        match (&self.stems, self.two_stems) {
            _ if self.karaoke => StemSelection::Only(vec![StemKind::NoVocals]),
            (Some(stems), _) => StemSelection::Only(stems.clone()),
            (None, Some(stem)) => StemSelection::Two { stem, rest },
            (None, None) => StemSelection::All,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Wav,
    Flac,
    Mp3,
    M4a,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Depth {
    #[value(name = "16")]
    Sixteen,
    #[value(name = "24")]
    TwentyFour,
    #[value(name = "32f")]
    Float,
}

impl From<Depth> for BitDepth {
    fn from(depth: Depth) -> Self {
        match depth {
            Depth::Sixteen => Self::Int16,
            Depth::TwentyFour => Self::Int24,
            Depth::Float => Self::Float32,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Clipping {
    /// Turn all stems down by the same factor, which keeps their balance
    Rescale,
    /// Turn each stem down by itself, as the original Demucs does: their balance changes
    RescaleEach,
    /// Cut the peaks off
    Clamp,
    /// Leave them: float formats keep what is above full scale, others cut it
    None,
}
