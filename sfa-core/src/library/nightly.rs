//! What a library does about itself each night, as a job: whichever worker is free does it, once.

use std::time::Duration;

use serde_json::json;

use super::pipeline::{Pipeline, as_audio_error};
use super::{Change, Library, LibraryResult, NewJob, Schedule, Scope, Times};
use crate::{Error, Watch, http};

pub(super) const KIND: &str = "tidy";
/// The lane of what costs little.
const QUEUE: &str = "export";
/// Contents that nothing names are kept so long: somebody may be about to name them.
pub(super) const UNUSED_AGE: Duration = Duration::from_secs(24 * 3600);

/// The job, at these times.
pub(super) fn schedule(times: Times) -> Schedule {
    let job = NewJob::new(QUEUE, KIND, json!({})).unique(KIND);
    Schedule { name: KIND.to_owned(), times, scope: Scope::LOCAL, job }
}

impl Library {
    /// Removes what nothing names any more, and looks what is missing.
    async fn tidy(&self) -> LibraryResult<()> {
        self.rows().sweep_blobs(self.files(), UNUSED_AGE).await?;
        self.files().sweep(UNUSED_AGE).await?;
        self.note_missing().await
    }
}

impl Pipeline {
    pub(super) fn tidy(&self, watch: &Watch) -> Result<Vec<Change>, Error> {
        let tidying = http::wait(self.library.tidy(), Duration::MAX, watch);
        if let Some(tidied) = self.runtime.block_on(tidying)? {
            tidied.map_err(as_audio_error)?;
        }
        Ok(Vec::new())
    }
}
