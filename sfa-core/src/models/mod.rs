//! Where the weights of neural engines are kept, and how they get there.
//!
//! Weights are never part of a release: a user fetches or imports them, after having been shown what is known of
//! their licence. One [`ModelStore`] is one folder; files that PyTorch or the Hugging Face hub have already stored
//! on this machine are used where they lie.

mod caches;
mod download;
mod import;
mod index;
mod licence;
mod place;
mod pull;
mod remove;
mod status;
mod verify;

use std::path::{Path, PathBuf};

use sfa_audio::separate::demucs::bags::{BAGS, Bag, Network};

use crate::{Error, ErrorKind, Result, Watch};

pub use caches::Caches;
pub use import::{Imported, Placement};
pub use licence::LICENCE_STATEMENT;
pub use pull::{PullEvent, PullOptions};
pub use remove::Removed;
pub use status::{BagStatus, NetworkStatus, Place, StoredFile, Trust};
pub use verify::CheckedFile;

/// The models on this machine.
#[derive(Debug, Clone)]
pub struct ModelStore {
    folder: PathBuf,
    caches: Caches,
    bags: &'static [Bag],
}

impl ModelStore {
    /// The store of this user: `SFA_MODELS_DIR`, or `sound-forge-alchemy/models` where the platform keeps the data
    /// of programs (`$XDG_DATA_HOME` or `~/.local/share`, `~/Library/Application Support`, `%LOCALAPPDATA%`). It
    /// knows the official bags and looks into the caches of this user.
    ///
    /// The folder need not exist; it is made with the first model.
    ///
    /// # Errors
    /// `InvalidOption` when the user has no home folder and the variable is not set.
    pub fn open_default() -> Result<Self> {
        Ok(Self { caches: Caches::of_user(), ..Self::at(place::default_folder()?) })
    }

    /// A store in `folder` that knows the official bags and looks into no cache.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), caches: Caches::none(), bags: BAGS }
    }

    /// The same store with other caches.
    #[must_use]
    pub fn with_caches(self, caches: Caches) -> Self {
        Self { caches, ..self }
    }

    /// The same store with another table of bags.
    #[must_use]
    pub fn with_bags(self, bags: &'static [Bag]) -> Self {
        Self { bags, ..self }
    }

    /// Where the models are kept.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Every bag that can be kept here.
    pub fn bags(&self) -> &'static [Bag] {
        self.bags
    }

    /// The bag called `name`.
    ///
    /// # Errors
    /// `InvalidOption` naming those there are.
    pub fn bag(&self, name: &str) -> Result<&'static Bag> {
        self.bags.iter().find(|bag| bag.name == name).ok_or_else(|| {
            let names: Vec<_> = self.bags.iter().map(|bag| bag.name).collect();
            Error::new(
                ErrorKind::InvalidOption,
                format!("there is no model \"{name}\"; there are {}", names.join(", ")),
            )
        })
    }

    /// The file to load for one network of `bag`: from this store as safetensors, `SIGNATURE-CHECK.th` or
    /// `SIGNATURE.th`, or else from a cache. Its bytes are not read.
    ///
    /// # Errors
    /// `ModelUnavailable`, ending in the commands that mend it.
    pub fn find(&self, bag: &Bag, network: &Network) -> Result<PathBuf> {
        self.locate(network).map(|(_, path)| path).ok_or_else(|| {
            let name = bag.name;
            Error::new(
                ErrorKind::ModelUnavailable,
                format!(
                    "its weights are not on this machine ({} is missing): `sfa models pull {name}` fetches \
                     them, `sfa models import {name} FILE` takes them from a file",
                    network.safetensors.name
                ),
            )
            .about(format!("model {name}"))
        })
    }

    /// The file of a network and whose folder it lies in.
    fn locate(&self, network: &Network) -> Option<(Place, PathBuf)> {
        let ours = network.find(&self.folder).ok().map(|path| (Place::Store, path));
        ours.or_else(|| self.caches.find(network))
    }
}

/// The watch for one of several files that are counted as one: `before` bytes of `total` are done.
fn part_of(watch: &Watch, before: u64, total: u64) -> Watch {
    let whole = watch.clone();
    watch.forward_to(move |progress| {
        let done = before + progress.done;
        // The stop flag is shared: who works on the file sees it as well.
        whole.report(progress.stage, done, total.max(done)).ok();
    })
}
