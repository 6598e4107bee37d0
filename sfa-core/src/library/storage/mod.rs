//! Where a library keeps its files: contents named after their own hash.
//!
//! A content is written to a temporary name while it is hashed, flushed, and then given its final name in one step
//! that fails where that name is taken: the same content twice is kept once, and a name never shows half a file.
//! A crash leaves a temporary file at worst, which [`Storage::sweep`] removes.

mod place;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use object_store::buffered::BufWriter;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt as _};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use uuid::Uuid;

pub use place::StorageKeys;

use super::{Blob, LibraryError, LibraryErrorKind, LibraryResult};

const BLOBS: &str = "blobs";
const INCOMING: &str = "incoming";
/// Bytes read, hashed and written at a time.
const CHUNK_BYTES: usize = 1 << 18;
/// Bytes of a file that are sent to a store together; a store takes at most 10,000 parts, and none smaller.
const PART_BYTES: usize = 5 << 20;
/// Parts on their way: they are what an upload costs in memory.
const PARTS_AT_ONCE: usize = 4;

/// The files of a library.
#[derive(Debug, Clone)]
pub struct Storage {
    store: Arc<dyn ObjectStore>,
    /// Where the same files can be opened directly.
    root: Option<PathBuf>,
}

impl Storage {
    /// In a folder of this machine, which is made where there is none. Files are flushed to disk before they count.
    ///
    /// # Errors
    /// `Storage` when the folder cannot be made.
    pub fn local(root: &Path) -> LibraryResult<Self> {
        std::fs::create_dir_all(root).map_err(|error| LibraryError::storage(root, error))?;
        let store = LocalFileSystem::new_with_prefix(root).map_err(failed)?.with_fsync(true);
        Ok(Self { store: Arc::new(store), root: Some(root.to_owned()) })
    }

    /// In any store of objects that can create a name only where it is free, see [`probe`](Self::probe).
    pub fn over(store: Arc<dyn ObjectStore>) -> Self {
        Self { store, root: None }
    }

    /// Whether the files are on a disk of this machine.
    pub fn is_local(&self) -> bool {
        self.root.is_some()
    }

    /// Refuses a store that would let two writers both believe that they created one name.
    ///
    /// # Errors
    /// `Storage` when the store cannot be reached or does not keep this promise.
    pub async fn probe(&self) -> LibraryResult<()> {
        let key = Key::from_iter([INCOMING, &format!("probe-{}", Uuid::now_v7())]);
        let copy = Key::from_iter([INCOMING, &format!("probe-{}", Uuid::now_v7())]);
        self.store.put(&key, Bytes::from_static(b"sfa").into()).await.map_err(failed)?;
        self.store.copy_if_not_exists(&key, &copy).await.map_err(failed)?;
        let second = self.store.copy_if_not_exists(&key, &copy).await;
        let part = self.store.get_range(&key, 1..3).await;
        self.store.delete(&key).await.map_err(failed)?;
        self.store.delete(&copy).await.map_err(failed)?;
        let refused = matches!(second, Err(object_store::Error::AlreadyExists { .. }));
        if !refused || part.map_err(failed)?.as_ref() != b"fa" {
            let message = "this store overwrites names that are taken or ignores ranges; it would lose files";
            return Err(LibraryError::new(LibraryErrorKind::Storage, message));
        }
        Ok(())
    }

    /// Takes in a file under a temporary name, and says what it is.
    ///
    /// # Errors
    /// `Storage` when it cannot be read or kept, `NoSpace` when the disk is full.
    pub async fn stage_file(&self, path: &Path) -> LibraryResult<Staged> {
        let file = tokio::fs::File::open(path).await.map_err(|error| LibraryError::storage(path, error))?;
        self.stage(file, path).await
    }

    /// Takes in a content that is in memory.
    ///
    /// # Errors
    /// As [`stage_file`](Self::stage_file).
    pub async fn stage_bytes(&self, bytes: &[u8]) -> LibraryResult<Staged> {
        self.stage(bytes, Path::new("memory")).await
    }

    async fn stage(&self, mut content: impl AsyncRead + Unpin, from: &Path) -> LibraryResult<Staged> {
        let key = Key::from_iter([INCOMING, &Uuid::now_v7().to_string()]);
        let mut writer = BufWriter::with_capacity(Arc::clone(&self.store), key.clone(), PART_BYTES)
            .with_max_concurrency(PARTS_AT_ONCE);
        match copy_hashing(&mut content, &mut writer, from).await {
            Ok(blob) => Ok(Staged { blob, key }),
            Err(error) => {
                writer.abort().await.ok();
                self.store.delete(&key).await.ok();
                Err(error)
            }
        }
    }

    /// Gives a staged content its name. The name must have been reserved before, see
    /// [`Store::reserve_blob`](super::Store::reserve_blob), or a sweep may remove what was there already.
    ///
    /// # Errors
    /// `Storage` when it cannot be kept.
    pub async fn publish(&self, staged: Staged) -> LibraryResult<Blob> {
        let Staged { blob, key: incoming } = staged;
        let published = self.store.copy_if_not_exists(&incoming, &key(&blob.hash)?).await;
        self.store.delete(&incoming).await.map_err(failed)?;
        match published {
            Ok(()) | Err(object_store::Error::AlreadyExists { .. }) => Ok(blob),
            Err(error) => Err(failed(error)),
        }
    }

    /// Part of a content.
    ///
    /// # Errors
    /// `NotFound` when it is not there.
    pub async fn read(&self, hash: &str, range: Range<u64>) -> LibraryResult<Bytes> {
        self.store.get_range(&key(hash)?, range).await.map_err(failed)
    }

    /// How long a content is, if it is there.
    ///
    /// # Errors
    /// `Storage` when that cannot be told.
    pub async fn size_bytes(&self, hash: &str) -> LibraryResult<Option<u64>> {
        match self.store.head(&key(hash)?).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Puts a content into `folder` under `name` for reading: as a link where both are on this disk, as a copy
    /// otherwise.
    ///
    /// # Errors
    /// `NotFound` when it is not there, `Storage` when it cannot be written.
    pub async fn lend(&self, hash: &str, folder: &Path, name: &str) -> LibraryResult<PathBuf> {
        let path = folder.join(name);
        if let Some(root) = &self.root
            && tokio::fs::hard_link(root.join(key(hash)?.as_ref()), &path).await.is_ok()
        {
            return Ok(path);
        }
        self.copy_out(hash, folder, name).await
    }

    /// Writes a copy of a content into `folder` under `name`; a file of that name is replaced once it is whole.
    ///
    /// # Errors
    /// As [`lend`](Self::lend).
    pub async fn copy_out(&self, hash: &str, folder: &Path, name: &str) -> LibraryResult<PathBuf> {
        let path = folder.join(name);
        let (partial, _) = self.write_out(hash, folder, &path).await?;
        partial.persist(&path).map_err(|error| LibraryError::storage(&path, error.error))?;
        Ok(path)
    }

    /// Writes a copy of a content into `folder` under its hash, on disk when this returns, if it is what that says.
    ///
    /// # Errors
    /// `Storage` when it cannot be read or written, `NoSpace` when the disk is full.
    pub async fn back_up(&self, hash: &str, folder: &Path) -> LibraryResult<Soundness> {
        let path = folder.join(hash);
        let (partial, found) = match self.write_out(hash, folder, &path).await {
            Ok(written) => written,
            Err(error) if error.kind() == LibraryErrorKind::NotFound => return Ok(Soundness::Missing),
            Err(error) => return Err(error),
        };
        if found.to_hex().as_str() != hash {
            return Ok(Soundness::Damaged);
        }
        let file = partial.persist(&path).map_err(|error| LibraryError::storage(&path, error.error))?;
        let flushed = tokio::fs::File::from_std(file).sync_all().await;
        flushed.map_err(|error| LibraryError::storage(&path, error))?;
        Ok(Soundness::Sound)
    }

    /// A copy of a content under a temporary name, and its hash. `path` is where it is going to be.
    async fn write_out(
        &self,
        hash: &str,
        folder: &Path,
        path: &Path,
    ) -> LibraryResult<(tempfile::NamedTempFile, blake3::Hash)> {
        let io_failed = |error| LibraryError::storage(path, error);
        let mut content = self.store.get(&key(hash)?).await.map_err(failed)?.into_stream();
        let partial = tempfile::NamedTempFile::new_in(folder).map_err(io_failed)?;
        let mut file = tokio::fs::File::from_std(partial.reopen().map_err(io_failed)?);
        let mut hasher = blake3::Hasher::new();
        while let Some(bytes) = content.try_next().await.map_err(failed)? {
            hasher.update(&bytes);
            file.write_all(&bytes).await.map_err(io_failed)?;
        }
        file.flush().await.map_err(io_failed)?;
        Ok((partial, hasher.finalize()))
    }

    /// Whether a content is there and is what its name says.
    ///
    /// # Errors
    /// `Storage` when it cannot be read.
    pub async fn verify(&self, hash: &str) -> LibraryResult<Soundness> {
        let content = match self.store.get(&key(hash)?).await {
            Ok(content) => content,
            Err(object_store::Error::NotFound { .. }) => return Ok(Soundness::Missing),
            Err(error) => return Err(failed(error)),
        };
        let mut hasher = blake3::Hasher::new();
        let mut content = content.into_stream();
        while let Some(bytes) = content.try_next().await.map_err(failed)? {
            hasher.update(&bytes);
        }
        let found = hasher.finalize().to_hex();
        Ok(if found.as_str() == hash { Soundness::Sound } else { Soundness::Damaged })
    }

    /// Every content that is there.
    ///
    /// # Errors
    /// `Storage` when the store cannot be listed.
    pub async fn list(&self) -> LibraryResult<Vec<Blob>> {
        let prefix = Key::from(BLOBS);
        let metas: Vec<_> = self.store.list(Some(&prefix)).try_collect().await.map_err(failed)?;
        Ok(metas
            .into_iter()
            .filter_map(|meta| {
                let hash = meta.location.filename()?.to_owned();
                Some(Blob { hash, size_bytes: i64::try_from(meta.size).ok()? })
            })
            .collect())
    }

    /// Removes a content; nothing happens where it is not there.
    ///
    /// # Errors
    /// `Storage` when it cannot be removed.
    pub async fn remove(&self, hash: &str) -> LibraryResult<()> {
        match self.store.delete(&key(hash)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    /// Removes temporary files that are older than `age`, and says how many.
    ///
    /// # Errors
    /// `Storage` when the store cannot be listed.
    pub async fn sweep(&self, age: Duration) -> LibraryResult<usize> {
        let prefix = Key::from(INCOMING);
        let metas: Vec<_> = self.store.list(Some(&prefix)).try_collect().await.map_err(failed)?;
        let mut removed = 0;
        for meta in metas {
            let old =
                SystemTime::now().duration_since(meta.last_modified.into()).is_ok_and(|since| since >= age);
            if old && self.store.delete(&meta.location).await.is_ok() {
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// A content that is in the store, but has no name yet.
#[derive(Debug)]
pub struct Staged {
    blob: Blob,
    key: Key,
}

impl Staged {
    /// What it is.
    pub fn blob(&self) -> &Blob {
        &self.blob
    }
}

/// What became of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Soundness {
    /// It is what its name says.
    Sound,
    /// It is something else.
    Damaged,
    /// It is not there.
    Missing,
}

async fn copy_hashing(
    content: &mut (impl AsyncRead + Unpin),
    writer: &mut BufWriter,
    from: &Path,
) -> LibraryResult<Blob> {
    let mut hasher = blake3::Hasher::new();
    let mut size_bytes = 0;
    loop {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        let mut part = (&mut *content).take(CHUNK_BYTES as u64);
        part.read_to_end(&mut chunk).await.map_err(|error| LibraryError::storage(from, error))?;
        if chunk.is_empty() {
            break;
        }
        hasher.update(&chunk);
        size_bytes += chunk.len() as i64;
        writer.put(Bytes::from(chunk)).await.map_err(failed)?;
    }
    writer.shutdown().await.map_err(|error| LibraryError::storage(from, error))?;
    Ok(Blob { hash: hasher.finalize().to_hex().to_string(), size_bytes })
}

/// Where a content is. What is no hash is refused before it becomes a path.
fn key(hash: &str) -> LibraryResult<Key> {
    if hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Ok(Key::from_iter([BLOBS, &hash[..2], hash]));
    }
    Err(LibraryError::new(LibraryErrorKind::Invalid, format!("{hash:?} does not name a content")))
}

fn failed(error: object_store::Error) -> LibraryError {
    let kind = match &error {
        object_store::Error::NotFound { .. } => LibraryErrorKind::NotFound,
        error if is_disk_full(error) => LibraryErrorKind::NoSpace,
        _ => LibraryErrorKind::Storage,
    };
    LibraryError::new(kind, format!("the store: {error}")).caused_by(error)
}

/// Whether a full disk is what lies at the bottom of an error.
fn is_disk_full(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::StorageFull) {
            return true;
        }
        cause = error.source();
    }
    false
}
