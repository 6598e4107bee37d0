//! Stems in one ZIP archive.

use std::collections::HashSet;
use std::io::{Read, Seek, Write};

use sfa_audio::{Result, Stage, StemKind, Watch};

use super::archive::Archive;
use crate::naming::safe_name;

/// One stem to pack.
pub struct StemEntry<R> {
    /// What the song is called: "artist - title".
    pub song: String,
    /// Which stem of the song it is.
    pub kind: StemKind,
    /// The file's extension without a dot, for example "flac".
    pub extension: String,
    /// The file's size in bytes, for progress and to know where 64-bit records are needed.
    pub size_bytes: u64,
    /// The file's bytes.
    pub reader: R,
}

/// Packs stems as "artist - title - stem.ext", one after the other, in constant memory.
///
/// Names never leave the folder that the archive is unpacked in, and two equal ones are told apart by a number. Nothing
/// in the archive depends on the time it was made.
///
/// # Errors
/// `Cancelled` when `watch` is stopped; `Io` when a stem cannot be read or the archive not be written. What
/// was written until then is not an archive.
pub fn stems_zip<W: Write + Seek, R: Read>(
    writer: W,
    entries: impl IntoIterator<Item = StemEntry<R>>,
    watch: &Watch,
) -> Result<W> {
    let mut archive = Archive::new(writer);
    let mut entries: Vec<_> = entries.into_iter().collect();
    let total_bytes = entries.iter().map(|entry| entry.size_bytes).sum();
    let mut done_bytes = 0;
    let mut taken = HashSet::new();

    for entry in &mut entries {
        let name = free_name(entry, &mut taken);
        let size_bytes = entry.size_bytes;
        archive.add(&name, size_bytes, &mut entry.reader, |copied_bytes| {
            watch.report(Stage::Export, (done_bytes + copied_bytes).min(total_bytes), total_bytes)
        })?;
        done_bytes += size_bytes;
    }
    let writer = archive.finish()?;
    watch.report(Stage::Export, total_bytes, total_bytes)?;
    Ok(writer)
}

/// The entry's name, with a number where an earlier entry has it. Case does not tell names apart: it does not
/// on Windows and macOS.
fn free_name<R>(entry: &StemEntry<R>, taken: &mut HashSet<String>) -> String {
    let song = safe_name(&entry.song);
    let extension = safe_name(&entry.extension);
    let kind = entry.kind;
    let numbered = (2..).map(|number| format!("{song} - {kind} ({number}).{extension}"));
    std::iter::once(format!("{song} - {kind}.{extension}"))
        .chain(numbered)
        .find(|name| taken.insert(name.to_lowercase()))
        .unwrap_or(song)
}
