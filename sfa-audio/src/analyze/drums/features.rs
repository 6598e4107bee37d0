//! What is to be known of a stroke to tell what was struck.

use super::levels::{BANDS, Levels, NOISE_FROM, VALUES};
use super::strokes::{Stroke, at_share};

/// Numbers per stroke.
pub(super) const FEATURES: usize = VALUES + 4 * BANDS + 6 + BANDS - NOISE_FROM;

/// One row of features.
pub(super) type Row = [f32; FEATURES];

/// Amplitudes around a stroke.
struct Shape {
    /// The highest of each band, and what it was before.
    high: [f32; VALUES],
    low: [f32; VALUES],
    /// Means 60, 110 and 190 ms later.
    later: [[f32; BANDS]; 3],
}

impl Shape {
    fn rise(&self, value: usize) -> f32 {
        (self.high[value] - self.low[value]).max(0.0)
    }
}

/// One row per stroke: how much each band rises against the strong strokes of the song and against its own, how far
/// it has fallen soon after, how it stands out of what was before, and how much of it is noise.
pub(super) fn of(levels: &Levels, strokes: &[Stroke]) -> Vec<Row> {
    let amplitudes = Levels::amplitudes();
    let shapes: Vec<Shape> = strokes.iter().map(|stroke| shape(levels, &amplitudes, stroke.column)).collect();
    let mut sums: Vec<f32> =
        shapes.iter().map(|shape| (0..BANDS).map(|band| shape.rise(band)).sum()).collect();
    let reference = at_share(&mut sums, 80) + 1e-4;
    let own: [f32; BANDS] = std::array::from_fn(|band| {
        let mut rises: Vec<f32> = shapes.iter().map(|shape| shape.rise(band)).collect();
        at_share(&mut rises, 90) + reference * 1e-3
    });
    shapes.iter().map(|shape| row(shape, reference, &own)).collect()
}

fn shape(levels: &Levels, amplitudes: &[f32; 256], column: usize) -> Shape {
    let at = |offset: isize| {
        let index = column.saturating_add_signed(offset).min(levels.len() - 1);
        levels.column(index)
    };
    let amplitude = |offset: isize, value: usize| amplitudes[usize::from(at(offset)[value])];
    let mean = |offsets: std::ops::Range<isize>, value: usize| {
        let count = offsets.len() as f32;
        offsets.map(|offset| amplitude(offset, value)).sum::<f32>() / count
    };
    Shape {
        high: std::array::from_fn(|value| (-1..3).map(|offset| amplitude(offset, value)).fold(0.0, f32::max)),
        low: std::array::from_fn(|value| mean(-5..-2, value)),
        later: [5..8, 9..13, 16..22].map(|range| std::array::from_fn(|band| mean(range.clone(), band))),
    }
}

fn row(shape: &Shape, reference: f32, own: &[f32; BANDS]) -> Row {
    let db = |amplitude: f32| 20.0 * (amplitude + 1e-5).log10();
    let high: [f32; VALUES] = shape.high.map(db);
    let fall = |later: usize, band: usize| (high[band] - db(shape.later[later][band])) / 20.0;
    let values = (0..VALUES).map(|value| db(shape.rise(value) / reference) / 20.0);
    let against_own = (0..BANDS).map(|band| (shape.rise(band) / own[band]).min(2.0));
    let soon = (0..BANDS).map(|band| fall(0, band));
    let later = (0..BANDS).map(|band| fall(1, band));
    let at_last = (0..BANDS).step_by(3).map(|band| fall(2, band));
    let contrast = (0..BANDS).map(|band| (high[band] - db(shape.low[band])).clamp(0.0, 40.0) / 20.0);
    let noise = (NOISE_FROM..BANDS).map(|band| (high[BANDS + band - NOISE_FROM] - high[band]) / 10.0);
    let mut row = [0.0; FEATURES];
    let all = values.chain(against_own).chain(soon).chain(later).chain(at_last).chain(contrast).chain(noise);
    row.iter_mut().zip(all).for_each(|(place, value)| *place = value);
    row
}
