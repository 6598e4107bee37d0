//! What is done to a song after it was imported: one job per step, each of which ends by asking for the next.

mod analyze;
mod cues;
mod export;
mod midi;
pub(crate) mod package;
mod separate;

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::runtime::Handle;

use super::memory::MemoryBudget;
use super::worker::Handler;
use super::{
    BatchId, Blob, Change, ExportFile, Job, Library, LibraryError, LibraryErrorKind, LibraryResult, NewJob,
    Scope, Settings, Step, Track, TrackId, download, nightly,
};
use crate::song::SongReport;
use crate::{Error, ErrorKind, SeparateOptions, Watch, naming};

/// What a job is told of the settings that are others for it alone.
pub(crate) const SETTINGS: &str = "settings";

/// The job of one step on one track. There is never a second one for the same step of the same track at a time.
pub(crate) fn job(step: Step, track: TrackId, batch: Option<BatchId>, force: bool) -> NewJob {
    NewJob::new(step.queue(), step.name(), json!({"force": force}))
        .track(track)
        .batch(batch)
        .unique(format!("{}:{track}", step.name()))
}

/// One step of one song.
struct Work<'a> {
    scope: Scope,
    song: &'a Track,
    settings: &'a Settings,
    /// Whether it is done although it is done already.
    force: bool,
}

/// Does the steps.
pub(crate) struct Pipeline {
    pub(crate) library: Library,
    /// For separations, which need the most.
    pub(crate) memory: MemoryBudget,
    /// Where the talking to database and store is done.
    pub(crate) runtime: Handle,
}

impl Handler for Pipeline {
    fn kinds(&self) -> Vec<String> {
        Step::ALL
            .iter()
            .map(|step| step.name())
            .chain([package::KIND, download::KIND, nightly::KIND])
            .map(str::to_owned)
            .collect()
    }

    fn room(&self, queue: &str, running: usize) -> usize {
        if queue != Step::Separate.name() {
            return usize::MAX;
        }
        // What the next job will ask for is not known before it is claimed; most ask for nothing special.
        let usual = self.library.studio().choose_engine(&SeparateOptions::default());
        usual.map_or(usize::MAX, |choice| self.memory.room(running, choice.memory_bytes()))
    }

    fn run(&self, job: &Job, watch: &Watch) -> Result<Vec<Change>, Error> {
        match job.kind.as_str() {
            package::KIND => return self.package(job, watch),
            download::KIND => return self.download(job, watch),
            nightly::KIND => return self.tidy(watch),
            _ => {}
        }
        let step = Step::named(&job.kind)
            .ok_or_else(|| Error::new(ErrorKind::Internal, format!("no handler for {:?}", job.kind)))?;
        let track =
            job.track.ok_or_else(|| Error::new(ErrorKind::InvalidOption, "the job names no track"))?;
        let scope = Scope::of(job.user);
        let settings = self.wait(async {
            let settings = Settings::from_json(self.library.rows().settings(scope).await?)?;
            settings.with_all(job.args[SETTINGS].as_object().into_iter().flatten())
        })?;
        let song = self.wait(self.library.rows().track(scope, track))?;
        let force = job.args["force"] == true;
        let work = Work { scope, song: &song, settings: &settings, force };
        let mut changes = within(settings.step_timeout_secs, watch, |watch| match step {
            Step::Separate => self.separate(&work, watch),
            Step::Analyze => self.analyze(&work, watch),
            Step::Cues => self.cues(&work),
            Step::Chords => self.chords(&work, watch),
            Step::Midi => self.midi(&work, watch),
            Step::Export => self.export(&work),
        })?;
        if let Some(next) = settings.after(Some(step)) {
            changes.push(Change::Enqueue(self::job(next, track, job.batch, force)));
        }
        Ok(changes)
    }
}

impl Pipeline {
    pub(super) fn wait<T>(&self, work: impl Future<Output = LibraryResult<T>>) -> Result<T, Error> {
        self.runtime.block_on(work).map_err(as_audio_error)
    }

    /// Does `work` on the song's file under its own name, in a folder that goes afterwards.
    fn on_a_desk<T>(
        &self,
        song: &Track,
        work: impl FnOnce(&Path, &Path) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let desk = tempfile::tempdir().map_err(|error| Error::io(&std::env::temp_dir(), error))?;
        let name = naming::safe_name(&song.file_name);
        let file = self.wait(self.library.lend(&song.blob, desk.path(), &name))?;
        work(&file, desk.path())
    }

    /// The kept analysis, as it is written and as it is meant.
    fn kept_analysis(&self, work: &Work<'_>, step: Step) -> Result<(String, SongReport), Error> {
        let Some(document) = self.wait(self.library.rows().analysis(work.scope, work.song.id))? else {
            let message = format!("{} works on the analysis, and the song has none: analyze it", step.name());
            return Err(Error::new(ErrorKind::InvalidOption, message));
        };
        let report = serde_json::from_str(&document).map_err(|error| {
            Error::new(ErrorKind::Internal, format!("the kept analysis cannot be read: {error}"))
        })?;
        Ok((document, report))
    }

    fn keep(&self, path: &Path) -> Result<Blob, Error> {
        self.wait(async {
            let staged = self.library.files().stage_file(path).await?;
            self.library.publish(staged).await
        })
    }

    fn keep_text(&self, step: Step, name: &str, text: impl AsRef<[u8]>) -> Result<ExportFile, Error> {
        let blob = self.wait(async {
            let staged = self.library.files().stage_bytes(text.as_ref()).await?;
            self.library.publish(staged).await
        })?;
        Ok(ExportFile { name: name.to_owned(), step, blob })
    }
}

/// Does `work` and stops it when it takes longer than its user allows.
fn within<T>(
    limit_secs: Option<u64>,
    watch: &Watch,
    work: impl FnOnce(&Watch) -> Result<T, Error>,
) -> Result<T, Error> {
    let Some(secs) = limit_secs else { return work(watch) };
    let (started, limit) = (Instant::now(), Duration::from_secs(secs));
    let limited = watch.forward_to({
        let watch = watch.clone();
        move |news| {
            if started.elapsed() > limit {
                watch.stop();
            }
            // A stop is seen by the work itself.
            watch.report(news.stage, news.done, news.total).ok();
        }
    });
    work(&limited).map_err(|error| {
        if error.is_cancelled() && started.elapsed() > limit {
            let message = format!("it takes longer than the {secs} s of step_timeout_secs");
            return Error::new(ErrorKind::InvalidOption, message);
        }
        error
    })
}

fn millis(secs: f64) -> Option<i64> {
    (secs.is_finite() && secs >= 0.0).then_some((secs * 1000.0).round() as i64)
}

/// The other way round is [`LibraryErrorKind::Audio`].
pub(super) fn as_audio_error(error: LibraryError) -> Error {
    let kind = match error.kind() {
        LibraryErrorKind::Invalid => ErrorKind::InvalidOption,
        LibraryErrorKind::Cancelled => ErrorKind::Cancelled,
        _ => ErrorKind::Io,
    };
    Error::new(kind, error.to_string()).caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stage;

    #[test]
    fn work_that_takes_too_long_is_stopped_and_says_so() {
        let forever = |watch: &Watch| -> Result<(), Error> {
            loop {
                watch.report(Stage::Analyze, 1, 2)?;
            }
        };
        let error = within(Some(0), &Watch::new(), forever).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOption);
        assert!(error.message().contains("step_timeout_secs"), "{error}");
        let stopped = Watch::new();
        stopped.stop();
        assert!(within(Some(3600), &stopped, forever).unwrap_err().is_cancelled());
        assert!(within(None, &stopped, forever).unwrap_err().is_cancelled());
        assert_eq!(within(Some(3600), &Watch::new(), |_| Ok(7)).unwrap(), 7);
    }
}
