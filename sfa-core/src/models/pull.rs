//! Fetching models: from where, in which order, and what must be true of the bytes.

use std::env;
use std::fs::File as LockFile;
use std::fs::TryLockError;
use std::time::Duration;

use sfa_audio::separate::demucs::bags::{Bag, File, Network, sha256_hex};

use super::ModelStore;
use super::download::{self, Failure, Tell, Transfer};
use super::import::check_kind;
use super::index::Index;
use super::remove::{Removed, weight_names};
use super::status::{BagStatus, StoredFile};
use crate::part::{Part, part_names};
use crate::{Error, ErrorKind, Result, Stage, Watch};

const MIRROR_VARIABLE: &str = "SFA_MODELS_MIRROR";
const OFFLINE_VARIABLE: &str = "SFA_OFFLINE";
const LOCK_FILE: &str = ".pull.lock";

/// How models are fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PullOptions {
    /// Where the files are taken from instead of from their publishers: `MIRROR/FILE`.
    pub mirror: Option<String>,
    /// Never to touch the network.
    pub offline: bool,
    /// Whether files whose checksum was not published are taken where no other can be had.
    pub unverified: bool,
    /// How long nothing may come before a connection counts as broken. Default: 30 s.
    pub stall_limit: Duration,
}

impl Default for PullOptions {
    fn default() -> Self {
        Self { mirror: None, offline: false, unverified: false, stall_limit: Duration::from_secs(30) }
    }
}

impl PullOptions {
    /// The defaults, with a mirror from `SFA_MODELS_MIRROR` and without network where `SFA_OFFLINE` is set to
    /// anything but `0`.
    pub fn from_env() -> Self {
        let set = |variable| env::var(variable).ok().filter(|value| !value.is_empty());
        Self {
            mirror: set(MIRROR_VARIABLE),
            offline: set(OFFLINE_VARIABLE).is_some_and(|value| value != "0"),
            ..Self::default()
        }
    }
}

/// What happens while models are fetched.
#[derive(Debug)]
#[non_exhaustive]
pub enum PullEvent<'a> {
    /// A file need not be fetched.
    AlreadyThere(&'a StoredFile),
    /// A file is asked for.
    Fetching {
        /// Where.
        url: &'a str,
        /// How much of it is here from an earlier try.
        resumed_bytes: u64,
    },
    /// The server no longer has what an earlier try began with, or cannot go on with it.
    StartedOver {
        /// Where.
        url: &'a str,
    },
    /// The connection broke, and is tried again.
    Interrupted {
        /// Why.
        error: &'a Error,
    },
    /// A source does not have the file.
    SourceFailed {
        /// Where.
        url: &'a str,
        /// Why.
        error: &'a Error,
        /// The source that is tried next.
        next: Option<&'a str>,
    },
    /// A file is here, whole and checked.
    Fetched(&'a StoredFile),
}

/// One file at one address.
struct Source {
    file: File,
    url: String,
}

/// Everything that holds for all files of one pull.
struct Pull<'a> {
    bag: &'static Bag,
    options: &'a PullOptions,
    watch: &'a Watch,
    tell: &'a mut Tell<'a>,
    tally: Tally<'a>,
}

impl ModelStore {
    /// Fetches what is missing of `bag`.
    ///
    /// Published safetensors come first, then the classic archives. A stop leaves `FILE.part`, with which the next
    /// pull goes on; finished files appear whole or not at all.
    ///
    /// # Errors
    /// `InvalidOption` before the licence statement was accepted ([`accept_licence`](Self::accept_licence));
    /// `ModelUnavailable` when offline, when no source has a file, or when its bytes are not the published ones;
    /// `Io`; `Cancelled` when stopped.
    pub fn pull(
        &self,
        bag: &'static Bag,
        options: &PullOptions,
        watch: &Watch,
        tell: &mut (dyn FnMut(PullEvent<'_>) + Send),
    ) -> Result<BagStatus> {
        let missing = self.missing(bag, tell);
        if missing.is_empty() {
            return Ok(self.status_of(bag));
        }
        if options.offline {
            return Err(offline(bag, &missing, options));
        }
        self.require_licence()?;
        std::fs::create_dir_all(&self.folder).map_err(|error| Error::io(&self.folder, error))?;
        let _only_one = self.lock_downloads()?;
        let sizes = missing.iter().map(|network| expected_bytes(network, options)).collect();
        let mut pull = Pull { bag, options, watch, tell, tally: Tally::new(watch, sizes) };
        for network in missing {
            // Another program may have fetched it before it was our turn.
            if self.locate(network).is_none() {
                self.pull_network(network, &mut pull)?;
            }
            pull.tally.next();
        }
        Ok(self.status_of(bag))
    }

    /// Whether [`pull`](Self::pull) would fetch anything of `bag`.
    pub fn needs_pull(&self, bag: &Bag) -> bool {
        bag.networks.iter().any(|network| self.locate(network).is_none())
    }

    /// Keeps other programs from fetching into this store as long as the file is held.
    ///
    /// # Errors
    /// `Io`, also when another program is at it.
    pub(super) fn lock_downloads(&self) -> Result<LockFile> {
        let path = self.folder.join(LOCK_FILE);
        let failed = |error| Error::io(&path, error);
        let file = LockFile::options().write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => {
                let message = "another program is fetching models into this folder right now";
                Err(Error::new(ErrorKind::Io, message).about(self.folder.display().to_string()))
            }
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    fn missing(&self, bag: &'static Bag, tell: &mut Tell<'_>) -> Vec<&'static Network> {
        let index = Index::read(&self.folder);
        let mut missing = Vec::new();
        for network in bag.networks {
            match self.stored(network, &index) {
                Some(file) => tell(PullEvent::AlreadyThere(&file)),
                None => missing.push(network),
            }
        }
        missing
    }

    fn pull_network(&self, network: &'static Network, pull: &mut Pull<'_>) -> Result<()> {
        let sources = sources(network, pull.options);
        let mut reasons = Vec::new();
        for (place, source) in sources.iter().enumerate() {
            let error = match self.pull_from(source, network, pull) {
                Ok(()) => return Ok(()),
                Err(Failure::Source(error) | Failure::Broken(error)) => error,
                Err(Failure::Final(error)) => return Err(error.about(source.url.clone())),
            };
            let next = sources.get(place + 1).map(|source| source.url.as_str());
            (pull.tell)(PullEvent::SourceFailed { url: &source.url, error: &error, next });
            reasons.push(format!("{}: {}", source.url, error.message()));
        }
        let name = pull.bag.name;
        let message = if reasons.is_empty() {
            format!(
                "no checksum of network {} was published: --unverified fetches it all the same",
                network.signature
            )
        } else {
            format!(
                "no source has network {}: {}; `sfa models import {name} FILE` takes it from a file",
                network.signature,
                reasons.join("; ")
            )
        };
        Err(Error::new(ErrorKind::ModelUnavailable, message).about(format!("model {name}")))
    }

    fn pull_from(&self, source: &Source, network: &Network, pull: &mut Pull<'_>) -> Result<(), Failure> {
        let mut part = Part::open(&self.folder, source.file.name)?;
        let resumed_bytes = part.validator(&source.url).map_or(0, |_| part.bytes());
        (pull.tell)(PullEvent::Fetching { url: &source.url, resumed_bytes });
        let transfer = Transfer {
            url: &source.url,
            published_bytes: source.file.bytes,
            stall_limit: pull.options.stall_limit,
            watch: pull.watch,
        };
        // Of a file that was all here when the last try ended only its checksum is missing.
        if source.file.bytes != Some(part.bytes())
            && let Err(failure) = download::fetch(&mut part, &transfer, &mut pull.tally, pull.tell)
        {
            if part.validator(&source.url).is_none() {
                part.discard()?;
            }
            return Err(failure);
        }
        let sha256 = sha256_hex(part.path(), &pull.watch.muted())?;
        if let Err(error) = accept(source, &sha256, pull.bag, network, &part) {
            part.discard()?;
            return Err(Failure::Final(error));
        }
        let path = self.folder.join(source.file.name);
        part.publish(&path)?;
        Index::update(&self.folder, |index| index.remember(&path, sha256, source.url.clone()))?;
        // What was begun from another source is of no use any more.
        let parts: Vec<String> = weight_names(network).iter().flat_map(|name| part_names(name)).collect();
        self.remove_names(&parts, &mut Removed::default())?;
        if let Some(file) = self.stored(network, &Index::read(&self.folder)) {
            (pull.tell)(PullEvent::Fetched(&file));
        }
        Ok(())
    }
}

/// Checks that the bytes are the published ones or, where nobody published a checksum, at least a model.
fn accept(source: &Source, sha256: &str, bag: &Bag, network: &Network, part: &Part) -> Result<()> {
    if source.file.sha256.is_empty() {
        return check_kind(bag, network, part.path());
    }
    if source.file.matches(sha256) {
        return Ok(());
    }
    let message = format!(
        "the bytes from there have the SHA-256 {sha256}, not the published {}: they were removed, do not use this \
         source",
        source.file.sha256
    );
    Err(Error::new(ErrorKind::ModelUnavailable, message).about(source.url.clone()))
}

/// Where to ask for a network, the best first: files with a published checksum, safetensors before archives.
fn sources(network: &Network, options: &PullOptions) -> Vec<Source> {
    let files = [network.safetensors, network.archive];
    let pinned = files.into_iter().filter(|file| !file.sha256.is_empty());
    let others = files.into_iter().filter(|file| file.sha256.is_empty() && options.unverified);
    let address = |file: &File| match &options.mirror {
        Some(mirror) => format!("{}/{}", mirror.trim_end_matches('/'), file.name),
        None => file.url.to_owned(),
    };
    pinned.chain(others).map(|file| Source { url: address(&file), file }).collect()
}

fn expected_bytes(network: &Network, options: &PullOptions) -> u64 {
    sources(network, options).first().and_then(|source| source.file.bytes).unwrap_or(0)
}

fn offline(bag: &Bag, missing: &[&Network], options: &PullOptions) -> Error {
    let addresses: Vec<String> = missing
        .iter()
        .filter_map(|network| sources(network, options).into_iter().next())
        .map(|source| source.url)
        .collect();
    let name = bag.name;
    let message = format!(
        "the network is switched off (--offline or {OFFLINE_VARIABLE}), and these are missing: {}; `sfa models \
         import {name} FILE...` takes them from files",
        addresses.join(", ")
    );
    Error::new(ErrorKind::ModelUnavailable, message).about(format!("model {name}"))
}

/// Counts the bytes of all files of a pull as one figure that never falls.
pub(super) struct Tally<'a> {
    watch: &'a Watch,
    /// Bytes of each file, as far as they are known.
    sizes: Vec<u64>,
    current: usize,
    done: u64,
}

impl<'a> Tally<'a> {
    fn new(watch: &'a Watch, sizes: Vec<u64>) -> Self {
        Self { watch, sizes, current: 0, done: 0 }
    }

    /// The size of the current file, where it is known now.
    pub(super) fn expect(&mut self, bytes: Option<u64>) {
        if let (Some(size), Some(bytes)) = (self.sizes.get_mut(self.current), bytes) {
            *size = bytes;
        }
    }

    /// So much of the current file is here.
    pub(super) fn at(&mut self, bytes: u64) -> Result<()> {
        let before: u64 = self.sizes[..self.current].iter().sum();
        let total: u64 = self.sizes.iter().sum();
        // A file that is begun anew does not turn the figure back.
        self.done = self.done.max(before + bytes);
        self.watch.report(Stage::Download, self.done, total.max(self.done))
    }

    fn next(&mut self) {
        self.current += 1;
    }
}
