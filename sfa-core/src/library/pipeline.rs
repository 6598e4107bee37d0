//! What is done to a song after it was imported: one job per step, each of which ends by asking for the next.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use sfa_audio::cue::{CuePoint, LoopPoint};
use tokio::runtime::Handle;

use super::apart::Crew;
use super::memory::MemoryBudget;
use super::worker::Handler;
use super::{
    AnalysisSummary, BatchId, Blob, Change, Database, ExportFile, Job, LibraryCue, LibraryError,
    LibraryErrorKind, LibraryResult, LibraryStem, NewJob, Scope, Settings, Step, Storage, Track, TrackId,
};
use crate::song::{SongReport, StemSheet};
use crate::{Error, ErrorKind, SeparateOptions, Studio, Watch, export, naming};

/// The job of one step on one track. There is never a second one for the same step of the same track at a time.
pub(crate) fn job(step: Step, track: TrackId, batch: Option<BatchId>, force: bool) -> NewJob {
    NewJob::new(step.name(), step.name(), json!({"force": force}))
        .track(track)
        .batch(batch)
        .unique(format!("{}:{track}", step.name()))
}

/// Does the steps.
pub(crate) struct Pipeline {
    pub(crate) database: Arc<dyn Database>,
    pub(crate) storage: Storage,
    pub(crate) studio: Arc<Studio>,
    /// Who does the work on audio.
    pub(crate) crew: Arc<dyn Crew>,
    /// For separations, which need the most.
    pub(crate) memory: MemoryBudget,
    /// Where the talking to database and store is done.
    pub(crate) runtime: Handle,
}

impl Handler for Pipeline {
    fn kinds(&self) -> Vec<String> {
        Step::ALL.map(|step| step.name().to_owned()).to_vec()
    }

    fn room(&self, queue: &str, running: usize) -> usize {
        if queue != Step::Separate.name() {
            return usize::MAX;
        }
        // What the next job will ask for is not known before it is claimed; most ask for nothing special.
        let usual = self.studio.choose_engine(&SeparateOptions::default());
        usual.map_or(usize::MAX, |choice| self.memory.room(running, choice.memory_bytes()))
    }

    fn run(&self, job: &Job, watch: &Watch) -> Result<Vec<Change>, Error> {
        let step = Step::named(&job.kind)
            .ok_or_else(|| Error::new(ErrorKind::Internal, format!("no handler for {:?}", job.kind)))?;
        let track =
            job.track.ok_or_else(|| Error::new(ErrorKind::InvalidOption, "the job names no track"))?;
        let scope = Scope::of(job.user);
        let settings = self.wait(async { Settings::from_json(self.database.settings(scope).await?) })?;
        let song = self.wait(self.database.track(scope, track))?;
        let force = job.args["force"] == true;
        let mut changes = match step {
            Step::Separate => self.separate(scope, &song, &settings, force, watch)?,
            Step::Analyze => self.analyze(scope, &song, force, watch)?,
            Step::Export => self.export(scope, &song)?,
        };
        if let Some(next) = settings.after(Some(step)) {
            changes.push(Change::Enqueue(self::job(next, track, job.batch, force)));
        }
        Ok(changes)
    }
}

impl Pipeline {
    fn wait<T>(&self, work: impl Future<Output = LibraryResult<T>>) -> Result<T, Error> {
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
        let file = self.wait(self.storage.lend(&song.blob, desk.path(), &name))?;
        work(&file, desk.path())
    }

    fn keep(&self, path: &Path) -> Result<Blob, Error> {
        self.wait(async {
            let staged = self.storage.stage_file(path).await?;
            self.database.reserve_blob(staged.blob()).await?;
            self.storage.publish(staged).await
        })
    }

    fn keep_text(&self, name: &str, text: impl AsRef<[u8]>) -> Result<ExportFile, Error> {
        let blob = self.wait(async {
            let staged = self.storage.stage_bytes(text.as_ref()).await?;
            self.database.reserve_blob(staged.blob()).await?;
            self.storage.publish(staged).await
        })?;
        Ok(ExportFile { name: name.to_owned(), blob })
    }

    fn separate(
        &self,
        scope: Scope,
        song: &Track,
        settings: &Settings,
        force: bool,
        watch: &Watch,
    ) -> Result<Vec<Change>, Error> {
        let options = settings.separate_options().map_err(as_audio_error)?;
        let choice = self.studio.choose_engine(&options)?;
        let made = match choice.model {
            Some(model) => format!("{}/{model}", choice.engine),
            None => choice.engine.to_owned(),
        };
        let there = self.wait(self.database.stems(scope, song.id))?;
        let extension = format!(".{}", settings.stem_format);
        let is_done = |stem: &LibraryStem| stem.engine == made && stem.file_name.ends_with(&extension);
        if !force && there.iter().any(is_done) {
            return Ok(Vec::new());
        }
        let (sheet, stems) = self.on_a_desk(song, |file, desk| {
            let separated = self.crew.separate(file, &desk.join("stems"), settings, watch)?;
            let stems = separated
                .sheet
                .stems
                .iter()
                .map(|stem| {
                    Ok(LibraryStem {
                        kind: stem.kind.to_string(),
                        engine: made.clone(),
                        take: String::new(),
                        file_name: stem.file.clone(),
                        blob: self.keep(&separated.folder.join(&stem.file))?,
                        peak_dbfs: stem.peak_dbfs,
                        rms_dbfs: stem.rms_dbfs,
                    })
                })
                .collect::<Result<Vec<_>, Error>>()?;
            Ok((separated.sheet, stems))
        })?;
        let mut changes = vec![Change::ReplaceStems { track: song.id, engine: made, stems }];
        changes.extend(duration(song.id, &sheet));
        Ok(changes)
    }

    fn analyze(&self, scope: Scope, song: &Track, force: bool, watch: &Watch) -> Result<Vec<Change>, Error> {
        if !force && self.wait(self.database.analysis(scope, song.id))?.is_some() {
            return Ok(Vec::new());
        }
        let mut report = self.on_a_desk(song, |file, _| self.crew.analyze(file, watch))?;
        // The desk is gone; the name is what a user knows the file by.
        report.file.name.clone_from(&song.file_name);
        report.file.path.clone_from(&song.file_name);
        let document = export::analysis_json(&report);
        let mut changes = vec![Change::ReplaceAnalysis {
            track: song.id,
            summary: summary(&report),
            document,
            cues: report.cues.iter().map(cue).chain(report.loops.iter().map(loop_cue)).collect(),
        }];
        if let Some(duration_ms) = millis(report.analysis.duration_secs).filter(|&duration| duration > 0) {
            changes.push(Change::SetDuration(song.id, duration_ms));
        }
        Ok(changes)
    }

    fn export(&self, scope: Scope, song: &Track) -> Result<Vec<Change>, Error> {
        let Some(document) = self.wait(self.database.analysis(scope, song.id))? else {
            return Err(Error::new(
                ErrorKind::InvalidOption,
                "there is nothing to export before the song has been analysed",
            ));
        };
        let report: SongReport = serde_json::from_str(&document).map_err(|error| {
            Error::new(ErrorKind::Internal, format!("the kept analysis cannot be read: {error}"))
        })?;
        let files = vec![
            self.keep_text("cues.json", export::cues_json(&report))?,
            self.keep_text("rekordbox.xml", export::rekordbox_xml(&[&report]))?,
            self.keep_text("sections.mid", export::midi(&report))?,
            self.keep_text("labels.txt", export::audacity_labels(&report))?,
            self.keep_text("report.html", export::report_html(&report))?,
        ];
        Ok(vec![Change::ReplaceExports(song.id, files)])
    }
}

fn duration(track: TrackId, sheet: &StemSheet) -> Option<Change> {
    let secs = sheet.file.frames as f64 / f64::from(sheet.file.sample_rate_hz);
    millis(secs).filter(|&duration| duration > 0).map(|duration| Change::SetDuration(track, duration))
}

fn millis(secs: f64) -> Option<i64> {
    (secs.is_finite() && secs >= 0.0).then_some((secs * 1000.0).round() as i64)
}

fn summary(report: &SongReport) -> AnalysisSummary {
    let analysis = &report.analysis;
    AnalysisSummary {
        bpm: analysis.rhythm.as_ref().map(|rhythm| rhythm.tempo.bpm),
        key: analysis.key.as_ref().map(|found| found.key.to_string()),
        camelot: analysis.key.as_ref().map(|found| found.key.camelot()),
        energy: analysis.energy.as_ref().map(|energy| i64::from(energy.level)),
        lufs: analysis.loudness.as_ref().and_then(|loudness| loudness.integrated_lufs),
    }
}

fn cue(cue: &CuePoint) -> LibraryCue {
    LibraryCue {
        kind: serde_json::to_value(cue.kind)
            .ok()
            .and_then(|kind| Some(kind.as_str()?.to_owned()))
            .unwrap_or_default(),
        label: cue.label.clone(),
        start_ms: millis(cue.position_secs).unwrap_or(0),
        end_ms: None,
        colour: Some(String::from(cue.color)),
        confidence: Some(f64::from(cue.confidence)),
        is_automatic: true,
    }
}

fn loop_cue(found: &LoopPoint) -> LibraryCue {
    let start_ms = millis(found.start_secs).unwrap_or(0);
    LibraryCue {
        kind: "loop".to_owned(),
        label: format!("{} bars, {}", found.bars, found.section),
        start_ms,
        end_ms: Some(millis(found.end_secs).unwrap_or(0).max(start_ms + 1)),
        colour: None,
        confidence: Some(f64::from(found.quality)),
        is_automatic: true,
    }
}

/// The other way round is [`LibraryErrorKind::Audio`].
fn as_audio_error(error: LibraryError) -> Error {
    let kind = match error.kind() {
        LibraryErrorKind::Invalid => ErrorKind::InvalidOption,
        LibraryErrorKind::Cancelled => ErrorKind::Cancelled,
        _ => ErrorKind::Io,
    };
    Error::new(kind, error.to_string()).caused_by(error)
}
