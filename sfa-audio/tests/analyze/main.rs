//! What analysis must find in material whose answers are known.
#![allow(clippy::print_stderr, reason = "tests say aloud what they skip")]

mod chords;
mod danceability;
mod drums;
mod key;
mod loudness;
mod song;
mod stems;
mod vocals;
mod whole;

use std::path::{Path, PathBuf};

use sfa_audio::analyze::{Feature, analyze};
use sfa_audio::{Analysis, AnalyzeOptions, Clip, Watch};

/// Answers one question about a clip.
fn analysis_of(clip: &Clip, feature: Feature) -> Analysis {
    let options = AnalyzeOptions::default().features([feature]);
    analyze(&mut clip.source(), &options, &Watch::new()).expect("nobody stops it")
}

/// A file of the shared test audio, or `None`, said aloud, where it is missing.
fn shared_audio(path: &str) -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/audio").join(path);
    if !file.exists() {
        eprintln!("skipped: {} is not here", file.display());
    }
    file.exists().then_some(file)
}

/// Decodes a whole WAV or FLAC file.
fn decoded(path: &Path) -> Clip {
    sfa_audio::io::read_clip(path).unwrap()
}
