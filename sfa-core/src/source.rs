//! The file a song comes from: who it is, and how to read it again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use sfa_audio::analyze::{StemSources, analyze_with_stems};
use sfa_audio::cue;
use sfa_audio::io::{AudioReader, Tags};

use crate::song::{Separation, SongReport, SourceFile, StemFile};
use crate::stems::{self, StemOptions};
use crate::{AnalyzeOptions, AudioSource, Error, ErrorKind, Result, Separator, StemKind, Watch, naming};

/// An audio file that was opened once, so that it is known to be one.
pub(crate) struct Source {
    path: PathBuf,
    tags: Tags,
    blake3: String,
}

impl Source {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let tags = AudioReader::open(path)?.info().tags.clone();
        let failed = |error| Error::io(path, error);
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(File::open(path).map_err(failed)?).map_err(failed)?;
        Ok(Self { path: path.to_owned(), tags, blake3: hasher.finalize().to_hex().to_string() })
    }

    pub(crate) fn blake3(&self) -> &str {
        &self.blake3
    }

    /// A name for the song's folder: "artist - title", or the file's name where the tags are silent.
    pub(crate) fn song_name(&self) -> String {
        naming::song_name(&self.tags, &self.file_name())
    }

    /// The file's name without extension, for a folder.
    pub(crate) fn stem_name(&self) -> String {
        naming::safe_name(naming::file_stem(&self.file_name()))
    }

    fn file_name(&self) -> String {
        self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned()
    }

    /// Measures the song and suggests cues and loops.
    pub(crate) fn analyze(&self, options: &AnalyzeOptions, watch: &Watch) -> Result<SongReport> {
        self.analyze_with(StemSources::default(), options, watch)
    }

    /// [`analyze`](Self::analyze) with the stems in a folder, by their names.
    pub(crate) fn analyze_with_stems(
        &self,
        folder: &Path,
        options: &AnalyzeOptions,
        watch: &Watch,
    ) -> Result<SongReport> {
        let mut stems = Vec::new();
        for kind in [StemKind::Drums, StemKind::Bass, StemKind::Other, StemKind::Vocals] {
            let file = stem_file(folder, kind.name())?;
            stems.push(file.map(|file| AudioReader::open(&file)).transpose()?);
        }
        let [drums, bass, other, vocals] = &mut stems[..] else { unreachable!("four kinds were looked for") };
        if drums.is_none() && vocals.is_none() && (bass.is_none() || other.is_none()) {
            let message = "there are neither drums nor vocals nor bass and other in this folder: stems are files such as drums.wav";
            return Err(Error::new(ErrorKind::InvalidOption, message).about(folder.display().to_string()));
        }
        let sources = StemSources {
            drums: drums.as_mut().map(|stem| stem as _),
            bass: bass.as_mut().map(|stem| stem as _),
            other: other.as_mut().map(|stem| stem as _),
            vocals: vocals.as_mut().map(|stem| stem as _),
        };
        self.analyze_with(sources, options, watch)
    }

    fn analyze_with(
        &self,
        stems: StemSources<'_>,
        options: &AnalyzeOptions,
        watch: &Watch,
    ) -> Result<SongReport> {
        let mut reader = AudioReader::open(&self.path)?;
        let analysis =
            analyze_with_stems(&mut reader, stems, options, watch).map_err(|error| self.name(error))?;
        let frames = reader.spec().frame_at(analysis.duration_secs);
        let file = self.describe(&reader, frames)?;
        let mut report = SongReport::new(file, self.tags.clone(), analysis);
        report.cues = cue::suggest_cues(&report.analysis);
        report.loops = cue::find_loops(&report.analysis);
        Ok(report)
    }

    /// Writes the song's stems into `folder`, and tells what was made, and of which file; `wanted` is completed by
    /// what was measured.
    ///
    /// `watches` are for the engine's work and for the writing.
    pub(crate) fn separate(
        &self,
        engine: &dyn Separator,
        wanted: Separation,
        folder: &Path,
        options: &StemOptions,
        watches: (&Watch, &Watch),
    ) -> Result<(Vec<StemFile>, Separation, SourceFile)> {
        let mut reader = AudioReader::open(&self.path)?;
        let mixes: (&mut dyn AudioSource, _) = (&mut reader, || AudioReader::open(&self.path));
        let stems = stems::write_stems(engine, mixes, &self.tags, folder, options, watches)
            .map_err(|error| self.name(error))?;
        let separation = Separation { gain: stems.gain, quality: stems.quality, ..wanted };
        Ok((stems.files, separation, self.describe(&reader, stems.frames)?))
    }

    /// The file as documents tell of it.
    fn describe(&self, reader: &AudioReader, frames: u64) -> Result<SourceFile> {
        let info = reader.info();
        let failed = |error| Error::io(&self.path, error);
        Ok(SourceFile {
            name: self.file_name(),
            path: std::path::absolute(&self.path).map_err(failed)?.to_string_lossy().into_owned(),
            size_bytes: self.path.metadata().map_err(failed)?.len(),
            blake3: self.blake3.clone(),
            container: info.container.clone(),
            codec: info.codec.clone(),
            sample_rate_hz: info.sample_rate_hz,
            channels: info.channels,
            bits_per_sample: info.bits_per_sample,
            bit_rate_bps: info.bit_rate.map(u64::from),
            frames,
            leading_trim_frames: info.leading_trim_frames,
            trailing_trim_frames: info.trailing_trim_frames,
            trim_source: info.trim_source,
            warnings: reader.warnings().to_vec(),
        })
    }

    fn name(&self, error: Error) -> Error {
        error.about(self.path.display().to_string())
    }
}

/// The file of this name in a folder, whatever its ending.
fn stem_file(folder: &Path, name: &str) -> Result<Option<PathBuf>> {
    let failed = |error| Error::io(folder, error);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(failed)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<_>>()
        .map_err(failed)?;
    files.sort();
    let is_meant = |path: &PathBuf| {
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        stem.is_some_and(|stem| stem.eq_ignore_ascii_case(name)) && path.is_file()
    };
    Ok(files.into_iter().find(is_meant))
}
