//! Drum hits by repetition: what comes back at every similar onset.

use std::ops::Range;

use rayon::prelude::*;

use super::grid::Grid;
use super::scale::Scale;
use crate::dsp::median_of_rows;

/// A window sees an onset this many rows before its centre does.
const LEAD_ROWS: usize = 2;
/// Rows before the onset in which it is certainly not heard.
const BEFORE_ROWS: usize = 4;
/// How long a hit is followed.
const HIT_SECS: f64 = 0.3;
/// Onsets lie at least this far apart.
const APART_SECS: f64 = 0.07;
/// The least rise of an onset as a multiple of the mean rise between rows.
const LEAST_RISE: f32 = 1.5;
/// Onsets are compared in bands, evenly spaced over this range on a logarithmic scale.
const BANDS: usize = 40;
const BANDS_HZ: Range<f64> = 30.0..12_000.0;
/// The least cosine between the rises of two onsets of the same drums. Low, so that a median spans more
/// chords than repeat under the drum.
const LEAST_LIKENESS: f32 = 0.6;
/// The most onsets in one median, and the fewest that are a repetition.
const ALIKE: Range<usize> = 4..63;
/// Single hits are not as loud as the median in every bin: what of it is believed.
const TRUST: f32 = 0.9;

struct Onset {
    row: usize,
    /// The rise of each band, of length 1.
    rise: [f32; BANDS],
    loudness: f32,
}

/// The level of repeated drum hits in the lowest `bins` of every row, at most the mix's own.
///
/// A drum sounds much the same each time while bass and chords under it change, so the median over similar
/// onsets keeps the drum: kernel additive modelling (Liutkus et al. 2014) with onsets as the kernel. It finds
/// the body of a kick, which harmonic-percussive medians take for a bass note.
pub(super) fn repeated_hits(level: &Grid, scale: &Scale, bins: usize) -> Grid {
    let onsets = find_onsets(level, scale);
    let hit_rows = scale.rows(HIT_SECS).max(1);
    let patches: Vec<(usize, Grid)> = onsets
        .par_iter()
        .filter_map(|onset| {
            let alike = most_alike(onset, &onsets);
            (alike.len() >= ALIKE.start)
                .then(|| (onset.row, common_patch(level, onset, &alike, hit_rows, bins)))
        })
        .collect();
    let mut hits = Grid::new(bins, vec![0.0; level.rows() * bins]);
    for (onset, patch) in patches {
        for index in 0..patch.rows() {
            let Some(row) = (onset + index).checked_sub(LEAD_ROWS).filter(|&row| row < level.rows()) else {
                continue;
            };
            for (hit, &common) in hits.row_mut(row).iter_mut().zip(patch.row(index)) {
                *hit = hit.max(common * TRUST);
            }
        }
    }
    hits.for_each_row(|row, hits| {
        for (hit, &level) in hits.iter_mut().zip(level.row(row)) {
            *hit = hit.min(level);
        }
    });
    hits
}

fn most_alike<'a>(onset: &Onset, onsets: &'a [Onset]) -> Vec<&'a Onset> {
    let likeness = |other: &Onset| onset.rise.iter().zip(&other.rise).map(|(a, b)| a * b).sum::<f32>();
    let mut alike: Vec<(f32, &Onset)> = onsets
        .iter()
        .map(|other| (likeness(other), other))
        .filter(|(likeness, _)| *likeness >= LEAST_LIKENESS)
        .collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.row.cmp(&b.1.row)));
    alike.truncate(ALIKE.end);
    alike.into_iter().map(|(_, other)| other).collect()
}

/// What similar onsets have in common beyond what sounds before and after them, as loud as `onset`.
fn common_patch(level: &Grid, onset: &Onset, alike: &[&Onset], hit_rows: usize, bins: usize) -> Grid {
    let mut scaled = vec![0.0; alike.len() * bins];
    let mut common = |offset: isize| {
        for (scaled, other) in scaled.chunks_mut(bins).zip(alike) {
            let factor = onset.loudness / other.loudness;
            for (scaled, level) in scaled.iter_mut().zip(level.row_near(other.row, offset)) {
                *scaled = level * factor;
            }
        }
        let mut median = vec![0.0; bins];
        median_of_rows(&scaled.chunks(bins).collect::<Vec<_>>(), &mut median);
        median
    };
    let before = common(-(BEFORE_ROWS as isize));
    let after = common(hit_rows as isize);
    let mut values = Vec::with_capacity((LEAD_ROWS + hit_rows) * bins);
    for index in 0..LEAD_ROWS + hit_rows {
        let median = common(index as isize - LEAD_ROWS as isize);
        let lasting = before.iter().zip(&after).map(|(before, after)| before.min(*after));
        values.extend(
            median.iter().zip(lasting).map(|(v, lasting)| (v * v - lasting * lasting).max(0.0).sqrt()),
        );
    }
    Grid::new(bins, values)
}

fn find_onsets(level: &Grid, scale: &Scale) -> Vec<Onset> {
    let bands: Vec<[f32; BANDS]> = {
        let bands = scale.bands::<BANDS>(BANDS_HZ);
        let rows = 0..level.rows();
        rows.into_par_iter()
            .map(|row| bands.each_ref().map(|band| loudness(&level.row(row)[band.clone()])))
            .collect()
    };
    let rise = |row: usize| -> [f32; BANDS] {
        let before = &bands[row.saturating_sub(BEFORE_ROWS - 1)];
        let (now, after) = (&bands[row], &bands[(row + 1).min(bands.len() - 1)]);
        std::array::from_fn(|band| (now[band].max(after[band]) - before[band]).max(0.0))
    };
    let rises: Vec<f32> =
        (0..bands.len()).map(|row| rise(row).iter().map(|v| v * v).sum::<f32>().sqrt()).collect();
    let least = LEAST_RISE * rises.iter().sum::<f32>() / rises.len().max(1) as f32;
    let apart = scale.rows(APART_SECS).max(1);
    let is_peak = |row: usize| {
        let before = &rises[row.saturating_sub(apart)..row];
        let after = &rises[row..(row + apart + 1).min(rises.len())];
        before.iter().all(|&rise| rise < rises[row]) && after.iter().all(|&rise| rise <= rises[row])
    };
    (0..rises.len())
        .filter(|&row| rises[row] > least && is_peak(row))
        .map(|row| Onset {
            row,
            rise: rise(row).map(|v| v / rises[row]),
            // Rises are square roots of levels.
            loudness: rises[row] * rises[row],
        })
        .collect()
}

/// The square root of the mean level of some bins: loud bands do not outweigh all others.
fn loudness(bins: &[f32]) -> f32 {
    (bins.iter().map(|level| level * level).sum::<f32>() / bins.len() as f32).sqrt().sqrt()
}
