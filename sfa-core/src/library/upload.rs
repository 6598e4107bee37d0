//! Files that come in piece by piece, from somewhere else.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;

use super::{Imported, Library, LibraryError, LibraryErrorKind, LibraryResult, Scope, Step};
use crate::naming;

const FOLDER: &str = "uploads";
/// What a crashed process left is removed after so long.
const FORGOTTEN: Duration = Duration::from_secs(24 * 3600);

/// A file on its way in. It is gone with this value, unless it was imported.
#[derive(Debug)]
pub struct Upload {
    folder: TempDir,
    path: PathBuf,
    file: File,
    size_bytes: u64,
    most_bytes: u64,
}

/// A file that has come whole and is no song.
#[derive(Debug)]
pub struct UploadedFile {
    path: PathBuf,
    _folder: TempDir,
}

impl UploadedFile {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Library {
    /// Makes room for a file that is about to come. `file_name` may be any text; what is shown of it is made harmless.
    /// `size_bytes` is what the sender announced.
    ///
    /// # Errors
    /// `NoSpace` when the quota or the disk are too full for it, or it is larger than `most_bytes`.
    pub async fn begin_upload(
        &self,
        scope: Scope,
        file_name: &str,
        size_bytes: Option<u64>,
        most_bytes: u64,
    ) -> LibraryResult<Upload> {
        make_sure_it_fits(size_bytes.unwrap_or(0), most_bytes)?;
        let room_bytes = self.make_sure_of_space(scope, size_bytes.unwrap_or(0)).await?;
        let all = self.folder().join(FOLDER);
        let failed = |error| LibraryError::storage(&all, error);
        tokio::fs::create_dir_all(&all).await.map_err(failed)?;
        remove_forgotten(&all).await;
        let folder = TempDir::new_in(&all).map_err(failed)?;
        let path = folder.path().join(naming::safe_name(file_name));
        let file = File::create_new(&path).await.map_err(failed)?;
        Ok(Upload { folder, path, file, size_bytes: 0, most_bytes: most_bytes.min(room_bytes) })
    }

    /// Imports a file that has come whole, see [`import`](Self::import). Of the steps that the user wants, those that
    /// are `allowed` are done.
    ///
    /// # Errors
    /// As [`import`](Self::import).
    pub async fn import_upload(
        &self,
        scope: Scope,
        mut upload: Upload,
        allowed: &[Step],
    ) -> LibraryResult<Imported> {
        upload.file.flush().await.map_err(|error| LibraryError::storage(&upload.path, error))?;
        let imported = self.import_steps(scope, &upload.path, None, allowed).await;
        // Removing many megabytes is no work for a thread that answers.
        tokio::task::spawn_blocking(move || drop(upload.folder)).await.ok();
        imported
    }
}

impl Upload {
    /// Adds what has come.
    ///
    /// # Errors
    /// `NoSpace` when it has become larger than was allowed, or the disk is full.
    pub async fn write(&mut self, bytes: &[u8]) -> LibraryResult<()> {
        self.size_bytes += bytes.len() as u64;
        make_sure_it_fits(self.size_bytes, self.most_bytes)?;
        self.file.write_all(bytes).await.map_err(|error| LibraryError::storage(&self.path, error))
    }

    /// The file as it has come, whole; it is gone with what is returned.
    ///
    /// # Errors
    /// `Storage` when it cannot be written.
    pub async fn into_file(mut self) -> LibraryResult<UploadedFile> {
        self.file.flush().await.map_err(|error| LibraryError::storage(&self.path, error))?;
        Ok(UploadedFile { path: self.path, _folder: self.folder })
    }

    /// What has come so far.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }
}

fn make_sure_it_fits(size_bytes: u64, most_bytes: u64) -> LibraryResult<()> {
    if size_bytes <= most_bytes {
        return Ok(());
    }
    let message = format!("there is room for a file of up to {} MB", most_bytes >> 20);
    Err(LibraryError::new(LibraryErrorKind::NoSpace, message))
}

/// Removes what nobody has touched for a day.
pub(super) async fn remove_forgotten(folder: &Path) {
    let Ok(mut entries) = tokio::fs::read_dir(folder).await else { return };
    while let Ok(Some(entry)) = entries.next_entry().await {
        let Ok(metadata) = entry.metadata().await else { continue };
        let age = metadata.modified().ok().and_then(|at| SystemTime::now().duration_since(at).ok());
        if age.is_some_and(|age| age > FORGOTTEN) {
            // Somebody else may have been faster.
            tokio::fs::remove_dir_all(entry.path()).await.ok();
        }
    }
}
