//! One figure for a song out of the progress of its stages.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::{Stage, Watch};

/// Steps in which a whole song is counted: hundredths of a percent.
pub(crate) const WHOLE: u64 = 10_000;

/// Adds up stages that may run side by side into one count that never goes backwards.
///
/// The listener sees the stage that reported last and `done` of [`WHOLE`].
pub(crate) struct Overall {
    watch: Watch,
    /// The highest sum sent so far. Held while it is sent, so that two threads cannot overtake each other
    /// between taking a figure and showing it.
    sent: Mutex<u64>,
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
        Arc::new(Self { watch: watch.clone(), sent: Mutex::new(0), parts })
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
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        if sum > *sent {
            *sent = sum;
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
    fn threads_that_race_never_show_a_lower_figure_after_a_higher_one() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&seen);
        let watch = Watch::with_sink(move |progress| {
            // Gives the other thread the time to overtake.
            std::thread::yield_now();
            sink.lock().unwrap().push(progress.done);
        });
        let overall = Overall::new(&watch, &[(Stage::Separate, 1), (Stage::Analyze, 1)]);
        std::thread::scope(|scope| {
            for stage in [Stage::Separate, Stage::Analyze] {
                let watch = overall.stage(stage);
                scope.spawn(move || (0..=5000).for_each(|done| watch.report(stage, done, 5000).unwrap()));
            }
        });
        let seen = seen.lock().unwrap();
        assert!(seen.is_sorted(), "progress fell");
        assert_eq!(seen.last(), Some(&WHOLE));
    }

    #[test]
    fn a_stop_outside_reaches_every_stage() {
        let watch = Watch::new();
        let overall = Overall::new(&watch, &[(Stage::Encode, 1)]);
        watch.stop();
        assert!(overall.stage(Stage::Encode).checkpoint().unwrap_err().is_cancelled());
    }
}
