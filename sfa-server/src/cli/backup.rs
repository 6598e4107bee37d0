//! `sfa backup` and `sfa restore`: a whole library as a folder, and back.

use std::path::PathBuf;

use clap::Args;
use sfa_core::library::{CheckReport, Library, LibraryError};
use sfa_core::{Progress, Stage, Studio};

use super::library::{Place, or_stopped};
use super::{Context, Exit};

#[derive(Debug, Args)]
pub(super) struct BackupArguments {
    #[command(flatten)]
    place: Place,

    /// The folder to make. Another one each time; to keep old ones cheaply, give them to a program for backups
    #[arg(value_name = "DIR")]
    to: PathBuf,

    /// Print JSON on stdout
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct RestoreArguments {
    #[command(flatten)]
    place: Place,

    /// The backup
    #[arg(value_name = "DIR")]
    from: PathBuf,

    /// Take it only if this is what `sfa backup` has printed for it
    #[arg(long, value_name = "DIGEST")]
    digest: Option<String>,
}

pub(super) fn back_up(context: &Context, arguments: &BackupArguments) -> Result<Exit, Exit> {
    arguments.place.run(context, async || {
        let config = arguments.place.config()?;
        if !config.is_there() {
            return Err(LibraryError::not_found("library in", config.folder.display()));
        }
        let library = Studio::new().open(config).await?;
        let report =
            or_stopped(context, library.back_up(&arguments.to, counter(context, "contents"))).await?;
        if arguments.json {
            context.terminal.print(serde_json::to_string_pretty(&report).expect("a report is plain data"));
        } else {
            context.terminal.print(format!(
                "{} contents of {} MB are in {}, digest {}",
                report.contents,
                report.size_bytes >> 20,
                arguments.to.display(),
                report.digest
            ));
        }
        for hash in &report.missing {
            let message =
                format!("{hash} is missing or damaged; `sfa library check --repair` makes stems again");
            context.terminal.fail(message);
        }
        Ok(if report.missing.is_empty() { Exit::Success } else { Exit::SomeFailed })
    })
}

pub(super) fn restore(context: &Context, arguments: &RestoreArguments) -> Result<Exit, Exit> {
    arguments.place.run(context, async || {
        let config = arguments.place.config()?;
        let progress = counter(context, "contents");
        let digest = arguments.digest.as_deref();
        let library = Studio::new().restore(&arguments.from, config, digest, progress);
        let library = or_stopped(context, library).await?;
        report(context, &library).await
    })
}

async fn report(context: &Context, library: &Library) -> Result<Exit, LibraryError> {
    let found = or_stopped(context, library.check(false)).await?;
    let CheckReport { sound, missing, damaged, .. } = &found;
    let (missing, damaged) = (missing.len(), damaged.len());
    context
        .terminal
        .print(format!("restored; {sound} contents are sound, {missing} missing, {damaged} damaged"));
    Ok(if found.is_clean() { Exit::Success } else { Exit::SomeFailed })
}

/// Shows how many of how many things are done.
fn counter(context: &Context, name: &str) -> impl FnMut(usize, usize) + use<> {
    let bar = context.terminal.file_bar(name, None);
    move |done, total| bar.show(Progress { stage: Stage::Encode, done: done as u64, total: total as u64 })
}
