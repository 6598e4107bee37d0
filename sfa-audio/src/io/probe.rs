//! One call for a whole file: what it is and how long it really is, or its samples.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reader::{AudioReader, FileInfo};
use crate::watch::Stage;
use crate::{AudioSource, Clip, Result, Watch};

/// What a file is, found by decoding all of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Probe {
    /// What the file says and what its first frames show.
    #[serde(flatten)]
    pub info: FileInfo,
    /// Length as decoded and trimmed.
    pub frames: u64,
    /// The same in seconds.
    pub duration_secs: f64,
    /// The largest absolute sample, where 1.0 is full scale.
    pub peak: f32,
    /// What was odd about the file.
    pub warnings: Vec<String>,
}

/// Decodes the file at `path` to its end and tells what it is.
///
/// # Errors
/// As [`AudioReader::open`]; `Cancelled` when `watch` says so.
pub fn probe(path: &Path, watch: &Watch) -> Result<Probe> {
    let mut reader = AudioReader::open(path)?;
    let mut block = Clip::empty(reader.spec());
    let (mut frames, mut peak) = (0, 0_f32);
    loop {
        watch.report(Stage::Decode, frames, reader.frames_hint().unwrap_or(0))?;
        let count = reader.read(&mut block)?;
        if count == 0 {
            break;
        }
        frames += count as u64;
        peak = peak.max(block.peak());
    }
    let duration_secs = reader.spec().secs(frames);
    let warnings = reader.warnings().to_vec();
    Ok(Probe { info: reader.info().clone(), frames, duration_secs, peak, warnings })
}

/// Decodes the file at `path` into one clip.
///
/// # Errors
/// As [`AudioReader::open`].
pub fn read_clip(path: &Path) -> Result<Clip> {
    AudioReader::open(path)?.read_to_end()
}
