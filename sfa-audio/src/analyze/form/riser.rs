//! Noise, rolls and cymbals that swell towards what comes next.

use super::raster::Unit;

/// Share of the whole climb that each quarter of a swell must climb over the quarter before. A step rises at
/// one place only and a crash falls off at once: neither is a swell.
const LEAST_STEP: f32 = 0.1;

/// How far the high band climbs over `units`, from the first quarter of the way to the last, in dB; 0 where
/// it does not climb all the way.
///
/// The way ends at the loudest moment of the last unit: a gap often stands between a swell and the drop.
pub(super) fn climb_db(units: &[Unit]) -> f32 {
    let Some(last) = units.last().filter(|_| units.len() >= 2) else { return 0.0 };
    let peak = (0..4).max_by(|&a, &b| last.high_quarters_db[a].total_cmp(&last.high_quarters_db[b]));
    let moments = 4 * (units.len() - 1) + peak.unwrap_or(3) + 1;
    let (mut sums, mut counts) = ([0.0; 4], [0.0; 4]);
    for (moment, level) in units.iter().flat_map(|unit| unit.high_quarters_db).take(moments).enumerate() {
        let quarter = moment * 4 / moments;
        sums[quarter] += level;
        counts[quarter] += 1.0;
    }
    let levels: [f32; 4] = std::array::from_fn(|quarter| sums[quarter] / counts[quarter]);
    let climb = levels[3] - levels[0];
    let climbs_on = levels.windows(2).all(|pair| pair[1] - pair[0] >= LEAST_STEP * climb);
    if climb > 0.0 && climbs_on { climb } else { 0.0 }
}

/// The stretch at the end of `units` over which the high band climbs most: how far, in dB, and from which unit.
pub(super) fn best_climb(units: &[Unit]) -> (f32, usize) {
    (0..units.len().saturating_sub(1))
        .map(|from| (climb_db(&units[from..]), from))
        .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))
        .unwrap_or((0.0, 0))
}
