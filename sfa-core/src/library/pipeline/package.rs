//! Packing files of several songs for one program.

use std::fs::File;
use std::path::{Path, PathBuf};

use sfa_audio::dsp::resample::Resampled;
use sfa_audio::io::{AudioReader, AudioWriter};
use sfa_audio::{AudioSource, Clip};

use super::Pipeline;
use crate::export::archive::Archive;
use crate::library::package::{self, Collection, Content, Conversion, Document, PackageOrder, PlannedFile};
use crate::library::{Change, Job, LibraryStem, NewJob, Package, Scope, TrackId, cue};
use crate::song::SongReport;
use crate::{Error, ErrorKind, Stage, Watch, export};

pub(super) const KIND: &str = "package";
/// The lane of what costs little.
const QUEUE: &str = "export";
/// What a file counts for in the progress whose size is not known before.
const USUAL_BYTES: u64 = 200_000;

/// The job that makes a package.
pub(crate) fn job(order: &PackageOrder) -> NewJob {
    NewJob::new(QUEUE, KIND, serde_json::to_value(order).unwrap_or_default())
}

impl Pipeline {
    pub(super) fn package(&self, job: &Job, watch: &Watch) -> Result<Vec<Change>, Error> {
        let order: PackageOrder = serde_json::from_value(job.args.clone()).map_err(|error| {
            Error::new(ErrorKind::InvalidOption, format!("this package cannot be understood: {error}"))
        })?;
        let scope = Scope::of(job.user);
        let plan = self.wait(package::plan(self.library.rows(), scope, &order))?;
        if plan.files.is_empty() {
            let why = plan.notes.join("; ");
            return Err(Error::new(ErrorKind::InvalidOption, format!("there is nothing to pack: {why}")));
        }
        let desk = desk()?;
        let path = desk.path().join("package.zip");
        let mut archive = Archive::new(File::create(&path).map_err(|error| Error::io(&path, error))?);
        let total = plan.files.iter().map(weight).sum();
        let mut done = 0;
        for file in &plan.files {
            watch.report(Stage::Export, done, total)?;
            let content = self.content(scope, &order, file, watch)?;
            archive.add(&file.path, content.size_bytes()?, content.open()?, |_| watch.checkpoint())?;
            done += weight(file);
        }
        drop(archive.finish()?);
        watch.report(Stage::Export, total, total)?;
        let blob = self.keep(&path)?;
        Ok(vec![Change::AddPackage(Package {
            id: job.id,
            name: order.archive_name(),
            target: order.target.name().to_owned(),
            tracks: i64::try_from(order.tracks.len()).unwrap_or(i64::MAX),
            blob,
            created_at_ms: 0,
        })])
    }

    fn content(
        &self,
        scope: Scope,
        order: &PackageOrder,
        file: &PlannedFile,
        watch: &Watch,
    ) -> Result<Packed, Error> {
        let bytes = match &file.content {
            Content::Kept(blob) => {
                let desk = desk()?;
                let path = self.wait(self.library.lend(&blob.hash, desk.path(), "content"))?;
                return Ok(Packed::File { path, _desk: desk });
            }
            Content::Converted { stem, gain_db } => {
                return self.converted(stem, *gain_db, &order.stems, watch);
            }
            Content::Text(text) => text.clone().into_bytes(),
            Content::Document(document, track) => {
                let report = self.report(scope, *track)?;
                match document {
                    Document::TempoMap => export::midi(&report),
                    Document::Labels => export::audacity_labels(&report).into_bytes(),
                    Document::Analysis => export::analysis_json(&report).into_bytes(),
                    Document::Cues => export::cues_json(&report).into_bytes(),
                    Document::Page => export::report_html(&report).into_bytes(),
                }
            }
            Content::Tagged(blob, track) => {
                let desk = desk()?;
                let lent = self.wait(self.library.lend(&blob.hash, desk.path(), "content"))?;
                // What is lent may be the very file in the store.
                let path = desk.path().join("song");
                std::fs::copy(&lent, &path).map_err(|error| Error::io(&path, error))?;
                export::serato_tags(&self.report(scope, *track)?).write_to(&path)?;
                return Ok(Packed::File { path, _desk: desk });
            }
            Content::Collection(collection, places) => {
                let mut reports = Vec::with_capacity(places.len());
                for (track, path) in places {
                    let mut report = self.report(scope, *track)?;
                    report.file.path.clone_from(path);
                    // The longest part, which no collection has.
                    report.analysis.waveform = None;
                    reports.push(report);
                }
                let reports: Vec<_> = reports.iter().collect();
                let text = match collection {
                    Collection::Rekordbox => export::rekordbox_xml(&reports),
                    Collection::Traktor => export::traktor_nml(&order.name, &reports),
                };
                text.into_bytes()
            }
        };
        Ok(Packed::Bytes(bytes))
    }

    /// The kept analysis under the names that the song has in the library.
    fn report(&self, scope: Scope, track: TrackId) -> Result<SongReport, Error> {
        let song = self.wait(self.library.rows().track(scope, track))?;
        let document = self.wait(self.library.rows().analysis(scope, track))?.unwrap_or_default();
        let mut report: SongReport = serde_json::from_str(&document).map_err(|error| {
            Error::new(ErrorKind::Internal, format!("the analysis cannot be read: {error}"))
                .about(&*song.title)
        })?;
        cue::put_into(&mut report, &self.wait(self.library.rows().cues(scope, track))?);
        report.tags.title = Some(song.title);
        report.tags.artist = song.artist;
        report.tags.album = song.album;
        Ok(report)
    }

    fn converted(
        &self,
        stem: &LibraryStem,
        gain_db: f64,
        conversion: &Conversion,
        watch: &Watch,
    ) -> Result<Packed, Error> {
        let desk = desk()?;
        let ending = Path::new(&stem.file_name).extension().unwrap_or_default().to_string_lossy();
        let name = format!("stem.{ending}");
        let from = self.wait(self.library.lend(&stem.blob.hash, desk.path(), &name))?;
        let reader = AudioReader::open(&from)?;
        let options = conversion.encode(&ending, reader.info().bits_per_sample)?;
        let path = desk.path().join(format!("converted.{}", options.format.extension()));
        let gain = 10_f64.powf(gain_db / 20.0) as f32;
        let mut source: Box<dyn AudioSource> =
            match conversion.sample_rate_hz.filter(|&rate| rate != reader.spec().sample_rate_hz) {
                Some(rate) => Box::new(Resampled::new(reader, rate)?),
                None => Box::new(reader),
            };
        let mut writer = AudioWriter::create(&path, source.spec(), &options, None)?;
        let mut block = Clip::empty(source.spec());
        while source.read(&mut block)? > 0 {
            watch.checkpoint()?;
            block.channels_mut().flatten().for_each(|sample| *sample *= gain);
            writer.write(&block)?;
        }
        writer.finish()?;
        Ok(Packed::File { path, _desk: desk })
    }
}

/// What goes into the archive.
enum Packed {
    Bytes(Vec<u8>),
    File {
        path: PathBuf,
        /// Holds the file until it is packed.
        _desk: tempfile::TempDir,
    },
}

impl Packed {
    fn size_bytes(&self) -> Result<u64, Error> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.len() as u64),
            Self::File { path, .. } => {
                Ok(std::fs::metadata(path).map_err(|error| Error::io(path, error))?.len())
            }
        }
    }

    fn open(&self) -> Result<Box<dyn std::io::Read + '_>, Error> {
        match self {
            Self::Bytes(bytes) => Ok(Box::new(bytes.as_slice())),
            Self::File { path, .. } => {
                Ok(Box::new(File::open(path).map_err(|error| Error::io(path, error))?))
            }
        }
    }
}

fn weight(file: &PlannedFile) -> u64 {
    let known = match &file.content {
        Content::Converted { stem, .. } => Some(stem.blob.size_bytes),
        Content::Tagged(blob, _) => Some(blob.size_bytes),
        _ => file.size_bytes,
    };
    known.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(USUAL_BYTES)
}

fn desk() -> Result<tempfile::TempDir, Error> {
    tempfile::tempdir().map_err(|error| Error::io(&std::env::temp_dir(), error))
}
