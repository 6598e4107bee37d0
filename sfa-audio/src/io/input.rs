//! Where encoded bytes come from: a file or memory, opened afresh for every pass.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use symphonia::core::io::MediaSource;

use crate::{Error, Result};

/// Encoded audio that can be opened more than once.
#[derive(Debug, Clone)]
pub(super) enum Input {
    Path(PathBuf),
    Bytes { bytes: Arc<[u8]>, extension: Option<String> },
}

impl Input {
    /// What an error about this input names.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Path(path) => path.display().to_string(),
            Self::Bytes { extension: Some(extension), .. } => format!("audio in memory (.{extension})"),
            Self::Bytes { extension: None, .. } => "audio in memory".to_owned(),
        }
    }

    /// The file name extension in lower case: a hint, never trusted.
    pub(super) fn extension(&self) -> Option<String> {
        match self {
            Self::Path(path) => path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase),
            Self::Bytes { extension, .. } => extension.as_deref().map(str::to_ascii_lowercase),
        }
    }

    /// Opens the bytes at their start.
    pub(super) fn open(&self) -> Result<Bytes> {
        match self {
            Self::Path(path) => Bytes::from_file(path).map_err(|error| Error::io(path, error)),
            Self::Bytes { bytes, .. } => {
                Ok(Bytes { len: bytes.len() as u64, inner: Inner::Memory(Cursor::new(Arc::clone(bytes))) })
            }
        }
    }

    /// Names this input in `error` where nothing better is named yet.
    pub(super) fn blame(&self, error: Error) -> Error {
        error.about(self.name())
    }
}

/// An opened input: reads and seeks, and knows its length.
#[derive(Debug)]
pub(super) struct Bytes {
    len: u64,
    inner: Inner,
}

#[derive(Debug)]
enum Inner {
    File(File),
    Memory(Cursor<Arc<[u8]>>),
}

impl Bytes {
    fn from_file(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is not a regular file"));
        }
        Ok(Self { len: metadata.len(), inner: Inner::File(file) })
    }

    /// Length in bytes when opened.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Up to `count` bytes from `offset`; fewer only at the end.
    pub(super) fn read_at(&mut self, offset: u64, count: usize) -> io::Result<Vec<u8>> {
        self.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        self.take(count as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.inner {
            Inner::File(file) => file.read(buffer),
            Inner::Memory(cursor) => cursor.read(buffer),
        }
    }
}

impl Seek for Bytes {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match &mut self.inner {
            Inner::File(file) => file.seek(to),
            Inner::Memory(cursor) => cursor.seek(to),
        }
    }
}

/// How much may still be read before a demuxer has to hand out a packet.
///
/// Hostile files can send a demuxer in circles through the same bytes; it would never return by itself.
#[derive(Debug, Clone)]
pub(super) struct ReadBudget {
    left: Arc<AtomicU64>,
    refill: u64,
}

impl ReadBudget {
    /// Enough to walk a file of `len_bytes` several times over.
    pub(super) fn for_len(len_bytes: u64) -> Self {
        let refill = len_bytes.saturating_mul(4).saturating_add(16 << 20);
        Self { left: Arc::new(AtomicU64::new(refill)), refill }
    }

    /// A packet came: start over.
    pub(super) fn refill(&self) {
        self.left.store(self.refill, Ordering::Relaxed);
    }

    fn spend(&self, bytes: u64) -> io::Result<()> {
        let left = self.left.load(Ordering::Relaxed);
        if left < bytes {
            return Err(io::Error::other("the container sends its reader in circles"));
        }
        self.left.store(left - bytes, Ordering::Relaxed);
        Ok(())
    }
}

/// [`Bytes`] as the decoder library wants them, under a [`ReadBudget`] and optionally behind a made-up start.
#[derive(Debug)]
pub(super) struct GuardedBytes {
    prefix: Vec<u8>,
    position: u64,
    bytes: Bytes,
    budget: ReadBudget,
}

impl GuardedBytes {
    /// `bytes` from their start, preceded by `prefix`.
    pub(super) fn new(prefix: Vec<u8>, bytes: Bytes, budget: ReadBudget) -> Self {
        Self { prefix, position: 0, bytes, budget }
    }

    fn total_len(&self) -> u64 {
        self.prefix.len() as u64 + self.bytes.len()
    }
}

impl Read for GuardedBytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Reads at the end cost too: a loop that never gets a byte must run dry as well.
        const COST_PER_CALL: u64 = 64;
        let prefix_len = self.prefix.len() as u64;
        let count = if self.position < prefix_len {
            (&self.prefix[self.position as usize..]).read(buffer)?
        } else {
            self.bytes.read(buffer)?
        };
        self.position += count as u64;
        self.budget.spend(count as u64 + COST_PER_CALL)?;
        Ok(count)
    }
}

impl Seek for GuardedBytes {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let invalid = || io::Error::new(io::ErrorKind::InvalidInput, "seek before the start");
        let target = match to {
            SeekFrom::Start(offset) => offset,
            SeekFrom::Current(delta) => self.position.checked_add_signed(delta).ok_or_else(invalid)?,
            SeekFrom::End(delta) => self.total_len().checked_add_signed(delta).ok_or_else(invalid)?,
        };
        self.bytes.seek(SeekFrom::Start(target.saturating_sub(self.prefix.len() as u64)))?;
        self.position = target;
        Ok(target)
    }
}

impl MediaSource for GuardedBytes {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.total_len())
    }
}
