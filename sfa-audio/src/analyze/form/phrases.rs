//! Bars counted as people who mix count them: in fours, eights, sixteens and thirty-twos.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::events::Arrival;
use super::parts::{Part, distance};
use super::raster::Raster;

/// A run of bars that is heard as one breath: where a DJ starts the next song, and where layers come and go.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Phrase {
    /// Start in seconds, on a downbeat.
    pub start_secs: f64,
    /// End in seconds: the next phrase's start, or the end of the last bar.
    pub end_secs: f64,
    /// Its first bar; 1 is the bar of the song's first downbeat.
    pub first_bar: u32,
    /// Length in bars: 4, 8, 16 or 32, and anything else where a section is of another length, as a pickup before the
    /// first phrase is.
    pub bars: u32,
    /// `0.0..=1.0`: how clearly the music changes at its two ends, less where its length is not the song's usual one.
    pub confidence: f32,
}

/// The phrases of a song.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Phrases {
    /// The length that sections are made of: 4, 8, 16 or 32 bars; `None` without bars.
    pub(super) usual_bars: Option<u32>,
    pub(super) phrases: Vec<Phrase>,
}

const LENGTHS: [usize; 4] = [4, 8, 16, 32];
/// The longest phrase considered: the longest usual one and a pickup.
const MAX_BARS: usize = 36;
/// What a phrase costs whose first bars hold a boundary of sections as clear as can be.
const CROSSING_COST: f32 = 4.0;
/// The least that any boundary of sections counts.
const LEAST_BOUNDARY: f32 = 0.4;
/// What a bar that differs from the one before by a standard deviation more than usual gains as a start.
const NOVELTY_GAIN: f32 = 0.15;
/// The longest part that may be a last bar and its ringing out, in bars.
const MAX_RING_BARS: f64 = 4.0;

/// One bar of the song.
struct Bar {
    start_secs: f64,
    end_secs: f64,
    /// How surely a section or drop starts here, `0.0..=1.0`; 0 where none does.
    boundary: f32,
    /// How much it differs from the bar before, in standard deviations from the song's mean difference.
    novelty: f32,
}

/// Cuts the bars of a song into phrases; `clarity` is how clearly each of `parts` differs from its neighbours.
///
/// Sections are made of phrases, so the usual length is the longest one that most sections are a multiple of, halved
/// where they clearly change at the half. The cut is then the one, of all (dynamic programming), that crosses the fewest
/// boundaries, keeps to the usual length, and starts phrases where bars are new.
pub(super) fn find(raster: &Raster, parts: &[Part], arrivals: &[Arrival], clarity: &[f32]) -> Phrases {
    let mut bars = bars(raster, parts, arrivals, clarity);
    if !raster.has_bars || bars.is_empty() {
        return Phrases::default();
    }
    let usual = usual_bars(&bars);
    let mut cuts = cut(&bars, usual);
    let is_whole =
        |cuts: &[(usize, usize)]| cuts.last().is_some_and(|(first, end)| LENGTHS.contains(&(end - first)));
    if let (false, Some(tail)) = (is_whole(&cuts), tail(raster, &bars)) {
        bars.push(tail);
        let longer = cut(&bars, usual);
        if is_whole(&longer) {
            cuts = longer;
        }
    }
    let phrases = cuts
        .into_iter()
        .map(|(first, end)| Phrase {
            start_secs: bars[first].start_secs,
            end_secs: bars[end - 1].end_secs,
            first_bar: first as u32 + 1,
            bars: (end - first) as u32,
            confidence: confidence(&bars, first, end, usual),
        })
        .collect();
    Phrases { usual_bars: Some(usual as u32), phrases }
}

fn bars(raster: &Raster, parts: &[Part], arrivals: &[Arrival], clarity: &[f32]) -> Vec<Bar> {
    let units = &raster.units;
    let mut boundaries = vec![0.0_f32; units.len()];
    for ((part, arrival), &clarity) in parts.iter().zip(arrivals).zip(clarity) {
        if part.first > 0 {
            boundaries[part.first] = clarity.max(arrival.drop).clamp(LEAST_BOUNDARY, 1.0);
        }
    }
    let steps: Vec<f64> = (0..units.len())
        .map(|n| n.checked_sub(1).map_or(0.0, |last| distance(&units[n].features, &units[last].features)))
        .collect();
    let count = steps.len().max(1) as f64;
    let mean = steps.iter().sum::<f64>() / count;
    let deviation = (steps.iter().map(|step| (step - mean).powi(2)).sum::<f64>() / count).sqrt();
    let last = units.len().saturating_sub(1);
    let mut bars = Vec::with_capacity(units.len());
    let mut pending = 0.0_f32;
    for (n, unit) in units.iter().enumerate() {
        // The last bar has no downbeat after it.
        let is_last_bar =
            n == last && n > 0 && unit.end_secs - unit.start_secs <= MAX_RING_BARS * raster.unit_secs;
        let secs =
            unit.bar_secs.or(is_last_bar
                .then_some((unit.start_secs, (unit.start_secs + raster.unit_secs).min(unit.end_secs))));
        pending = pending.max(boundaries[n]);
        let Some((start_secs, end_secs)) = secs else { continue };
        let novelty = if deviation > 1e-9 { ((steps[n] - mean) / deviation).clamp(-1.0, 3.0) } else { 0.0 };
        bars.push(Bar { start_secs, end_secs, boundary: pending, novelty: novelty as f32 });
        pending = 0.0;
    }
    // What comes before the first bar is no phrase: nothing is crossed there.
    if let Some(first) = bars.first_mut() {
        first.boundary = 1.0;
    }
    bars
}

/// What may be a last bar or only ring out, where the song ends a bar after its last downbeat: it is a bar if it completes
/// a phrase.
fn tail(raster: &Raster, bars: &[Bar]) -> Option<Bar> {
    const NEARLY_A_BAR: f64 = 0.8;
    let start_secs = bars.last()?.end_secs;
    let end_secs = raster.units.last()?.end_secs.min(start_secs + raster.unit_secs);
    (end_secs - start_secs > NEARLY_A_BAR * raster.unit_secs).then_some(Bar {
        start_secs,
        end_secs,
        boundary: 0.0,
        novelty: 0.0,
    })
}

/// The longest of 8, 16 and 32 bars that most of the song is a multiple of, else 4.
fn usual_bars(bars: &[Bar]) -> usize {
    /// The share of the song's bars that must lie in sections of such length.
    const MOST: f64 = 0.6;
    /// Novelty at the halves that shows two phrases instead of one.
    const CLEARLY_NEW: f32 = 0.8;

    let starts: Vec<usize> = (0..bars.len()).filter(|&n| bars[n].boundary > 0.0).collect();
    let sections: Vec<(usize, usize)> =
        starts.iter().zip(starts.iter().skip(1).chain([&bars.len()])).map(|(&a, &b)| (a, b)).collect();
    // A song's first section may have a pickup and its last a tail.
    let fits = |index: usize, length: usize| {
        let (first, end) = sections[index];
        let is_outer = index == 0 || index + 1 == sections.len();
        let off = (end - first) % length;
        end - first + 1 >= length && (off == 0 || is_outer && (off == 1 || off == length - 1))
    };
    for length in LENGTHS.into_iter().rev().filter(|&length| length > 4) {
        let fitting: usize =
            (0..sections.len()).filter(|&n| fits(n, length)).map(|n| sections[n].1 - sections[n].0).sum();
        if (fitting as f64) < MOST * bars.len() as f64 {
            continue;
        }
        let halves: Vec<f32> = sections
            .iter()
            .flat_map(|&(first, end)| (first + length / 2..end).step_by(length))
            .map(|bar| bars[bar].novelty)
            .collect();
        let novelty = halves.iter().sum::<f32>() / halves.len().max(1) as f32;
        return if novelty > CLEARLY_NEW { length / 2 } else { length };
    }
    LENGTHS[0]
}

/// The cheapest cut of all bars into phrases, as first bar and end.
fn cut(bars: &[Bar], usual: usize) -> Vec<(usize, usize)> {
    let mut crossed = vec![0.0_f32; bars.len() + 1];
    for (n, bar) in bars.iter().enumerate() {
        crossed[n + 1] = crossed[n] + bar.boundary;
    }
    let mut best = vec![f32::INFINITY; bars.len() + 1];
    let mut from = vec![0; bars.len() + 1];
    best[0] = 0.0;
    for end in 1..=bars.len() {
        for first in end.saturating_sub(MAX_BARS)..end {
            let is_outer = first == 0 || end == bars.len();
            let inside = crossed[end] - crossed[first + 1];
            let cost = best[first] + length_cost(end - first, usual, is_outer) + CROSSING_COST * inside
                - NOVELTY_GAIN * bars[first].novelty;
            if cost < best[end] {
                (best[end], from[end]) = (cost, first);
            }
        }
    }
    let mut cuts = Vec::new();
    let mut end = bars.len();
    while end > 0 {
        cuts.push((from[end], end));
        end = from[end];
    }
    cuts.reverse();
    cuts
}

fn length_cost(bars: usize, usual: usize, is_outer: bool) -> f32 {
    const OUTER_COST: f32 = 0.8;
    let cost = match bars {
        _ if bars == usual => return 0.0,
        _ if LENGTHS.contains(&bars) && bars < usual => 0.4 + 0.2 * (usual / bars) as f32 / 2.0,
        // Less than two usual phrases, so that a long one is only taken where nothing parts it.
        _ if LENGTHS.contains(&bars) => 0.9,
        // Not worth it for the sake of a boundary: what is found every two bars is a pattern.
        0..4 => 3.0,
        _ if bars.is_multiple_of(2) => 1.4,
        _ => 2.0,
    };
    if is_outer && bars < 4 { OUTER_COST } else { cost }
}

fn confidence(bars: &[Bar], first: usize, end: usize, usual: usize) -> f32 {
    /// How sure a phrase is that only counting finds.
    const COUNTED: f32 = 0.3;
    const SURE_NOVELTY: f32 = 3.0;
    let at = |bar: usize| {
        bars.get(bar).map_or(1.0, |bar| bar.boundary.max((bar.novelty / SURE_NOVELTY).clamp(0.0, 1.0)))
    };
    let change = 0.5 * (at(first) + at(end));
    let regular = match end - first {
        length if length == usual => 1.0,
        length if LENGTHS.contains(&length) => 0.75,
        _ => 0.4,
    };
    regular * (COUNTED + (1.0 - COUNTED) * change)
}
