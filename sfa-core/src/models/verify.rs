//! Reading the files again to tell whether they are still what they should be.

use serde::Serialize;
use sfa_audio::separate::demucs::bags::{Bag, sha256_hex};

use super::index::Index;
use super::status::{Place, StoredFile, Trust, published_as};
use super::{ModelStore, part_of};
use crate::{Result, Watch};

/// What came of reading one file again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CheckedFile {
    /// The network it holds.
    pub signature: &'static str,
    /// The file, and what is known of it now.
    pub file: StoredFile,
    /// What is wrong with it and what to do; `None` where it may be used.
    pub problem: Option<String>,
}

impl ModelStore {
    /// Takes the checksum of every file of `bag` that is here, wherever it lies, and remembers what was found.
    ///
    /// A file that was imported unverified is fine as long as it is unchanged since.
    ///
    /// # Errors
    /// `Io`; `Cancelled` when stopped.
    pub fn verify(&self, bag: &Bag, watch: &Watch) -> Result<Vec<CheckedFile>> {
        let before = Index::read(&self.folder);
        let status = self.status_of(bag);
        let total = status.stored_bytes();
        let mut done = 0;
        let mut checked = Vec::new();
        for (network, state) in bag.networks.iter().zip(status.networks) {
            let Some(mut file) = state.file else { continue };
            let sha256 = sha256_hex(&file.path, &part_of(watch, done, total))?;
            done += file.bytes;
            let published = published_as(network, &file.path);
            let accepted = before.recorded(&file.path).is_some_and(|known| known.sha256 == sha256);
            let problem = if published.matches(&sha256) || published.sha256.is_empty() || accepted {
                None
            } else {
                Some(format!("its SHA-256 is {sha256}, not {}: {}", published.sha256, remedy(bag, &file)))
            };
            file.trust = if published.matches(&sha256) { Trust::Verified } else { Trust::Unverified };
            // Nothing is worth making a folder for just to remember it.
            if problem.is_none() && self.folder.is_dir() {
                let from = file.from.clone().unwrap_or_else(|| file.path.display().to_string());
                Index::update(&self.folder, |index| index.remember(&file.path, sha256.clone(), from))?;
            }
            file.sha256 = Some(sha256);
            checked.push(CheckedFile { signature: network.signature, file, problem });
        }
        Ok(checked)
    }
}

fn remedy(bag: &Bag, file: &StoredFile) -> String {
    let name = bag.name;
    match file.place {
        Place::Store => {
            format!("`sfa models rm {name}` removes it, `sfa models pull {name}` fetches it again")
        }
        Place::HuggingFaceCache | Place::TorchCache => {
            format!(
                "delete it from that cache, or `sfa models import {name} FILE` puts another one before it"
            )
        }
    }
}
