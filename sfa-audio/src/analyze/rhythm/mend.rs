//! Beats that were tracked without a line, put right where the tracker went astray.

use super::pulse::median;
use super::tempo::prior;

/// Beats without those that follow the one before by less than most of a period, and with those that are missing where
/// one and a half and more pass; how long a period is, is told by `beats_secs` nearby.
pub(super) fn evenly(times_secs: Vec<f64>, beats_secs: &[f64]) -> Vec<f64> {
    const TOO_SOON: f64 = 0.6;
    const SHORTEST_SECS: f64 = 0.1;
    let mut even: Vec<f64> = Vec::with_capacity(times_secs.len());
    for secs in times_secs {
        let Some(&last) = even.last() else {
            even.push(secs);
            continue;
        };
        let near = beats_secs.partition_point(|&beat| beat < secs).clamp(1, beats_secs.len() - 1);
        let period_secs = (beats_secs[near] - beats_secs[near - 1]).max(SHORTEST_SECS);
        let periods = (secs - last) / period_secs;
        if periods < TOO_SOON {
            continue;
        }
        let steps = periods.round().max(1.0);
        even.extend((1..=steps as usize).map(|n| last + (secs - last) * n as f64 / steps));
    }
    even
}

/// Beats twice as many where a stretch is more than half an octave slower than the song, and half as many where it is
/// faster: a song's tempo may jump, but not so far. The song's tempo is the one that leaves the most usual ones.
pub(super) fn in_one_octave(beats_secs: Vec<f64>) -> Vec<f64> {
    /// Half of the intervals whose median is the tempo at a beat.
    const REACH: usize = 4;
    let intervals: Vec<f64> = beats_secs.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let octaves: Vec<f64> = (0..intervals.len())
        .map(|n| {
            let mut around =
                intervals[n.saturating_sub(REACH)..(n + REACH + 1).min(intervals.len())].to_vec();
            median(&mut around).unwrap_or(1.0).log2()
        })
        .collect();
    let folds = |song: f64| octaves.iter().map(move |octave| (octave - song).round() as i32);
    let usualness = |song: f64| -> f64 {
        let bpm =
            octaves.iter().zip(folds(song)).map(|(octave, fold)| 60.0 / (octave - f64::from(fold)).exp2());
        bpm.zip(&intervals).map(|(bpm, secs)| f64::from(prior(bpm)) * secs).sum()
    };
    let mut sorted = octaves.clone();
    sorted.sort_by(f64::total_cmp);
    let song = [0.1, 0.3, 0.5, 0.7, 0.9]
        .into_iter()
        .filter_map(|share| sorted.get((share * sorted.len() as f64) as usize).copied())
        .max_by(|&a, &b| usualness(a).total_cmp(&usualness(b)));
    let Some(song) = song else { return beats_secs };
    let mut folded = vec![beats_secs[0]];
    let mut skipped = 0;
    for (n, fold) in folds(song).enumerate() {
        let (from, to) = (beats_secs[n], beats_secs[n + 1]);
        if fold >= 0 {
            let parts = 1 << fold.min(2);
            folded.extend((1..=parts).map(|part| from + (to - from) * f64::from(part) / f64::from(parts)));
            skipped = 0;
        } else {
            skipped += 1;
            if skipped >= 1 << (-fold).min(2) {
                folded.push(to);
                skipped = 0;
            }
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beats(pieces: &[(usize, f64)]) -> Vec<f64> {
        let steps = pieces.iter().flat_map(|&(count, step_secs)| std::iter::repeat_n(step_secs, count));
        std::iter::once(0.0)
            .chain(steps.scan(0.0, |secs, step_secs| {
                *secs += step_secs;
                Some(*secs)
            }))
            .collect()
    }

    fn all_near(a: &[f64], b: &[f64]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9)
    }

    #[test]
    fn a_second_half_at_half_its_tempo_is_doubled() {
        let found = in_one_octave(beats(&[(64, 0.6), (32, 0.96)]));
        assert!(all_near(&found, &beats(&[(64, 0.6), (64, 0.48)])), "{found:?}");
        let found = in_one_octave(beats(&[(64, 0.6), (64, 0.36)]));
        assert!(all_near(&found, &beats(&[(64, 0.6), (32, 0.72)])), "{found:?}");
    }

    #[test]
    fn what_moves_less_than_half_an_octave_is_left() {
        for pieces in [vec![(40, 0.5), (40, 0.4)], vec![(60, 0.5), (8, 0.65)], vec![(1, 0.5)], vec![]] {
            let beats = beats(&pieces);
            assert_eq!(in_one_octave(beats.clone()), beats);
        }
        assert!(in_one_octave(Vec::new()).is_empty());
    }

    #[test]
    fn gaps_are_filled_and_doubles_dropped() {
        let steady = beats(&[(8, 0.5)]);
        let found = evenly(vec![0.0, 0.5, 0.75, 1.0, 2.0, 2.5], &steady);
        assert!(all_near(&found, &[0.0, 0.5, 1.0, 1.5, 2.0, 2.5]), "{found:?}");
    }
}
