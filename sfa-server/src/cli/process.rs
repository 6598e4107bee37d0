//! `sfa process`: everything of every song.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use sfa_core::{ProcessOptions, ProcessedSong};

use super::batch::{self, Outcome};
use super::options::{Inputs, StemArguments};
use super::{Context, Exit, terminal};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    inputs: Inputs,

    /// Folder for the results: one folder per song, and playlist.m3u8
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    #[command(flatten)]
    stems: StemArguments,

    /// Songs to work on at the same time; each uses more than one core
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,

    /// Make finished songs again
    #[arg(long)]
    force: bool,

    /// Print one line of JSON per song on stdout
    #[arg(long)]
    json: bool,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Exit> {
    let files = arguments.inputs.files(context, Some(&arguments.out))?;
    let options =
        ProcessOptions { separate: arguments.stems.options(context, false)?, force: arguments.force };
    let outcomes = batch::run(
        context,
        &files,
        usize::from(arguments.jobs),
        |file, watch| context.studio.process(file, &arguments.out, &options, watch),
        |file, outcome| match outcome {
            Outcome::Done(song) if arguments.json => context.terminal.print(as_json(file, song)),
            Outcome::Done(song) => context.terminal.print(as_line(song)),
            Outcome::Failed(error) if arguments.json => {
                context.terminal.print(batch::failure_json(file, error))
            }
            Outcome::Failed(_) | Outcome::Stopped => {}
        },
    );
    if outcomes.iter().any(|outcome| matches!(outcome, Outcome::Done(_))) {
        match context.studio.write_playlist(&arguments.out) {
            Ok(playlist) => context.terminal.note(format!("playlist: {}", playlist.display())),
            Err(error) => {
                context.terminal.fail(error.to_string());
                return Err(Exit::SomeFailed);
            }
        }
    }
    Ok(batch::conclude(context, &files, &outcomes))
}

fn as_json(file: &std::path::Path, song: &ProcessedSong) -> String {
    json!({
        "input": file.display().to_string(),
        "status": if song.skipped { "already_done" } else { "done" },
        "folder": song.folder.display().to_string(),
        "duration_secs": song.report.analysis.duration_secs,
        "elapsed_secs": song.elapsed_secs,
    })
    .to_string()
}

fn as_line(song: &ProcessedSong) -> String {
    let folder = song.folder.display();
    if song.skipped {
        return format!("already done  {folder}  (--force makes it again)");
    }
    let secs = song.report.analysis.duration_secs;
    format!(
        "done  {folder}  {}  [{} in {:.1} s, {:.0}x real time]",
        song.report.headline(),
        terminal::clock(secs),
        song.elapsed_secs,
        secs / song.elapsed_secs.max(1e-3)
    )
}
