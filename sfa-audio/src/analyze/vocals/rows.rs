//! What a bar is judged by.

use super::collector::{CEPSTRUM, Column, VocalFeatures};

/// Numbers of one bar.
pub(super) const NUMBERS: usize = 12 + CEPSTRUM;

/// One row per bar. The order of the numbers is that of benches/peers/analysis/train_vocals.py.
pub(super) fn of(features: &VocalFeatures, bars_secs: &[(f64, f64)]) -> Vec<[f32; NUMBERS]> {
    let columns = &features.columns;
    if columns.is_empty() {
        return Vec::new();
    }
    let strong_db = percentile(columns.iter().map(|column| column.level_db).collect(), 0.95);
    bars_secs.iter().map(|&(start, end)| bar(between(columns, start, end), strong_db)).collect()
}

/// The columns of a bar, at least one.
pub(super) fn between(columns: &[Column], start_secs: f64, end_secs: f64) -> &[Column] {
    let index = |secs: f64| ((secs * VocalFeatures::RATE_HZ).round().max(0.0) as usize).min(columns.len());
    let first = index(start_secs).min(columns.len() - 1);
    &columns[first..index(end_secs).max(first + 1)]
}

fn bar(columns: &[Column], strong_db: f32) -> [f32; NUMBERS] {
    let sum = |value: &dyn Fn(&Column) -> f32| columns.iter().map(value).sum::<f32>();
    let mean = |value: &dyn Fn(&Column) -> f32| sum(value) / columns.len() as f32;
    let partials = sum(&|column| column.partials) + 1e-6;
    let moving = sum(&|column| column.moving);
    let level_db = mean(&|column| column.level_db);
    let tonal_db = mean(&|column| column.tonal_db);
    let tonal = |share: f64| percentile(columns.iter().map(|column| column.tonal_db).collect(), share);
    let first = [
        sum(&|column| column.moved.iter().sum::<f32>()) / partials,
        sum(&|column| column.moved[0]) / partials,
        sum(&|column| column.moved[1]) / partials,
        sum(&|column| column.moved[2]) / partials,
        sum(&|column| column.moved[3]) / partials,
        sum(&|column| column.smooth) / partials,
        sum(&|column| column.rough) / partials,
        if moving > 1e-6 { sum(&|column| column.together) / moving } else { 0.0 },
        (level_db - strong_db) / 10.0,
        (tonal_db - level_db) / 10.0,
        (tonal(0.9) - tonal(0.1)) / 10.0,
        mean(&|column| column.count) / 50.0,
    ];
    std::array::from_fn(|n| match n {
        0..12 => first[n],
        n => (mean(&|column| column.unrest[n - 12]) + 0.05).ln(),
    })
}

/// The value that `share` of the values do not exceed.
pub(super) fn percentile(mut values: Vec<f32>, share: f64) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let index = ((values.len() - 1) as f64 * share) as usize;
    *values.select_nth_unstable_by(index, f32::total_cmp).1
}
