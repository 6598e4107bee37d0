//! `sfa plot`: what was measured, for people who would rather look.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use sfa_core::picture::PictureKind;

use super::{Context, Exit};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The song
    input: PathBuf,

    /// What to draw
    #[arg(long, value_enum, default_value = "structure")]
    kind: Kind,

    /// The picture to write, .svg or .png
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// The outline of the samples, coloured by bass, middle and treble
    Waveform,
    /// Level of every frequency over time
    Spectrogram,
    /// Level in mel bands over time
    Mel,
    /// Strength of the twelve pitch classes over time
    Chroma,
    /// Strength of every tempo over time
    Tempogram,
    /// How alike any two moments are
    Ssm,
    /// The outline with beats and bars
    Beats,
    /// Sections, energy, drops and build-ups
    Structure,
    /// Loudness over time
    Loudness,
}

impl From<Kind> for PictureKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Waveform => Self::Waveform,
            Kind::Spectrogram => Self::Spectrogram,
            Kind::Mel => Self::Mel,
            Kind::Chroma => Self::Chroma,
            Kind::Tempogram => Self::Tempogram,
            Kind::Ssm => Self::Ssm,
            Kind::Beats => Self::Beats,
            Kind::Structure => Self::Structure,
            Kind::Loudness => Self::Loudness,
        }
    }
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Exit> {
    let name = arguments.input.display().to_string();
    let bar = context.terminal.file_bar(&name, context.studio.claimed_duration_secs(&arguments.input));
    let watch = context.watch.forward_to(move |progress| bar.show(progress));
    match context.studio.draw(&arguments.input, arguments.kind.into(), &arguments.out, &watch) {
        Ok(()) => {
            drop(watch);
            context.terminal.print(arguments.out.display().to_string());
            Ok(Exit::Success)
        }
        Err(error) => Err(context.ended_without_file(&error)),
    }
}
