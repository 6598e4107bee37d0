//! What is known of the licence of the weights, and whether the user has said yes to it.

use super::ModelStore;
use super::index::Index;
use crate::{Error, ErrorKind, Result};

/// What a user must be shown before the first download.
pub const LICENCE_STATEMENT: &str = "\
The weights of Demucs are not part of Sound Forge Alchemy; they come from their publishers.
Two statements about their licence contradict each other:
  - Their author wrote in 2022 and 2023 (github.com/facebookresearch/demucs, issues 327 and 508) that the weights,
    unlike the code, are not under the MIT licence and are for research only.
  - The Hugging Face repositories that carry them today (huggingface.co/adefossez) are tagged `mit`.
Which of them holds for what you do is for you to decide.";

/// Raised when the statement says something new, so that it is shown again.
const EDITION: u32 = 1;

impl ModelStore {
    /// Whether the user of this store has accepted [`LICENCE_STATEMENT`].
    pub fn licence_accepted(&self) -> bool {
        Index::read(&self.folder).licence_accepted == Some(EDITION)
    }

    /// Remembers that the user was shown [`LICENCE_STATEMENT`] and accepts it.
    ///
    /// # Errors
    /// `Io`.
    pub fn accept_licence(&self) -> Result<()> {
        Index::update(&self.folder, |index| index.licence_accepted = Some(EDITION))
    }

    pub(super) fn require_licence(&self) -> Result<()> {
        if self.licence_accepted() {
            return Ok(());
        }
        let message =
            "the statement on the licence of the weights has to be accepted before the first download";
        Err(Error::new(ErrorKind::InvalidOption, message))
    }
}
