//! Where a song's files stand on disk, and how they get there whole or not at all.
//!
//! Everything is first written to a hidden staging folder beside the song's folder. A manifest
//! (`analysis.json`, or `stems.json` where only stems were asked for) is moved last: its presence says that the
//! song is finished.

use std::fs;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sfa_audio::io::AtomicFile;

use crate::claims::{Claim, Claims};
use crate::song::{Separation, SourceFile, StemFile};
use crate::{Error, Result, StemOptions};

/// Marks a song that was processed, and holds its report.
pub(crate) const ANALYSIS_FILE: &str = "analysis.json";
/// Marks a song that was only separated.
pub(crate) const STEMS_FILE: &str = "stems.json";
/// All stems in one archive, where that was asked for.
pub(crate) const ZIP_FILE: &str = "stems.zip";

/// What both manifests have in common.
#[derive(Deserialize)]
struct Manifest {
    file: SourceFile,
    #[serde(default)]
    separation: Option<Separation>,
    stems: Vec<StemFile>,
}

/// The folder of one song below the output folder, claimed until this is dropped.
pub(crate) struct SongFolder<'a> {
    claim: Claim<'a>,
    staging: PathBuf,
    manifest: &'static str,
}

impl<'a> SongFolder<'a> {
    /// Finds the folder for a song called `name` with the content hash `blake3` below `out`: the one that
    /// already holds it, or the first of `name`, `name (2)`, `name (3)`, … that holds no other song.
    pub(crate) fn claim(
        claims: &'a Claims,
        out: &Path,
        name: &str,
        blake3: &str,
        manifest: &'static str,
    ) -> Self {
        let numbered = (2..).map(|number| out.join(format!("{name} ({number})")));
        let holds_no_other = |folder: &Path| {
            read_json::<Manifest>(&folder.join(manifest)).is_none_or(|found| found.file.blake3 == blake3)
        };
        let claim =
            claims.first_free(std::iter::once(out.join(name)).chain(numbered), blake3, holds_no_other);
        let final_name = claim.folder().file_name().unwrap_or_default().to_string_lossy();
        let staging = out.join(format!(".{final_name}.partial"));
        Self { claim, staging, manifest }
    }

    pub(crate) fn path(&self) -> &Path {
        self.claim.folder()
    }

    /// The song's manifest as a whole document, if the song is finished as asked for: same engine and
    /// settings, every stem in its place.
    pub(crate) fn finished<T: DeserializeOwned>(
        &self,
        wanted: &Separation,
        options: &StemOptions,
    ) -> Option<T> {
        let found = self.read()?;
        let made = found.separation?;
        let as_asked = made.is_like(wanted) && (made.quality.is_some() || !options.measure);
        let zip = options.zip.then_some(ZIP_FILE);
        let mut files = found.stems.iter().map(|stem| stem.file.as_str()).chain(zip);
        let complete = files.all(|file| self.path().join(file).is_file());
        if as_asked && complete { read_json(&self.path().join(self.manifest)) } else { None }
    }

    fn read(&self) -> Option<Manifest> {
        read_json(&self.path().join(self.manifest))
    }

    /// Starts with an empty staging folder; whatever a crash left in it goes.
    pub(crate) fn stage(&self) -> Result<Staging<'_>> {
        remove_folder(&self.staging).map_err(|error| Error::io(&self.staging, error))?;
        fs::create_dir_all(&self.staging).map_err(|error| Error::io(&self.staging, error))?;
        Ok(Staging { folder: self })
    }
}

/// A staging folder; dropping it unpublished removes it with all it holds.
pub(crate) struct Staging<'a> {
    folder: &'a SongFolder<'a>,
}

impl Staging<'_> {
    pub(crate) fn root(&self) -> &Path {
        &self.folder.staging
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> Result<()> {
        let path = self.root().join(name);
        fs::write(&path, bytes).map_err(|error| Error::io(&path, error))
    }

    /// Moves everything to its final place.
    ///
    /// A folder that is already there keeps the files that are not ours: only the stems that its old report
    /// names, and files of the same name, are replaced.
    pub(crate) fn publish(self) -> Result<()> {
        let (staged, target) = (self.root(), self.folder.path());
        let old_stems = self.folder.read().map(|found| found.stems).unwrap_or_default();
        if !target.exists() {
            return fs::rename(staged, target).map_err(|error| Error::io(target, error));
        }
        let marker = target.join(self.folder.manifest);
        ignore_missing(fs::remove_file(&marker)).map_err(|error| Error::io(&marker, error))?;
        let old_files = old_stems.iter().map(|stem| stem.file.as_str()).chain([ZIP_FILE]);
        for file in old_files.filter(|file| stays_inside(file)) {
            let path = target.join(file);
            ignore_missing(fs::remove_file(&path)).map_err(|error| Error::io(&path, error))?;
        }
        move_contents(staged, target, self.folder.manifest)?;
        fs::rename(staged.join(self.folder.manifest), &marker).map_err(|error| Error::io(&marker, error))
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        // Nothing can be done about a failure here; the next run empties the folder before it uses it.
        remove_folder(self.root()).ok();
    }
}

/// Whether a path read from a file stays below the folder it is joined to.
fn stays_inside(relative: &str) -> bool {
    Path::new(relative).components().all(|component| matches!(component, Component::Normal(_)))
}

/// Moves all of `from` into `to` except files called `left_out`.
fn move_contents(from: &Path, to: &Path, left_out: &str) -> Result<()> {
    fs::create_dir_all(to).map_err(|error| Error::io(to, error))?;
    for entry in fs::read_dir(from).map_err(|error| Error::io(from, error))? {
        let source = entry.map_err(|error| Error::io(from, error))?.path();
        let Some(name) = source.file_name() else { continue };
        let target = to.join(name);
        if name == left_out {
            continue;
        }
        if source.is_dir() {
            move_contents(&source, &target, left_out)?;
        } else {
            fs::rename(&source, &target).map_err(|error| Error::io(&target, error))?;
        }
    }
    Ok(())
}

/// A JSON document from disk, when there is one that this version can read.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Writes a file, and the folders above it: nobody ever sees half of it.
pub(crate) fn write_whole(path: &Path, bytes: impl AsRef<[u8]>) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
    }
    let file = AtomicFile::create(path)?;
    file.handle()?.write_all(bytes.as_ref()).map_err(|error| Error::io(path, error))?;
    file.publish()
}

fn remove_folder(path: &Path) -> io::Result<()> {
    ignore_missing(fs::remove_dir_all(path))
}

fn ignore_missing(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
