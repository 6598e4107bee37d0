//! What the parts between boundaries sound like as wholes, and which of them repeat each other.

use super::raster::{DIMENSIONS, Features, Raster, Unit, percentile};
use crate::analyze::timbre::BANDS;

/// Parts count as repeats when they differ by less than this share of what neighbours differ by...
const REPEAT_SHARE: f64 = 0.1;
/// ... or by less than this share of what the units of a part differ from its mean.
const REPEAT_SPREAD: f64 = 0.5;
/// Squared distance at which parts are alike whatever the neighbours do.
const ALWAYS_ALIKE: f64 = 0.3;
/// Squared distance at which parts are unlike whatever the neighbours do.
const NEVER_ALIKE: f64 = 2.0;

/// How far the low band lies below the whole in music that is not carried by it.
const NO_BASS_DB: f32 = 6.5;
/// How much closer to the whole it lies in music that surely is.
const BASS_SLOPE_DB: f32 = 2.0;

/// A run of units between two boundaries.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) first: usize,
    /// One past the last unit.
    pub(super) end: usize,
    pub(super) mean: Features,
    /// Level below 150 Hz in dBFS: the median of the units.
    pub(super) low_db: f32,
    /// How much of the spectrum is filled how strongly; comparable within the song.
    pub(super) fullness: f32,
    pub(super) energy: f32,
    /// Equal for parts that repeat each other; numbered in order of appearance.
    pub(super) group: u32,
}

impl Part {
    pub(super) fn units<'a>(&self, raster: &'a Raster) -> &'a [Unit] {
        &raster.units[self.first..self.end]
    }

    pub(super) fn start_secs(&self, raster: &Raster) -> f64 {
        raster.units[self.first].start_secs
    }

    pub(super) fn end_secs(&self, raster: &Raster) -> f64 {
        raster.units[self.end - 1].end_secs
    }

    pub(super) fn len(&self) -> usize {
        self.end - self.first
    }
}

/// The strong moments of the song, by which "full" and "gone" are told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Full {
    pub(super) low_db: f32,
    pub(super) level_db: f32,
    /// Of the level above 5 kHz between strokes.
    pub(super) high_db: f32,
    /// `0.0..=1.0`: whether the song is carried by its low band, as music for dancing is.
    pub(super) bass: f32,
}

impl Full {
    pub(super) fn of(raster: &Raster) -> Self {
        let strong = |value: fn(&Unit) -> f32| percentile(raster.units.iter().map(value), 0.8).unwrap_or(0.0);
        let (low_db, level_db) = (strong(|unit| unit.low_db), strong(|unit| unit.level_db));
        Self {
            bass: ((NO_BASS_DB - (level_db - low_db)) / BASS_SLOPE_DB).clamp(0.0, 1.0),
            low_db,
            level_db,
            high_db: strong(|unit| unit.high_quarters_db.iter().sum::<f32>() / 4.0),
        }
    }
}

/// Describes the parts that start at the units `starts`, and groups them.
pub(super) fn describe(raster: &Raster, starts: &[usize]) -> Vec<Part> {
    let ends = starts.iter().skip(1).copied().chain([raster.units.len()]);
    let mut parts: Vec<Part> =
        starts.iter().zip(ends).map(|(&first, end)| part(raster, first, end)).collect();
    let means: Vec<Features> = parts.iter().map(|part| part.mean).collect();
    let spreads = parts.iter().map(|part| {
        let sum: f64 = part.units(raster).iter().map(|unit| distance(&unit.features, &part.mean)).sum();
        (sum / part.len() as f64) as f32
    });
    let spread = f64::from(percentile(spreads, 0.5).unwrap_or(0.0));
    for (part, group) in parts.iter_mut().zip(groups(&means, spread)) {
        part.group = group;
    }
    parts
}

/// Joins neighbours that repeat each other: nothing changes between them.
pub(super) fn join_repeats(raster: &Raster, parts: Vec<Part>) -> Vec<Part> {
    let mut joined: Vec<Part> = Vec::with_capacity(parts.len());
    for next in parts {
        match joined.last_mut() {
            Some(last) if last.group == next.group => {
                *last = Part { group: last.group, ..part(raster, last.first, next.end) }
            }
            _ => joined.push(next),
        }
    }
    joined
}

fn part(raster: &Raster, first: usize, end: usize) -> Part {
    let units = &raster.units[first..end];
    // The first unit often carries a crash from the change before: longer parts are told by the rest.
    let told = if units.len() >= 4 { &units[1..] } else { units };
    let mut mean = [0.0; DIMENSIONS];
    for unit in told {
        for (mean, &feature) in mean.iter_mut().zip(&unit.features) {
            *mean += feature / told.len() as f32;
        }
    }
    let weight: f64 = units.iter().map(|unit| unit.weight).sum();
    let energy: f64 = units.iter().map(|unit| unit.weight * f64::from(unit.energy)).sum();
    let median = |value: fn(&Unit) -> f32| percentile(told.iter().map(value), 0.5).unwrap_or(0.0);
    Part {
        first,
        end,
        fullness: mean[..BANDS].iter().sum::<f32>() / BANDS as f32,
        mean,
        low_db: median(|unit| unit.low_db),
        energy: (energy / weight) as f32,
        group: 0,
    }
}

/// Average-linkage clustering of `means`: a group number for each, in order of appearance.
fn groups(means: &[Features], spread: f64) -> Vec<u32> {
    let count = means.len();
    let pair: Vec<Vec<f64>> = means.iter().map(|a| means.iter().map(|b| distance(a, b)).collect()).collect();
    let neighbours = (1..count).map(|index| pair[index - 1][index] as f32);
    let typical = f64::from(percentile(neighbours, 0.5).unwrap_or(0.0));
    let alike = (REPEAT_SHARE * typical).clamp(ALWAYS_ALIKE, NEVER_ALIKE).max(REPEAT_SPREAD * spread);
    let mut clusters: Vec<Vec<usize>> = (0..count).map(|index| vec![index]).collect();
    loop {
        let mut closest = (alike, 0, 0);
        for (b, of_b) in clusters.iter().enumerate() {
            for (a, of_a) in clusters[..b].iter().enumerate() {
                let sum: f64 = of_a
                    .iter()
                    .flat_map(|&i| of_b.iter().map(move |&j| (i, j)))
                    .map(|(i, j)| pair[i][j])
                    .sum();
                let mean = sum / (of_a.len() * of_b.len()) as f64;
                if mean < closest.0 {
                    closest = (mean, a, b);
                }
            }
        }
        let (_, a, b) = closest;
        if a == b {
            break;
        }
        let moved = clusters.remove(b);
        clusters[a].extend(moved);
    }
    let mut group_of = vec![0; count];
    for (group, cluster) in clusters.iter().enumerate() {
        for &index in cluster {
            group_of[index] = group as u32;
        }
    }
    group_of
}

/// Squared distance.
pub(super) fn distance(a: &Features, b: &Features) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum()
}
