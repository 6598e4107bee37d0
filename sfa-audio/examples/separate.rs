//! Splits a file into stems beside it: `cargo run --release -p sfa-audio --example separate SONG`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "examples talk")]

use std::path::PathBuf;

use sfa_audio::io::{AudioFormat, EncodeOptions, read_clip, write_clip};
use sfa_audio::separate::classic::Classic;
use sfa_audio::{Separator, Watch};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = PathBuf::from(std::env::args_os().nth(1).ok_or("which song?")?);
    let mix = read_clip(&path)?;
    let watch = Watch::with_sink(|progress| {
        if let Some(fraction) = progress.fraction() {
            eprint!("\r{:3.0} %", fraction * 100.0);
        }
    });
    let stems = Classic::new().separate(&mix, &watch)?;
    for (kind, stem) in stems.iter() {
        let file = path.with_extension(format!("{kind}.flac"));
        write_clip(&file, stem, &EncodeOptions::new(AudioFormat::Flac), None)?;
        println!("{}", file.display());
    }
    Ok(())
}
