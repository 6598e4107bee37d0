//! Taking models off this machine.

use std::fs;
use std::io::ErrorKind as IoErrorKind;
use std::path::PathBuf;

use serde::Serialize;
use sfa_audio::separate::demucs::bags::{Bag, Network};

use super::ModelStore;
use super::index::Index;
use crate::part::part_names;
use crate::{Error, Result};

/// What [`ModelStore::remove`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Removed {
    /// The files that are gone.
    pub files: Vec<PathBuf>,
    /// Their size.
    pub bytes: u64,
    /// Files of the same bag in the caches of other programs, which are theirs to remove.
    pub left: Vec<PathBuf>,
}

impl ModelStore {
    /// Removes the files of `bag` from this store, begun downloads too. Files in caches stay.
    ///
    /// # Errors
    /// `Io`, also while another program fetches into this store.
    pub fn remove(&self, bag: &Bag) -> Result<Removed> {
        let _no_download = self.folder.is_dir().then(|| self.lock_downloads()).transpose()?;
        let mut removed = Removed::default();
        for network in bag.networks {
            let weights = weight_names(network);
            let parts = weights.iter().flat_map(|name| part_names(name));
            let names: Vec<String> = weights.iter().cloned().chain(parts).collect();
            self.remove_names(&names, &mut removed)?;
            removed.left.extend(self.caches.find(network).map(|(_, path)| path));
        }
        Ok(removed)
    }

    /// Removes files of this store by their names, and what is remembered of them.
    pub(super) fn remove_names(&self, names: &[String], removed: &mut Removed) -> Result<()> {
        let mut gone = Vec::new();
        for path in names.iter().map(|name| self.folder.join(name)) {
            let Ok(about) = fs::symlink_metadata(&path) else { continue };
            match fs::remove_file(&path) {
                Err(error) if error.kind() != IoErrorKind::NotFound => return Err(Error::io(&path, error)),
                _ => {}
            }
            removed.bytes += about.len();
            gone.push(path);
        }
        if !gone.is_empty() {
            Index::update(&self.folder, |index| gone.iter().for_each(|path| index.forget(path)))?;
        }
        removed.files.extend(gone);
        Ok(())
    }
}

/// The names under which the store may hold one network, the preferred first.
pub(super) fn weight_names(network: &Network) -> [String; 3] {
    [
        network.safetensors.name.to_owned(),
        network.archive.name.to_owned(),
        format!("{}.th", network.signature),
    ]
}
