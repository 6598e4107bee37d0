//! The one error type of this crate.

use std::error::Error as StdError;
use std::fmt;
use std::path::Path;

/// What this crate's fallible calls return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed: a [`kind`](Error::kind) for programs, a subject and a sentence for people.
///
/// The message says what is wrong and, where something can be done, what to do.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    subject: Option<String>,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The classes of failure, each with what a caller can do about it.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The operating system refused to read or write. Check the path, the rights and the free space.
    Io,
    /// These bytes are not audio we can read. Trying again will not help.
    UnsupportedFormat,
    /// The bytes claim a format we know but hold no usable audio. The file is damaged.
    Damaged,
    /// An argument is out of its documented range. The message names the range.
    InvalidOption,
    /// A model file is missing or damaged. Fetch it again.
    ModelUnavailable,
    /// A program that this format needs, such as `ffmpeg`, is not installed or failed.
    ToolUnavailable,
    /// The caller asked us to stop. Nothing is wrong.
    Cancelled,
    /// A fault of this crate. Please report it.
    Internal,
}

impl ErrorKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Io,
        Self::UnsupportedFormat,
        Self::Damaged,
        Self::InvalidOption,
        Self::ModelUnavailable,
        Self::ToolUnavailable,
        Self::Cancelled,
        Self::Internal,
    ];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Io => "io",
            Self::UnsupportedFormat => "unsupported_format",
            Self::Damaged => "damaged",
            Self::InvalidOption => "invalid_option",
            Self::ModelUnavailable => "model_unavailable",
            Self::ToolUnavailable => "tool_unavailable",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal",
        }
    }

    /// The kind with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Error {
    /// An error of `kind` whose `message` is a sentence without a final stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, subject: None, message: message.into(), source: None }
    }

    /// The stop that a [`Watch`](crate::Watch) asked for.
    pub fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "stopped on request")
    }

    /// An operating-system failure at `path`.
    pub fn io(path: &Path, source: std::io::Error) -> Self {
        Self::new(ErrorKind::Io, source.to_string()).about(path.display().to_string()).caused_by(source)
    }

    /// Names the file, stem or option that the error is about; the first name given stays.
    #[must_use]
    pub fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject.get_or_insert_with(|| subject.into());
        self
    }

    /// Keeps the error underneath for logs and for [`source`](StdError::source).
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The class of the failure.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The file, stem or option the error is about, where one is known.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// What is wrong, without the subject.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether the caller asked for this stop.
    pub fn is_cancelled(&self) -> bool {
        self.kind == ErrorKind::Cancelled
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subject {
            Some(subject) => write!(f, "{subject}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
