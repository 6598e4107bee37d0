//! What of every moment comes back elsewhere.

use std::ops::Range;

use rayon::prelude::*;

use super::grid::Grid;
use super::scale::Scale;
use crate::dsp::median_of_rows;

/// Moments are compared in bands, evenly spaced over this range on a logarithmic scale.
const BANDS: usize = 96;
const BANDS_HZ: Range<f64> = 100.0..6_000.0;
/// The most moments in one median.
const MOMENTS: usize = 45;
/// Moments lie at least this far apart, so that a held note does not count as its own repetition.
const APART_SECS: f64 = 0.2;
/// So many of the most similar moments are looked through for some that lie apart.
const CANDIDATES: usize = 600;

/// Finds the repeating background by the similarity of moments (REPET-SIM, Rafii and Pardo 2012).
pub(super) struct Background<'a> {
    level: &'a Grid,
    looks: Vec<[f32; BANDS]>,
    apart_rows: usize,
}

impl<'a> Background<'a> {
    pub(super) fn new(level: &'a Grid, scale: &Scale) -> Self {
        let bands = scale.bands::<BANDS>(BANDS_HZ);
        let rows = 0..level.rows();
        let looks = rows.into_par_iter().map(|row| look(level.row(row), &bands)).collect();
        Self { level, looks, apart_rows: scale.rows(APART_SECS) }
    }

    /// The level of the background in a row, which may be above the mix's own.
    pub(super) fn fill(&self, row: usize, out: &mut [f32]) {
        let moments: Vec<&[f32]> =
            self.similar_moments(row).into_iter().map(|moment| self.level.row(moment)).collect();
        median_of_rows(&moments, out);
    }

    fn similar_moments(&self, row: usize) -> Vec<usize> {
        let likeness = |other| cosine(&self.looks[row], other);
        let mut others: Vec<(f32, usize)> = self.looks.iter().map(likeness).zip(0..).collect();
        let by_likeness = |a: &(f32, usize), b: &(f32, usize)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if others.len() > CANDIDATES {
            others.select_nth_unstable_by(CANDIDATES, by_likeness);
            others.truncate(CANDIDATES);
        }
        others.sort_unstable_by(by_likeness);
        let mut moments: Vec<usize> = Vec::with_capacity(MOMENTS);
        for (_, other) in others {
            if moments.len() == MOMENTS {
                break;
            }
            if moments.iter().all(|moment| moment.abs_diff(other) >= self.apart_rows) {
                moments.push(other);
            }
        }
        moments
    }
}

/// The shape of a spectrum without its loudness; the root keeps loud bands from deciding alone.
fn look(row: &[f32], bands: &[Range<usize>; BANDS]) -> [f32; BANDS] {
    let look = bands.each_ref().map(|band| row[band.clone()].iter().sum::<f32>().sqrt());
    let length = look.iter().map(|v| v * v).sum::<f32>().sqrt();
    if length > 0.0 { look.map(|v| v / length) } else { look }
}

/// The product of two looks; eight sums side by side, because one sum in order could not use SIMD.
fn cosine(a: &[f32; BANDS], b: &[f32; BANDS]) -> f32 {
    let mut sums = [0.0; 8];
    for (a, b) in a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}
