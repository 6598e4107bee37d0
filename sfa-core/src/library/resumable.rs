//! Files that come in several requests, with pauses and broken connections in between.
//!
//! What has come of a file is the length of its file on the disk, so that nothing has to be written down while it comes
//! and a process that dies loses no more than it had not yet handed to the system.

use std::fs::TryLockError;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt as _;

use super::{
    Imported, Library, LibraryError, LibraryErrorKind, LibraryResult, OpenUpload, Scope, Step, UploadId,
};
use crate::naming;

const FOLDER: &str = "resumable";
/// An upload is forgotten when nothing came for so long.
const LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// Uploads of one user that may be open at once.
const MOST_OPEN: usize = 64;

/// An upload, and how much of it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartialUpload {
    /// What was announced.
    pub upload: OpenUpload,
    /// Bytes that have come.
    pub offset_bytes: u64,
}

/// An upload that goes on. As long as this value lives nobody else adds to it.
#[derive(Debug)]
pub struct Resumed {
    upload: OpenUpload,
    path: PathBuf,
    file: File,
    offset_bytes: u64,
}

impl Library {
    /// Makes room for a file of `size_bytes` that will come in several pieces, see
    /// [`resume_upload`](Self::resume_upload). `file_name` may be any text.
    ///
    /// # Errors
    /// `NoSpace` when the quota or the disk are too full for it, or it is larger than `most_bytes`; `Conflict` when the
    /// user has too many open already; `Invalid` for nothing.
    pub async fn open_upload(
        &self,
        scope: Scope,
        file_name: &str,
        size_bytes: u64,
        most_bytes: u64,
    ) -> LibraryResult<OpenUpload> {
        self.sweep_uploads().await?;
        let open = self.rows().uploads(scope).await?;
        let waiting = open.iter().filter(|upload| upload.track.is_none());
        if waiting.clone().count() >= MOST_OPEN {
            let message = format!("{MOST_OPEN} uploads are open already; finish some or remove them");
            return Err(LibraryError::new(LibraryErrorKind::Conflict, message));
        }
        let awaited: u64 = waiting.map(|upload| u64::try_from(upload.size_bytes).unwrap_or(0)).sum();
        if size_bytes > most_bytes {
            let message = format!("there is room for a file of up to {} MB", most_bytes >> 20);
            return Err(LibraryError::new(LibraryErrorKind::NoSpace, message));
        }
        self.make_sure_of_space(scope, size_bytes.saturating_add(awaited)).await?;
        let size_bytes = i64::try_from(size_bytes).unwrap_or(i64::MAX);
        let name = naming::safe_name(file_name);
        let upload = self.rows().add_upload(scope, &name, size_bytes, LIFETIME).await?;
        let path = self.path_of(&upload);
        let folder = path.parent().unwrap_or(&path);
        tokio::fs::create_dir_all(folder).await.map_err(|error| LibraryError::storage(folder, error))?;
        File::create_new(&path).await.map_err(|error| LibraryError::storage(&path, error))?;
        Ok(upload)
    }

    /// How much of an upload has come.
    ///
    /// # Errors
    /// `NotFound` when there is none, or its time is over.
    pub async fn upload_so_far(&self, scope: Scope, id: UploadId) -> LibraryResult<PartialUpload> {
        let upload = self.rows().upload(scope, id).await?;
        let offset_bytes = match upload.track {
            Some(_) => u64::try_from(upload.size_bytes).unwrap_or(0),
            None => length_of(&self.path_of(&upload), id).await?,
        };
        Ok(PartialUpload { upload, offset_bytes })
    }

    /// Goes on with an upload where it stopped.
    ///
    /// # Errors
    /// `NotFound` when there is none, or its time is over; `Conflict` when another request adds to it.
    pub async fn resume_upload(&self, scope: Scope, id: UploadId) -> LibraryResult<Resumed> {
        let upload = self.rows().prolong_upload(scope, id, LIFETIME).await?;
        if upload.track.is_some() {
            let message = "this upload is finished";
            return Err(LibraryError::new(LibraryErrorKind::Conflict, message));
        }
        let path = self.path_of(&upload);
        let opened = OpenOptions::new().append(true).open(&path).await;
        let file = opened.map_err(|error| gone(&path, id, error))?.into_std().await;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let message = "another request adds to this upload; try again when it has ended";
                return Err(LibraryError::new(LibraryErrorKind::Conflict, message));
            }
            Err(TryLockError::Error(error)) => return Err(LibraryError::storage(&path, error)),
        }
        // What the request before was still writing when its connection broke is there now.
        let offset_bytes = file.metadata().map_err(|error| LibraryError::storage(&path, error))?.len();
        Ok(Resumed { upload, path, file: File::from_std(file), offset_bytes })
    }

    /// Imports an upload that has come whole, see [`import`](Self::import). Of the steps that the user wants, those that
    /// are `allowed` are done. Where the process dies in between, doing this again does no harm: the same file is the
    /// same song.
    ///
    /// # Errors
    /// As [`import`](Self::import). What is no song is removed.
    pub async fn import_resumed(
        &self,
        scope: Scope,
        resumed: Resumed,
        allowed: &[Step],
    ) -> LibraryResult<Imported> {
        let id = resumed.upload.id;
        match self.import_steps(scope, &resumed.path, None, allowed).await {
            Ok(imported) => {
                self.rows().finish_upload(scope, id, imported.track.id).await?;
                remove(folder_of(&resumed.path)).await;
                Ok(imported)
            }
            Err(error) => {
                if error.kind() == LibraryErrorKind::Audio {
                    self.rows().remove_upload(scope, id).await?;
                    remove(folder_of(&resumed.path)).await;
                }
                Err(error)
            }
        }
    }

    /// Gives an upload up.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn close_upload(&self, scope: Scope, id: UploadId) -> LibraryResult<()> {
        let upload = self.rows().upload(scope, id).await?;
        self.rows().remove_upload(scope, id).await?;
        remove(folder_of(&self.path_of(&upload))).await;
        Ok(())
    }

    /// Removes what is left of uploads whose time is over.
    ///
    /// # Errors
    /// `Database` when it cannot be reached, `Storage` when the folder cannot be read.
    pub async fn sweep_uploads(&self) -> LibraryResult<()> {
        let all = self.folder().join(FOLDER);
        let failed = |error| LibraryError::storage(&all, error);
        let mut entries = match tokio::fs::read_dir(&all).await {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        // Folders first: one that comes meanwhile has its row before.
        let mut folders = Vec::new();
        while let Some(entry) = entries.next_entry().await.map_err(failed)? {
            folders.push(entry);
        }
        let awaited: Vec<String> =
            self.rows().awaited_uploads().await?.iter().map(ToString::to_string).collect();
        for entry in folders {
            if !entry.file_name().to_str().is_some_and(|name| awaited.iter().any(|id| id == name)) {
                remove(&entry.path()).await;
            }
        }
        Ok(())
    }

    fn path_of(&self, upload: &OpenUpload) -> PathBuf {
        self.folder().join(FOLDER).join(upload.id.to_string()).join(&upload.file_name)
    }
}

impl Resumed {
    /// What was announced.
    pub fn upload(&self) -> &OpenUpload {
        &self.upload
    }

    /// Bytes that have come.
    pub fn offset_bytes(&self) -> u64 {
        self.offset_bytes
    }

    /// Bytes that are still to come.
    pub fn missing_bytes(&self) -> u64 {
        u64::try_from(self.upload.size_bytes).unwrap_or(0).saturating_sub(self.offset_bytes)
    }

    /// Adds what has come.
    ///
    /// # Errors
    /// `Invalid` for more than was announced, of which nothing is added; `NoSpace` when the disk is full.
    pub async fn write(&mut self, bytes: &[u8]) -> LibraryResult<()> {
        if bytes.len() as u64 > self.missing_bytes() {
            let message =
                format!("this is more than the {} bytes that were announced", self.upload.size_bytes);
            return Err(LibraryError::new(LibraryErrorKind::Invalid, message));
        }
        self.file.write_all(bytes).await.map_err(|error| LibraryError::storage(&self.path, error))?;
        self.offset_bytes += bytes.len() as u64;
        Ok(())
    }

    /// Makes sure that what has come is on the disk.
    ///
    /// # Errors
    /// `NoSpace` when that is full, `Storage` when it cannot be written.
    pub async fn settle(&mut self) -> LibraryResult<()> {
        let failed = |error| LibraryError::storage(&self.path, error);
        self.file.flush().await.map_err(failed)?;
        self.file.sync_data().await.map_err(failed)
    }
}

async fn length_of(path: &Path, id: UploadId) -> LibraryResult<u64> {
    tokio::fs::metadata(path).await.map(|metadata| metadata.len()).map_err(|error| gone(path, id, error))
}

/// Another machine may have it, whose disk is not this one.
fn gone(path: &Path, id: UploadId, error: std::io::Error) -> LibraryError {
    if error.kind() == std::io::ErrorKind::NotFound {
        LibraryError::not_found("upload", id)
    } else {
        LibraryError::storage(path, error)
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

/// Removes a folder; somebody else may have been faster.
async fn remove(folder: &Path) {
    tokio::fs::remove_dir_all(folder).await.ok();
}
