//! The two places where a machine may have the files already: the caches of the Hugging Face hub and of PyTorch.
//!
//! Nothing here is ever written to; both are laid out by their owners.

use std::cmp::Reverse;
use std::fs;
use std::path::{Path, PathBuf};

use directories::BaseDirs;
use sfa_audio::separate::demucs::bags::Network;

use super::place::path_from;
use super::status::Place;

/// Folders of other programs in which models are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caches {
    /// The hub's: holds `models--OWNER--NAME/snapshots/REVISION/SIGNATURE.safetensors`.
    pub hugging_face: Option<PathBuf>,
    /// PyTorch's: holds `SIGNATURE-CHECK.th`.
    pub torch: Option<PathBuf>,
}

impl Caches {
    /// No cache at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// Those of this user, by the variables that their owners read (`HF_HUB_CACHE`, `HF_HOME`, `TORCH_HOME`,
    /// `XDG_CACHE_HOME`) and by their conventions.
    pub fn of_user() -> Self {
        // Both keep to ~/.cache on every platform.
        let cache = || {
            path_from("XDG_CACHE_HOME")
                .or_else(|| BaseDirs::new().map(|folders| folders.home_dir().join(".cache")))
        };
        let hugging_face = path_from("HF_HUB_CACHE")
            .or_else(|| path_from("HUGGINGFACE_HUB_CACHE"))
            .or_else(|| path_from("HF_HOME").map(|home| home.join("hub")))
            .or_else(|| cache().map(|cache| cache.join("huggingface/hub")));
        let torch = path_from("TORCH_HOME")
            .or_else(|| cache().map(|cache| cache.join("torch")))
            .map(|home| home.join("hub/checkpoints"));
        Self { hugging_face, torch }
    }

    /// The file of one network in either cache.
    pub(super) fn find(&self, network: &Network) -> Option<(Place, PathBuf)> {
        let from_hub = self.hugging_face.as_deref().and_then(|hub| in_hub(hub, network));
        from_hub.map(|path| (Place::HuggingFaceCache, path)).or_else(|| {
            let path = self.torch.as_deref()?.join(network.archive.name);
            path.is_file().then_some((Place::TorchCache, path))
        })
    }
}

/// The file in the revision that the hub's `main` stood for last, or else in the one fetched last.
fn in_hub(hub: &Path, network: &Network) -> Option<PathBuf> {
    let repository = hub.join(format!("models--{}", network.repository.replace('/', "--")));
    let snapshots = repository.join("snapshots");
    let in_revision = |revision: &Path| {
        let path = snapshots.join(revision).join(network.safetensors.name);
        path.is_file().then_some(path)
    };
    let main = fs::read_to_string(repository.join("refs/main")).unwrap_or_default();
    // A revision is a name of hexadecimal digits; what else the file may say is not a place to look in.
    let main = main.trim();
    let is_revision = !main.is_empty() && main.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some(path) = is_revision.then(|| in_revision(Path::new(main))).flatten() {
        return Some(path);
    }
    let mut revisions: Vec<_> = fs::read_dir(&snapshots).ok()?.flatten().collect();
    revisions.sort_by_cached_key(|entry| {
        (Reverse(entry.metadata().and_then(|about| about.modified()).ok()), entry.file_name())
    });
    revisions.iter().find_map(|entry| in_revision(Path::new(&entry.file_name())))
}
