//! `sfa demo`: something to try things on.

use std::path::PathBuf;

use clap::Args;

use super::{Context, Exit};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where to write it; the extension says how (flac, wav)
    #[arg(long, default_value = "Sound Forge Alchemy - First Light.flac", value_name = "FILE")]
    out: PathBuf,

    /// Write over a file that is already there
    #[arg(long)]
    force: bool,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Exit> {
    if arguments.out.exists() && !arguments.force {
        context
            .terminal
            .fail(format!("{}: there is a file already; --force writes over it", arguments.out.display()));
        return Err(Exit::SomeFailed);
    }
    match context.studio.write_demo(&arguments.out, &context.watch) {
        Ok(()) => {
            context.terminal.print(arguments.out.display().to_string());
            Ok(Exit::Success)
        }
        Err(error) if error.is_cancelled() => Err(Exit::Interrupted),
        Err(error) => {
            context.terminal.fail(error.to_string());
            Err(Exit::SomeFailed)
        }
    }
}
