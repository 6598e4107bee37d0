//! Which models are here, where, and whether their bytes are the published ones.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sfa_audio::StemKind;
use sfa_audio::separate::demucs::bags::{Bag, File, Network};

use super::ModelStore;
use super::index::Index;

/// How much of a bag is on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BagStatus {
    /// The name that selects the bag.
    pub name: &'static str,
    /// One honest line for people.
    pub description: &'static str,
    /// The stems it makes.
    pub stems: &'static [StemKind],
    /// Whether every network is here.
    pub ready: bool,
    /// Bytes to download for all of it, where all sizes are published.
    pub download_bytes: Option<u64>,
    /// Each of its networks, in their order.
    pub networks: Vec<NetworkStatus>,
}

/// Whether one network is on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NetworkStatus {
    /// The name that the original gives it.
    pub signature: &'static str,
    /// The file that would be loaded.
    pub file: Option<StoredFile>,
}

/// A file of weights on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StoredFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Whose folder that is.
    pub place: Place,
    /// Whether it is the published file.
    pub trust: Trust,
    /// Its SHA-256, where it was taken.
    pub sha256: Option<String>,
    /// The address or path it was taken from, where this store fetched or imported it.
    pub from: Option<String>,
}

/// Whose folder a file lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// This store's.
    Store,
    /// The cache of the Hugging Face hub.
    HuggingFaceCache,
    /// The cache of PyTorch.
    TorchCache,
}

/// What is known of the bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// They have the published checksum.
    Verified,
    /// They were read, and either have another checksum or none was published.
    Unverified,
    /// They were not read yet, or changed since.
    Unchecked,
}

impl BagStatus {
    /// Bytes on this machine.
    pub fn stored_bytes(&self) -> u64 {
        self.files().map(|file| file.bytes).sum()
    }

    /// The files that are here.
    pub fn files(&self) -> impl Iterator<Item = &StoredFile> {
        self.networks.iter().filter_map(|network| network.file.as_ref())
    }

    /// What can be said of all files together: the least that can be said of one; `None` without files.
    pub fn trust(&self) -> Option<Trust> {
        self.files().map(|file| file.trust).max()
    }
}

impl ModelStore {
    /// The state of every bag. Reads no weights.
    pub fn status(&self) -> Vec<BagStatus> {
        self.bags.iter().map(|bag| self.status_of(bag)).collect()
    }

    /// The state of one bag. Reads no weights.
    pub fn status_of(&self, bag: &Bag) -> BagStatus {
        let index = Index::read(&self.folder);
        let networks: Vec<NetworkStatus> = bag
            .networks
            .iter()
            .map(|network| NetworkStatus { signature: network.signature, file: self.stored(network, &index) })
            .collect();
        BagStatus {
            name: bag.name,
            description: bag.description,
            stems: bag.stems,
            ready: networks.iter().all(|network| network.file.is_some()),
            download_bytes: bag.networks.iter().map(download_bytes).sum(),
            networks,
        }
    }

    pub(super) fn stored(&self, network: &Network, index: &Index) -> Option<StoredFile> {
        let (place, path) = self.locate(network)?;
        let known = index.known(&path);
        let trust = match known {
            None => Trust::Unchecked,
            Some(known) if published_as(network, &path).matches(&known.sha256) => Trust::Verified,
            Some(_) => Trust::Unverified,
        };
        Some(StoredFile {
            bytes: fs::metadata(&path).map_or(0, |about| about.len()),
            place,
            trust,
            sha256: known.map(|known| known.sha256.clone()),
            from: known.map(|known| known.from.clone()).filter(|_| place == Place::Store),
            path,
        })
    }
}

/// The published file that the one at `path` claims to be.
pub(super) fn published_as(network: &Network, path: &Path) -> File {
    if path.extension().is_some_and(|extension| extension == "safetensors") {
        network.safetensors
    } else {
        network.archive
    }
}

fn download_bytes(network: &Network) -> Option<u64> {
    let published = [network.safetensors, network.archive];
    published.iter().find(|file| !file.sha256.is_empty())?.bytes
}
