//! Which triad sounds when: just enough to hear where a song is at home.

use std::ops::Range;

use super::{Key, Mode};
use crate::analyze::argmax;
use crate::analyze::harmony::ChromaFrames;

/// Frames on both sides that one decision looks at: 0.65 s in all, a beat or so.
const REACH_FRAMES: usize = 3;
/// What a change of chord must gain in summed correlation; keeps passing notes from counting as chords.
const CHANGE_COST: f32 = 1.2;
/// How much a tone in the bass weighs against one in the middle.
const BASS_WEIGHT: f32 = 4.0;

/// A chord shorter than this is not what a song opens with.
const SOLID_FRAMES: usize = 8;
/// The shortest and the longest chord loop, in seconds.
const LOOP_SECS: (f64, f64) = (1.8, 17.0);
/// Loops of nearly the best self-similarity; the shortest of them is the loop, the others its multiples.
const LOOP_TOLERANCE: f32 = 0.92;
/// It takes this long to be sure that something is a loop.
const LOOP_CERTAIN_SECS: f64 = 16.0;
/// Self-similarity below the first is no loop, above the second a strict one.
const LOOP_SIMILARITY: (f32, f32) = (0.5, 0.8);

/// The most likely triad of every frame, as indices into [`Key::all`] (the triad on that key's tonic).
pub(super) struct TriadPath {
    hop_secs: f64,
    triads: Vec<usize>,
    /// Where the first solid chord sounds, if there is one.
    opening: Option<usize>,
}

/// The chord that a loop begins with.
pub(super) struct LoopHead {
    pub(super) triad: usize,
    /// `0.0..=1.0`: how strictly the song is built of this loop.
    pub(super) certainty: f32,
}

impl TriadPath {
    /// The share of time of each triad.
    pub(super) fn shares(&self) -> [f32; 24] {
        let mut shares = [0.0; 24];
        for &triad in &self.triads {
            shares[triad] += 1.0 / self.triads.len() as f32;
        }
        shares
    }

    /// The chord that opens the song and keeps opening its loop, where there is a loop.
    pub(super) fn loop_head(&self) -> Option<LoopHead> {
        let triads = &self.triads[self.opening?..];
        let triad = *triads.first()?;
        let frames = |secs: f64| (secs / self.hop_secs) as usize;
        let similarities: Vec<(usize, f32)> = (frames(LOOP_SECS.0)
            ..frames(LOOP_SECS.1).min(triads.len() / 2 + 1))
            .map(|lag| (lag, self_similarity(triads, lag)))
            .collect();
        let best = similarities.iter().fold(0.0f32, |best, &(_, similarity)| best.max(similarity));
        let period = similarities
            .iter()
            .skip_while(|&&(_, similarity)| similarity < LOOP_TOLERANCE * best)
            .take_while(|&&(_, similarity)| similarity >= LOOP_TOLERANCE * best)
            .max_by(|(_, a), (_, b)| a.total_cmp(b))
            .map(|&(lag, _)| lag)?;
        let heads = loop_starts(triads, triad, period).map(|start| share_after(triad, triads, start));
        let (returns, loops) = heads.fold((0.0, 0), |(sum, count), share| (sum + share, count + 1));
        let returns = returns / loops as f32;
        let (loose, strict) = LOOP_SIMILARITY;
        let strictness = ((best - loose) / (strict - loose)).clamp(0.0, 1.0);
        let heard = (triads.len() as f64 * self.hop_secs / LOOP_CERTAIN_SECS).min(1.0) as f32;
        (loops > 1).then_some(LoopHead { triad, certainty: strictness * returns * heard })
    }
}

fn self_similarity(triads: &[usize], lag: usize) -> f32 {
    let same = triads.iter().zip(&triads[lag..]).filter(|(now, later)| now == later).count();
    same as f32 / (triads.len() - lag) as f32
}

/// Every `period` frames, moved by a beat at most to where `triad` sets in: a period in whole frames would drift
/// away from the music, and so does music from itself.
fn loop_starts(triads: &[usize], triad: usize, period: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(0), move |&start| {
        let expected = start + period;
        let onset =
            |at: usize| share_after(triad, triads, at) - share_after(triad, triads, at - SOLID_FRAMES);
        let nearest_first = (0..=REACH_FRAMES).flat_map(|shift| [expected + shift, expected - shift]);
        nearest_first.reduce(|best, at| if onset(at) > onset(best) { at } else { best })
    })
    .take_while(|start| start + SOLID_FRAMES <= triads.len())
}

/// The share of `triad` in the frames from `start` on.
fn share_after(triad: usize, triads: &[usize], start: usize) -> f32 {
    let after = triads.iter().skip(start).take(SOLID_FRAMES);
    after.filter(|&&other| other == triad).count() as f32 / SOLID_FRAMES as f32
}

/// Finds the best path through the triads of `range` (Viterbi).
pub(super) fn triads(frames: &ChromaFrames, range: Range<usize>) -> TriadPath {
    let templates: Vec<[f32; 12]> = Key::all().map(template).collect();
    let mut totals = [0.0f32; 24];
    let mut came_from: Vec<[u8; 24]> = Vec::with_capacity(range.len());
    for index in range.clone() {
        let heard = surroundings(frames, index);
        let leader = argmax(&totals);
        let changed = totals[leader] - CHANGE_COST;
        came_from
            .push(std::array::from_fn(|triad| if totals[triad] < changed { leader } else { triad } as u8));
        // Only differences matter: without the leader's total, the sums stay small in a song of any length.
        let level = totals[leader];
        for (total, template) in totals.iter_mut().zip(&templates) {
            let fit: f32 = heard.iter().zip(template).map(|(heard, weight)| heard * weight).sum();
            *total = total.max(changed) - level + fit;
        }
    }
    let mut triad = argmax(&totals);
    let mut triads = vec![triad; range.len()];
    for (place, from) in triads.iter_mut().zip(&came_from).rev() {
        *place = triad;
        triad = usize::from(from[triad]);
    }
    let opening = opening(frames, range.start, &triads);
    TriadPath { hop_secs: frames.hop_secs, triads, opening }
}

/// Chroma and bass around a frame, at unit length.
fn surroundings(frames: &ChromaFrames, index: usize) -> [f32; 12] {
    let mut sum = [0.0f32; 12];
    for near in index.saturating_sub(REACH_FRAMES)..(index + REACH_FRAMES + 1).min(frames.chroma.len()) {
        for (class, sum) in sum.iter_mut().enumerate() {
            *sum += frames.chroma[near][class] + BASS_WEIGHT * frames.bass[near][class];
        }
    }
    let length = sum.iter().map(|class| class * class).sum::<f32>().sqrt().max(1e-6);
    sum.map(|class| class / length)
}

/// Where in `triads`, which begin at frame `offset`, the first chord starts that lasts and is not silence or drums.
fn opening(frames: &ChromaFrames, offset: usize, triads: &[usize]) -> Option<usize> {
    let mut start = 0;
    for chord in triads.chunk_by(|a, b| a == b) {
        let range = offset + start..offset + start + chord.len();
        let is_audible = frames.weights[range.clone()].iter().sum::<f32>() > 0.2 * chord.len() as f32;
        let is_pitched = frames.chroma[range].iter().flatten().sum::<f32>() > 150.0 * chord.len() as f32;
        if chord.len() >= SOLID_FRAMES && is_audible && is_pitched {
            return Some(start);
        }
        start += chord.len();
    }
    None
}

/// A triad with zero mean, so that what sounds beside it counts against it.
fn template(key: Key) -> [f32; 12] {
    let third = if key.mode == Mode::Major { 4 } else { 3 };
    std::array::from_fn(|class| {
        let above = (class + 12 - key.tonic.semitone()) % 12;
        if above == 0 || above == third || above == 7 { 0.75 } else { -0.25 }
    })
}
