//! Why a call on a library failed.

use std::error::Error as StdError;
use std::fmt;
use std::path::Path;

/// What the library's fallible calls return.
pub type LibraryResult<T> = Result<T, LibraryError>;

/// The classes of failure, each with what a caller can do about it.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LibraryErrorKind {
    /// There is no such thing, or it belongs to somebody else.
    NotFound,
    /// It exists already, or its state does not allow what was asked.
    Conflict,
    /// An argument is out of its documented range. The message names the range.
    Invalid,
    /// The user's quota or the disk is full. Remove something first.
    NoSpace,
    /// Files could not be read or written.
    Storage,
    /// The database refused or could not be reached. Trying again may help.
    Database,
    /// The work on the audio itself failed; see the source.
    Audio,
    /// The caller asked us to stop. Nothing is wrong.
    Cancelled,
    /// A fault of this crate. Please report it.
    Internal,
}

/// A kind for programs and a sentence for people.
#[derive(Debug)]
pub struct LibraryError {
    kind: LibraryErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl LibraryError {
    /// An error of `kind` whose `message` is a sentence without a final stop.
    pub fn new(kind: LibraryErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// There is no `what` with this id.
    pub fn not_found(what: &str, id: impl fmt::Display) -> Self {
        Self::new(LibraryErrorKind::NotFound, format!("there is no {what} {id}"))
    }

    /// A failure at a file.
    pub fn storage(path: &Path, source: std::io::Error) -> Self {
        let kind = if source.kind() == std::io::ErrorKind::StorageFull {
            LibraryErrorKind::NoSpace
        } else {
            LibraryErrorKind::Storage
        };
        Self::new(kind, format!("{}: {source}", path.display())).caused_by(source)
    }

    /// Keeps the error underneath for logs and for [`source`](StdError::source).
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The class of the failure.
    pub fn kind(&self) -> LibraryErrorKind {
        self.kind
    }
}

impl fmt::Display for LibraryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for LibraryError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
