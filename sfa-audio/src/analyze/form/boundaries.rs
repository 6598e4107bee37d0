//! Where one part ends and the next begins.
//!
//! Parts are found all at once: of all ways to cut the song, the one is taken in which the units of each part
//! are most alike, where every cut costs something (kernel change-point detection, Harchaoui and Cappé 2007;
//! solved exactly by dynamic programming over parts of bounded length).

use super::raster::{Raster, TIMBRE, Unit, percentile};
use super::riser::climb_db;

/// The longest part, in units; bounds time to units times this.
const MAX_PART_UNITS: usize = 256;
/// Climb of the high band over a part that moves instead of standing still.
const SWELL_DB: f32 = 4.0;
/// What describing a part that moves costs beyond a steady one, in penalties.
const MOVING_COST: f64 = 0.6;
/// The longest part that moves, in units.
const MAX_MOVING_UNITS: usize = 16;
/// Parts shorter than this or than two bars are fills, not parts.
const MIN_PART_SECS: f64 = 3.0;
/// The same where there are no bars.
const MIN_UNMETERED_PART_SECS: f64 = 8.0;
/// What such a part costs on top, in penalties.
const SHORT_PART_COST: f64 = 8.0;
/// What a part of 8 bars costs, in penalties; other lengths cost more.
const EVEN_PART_COST: f64 = 0.5;
/// What a part half as long as usual costs on top, in penalties, is about half of this.
///
/// Cost grows with the squared logarithm of the length (regularity of structure: Sargent, Bimbot and
/// Vincent 2011).
const REGULARITY: f64 = 2.0;
/// The usual part is this share of the song...
const USUAL_SHARE: f64 = 0.1;
/// ... or this long where songs are long or follow each other.
const MAX_USUAL_SECS: f64 = 20.0;
/// The penalty in squared distance where all units are alike.
const PENALTY_BASE: f64 = 1.5;
/// The number of units from which on cuts cost more, as the logarithm of their number (Schwarz 1978): the more
/// places there are, the more of them look like a boundary by chance.
const FREE_UNITS: f64 = 40.0;
/// What half the squared distance of usual neighbours adds to it.
const PENALTY_PER_RESTLESSNESS: f64 = 1.2;

/// The first unit of every part, starting with 0.
pub(super) fn find(raster: &Raster) -> Vec<usize> {
    let units = &raster.units;
    let sums = PrefixSums::new(units);
    let penalty = penalty(raster);
    let mut best = vec![f64::INFINITY; units.len() + 1];
    let mut from = vec![0; units.len() + 1];
    best[0] = 0.0;
    for end in 1..=units.len() {
        for start in end.saturating_sub(MAX_PART_UNITS)..end {
            let shape = shape_cost(raster, start, end);
            let steady = sums.spread(start, end);
            // Songs begin and end with layers that come and go one by one.
            let is_outer = start == 0 || end == units.len();
            let may_move =
                end - start <= MAX_MOVING_UNITS && (is_outer || climb_db(&units[start..end]) >= SWELL_DB);
            let spread = if may_move {
                steady.min(sums.spread_around_ramp(start, end) + MOVING_COST * penalty)
            } else {
                steady
            };
            let cost = best[start] + spread + penalty * shape;
            if cost < best[end] {
                best[end] = cost;
                from[end] = start;
            }
        }
    }
    let mut starts = Vec::new();
    let mut end = units.len();
    while end > 0 {
        end = from[end];
        starts.push(end);
    }
    starts.reverse();
    starts
}

/// What a part of this length costs, in penalties.
fn shape_cost(raster: &Raster, start: usize, end: usize) -> f64 {
    let secs = raster.units[end - 1].end_secs - raster.units[start].start_secs;
    let is_short = if raster.has_bars {
        secs < MIN_PART_SECS || end - start < 2
    } else {
        secs < MIN_UNMETERED_PART_SECS
    };
    let uneven = match (end - start) % 8 {
        _ if !raster.has_bars => 0.0,
        0 => 0.0,
        4 => 0.02,
        2 | 6 => 0.25,
        _ => 0.5,
    };
    let song_secs = raster.units[raster.units.len() - 1].end_secs;
    let usual_secs = (USUAL_SHARE * song_secs).min(MAX_USUAL_SECS);
    let shortness = (usual_secs / secs).ln().max(0.0);
    let short = if is_short { SHORT_PART_COST } else { 0.0 };
    EVEN_PART_COST + uneven + REGULARITY * shortness * shortness + short
}

/// What a usual cut must save, in squared distance: more in songs whose units differ from each other anyway.
fn penalty(raster: &Raster) -> f64 {
    let units = &raster.units;
    // Below the median, so that songs with many parts are not taken for restless ones.
    let usual_step = |lag: usize| {
        let steps = units.iter().zip(units.iter().skip(lag)).map(|(a, b)| step(a, b));
        percentile(steps, 0.4).unwrap_or(0.0)
    };
    // Bars hold whole chords and patterns; seconds may lie within one and need a look further ahead.
    let lags = if raster.has_bars { 1..=1 } else { 1..=4 };
    let restlessness = lags.map(usual_step).fold(0.0, f32::max) / 2.0;
    let places = (units.len() as f64).max(FREE_UNITS).ln() / FREE_UNITS.ln();
    places * (PENALTY_BASE + PENALTY_PER_RESTLESSNESS * f64::from(restlessness))
}

/// Squared distance of the timbre of two units.
fn step(a: &Unit, b: &Unit) -> f32 {
    a.features[..TIMBRE].iter().zip(&b.features).map(|(a, b)| (a - b).powi(2)).sum()
}

/// Sums over all units before each edge, so that the spread of any part takes a fixed time.
struct PrefixSums {
    weights: Vec<f64>,
    sums: Vec<[f64; TIMBRE]>,
    squares: Vec<f64>,
    /// Of weight times place, weight times place squared, and features times weight and place.
    places: Vec<f64>,
    place_squares: Vec<f64>,
    place_sums: Vec<[f64; TIMBRE]>,
}

impl PrefixSums {
    fn new(units: &[Unit]) -> Self {
        let mut prefix = Self {
            weights: vec![0.0],
            sums: vec![[0.0; TIMBRE]],
            squares: vec![0.0],
            places: vec![0.0],
            place_squares: vec![0.0],
            place_sums: vec![[0.0; TIMBRE]],
        };
        for (index, unit) in units.iter().enumerate() {
            let mut sum = prefix.sums[index];
            let mut square = prefix.squares[index];
            for (sum, &feature) in sum.iter_mut().zip(&unit.features) {
                *sum += unit.weight * f64::from(feature);
                square += unit.weight * f64::from(feature).powi(2);
            }
            let place = index as f64;
            let mut place_sum = prefix.place_sums[index];
            for (sum, &feature) in place_sum.iter_mut().zip(&unit.features) {
                *sum += unit.weight * place * f64::from(feature);
            }
            prefix.places.push(prefix.places[index] + unit.weight * place);
            prefix.place_squares.push(prefix.place_squares[index] + unit.weight * place * place);
            prefix.place_sums.push(place_sum);
            prefix.weights.push(prefix.weights[index] + unit.weight);
            prefix.sums.push(sum);
            prefix.squares.push(square);
        }
        prefix
    }

    /// Weighted squared distances of units `start..end` to their mean.
    fn spread(&self, start: usize, end: usize) -> f64 {
        let weight = self.weights[end] - self.weights[start];
        let of_mean: f64 =
            self.sums[end].iter().zip(&self.sums[start]).map(|(end, start)| (end - start).powi(2)).sum();
        (self.squares[end] - self.squares[start] - of_mean / weight).max(0.0)
    }

    /// The same around the straight line that fits best.
    fn spread_around_ramp(&self, start: usize, end: usize) -> f64 {
        let weight = self.weights[end] - self.weights[start];
        let place = (self.places[end] - self.places[start]) / weight;
        let place_spread = self.place_squares[end] - self.place_squares[start] - weight * place * place;
        if end - start < 3 || place_spread <= 0.0 {
            return self.spread(start, end);
        }
        let mut explained = 0.0;
        for dimension in 0..TIMBRE {
            let sum = self.sums[end][dimension] - self.sums[start][dimension];
            let with_place = self.place_sums[end][dimension] - self.place_sums[start][dimension];
            explained += (with_place - place * sum).powi(2);
        }
        (self.spread(start, end) - explained / place_spread).max(0.0)
    }
}
