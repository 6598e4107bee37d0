//! Progress and stopping for every long call.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{Error, Result};

/// Which part of the work a [`Progress`] counts.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// Reading and decoding a file.
    Decode,
    /// Splitting a mix into stems.
    Separate,
    /// Measuring tempo, key, loudness and form.
    Analyze,
    /// Changing tempo or pitch.
    Warp,
    /// Writing audio files.
    Encode,
    /// Writing what other tools read.
    Export,
    /// Fetching a file over the network, in bytes.
    Download,
    /// Comparing files with their checksums, in bytes.
    Check,
}

/// How far a stage is, in counts of its own unit (frames where audio is counted).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being counted.
    pub stage: Stage,
    /// How many are done; never falls within one stage of one call.
    pub done: u64,
    /// How many there are; 0 when unknown, for example while reading a stream without a length.
    pub total: u64,
}

impl Progress {
    /// The share done in `0.0..=1.0`, or `None` while the total is unknown.
    pub fn fraction(&self) -> Option<f64> {
        (self.total > 0).then(|| (self.done as f64 / self.total as f64).min(1.0))
    }
}

type Sink = dyn Fn(Progress) + Send + Sync;

/// Handed into long work: carries progress out and the wish to stop in.
///
/// Clones share one stop flag, so a handle kept outside stops the work inside. Work reports through
/// [`report`](Self::report) or [`checkpoint`](Self::checkpoint) at least once a second and returns their
/// error unchanged; stopping is [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled), a normal return.
///
/// ```
/// let watch = sfa_audio::Watch::new();
/// assert!(watch.checkpoint().is_ok());
/// watch.clone().stop();
/// assert!(watch.checkpoint().unwrap_err().is_cancelled());
/// ```
#[derive(Clone, Default)]
pub struct Watch {
    stop: Arc<AtomicBool>,
    sink: Option<Arc<Sink>>,
}

impl Watch {
    /// A watch that nobody listens to; it can still be stopped.
    pub fn new() -> Self {
        Self::default()
    }

    /// A watch whose progress goes to `sink`, called from whichever thread works.
    pub fn with_sink(sink: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self { stop: Arc::default(), sink: Some(Arc::new(sink)) }
    }

    /// A watch that shares this one's stop flag and sends its progress to `sink` instead.
    #[must_use]
    pub fn forward_to(&self, sink: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self { stop: Arc::clone(&self.stop), sink: Some(Arc::new(sink)) }
    }

    /// A watch that shares this one's stop flag and keeps its progress to itself.
    #[must_use]
    pub fn muted(&self) -> Self {
        Self { stop: Arc::clone(&self.stop), sink: None }
    }

    /// Asks the work to stop at its next checkpoint.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether a stop was asked for.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Fails with `Cancelled` once a stop was asked for.
    pub fn checkpoint(&self) -> Result<()> {
        if self.is_stopped() { Err(Error::cancelled()) } else { Ok(()) }
    }

    /// Reports progress, then does what [`checkpoint`](Self::checkpoint) does.
    pub fn report(&self, stage: Stage, done: u64, total: u64) -> Result<()> {
        if let Some(sink) = &self.sink {
            sink(Progress { stage, done, total });
        }
        self.checkpoint()
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("stopped", &self.is_stopped()).finish_non_exhaustive()
    }
}
