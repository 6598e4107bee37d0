//! The front door: what an app can ask for.

use std::fs;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::Instant;

use sfa_audio::io::{
    self, AtomicFile, AudioFormat, AudioReader, AudioWriter, BitDepth, EncodeOptions, Probe, Tags, Written,
};
use sfa_audio::separate::EngineInfo;
use sfa_audio::warp::{WarpOptions, Warped};

use crate::claims::Claims;
use crate::engine::{EngineChoice, EngineRequest, Engines, Ready};
use crate::export::{self, PlaylistEntry};
use crate::folder::{self, ANALYSIS_FILE, STEMS_FILE, SongFolder};
use crate::models::ModelStore;
use crate::picture::{self, PictureFormat, PictureKind};
use crate::progress::Overall;
use crate::song::{GENERATOR, SCHEMA_VERSION, Separation, SongReport, StemFile, StemSheet};
use crate::source::Source;
use crate::stems::{self, panicked};
use crate::{AnalyzeOptions, AudioSource, Clip, Error, ErrorKind, Result, Stage, StemOptions, Watch, demo};

/// The playlist that [`Studio::write_playlist`] keeps.
pub const PLAYLIST_FILE: &str = "playlist.m3u8";

/// How a song is split into stems.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SeparateOptions {
    /// Who separates. Default: the best engine that is ready.
    pub engine: EngineRequest,
    /// Which stems are made, and how they are written.
    pub stems: StemOptions,
}

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

/// A studio without a screen: songs in, stems, analysis, cues and files for other tools out.
///
/// All calls block and may run side by side on one studio. Long ones take a [`Watch`]; its progress counts
/// the whole song, whatever stage is at work.
#[derive(Debug)]
pub struct Studio {
    engines: Engines,
    claims: Claims,
}

impl Default for Studio {
    fn default() -> Self {
        Self::new()
    }
}

impl Studio {
    /// A studio with the models of this user: see [`ModelStore::open_default`].
    pub fn new() -> Self {
        Self::over(ModelStore::open_default())
    }

    /// A studio with the models of `store`.
    pub fn with_models(store: ModelStore) -> Self {
        Self::over(Ok(store))
    }

    fn over(store: Result<ModelStore>) -> Self {
        Self { engines: Engines::new(store), claims: Claims::default() }
    }

    /// Where the models are kept.
    ///
    /// # Errors
    /// `InvalidOption` where there is no folder for them, see [`ModelStore::open_default`].
    pub fn models(&self) -> Result<&ModelStore> {
        self.engines.store()
    }

    /// Every engine and model that could work now, the best first.
    pub fn engines(&self) -> Vec<EngineInfo> {
        self.engines.ready()
    }

    /// Says which engine and which model will separate, and why.
    ///
    /// # Errors
    /// `InvalidOption` when there is none of this name or it cannot do what is asked; `ModelUnavailable` when its
    /// weights are not on this machine, with the command that mends it.
    pub fn choose_engine(&self, options: &SeparateOptions) -> Result<EngineChoice> {
        self.engines.choose(&options.engine, &options.stems.selection)
    }

    /// The engine that was asked for, ready to work, and what would be recorded of its work.
    fn engine(&self, options: &SeparateOptions, watch: &Watch) -> Result<(Ready, Separation)> {
        let StemOptions { selection, encode, peaks, .. } = &options.stems;
        let choice = self.choose_engine(options)?;
        let ready = self.engines.load(&options.engine, &choice, selection, watch)?;
        let wanted = Separation {
            engine: choice.engine.to_owned(),
            description: choice.description.to_owned(),
            model: ready.model.clone(),
            selection: selection.clone(),
            encode: encode.clone(),
            peaks: *peaks,
            gain: 1.0,
            quality: None,
        };
        Ok((ready, wanted))
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

    /// [`analyze`](Self::analyze) where the stems of the song are in a folder as well, as files named `drums`, `bass`,
    /// `other` and `vocals` in any format: beats and hits are read from the drums, the key from bass and other, where
    /// somebody sings from the vocals. `Analysis::stems` says what was.
    ///
    /// # Errors
    /// As [`analyze`](Self::analyze); `InvalidOption` when there are no such stems.
    pub fn analyze_with_stems(
        &self,
        path: &Path,
        stems: &Path,
        options: &AnalyzeOptions,
        watch: &Watch,
    ) -> Result<SongReport> {
        Source::open(path)?.analyze_with_stems(stems, options, watch)
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
        let (engine, wanted) = self.engine(options, watch)?;
        let source = Source::open(path)?;
        let folder = SongFolder::claim(&self.claims, out, &source.stem_name(), source.blake3(), STEMS_FILE);
        let done = |sheet: StemSheet, skipped| SeparatedSong {
            folder: folder.path().to_owned(),
            sheet,
            skipped,
            elapsed_secs: started.elapsed().as_secs_f64(),
        };
        if !force && let Some(sheet) = folder.finished(&wanted, &options.stems) {
            return Ok(done(sheet, true));
        }
        let overall = Overall::new(watch, &[(Stage::Separate, 80), (Stage::Encode, 20)]);
        let staging = folder.stage()?;
        let watches = (&overall.stage(Stage::Separate), &overall.stage(Stage::Encode));
        let (stems, separation, file) =
            source.separate(&*engine.separator, wanted, staging.root(), &options.stems, watches)?;
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
        let (engine, wanted) = self.engine(&options.separate, watch)?;
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
            && let Some(report) = folder.finished(&wanted, stem_options)
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
            let folder = staging.root().join(STEMS_FOLDER);
            let separated = source.separate(&*engine.separator, wanted, &folder, stem_options, watches);
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

    /// Draws one picture of a song to `out`, as SVG or PNG by its ending.
    ///
    /// # Errors
    /// As [`analyze`](Self::analyze) and [`picture::draw`]; `InvalidOption` for another ending.
    pub fn draw(&self, path: &Path, kind: PictureKind, out: &Path, watch: &Watch) -> Result<()> {
        let format = PictureFormat::of(out)?;
        let report = self.analyze(path, &kind.options(), watch)?;
        let mut audio = AudioReader::open(path)?;
        let bytes = picture::draw(kind, format, &report, &mut audio, &watch.muted())?;
        folder::write_whole(out, bytes)
    }

    /// Writes a song with its time or pitch changed to `out`, in the format of its ending, and says what was written
    /// and how many seconds it lasts.
    ///
    /// # Errors
    /// As [`AudioReader::open`] and [`Warped::new`]; `InvalidOption` for an ending that is no format, or for a file
    /// that is there already, without `force`; `Io` when writing fails. After an error no new file is left.
    pub fn warp(
        &self,
        path: &Path,
        out: &Path,
        options: WarpOptions,
        bit_depth: BitDepth,
        force: bool,
        watch: &Watch,
    ) -> Result<(Written, f64)> {
        let invalid = |message: &str| {
            Err(Error::new(ErrorKind::InvalidOption, message).about(out.display().to_string()))
        };
        let Some(format) = AudioFormat::of(out) else {
            return invalid("songs are written as .wav, .flac, .mp3 or .m4a");
        };
        if out.exists() && !force {
            return invalid("this file is there already; --force writes over it");
        }
        let mut warped = Warped::new(AudioReader::open(path)?, options)?;
        let total = warped.frames_hint().unwrap_or(0);
        let encode = EncodeOptions::new(format).bit_depth(bit_depth);
        let mut writer = AudioWriter::create(out, warped.spec(), &encode, None)?;
        let mut block = Clip::empty(warped.spec());
        let mut done = 0;
        while warped.read(&mut block)? > 0 {
            writer.write(&block)?;
            done += block.frames() as u64;
            watch.report(Stage::Warp, done, total.max(done))?;
        }
        Ok((writer.finish()?, warped.spec().secs(done)))
    }

    /// Writes the features of a song that were kept frame by frame as an `.npz` archive.
    ///
    /// # Errors
    /// `InvalidOption` when none were kept, `Io` when the file cannot be written.
    pub fn write_frames(&self, report: &SongReport, path: &Path) -> Result<()> {
        let Some(frames) = &report.analysis.frames else {
            let message = "no frames were kept: ask for a feature that has frames, such as mfcc";
            return Err(Error::new(ErrorKind::InvalidOption, message).about(path.display().to_string()));
        };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        }
        let file = AtomicFile::create(path)?;
        frames.write_npz(BufWriter::new(file.handle()?))?;
        file.publish()
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
