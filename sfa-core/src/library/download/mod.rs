//! Songs by their address: fetched by a job, and then imported as files are.

mod fetch;
mod guard;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::pipeline::Pipeline;
use super::upload::remove_forgotten;
use super::{
    Change, Enqueued, Job, JobId, JobState, Library, LibraryError, LibraryErrorKind, LibraryResult, NewJob,
    Scope, Settings, Step, Topic, Track,
};
use crate::part::Part;
use crate::{Error, ErrorKind, Watch, naming};
use fetch::{Request, fetch};
pub(crate) use guard::Guard;

pub(crate) const KIND: &str = "download";
pub(crate) const QUEUE: &str = "download";
const FOLDER: &str = "downloads";
/// Lines break, and servers are busy for a while.
const MOST_ATTEMPTS: i64 = 5;

/// What is to be fetched.
#[derive(Debug, Serialize, Deserialize)]
struct Wish {
    url: String,
    most_bytes: u64,
    /// The steps that may be done to the song.
    allowed: Vec<Step>,
}

impl Library {
    /// Asks for the song at an address of the web. When the job is done it is about the track; a song that the user has
    /// already is the track that it is. Of the steps that the user wants, those that are `allowed` are done.
    ///
    /// Only machines of the public internet are asked, unless the library [allows others](super::LibraryConfig).
    ///
    /// # Errors
    /// `Invalid` for what cannot be the address of a file; `NoSpace` when quota or disk are full.
    pub async fn import_address(
        &self,
        scope: Scope,
        url: &str,
        most_bytes: u64,
        allowed: &[Step],
    ) -> LibraryResult<Enqueued> {
        let url = self.guard().read(url).map_err(|error| {
            LibraryError::new(LibraryErrorKind::Invalid, error.message().to_owned()).caused_by(error)
        })?;
        self.make_sure_of_space(scope, 0).await?;
        let key = format!("{KIND}:{url}");
        let wish = Wish { url: url.into(), most_bytes, allowed: allowed.to_vec() };
        let mut job = NewJob::new(QUEUE, KIND, serde_json::to_value(wish).unwrap_or_default()).unique(key);
        job.max_attempts = MOST_ATTEMPTS;
        self.enqueue(scope, job).await
    }

    /// Waits until a download has ended, and returns what it brought.
    ///
    /// # Errors
    /// `Audio` with the reason when it failed for good, `Cancelled` when it was stopped, `NotFound`.
    pub async fn wait_for_download(&self, scope: Scope, job: JobId) -> LibraryResult<Track> {
        let topic = Topic::Library(scope.user);
        // Events before this moment are not missed: the state that is read next contains them.
        let last = self.rows().last_seq(scope, &topic.name()).await?;
        let mut events = self.follow(scope, topic, last);
        loop {
            let now = self.rows().job(scope, job).await?;
            match (now.state, now.track) {
                (JobState::Completed, Some(track)) => return self.rows().track(scope, track).await,
                (JobState::Cancelled, _) => {
                    return Err(LibraryError::new(LibraryErrorKind::Cancelled, "stopped on request"));
                }
                (state, _) if state.is_final() => {
                    let reason = now.error.unwrap_or_else(|| "it failed".to_owned());
                    return Err(LibraryError::new(LibraryErrorKind::Audio, reason));
                }
                _ => events.next().await?,
            };
        }
    }
}

impl Pipeline {
    pub(super) fn download(&self, job: &Job, watch: &Watch) -> Result<Vec<Change>, Error> {
        let wish: Wish = serde_json::from_value(job.args.clone()).map_err(|error| {
            Error::new(ErrorKind::InvalidOption, format!("this download cannot be understood: {error}"))
        })?;
        let all = self.library.folder().join(FOLDER);
        let folder = all.join(job.id.to_string());
        std::fs::create_dir_all(&folder).map_err(|error| Error::io(&folder, error))?;
        self.runtime.block_on(remove_forgotten(&all));
        let result = self.fetch_and_take_in(job, &wish, &folder, watch);
        let goes_on = match &result {
            Ok(_) => false,
            // A worker that shuts down gives the job back, and the next one goes on from here.
            Err(error) if error.is_cancelled() => !self.was_cancelled(job),
            Err(error) => error.kind() == ErrorKind::Io && job.attempt < job.max_attempts,
        };
        if !goes_on {
            std::fs::remove_dir_all(&folder).ok();
        }
        // What stands behind the question mark may let in whoever knows it.
        let shown = wish.url.split(['?', '#']).next().unwrap_or_default();
        result.map_err(|error| error.about(shown))
    }

    fn fetch_and_take_in(
        &self,
        job: &Job,
        wish: &Wish,
        folder: &Path,
        watch: &Watch,
    ) -> Result<Vec<Change>, Error> {
        let scope = Scope::of(job.user);
        let settings = self.wait(self.library.settings(scope))?;
        let path = self.fetched(scope, wish, &settings, folder, watch)?;
        let taking = self.library.take_in(scope, &path, None, &settings, &wish.allowed);
        let taken = self.runtime.block_on(taking);
        let taken = taken.map_err(|error| match error.kind() {
            LibraryErrorKind::Audio => {
                Error::new(ErrorKind::InvalidOption, format!("this is no song: {error}")).caused_by(error)
            }
            _ => super::pipeline::as_audio_error(error),
        })?;
        let mut changes = taken.changes;
        changes.push(Change::NameTrack(job.id, taken.track));
        if !taken.is_new {
            let song = self.wait(self.library.rows().track(scope, taken.track))?;
            let text = format!("{} is in the library already", song.title);
            let told = settings.notifications.tell(JobState::Completed);
            let note = Change::Notify { kind: "track.duplicate".to_owned(), text, track: Some(song.id) };
            changes.extend(told.then_some(note));
        }
        Ok(changes)
    }

    /// The whole file, under its own name.
    fn fetched(
        &self,
        scope: Scope,
        wish: &Wish,
        settings: &Settings,
        folder: &Path,
        watch: &Watch,
    ) -> Result<PathBuf, Error> {
        let room = self.wait(self.library.make_sure_of_space(scope, 0))?;
        let most_bytes = wish.most_bytes.min(room).min(settings.largest_import_bytes.unwrap_or(u64::MAX));
        let guard = self.library.guard();
        let request = Request { guard, url: guard.read(&wish.url)?, most_bytes, watch };
        let mut part = Part::open(folder, KIND)?;
        let name = self.runtime.block_on(fetch(&request, &mut part))?;
        let path = folder.join(naming::safe_name(&name));
        part.publish(&path)?;
        Ok(path)
    }

    /// Whether somebody wants a job to stop; a database that does not answer says no.
    fn was_cancelled(&self, job: &Job) -> bool {
        let now = self.wait(self.library.rows().job(Scope::of(job.user), job.id));
        now.is_ok_and(|job| job.cancel_requested)
    }
}
