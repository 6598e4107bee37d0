//! Who owns which bin.

use super::features::Features;
use super::grid::Grid;
use super::render::Masks;
use super::scale::Scale;
use super::{bass, drums, voice};
use crate::Result;

/// How often [`masks`] calls `after_step`.
pub(super) const STEPS: usize = drums::STEPS + 1 + voice::STEPS;

/// One source after the other takes its share of what the ones before left, so that all shares add up to one.
///
/// # Errors
/// What `after_step` returns, at once.
pub(super) fn masks(
    features: &Features,
    scale: &Scale,
    after_step: &mut dyn FnMut() -> Result<()>,
) -> Result<Masks> {
    let (rows, bins) = features.level.shape();
    let drums = drums::share(&features.level, scale, after_step)?;

    let tonal = Grid::from_rows(rows, bins, |row, out| {
        for ((out, level), drums) in out.iter_mut().zip(features.level.row(row)).zip(drums.row(row)) {
            *out = level * (1.0 - drums);
        }
    });
    let mut bass = bass::share(&tonal, scale);
    let mut rest = tonal;
    rest.for_each_row(|row, rest| {
        for (rest, bass) in rest.iter_mut().zip(bass.row(row)) {
            *rest *= 1.0 - bass;
        }
    });
    after_step()?;

    let mut vocals = voice::share(features, &rest, scale, after_step)?;
    vocals.for_each_row(|row, vocals| {
        for (vocals, drums) in vocals.iter_mut().zip(drums.row(row)) {
            *vocals *= 1.0 - drums;
        }
        for (vocals, bass) in vocals.iter_mut().zip(bass.row(row)) {
            *vocals *= 1.0 - bass;
        }
    });
    bass.for_each_row(|row, bass| {
        for (bass, drums) in bass.iter_mut().zip(drums.row(row)) {
            *bass *= 1.0 - drums;
        }
    });
    Ok(Masks { drums, bass, vocals })
}
