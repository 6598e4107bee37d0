//! Writes the report of a made-up song, to look at while working on the page, and its rekordbox collection:
//! `cargo run -p sfa-core --example report_fixture -- report.html rekordbox.xml`.

#[path = "../tests/fixture/mod.rs"]
mod fixture;

use sfa_core::export::{rekordbox_xml, report_html};

fn main() -> std::io::Result<()> {
    let song = fixture::song();
    let mut paths = std::env::args().skip(1);
    std::fs::write(paths.next().as_deref().unwrap_or("report.html"), report_html(&song))?;
    match paths.next() {
        Some(path) => std::fs::write(path, rekordbox_xml(&[&song])),
        None => Ok(()),
    }
}
