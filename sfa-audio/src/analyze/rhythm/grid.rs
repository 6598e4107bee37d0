//! From rough beats to exact ones: one straight line where the tempo is constant, smooth times where not.

use super::beats::{Attack, attack_near, secs_of_frame};
use super::choose::{Reading, loop_bpm};
use super::free_beats::track_freely;
use super::line::{Line, best_line, sharpen};
use super::mend::{evenly, in_one_octave};
use super::onset::RhythmFeatures;
use super::phase;
use super::pulse::{Pulse, frame_at, median, peak_near};

/// The final beats of a song.
#[derive(Debug, Clone)]
pub(super) struct Beats {
    pub(super) times_secs: Vec<f64>,
    /// The line all of them lie on, where the tempo is constant.
    pub(super) line: Option<Line>,
}

impl Beats {
    /// Beats per minute; where the tempo varies, those of most of the time.
    pub(super) fn bpm(&self) -> f64 {
        if let Some(line) = self.line {
            return line.bpm();
        }
        usual_interval(&self.times_secs).map_or(0.0, |interval| 60.0 / interval)
    }

    /// Stretches that one line describes: the index of the first beat, and the line from that beat.
    pub(super) fn regions(&self) -> Vec<(usize, Line)> {
        /// As far as a beat may be off its region's line: what is just not heard as a flam.
        const TOLERANCE_SECS: f64 = 0.02;
        match self.line {
            Some(line) => vec![(0, Line { start_secs: self.times_secs[0], ..line })],
            None => regions(&self.times_secs, TOLERANCE_SECS),
        }
    }
}

/// The median of the intervals of that tempo, within some percent, which lasts the longest: a song of two tempos has one
/// of them, and not the one between that its median may be.
fn usual_interval(times_secs: &[f64]) -> Option<f64> {
    const WIDTH: f64 = 1.05;
    let mut intervals: Vec<f64> = times_secs.windows(2).map(|pair| pair[1] - pair[0]).collect();
    intervals.sort_by(f64::total_cmp);
    let mut best = (0.0, 0..0);
    let (mut first, mut secs) = (0, 0.0);
    for end in 1..=intervals.len() {
        secs += intervals[end - 1];
        while intervals[end - 1] > WIDTH * intervals[first] {
            secs -= intervals[first];
            first += 1;
        }
        if secs > best.0 {
            best = (secs, first..end);
        }
    }
    median(&mut intervals[best.1])
}

/// Places tracked beats exactly, and drops those before the music begins and after it ends.
pub(super) fn lay(reading: &Reading, features: &RhythmFeatures, pulse: &Pulse) -> Option<Beats> {
    const FEWEST: usize = 4;

    let tight = on_attacks(&reading.beats, features);
    let free_frames = track_freely(&pulse.beat_likeness, &reading.periods);
    let free = on_attacks(&free_frames, features);
    let (first, last) = (tight.first()?.secs, tight.last()?.secs);
    let line = best_line(&tight)
        .filter(|line| (line.bpm() / reading.bpm - 1.0).abs() < 0.1)
        .filter(|line| {
            fits(line, &reading.beats, &pulse.total)
                && fits_ends(line, &free_frames, &pulse.total)
                && !slows_down(
                    line,
                    &trim(free.iter().map(|beat| beat.secs).collect(), features.duration_secs, &pulse.total),
                )
                && !drifts(line, &tight)
        })
        .map(|line| on_the_beat(line, first, last, features, pulse))
        .map(|line| sharpen(line, &features.attacks, first, last))
        .map(|line| close_loop(line, features.duration_secs));
    let times_secs = match line {
        Some(line) => line.between(first, last),
        None => each_on_the_beat(in_one_octave(smooth(&free)), features, pulse),
    };
    let times_secs = trim(times_secs, features.duration_secs, &pulse.total);
    (times_secs.len() >= FEWEST).then_some(Beats { times_secs, line })
}

/// The line moved by a share of its period, onto what people call the beat.
fn on_the_beat(line: Line, from_secs: f64, to_secs: f64, features: &RhythmFeatures, pulse: &Pulse) -> Line {
    let lag_beats = phase::lag(&line.between(from_secs, to_secs), features, pulse);
    Line { start_secs: line.start_secs + lag_beats * line.period_secs, ..line }
}

/// Beats without a line, moved as [`on_the_beat`] moves a line, and those between two beats onto one.
fn each_on_the_beat(beats_secs: Vec<f64>, features: &RhythmFeatures, pulse: &Pulse) -> Vec<f64> {
    let lag_beats = phase::lag(&beats_secs, features, pulse);
    let moved: Vec<f64> = match lag_beats {
        0.0 => beats_secs,
        _ => beats_secs.windows(2).map(|pair| pair[0] + lag_beats * (pair[1] - pair[0])).collect(),
    };
    let is_off = phase::off_beats(&moved, features, pulse);
    if !is_off.contains(&true) {
        return moved;
    }
    let half = |n: usize| moved.get(n + 1).map_or(0.0, |next| (next - moved[n]) / 2.0);
    let shifted = (0..moved.len()).map(|n| moved[n] + if is_off[n] { half(n) } else { 0.0 });
    evenly(shifted.collect(), &moved)
}

fn on_attacks(frames: &[usize], features: &RhythmFeatures) -> Vec<Attack> {
    const REACH_SECS: f64 = 0.025;
    let attack = |&frame: &usize| attack_near(&features.attacks, secs_of_frame(frame), REACH_SECS);
    frames.iter().map(attack).collect()
}

/// The line with the period that makes a loop of whole bars, where that moves no beat noticeably.
fn close_loop(line: Line, duration_secs: f64) -> Line {
    const NOTICEABLE_SECS: f64 = 0.01;
    match loop_bpm(line.bpm(), duration_secs) {
        Some(bpm)
            if (60.0 / bpm - line.period_secs).abs() * duration_secs / line.period_secs < NOTICEABLE_SECS =>
        {
            let middle = line.at(line.index_near(duration_secs / 2.0));
            let period_secs = 60.0 / bpm;
            Line { start_secs: middle, period_secs }
        }
        _ => line,
    }
}

/// The beats from the first to the last on which something audibly starts.
fn trim(mut times_secs: Vec<f64>, duration_secs: f64, onsets: &[f32]) -> Vec<f64> {
    /// Share of the usual strength of a beat that is still a beat.
    const FAINT: f32 = 0.2;
    let strength = |secs: f64| peak_near(onsets, frame_at(secs), 3);
    let mut strengths: Vec<f64> = times_secs.iter().map(|&secs| f64::from(strength(secs))).collect();
    let least = FAINT * median(&mut strengths).unwrap_or(0.0) as f32;
    let audible = |secs: f64| secs >= 0.0 && secs < duration_secs && strength(secs) > least;
    let end = times_secs.iter().rposition(|&secs| audible(secs)).map_or(0, |last| last + 1);
    times_secs.truncate(end);
    let start = times_secs.iter().position(|&secs| audible(secs)).unwrap_or(0);
    times_secs.drain(..start);
    times_secs
}

/// Whether the line collects about as much onset strength as the tracked beats, nearly everywhere in the song.
fn fits(line: &Line, beats: &[usize], onsets: &[f32]) -> bool {
    const POOR_SHARE: f64 = 0.12;
    let poor = poor_windows(line, beats, onsets);
    let count = poor.iter().filter(|&&is_poor| is_poor).count();
    count as f64 <= POOR_SHARE * poor.len() as f64
}

/// Whether the line holds at the song's ends, where players slow down or settle in.
fn fits_ends(line: &Line, beats: &[usize], onsets: &[f32]) -> bool {
    let poor = poor_windows(line, beats, onsets);
    let tail = poor.iter().rev().take_while(|&&is_poor| is_poor).count();
    let head = poor.iter().take_while(|&&is_poor| is_poor).count();
    tail < 2 && head < 2
}

/// Whether the last beats, tracked without the line, come ever later than it says.
fn slows_down(line: &Line, beats_secs: &[f64]) -> bool {
    const LAST_BEATS: usize = 5;
    const SLOWER: f64 = 1.08;
    let Some(first) = beats_secs.len().checked_sub(LAST_BEATS) else { return false };
    let intervals: Vec<f64> = beats_secs[first..].windows(2).map(|pair| pair[1] - pair[0]).collect();
    intervals.iter().all(|&interval| interval > SLOWER * line.period_secs)
        && intervals[LAST_BEATS - 2] > intervals[0]
}

/// Whether the beats lie before the line for a while and then behind it, as those of a band without a click do.
fn drifts(line: &Line, beats: &[Attack]) -> bool {
    /// Half of the beats whose median is one place of the drift.
    const REACH: usize = 4;
    /// Attacks further off are no attacks of beats.
    const NEAR_SECS: f64 = 0.06;
    /// More than sounds of different attack times make of one grid.
    const FAR_SECS: f64 = 0.03;
    const JUMP_SECS: f64 = 0.006;
    let offs: Vec<f64> = beats.iter().map(|beat| line.residual(beat.secs)).collect();
    let drift: Vec<f64> = (0..offs.len())
        .filter_map(|n| {
            let around = &offs[n.saturating_sub(REACH)..(n + REACH + 1).min(offs.len())];
            let mut near: Vec<f64> = around.iter().copied().filter(|off| off.abs() < NEAR_SECS).collect();
            if near.len() * 2 < around.len() { None } else { median(&mut near) }
        })
        .collect();
    // What jumps is another sound that is struck on the beat, not another tempo.
    let mut path: Vec<f64> = drift
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .scan(0.0, |place, step| {
            *place += if step.abs() < JUMP_SECS { step } else { 0.0 };
            Some(*place)
        })
        .collect();
    path.sort_by(f64::total_cmp);
    let at = |share: f64| path.get((share * path.len() as f64) as usize).copied().unwrap_or(0.0);
    at(0.95) - at(0.05) > FAR_SECS
}

/// For every stretch of eight beats, half of each shared with the next: whether the line misses the onsets there.
///
/// Beats that stay equally far from the line's own are no miss: there the tracker was led off by syncopation, not by
/// tempo.
fn poor_windows(line: &Line, beats: &[usize], onsets: &[f32]) -> Vec<bool> {
    const WINDOW_BEATS: usize = 8;
    /// A window in which the line collects less than this share speaks against it.
    const POOR: f32 = 0.6;
    const LED_OFF_BEATS: usize = 6;
    /// How evenly: an onset frame.
    const EVENLY_SECS: f64 = 0.01;

    let strength = |frame: f64| peak_near(onsets, frame, 2);
    let is_led_off = |window: &[usize]| {
        // Measured from one of the beats, as what lies half-way between two of the line's own has no nearest one.
        let own = Line { start_secs: secs_of_frame(window[0]), ..*line };
        let mut offs: Vec<f64> = window.iter().map(|&frame| own.residual(secs_of_frame(frame))).collect();
        let middle = median(&mut offs).unwrap_or(0.0);
        offs.iter().filter(|&off| (off - middle).abs() < EVENLY_SECS).count() >= LED_OFF_BEATS
    };
    beats
        .windows(WINDOW_BEATS)
        .step_by(WINDOW_BEATS / 2)
        .map(|window| {
            let tracked: f32 = window.iter().map(|&frame| strength(frame as f64)).sum();
            let nearest = |frame: usize| line.at(line.index_near(secs_of_frame(frame)));
            let collected: f32 = window.iter().map(|&frame| strength(frame_at(nearest(frame)))).sum();
            collected < POOR * tracked && !is_led_off(window)
        })
        .collect()
}

/// Beat times without a line: each on its attack, then smoothed by a line through its neighbours.
fn smooth(beats: &[Attack]) -> Vec<f64> {
    const REACH: usize = 3;
    (0..beats.len())
        .map(|n| {
            let around = &beats[n.saturating_sub(REACH)..(n + REACH + 1).min(beats.len())];
            let period_secs =
                (around[around.len() - 1].secs - around[0].secs) / (around.len() - 1).max(1) as f64;
            let guess = Line { start_secs: beats[n].secs, period_secs };
            let line = (period_secs > 0.0).then(|| Line::through(around.iter().copied(), &guess)).flatten();
            line.map_or(beats[n].secs, |line| line.at(0.0))
        })
        .collect()
}

/// Cuts beats into stretches that one line describes within `tolerance_secs`: index of the first beat and the
/// line.
fn regions(beats_secs: &[f64], tolerance_secs: f64) -> Vec<(usize, Line)> {
    let mut regions = Vec::new();
    let mut first = 0;
    while first + 1 < beats_secs.len() {
        let mut end = first + 2;
        let mut line =
            Line { start_secs: beats_secs[first], period_secs: beats_secs[first + 1] - beats_secs[first] };
        while end < beats_secs.len() {
            let count = (end - first) as f64;
            let wider = Line {
                start_secs: beats_secs[first],
                period_secs: (beats_secs[end] - beats_secs[first]) / count,
            };
            let worst = (first..=end)
                .map(|n| (beats_secs[n] - wider.at((n - first) as f64)).abs())
                .fold(0.0, f64::max);
            if worst > tolerance_secs {
                break;
            }
            line = wider;
            end += 1;
        }
        regions.push((first, line));
        first = end - 1;
    }
    regions
}
