//! Which triad sounds when: just enough to hear where a song is at home.

use std::ops::Range;

use super::{Key, Mode};
use crate::analyze::argmax;
use crate::analyze::harmony::{ChromaFrames, expected_chroma};

/// Frames on both sides that one decision looks at: 0.65 s in all, a beat or so.
const REACH_FRAMES: usize = 3;
/// What a change of chord must gain in summed fit; keeps passing notes from counting as chords.
const CHANGE_COST: f32 = 0.6;
/// How much the bass counts against all tones.
const BASS_WEIGHT: f32 = 0.35;
/// Less bass than this, in decibels over its surroundings, counts in proportion.
const CLEAR_BASS_DB: f32 = 10.0;
/// How welcome root, third and fifth are in the bass.
const BASS_TONES: [f32; 3] = [1.0, 0.3, 0.4];

/// A chord shorter than this is not what a song opens with.
const SOLID_FRAMES: usize = 8;
/// A chord shorter than this is not counted as one that others move to.
const STEADY_FRAMES: usize = 5;
/// Mean weight below which a chord is an echo or silence.
const HEARD_WEIGHT: f32 = 0.2;
/// Less chroma than this, in summed decibels per frame, is not enough for an opening chord: drums alone.
const OPENING_PITCHEDNESS: f32 = 150.0;

/// One number for each triad, as [`Key::all`] orders the keys whose tonic triads they are.
pub(super) type PerTriad = [f32; 24];

/// The most likely triad of every frame, as an index into [`Key::all`].
pub(super) struct TriadPath<'a> {
    frames: &'a ChromaFrames,
    range: Range<usize>,
    triads: Vec<usize>,
}

/// One triad from where it sets in to where it ends, in frames of the song.
struct Run {
    triad: usize,
    frames: Range<usize>,
}

impl<'a> TriadPath<'a> {
    /// Finds the best path through the triads of `range` (Viterbi).
    pub(super) fn through(frames: &'a ChromaFrames, range: Range<usize>) -> Self {
        let templates: Vec<Template> = Key::all().map(Template::new).collect();
        let mut totals = [0.0f32; 24];
        let mut came_from: Vec<[u8; 24]> = Vec::with_capacity(range.len());
        for index in range.clone() {
            let (chroma, bass) = surroundings(frames, index);
            let leader = argmax(&totals);
            let level = totals[leader];
            let changed = level - CHANGE_COST;
            came_from.push(std::array::from_fn(|triad| {
                if totals[triad] < changed { leader as u8 } else { triad as u8 }
            }));
            // Only differences matter: without the leader's total, the sums stay small in a song of any length.
            for (total, template) in totals.iter_mut().zip(&templates) {
                *total = total.max(changed) - level + template.fit(&chroma, &bass);
            }
        }
        let mut triad = argmax(&totals);
        let mut triads = vec![triad; range.len()];
        for (place, from) in triads.iter_mut().zip(&came_from).rev() {
            *place = triad;
            triad = usize::from(from[triad]);
        }
        Self { frames, range, triads }
    }

    /// The share of each triad in the time, louder moments first.
    pub(super) fn shares(&self) -> PerTriad {
        let mut shares = [0.0; 24];
        let weights = &self.frames.weights[self.range.clone()];
        let total: f32 = weights.iter().sum();
        for (&triad, weight) in self.triads.iter().zip(weights) {
            shares[triad] += weight / total.max(f32::MIN_POSITIVE);
        }
        shares
    }

    /// Of all changes of chord, the share of those from the first triad to the second.
    pub(super) fn moves(&self) -> [PerTriad; 24] {
        let mut counts = [[0.0; 24]; 24];
        let steady: Vec<Run> = self
            .runs()
            .filter(|run| run.frames.len() >= STEADY_FRAMES && self.loudness(run) > HEARD_WEIGHT)
            .collect();
        for pair in steady.windows(2).filter(|pair| pair[0].triad != pair[1].triad) {
            counts[pair[0].triad][pair[1].triad] += 1.0;
        }
        let total: f32 = counts.iter().flatten().sum();
        counts.map(|row| row.map(|count| count / total.max(1.0)))
    }

    /// The first chord that lasts and is not silence or drums.
    pub(super) fn opening(&self) -> Option<usize> {
        self.runs()
            .find(|run| {
                let pitched: f32 = self.frames.chroma[run.frames.clone()].iter().flatten().sum();
                run.frames.len() >= SOLID_FRAMES
                    && self.loudness(run) > HEARD_WEIGHT
                    && pitched > OPENING_PITCHEDNESS * run.frames.len() as f32
            })
            .map(|run| run.triad)
    }

    fn runs(&self) -> impl Iterator<Item = Run> {
        let mut start = self.range.start;
        self.triads.chunk_by(|a, b| a == b).map(move |chunk| {
            let frames = start..start + chunk.len();
            start = frames.end;
            Run { triad: chunk[0], frames }
        })
    }

    fn loudness(&self, run: &Run) -> f32 {
        self.frames.weights[run.frames.clone()].iter().sum::<f32>() / run.frames.len() as f32
    }
}

/// What a triad shows.
struct Template {
    chroma: [f32; 12],
    bass: [f32; 12],
}

impl Template {
    fn new(key: Key) -> Self {
        let tones = [0, if key.mode == Mode::Major { 4 } else { 3 }, 7];
        let mut bass = [0.0; 12];
        for (tone, welcome) in tones.iter().zip(BASS_TONES) {
            bass[(key.tonic.semitone() + tone) % 12] = welcome;
        }
        Self { chroma: expected_chroma(key.tonic, &tones), bass }
    }

    fn fit(&self, chroma: &[f32; 12], bass: &[f32; 12]) -> f32 {
        let product = |a: &[f32; 12], b: &[f32; 12]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        product(&self.chroma, chroma) + BASS_WEIGHT * product(&self.bass, bass)
    }
}

/// Chroma around a frame at unit length, and the bass as shares.
fn surroundings(frames: &ChromaFrames, index: usize) -> ([f32; 12], [f32; 12]) {
    let near = index.saturating_sub(REACH_FRAMES)..(index + REACH_FRAMES + 1).min(frames.chroma.len());
    let count = near.len() as f32;
    let (mut chroma, mut bass) = ([0.0f32; 12], [0.0f32; 12]);
    for index in near {
        for class in 0..12 {
            chroma[class] += frames.chroma[index][class];
            bass[class] += frames.bass[index][class];
        }
    }
    let length = chroma.iter().map(|class| class * class).sum::<f32>().sqrt().max(1e-6);
    let depth = bass.iter().sum::<f32>().max(CLEAR_BASS_DB * count);
    (chroma.map(|class| class / length), bass.map(|class| class / depth))
}
