//! `sfa worker`: does the work of a library until it is stopped.

use std::time::Duration;

use clap::Args;
use sfa_core::library::{Step, WorkerOptions};

use super::library::{Place, stopped};
use super::{Context, Exit};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,

    /// Take only from these, separated by commas: separate, analyze (chords and MIDI too), export (cues too)
    #[arg(long, value_delimiter = ',', value_name = "LIST", default_values = Step::QUEUES,
        value_parser = Step::QUEUES)]
    queues: Vec<String>,

    /// Jobs of each queue at once
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
    concurrency: u8,

    /// What this machine is called in lists
    #[arg(long, default_value = "sfa worker")]
    name: String,

    /// After Ctrl-C, wait so many seconds for jobs to end by themselves
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    grace: u64,

    /// End when nothing is left to do
    #[arg(long)]
    drain: bool,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Exit> {
    let mut options = WorkerOptions::default();
    options.name.clone_from(&arguments.name);
    let queue = |name: &String| (name.clone(), usize::from(arguments.concurrency));
    options.queues = arguments.queues.iter().map(queue).collect();
    let queues: Vec<&str> = options.queues.iter().map(|(name, _)| name.as_str()).collect();
    let queues = queues.join(", ");
    arguments.place.with(context, async |library| {
        let worker = library.start_worker(options.clone()).await?;
        context.terminal.note(format!("working on {queues}; Ctrl-C stops"));
        if arguments.drain {
            tokio::select! {
                result = library.drained(&options) => result?,
                () = stopped(context) => {}
            }
        } else {
            stopped(context).await;
        }
        worker.shutdown(Duration::from_secs(arguments.grace)).await;
        Ok(if context.watch.is_stopped() { Exit::Interrupted } else { Exit::Success })
    })
}
