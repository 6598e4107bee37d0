//! The file a song comes from: who it is, and how to read it again.

use std::fs::File;
use std::path::{Path, PathBuf};

use sfa_audio::analyze::analyze;
use sfa_audio::cue;
use sfa_audio::io::{AudioReader, Tags};

use crate::song::{Separation, SongReport, SourceFile, StemFile};
use crate::stems::{self, StemOptions};
use crate::{AnalyzeOptions, AudioSource, Error, Result, Separator, Watch, naming};

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
        let mut reader = AudioReader::open(&self.path)?;
        let analysis = analyze(&mut reader, options, watch).map_err(|error| self.name(error))?;
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
