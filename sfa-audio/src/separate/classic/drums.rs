//! Drums: what is broad and short, and what repeats at every similar hit.

use super::grid::{Grid, power_share};
use super::hits::repeated_hits;
use super::scale::Scale;
use crate::Result;
use crate::dsp::{median_along_row, median_of_rows};

/// The work is done in so many steps.
pub(super) const STEPS: usize = 2;

/// Below, kicks and toms are as narrow as notes and only repetition tells them apart.
const NARROW_HZ: f64 = 180.0;
/// A tone lasts at least half of this.
const STEADY_SECS: f64 = 0.4;
/// A drum is broader than half of this.
const BROAD_HZ: f64 = 330.0;

/// The share of drums in every bin.
///
/// Above [`NARROW_HZ`] by harmonic-percussive medians (Fitzgerald 2010), below by [`repeated_hits`].
///
/// # Errors
/// What `after_step` returns, which is called [`STEPS`] times.
pub(super) fn share(level: &Grid, scale: &Scale, after_step: &mut dyn FnMut() -> Result<()>) -> Result<Grid> {
    let hits = repeated_hits(level, scale, scale.first_bin(NARROW_HZ));
    let reach = (scale.odd_rows(STEADY_SECS) / 2) as isize;
    let taps = scale.odd_bins(BROAD_HZ);
    let fill = |row: usize, share: &mut [f32]| {
        let around: Vec<&[f32]> = (-reach..=reach).map(|offset| level.row_near(row, offset)).collect();
        let mut steady = vec![0.0; share.len()];
        median_of_rows(&around, &mut steady);
        median_along_row(level.row(row), taps, share);
        for (share, steady) in share.iter_mut().zip(steady) {
            *share = power_share(*share, steady);
        }
        let low = hits.row(row).iter().zip(level.row(row));
        for (share, (&hit, &level)) in share.iter_mut().zip(low) {
            *share = power_share(hit, level - hit);
        }
    };
    Grid::from_rows_in_blocks(level.shape(), STEPS, fill, after_step)
}
