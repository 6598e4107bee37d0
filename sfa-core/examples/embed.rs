//! A studio in thirty lines: open a library, import a song, wait, print its key.
//!
//! `cargo run --release -p sfa-core --example embed [SONG]`; without a song it synthesises one.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "examples talk")]

use std::path::{Path, PathBuf};

use sfa_core::library::{LibraryConfig, Scope, Settings, Step, WorkerOptions};
use sfa_core::{Studio, Watch};

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let song = match std::env::args_os().nth(1) {
        Some(song) => PathBuf::from(song),
        None => demo(folder.path())?,
    };
    println!("{}", key_of(&song, folder.path()).await?);
    Ok(())
}

/// Analyses a song in a library in `folder`.
pub(crate) async fn key_of(song: &Path, folder: &Path) -> Result<String, Failure> {
    let library = Studio::new().open(LibraryConfig::in_folder(folder.join("library"))).await?;
    library.set_settings(Scope::LOCAL, &Settings::of_steps([Step::Analyze])).await?;
    let worker = library.start_worker(WorkerOptions::default()).await?;
    let imported = library.import(Scope::LOCAL, song).await?;
    let track = library
        .wait(Scope::LOCAL, imported.track.id, |step, percent| eprintln!("{step} {percent} %"))
        .await?;
    worker.shutdown(std::time::Duration::from_secs(10)).await;
    Ok(track.analysis.and_then(|analysis| analysis.key).unwrap_or_else(|| "no key".to_owned()))
}

fn demo(folder: &Path) -> Result<PathBuf, Failure> {
    let song = folder.join("demo.flac");
    Studio::new().write_demo(&song, &Watch::new())?;
    Ok(song)
}
