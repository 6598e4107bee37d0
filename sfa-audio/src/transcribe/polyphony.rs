//! Notes of many voices from what explains each spectrum.

use crate::dsp::StreamingStft;

use super::onsets::{OnsetCollector, OnsetTrace};
use super::salience::{LOWEST_PITCH, PITCHES, Voice, WINDOW_SAMPLES, voices};
use super::{HOP_SAMPLES, HOP_SECS, Note, velocities};

/// Saliences below this share of the recording's strong ones are not heard as notes.
const FLOOR: f32 = 0.12;
/// Frames without a pitch within a note that are no rest.
const GAP_FRAMES: usize = 3;
/// Shorter notes are accidents of the spectrum.
const SHORTEST_FRAMES: usize = 7;
/// How far a note's start may be moved to an onset; wider than for a melody, as the window is.
const SNAP_FRAMES: usize = 7;
/// A note struck again grows by this factor.
const RESTRIKE_GROWTH: f32 = 1.35;
/// Frames from the start of a note on which it cannot be struck again.
const RESTRIKE_FRAMES: usize = 9;

/// Follows many voices at 22 050 Hz.
pub(super) struct PolyphonyTracker {
    stft: StreamingStft,
    onsets: OnsetCollector,
    found: Vec<Voice>,
    /// The voices of all frames, and where each frame's end.
    voices: Vec<Voice>,
    ends: Vec<usize>,
}

impl PolyphonyTracker {
    pub(super) fn new() -> Self {
        Self {
            stft: StreamingStft::new(WINDOW_SAMPLES, HOP_SAMPLES),
            onsets: OnsetCollector::new(),
            found: Vec::new(),
            voices: Vec::new(),
            ends: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, samples: &[f32]) {
        self.onsets.push(samples);
        let Self { stft, found, voices: all, ends, .. } = self;
        stft.push(samples, |spectrum| {
            voices(spectrum, found);
            all.extend_from_slice(found);
            ends.push(all.len());
        });
    }

    pub(super) fn finish(self) -> Vec<Note> {
        let Self { stft, onsets, mut found, voices: mut all, mut ends } = self;
        stft.finish(|spectrum| {
            voices(spectrum, &mut found);
            all.extend_from_slice(&found);
            ends.push(all.len());
        });
        notes(&all, &ends, &onsets.finish())
    }
}

/// A note that sounds.
#[derive(Debug, Clone, Copy)]
struct Held {
    start: usize,
    /// The last frame it was heard in.
    last: usize,
    /// Frames it was heard in.
    heard: usize,
    /// Sum of its shares of the strong saliences.
    total: f32,
    recent: f32,
    loudest: f32,
}

fn notes(voices: &[Voice], ends: &[usize], onsets: &OnsetTrace) -> Vec<Note> {
    let mut saliences: Vec<f32> = voices.iter().map(|voice| voice.salience).collect();
    let Some(rank) = saliences.len().checked_sub(1).map(|last| last * 95 / 100) else { return Vec::new() };
    let strong = *saliences.select_nth_unstable_by(rank, f32::total_cmp).1;
    let peaks = onsets.peaks();
    let is_onset = |frame: usize| peaks.binary_search_by_key(&frame, |peak| peak.0).is_ok();
    let mut held: [Option<Held>; PITCHES] = [None; PITCHES];
    let mut done: Vec<(usize, Held)> = Vec::new();
    let mut start = 0;
    for (frame, &end) in ends.iter().enumerate() {
        for voice in &voices[start..end] {
            let share = voice.salience / strong;
            if share < FLOOR {
                continue;
            }
            let place = &mut held[usize::from(voice.pitch)];
            let is_struck = |note: &Held| {
                frame - note.start >= RESTRIKE_FRAMES
                    && share > RESTRIKE_GROWTH * note.recent
                    && (frame.saturating_sub(3)..=frame + 3).any(is_onset)
            };
            match place {
                Some(note) if !is_struck(note) => {
                    note.last = frame;
                    note.heard += 1;
                    note.total += share;
                    note.recent += 0.3 * (share - note.recent);
                    note.loudest = note.loudest.max(share);
                }
                _ => {
                    if let Some(note) = place.take() {
                        done.push((usize::from(voice.pitch), note));
                    }
                    let heard = 1;
                    *place = Some(Held {
                        start: frame,
                        last: frame,
                        heard,
                        total: share,
                        recent: share,
                        loudest: share,
                    });
                }
            }
        }
        start = end;
        for (pitch, place) in held.iter_mut().enumerate() {
            if place.is_some_and(|note| frame - note.last > GAP_FRAMES) {
                done.extend(place.take().map(|note| (pitch, note)));
            }
        }
    }
    done.extend(held.iter().enumerate().filter_map(|(pitch, note)| note.map(|note| (pitch, note))));
    done.retain(|(_, note)| note.last + 1 - note.start >= SHORTEST_FRAMES);
    done.sort_by_key(|&(pitch, note)| (note.start, pitch));
    let levels: Vec<f32> = done.iter().map(|(_, note)| 40.0 * note.loudest.log10()).collect();
    done.iter()
        .zip(velocities(&levels))
        .map(|(&(pitch, note), velocity)| {
            let frames = note.last + 1 - note.start;
            Note {
                start_secs: snapped(note.start, note.last, &peaks) as f64 * HOP_SECS,
                end_secs: (note.last + 1) as f64 * HOP_SECS,
                pitch: (pitch + LOWEST_PITCH) as u8,
                velocity,
                confidence: (note.heard as f32 / frames as f32 * (note.total / note.heard as f32).min(1.0))
                    .clamp(0.0, 1.0),
            }
        })
        .collect()
}

/// The strongest onset near the start of a note.
fn snapped(start: usize, last: usize, peaks: &[(usize, f32)]) -> usize {
    let from = peaks.partition_point(|&(hop, _)| hop + SNAP_FRAMES < start);
    let near = peaks[from..].iter().take_while(|&&(hop, _)| hop <= start + SNAP_FRAMES && hop < last);
    near.max_by(|a, b| a.1.total_cmp(&b.1)).map_or(start, |peak| peak.0)
}
