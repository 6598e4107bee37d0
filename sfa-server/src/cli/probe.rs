//! `sfa probe`: what is in a file.

use std::path::Path;

use clap::Args;
use serde_json::json;
use sfa_core::audio::io::Probe;

use super::batch::{self, Outcome};
use super::options::Inputs;
use super::{Context, Exit, terminal};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    inputs: Inputs,

    /// Print one line of JSON per file on stdout
    #[arg(long)]
    json: bool,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Exit> {
    let files = arguments.inputs.files(context, None)?;
    let outcomes = batch::run(
        context,
        &files,
        1,
        |file, watch| context.studio.probe(file, watch),
        |file, outcome| match outcome {
            Outcome::Done(probe) if arguments.json => {
                let line = json!({ "input": file.display().to_string(), "probe": probe });
                context.terminal.print(line.to_string());
            }
            Outcome::Done(probe) => context.terminal.print(summary(file, probe)),
            Outcome::Failed(error) if arguments.json => {
                context.terminal.print(batch::failure_json(file, error))
            }
            Outcome::Failed(_) | Outcome::Stopped => {}
        },
    );
    Ok(batch::conclude(context, &files, &outcomes))
}

fn summary(file: &Path, probe: &Probe) -> String {
    let info = &probe.info;
    let mut lines = vec![format!("{}  ({})", file.display(), terminal::clock(probe.duration_secs))];
    let mut row = |name: &str, value: String| lines.push(format!("  {name:<9} {value}"));
    row("format", format!("{} in {}, read by {}", info.codec, info.container, info.decoder));
    let bits = info.bits_per_sample.map(|bits| format!(", {bits} bits")).unwrap_or_default();
    let rate = info.bit_rate.map(|rate| format!(", {} kbit/s", rate / 1000)).unwrap_or_default();
    row("audio", format!("{} Hz, {} channels{bits}{rate}", info.sample_rate_hz, info.channels));
    row("length", format!("{} frames, {:.3} s", probe.frames, probe.duration_secs));
    if info.leading_trim_frames > 0 || info.trailing_trim_frames > 0 {
        row(
            "trimmed",
            format!(
                "{} frames at the start, {} at the end",
                info.leading_trim_frames, info.trailing_trim_frames
            ),
        );
    }
    let tags = &info.tags;
    for (name, value) in [
        ("title", &tags.title),
        ("artist", &tags.artist),
        ("album", &tags.album),
        ("genre", &tags.genre),
        ("date", &tags.date),
    ] {
        if let Some(value) = value {
            row(name, value.clone());
        }
    }
    if let Some(cover) = &tags.cover {
        row("cover", format!("{}, {} kB", cover.media_type, cover.bytes.len().div_ceil(1000)));
    }
    for warning in &probe.warnings {
        row("warning", warning.clone());
    }
    lines.join("\n")
}
