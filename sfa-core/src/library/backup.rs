//! Copies of a whole library that can be brought back, made while it is in use.
//!
//! A backup is a folder: the rows of one moment, the contents that they name, and a manifest with the hash of
//! everything. It gets its name when it is complete. Rows are in the database's own form, so that a backup goes back
//! into a database of the kind that it is from. Secrets that are files beside the library, such as what links are
//! signed with, are not in it: who finds a backup can read songs and not more.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt as _;

use super::front::DATABASE_FILE;
use super::{
    Blob, DatabaseKind, Library, LibraryConfig, LibraryError, LibraryErrorKind, LibraryResult, PostgresStore,
    RowsCopy, Soundness, Storage,
};
use crate::Studio;

const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";
const ROWS: &str = "rows";
const CONTENTS: &str = "contents";
/// Nobody takes a hidden folder without a manifest for a backup.
const UNFINISHED: &str = ".sfa-backup-";

/// What a backup holds.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    /// The version of the program that made it.
    made_by: String,
    made_at_ms: i64,
    database: DatabaseKind,
    /// The last step by which the tables came to be.
    migration: i64,
    /// The files of the rows: the name of each, and what it is.
    rows: Vec<(String, Blob)>,
    contents: Vec<Blob>,
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

impl Studio {
    /// Brings a library back from the backup at `from` to where `config` says, where nothing may be yet, and opens it.
    /// With `digest`, only the backup whose making gave it is taken.
    ///
    /// # Errors
    /// `Conflict` when there is something, `Invalid` for what is no backup, or not as it was made, or of another kind of
    /// database, and the errors of [`open`](Self::open).
    pub async fn restore(
        self,
        from: &Path,
        config: LibraryConfig,
        digest: Option<&str>,
        mut on_progress: impl FnMut(usize, usize),
    ) -> LibraryResult<Library> {
        let manifest = read_manifest(from, digest)?;
        let rows_folder = from.join(ROWS);
        for (name, blob) in &manifest.rows {
            make_sure(&rows_folder.join(plain_name(name)?), blob).await?;
        }
        match (manifest.database, &config.database_url) {
            (DatabaseKind::Sqlite, None) | (DatabaseKind::Postgres, Some(_)) => {}
            (DatabaseKind::Sqlite, Some(_)) => {
                return Err(unusable("it was made of a library in SQLite and cannot go into PostgreSQL"));
            }
            (DatabaseKind::Postgres, None) => {
                return Err(unusable("it was made of a library in PostgreSQL; name an empty database"));
            }
        }
        let database = config.folder.join(DATABASE_FILE);
        make_folder(&config.folder)?;
        let storage = Storage::of_library(&config).await?;
        if database.exists() || !storage.list().await?.is_empty() {
            let message = format!("there is a library at {} already", config.folder.display());
            return Err(LibraryError::new(LibraryErrorKind::Conflict, message));
        }
        let total = manifest.contents.len();
        for (done, blob) in manifest.contents.iter().enumerate() {
            on_progress(done, total);
            let path = content_folder(from, plain_name(&blob.hash)?).join(&blob.hash);
            make_sure(&path, blob).await?;
            storage.publish(storage.stage_file(&path).await?).await?;
        }
        on_progress(total, total);
        // Rows last: without them there is no library yet.
        match &config.database_url {
            Some(url) => {
                let copy = RowsCopy {
                    database: manifest.database,
                    migration: manifest.migration,
                    files: manifest.rows.into_iter().map(|(name, _)| name).collect(),
                    blobs: Vec::new(),
                };
                PostgresStore::fill(url, &copy, &rows_folder).await?;
            }
            None => {
                let (name, _) = manifest.rows.first().ok_or_else(|| unusable("it holds no rows"))?;
                place(&rows_folder.join(name), &database).await?;
            }
        }
        self.open(config).await
    }
}

fn read_manifest(from: &Path, digest: Option<&str>) -> LibraryResult<Manifest> {
    let path = from.join(MANIFEST);
    let text = std::fs::read(&path).map_err(|error| LibraryError::storage(&path, error))?;
    if digest.is_some_and(|digest| blake3::hash(&text).to_hex().as_str() != digest) {
        return Err(unusable("its manifest is not the one with this digest"));
    }
    let manifest: Manifest = serde_json::from_slice(&text)
        .map_err(|error| unusable(&format!("its manifest cannot be read: {error}")))?;
    if manifest.format != FORMAT {
        return Err(unusable("a newer version of this program has made it"));
    }
    Ok(manifest)
}

/// What a manifest calls a file, if it is only a name.
fn plain_name(name: &str) -> LibraryResult<&str> {
    let is_plain =
        name.len() > 1 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if is_plain && !name.starts_with('.') { Ok(name) } else { Err(unusable("its manifest names no file")) }
}

fn content_folder(backup: &Path, hash: &str) -> PathBuf {
    backup.join(CONTENTS).join(&hash[..2])
}

/// Fails unless a file is what the manifest says.
async fn make_sure(path: &Path, expected: &Blob) -> LibraryResult<()> {
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

/// Puts a copy of the file `from` to where nothing is, whole or not at all.
async fn place(from: &Path, to: &Path) -> LibraryResult<()> {
    let partial = to.with_extension("restoring");
    let failed = |error| LibraryError::storage(&partial, error);
    tokio::fs::copy(from, &partial).await.map_err(failed)?;
    let file = tokio::fs::OpenOptions::new().write(true).open(&partial).await.map_err(failed)?;
    file.sync_all().await.map_err(failed)?;
    tokio::fs::rename(&partial, to).await.map_err(|error| LibraryError::storage(to, error))
}

async fn write(path: &Path, bytes: &[u8]) -> LibraryResult<()> {
    let failed = |error| LibraryError::storage(path, error);
    tokio::fs::write(path, bytes).await.map_err(failed)?;
    let file = tokio::fs::OpenOptions::new().write(true).open(path).await.map_err(failed)?;
    file.sync_all().await.map_err(failed)
}

fn make_folder(path: &Path) -> LibraryResult<()> {
    std::fs::create_dir_all(path).map_err(|error| LibraryError::storage(path, error))
}

fn unusable(reason: &str) -> LibraryError {
    LibraryError::new(LibraryErrorKind::Invalid, format!("this backup cannot be used: {reason}"))
}
