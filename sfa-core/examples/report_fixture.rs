//! Writes the report of a made-up song, to look at while working on the page, its collections for rekordbox and Traktor,
//! and its cues into the tags of an audio file, for other programs to read:
//! `cargo run -p sfa-core --example report_fixture -- report.html rekordbox.xml collection.nml SONG`.

#[path = "../tests/fixture/mod.rs"]
mod fixture;

use std::path::Path;

use sfa_core::export::{rekordbox_xml, report_html, serato_tags, traktor_nml};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let song = fixture::song();
    let mut paths = std::env::args().skip(1);
    std::fs::write(paths.next().as_deref().unwrap_or("report.html"), report_html(&song))?;
    if let Some(path) = paths.next() {
        std::fs::write(path, rekordbox_xml(&[&song]))?;
    }
    if let Some(path) = paths.next() {
        std::fs::write(path, traktor_nml("Made up", &[&song]))?;
    }
    if let Some(path) = paths.next() {
        serato_tags(&song).write_to(Path::new(&path))?;
    }
    Ok(())
}
