//! Everything that is known of one song once it has been processed: what the exports are made from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sfa_audio::analyze::WaveformLevel;
use sfa_audio::cue::{CuePoint, LoopPoint};
use sfa_audio::io::{EncodeOptions, PeakPolicy, Tags, TrimSource};
use sfa_audio::separate::SeparationQuality;
use sfa_audio::separate::demucs::NetworkRun;
use sfa_audio::{Analysis, StemKind};

use crate::{ModelOptions, StemSelection, naming};

/// The version of the shape of [`SongReport`] as JSON; it grows when a field changes or goes, not when one is
/// added.
pub const SCHEMA_VERSION: u32 = 1;

/// The program's name and version as written into documents.
pub const GENERATOR: &str = concat!("Sound Forge Alchemy ", env!("CARGO_PKG_VERSION"));

/// What was found in and made from one song; as JSON this is `analysis.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct SongReport {
    /// Shape of this document: 1.
    #[schemars(range(min = 1, max = 1))]
    pub schema_version: u32,
    /// The program that measured, with its version.
    pub generator: String,
    /// The file that was read.
    pub file: SourceFile,
    /// What the file says about itself.
    pub tags: Tags,
    /// What was measured.
    pub analysis: Analysis,
    /// Places to jump to, in order of time.
    pub cues: Vec<CuePoint>,
    /// Stretches that repeat well, the best first.
    pub loops: Vec<LoopPoint>,
    /// The stems that were written; empty when nothing was separated.
    pub stems: Vec<StemFile>,
    /// How the stems were made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separation: Option<Separation>,
}

impl SongReport {
    /// A report without cues, loops and stems, stamped with this version of the program.
    pub fn new(file: SourceFile, tags: Tags, analysis: Analysis) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            generator: GENERATOR.to_owned(),
            file,
            tags,
            analysis,
            cues: Vec::new(),
            loops: Vec::new(),
            stems: Vec::new(),
            separation: None,
        }
    }

    /// The title to show: the tag, or the file's name without its extension.
    pub fn title(&self) -> &str {
        naming::shown(self.tags.title.as_deref()).unwrap_or_else(|| naming::file_stem(&self.file.name))
    }

    /// The artist to show, where the file names one.
    pub fn artist(&self) -> Option<&str> {
        naming::shown(self.tags.artist.as_deref())
    }

    /// What a DJ asks first, in one line: "124.00 BPM  8A  -9.1 LUFS  energy 7".
    pub fn headline(&self) -> String {
        let analysis = &self.analysis;
        let parts = [
            analysis.rhythm.as_ref().map(|rhythm| format!("{:.2} BPM", rhythm.tempo.bpm)),
            analysis.key.as_ref().map(|found| found.key.camelot()),
            analysis
                .loudness
                .as_ref()
                .and_then(|loudness| loudness.integrated_lufs)
                .map(|lufs| format!("{lufs:.1} LUFS")),
            analysis.energy.as_ref().map(|energy| format!("energy {}", energy.level)),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
    }

    /// A name for the song's folder that every file system takes: "artist - title".
    ///
    /// Two songs may have the same name; keeping them apart is the caller's part.
    pub fn folder_name(&self) -> String {
        naming::song_name(&self.tags, &self.file.name)
    }
}

/// The file a song was read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceFile {
    /// Name without folders.
    pub name: String,
    /// Absolute path in the form of the system that read it.
    pub path: String,
    /// Size in bytes.
    pub size_bytes: u64,
    /// BLAKE3 hash of all bytes, in hexadecimal: the same song under another name is known again.
    pub blake3: String,
    /// Container, for example "flac" or "mp4".
    pub container: String,
    /// Codec, for example "mp3" or "alac".
    pub codec: String,
    /// Frames per second.
    pub sample_rate_hz: u32,
    /// Channels.
    pub channels: usize,
    /// Bits of one sample, where the codec keeps samples as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits_per_sample: Option<u32>,
    /// Mean bits per second of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bit_rate_bps: Option<u64>,
    /// Frames that were decoded, after trimming.
    pub frames: u64,
    /// Encoder delay that was cut from the start.
    pub leading_trim_frames: u64,
    /// Encoder padding that was cut from the end.
    pub trailing_trim_frames: u64,
    /// Where the trim is known from: programs that trim otherwise place the same beat elsewhere.
    #[serde(default)]
    pub trim_source: TrimSource,
    /// What was odd about the file, in sentences for people.
    pub warnings: Vec<String>,
}

/// One stem that was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StemFile {
    /// What it holds.
    pub kind: StemKind,
    /// Path relative to the song's folder, with forward slashes.
    pub file: String,
    /// Highest sample in dBFS; absent in silence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_dbfs: Option<f64>,
    /// Root mean square of all samples in dBFS; absent in silence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rms_dbfs: Option<f64>,
    /// The factor that this stem alone was multiplied by, where each was rescaled by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gain: Option<f32>,
    /// The stem's picture for the report's lanes; not part of the JSON.
    #[serde(skip)]
    pub waveform: Option<WaveformLevel>,
}

/// The networks that made stems, and everything that decided what they made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelUse {
    /// The name that selects the model, for example "htdemucs".
    pub name: String,
    /// What the caller asked for.
    pub options: ModelOptions,
    /// Its networks: their files of weights, windows and shifts. Empty where another program ran them.
    pub networks: Vec<NetworkRun>,
    /// That program and its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
}

/// How stems were made and written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Separation {
    /// The name that selects the engine, for example "classic".
    pub engine: String,
    /// One line for people: what the engine or its model is and how good.
    pub description: String,
    /// The model, where the engine has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelUse>,
    /// Which stems were asked for.
    #[serde(default)]
    pub selection: StemSelection,
    /// Container, bit depth and dither of the files.
    pub encode: EncodeOptions,
    /// What was done about stems louder than full scale.
    pub peaks: PeakPolicy,
    /// The factor that all stems were multiplied by, to stay below full scale; 1 where each has its own.
    pub gain: f32,
    /// How clean the stems are, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<SeparationQuality>,
}

impl Separation {
    /// Whether the same stems would come out again: everything but what was measured is the same.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let Self { engine, description: _, model, selection, encode, peaks, gain: _, quality: _ } = self;
        (engine, model, selection, encode, peaks)
            == (&other.engine, &other.model, &other.selection, &other.encode, &other.peaks)
    }
}

/// The stems of one song where nothing else was asked for: `stems.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StemSheet {
    /// Shape of this document: 1.
    #[schemars(range(min = 1, max = 1))]
    pub schema_version: u32,
    /// The program that separated, with its version.
    pub generator: String,
    /// The file that was read.
    pub file: SourceFile,
    /// How the stems were made.
    pub separation: Separation,
    /// The stems, with paths relative to this document.
    pub stems: Vec<StemFile>,
}
