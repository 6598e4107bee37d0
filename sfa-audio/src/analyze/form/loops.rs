//! Stretches of whole bars that can be played round and round.

use super::SeamlessLoop;
use super::parts::{Part, distance};
use super::raster::{DIMENSIONS, Raster, Unit};

/// Lengths to look for, in bars.
const LENGTHS: [usize; 5] = [1, 2, 4, 8, 16];
/// What quality a loop must have to be worth offering.
pub(super) const MIN_QUALITY: f32 = 0.6;
/// The most loops to keep.
const MAX_LOOPS: usize = 32;
/// Squared distance across the seam at which quality has fallen to 37 %.
const SEAM_SCALE: f64 = 2.0;
/// Mean squared distance to the loop's own mean at which steadiness has fallen to 37 %.
const STEADY_SCALE: f64 = 6.0;
/// Weight of the seam beside steadiness.
const SEAM_WEIGHT: f64 = 0.8;
/// Quality that a loop out of step with its part must be better by: phrases start where parts start.
const OUT_OF_STEP: f64 = 0.03;
/// A bar longer or shorter than the usual one by this factor is not looped.
const BAR_TOLERANCE: f64 = 1.15;

/// The best loop of each length in each part, in order of time.
pub(super) fn find(raster: &Raster, parts: &[Part]) -> Vec<SeamlessLoop> {
    let mut loops: Vec<SeamlessLoop> = parts
        .iter()
        .flat_map(|part| LENGTHS.into_iter().filter_map(move |bars| best_in(raster, part, bars)))
        .filter(|found| found.quality >= MIN_QUALITY)
        .collect();
    loops.sort_by(|a, b| b.quality.total_cmp(&a.quality));
    loops.truncate(MAX_LOOPS);
    loops.sort_by(|a, b| a.start_secs.total_cmp(&b.start_secs).then(a.bars.cmp(&b.bars)));
    loops
}

fn best_in(raster: &Raster, part: &Part, bars: usize) -> Option<SeamlessLoop> {
    let last_start = part.end.checked_sub(bars)?;
    let rated = (part.first..=last_start).filter_map(|start| {
        let units = &raster.units[start..start + bars];
        let (start_secs, end_secs) = (units[0].bar_secs?.0, units[bars - 1].bar_secs?.1);
        let usual = units.iter().all(|unit| {
            unit.bar_secs.is_some_and(|(from, to)| {
                (1.0 / BAR_TOLERANCE..BAR_TOLERANCE).contains(&((to - from) / raster.unit_secs))
            })
        });
        if !usual {
            return None;
        }
        let quality = SEAM_WEIGHT * seam(raster, start, bars)? + (1.0 - SEAM_WEIGHT) * steadiness(units);
        let out_of_step = if (start - part.first).is_multiple_of(bars.min(4)) { 0.0 } else { OUT_OF_STEP };
        Some((
            quality - out_of_step,
            SeamlessLoop { start_secs, end_secs, bars: bars as u32, quality: quality as f32 },
        ))
    });
    // The first of equals.
    rated.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, found)| found)
}

/// How alike it sounds to go on and to go back: what follows the end against the start, and what comes before
/// the start against the end. `None` where nothing is on the other side.
fn seam(raster: &Raster, start: usize, bars: usize) -> Option<f64> {
    let unit = |index: usize| raster.units.get(index).map(|unit| &unit.features);
    let end = start + bars;
    let after = unit(end).map(|next| distance(next, &raster.units[start].features));
    let before =
        start.checked_sub(1).and_then(unit).map(|last| distance(last, &raster.units[end - 1].features));
    let sides: Vec<f64> = [after, before].into_iter().flatten().collect();
    // The better side counts: a loop may well stand at the edge of its part.
    let nearest = sides.into_iter().reduce(f64::min)?;
    Some((-nearest / SEAM_SCALE).exp())
}

fn steadiness(units: &[Unit]) -> f64 {
    let mut mean = [0.0; DIMENSIONS];
    for unit in units {
        for (mean, feature) in mean.iter_mut().zip(&unit.features) {
            *mean += feature / units.len() as f32;
        }
    }
    let spread: f64 =
        units.iter().map(|unit| distance(&unit.features, &mean)).sum::<f64>() / units.len() as f64;
    (-spread / STEADY_SCALE).exp()
}
