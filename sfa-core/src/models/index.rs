//! What the store remembers: the checksums of files it has read, and that the licence statement was accepted.
//!
//! A checksum counts only as long as size and time of the file are those it was taken at.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::folder::{read_json, write_whole};
use crate::{Error, Result};

const INDEX_FILE: &str = "models.json";
const LOCK_FILE: &str = ".models.lock";

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Index {
    /// The edition of the statement that the user accepted.
    pub(super) licence_accepted: Option<u32>,
    /// By path.
    files: BTreeMap<String, Known>,
}

/// A file as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    pub(super) sha256: String,
    /// Where it was taken from, for people.
    pub(super) from: String,
    bytes: u64,
    modified_ms: u64,
}

impl Index {
    /// What is remembered in `folder`; nothing where there is no index, or none that can be read.
    pub(super) fn read(folder: &Path) -> Self {
        read_json(&folder.join(INDEX_FILE)).unwrap_or_default()
    }

    /// Changes what is remembered in `folder`, one program at a time.
    ///
    /// # Errors
    /// `Io`.
    pub(super) fn update(folder: &Path, change: impl FnOnce(&mut Self)) -> Result<()> {
        fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        let lock = folder.join(LOCK_FILE);
        let held = File::options().write(true).create(true).truncate(false).open(&lock);
        let held = held.map_err(|error| Error::io(&lock, error))?;
        held.lock().map_err(|error| Error::io(&lock, error))?;
        let mut index = Self::read(folder);
        change(&mut index);
        let text = serde_json::to_vec_pretty(&index).expect("an index is plain data");
        write_whole(&folder.join(INDEX_FILE), text)
    }

    /// What is known of the file at `path`, if it is still the one that was read.
    pub(super) fn known(&self, path: &Path) -> Option<&Known> {
        let known = self.files.get(&key(path))?;
        let about = fs::metadata(path).ok()?;
        (known.bytes == about.len() && known.modified_ms == modified_ms(&about)).then_some(known)
    }

    /// What was known of the file at `path` when it was read last, whether or not it has changed since.
    pub(super) fn recorded(&self, path: &Path) -> Option<&Known> {
        self.files.get(&key(path))
    }

    /// Remembers the checksum of the file at `path`.
    pub(super) fn remember(&mut self, path: &Path, sha256: String, from: String) {
        if let Ok(about) = fs::metadata(path) {
            let known = Known { sha256, from, bytes: about.len(), modified_ms: modified_ms(&about) };
            self.files.insert(key(path), known);
        }
    }

    pub(super) fn forget(&mut self, path: &Path) {
        self.files.remove(&key(path));
    }
}

fn key(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// 0 where the file system keeps no times.
fn modified_ms(about: &Metadata) -> u64 {
    let since_epoch = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since_epoch.map_or(0, |duration| duration.as_millis() as u64)
}
