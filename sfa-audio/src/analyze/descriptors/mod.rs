//! What librosa measures, with librosa's numbers.
//!
//! Features that other programs were trained on or compare with: at the file's own rate, from the mean of its
//! channels, in windows of [`WINDOW_FRAMES`] every [`HOP_FRAMES`], with the defaults of librosa 0.11. Every
//! value agrees with librosa's within its own rounding; the tests hold each feature to it. Where music decides,
//! the rest of [`analyze`](super) knows better.
//!
//! All of it is made in one pass. What librosa relates to the whole signal, the loudest level and the tuning, is
//! known only at its end: until then compact frames wait. After [`HORIZON_SECS`] they wait no longer, and what
//! was heard so far decides.

mod batch;
mod beat_track;
mod cens;
mod chroma;
mod collector;
mod contrast;
mod cqt;
mod folding;
mod frames;
mod hpss;
mod level;
mod mel;
mod onset;
mod recurrence;
mod report;
mod series;
mod shape;
mod sorted_windows;
mod spectral;
mod tempogram;
mod timbre;
mod top_db;
mod tuning;

pub use beat_track::{BeatTrack, beat_track};
pub(crate) use collector::DescriptorCollector;
pub use frames::{FeatureFrames, FrameMatrix};
pub use hpss::HarmonicPercussive;
pub use onset::{onset_backtrack, onset_detect};
pub use recurrence::{Recurrence, recurrence_matrix};
pub use report::{
    ChromaMeans, Descriptors, HarmonicShare, MfccSummary, OnsetSummary, RecurrenceSummary, SpectralSummary,
    TempogramSummary,
};
pub use tempogram::{TEMPOGRAM_LAGS, tempo, tempogram};

/// Samples that a spectrum sees.
pub const WINDOW_FRAMES: usize = 2048;
/// Samples from one frame to the next.
pub const HOP_FRAMES: usize = 512;
/// Bins of a spectrum.
const BINS: usize = WINDOW_FRAMES / 2 + 1;
/// How much of a signal may decide about its loudest level and its tuning.
pub const HORIZON_SECS: f64 = 600.0;

/// When frame `frame` is, in seconds.
fn frame_secs(frame: usize, sample_rate_hz: u32) -> f64 {
    (frame * HOP_FRAMES) as f64 / f64::from(sample_rate_hz)
}

/// Frames until [`HORIZON_SECS`].
fn horizon_frames(sample_rate_hz: u32) -> usize {
    (HORIZON_SECS * f64::from(sample_rate_hz) / HOP_FRAMES as f64) as usize
}
