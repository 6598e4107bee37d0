//! Bass: the partials of the lowest line.

use super::grid::Grid;
use super::pitch::{Comb, Line};
use super::scale::Scale;

/// Where the fundamental is looked for: from below the low string of a five-string bass up.
const LINE: Line = Line { low_hz: 32.0, high_hz: 260.0, partials: 4, decay: 0.7, leap_price: 1.0 };
/// Below, nearly everything that is no drum is bass.
const ONLY_BASS_HZ: f64 = 130.0;
/// Above, partials of the bass are weaker than the instruments there.
const TOP_HZ: f64 = 300.0;
/// The share of bass between its partials below [`ONLY_BASS_HZ`].
const BETWEEN_PARTIALS: f32 = 0.9;

/// The share of bass in what is no drum, for the lowest bins only: the last is 0, and so are all above.
pub(super) fn share(tonal: &Grid, scale: &Scale) -> Grid {
    let line = LINE.track(tonal, scale);
    let comb = Comb::new(scale);
    let (only, top) = (scale.first_bin(ONLY_BASS_HZ), scale.first_bin(TOP_HZ));
    let bins = (top + 1).min(tonal.bins());
    Grid::from_rows(tonal.rows(), bins, |row, share| {
        comb.fill(line[row], share);
        for (bin, share) in share.iter_mut().enumerate() {
            if bin < only {
                *share = BETWEEN_PARTIALS + (1.0 - BETWEEN_PARTIALS) * *share;
            } else {
                *share *= 1.0 - (bin - only) as f32 / (top - only).max(1) as f32;
            }
        }
        share[bins - 1] = 0.0;
    })
}
