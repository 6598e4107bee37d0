//! Copies of a whole library, made while it is in use; [`restore`](super::restore) brings them back.
//!
//! A backup is a folder: the rows of one moment, the contents that they name, and a manifest with the hash of
//! everything. It gets its name when it is complete. Rows are in the database's own form, so that a backup goes back
//! into a database of the kind that it is from. Secrets that are files beside the library, such as what links are
//! signed with, are not in it: who finds a backup can read songs and not more.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt as _;

use super::{
    Blob, DatabaseKind, Library, LibraryError, LibraryErrorKind, LibraryResult, RowsCopy, Soundness,
};

pub(super) const FORMAT: u32 = 1;
pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const ROWS: &str = "rows";
const CONTENTS: &str = "contents";
/// Nobody takes a hidden folder without a manifest for a backup.
const UNFINISHED: &str = ".sfa-backup-";

/// What a backup holds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) format: u32,
    /// The version of the program that made it.
    pub(super) made_by: String,
    pub(super) made_at_ms: i64,
    pub(super) database: DatabaseKind,
    /// The last step by which the tables came to be.
    pub(super) migration: i64,
    /// The files of the rows: the name of each, and what it is.
    pub(super) rows: Vec<(String, Blob)>,
    pub(super) contents: Vec<Blob>,
}

/// What was backed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BackupReport {
    /// Contents in the backup.
    pub contents: usize,
    /// Bytes of these.
    pub size_bytes: i64,
    /// Contents that rows name and that were not there, or not what their name says.
    pub missing: Vec<String>,
    /// BLAKE3 of the manifest, which holds the hashes of all the rest.
    pub digest: String,
}

impl Library {
    /// Copies everything into the new folder `to`, as it is at the moment when this begins, and tells `on_progress` how
    /// many contents of how many are copied. If it is dropped or fails there is nothing at `to`.
    ///
    /// # Errors
    /// `Conflict` when there is something at `to`, `NoSpace` when the disk is full, `Storage` and `Database` when
    /// something cannot be read or written.
    pub async fn back_up(
        &self,
        to: &Path,
        mut on_progress: impl FnMut(usize, usize),
    ) -> LibraryResult<BackupReport> {
        if to.exists() {
            let message = format!("{} is there already; name a new folder", to.display());
            return Err(LibraryError::new(LibraryErrorKind::Conflict, message));
        }
        let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        make_folder(parent)?;
        // Only its owner can look into a temporary folder.
        let staging = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempdir_in(parent)
            .map_err(|error| LibraryError::storage(parent, error))?;
        let rows_folder = staging.path().join(ROWS);
        make_folder(&rows_folder)?;
        let RowsCopy { database, migration, files, blobs } = self.rows().copy_rows(&rows_folder).await?;
        let mut rows = Vec::new();
        for name in files {
            let blob = blob_of(&rows_folder.join(&name)).await?;
            rows.push((name, blob));
        }
        let (mut contents, mut missing) = (Vec::new(), Vec::new());
        let total = blobs.len();
        for (done, blob) in blobs.into_iter().enumerate() {
            on_progress(done, total);
            let folder = content_folder(staging.path(), &blob.hash);
            make_folder(&folder)?;
            if self.files().back_up(&blob.hash, &folder).await? == Soundness::Sound {
                contents.push(blob);
            } else if !self.rows().tracks_with_blob(&blob.hash).await?.is_empty() {
                // Others were reserved and never named: nobody misses them.
                missing.push(blob.hash);
            }
        }
        on_progress(total, total);
        let manifest = Manifest {
            format: FORMAT,
            made_by: env!("CARGO_PKG_VERSION").to_owned(),
            made_at_ms: super::front::now_ms(),
            database,
            migration,
            rows,
            contents,
        };
        let text = serde_json::to_vec_pretty(&manifest).expect("a manifest is plain data");
        write(&staging.path().join(MANIFEST), &text).await?;
        let report = BackupReport {
            contents: manifest.contents.len(),
            size_bytes: manifest.contents.iter().map(|blob| blob.size_bytes).sum(),
            missing,
            digest: blake3::hash(&text).to_hex().to_string(),
        };
        std::fs::rename(staging.path(), to).map_err(|error| LibraryError::storage(to, error))?;
        Ok(report)
    }
}

/// What a manifest calls a file, if it is only a name.
pub(super) fn plain_name(name: &str) -> LibraryResult<&str> {
    let is_plain =
        name.len() > 1 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if is_plain && !name.starts_with('.') { Ok(name) } else { Err(unusable("its manifest names no file")) }
}

pub(super) fn content_folder(backup: &Path, hash: &str) -> PathBuf {
    backup.join(CONTENTS).join(&hash[..2])
}

/// Fails unless a file is what the manifest says.
pub(super) async fn make_sure(path: &Path, expected: &Blob) -> LibraryResult<()> {
    if blob_of(path).await? == *expected {
        return Ok(());
    }
    Err(unusable(&format!("{} is not what it was when the backup was made", path.display())))
}

async fn blob_of(path: &Path) -> LibraryResult<Blob> {
    let failed = |error| LibraryError::storage(path, error);
    let mut file = tokio::fs::File::open(path).await.map_err(failed)?;
    let (mut hasher, mut part, mut size_bytes) = (blake3::Hasher::new(), vec![0; 1 << 18], 0);
    loop {
        let read = file.read(&mut part).await.map_err(failed)?;
        if read == 0 {
            return Ok(Blob { hash: hasher.finalize().to_hex().to_string(), size_bytes });
        }
        hasher.update(&part[..read]);
        size_bytes += read as i64;
    }
}

pub(super) async fn write(path: &Path, bytes: &[u8]) -> LibraryResult<()> {
    let failed = |error| LibraryError::storage(path, error);
    tokio::fs::write(path, bytes).await.map_err(failed)?;
    let file = tokio::fs::OpenOptions::new().write(true).open(path).await.map_err(failed)?;
    file.sync_all().await.map_err(failed)
}

pub(super) fn make_folder(path: &Path) -> LibraryResult<()> {
    std::fs::create_dir_all(path).map_err(|error| LibraryError::storage(path, error))
}

pub(super) fn unusable(reason: &str) -> LibraryError {
    LibraryError::new(LibraryErrorKind::Invalid, format!("this backup cannot be used: {reason}"))
}
