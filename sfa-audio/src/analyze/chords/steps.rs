//! Time in steps short enough to hold one chord each.

use crate::analyze::Rhythm;
use crate::analyze::harmony::ChromaFrames;

/// Step where there is no pulse, in seconds.
const FREE_STEP_SECS: f64 = 0.5;
/// Beats longer than this are cut in parts: music may be felt at half its pulse.
const LONGEST_STEP_SECS: f64 = 0.8;

/// What sounds from one beat to the next.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    pub(super) start_secs: f64,
    pub(super) end_secs: f64,
    /// Whether a bar starts here.
    pub(super) is_downbeat: bool,
    /// Mean chroma in decibels, C to B.
    pub(super) chroma: [f32; 12],
    /// Mean of the lowest strong tones in decibels, C to B.
    pub(super) bass: [f32; 12],
    /// `0.0..=1.0`: how loud within the song.
    pub(super) weight: f32,
}

impl Step {
    pub(super) fn secs(&self) -> f64 {
        self.end_secs - self.start_secs
    }
}

/// Cuts a song at its beats.
pub(super) fn cut(frames: &ChromaFrames, rhythm: Option<&Rhythm>, duration_secs: f64) -> Vec<Step> {
    let marks = marks(rhythm, duration_secs);
    marks
        .windows(2)
        .map(|pair| {
            let mut step = Step {
                start_secs: pair[0].0,
                end_secs: pair[1].0,
                is_downbeat: pair[0].1,
                chroma: [0.0; 12],
                bass: [0.0; 12],
                weight: 0.0,
            };
            average(frames, &mut step);
            step
        })
        .collect()
}

/// Where steps begin and end, and whether bars start there; rising times from 0 to the end.
fn marks(rhythm: Option<&Rhythm>, duration_secs: f64) -> Vec<(f64, bool)> {
    let beats = rhythm.map_or(&[][..], |rhythm| &rhythm.beats);
    let longest_secs = if beats.is_empty() { FREE_STEP_SECS } else { LONGEST_STEP_SECS };
    let mut marks: Vec<(f64, bool)> = vec![(0.0, false)];
    let inner = beats.iter().map(|beat| (beat.time_secs, beat.bar_position == 1));
    for (time_secs, is_downbeat) in inner.chain([(duration_secs, false)]) {
        let start_secs = marks[marks.len() - 1].0;
        let gap_secs = time_secs - start_secs;
        if gap_secs <= 0.0 || time_secs > duration_secs {
            continue;
        }
        let parts = (gap_secs / longest_secs).ceil().max(1.0) as usize;
        marks.extend((1..parts).map(|part| (start_secs + gap_secs * part as f64 / parts as f64, false)));
        marks.push((time_secs, is_downbeat));
    }
    marks
}

/// Fills a step with the mean of the frames that share time with it.
fn average(frames: &ChromaFrames, step: &mut Step) {
    let hop_secs = frames.hop_secs;
    let first = (step.start_secs / hop_secs + 0.5).floor().max(0.0) as usize;
    let mut total = 0.0;
    for index in first..frames.chroma.len() {
        let start_secs = (index as f64 - 0.5) * hop_secs;
        if start_secs >= step.end_secs {
            break;
        }
        let shared_secs = (start_secs + hop_secs).min(step.end_secs) - start_secs.max(step.start_secs);
        let share = (shared_secs / hop_secs).max(0.0) as f32;
        total += share;
        for class in 0..12 {
            step.chroma[class] += share * frames.chroma[index][class];
            step.bass[class] += share * frames.bass[index][class];
        }
        step.weight += share * frames.weights[index];
    }
    if total > 0.0 {
        step.chroma.iter_mut().chain(&mut step.bass).for_each(|value| *value /= total);
        step.weight /= total;
    }
}
