//! What the weights of the decision are learned from.

use super::decide::{frames_of, home, windows};
use super::evidence::KeyEvidence;
use crate::analyze::harmony::{ChromaFrames, HarmonyCollector};
use crate::analyze::stems::hear_sum;
use crate::{AudioSource, Result, Watch};

/// Parts of a song's home stretch that are learned from beside the whole, as shares of its length: music does not
/// always come from its beginning.
const PARTS: [(f64, f64); 4] = [(0.0, 1.0), (0.05, 0.45), (0.3, 0.75), (0.5, 0.97)];

/// What speaks for each key in the longest stretch of a song in one key: first in all of it, then in three parts. Empty
/// where nothing is pitched.
///
/// For programs that learn how much that weighs. [`analyze`](crate::analyze::analyze) decides.
///
/// # Errors
/// Those of [`AudioSource::read`], and `Cancelled` when `watch` is stopped.
pub fn key_lessons(source: &mut dyn AudioSource, watch: &Watch) -> Result<Vec<KeyEvidence>> {
    let mut collector = HarmonyCollector::new();
    hear_sum(&mut [source], watch, |heard| collector.push(heard.slow))?;
    let frames = ChromaFrames::from_peaks(&collector.finish());
    let windows = windows(&frames);
    let Some(stretch) = home(&frames, &windows) else { return Ok(Vec::new()) };
    let home = frames_of(&windows[stretch]);
    let at = |share: f64| home.start + (share * home.len() as f64) as usize;
    Ok(PARTS.iter().map(|&(start, end)| KeyEvidence::of(&frames, at(start)..at(end))).collect())
}
