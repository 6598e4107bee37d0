//! `sfa jobs`: the work of a library.

use clap::{Args, Subcommand};
use sfa_core::library::{Batch, Change, Job, JobId, JobQuery, JobState, Library, LibraryError, Scope, Topic};

use super::library::{Place, or_stopped};
use super::{Context, Exit};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,

    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the newest jobs
    List {
        /// Only in this state: available, scheduled, retryable, executing, completed, cancelled, discarded
        #[arg(long)]
        state: Option<JobState>,

        /// Only of this song
        #[arg(long, value_name = "ID")]
        track: Option<String>,

        /// At most so many
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=500))]
        limit: i64,

        /// Print one line of JSON per job on stdout
        #[arg(long)]
        json: bool,
    },
    /// Show one job
    Show {
        /// The job's id, or enough of its beginning or end
        id: String,
    },
    /// Put failed or cancelled jobs back into the queue
    Retry {
        /// The jobs' ids
        #[arg(value_name = "ID", required = true)]
        ids: Vec<String>,
    },
    /// Stop jobs, waiting or running
    Cancel {
        /// The jobs' ids
        #[arg(value_name = "ID", required = true)]
        ids: Vec<String>,
    },
    /// Show the queues
    Queues,
    /// List the newest batches: work on several songs that was asked for together
    Batches {
        /// Print one line of JSON per batch on stdout
        #[arg(long)]
        json: bool,
    },
    /// Take nothing more from a queue, on any machine; what runs goes on
    Pause {
        /// The queue: separate, analyze or export
        queue: String,
    },
    /// Take from a queue again
    Resume {
        /// The queue
        queue: String,
    },
    /// Print what happens to a song, one line of JSON per event, until Ctrl-C
    Watch {
        /// The song's id
        track: String,
    },
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Exit> {
    arguments.place.with(context, async |library| act(context, library, &arguments.action).await)
}

async fn act(context: &Context, library: &Library, action: &Action) -> Result<Exit, LibraryError> {
    let change_all = async |ids: &[String], change: fn(JobId) -> Change| {
        for id in ids {
            let job = library.find_job(Scope::LOCAL, id).await?;
            library.apply(Scope::LOCAL, vec![change(job)]).await?;
        }
        Ok::<_, LibraryError>(())
    };
    match action {
        Action::List { state, track, limit, json } => {
            let track = match track {
                Some(id) => Some(library.find_track(Scope::LOCAL, id).await?),
                None => None,
            };
            let query = JobQuery { state: *state, track, limit: *limit };
            for job in library.rows().jobs(Scope::LOCAL, &query).await? {
                context.terminal.print(if *json { text(&job) } else { line(&job) });
            }
        }
        Action::Show { id } => {
            let id = library.find_job(Scope::LOCAL, id).await?;
            context.terminal.print(text(&library.rows().job(Scope::LOCAL, id).await?));
        }
        Action::Retry { ids } => change_all(ids, Change::RetryJob).await?,
        Action::Cancel { ids } => change_all(ids, Change::CancelJob).await?,
        Action::Batches { json } => {
            for batch in library.rows().batches(Scope::LOCAL, 0).await? {
                context.terminal.print(if *json { batch_json(&batch) } else { batch_line(&batch) });
            }
        }
        Action::Queues => {
            for queue in library.rows().queues().await? {
                let paused = if queue.is_paused { ", paused" } else { "" };
                let (name, waiting, running) = (queue.name, queue.waiting, queue.running);
                context.terminal.print(format!("{name:<10} {waiting} waiting, {running} running{paused}"));
            }
        }
        Action::Pause { queue } => library.rows().set_paused(queue, true).await?,
        Action::Resume { queue } => library.rows().set_paused(queue, false).await?,
        Action::Watch { track } => {
            let track = library.find_track(Scope::LOCAL, track).await?;
            library.rows().track(Scope::LOCAL, track).await?;
            let mut events = library.follow(Scope::LOCAL, Topic::Track(track), 0);
            loop {
                let event = or_stopped(context, events.next()).await?;
                context.terminal.print(serde_json::to_string(&*event).expect("an event is plain data"));
            }
        }
    }
    Ok(Exit::Success)
}

fn batch_json(batch: &Batch) -> String {
    let mut document = serde_json::to_value(batch).expect("a batch is plain data");
    document["percent"] = batch.percent().into();
    document.to_string()
}

fn batch_line(batch: &Batch) -> String {
    let Batch { id, name, total, done, failed } = batch;
    format!("{id}  {:>3} %  {done} of {total} songs, {failed} failed  {name}", batch.percent())
}

fn text(job: &Job) -> String {
    serde_json::to_string(job).expect("a job is plain data")
}

fn line(job: &Job) -> String {
    let error = job.error.as_deref().map(|error| format!("  {error}")).unwrap_or_default();
    format!(
        "{}  {:<10} {:<9} {:>3} %  attempt {} of {}{error}",
        job.id,
        job.state.name(),
        job.kind,
        job.progress,
        job.attempt,
        job.max_attempts
    )
}
