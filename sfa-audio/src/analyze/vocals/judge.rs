//! From features to bars and ranges.

use super::collector::VocalFeatures;
use super::model::{BIAS, WEIGHTS};
use super::rows::{self, between, percentile};
use super::{VocalBar, VocalRange, VocalSource, Vocals};
use crate::analyze::Rhythm;

/// Length of a bar where there are none.
const UNMETERED_SECS: f64 = 2.0;
/// A mix softer than this is silence.
const SILENCE_DB: f32 = -75.0;

/// Judges a mix, or `None` in silence.
///
/// A voice is what no keyboard is: its partials slide, all together, and its spectrum changes from vowel to vowel (after
/// the fluctogram and the vocal variance of Lehner, Widmer and Sonnleitner, "On the reduction of false positives in
/// singing voice detection", ICASSP 2014). A logistic regression weighs these; it was trained on songs that programs
/// sing and on ten recordings (benches/peers/analysis/train_vocals.py).
pub(crate) fn in_mix(
    features: &VocalFeatures,
    rhythm: Option<&Rhythm>,
    duration_secs: f64,
) -> Option<Vocals> {
    if !is_heard(features) {
        return None;
    }
    let bars_secs = bars_secs(rhythm, duration_secs);
    let rows = rows::of(features, &bars_secs);
    let leanings: Vec<f32> = rows
        .iter()
        .map(|row| BIAS + row.iter().zip(&WEIGHTS).map(|(value, weight)| value * weight).sum::<f32>())
        .collect();
    // Voices sing on from bar to bar.
    let smoothed = (0..leanings.len()).map(|n| {
        let (last, next) = (leanings[n.saturating_sub(1)], leanings[(n + 1).min(leanings.len() - 1)]);
        0.5 * leanings[n] + 0.25 * (last + next)
    });
    let audible = bars_secs.iter().map(|&(start, end)| {
        between(&features.columns, start, end).iter().any(|column| column.level_db > SILENCE_DB)
    });
    let probabilities = smoothed
        .zip(audible)
        .map(|(leaning, audible)| if audible { 1.0 / (1.0 + (-leaning).exp()) } else { 0.0 });
    Some(vocals(VocalSource::Mix, &bars_secs, probabilities))
}

/// Judges a vocal stem beside its mix, or `None` where the mix is silent: what is heard of the voice is the voice.
pub(crate) fn in_stem(
    stem: &VocalFeatures,
    mix: &VocalFeatures,
    rhythm: Option<&Rhythm>,
    duration_secs: f64,
) -> Option<Vocals> {
    /// How far below the mix's strong moments, and below its own, a voice is still sung and not what a separation left.
    const BELOW_MIX_DB: f32 = 26.0;
    const BELOW_OWN_DB: f32 = 24.0;
    /// Half of the range in which it may be either.
    const DOUBT_DB: f32 = 3.0;
    /// The share of a bar from which on it is as likely as can be.
    const SURE_SHARE: f32 = 0.4;

    if !is_heard(mix) {
        return None;
    }
    let strong = |features: &VocalFeatures| {
        percentile(features.columns.iter().map(|column| column.level_db).collect(), 0.95)
    };
    let least_db = (strong(mix) - BELOW_MIX_DB).max(strong(stem) - BELOW_OWN_DB).max(SILENCE_DB);
    let bars_secs = bars_secs(rhythm, duration_secs);
    let probabilities = bars_secs.iter().map(|&(start, end)| {
        if stem.columns.is_empty() {
            return 0.0;
        }
        let columns = between(&stem.columns, start, end);
        let sung = columns
            .iter()
            .map(|column| ((column.level_db - least_db) / (2.0 * DOUBT_DB) + 0.5).clamp(0.0, 1.0))
            .sum::<f32>();
        (sung / columns.len() as f32 / SURE_SHARE).min(1.0)
    });
    Some(vocals(VocalSource::Stem, &bars_secs, probabilities))
}

fn is_heard(features: &VocalFeatures) -> bool {
    features.columns.iter().any(|column| column.level_db > SILENCE_DB)
}

/// Start and end of every bar from 0 to the end of the song.
fn bars_secs(rhythm: Option<&Rhythm>, duration_secs: f64) -> Vec<(f64, f64)> {
    let mut edges: Vec<f64> = rhythm
        .map(|rhythm| rhythm.downbeats().filter(|secs| (0.0..duration_secs).contains(secs)).collect())
        .unwrap_or_default();
    edges.dedup_by(|next, last| *next <= *last);
    let mut steps: Vec<f64> = edges.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let middle = steps.len() / 2;
    let bar_secs = match steps.is_empty() {
        true => UNMETERED_SECS,
        false => *steps.select_nth_unstable_by(middle, f64::total_cmp).1,
    };
    // What lies before the first downbeat and after the last is cut in bars as well; less than half a one is part of
    // its neighbour.
    let first = edges.first().copied().unwrap_or(0.0);
    let mut all: Vec<f64> =
        (1..).map(|n| first - f64::from(n) * bar_secs).take_while(|&secs| secs > 0.0).collect();
    all.reverse();
    all.extend(edges.iter().copied().chain(edges.is_empty().then_some(0.0)));
    let last = all.last().copied().unwrap_or(0.0);
    all.extend((1..).map(|n| last + f64::from(n) * bar_secs).take_while(|&secs| secs < duration_secs));
    if duration_secs - all[all.len() - 1] < bar_secs / 2.0 && all.len() > 1 {
        all.pop();
    }
    all.push(duration_secs);
    if all[0] < bar_secs / 2.0 {
        all[0] = 0.0;
    } else {
        all.insert(0, 0.0);
    }
    all.windows(2).map(|pair| (pair[0], pair[1])).collect()
}

fn vocals(source: VocalSource, bars_secs: &[(f64, f64)], probabilities: impl Iterator<Item = f32>) -> Vocals {
    let bars: Vec<VocalBar> = bars_secs
        .iter()
        .zip(probabilities)
        .map(|(&(start_secs, end_secs), probability)| VocalBar { start_secs, end_secs, probability })
        .collect();
    let share = bars.iter().map(|bar| bar.probability).sum::<f32>() / bars.len().max(1) as f32;
    let ranges = bars
        .chunk_by(|a, b| (a.probability >= 0.5) == (b.probability >= 0.5))
        .filter(|run| run[0].probability >= 0.5)
        .map(|run| VocalRange {
            start_secs: run[0].start_secs,
            end_secs: run[run.len() - 1].end_secs,
            confidence: run.iter().map(|bar| bar.probability).sum::<f32>() / run.len() as f32,
        })
        .collect();
    Vocals { source, share, bars, ranges }
}
