//! `sfa worker`: does the work of a library until it is stopped.

use std::time::Duration;

use clap::Args;
use sfa_core::library::WorkerOptions;

use super::library::{Place, stopped};
use super::log::Log;
use super::nightly::Nightly;
use super::{Context, Exit, step};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,

    /// Take only from these, separated by commas: separate, analyze (chords and MIDI too), export (cues too), download
    #[arg(long, value_delimiter = ',', value_name = "LIST", default_values = queue_names(),
        hide_default_value = true, value_parser = queue_names())]
    queues: Vec<String>,

    /// Jobs of each queue at once [default: 2, and 3 downloads]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    concurrency: Option<u8>,

    /// What this machine can do besides, separated by commas, for jobs that require it, for example "cuda"
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    can: Vec<String>,

    /// Give its jobs to others when nothing was heard of it for so many seconds
    #[arg(long, default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(3..=3600))]
    lease: u64,

    /// End a job that runs longer than so many minutes
    #[arg(long, default_value_t = 360, value_name = "MINUTES", value_parser = clap::value_parser!(u64).range(1..=10_080))]
    deadline: u64,

    /// End a job that needs more memory than so many MiB
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(64..=1_048_576))]
    memory_limit: Option<u64>,

    /// What this machine is called in lists
    #[arg(long, default_value = "sfa worker")]
    name: String,

    /// After Ctrl-C, wait so many seconds for jobs to end by themselves
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    grace: u64,

    /// End when nothing is left to do
    #[arg(long)]
    drain: bool,

    #[command(flatten)]
    nightly: Nightly,

    #[command(flatten)]
    log: Log,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Exit> {
    let log = arguments.log.start(context)?;
    let mut options = WorkerOptions::default();
    options.name.clone_from(&arguments.name);
    options.lease = Duration::from_secs(arguments.lease);
    options.deadline = Duration::from_secs(60 * arguments.deadline);
    options.capabilities.extend(arguments.can.iter().cloned());
    arguments.nightly.set(&mut options);
    options.queues.retain(|(name, _)| arguments.queues.contains(name));
    if let Some(concurrency) = arguments.concurrency {
        options.queues.iter_mut().for_each(|(_, slots)| *slots = usize::from(concurrency));
    }
    let queues: Vec<&str> = options.queues.iter().map(|(name, _)| name.as_str()).collect();
    let queues = queues.join(", ");
    arguments.place.with(context, async |library| {
        let library = match (arguments.memory_limit, step::program()) {
            (Some(mib), Some(mut program)) => {
                program.memory_limit_bytes = Some(mib << 20);
                library.clone().with_children(program)
            }
            _ => library.clone(),
        };
        let worker = library.start_worker(options.clone()).await?;
        let telling = tokio::spawn(log.journal.clone().tell(library.clone()));
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
        telling.abort();
        Ok(if context.watch.is_stopped() { Exit::Interrupted } else { Exit::Success })
    })
}

fn queue_names() -> [&'static str; WorkerOptions::QUEUES.len()] {
    WorkerOptions::QUEUES.map(|(name, _)| name)
}
