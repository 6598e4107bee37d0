//! How beats group into bars, and which of them are first.

use super::onset::{BANDS, CHROMA_RATE_HZ, FRAME_RATE_HZ, RhythmFeatures};
use super::pulse::{Pulse, frame_at, peak_near};

/// A metre and where every beat stands in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bars {
    pub(super) beats_per_bar: usize,
    pub(super) confidence: f32,
    /// Of each beat, from 1.
    pub(super) positions: Vec<u8>,
}

/// What happens at and after one beat.
#[derive(Debug, Clone, Copy, Default)]
struct BeatEvidence {
    /// Onset strength by band on the beat, then half a beat later.
    onsets: [f32; 2 * BANDS],
    /// How different the pitch classes are from the beat before, `0.0..=1.0`.
    chord_change: f32,
    /// Level of each band from this beat to the next, in nepers.
    levels: [f32; BANDS],
}

/// Finds the metre and the downbeats of beats at `times` seconds.
pub(super) fn find_bars(times: &[f64], features: &RhythmFeatures, pulse: &Pulse) -> Bars {
    let evidence = gather(times, features, pulse);
    let (beats_per_bar, confidence) = bar_length(&evidence);
    let positions = positions(&evidence, beats_per_bar);
    Bars { beats_per_bar, confidence, positions }
}

fn gather(times: &[f64], features: &RhythmFeatures, pulse: &Pulse) -> Vec<BeatEvidence> {
    const QUIET_POWER: f32 = 1e-9;
    /// Share of the beat left out before the pitches are compared, where the last chord still rings.
    const RING: f64 = 0.15;

    let last_interval = times.len().checked_sub(2).map_or(0.5, |n| times[n + 1] - times[n]);
    let mut last_chroma = [0.0; 12];
    (0..times.len())
        .map(|n| {
            let (start, end) = (times[n], times.get(n + 1).copied().unwrap_or(times[n] + last_interval));
            let mut onsets = [0.0; 2 * BANDS];
            for (band, values) in pulse.bands.iter().enumerate() {
                onsets[band] = peak_near(values, frame_at(start), 3);
                onsets[BANDS + band] = peak_near(values, frame_at((start + end) / 2.0), 3);
            }
            let levels = features.powers.each_ref().map(|powers| {
                let part = between(powers, start, end, FRAME_RATE_HZ);
                (QUIET_POWER + part.iter().sum::<f32>() / part.len().max(1) as f32).ln() * 0.5
            });
            let mut chroma = [0.0_f32; 12];
            for column in between(&features.chroma, start + RING * (end - start), end, CHROMA_RATE_HZ) {
                for (sum, value) in chroma.iter_mut().zip(column) {
                    *sum += value;
                }
            }
            let chord_change = if n == 0 { 0.0 } else { 1.0 - cosine(&chroma, &last_chroma) };
            last_chroma = chroma;
            BeatEvidence { onsets, chord_change, levels }
        })
        .collect()
}

fn between<T>(values: &[T], start_secs: f64, end_secs: f64, rate_hz: f64) -> &[T] {
    let first = ((start_secs * rate_hz).round().max(0.0) as usize).min(values.len());
    let end = ((end_secs * rate_hz).round().max(0.0) as usize).clamp(first, values.len());
    &values[first..end]
}

pub(super) fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot: f32 = a.iter().zip(b).map(|(a, b)| a * b).sum();
    let squares = |v: &[f32]| v.iter().map(|x| x * x).sum::<f32>();
    let norm = (squares(a) * squares(b)).sqrt();
    if norm > 0.0 { dot / norm } else { 1.0 }
}

/// The number of beats after which onsets and chord changes repeat best, and by how much it wins.
fn bar_length(evidence: &[BeatEvidence]) -> (usize, f32) {
    /// Bar lengths, what must be overcome to believe in them, and the fewest bars that may show them: odd ones are
    /// found by chance in a short song.
    const LENGTHS: [(usize, f32, usize); 4] = [(4, 0.0, 3), (3, 0.06, 3), (5, 0.16, 8), (7, 0.12, 8)];

    let columns: Vec<Vec<f32>> = (0..2 * BANDS)
        .map(|n| standardised(evidence.iter().map(|beat| beat.onsets[n])))
        .chain([standardised(evidence.iter().map(|beat| beat.chord_change))])
        .collect();
    let likeness = |lag: usize| -> f32 {
        if evidence.len() <= lag {
            return 0.0;
        }
        let products: f32 =
            columns.iter().map(|c| c[lag..].iter().zip(c).map(|(a, b)| a * b).sum::<f32>()).sum();
        products / (columns.len() * (evidence.len() - lag)) as f32
    };
    let mut scores = LENGTHS.map(|(length, cost, fewest)| {
        let enough = evidence.len() >= fewest * length;
        let score = if enough { 0.5 * (likeness(length) + likeness(2 * length)) - cost } else { -1.0 };
        (length, score)
    });
    if scores.iter().all(|&(_, score)| score < 0.0) {
        return (4, 0.0);
    }
    scores.sort_by(|a, b| b.1.total_cmp(&a.1));
    (scores[0].0, (2.0 * (scores[0].1 - scores[1].1.max(0.0))).clamp(0.0, 1.0))
}

/// The most likely place of every beat in its bar: Viterbi over bars that may be cut short, at a price, where the
/// band dropped a beat or the tracker lost one.
///
/// Kicks and basses fall on downbeats, chords change there, snares answer between, and sections begin there.
fn positions(evidence: &[BeatEvidence], beats_per_bar: usize) -> Vec<u8> {
    const LOW_WEIGHT: f32 = 0.6;
    const CHORD_WEIGHT: f32 = 1.0;
    const SNARE_WEIGHT: f32 = 0.25;
    const SECTION_WEIGHT: f32 = 2.0;
    /// Worth about eight bars of clear evidence.
    const BROKEN_BAR_COST: f32 = 12.0;

    let low = standardised(evidence.iter().map(|beat| beat.onsets[0]));
    let mid = standardised(evidence.iter().map(|beat| beat.onsets[1]));
    let chords = standardised(evidence.iter().map(|beat| beat.chord_change));
    let sections = section_starts(evidence, beats_per_bar);
    let score = |beat: usize, position: usize| {
        let mut score = 0.0;
        if position == 0 {
            score += LOW_WEIGHT * low[beat] + CHORD_WEIGHT * chords[beat] + SECTION_WEIGHT * sections[beat];
        }
        if beats_per_bar == 4 {
            let snare = SNARE_WEIGHT * (mid[beat] - low[beat]);
            score += if position % 2 == 1 { snare } else { -snare };
        }
        score
    };
    let mut scores: Vec<f32> = vec![0.0; beats_per_bar];
    let mut origins: Vec<Vec<u8>> = Vec::with_capacity(evidence.len());
    for beat in 0..evidence.len() {
        let best = (0..beats_per_bar).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap_or(0);
        let mut next = vec![0.0; beats_per_bar];
        let mut origin = vec![0; beats_per_bar];
        for position in 0..beats_per_bar {
            let before = (position + beats_per_bar - 1) % beats_per_bar;
            let broken = scores[best] - BROKEN_BAR_COST;
            let (from, reached) =
                if broken > scores[before] { (best, broken) } else { (before, scores[before]) };
            next[position] = reached + score(beat, position);
            origin[position] = from as u8;
        }
        scores = next;
        origins.push(origin);
    }
    let mut position =
        (0..beats_per_bar).max_by(|&a, &b| scores[a].total_cmp(&scores[b]).then(b.cmp(&a))).unwrap_or(0);
    let mut positions = vec![0; evidence.len()];
    for (value, origin) in positions.iter_mut().zip(&origins).rev() {
        *value = position as u8 + 1;
        position = usize::from(origin[position]);
    }
    positions
}

/// How strongly the level changes for good at each beat, relative to the song's mean change; 0 off the peaks.
fn section_starts(evidence: &[BeatEvidence], beats_per_bar: usize) -> Vec<f32> {
    const BARS_BESIDE: usize = 2;
    /// Smaller changes than this many times the mean are no new section.
    const LEAST: f32 = 2.0;
    const MOST: f32 = 4.0;

    let reach = BARS_BESIDE * beats_per_bar;
    let inner = reach..evidence.len().saturating_sub(reach);
    let mut changes = vec![0.0; evidence.len()];
    for n in inner.clone() {
        changes[n] = (0..BANDS)
            .map(|band| {
                let level = |part: &[BeatEvidence]| part.iter().map(|beat| beat.levels[band]).sum::<f32>();
                (level(&evidence[n..n + reach]) - level(&evidence[n - reach..n])).abs() / reach as f32
            })
            .sum();
    }
    let average = super::pulse::mean(&changes);
    let mut starts = vec![0.0; evidence.len()];
    for n in inner {
        let around = &changes[n - reach..=n + reach];
        if changes[n] > LEAST * average && around.iter().all(|&other| other <= changes[n]) {
            starts[n] = (changes[n] / average).min(MOST);
        }
    }
    starts
}

/// Values less their mean, over their standard deviation; zeros where nothing varies.
fn standardised(values: impl Iterator<Item = f32>) -> Vec<f32> {
    let mut values: Vec<f32> = values.collect();
    let average = super::pulse::mean(&values);
    let variance =
        values.iter().map(|value| (value - average).powi(2)).sum::<f32>() / values.len().max(1) as f32;
    let scale = if variance > 1e-12 { 1.0 / variance.sqrt() } else { 0.0 };
    values.iter_mut().for_each(|value| *value = (*value - average) * scale);
    values
}
