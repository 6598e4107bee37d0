//! `sfa engines`: who can separate.

use clap::Args;

use super::{Context, Exit};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Print JSON on stdout
    #[arg(long)]
    json: bool,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Exit {
    let engines = context.studio.engines();
    if arguments.json {
        context.terminal.print(serde_json::to_string_pretty(&engines).expect("engines are plain data"));
    } else {
        for engine in engines {
            let stems: Vec<&str> = engine.stems.iter().map(|stem| stem.name()).collect();
            context.terminal.print(format!("{:<12} {}", engine.name, engine.description));
            context.terminal.print(format!("{:<12} stems: {}", "", stems.join(", ")));
        }
    }
    Exit::Success
}
