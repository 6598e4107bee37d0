//! Tempo, beats, downbeats and metre.

mod attack;
mod beats;
mod choose;
mod free_beats;
mod grid;
mod harmony;
mod line;
mod mend;
mod meter;
mod onset;
mod phase;
mod pulse;
mod swing;
mod tempo;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Result, Watch};

pub(crate) use onset::{FRAME_HOP, FRAME_RATE_HZ, FRAME_WINDOW, RhythmCollector, RhythmFeatures};
use pulse::Pulse;
pub use swing::Swing;
pub(crate) use tempo::TEMPO_RANGE_BPM;
use tempo::Tempogram;

/// The pulse of a song.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Rhythm {
    /// How fast.
    pub tempo: Tempo,
    /// How beats group into bars.
    pub meter: Meter,
    /// Every beat in order of time, with its place in the bar.
    pub beats: Vec<Beat>,
    /// The beats as stretches of constant tempo, for tools that store a grid: one region where the tempo is
    /// constant, one per change where it is not.
    pub grid: Vec<GridRegion>,
    /// How late off-beats are; absent where nothing is played between the beats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swing: Option<Swing>,
}

impl Rhythm {
    /// The times of all first beats of bars, in seconds.
    pub fn downbeats(&self) -> impl Iterator<Item = f64> + '_ {
        self.beats.iter().filter(|beat| beat.bar_position == 1).map(|beat| beat.time_secs)
    }
}

/// A tempo with its rivals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Tempo {
    /// Beats per minute; where the tempo varies, those of the tempo that lasts the longest.
    pub bpm: f64,
    /// `0.0..=1.0`: how clearly this tempo wins over [`alternatives`](Self::alternatives).
    pub confidence: f32,
    /// Other readings of the pulse, best first: usually half and double.
    pub alternatives: Vec<TempoCandidate>,
    /// Whether one straight grid fits the whole song.
    pub is_constant: bool,
}

impl Tempo {
    /// A range that holds this reading of the pulse and no other.
    pub(crate) fn nearby(&self) -> (f64, f64) {
        const RATIO: f64 = 1.06;
        (self.bpm / RATIO, self.bpm * RATIO)
    }
}

/// A possible tempo.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TempoCandidate {
    /// Beats per minute.
    pub bpm: f64,
    /// `0.0..=1.0`, on the scale of [`Tempo::confidence`].
    pub confidence: f32,
}

/// How beats group into bars.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Meter {
    /// Beats in a bar: the upper number of the time signature.
    pub beats_per_bar: u8,
    /// The note that is one beat: the lower number of the time signature.
    pub beat_unit: u8,
    /// `0.0..=1.0`: how clearly this metre wins.
    pub confidence: f32,
}

/// One beat.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Beat {
    /// When, in seconds from the first decoded frame.
    pub time_secs: f64,
    /// Place in the bar, from 1 (the downbeat) to the metre's beats per bar.
    pub bar_position: u8,
}

/// A stretch of constant tempo that lasts until the next region or the end of the song.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GridRegion {
    /// The first beat of the region, in seconds.
    pub start_secs: f64,
    /// Beats per minute within the region.
    pub bpm: f64,
    /// Place in the bar of the first beat, from 1.
    pub bar_position: u8,
}

/// Finds the pulse in what a [`RhythmCollector`] heard, or `None` where there is none: in silence, in noise, in
/// fewer than four beats. The tempo is looked for in `bpm_range` only, where there is one.
///
/// # Errors
/// `Cancelled` once `watch` was stopped.
pub(crate) fn track_rhythm(
    features: &RhythmFeatures,
    bpm_range: Option<(f64, f64)>,
    watch: &Watch,
) -> Result<Option<Rhythm>> {
    let bpm_range = bpm_range.unwrap_or(TEMPO_RANGE_BPM);
    let Some(pulse) = Pulse::new(features) else { return Ok(None) };
    let tempogram = Tempogram::new(&pulse);
    let mut readings = Vec::new();
    let loops = choose::loop_tempos(bpm_range, features.duration_secs);
    for bpm in tempogram.candidates_bpm(bpm_range).into_iter().chain(loops) {
        watch.checkpoint()?;
        readings.extend(choose::read(bpm, bpm_range, &tempogram, &pulse, features.duration_secs));
    }
    readings.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut found_bpm = Vec::new();
    readings.retain(|reading| {
        let is_new =
            found_bpm.iter().all(|other: &f64| (reading.bpm / other - 1.0).abs() > choose::SAME_TEMPO);
        found_bpm.push(reading.bpm);
        is_new
    });
    readings.iter_mut().for_each(|reading| choose::hear_harmony(reading, features));
    readings.sort_by(|a, b| b.score.total_cmp(&a.score));
    let Some(reading) = readings.first() else { return Ok(None) };
    if !tempogram.is_periodic(reading.bpm) {
        return Ok(None);
    }
    watch.checkpoint()?;
    let Some(beats) = grid::lay(reading, features, &pulse) else { return Ok(None) };
    let bars = meter::find_bars(&beats.times_secs, features, &pulse);
    Ok(Some(Rhythm {
        tempo: rank(&readings, &beats),
        meter: Meter {
            beats_per_bar: bars.beats_per_bar as u8,
            beat_unit: if bars.beats_per_bar == 7 { 8 } else { 4 },
            confidence: bars.confidence,
        },
        grid: beats
            .regions()
            .into_iter()
            .map(|(first, line)| GridRegion {
                start_secs: line.start_secs,
                bpm: line.bpm(),
                bar_position: bars.positions[first],
            })
            .collect(),
        swing: swing::find(&beats.times_secs, features),
        beats: beats
            .times_secs
            .iter()
            .enumerate()
            .map(|(n, &time_secs)| Beat { time_secs, bar_position: bars.positions[n] })
            .collect(),
    }))
}

/// The tempo of the beats, with the readings that lost as alternatives.
fn rank(readings: &[choose::Reading], beats: &grid::Beats) -> Tempo {
    /// How sharply a difference of score turns into confidence.
    const SHARPNESS: f32 = 8.0;
    const ALTERNATIVES: usize = 4;
    const RATIOS: [f64; 8] = [2.0, 0.5, 1.5, 2.0 / 3.0, 4.0 / 3.0, 0.75, 3.0, 1.0 / 3.0];

    let bpm = beats.bpm();
    let best = readings[0].score;
    let weights: Vec<f32> = readings.iter().map(|r| (SHARPNESS * (r.score - best)).exp()).collect();
    let sum: f32 = weights.iter().sum();
    let near = |ratio: f64| (ratio - 1.0).abs() < choose::SAME_TEMPO;
    let alternatives = readings
        .iter()
        .zip(&weights)
        .filter(|(reading, _)| !near(reading.bpm / bpm))
        .take(ALTERNATIVES)
        .map(|(reading, weight)| {
            let exact = RATIOS.iter().map(|ratio| bpm * ratio).find(|exact| near(reading.bpm / exact));
            TempoCandidate { bpm: exact.unwrap_or(reading.bpm), confidence: weight / sum }
        })
        .collect();
    let own: f32 = readings.iter().zip(&weights).filter(|(r, _)| near(r.bpm / bpm)).map(|(_, w)| w).sum();
    Tempo { bpm, confidence: own / sum, alternatives, is_constant: beats.line.is_some() }
}
