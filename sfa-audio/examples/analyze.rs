//! Tempo, key and loudness of a file: `cargo run --release -p sfa-audio --example analyze SONG`.
#![allow(clippy::print_stdout, reason = "examples talk")]

use std::path::PathBuf;

use sfa_audio::analyze::{Feature, analyze};
use sfa_audio::io::AudioReader;
use sfa_audio::{AnalyzeOptions, Watch};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = PathBuf::from(std::env::args_os().nth(1).ok_or("which song?")?);
    let mut song = AudioReader::open(&path)?;
    let options = AnalyzeOptions::default().features([Feature::Rhythm, Feature::Key, Feature::Loudness]);
    let analysis = analyze(&mut song, &options, &Watch::new())?;
    if let Some(rhythm) = &analysis.rhythm {
        println!("{:.2} BPM, {} beats", rhythm.tempo.bpm, rhythm.beats.len());
    }
    if let Some(found) = &analysis.key {
        println!("{} ({})", found.key, found.key.camelot());
    }
    if let Some(lufs) = analysis.loudness.and_then(|loudness| loudness.integrated_lufs) {
        println!("{lufs:.1} LUFS");
    }
    Ok(())
}
