//! `sfa warp`: another tempo, another key.

use std::path::PathBuf;

use clap::Args;
use sfa_core::audio::analyze::Feature;
use sfa_core::audio::warp::WarpOptions;
use sfa_core::{AnalyzeOptions, Error, ErrorKind};

use super::options::Depth;
use super::{Context, Exit, terminal};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The song
    input: PathBuf,

    /// The file to write; its ending says the format: wav, flac, mp3, m4a
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,

    /// The new length, as a multiple of the old one: 0.25 to 4
    #[arg(long, value_name = "FACTOR", conflicts_with = "bpm")]
    stretch: Option<f64>,

    /// The new tempo in beats per minute; the old one is measured
    #[arg(long, value_name = "BPM")]
    bpm: Option<f64>,

    /// The old tempo, where it is known better than it can be measured
    #[arg(long, value_name = "BPM", requires = "bpm")]
    from_bpm: Option<f64>,

    /// Shift the pitch by so many semitones: -24 to 24, fractions too
    #[arg(long, value_name = "SEMITONES", default_value_t = 0.0, allow_hyphen_values = true)]
    pitch: f64,

    /// How samples are stored, where the format leaves a choice
    #[arg(long, value_enum, default_value = "24")]
    bit_depth: Depth,

    /// Write over a file that is already there
    #[arg(long)]
    force: bool,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Exit> {
    let name = arguments.input.display().to_string();
    let bar = context.terminal.file_bar(&name, context.studio.claimed_duration_secs(&arguments.input));
    let watch = context.watch.forward_to(move |progress| bar.show(progress));
    let warped = stretch(context, arguments).and_then(|stretch| {
        let options = WarpOptions { stretch, semitones: arguments.pitch };
        let (written, duration_secs) = context.studio.warp(
            &arguments.input,
            &arguments.out,
            options,
            arguments.bit_depth.into(),
            arguments.force,
            &watch,
        )?;
        Ok((stretch, written, duration_secs))
    });
    match warped {
        Ok((stretch, written, duration_secs)) => {
            drop(watch);
            if written.clamped_samples > 0 {
                context.terminal.note(format!(
                    "{} samples were beyond full scale and were cut; write a .wav with --bit-depth 32f to keep them",
                    written.clamped_samples
                ));
            }
            context.terminal.print(format!(
                "{}  {}  [{stretch:.4} of the length, {:+} semitones]",
                arguments.out.display(),
                terminal::clock(duration_secs),
                arguments.pitch
            ));
            Ok(Exit::Success)
        }
        Err(error) => Err(context.ended_without_file(&error)),
    }
}

fn stretch(context: &Context, arguments: &Arguments) -> Result<f64, Error> {
    let Some(to_bpm) = arguments.bpm else { return Ok(arguments.stretch.unwrap_or(1.0)) };
    let from_bpm = match arguments.from_bpm {
        Some(bpm) => bpm,
        None => measured_bpm(context, arguments)?,
    };
    Ok(from_bpm / to_bpm)
}

fn measured_bpm(context: &Context, arguments: &Arguments) -> Result<f64, Error> {
    let options = AnalyzeOptions::default().features([Feature::Rhythm]);
    let song = context.studio.analyze(&arguments.input, &options, &context.watch.muted())?;
    let rhythm = song.analysis.rhythm.ok_or_else(|| {
        let message =
            "no pulse was found, so its tempo is not known; say it with --from-bpm, or use --stretch";
        Error::new(ErrorKind::InvalidOption, message).about(arguments.input.display().to_string())
    })?;
    Ok(rhythm.tempo.bpm)
}
