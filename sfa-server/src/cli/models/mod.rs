//! `sfa models`: the weights of neural engines on this machine.

mod pull;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use indicatif::DecimalBytes;
use serde_json::json;
use sfa_core::audio::separate::demucs::bags::Bag;
use sfa_core::models::{BagStatus, ModelStore, Place, Placement, PullOptions, StoredFile, Trust};
use sfa_core::{Error, ErrorKind};

use super::{Context, Exit};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Say which models there are and which are on this machine
    List {
        /// Print JSON on stdout
        #[arg(long)]
        json: bool,
    },
    /// Fetch models from their publishers; asks once, because the licence of the weights is unclear
    ///
    /// Only files whose checksum was published are taken. A stopped download goes on where it was; files that
    /// PyTorch or the Hugging Face hub have stored on this machine are used as they are. Proxies are taken from
    /// HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY.
    Pull {
        /// The models, as `sfa models list` names them
        #[arg(value_name = "NAME", required = true)]
        names: Vec<String>,

        /// Accept what is said of the licence without being asked
        #[arg(long)]
        yes: bool,

        /// Take the files from URL/FILE instead; SFA_MODELS_MIRROR says so for every pull
        #[arg(long, value_name = "URL")]
        mirror: Option<String>,

        /// Never touch the network, only say what is missing; SFA_OFFLINE=1 says so for every pull
        #[arg(long)]
        offline: bool,

        /// Where no checksum was published, take what reads as a model of the right kind
        #[arg(long)]
        unverified: bool,

        /// Print one line of JSON per model on stdout
        #[arg(long)]
        json: bool,
    },
    /// Take files that you already have (.safetensors or .th) as the weights of a model
    Import {
        /// The model, as `sfa models list` names it
        #[arg(value_name = "NAME")]
        name: String,

        /// Its files; their checksums or names tell which is which, or else their order
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,

        /// Take files whose checksum was not published, if they are models of this kind
        #[arg(long)]
        unverified: bool,
    },
    /// Print the folder of the models, or the files of one model
    Path {
        /// The model
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },
    /// Read the files again and compare them with the published checksums
    Verify {
        /// The models; all that are here when none is named
        #[arg(value_name = "NAME")]
        names: Vec<String>,

        /// Print one line of JSON per file on stdout
        #[arg(long)]
        json: bool,
    },
    /// Remove models from the folder of the models; files in the caches of other programs stay
    Rm {
        /// The models
        #[arg(value_name = "NAME", required = true)]
        names: Vec<String>,
    },
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Exit> {
    let store = ModelStore::open_default().map_err(|error| failed(context, &error))?;
    match &arguments.action {
        Action::List { json } => Ok(list(context, &store, *json)),
        Action::Pull { names, yes, mirror, offline, unverified, json } => {
            let mut options = PullOptions::from_env();
            options.mirror = mirror.clone().or(options.mirror);
            options.offline |= offline;
            options.unverified = *unverified;
            pull::run(context, &store, names, *yes, &options, *json)
        }
        Action::Import { name, files, unverified } => import(context, &store, name, files, *unverified),
        Action::Path { name } => path(context, &store, name.as_deref()),
        Action::Verify { names, json } => verify(context, &store, names, *json),
        Action::Rm { names } => remove(context, &store, names),
    }
}

fn list(context: &Context, store: &ModelStore, json: bool) -> Exit {
    let models = store.status();
    if json {
        let text = serde_json::to_string_pretty(&models).expect("a status is plain data");
        context.terminal.print(text);
        return Exit::Success;
    }
    let row = |cells: [&str; 5]| {
        let [name, stems, size, state, from] = cells;
        let line = format!("{name:<12} {stems:<6} {size:>9}  {state:<22} {from}");
        context.terminal.print(line.trim_end());
    };
    row(["MODEL", "STEMS", "SIZE", "STATE", "FROM"]);
    for model in &models {
        let bytes = if model.ready { Some(model.stored_bytes()) } else { model.download_bytes };
        let size = bytes.map_or_else(|| "?".to_owned(), megabytes);
        row([model.name, &model.stems.len().to_string(), &size, &state(model), &origins(model)]);
        context.terminal.print(format!("{:<12} {}", "", model.description));
    }
    context.terminal.note(format!("\nfolder: {}", store.folder().display()));
    Exit::Success
}

fn state(model: &BagStatus) -> String {
    let (here, all) = (model.files().count(), model.networks.len());
    let presence = match here {
        0 => return "not here".to_owned(),
        _ if model.ready => "ready".to_owned(),
        _ => format!("{here} of {all} files"),
    };
    let trust = match model.trust() {
        Some(Trust::Verified) => "verified",
        Some(Trust::Unverified) => "unverified",
        Some(Trust::Unchecked) | None => "not checked",
    };
    format!("{presence}, {trust}")
}

/// Whose folders the files of a model lie in.
fn origins(model: &BagStatus) -> String {
    let mut places: Vec<&str> = model.files().map(|file| place(file.place)).collect();
    places.sort_unstable();
    places.dedup();
    places.join(", ")
}

fn place(place: Place) -> &'static str {
    match place {
        Place::Store => "sfa",
        Place::HuggingFaceCache => "Hugging Face's cache",
        Place::TorchCache => "PyTorch's cache",
    }
}

fn import(
    context: &Context,
    store: &ModelStore,
    name: &str,
    files: &[PathBuf],
    unverified: bool,
) -> Result<Exit, Exit> {
    let bag = bag(context, store, name)?;
    let imported = {
        let bar = context.terminal.transfer_bar(name);
        let watch = context.watch.forward_to(move |progress| bar.show(progress));
        store.import(bag, files, unverified, &watch).map_err(|error| failed(context, &error))?
    };
    for file in &imported {
        let how = match file.placement {
            Placement::Linked => "linked",
            Placement::Copied => "copied",
            Placement::AlreadyThere => "already there",
        };
        let trust = if file.verified { "verified" } else { "unverified" };
        context.terminal.print(format!("{how}, {trust}  {}", file.path.display()));
        for old in &file.replaced {
            context.terminal.note(format!("in place of {}", old.display()));
        }
    }
    let status = store.status_of(bag);
    if !status.ready {
        let missing: Vec<&str> = status
            .networks
            .iter()
            .filter(|network| network.file.is_none())
            .map(|network| network.signature)
            .collect();
        context.terminal.note(format!("{name} still lacks {}", missing.join(", ")));
    }
    Ok(Exit::Success)
}

fn path(context: &Context, store: &ModelStore, name: Option<&str>) -> Result<Exit, Exit> {
    let Some(name) = name else {
        context.terminal.print(store.folder().display().to_string());
        return Ok(Exit::Success);
    };
    let bag = bag(context, store, name)?;
    for network in bag.networks {
        let path = store.find(bag, network).map_err(|error| failed(context, &error))?;
        context.terminal.print(path.display().to_string());
    }
    Ok(Exit::Success)
}

fn verify(context: &Context, store: &ModelStore, names: &[String], json: bool) -> Result<Exit, Exit> {
    let named = !names.is_empty();
    let bags = if named { bags(context, store, names)? } else { store.bags().iter().collect() };
    let mut exit = Exit::Success;
    let mut files = 0;
    for bag in bags {
        let mut networks = bag.networks.iter();
        if named && let Some(error) = networks.find_map(|network| store.find(bag, network).err()) {
            exit = failed(context, &error);
        }
        let checked = {
            let bar = context.terminal.transfer_bar(bag.name);
            let watch = context.watch.forward_to(move |progress| bar.show(progress));
            store.verify(bag, &watch).map_err(|error| failed(context, &error))?
        };
        for found in &checked {
            files += 1;
            if found.problem.is_some() {
                exit = Exit::SomeFailed;
            }
            if json {
                let mut line = json!(found);
                line["model"] = json!(bag.name);
                context.terminal.print(line.to_string());
                continue;
            }
            let path = found.file.path.display();
            match &found.problem {
                Some(problem) => context.terminal.fail(format!("{path}: {problem}")),
                None => context.terminal.print(format!("{}  {path}", verdict(&found.file))),
            }
        }
    }
    if files == 0 && !named {
        context.terminal.note("no model is on this machine: `sfa models pull NAME` fetches one");
    }
    Ok(exit)
}

fn verdict(file: &StoredFile) -> &'static str {
    if file.trust == Trust::Verified { "verified  " } else { "unverified" }
}

fn remove(context: &Context, store: &ModelStore, names: &[String]) -> Result<Exit, Exit> {
    for bag in bags(context, store, names)? {
        let removed = store.remove(bag).map_err(|error| failed(context, &error))?;
        for file in &removed.files {
            context.terminal.print(format!("removed  {}", file.display()));
        }
        if removed.files.is_empty() {
            let folder = store.folder().display();
            context.terminal.note(format!("{}: no file of it is in {folder}", bag.name));
        }
        for file in &removed.left {
            context.terminal.note(format!("left in the cache of another program: {}", file.display()));
        }
    }
    Ok(Exit::Success)
}

fn bags(context: &Context, store: &ModelStore, names: &[String]) -> Result<Vec<&'static Bag>, Exit> {
    names.iter().map(|name| bag(context, store, name)).collect()
}

fn bag(context: &Context, store: &ModelStore, name: &str) -> Result<&'static Bag, Exit> {
    store.bag(name).map_err(|error| failed(context, &error))
}

/// Says what went wrong, and how the command ends for it.
fn failed(context: &Context, error: &Error) -> Exit {
    match error.kind() {
        ErrorKind::Cancelled => {
            context.terminal.note("stopped");
            Exit::Interrupted
        }
        kind => {
            context.terminal.fail(error.to_string());
            if kind == ErrorKind::InvalidOption { Exit::Usage } else { Exit::SomeFailed }
        }
    }
}

fn megabytes(bytes: u64) -> String {
    DecimalBytes(bytes).to_string()
}
