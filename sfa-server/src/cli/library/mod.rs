//! `sfa library`: songs that are remembered.

mod list;
mod place;
mod settings;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;
use sfa_core::library::{Change, Library, LibraryError, Scope, Step, Track, TrackId, WorkerOptions};
use sfa_core::{Progress, Stage};

use super::options::Inputs;
use super::{Context, Exit, terminal};
use list::{line, line_json};
pub(super) use place::{Place, or_stopped, stopped};

/// A stopped worker's jobs get this long to stop by themselves.
pub(super) const GRACE: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,

    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Take songs in, from files or addresses of the web, which `sfa worker` fetches; it does the work on all of them
    Add {
        #[command(flatten)]
        inputs: Inputs,

        /// Do the work here and wait for it
        #[arg(long)]
        wait: bool,

        /// Print one line of JSON per song on stdout
        #[arg(long)]
        json: bool,
    },
    /// List the songs, those that you ask for
    List(list::Arguments),
    /// Show what is known of a song and what was made of it
    Show {
        /// The song's id, as `sfa library list` prints it, or enough of its beginning or end
        id: String,

        /// Print JSON on stdout
        #[arg(long)]
        json: bool,
    },
    /// Make something of songs anew; prints the job, or the batch of several
    Process {
        /// The songs' ids
        #[arg(value_name = "ID", required = true)]
        ids: Vec<String>,

        /// Begin with this step: separate, analyze, cues, chords, midi, export
        #[arg(long, value_name = "STEP", default_value = "separate", value_parser = step)]
        from: Step,
    },
    /// See and change what is done to new songs, and how
    Settings {
        #[command(subcommand)]
        action: Option<settings::Action>,
    },
    /// Copy the files of a song into a folder
    Get {
        /// The song's id
        id: String,

        /// The folder
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Remove songs with everything that was made of them
    Rm {
        /// The songs' ids
        #[arg(value_name = "ID", required = true)]
        ids: Vec<String>,
    },
    /// Read every file and compare rows with files in both directions
    Check {
        /// Remove files that nothing knows and make missing stems and exports again
        #[arg(long)]
        repair: bool,

        /// Print JSON on stdout
        #[arg(long)]
        json: bool,
    },
}

/// Reads the name of a step.
fn step(name: &str) -> Result<Step, String> {
    Step::named(name).ok_or_else(|| {
        let names = Step::ALL.map(Step::name).join(", ");
        format!("there are the steps {names}")
    })
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Exit> {
    let Arguments { place, action } = arguments;
    match action {
        Action::Add { inputs, wait, json } => {
            let (addresses, inputs) = inputs.apart();
            let files = inputs.map(|inputs| inputs.files(context, None)).transpose()?.unwrap_or_default();
            place.with(context, async |library| {
                add(context, library, (&files, &addresses), *wait, *json).await
            })
        }
        Action::List(arguments) => {
            place.with(context, async |library| list::run(context, library, arguments).await)
        }
        Action::Show { id, json } => place.with(context, async |library| {
            show(context, library, library.find_track(Scope::LOCAL, id).await?, *json).await
        }),
        Action::Process { ids, from } => place.with(context, async |library| {
            let name = match &found(library, ids).await?[..] {
                [id] => library.process(Scope::LOCAL, *id, *from).await?.id().to_string(),
                ids => library.process_all(Scope::LOCAL, ids, *from, from.name()).await?.to_string(),
            };
            context.terminal.print(name);
            Ok(Exit::Success)
        }),
        Action::Settings { action } => {
            place.with(context, async |library| settings::run(context, library, action.as_ref()).await)
        }
        Action::Get { id, out } => place.with(context, async |library| {
            get(context, library, library.find_track(Scope::LOCAL, id).await?, out).await
        }),
        Action::Rm { ids } => place.with(context, async |library| {
            let changes = found(library, ids).await?.into_iter().map(Change::RemoveTrack).collect();
            library.apply(Scope::LOCAL, changes).await?;
            Ok(Exit::Success)
        }),
        Action::Check { repair, json } => {
            place.with(context, async |library| check(context, library, *repair, *json).await)
        }
    }
}

/// The tracks that are meant, each once.
async fn found(library: &Library, ids: &[String]) -> Result<Vec<TrackId>, LibraryError> {
    let mut tracks = Vec::new();
    for id in ids {
        let track = library.find_track(Scope::LOCAL, id).await?;
        if !tracks.contains(&track) {
            tracks.push(track);
        }
    }
    Ok(tracks)
}

async fn add(
    context: &Context,
    library: &Library,
    (files, addresses): (&[PathBuf], &[&str]),
    wait: bool,
    json: bool,
) -> Result<Exit, LibraryError> {
    let worker = if wait { Some(library.start_worker(WorkerOptions::default()).await?) } else { None };
    let mut tracks = Vec::new();
    let mut failed = false;
    for file in files {
        match or_stopped(context, library.import(Scope::LOCAL, file)).await {
            Ok(imported) => {
                if !imported.is_new {
                    context.terminal.note(format!("{}: in the library already", file.display()));
                }
                tracks.push(imported.track);
            }
            Err(error) if context.watch.is_stopped() => return Err(error),
            Err(error) => {
                failed = true;
                context.terminal.fail(format!("{}: {error}", file.display()));
            }
        }
    }
    for address in addresses {
        match fetch(context, library, address, wait, json).await {
            Ok(track) => tracks.extend(track),
            Err(error) if context.watch.is_stopped() => return Err(error),
            Err(error) => {
                failed = true;
                context.terminal.fail(error.to_string());
            }
        }
    }
    for track in &mut tracks {
        if wait {
            let bar = context.terminal.file_bar(&track.title, None);
            let waiting =
                library.wait(Scope::LOCAL, track.id, |step, percent| bar.show(progress(step, percent)));
            match or_stopped(context, waiting).await {
                Ok(done) => *track = done,
                Err(_) if context.watch.is_stopped() => break,
                Err(error) => {
                    failed = true;
                    context.terminal.fail(format!("{}: {error}", track.title));
                }
            }
        }
        context.terminal.print(if json { line_json(track) } else { line(track) });
    }
    if let Some(worker) = worker {
        // What was not finished waits in the queue, for the next worker.
        worker.shutdown(if context.watch.is_stopped() { Duration::ZERO } else { GRACE }).await;
    }
    if context.watch.is_stopped() {
        context.terminal.note("stopped; what is left waits for `sfa worker`");
        return Ok(Exit::Interrupted);
    }
    Ok(if failed { Exit::SomeFailed } else { Exit::Success })
}

/// Asks for the song at an address. Who does not wait for it is told the job that fetches it.
async fn fetch(
    context: &Context,
    library: &Library,
    address: &str,
    wait: bool,
    json: bool,
) -> Result<Option<Track>, LibraryError> {
    let job = library.import_address(Scope::LOCAL, address, u64::MAX, &Step::ALL).await?.id();
    if wait {
        return or_stopped(context, library.wait_for_download(Scope::LOCAL, job)).await.map(Some);
    }
    context.terminal.print(if json { json!({"job": job}).to_string() } else { job.to_string() });
    Ok(None)
}

fn progress(step: &str, percent: i64) -> Progress {
    let stage = match Step::named(step) {
        Some(Step::Separate) | None => Stage::Separate,
        Some(Step::Analyze | Step::Chords | Step::Midi) => Stage::Analyze,
        Some(Step::Cues | Step::Export) => Stage::Export,
    };
    Progress { stage, done: u64::try_from(percent).unwrap_or(0), total: 100 }
}

async fn show(
    context: &Context,
    library: &Library,
    id: TrackId,
    as_json: bool,
) -> Result<Exit, LibraryError> {
    let rows = library.rows();
    let track = rows.track(Scope::LOCAL, id).await?;
    let stems = rows.stems(Scope::LOCAL, id).await?;
    let cues = rows.cues(Scope::LOCAL, id).await?;
    let exports = rows.exports(Scope::LOCAL, id).await?;
    if as_json {
        let all = json!({"track": track, "stems": stems, "cues": cues, "exports": exports});
        context.terminal.print(serde_json::to_string_pretty(&all).expect("rows are plain data"));
        return Ok(Exit::Success);
    }
    context.terminal.print(line(&track));
    for stem in stems {
        context.terminal.print(format!("  stem    {}  {}", stem.engine, stem.file_name));
    }
    for cue in cues {
        let at = terminal::clock(cue.start_ms as f64 / 1000.0);
        context.terminal.print(format!("  {:<7} {at}  {}", cue.kind, cue.label));
    }
    for export in exports {
        context.terminal.print(format!("  export  {}", export.name));
    }
    Ok(Exit::Success)
}

async fn get(context: &Context, library: &Library, id: TrackId, out: &Path) -> Result<Exit, LibraryError> {
    let files = or_stopped(context, library.check_out(Scope::LOCAL, id, out)).await?;
    for file in files {
        context.terminal.print(file.display().to_string());
    }
    Ok(Exit::Success)
}

async fn check(
    context: &Context,
    library: &Library,
    repair: bool,
    as_json: bool,
) -> Result<Exit, LibraryError> {
    let report = or_stopped(context, library.check(repair)).await?;
    if as_json {
        context.terminal.print(serde_json::to_string_pretty(&report).expect("a report is plain data"));
    } else {
        context.terminal.print(format!(
            "{} sound, {} missing, {} damaged, {} unknown files, {} repaired",
            report.sound,
            report.missing.len(),
            report.damaged.len(),
            report.orphans.len(),
            report.repaired
        ));
        for track in &report.tracks {
            context.terminal.print(format!("  {track} has lost something"));
        }
    }
    Ok(if report.is_clean() || repair { Exit::Success } else { Exit::SomeFailed })
}
