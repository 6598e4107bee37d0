//! Where something is struck.

use super::levels::{BANDS, HOP_SECS, Levels};

/// A moment at which a part of the spectrum rises.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stroke {
    pub(super) column: usize,
    pub(super) time_secs: f64,
}

/// Kick; snare and toms; cymbals: first and last band of each.
const GROUPS: [(usize, usize); 3] = [(0, 2), (2, 10), (10, BANDS)];
/// What a rise must exceed beyond its surroundings, against the strong rises of the song. Hats are weak beside
/// snares.
const FLOORS: [f32; 3] = [0.25, 0.25, 0.15];
/// How far a rise must exceed the mean of its surroundings.
const PROMINENCE: f32 = 1.3;
/// Columns on each side that are its surroundings: 200 ms in all.
const REACH: usize = 10;
/// Columns on each side that hold no other stroke: what is 30 ms apart is one.
const ALONE: usize = 3;
/// Columns on each side over which flickering is measured, and how often: 3 s, every half second.
const FLICKER_REACH: usize = 300;
const FLICKER_STEP: usize = 50;
/// The usual rise in the bands of cymbals, against the strong rises of the song: music with drums shows less than the
/// first, noise more than the second.
const FLICKER: (f32, f32) = (0.08, 0.14);
/// How far a stroke must stand out where everything flickers, see [`prominence`]. Peaks of noise show 1.0 and hardly
/// ever 1.8, drums in music 1.0 to 2.3.
const CLEAR_PROMINENCE: f32 = 2.0;
/// Strokes are found this much late: levels rise fastest a little after the first touch.
const DELAY_SECS: f64 = 0.006;

/// All strokes in order of time.
pub(super) fn find(levels: &Levels) -> Vec<Stroke> {
    let rises = GROUPS.map(|group| rises(levels, group));
    let mut picks: Vec<(f32, usize)> = Vec::new();
    for (rises, floor) in rises.iter().zip(FLOORS) {
        pick(rises, floor, &mut picks);
    }
    picks.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut taken = vec![false; levels.len()];
    let mut columns = Vec::new();
    for (_, column) in picks {
        let near = column.saturating_sub(ALONE)..(column + ALONE + 1).min(taken.len());
        if !taken[near].contains(&true) {
            taken[column] = true;
            columns.push(column);
        }
    }
    columns.sort_unstable();
    let amplitudes = Levels::amplitudes();
    let flicker = flicker(&rises[2]);
    columns.retain(|&column| {
        let clear = CLEAR_PROMINENCE * flicker[column / FLICKER_STEP];
        is_audible(levels, &amplitudes, column)
            && (clear == 0.0 || rises.iter().any(|rises| prominence(rises, column) > clear))
    });
    columns.into_iter().map(|column| Stroke { column, time_secs: centre_secs(&rises, column) }).collect()
}

/// How fast a group of bands rises over two columns, with the strong rises of the song at 1.
fn rises(levels: &Levels, (first, end): (usize, usize)) -> Vec<f32> {
    /// Levels below about -66 dB count in proportion, louder ones by their logarithm.
    const COMPRESSION: f32 = 2000.0;
    /// Where nothing rises more than this, nothing is struck.
    const MIN_STRONG: f32 = 0.3;

    let compressed = Levels::amplitudes().map(|amplitude| (1.0 + COMPRESSION * amplitude).ln());
    let mut rises: Vec<f32> = (0..levels.len())
        .map(|column| {
            let Some(before) = column.checked_sub(2) else { return 0.0 };
            let pairs = levels.column(column)[first..end].iter().zip(&levels.column(before)[first..end]);
            let sum: f32 = pairs
                .map(|(&now, &before)| {
                    (compressed[usize::from(now)] - compressed[usize::from(before)]).max(0.0)
                })
                .sum();
            sum / (end - first) as f32
        })
        .collect();
    let strong = at_share(&mut rises.clone(), 98).max(MIN_STRONG);
    rises.iter_mut().for_each(|rise| *rise /= strong);
    rises
}

/// For every [`FLICKER_STEP`] columns, how much the rises around are those of noise, `0.0..=1.0`.
fn flicker(rises: &[f32]) -> Vec<f32> {
    let (music, noise) = FLICKER;
    (0..rises.len())
        .step_by(FLICKER_STEP)
        .map(|column| {
            let near = column.saturating_sub(FLICKER_REACH)..(column + FLICKER_REACH + 1).min(rises.len());
            ((at_share(&mut rises[near].to_vec(), 50) - music) / (noise - music)).clamp(0.0, 1.0)
        })
        .collect()
}

/// How far the highest rise at a column exceeds the mean of its surroundings, as a natural logarithm.
fn prominence(rises: &[f32], column: usize) -> f32 {
    /// Rises below are all alike.
    const NOTHING: f32 = 0.02;

    let near = |reach: usize| &rises[column.saturating_sub(reach)..(column + reach + 1).min(rises.len())];
    let highest = near(2).iter().fold(0.0f32, |highest, &rise| highest.max(rise));
    let around = near(REACH).iter().sum::<f32>() / (2 * REACH + 1) as f32;
    ((highest + NOTHING) / (around + NOTHING)).ln()
}

/// Whether what rises at a column is heard beside what sounds on: steady tones flicker in bands far from their own.
fn is_audible(levels: &Levels, amplitudes: &[f32; 256], column: usize) -> bool {
    /// Share of the sound that must be new.
    const NEW: f32 = 0.004;

    let before = levels.column(column.saturating_sub(3));
    let after = levels.column((column + 1).min(levels.len() - 1));
    let (mut risen, mut total) = (0.0, 0.0);
    for (&before, &after) in before[..BANDS].iter().zip(&after[..BANDS]) {
        let (before, after) = (amplitudes[usize::from(before)], amplitudes[usize::from(after)]);
        total += after;
        // Half a decibel is one step of what is stored.
        risen += (after - 1.06 * before).max(0.0);
    }
    risen >= NEW * total
}

/// The value below which `percent` of all lie.
pub(super) fn at_share(values: &mut [f32], percent: usize) -> f32 {
    let Some(last) = values.len().checked_sub(1) else { return 0.0 };
    *values.select_nth_unstable_by(last * percent / 100, f32::total_cmp).1
}

/// Adds every peak of `rises` with its height.
fn pick(rises: &[f32], floor: f32, picks: &mut Vec<(f32, usize)>) {
    let mut sum: f64 = rises.iter().take(REACH).map(|&rise| f64::from(rise)).sum();
    for (column, &rise) in rises.iter().enumerate() {
        sum += rises.get(column + REACH).map_or(0.0, |&rise| f64::from(rise));
        let around = sum as f32 / (2 * REACH + 1) as f32;
        let near = column.saturating_sub(2)..(column + 3).min(rises.len());
        if rise > around * PROMINENCE + floor && rises[near].iter().all(|&other| rise >= other) {
            picks.push((rise, column));
        }
        sum -= column.checked_sub(REACH).map_or(0.0, |gone| f64::from(rises[gone]));
    }
}

/// The centre of gravity of the rises around a column.
fn centre_secs(rises: &[Vec<f32>; 3], column: usize) -> f64 {
    let near = column.saturating_sub(2)..(column + 3).min(rises[0].len());
    let (mut moment, mut mass) = (0.0, 0.0);
    for index in near {
        let rise = rises.iter().map(|rises| f64::from(rises[index])).sum::<f64>() + 1e-9;
        moment += rise * index as f64;
        mass += rise;
    }
    (moment / mass * HOP_SECS - DELAY_SECS).max(0.0)
}
