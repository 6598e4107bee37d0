//! The song cut into bars, and what each bar sounds like.

use super::super::timbre::{BANDS, FIRST_HIGH_BAND, LOW_BANDS, SILENCE_DB, TimbreColumn, TimbreFeatures};
use super::super::{Curve, Rhythm};
use super::ChromaView;

/// Length of a unit where there are no bars.
const UNMETERED_UNIT_SECS: f64 = 1.0;
/// Beats closer than this are a fault of the grid (300 bpm is 0.2 s).
const MIN_BEAT_SECS: f64 = 0.1;
/// How far below its own strong moments a band is still heard as present.
const BAND_RANGE_DB: f32 = 30.0;
/// How far below the whole song's strong moments any band is still heard.
const SONG_RANGE_DB: f32 = 66.0;
/// How far below the song's strong moments its ends are not heard any more.
const SILENCE_RANGE_DB: f32 = 25.0;
/// How much softer than the unit before the last notes are when they only ring out.
const TAIL_FALL_DB: f32 = 6.0;
/// How many units may ring out.
const MAX_TAIL_UNITS: usize = 2;
/// How many bars after the last downbeat may be one bar and its ringing out.
const MAX_RING_BARS: f64 = 4.0;
/// Fall of the high band over a unit through which a crash rings out.
const CRASH_FALL_DB: f32 = 6.0;
/// First band that a crash fills, about 2.5 kHz.
const FIRST_CRASH_BAND: usize = FIRST_HIGH_BAND - 3;
/// Length of a bar that counts as one.
const USUAL_BAR_SECS: f64 = 2.0;
/// Weight of the three stroke densities beside 24 band levels in units of 10 dB.
const ONSET_WEIGHT: f32 = 2.0;
/// Weight of the pitch classes beside the band levels.
const CHROMA_WEIGHT: f32 = 1.5;

/// Numbers that describe the timbre of a unit: bands and stroke densities. Parts are cut where these change:
/// chords change within parts as well.
pub(super) const TIMBRE: usize = BANDS + 3;
/// Numbers that describe a unit: timbre, then pitch classes, by which parts and loop seams are compared.
pub(super) const DIMENSIONS: usize = TIMBRE + 12;
pub(super) type Features = [f32; DIMENSIONS];

/// The smallest piece that form is made of: a bar, or a second where there are no bars.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub(super) start_secs: f64,
    pub(super) end_secs: f64,
    /// The bar that it is, for units that are whole bars: downbeat to downbeat.
    pub(super) bar_secs: Option<(f64, f64)>,
    /// What it counts in sums: its length by the clock, at least a little and never much more than a usual
    /// unit's, so that quick songs are not cut more often than slow ones.
    pub(super) weight: f64,
    /// What it sounds like, on scales on which equal distances mean equally clear changes.
    pub(super) features: Features,
    /// Level below 150 Hz in dBFS.
    pub(super) low_db: f32,
    /// Level above 5 kHz in dBFS in each quarter: soft moments count as much as loud ones.
    pub(super) high_quarters_db: [f32; 4],
    /// Level of everything in dBFS.
    pub(super) level_db: f32,
    /// Mean of the energy curve.
    pub(super) energy: f32,
}

/// A song as units that tile it from 0 to its end.
#[derive(Debug, Clone)]
pub(super) struct Raster {
    pub(super) units: Vec<Unit>,
    /// Length of a usual unit.
    pub(super) unit_secs: f64,
    /// Whether units are bars, so that their lengths in fours mean something.
    pub(super) has_bars: bool,
}

/// A stretch of a song and the part of it that tells how it sounds.
struct Span {
    start_secs: f64,
    end_secs: f64,
    heard_secs: (f64, f64),
    is_bar: bool,
}

impl Raster {
    pub(super) fn new(
        timbre: &TimbreFeatures,
        chroma: Option<ChromaView<'_>>,
        rhythm: Option<&Rhythm>,
        energy: Option<&Curve>,
        duration_secs: f64,
    ) -> Self {
        let downbeats = rhythm.map(|rhythm| clean_downbeats(rhythm, duration_secs)).unwrap_or_default();
        let has_bars = downbeats.len() >= 3;
        let spans = if has_bars { bar_spans(&downbeats, duration_secs) } else { even_spans(duration_secs) };
        let unit_secs = if has_bars { median_step(&downbeats) } else { UNMETERED_UNIT_SECS };
        let clock_weight = if has_bars { unit_secs / USUAL_BAR_SECS } else { 1.0 };
        let scale = Scale::of(timbre);
        let units = spans
            .iter()
            .map(|span| {
                let columns = timbre.between(span.heard_secs.0, span.heard_secs.1);
                let weight = ((span.end_secs - span.start_secs) / unit_secs).clamp(0.1, 4.0) * clock_weight;
                let mut unit = describe(columns, &scale);
                let quarter_secs = (span.heard_secs.1 - span.heard_secs.0) / 4.0;
                unit.high_quarters_db = std::array::from_fn(|quarter| {
                    let from = span.heard_secs.0 + quarter as f64 * quarter_secs;
                    let columns = timbre.between(from, from + quarter_secs);
                    let sum: f32 = columns.iter().map(|column| column.level_db(FIRST_HIGH_BAND..BANDS)).sum();
                    sum / columns.len().max(1) as f32
                });
                unit.start_secs = span.start_secs;
                unit.end_secs = span.end_secs;
                unit.weight = weight;
                unit.bar_secs = span.is_bar.then_some(span.heard_secs);
                if let Some(chroma) = chroma {
                    let classes = chroma.mean_between(span.heard_secs.0, span.heard_secs.1);
                    for (feature, class) in unit.features[TIMBRE..].iter_mut().zip(classes) {
                        *feature = CHROMA_WEIGHT * class;
                    }
                }
                unit.energy = energy
                    .and_then(|curve| curve.mean_between(span.heard_secs.0, span.heard_secs.1))
                    .filter(|energy| energy.is_finite())
                    .unwrap_or_else(|| (unit.level_db - scale.loud_db) / 30.0 + 1.0)
                    .clamp(0.0, 1.0);
                unit
            })
            .collect();
        let mut units = join_silent_ends(units, scale.loud_db);
        look_through_crashes(&mut units);
        Self { units, unit_secs, has_bars }
    }
}

/// Takes cymbals that are struck at a change and ring through the first unit after it out of that unit: what is
/// higher there than in the next unit is theirs.
fn look_through_crashes(units: &mut [Unit]) {
    for index in 1..units.len() {
        let (before, after) = units.split_at_mut(index);
        let (unit, next) = (&mut before[index - 1], &after[0]);
        let levels_db = unit.high_quarters_db;
        let rings_out = levels_db.windows(2).all(|pair| pair[1] < pair[0])
            && levels_db[0] - levels_db[3] >= CRASH_FALL_DB;
        if rings_out {
            let theirs = FIRST_CRASH_BAND..TIMBRE;
            for (feature, &next) in unit.features[theirs.clone()].iter_mut().zip(&next.features[theirs]) {
                *feature = feature.min(next);
            }
        }
    }
}

/// Gives silence before and after the song to its first and last part.
fn join_silent_ends(mut units: Vec<Unit>, loud_db: f32) -> Vec<Unit> {
    let is_heard = |unit: &Unit| unit.level_db > loud_db - SILENCE_RANGE_DB;
    let Some(first) = units.iter().position(is_heard) else { return units };
    let mut last = units.iter().rposition(is_heard).unwrap_or(first);
    // The bars in which the last notes ring out are no part of their own.
    for _ in 0..MAX_TAIL_UNITS {
        if last > first && units[last].level_db < units[last - 1].level_db - TAIL_FALL_DB {
            last -= 1;
        }
    }
    let (start_secs, end_secs) = (units[0].start_secs, units[units.len() - 1].end_secs);
    units.truncate(last + 1);
    units.drain(..first);
    units[0].start_secs = start_secs;
    units[last - first].end_secs = end_secs;
    units
}

/// Downbeats inside the song in rising order.
fn clean_downbeats(rhythm: &Rhythm, duration_secs: f64) -> Vec<f64> {
    let mut downbeats: Vec<f64> =
        rhythm.downbeats().filter(|time| (0.0..duration_secs - MIN_BEAT_SECS).contains(time)).collect();
    downbeats.sort_by(f64::total_cmp);
    downbeats.dedup_by(|next, kept| *next - *kept < MIN_BEAT_SECS);
    downbeats
}

/// Bars as spans. A pickup up to a bar belongs to the first bar and a tail up to a bar to the last.
fn bar_spans(downbeats: &[f64], duration_secs: f64) -> Vec<Span> {
    let bar_secs = median_step(downbeats);
    let mut spans: Vec<Span> = downbeats
        .windows(2)
        .map(|pair| Span {
            start_secs: pair[0],
            end_secs: pair[1],
            heard_secs: (pair[0], pair[1]),
            is_bar: true,
        })
        .collect();
    let (first, last) = (downbeats[0], downbeats[downbeats.len() - 1]);
    if first <= 1.2 * bar_secs {
        spans[0].start_secs = 0.0;
    } else {
        spans.insert(0, Span { start_secs: 0.0, end_secs: first, heard_secs: (0.0, first), is_bar: false });
    }
    if duration_secs - last <= 1.2 * bar_secs {
        spans.last_mut().expect("two downbeats make a bar").end_secs = duration_secs;
    } else {
        // Beats often end with the last bar, whose own end is then missing: what rings out after it says
        // nothing about it.
        let is_last_bar = duration_secs - last <= MAX_RING_BARS * bar_secs;
        let heard_until = if is_last_bar { last + bar_secs } else { duration_secs };
        spans.push(Span {
            start_secs: last,
            end_secs: duration_secs,
            heard_secs: (last, heard_until),
            is_bar: false,
        });
    }
    spans
}

fn even_spans(duration_secs: f64) -> Vec<Span> {
    let count = (duration_secs / UNMETERED_UNIT_SECS).round().max(1.0) as usize;
    let edge = |index: usize| duration_secs * index as f64 / count as f64;
    (0..count)
        .map(|index| {
            let (start_secs, end_secs) = (edge(index), edge(index + 1));
            Span { start_secs, end_secs, heard_secs: (start_secs, end_secs), is_bar: false }
        })
        .collect()
}

fn median_step(times: &[f64]) -> f64 {
    let mut steps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let middle = steps.len() / 2;
    *steps.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// What is strong in this song: levels are read relative to it.
struct Scale {
    band_floors_db: [f32; BANDS],
    loud_db: f32,
    strong_onsets: [f32; 3],
}

impl Scale {
    fn of(timbre: &TimbreFeatures) -> Self {
        let columns = &timbre.columns;
        let strong = |value: &dyn Fn(&TimbreColumn) -> f32| percentile(columns.iter().map(value), 0.95);
        let loud_db = strong(&|column| column.level_db(0..BANDS)).unwrap_or(SILENCE_DB);
        let band_floors_db = std::array::from_fn(|band| {
            let strong_db = strong(&|column| column.bands_db[band]).unwrap_or(SILENCE_DB);
            (strong_db - BAND_RANGE_DB).max(loud_db - SONG_RANGE_DB)
        });
        let strong_onsets =
            std::array::from_fn(|group| strong(&|column| column.onsets[group]).unwrap_or(0.0).max(1.0));
        Self { band_floors_db, loud_db, strong_onsets }
    }
}

fn describe(columns: &[TimbreColumn], scale: &Scale) -> Unit {
    let count = columns.len().max(1) as f32;
    let mean = |value: &dyn Fn(&TimbreColumn) -> f32| columns.iter().map(value).sum::<f32>() / count;
    let power_db = |range: std::ops::Range<usize>| {
        let power = mean(&|column| 10f32.powf(column.level_db(range.clone()) / 10.0));
        (10.0 * power.max(f32::MIN_POSITIVE).log10()).max(SILENCE_DB)
    };
    let mut features = [0.0; DIMENSIONS];
    for (band, floor_db) in scale.band_floors_db.iter().enumerate() {
        features[band] = mean(&|column| (column.bands_db[band] - floor_db).max(0.0)) / 10.0;
    }
    let onsets: [f32; 3] = std::array::from_fn(|group| mean(&|column| column.onsets[group]));
    // Strokes are counted in dB: what is hardly heard must not count as much as what is.
    let ranges = [0..LOW_BANDS, LOW_BANDS..FIRST_HIGH_BAND, FIRST_HIGH_BAND..BANDS];
    let presence = ranges.map(|range| {
        let bands = range.len() as f32;
        (features[range].iter().sum::<f32>() / bands).clamp(0.0, 1.0)
    });
    for (group, strong) in scale.strong_onsets.iter().enumerate() {
        features[BANDS + group] = ONSET_WEIGHT * onsets[group] / strong * presence[group];
    }
    Unit {
        start_secs: 0.0,
        end_secs: 0.0,
        bar_secs: None,
        weight: 1.0,
        features,
        low_db: power_db(0..LOW_BANDS),
        high_quarters_db: [SILENCE_DB; 4],
        level_db: power_db(0..BANDS),
        energy: 0.0,
    }
}

/// The value that `share` of the finite values do not exceed.
pub(super) fn percentile(values: impl Iterator<Item = f32>, share: f64) -> Option<f32> {
    let mut sorted: Vec<f32> = values.filter(|value| value.is_finite()).collect();
    let index = (sorted.len().checked_sub(1)? as f64 * share).round() as usize;
    Some(*sorted.select_nth_unstable_by(index, f32::total_cmp).1)
}
