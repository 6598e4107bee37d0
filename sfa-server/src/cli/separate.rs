//! `sfa separate`: stems only.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use sfa_core::song::StemSheet;

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

    /// Measure the stems: levels, what they share (an estimate of bleed), what their sum leaves of the song
    #[arg(long)]
    report: bool,

    /// Print one line of JSON per song on stdout
    #[arg(long)]
    json: bool,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Exit> {
    let files = arguments.inputs.files(context, Some(&arguments.out))?;
    let options = arguments.stems.options(context, arguments.report)?;
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
                        "separation": song.sheet.separation,
                        "elapsed_secs": song.elapsed_secs,
                    })
                    .to_string(),
                );
            }
            Outcome::Done(song) if song.skipped => {
                let folder = song.folder.display();
                context.terminal.print(format!("already done  {folder}  (--force makes it again)"));
                print_report(context, &song.sheet);
            }
            Outcome::Done(song) => {
                context.terminal.print(format!(
                    "done  {}  [{} in {:.1} s, {:.1}x real time]",
                    song.folder.display(),
                    terminal::clock(song.duration_secs()),
                    song.elapsed_secs,
                    song.duration_secs() / song.elapsed_secs.max(1e-3)
                ));
                print_report(context, &song.sheet);
            }
            Outcome::Failed(error) if arguments.json => {
                context.terminal.print(batch::failure_json(file, error))
            }
            Outcome::Failed(_) | Outcome::Stopped => {}
        },
    );
    Ok(batch::conclude(context, &files, &outcomes))
}

/// A table of the stems and what was measured of them, where it was asked for.
fn print_report(context: &Context, sheet: &StemSheet) {
    let Some(quality) = &sheet.separation.quality else { return };
    let db = |level: Option<f64>| level.map_or("silent".to_owned(), |db| format!("{db:.1} dB"));
    context.terminal.print(format!("  {:<10} {:>10} {:>10}  {}", "stem", "peak", "rms", "shares at most"));
    for stem in &sheet.stems {
        let bleed = quality.stems.iter().find(|bleed| bleed.kind == stem.kind);
        let shared = bleed.and_then(|bleed| Some((bleed.shared_db?, bleed.shared_with?)));
        let shared = shared.map_or("-".to_owned(), |(db, other)| format!("{db:.1} dB with {other}"));
        let (peak, rms) = (db(stem.peak_dbfs), db(stem.rms_dbfs));
        context.terminal.print(format!("  {:<10} {peak:>10} {rms:>10}  {shared}", stem.kind.name()));
    }
    if let Some(residual) = quality.residual_db {
        context.terminal.print(format!("  song minus the sum of its stems: {residual:.1} dB of the song"));
    }
}
