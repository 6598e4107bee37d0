//! Notes of one voice from its pitch.

use std::f64::consts::TAU;

use super::onsets::{OnsetCollector, OnsetTrace};
use super::pyin::{PitchFrame, Pyin, PyinOptions};
use super::{HOP_SAMPLES, HOP_SECS, Note, RATE_HZ, velocities};

/// A pitch this far from its note, in semitones, belongs to another note; vibrato stays within.
const STRAY_SEMITONES: f64 = 0.7;
/// Frames in a row that must stray.
const STRAY_FRAMES: usize = 3;
/// Shorter notes are slips of the tracker.
const SHORTEST_FRAMES: usize = 5;
/// Frames from the start of a note on which it cannot be struck again.
const RESTRIKE_FRAMES: usize = 6;
/// How strong an onset within a held pitch must be to strike it again, on the scale of [`OnsetTrace::peaks`].
const RESTRIKE_STRENGTH: f32 = 0.3;
/// How much the level must rise then, from the lowest of some frames before to the highest of some after.
const RESTRIKE_RISE_DB: f32 = 2.5;
const RESTRIKE_BEFORE: usize = 4;
const RESTRIKE_AFTER: usize = 5;
/// How far a note's start may be moved to an onset.
const SNAP_FRAMES: usize = 5;
/// Unvoiced frames within a note that are no rest.
const GAP_FRAMES: usize = 5;
/// A frame this sure of its pitch needs no path.
const CERTAIN: f64 = 0.6;

/// Follows one voice at [`RATE_HZ`].
pub(super) struct MelodyTracker {
    pyin: Pyin,
    onsets: OnsetCollector,
}

impl MelodyTracker {
    pub(super) fn new(lowest_hz: f64, highest_hz: f64) -> Self {
        let options = PyinOptions::default().range_hz(lowest_hz, highest_hz).hop_samples(HOP_SAMPLES);
        Self { pyin: Pyin::new(RATE_HZ, options), onsets: OnsetCollector::new() }
    }

    pub(super) fn push(&mut self, samples: &[f32]) {
        self.pyin.push(samples);
        self.onsets.push(samples);
    }

    pub(super) fn finish(self) -> Vec<Note> {
        notes(&self.pyin.finish(), &self.onsets.finish())
    }
}

/// Frames of one pitch.
struct Run {
    start: usize,
    /// Semitones of the pitched frames, fractional MIDI numbers.
    semitones: Vec<f64>,
    end: usize,
}

impl Run {
    fn median(&self) -> f64 {
        let mut sorted = self.semitones.clone();
        let middle = sorted.len() / 2;
        *sorted.select_nth_unstable_by(middle, f64::total_cmp).1
    }
}

fn notes(track: &[PitchFrame], onsets: &OnsetTrace) -> Vec<Note> {
    let tuning = tuning(track);
    let pitches: Vec<Option<f64>> =
        track.iter().map(|frame| pitch_of(frame).map(|hz| semitone(hz) - tuning)).collect();
    let peaks = onsets.peaks();
    let strikes = strikes(&peaks, onsets);
    let mut runs = runs(&pitches, &strikes);
    runs.retain(|run| run.end - run.start >= SHORTEST_FRAMES && run.semitones.len() >= SHORTEST_FRAMES - 1);
    let mut last_end = 0;
    for run in &mut runs {
        snap(run, &peaks, last_end);
        last_end = run.end;
    }
    let levels: Vec<f32> = runs
        .iter()
        .map(|run| {
            let heard =
                onsets.levels_db.get(run.start..run.end.min(onsets.levels_db.len())).unwrap_or_default();
            heard.iter().copied().fold(-100.0, f32::max)
        })
        .collect();
    let velocities = velocities(&levels);
    runs.iter()
        .zip(velocities)
        .map(|(run, velocity)| Note {
            start_secs: run.start as f64 * HOP_SECS,
            end_secs: run.end as f64 * HOP_SECS,
            pitch: run.median().round().clamp(0.0, 127.0) as u8,
            velocity,
            confidence: confidence(run, track),
        })
        .collect()
}

/// The path's pitch, unless the frame itself is sure of another: the path cannot leap an octave from frame to frame,
/// and rather stays on the wrong one than pauses.
fn pitch_of(frame: &PitchFrame) -> Option<f64> {
    let own = frame.candidate_hz.filter(|_| frame.candidate_probability > CERTAIN);
    frame.hz.map(|path| own.unwrap_or(path))
}

fn semitone(hz: f64) -> f64 {
    69.0 + 12.0 * (hz / 440.0).log2()
}

/// How far the voice is tuned from A4 = 440 Hz, in semitones: the circular mean of all pitches.
fn tuning(track: &[PitchFrame]) -> f64 {
    let (sin, cos) = track.iter().filter_map(|frame| frame.hz).fold((0.0, 0.0), |(sin, cos), hz| {
        let (s, c) = (TAU * semitone(hz)).sin_cos();
        (sin + s, cos + c)
    });
    f64::atan2(sin, cos) / TAU
}

/// Cuts the track where it pauses, where the pitch goes elsewhere, and where it is struck again.
fn runs(pitches: &[Option<f64>], strikes: &[usize]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut is_open = false;
    let mut stray: Vec<f64> = Vec::new();
    let mut gap = 0;
    let mut strikes = strikes.iter().copied().peekable();
    let mut is_struck = false;
    for (frame, pitch) in pitches.iter().enumerate() {
        while strikes.next_if(|&strike| strike <= frame).is_some() {
            is_struck = true;
        }
        let Some(pitch) = *pitch else {
            gap += 1;
            if gap > GAP_FRAMES {
                is_open = false;
                stray.clear();
            }
            continue;
        };
        gap = 0;
        let is_struck = std::mem::take(&mut is_struck);
        let open = runs.last_mut().filter(|_| is_open);
        match open {
            Some(run) if is_struck && frame - run.start >= RESTRIKE_FRAMES => {
                run.end = frame;
                stray.clear();
                runs.push(Run { start: frame, semitones: vec![pitch], end: frame + 1 });
            }
            Some(run) if (pitch - run.median()).abs() <= STRAY_SEMITONES => {
                stray.clear();
                run.semitones.push(pitch);
                run.end = frame + 1;
            }
            Some(run) => {
                stray.push(pitch);
                if stray.len() >= STRAY_FRAMES {
                    let start = frame + 1 - stray.len();
                    run.end = run.end.min(start);
                    runs.push(Run { start, semitones: std::mem::take(&mut stray), end: frame + 1 });
                }
            }
            None => {
                is_open = true;
                stray.clear();
                runs.push(Run { start: frame, semitones: vec![pitch], end: frame + 1 });
            }
        }
    }
    runs
}

/// Onsets at which the level rises, too: the rest is vibrato, vowels and strings that beat.
fn strikes(peaks: &[(usize, f32)], onsets: &OnsetTrace) -> Vec<usize> {
    let levels = &onsets.levels_db;
    peaks
        .iter()
        .filter(|&&(hop, strength)| {
            let before =
                levels[hop.saturating_sub(RESTRIKE_BEFORE)..=hop].iter().copied().fold(f32::MAX, f32::min);
            let after = levels[hop..(hop + RESTRIKE_AFTER).min(levels.len())]
                .iter()
                .copied()
                .fold(f32::MIN, f32::max);
            strength >= RESTRIKE_STRENGTH && after - before >= RESTRIKE_RISE_DB
        })
        .map(|peak| peak.0)
        .collect()
}

/// Moves a note's start to the nearest onset.
fn snap(run: &mut Run, peaks: &[(usize, f32)], earliest: usize) {
    let from = peaks.partition_point(|&(hop, _)| hop + SNAP_FRAMES < run.start);
    let near =
        peaks[from..].iter().take_while(|&&(hop, _)| hop <= run.start + SNAP_FRAMES).map(|peak| peak.0);
    let nearest = near.filter(|&hop| hop >= earliest).min_by_key(|hop| hop.abs_diff(run.start));
    if let Some(hop) = nearest.filter(|hop| hop + 2 < run.end) {
        run.start = hop;
    }
}

/// How likely the frames are voiced, times how many of them stay within a quarter tone.
fn confidence(run: &Run, track: &[PitchFrame]) -> f32 {
    let frames = &track[run.start..run.end];
    let voiced = frames.iter().map(|frame| frame.voiced_probability).sum::<f64>() / frames.len() as f64;
    let pitch = run.median();
    let steady = run.semitones.iter().filter(|semitone| (*semitone - pitch).abs() <= 0.5).count() as f64;
    (voiced * steady / run.semitones.len() as f64).clamp(0.0, 1.0) as f32
}
