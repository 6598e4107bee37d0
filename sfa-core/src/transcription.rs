//! A recording as notes.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sfa_audio::analyze::{Feature, Rhythm, analyze};
use sfa_audio::io::AudioReader;
use sfa_audio::transcribe::{Note, TranscribeKind, transcribe};

use crate::{AnalyzeOptions, Error, Result, Studio, Watch, export, folder};

/// The notes of a recording, and the beats that they are counted in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Transcription {
    /// What the recording was taken for.
    pub kind: TranscribeKind,
    /// Its notes in order of time.
    pub notes: Vec<Note>,
    /// The beats; absent where there is no pulse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rhythm: Option<Rhythm>,
    /// When the last note ends, in seconds.
    pub duration_secs: f64,
}

impl Transcription {
    pub(crate) fn new(kind: TranscribeKind, notes: Vec<Note>, rhythm: Option<Rhythm>) -> Self {
        let duration_secs = notes.iter().map(|note| note.end_secs).fold(0.0, f64::max);
        Self { kind, notes, rhythm, duration_secs }
    }
}

impl Studio {
    /// Writes down the notes of a recording: best a stem of one instrument.
    ///
    /// Beats are those of `tempo_from`, usually the song that the stem is of, or of the recording itself.
    ///
    /// # Errors
    /// As [`analyze`](Self::analyze).
    pub fn transcribe(
        &self,
        path: &Path,
        kind: TranscribeKind,
        tempo_from: Option<&Path>,
        watch: &Watch,
    ) -> Result<Transcription> {
        let open = |path: &Path| AudioReader::open(path);
        let named = |path: &Path, error: Error| error.about(path.display().to_string());
        let beaten = tempo_from.unwrap_or(path);
        let only_rhythm = AnalyzeOptions::default().features([Feature::Rhythm]);
        let rhythm = analyze(&mut open(beaten)?, &only_rhythm, &watch.muted())
            .map_err(|error| named(beaten, error))?
            .rhythm;
        let mut reader = open(path)?;
        let notes = transcribe(&mut reader, kind, watch).map_err(|error| named(path, error))?;
        Ok(Transcription::new(kind, notes, rhythm))
    }

    /// Writes a transcription as a Standard MIDI File.
    ///
    /// # Errors
    /// `Io` when the file cannot be written.
    pub fn write_notes(&self, transcription: &Transcription, path: &Path) -> Result<()> {
        folder::write_whole(path, export::notes_midi(transcription))
    }
}
