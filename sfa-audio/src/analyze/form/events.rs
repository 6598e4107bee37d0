//! Drops, the build-ups before them, and breakdowns.

use super::parts::{Full, Part};
use super::raster::{Raster, Unit, percentile};
use super::riser::best_climb;
use super::{FormEvent, FormEventKind};

/// How far below the full song's level the low band is when beat and bass are gone.
const GONE_DB: f32 = 10.0;
/// How far below the full song's level the low band and the whole may be in a drop.
const NEARLY_FULL_DB: f32 = 2.5;
/// Rise of the high band over a build-up that counts as a whole sign.
const RISER_DB: f32 = 9.0;
/// Rise that shows a song to be music for dancing.
const SURE_RISER_DB: f32 = 14.0;
/// How far below the song's usual cymbals a swell is not heard at all.
const HEARD_DB: f32 = 4.0;
/// Jump of the low band into a drop that counts as a whole sign.
const LOW_JUMP_DB: f32 = 4.0;
/// Jump of the whole level into a drop that counts as a whole sign.
const LEVEL_JUMP_DB: f32 = 2.0;
/// How long beat and bass must have been gone for their return to be a drop without a swell, in units.
const MIN_GONE_UNITS: usize = 4;
/// The longest build-up looked at, in units.
const MAX_BUILD_UNITS: usize = 16;
/// Units after a boundary that are asked whether the song is full.
const LANDING_UNITS: usize = 2;

/// What happens at and before the start of a part.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Arrival {
    /// `0.0..=1.0`: how sure it is that the full beat and bass come in at once here.
    pub(super) drop: f32,
    /// `0.0..=1.0`: how much the part before pushes towards this one.
    pub(super) tension: f32,
    /// The unit in which that push begins.
    pub(super) build_start: usize,
}

impl Arrival {
    /// Whether the part that starts here is a drop.
    pub(super) fn is_drop(&self) -> bool {
        self.drop >= 0.5
    }

    /// Whether the part before is a build-up.
    pub(super) fn is_after_build(&self) -> bool {
        self.tension >= 0.5
    }
}

/// One entry per part; the first has nothing before it.
pub(super) fn arrivals(raster: &Raster, parts: &[Part], full: &Full) -> Vec<Arrival> {
    let mut arrivals = vec![Arrival::default()];
    for index in 1..parts.len() {
        arrivals.push(arrival(raster, parts, index, full));
    }
    // What swells to something greater is not yet the drop.
    for index in 1..arrivals.len().max(1) - 1 {
        if arrivals[index + 1].is_drop()
            && arrivals[index + 1].is_after_build()
            && parts[index].len() <= MAX_BUILD_UNITS
        {
            arrivals[index].drop = 0.0;
        }
    }
    arrivals
}

fn arrival(raster: &Raster, parts: &[Part], index: usize, full: &Full) -> Arrival {
    let (before, after) = (&parts[index - 1], &parts[index]);
    let window = before.len().min(MAX_BUILD_UNITS);
    let approach = &raster.units[before.end - window..before.end];
    let landing = &after.units(raster)[..after.len().min(LANDING_UNITS)];
    let last = &approach[approach.len() - approach.len().min(2)..];

    // The strongest of the landing and the weakest before it: a grid that is half a bar off mixes the two
    // sides of the boundary in one unit.
    let low_jump_db = highest(landing, |unit| unit.low_db) - lowest(last, |unit| unit.low_db);
    let level_jump_db = highest(landing, |unit| unit.level_db) - mean(last, |unit| unit.level_db);
    let lands_full = highest(landing, |unit| unit.low_db) > full.low_db - NEARLY_FULL_DB
        && highest(landing, |unit| unit.level_db) > full.level_db - NEARLY_FULL_DB;

    let without_last = &approach[..approach.len() - 1];
    let (rise_db, rise_from) = [best_climb(approach), best_climb(without_last)]
        .into_iter()
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .expect("two");
    // What swells and stays softer than the song's usual cymbals is no riser.
    let peak_db = last.iter().flat_map(|unit| unit.high_quarters_db).fold(f32::NEG_INFINITY, f32::max);
    let rise_db = rise_db * ((peak_db - full.high_db) / HEARD_DB + 1.0).clamp(0.0, 1.0);
    let thin_low = full.low_db - lowest(last, |unit| unit.low_db);
    let tension = (rise_db / RISER_DB).clamp(0.0, 1.5) * 0.6
        + (thin_low / LOW_JUMP_DB).clamp(0.0, 1.0) * 0.2
        + if level_jump_db > 0.0 { 0.1 } else { -0.2 };

    let was_gone = before.low_db < full.low_db - GONE_DB && before.len() >= MIN_GONE_UNITS;
    let was_full_earlier = parts[..index - 1].iter().any(|part| part.low_db > full.low_db - NEARLY_FULL_DB);
    let returns = was_gone && was_full_earlier && level_jump_db > LEVEL_JUMP_DB;
    let contrast = 0.5 * (low_jump_db / LOW_JUMP_DB).clamp(0.0, 1.0)
        + 0.5 * (level_jump_db / LEVEL_JUMP_DB).clamp(0.0, 1.0);
    let push = tension.max(if returns { 0.7 } else { 0.0 });
    let drop = if lands_full { push.clamp(0.0, 1.0) * contrast } else { 0.0 };
    // A swell this long and high is made for a drop, however little of the song lies in its low band.
    let is_dance = full.bass.max(((rise_db - RISER_DB) / (SURE_RISER_DB - RISER_DB)).clamp(0.0, 1.0));
    Arrival {
        drop: is_dance * drop,
        tension: is_dance * tension.clamp(0.0, 1.0),
        build_start: before.end - window + rise_from,
    }
}

/// Whether most of this part swells towards the next.
pub(super) fn is_build_up(parts: &[Part], arrivals: &[Arrival], index: usize) -> bool {
    let part = &parts[index];
    arrivals
        .get(index + 1)
        .is_some_and(|next| next.is_after_build() && next.build_start < part.first + part.len().div_ceil(2))
}

/// Whether beat and bass are gone in this part after they were there.
pub(super) fn is_breakdown(parts: &[Part], arrivals: &[Arrival], index: usize, full: &Full) -> bool {
    // Where there are drops, a bass may stay that is as much weaker as a drop makes it stronger.
    let has_drops = arrivals.iter().any(Arrival::is_drop);
    let gone_db = if has_drops { LOW_JUMP_DB } else { GONE_DB };
    let is_gone = |part: &Part| part.low_db < full.low_db - gone_db;
    let came_from_full = parts[..index]
        .iter()
        .rev()
        .find(|part| !is_gone(part))
        .is_some_and(|part| part.low_db > full.low_db - 2.0 * NEARLY_FULL_DB);
    (full.bass >= 0.5 || has_drops)
        && is_gone(&parts[index])
        && came_from_full
        && parts[index].len() >= 2
        && index + 1 < parts.len()
}

/// The events in order of time.
pub(super) fn list(raster: &Raster, parts: &[Part], arrivals: &[Arrival], full: &Full) -> Vec<FormEvent> {
    let mut events = Vec::new();
    for (index, (part, arrival)) in parts.iter().zip(arrivals).enumerate() {
        let (start_secs, end_secs) = (part.start_secs(raster), part.end_secs(raster));
        if arrival.is_after_build() {
            events.push(FormEvent {
                kind: FormEventKind::BuildUp,
                start_secs: raster.units[arrival.build_start].start_secs,
                end_secs: start_secs,
                intensity: arrival.tension,
                confidence: arrival.tension,
            });
        }
        if arrival.is_drop() {
            events.push(FormEvent {
                kind: FormEventKind::Drop,
                start_secs,
                end_secs,
                intensity: part.energy,
                confidence: arrival.drop,
            });
        }
        if is_breakdown(parts, arrivals, index, full) && !is_build_up(parts, arrivals, index) {
            let depth_db = full.low_db - part.low_db;
            events.push(FormEvent {
                kind: FormEventKind::Breakdown,
                start_secs,
                end_secs,
                intensity: 1.0 - part.energy,
                confidence: (depth_db / (2.0 * GONE_DB)).clamp(0.5, 1.0),
            });
        }
    }
    events.sort_by(|a, b| a.start_secs.total_cmp(&b.start_secs).then(a.kind.cmp(&b.kind)));
    events
}

fn mean(units: &[Unit], value: fn(&Unit) -> f32) -> f32 {
    units.iter().map(value).sum::<f32>() / units.len().max(1) as f32
}

fn highest(units: &[Unit], value: fn(&Unit) -> f32) -> f32 {
    percentile(units.iter().map(value), 1.0).unwrap_or(0.0)
}

fn lowest(units: &[Unit], value: fn(&Unit) -> f32) -> f32 {
    percentile(units.iter().map(value), 0.0).unwrap_or(0.0)
}
