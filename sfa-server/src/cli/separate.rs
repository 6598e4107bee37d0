//! `sfa separate`: stems only.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::batch::{self, Outcome};
use super::options::{Inputs, StemArguments};
use super::{Context, Exit, terminal};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    inputs: Inputs,

    /// Folder for the stems: DIR/NAME/STEM.EXT
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    #[command(flatten)]
    stems: StemArguments,

    /// Write over stems that are already there
    #[arg(long)]
    force: bool,

    /// Print one line of JSON per song on stdout
    #[arg(long)]
    json: bool,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Exit> {
    let files = arguments.inputs.files(context, Some(&arguments.out))?;
    let options = arguments.stems.options(context)?;
    let outcomes = batch::run(
        context,
        &files,
        1,
        |file, watch| context.studio.separate(file, &arguments.out, &options, arguments.force, watch),
        |file, outcome| match outcome {
            Outcome::Done(song) if arguments.json => {
                let stems: Vec<String> = song
                    .sheet
                    .stems
                    .iter()
                    .map(|stem| song.folder.join(&stem.file).display().to_string())
                    .collect();
                let status = if song.skipped { "already_done" } else { "done" };
                context.terminal.print(
                    json!({
                        "input": file.display().to_string(),
                        "status": status,
                        "folder": song.folder.display().to_string(),
                        "stems": stems,
                        "elapsed_secs": song.elapsed_secs,
                    })
                    .to_string(),
                );
            }
            Outcome::Done(song) if song.skipped => {
                let folder = song.folder.display();
                context.terminal.print(format!("already done  {folder}  (--force makes it again)"));
            }
            Outcome::Done(song) => context.terminal.print(format!(
                "done  {}  [{} in {:.1} s, {:.0}x real time]",
                song.folder.display(),
                terminal::clock(song.duration_secs()),
                song.elapsed_secs,
                song.duration_secs() / song.elapsed_secs.max(1e-3)
            )),
            Outcome::Failed(error) if arguments.json => {
                context.terminal.print(batch::failure_json(file, error))
            }
            Outcome::Failed(_) | Outcome::Stopped => {}
        },
    );
    Ok(batch::conclude(context, &files, &outcomes))
}
