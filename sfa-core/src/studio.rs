//! The front door: what an app can ask for.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use sfa_audio::io::{self, AudioFormat, AudioReader, AudioWriter, EncodeOptions, Probe, Tags};
use sfa_audio::separate::EngineInfo;
use sfa_audio::separate::classic::Classic;

use crate::claims::Claims;
use crate::export::{self, PlaylistEntry};
use crate::folder::{self, ANALYSIS_FILE, STEMS_FILE, SongFolder};
use crate::progress::Overall;
use crate::song::{GENERATOR, SCHEMA_VERSION, SongReport, StemFile, StemSheet};
use crate::source::Source;
use crate::stems::{self, panicked};
use crate::{
    AnalyzeOptions, AudioSource, Error, ErrorKind, Result, Separator, Stage, StemOptions, Watch, demo,
};

/// The playlist that [`Studio::write_playlist`] keeps.
pub const PLAYLIST_FILE: &str = "playlist.m3u8";

/// How a song is split into stems.
#[derive(Debug, Clone, PartialEq)]
pub struct SeparateOptions {
    /// Name of the engine, or `auto` for the best one that is ready. Default: `auto`.
    pub engine: String,
    /// How the stems are written.
    pub stems: StemOptions,
}

impl Default for SeparateOptions {
    fn default() -> Self {
        Self { engine: AUTO.to_owned(), stems: StemOptions::default() }
    }
}

const AUTO: &str = "auto";
const DEMO_TITLE: &str = "First Light";
const DEMO_ARTIST: &str = "Sound Forge Alchemy";
const STEMS_FOLDER: &str = "stems";

/// How a song is processed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProcessOptions {
    /// How its stems are made.
    pub separate: SeparateOptions,
    /// Whether a finished song is made again. Default: no.
    pub force: bool,
}

/// A song with all its files.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ProcessedSong {
    /// Where its files are.
    pub folder: PathBuf,
    /// What was found and made.
    pub report: SongReport,
    /// Whether everything was there already.
    pub skipped: bool,
    /// How long it took.
    pub elapsed_secs: f64,
}

/// The stems of a song.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SeparatedSong {
    /// Where they are.
    pub folder: PathBuf,
    /// What they are and how they were made.
    pub sheet: StemSheet,
    /// Whether they were there already.
    pub skipped: bool,
    /// How long it took.
    pub elapsed_secs: f64,
}

impl SeparatedSong {
    /// Length of the song.
    pub fn duration_secs(&self) -> f64 {
        self.sheet.file.frames as f64 / f64::from(self.sheet.file.sample_rate_hz)
    }
}

/// Which engine will separate, and why that one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineChoice<'a> {
    /// The engine.
    pub engine: &'a EngineInfo,
    /// Why.
    pub reason: &'static str,
}

impl fmt::Display for EngineChoice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "engine ({}) {}", self.reason, self.engine.description)
    }
}

/// A studio without a screen: songs in, stems, analysis, cues and files for other tools out.
///
/// All calls block and may run side by side on one studio. Long ones take a [`Watch`]; its progress counts
/// the whole song, whatever stage is at work.
pub struct Studio {
    engines: Vec<Box<dyn Separator>>,
    claims: Claims,
}

impl Default for Studio {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Studio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Studio").field("engines", &self.engines().collect::<Vec<_>>()).finish()
    }
}

impl Studio {
    /// A studio with the engines that need nothing installed.
    pub fn new() -> Self {
        Self { engines: vec![Box::new(Classic::new())], claims: Claims::default() }
    }

    /// Every engine, the best first.
    pub fn engines(&self) -> impl Iterator<Item = &EngineInfo> {
        self.engines.iter().map(|engine| engine.info())
    }

    /// Says which engine `name` stands for.
    ///
    /// # Errors
    /// `InvalidOption` when there is none of this name; the message lists those there are.
    pub fn choose_engine(&self, name: &str) -> Result<EngineChoice<'_>> {
        let engine = self.engine(name)?.info();
        let reason = if name == AUTO { "the best one that is ready" } else { "as asked for" };
        Ok(EngineChoice { engine, reason })
    }

    fn engine(&self, name: &str) -> Result<&dyn Separator> {
        let found = if name == AUTO {
            self.engines.first()
        } else {
            self.engines.iter().find(|engine| engine.info().name == name)
        };
        found.map(AsRef::as_ref).ok_or_else(|| {
            let known: Vec<&str> = self.engines().map(|engine| engine.name).collect();
            Error::new(
                ErrorKind::InvalidOption,
                format!("there is no engine {name:?}; ready are: {AUTO}, {}", known.join(", ")),
            )
        })
    }

    /// What is in a file, with its exact length: decodes all of it.
    ///
    /// # Errors
    /// As [`io::probe`].
    pub fn probe(&self, path: &Path, watch: &Watch) -> Result<Probe> {
        io::probe(path, watch)
    }

    /// What the container says of a file's length: quick, and not to be relied on.
    pub fn claimed_duration_secs(&self, path: &Path) -> Option<f64> {
        let reader = AudioReader::open(path).ok()?;
        Some(reader.spec().secs(reader.frames_hint()?))
    }

    /// Measures a song and suggests cues and loops.
    ///
    /// # Errors
    /// As [`AudioReader::open`] for files that cannot be read; `Cancelled` when stopped.
    pub fn analyze(&self, path: &Path, options: &AnalyzeOptions, watch: &Watch) -> Result<SongReport> {
        Source::open(path)?.analyze(options, watch)
    }

    /// Writes the stems of a song to `out/NAME/STEM.EXT`, where NAME is the file's name without extension.
    ///
    /// Without `force`, stems that are all there already are left as they are.
    ///
    /// # Errors
    /// As [`analyze`](Self::analyze), and as [`choose_engine`](Self::choose_engine); `Io` when writing fails.
    /// After an error none of the new files is left.
    pub fn separate(
        &self,
        path: &Path,
        out: &Path,
        options: &SeparateOptions,
        force: bool,
        watch: &Watch,
    ) -> Result<SeparatedSong> {
        let started = Instant::now();
        let engine = self.engine(&options.engine)?;
        let source = Source::open(path)?;
        let folder = SongFolder::claim(&self.claims, out, &source.stem_name(), source.blake3(), STEMS_FILE);
        let done = |sheet: StemSheet, skipped| SeparatedSong {
            folder: folder.path().to_owned(),
            sheet,
            skipped,
            elapsed_secs: started.elapsed().as_secs_f64(),
        };
        if !force && let Some(sheet) = folder.finished(engine.info().name, &options.stems) {
            return Ok(done(sheet, true));
        }
        let overall = Overall::new(watch, &[(Stage::Separate, 80), (Stage::Encode, 20)]);
        let staging = folder.stage()?;
        let watches = (&overall.stage(Stage::Separate), &overall.stage(Stage::Encode));
        let (stems, separation, file) = source.separate(engine, staging.root(), &options.stems, watches)?;
        let sheet = StemSheet {
            schema_version: SCHEMA_VERSION,
            generator: GENERATOR.to_owned(),
            file,
            separation,
            stems,
        };
        if options.stems.zip {
            stems::write_zip(staging.root(), &source.song_name(), &sheet.stems, &watch.muted())?;
        }
        staging.write(STEMS_FILE, export::stems_json(&sheet))?;
        staging.publish()?;
        overall.finish(Stage::Encode);
        Ok(done(sheet, false))
    }

    /// Makes everything of a song: stems, analysis, cues and files for other tools, in a folder of its own
    /// below `out` named "artist - title".
    ///
    /// The folder appears whole or not at all. A finished song is left as it is unless `options` say
    /// otherwise; what a crash left is made again.
    ///
    /// # Errors
    /// As [`separate`](Self::separate).
    pub fn process(
        &self,
        path: &Path,
        out: &Path,
        options: &ProcessOptions,
        watch: &Watch,
    ) -> Result<ProcessedSong> {
        let started = Instant::now();
        let engine = self.engine(&options.separate.engine)?;
        let source = Source::open(path)?;
        let folder =
            SongFolder::claim(&self.claims, out, &source.song_name(), source.blake3(), ANALYSIS_FILE);
        let stem_options = &options.separate.stems;
        let done = |report: SongReport, skipped| ProcessedSong {
            folder: folder.path().to_owned(),
            report,
            skipped,
            elapsed_secs: started.elapsed().as_secs_f64(),
        };
        if !options.force
            && let Some(report) = folder.finished(engine.info().name, stem_options)
        {
            return Ok(done(report, true));
        }
        let overall = Overall::new(
            watch,
            &[(Stage::Separate, 60), (Stage::Analyze, 25), (Stage::Encode, 13), (Stage::Export, 2)],
        );
        let staging = folder.stage()?;
        let (report, separated) = std::thread::scope(|scope| {
            let watch = overall.stage(Stage::Analyze);
            let report = scope.spawn({
                let source = &source;
                move || source.analyze(&AnalyzeOptions::default(), &watch)
            });
            let watches = (&overall.stage(Stage::Separate), &overall.stage(Stage::Encode));
            let separated =
                source.separate(engine, &staging.root().join(STEMS_FOLDER), stem_options, watches);
            (report.join().unwrap_or_else(|_| Err(panicked("analysing"))), separated)
        });
        let mut report = report?;
        let (stems, separation, _) = separated?;
        report.stems = stems
            .into_iter()
            .map(|stem| StemFile { file: format!("{STEMS_FOLDER}/{}", stem.file), ..stem })
            .collect();
        report.separation = Some(separation);
        if stem_options.zip {
            stems::write_zip(staging.root(), &source.song_name(), &report.stems, &watch.muted())?;
        }
        watch.checkpoint()?;
        staging.write("cues.json", export::cues_json(&report))?;
        staging.write("rekordbox.xml", export::rekordbox_xml(&[&report]))?;
        staging.write("sections.mid", export::midi(&report))?;
        staging.write("labels.txt", export::audacity_labels(&report))?;
        staging.write("report.html", export::report_html(&report))?;
        staging.write(ANALYSIS_FILE, export::analysis_json(&report))?;
        staging.publish()?;
        overall.finish(Stage::Export);
        Ok(done(report, false))
    }

    /// Writes `out/playlist.m3u8` anew from every finished song below `out`, sorted by folder, and returns
    /// its path.
    ///
    /// # Errors
    /// `Io` when the folder cannot be read or the file not be written.
    pub fn write_playlist(&self, out: &Path) -> Result<PathBuf> {
        let failed = |error| Error::io(out, error);
        let mut folders: Vec<PathBuf> = fs::read_dir(out)
            .map_err(failed)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<std::io::Result<_>>()
            .map_err(failed)?;
        folders.sort();
        let reports: Vec<SongReport> =
            folders.iter().filter_map(|folder| folder::read_json(&folder.join(ANALYSIS_FILE))).collect();
        let base = std::path::absolute(out).map_err(failed)?;
        let entries: Vec<PlaylistEntry> =
            reports.iter().map(|report| PlaylistEntry::new(report, &base)).collect();
        let path = out.join(PLAYLIST_FILE);
        folder::write_whole(&path, export::m3u8(&entries))?;
        Ok(path)
    }

    /// Writes a song's report page.
    ///
    /// # Errors
    /// `Io` when the file cannot be written.
    pub fn write_report(&self, report: &SongReport, path: &Path) -> Result<()> {
        folder::write_whole(path, export::report_html(report))
    }

    /// Writes the demo song to `path`, as FLAC or WAV by its extension, with tags.
    ///
    /// # Errors
    /// `InvalidOption` for another extension, `Io` when writing fails, `Cancelled` when stopped.
    pub fn write_demo(&self, path: &Path, watch: &Watch) -> Result<()> {
        let format = match path.extension().and_then(|extension| extension.to_str()) {
            Some("flac") => AudioFormat::Flac,
            Some("wav") => AudioFormat::Wav,
            _ => {
                let message = "the demo song is written as .flac or .wav";
                return Err(Error::new(ErrorKind::InvalidOption, message).about(path.display().to_string()));
            }
        };
        let song = demo::song(&demo::DemoOptions::default())?;
        watch.checkpoint()?;
        let mut tags = Tags::default();
        tags.title = Some(DEMO_TITLE.to_owned());
        tags.artist = Some(DEMO_ARTIST.to_owned());
        tags.comment = Some("Synthesised by Sound Forge Alchemy; public domain (CC0)".to_owned());
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        }
        let mut writer =
            AudioWriter::create(path, song.mix.spec(), &EncodeOptions::new(format), Some(&tags))?;
        writer.write(&song.mix)?;
        writer.finish()?;
        Ok(())
    }
}
