//! One figure for a song out of the progress of its stages.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Stage, Watch};

/// Steps in which a whole song is counted: hundredths of a percent.
pub(crate) const WHOLE: u64 = 10_000;

/// Adds up stages that may run side by side into one count that never goes backwards.
///
/// The listener sees the stage that reported last and `done` of [`WHOLE`].
pub(crate) struct Overall {
    watch: Watch,
    done: AtomicU64,
    parts: Vec<Part>,
}

struct Part {
    stage: Stage,
    steps: u64,
    done: AtomicU64,
}

impl Overall {
    /// Shares one song between stages by their usual cost; the weights need not add up to anything.
    pub(crate) fn new(watch: &Watch, weights: &[(Stage, u64)]) -> Arc<Self> {
        let sum: u64 = weights.iter().map(|(_, weight)| weight).sum();
        let parts = weights
            .iter()
            .map(|&(stage, weight)| Part {
                stage,
                steps: WHOLE * weight / sum.max(1),
                done: AtomicU64::new(0),
            })
            .collect();
        Arc::new(Self { watch: watch.clone(), done: AtomicU64::new(0), parts })
    }

    /// The watch for one stage: same stop flag, progress counted towards the whole.
    pub(crate) fn stage(self: &Arc<Self>, stage: Stage) -> Watch {
        let overall = Arc::clone(self);
        self.watch.forward_to(move |progress| {
            if let Some(fraction) = progress.fraction() {
                overall.advance(stage, fraction);
            }
        })
    }

    fn advance(&self, stage: Stage, fraction: f64) {
        if let Some(part) = self.parts.iter().find(|part| part.stage == stage) {
            part.done.fetch_max((part.steps as f64 * fraction) as u64, Ordering::Relaxed);
        }
        let sum: u64 = self.parts.iter().map(|part| part.done.load(Ordering::Relaxed)).sum();
        let before = self.done.fetch_max(sum, Ordering::Relaxed);
        // A late thread must not send an older figure after a newer one was sent.
        if sum > before {
            self.watch.report(stage, sum, WHOLE).ok();
        }
    }

    /// Reports the end, whatever rounding left open.
    pub(crate) fn finish(&self, stage: Stage) {
        self.watch.report(stage, WHOLE, WHOLE).ok();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn stages_side_by_side_add_up_and_never_go_back() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&seen);
        let watch = Watch::with_sink(move |progress| sink.lock().unwrap().push(progress.done));
        let overall = Overall::new(&watch, &[(Stage::Separate, 3), (Stage::Analyze, 1)]);
        overall.stage(Stage::Separate).report(Stage::Separate, 1, 2).unwrap();
        overall.stage(Stage::Analyze).report(Stage::Analyze, 1, 1).unwrap();
        overall.stage(Stage::Separate).report(Stage::Separate, 1, 4).unwrap();
        overall.stage(Stage::Separate).report(Stage::Separate, 1, 1).unwrap();
        assert_eq!(*seen.lock().unwrap(), [3750, 6250, 10_000]);
    }

    #[test]
    fn a_stop_outside_reaches_every_stage() {
        let watch = Watch::new();
        let overall = Overall::new(&watch, &[(Stage::Encode, 1)]);
        watch.stop();
        assert!(overall.stage(Stage::Encode).checkpoint().unwrap_err().is_cancelled());
    }
}
