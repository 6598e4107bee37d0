//! Arguments that several commands share.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use sfa_core::audio::io::{AudioFormat, BitDepth, PeakPolicy};
use sfa_core::{SeparateOptions, StemOptions};

use super::{Context, Exit, inputs};

/// Which songs.
#[derive(Debug, Args)]
pub(super) struct Inputs {
    /// Audio files, folders (searched recursively) or quoted patterns such as "set/**/*.flac"
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<PathBuf>,
}

impl Inputs {
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
    /// Separation engine; `auto` takes the best one that is ready, `sfa engines` lists them
    #[arg(long, default_value = "auto", value_name = "NAME")]
    engine: String,

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
    pub(super) fn options(&self, context: &Context) -> Result<SeparateOptions, Exit> {
        match context.studio.choose_engine(&self.engine) {
            Ok(choice) => context.terminal.note(choice.to_string()),
            Err(error) => {
                context.terminal.fail(error.to_string());
                return Err(Exit::Usage);
            }
        }
        let mut stems = StemOptions::default();
        stems.encode.format = match self.format {
            Format::Wav => AudioFormat::Wav,
            Format::Flac => AudioFormat::Flac,
            Format::Mp3 => AudioFormat::Mp3,
            Format::M4a => AudioFormat::M4aAac,
        };
        stems.encode.bit_depth = match self.bit_depth {
            Depth::Sixteen => BitDepth::Int16,
            Depth::TwentyFour => BitDepth::Int24,
            Depth::Float => BitDepth::Float32,
        };
        stems.peaks = match self.clip {
            Clipping::Rescale => PeakPolicy::Rescale,
            Clipping::Clamp => PeakPolicy::Clamp,
            Clipping::None => PeakPolicy::None,
        };
        stems.zip = self.zip;
        Ok(SeparateOptions { engine: self.engine.clone(), stems })
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
enum Depth {
    #[value(name = "16")]
    Sixteen,
    #[value(name = "24")]
    TwentyFour,
    #[value(name = "32f")]
    Float,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Clipping {
    /// Turn all stems down by the same factor, which keeps their balance
    Rescale,
    /// Cut the peaks off
    Clamp,
    /// Leave them: float formats keep what is above full scale, others cut it
    None,
}
