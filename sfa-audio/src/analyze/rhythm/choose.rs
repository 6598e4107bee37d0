//! Which of the possible tempos is the song's.

use super::beats;
use super::harmony;
use super::onset::{FRAME_RATE_HZ, RhythmFeatures};
use super::pulse::{Pulse, median, peak_near};
use super::tempo::{TEMPO_RANGE_BPM, Tempogram, prior};

/// A tempo and the beats it leads to.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) bpm: f64,
    /// Onset frames of the beats.
    pub(super) beats: Vec<usize>,
    /// The beat period around every onset frame, in frames.
    pub(super) periods: Vec<f32>,
    /// How well the song is explained; comparable between readings of one song only.
    pub(super) score: f32,
}

/// Closer than this, two tempos are the same reading of a song.
pub(super) const SAME_TEMPO: f64 = 0.03;

/// Tracks beats at `bpm` and judges them, or `None` where there are fewer than four.
///
/// What people tap is mostly decided by four things: how strictly the song repeats after a few beats, how usual
/// the tempo is, into how many parts a beat is divided, and whether chords change by bars of such beats (see
/// [`hear_harmony`]). Songs halve their beat more often than not. A reading
/// whose beat is clearly cut in four is a fast song read at half its tempo, and one whose beat is cut in three is a
/// waltz read in whole bars.
pub(super) fn read(
    bpm: f64,
    bpm_range: (f64, f64),
    tempogram: &Tempogram,
    pulse: &Pulse,
    duration_secs: f64,
) -> Option<Reading> {
    const STRENGTH_WEIGHT: f32 = 1.0;
    /// Of the middle band alone: kicks and hats may repeat after any number of eighths, snares hardly do.
    const SNARE_STRENGTH_WEIGHT: f32 = 0.15;
    const LOCAL_STRENGTH_WEIGHT: f32 = 0.3;
    const PRIOR_WEIGHT: f32 = 0.3;
    const QUARTERED_WEIGHT: f32 = 1.3;
    /// Sixths are the triplets of a beat twice as fast, or swung sixteenths.
    const SIXTHS_WEIGHT: f32 = 0.4;
    /// Activity at the quarters of a beat, relative to the beat, that is no sign of a faster beat yet and that
    /// is as sure a sign as there can be.
    const QUARTERED_RANGE: (f32, f32) = (0.12, 0.5);
    /// Half-beats this strong, relative to the beat, are beats.
    const AS_STRONG: f32 = 0.85;
    const EVENLY_HALVED_COST: f32 = 0.1;
    const UNDIVIDED_COST: f32 = 0.1;
    /// Activity between the beats, relative to the beat, under which the beat counts as undivided.
    const DIVIDED: f32 = 0.15;
    /// How unequal even and odd beats are where only one of two is a beat.
    const ALTERNATING: f32 = 0.15;
    /// A beat that is cut in three like this while no backbeat shows that there are two of it is a bar of a waltz.
    const CUT_IN_THREE: f32 = 0.3;
    const BACKBEAT: f32 = 0.15;
    const WHOLE_BAR_COST: f32 = 0.3;
    /// A beat that nothing divides, while kicks and snares take turns from every second to the next, in fours: a
    /// slow song read at double its tempo.
    const HARDLY_DIVIDED: f32 = 0.1;
    const HALF_BACKBEAT: f32 = 0.23;
    /// What snares lose from three beats to four where bars are of three beats: far more than this.
    const IN_THREES: f32 = -0.15;
    const DOUBLED_COST: f32 = 0.25;
    /// Only beats have off-beats that are late by a triplet.
    const SWUNG: f32 = 0.3;
    const SWUNG_BONUS: f32 = 0.1;
    /// How unequal even and odd beats are where one of them is hardly a beat.
    const ONE_OF_TWO: f32 = 0.5;
    const LOOP_BONUS: f32 = 0.25;

    let periods = tempogram.periods(bpm, pulse.frames());
    let beats = beats::track(&pulse.total, &periods);
    if beats.len() < 4 {
        return None;
    }
    // The path may have left the tempo it started from: what counts is where the beats are.
    let mut intervals: Vec<f64> = beats.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
    let interval = median(&mut intervals).unwrap_or(f64::from(periods[0]));
    let bpm = tempogram.strongest_near(60.0 * FRAME_RATE_HZ / interval);
    if bpm < bpm_range.0 / (1.0 + SAME_TEMPO) || bpm > bpm_range.1 * (1.0 + SAME_TEMPO) {
        return None;
    }
    let strength = tempogram.strength(bpm);
    let profile = phase_profile(&pulse.total, &beats);
    let beside = |phase: usize| profile[phase] / profile[0].max(f32::MIN_POSITIVE);
    let mut score = STRENGTH_WEIGHT * strength
        + SNARE_STRENGTH_WEIGHT * tempogram.snare_strength(bpm)
        + LOCAL_STRENGTH_WEIGHT * tempogram.local_strength(&periods)
        + PRIOR_WEIGHT * prior(bpm);
    if 2.0 * bpm <= TEMPO_RANGE_BPM.1 {
        let (none, sure) = QUARTERED_RANGE;
        let part_of_beat =
            |phases: [usize; 2]| phases.map(beside).into_iter().fold(0.0, f32::max).clamp(none, sure) - none;
        score -= QUARTERED_WEIGHT * part_of_beat([3, 9]) + SIXTHS_WEIGHT * part_of_beat([2, 10]);
        if beside(6) > AS_STRONG {
            score -= EVENLY_HALVED_COST;
        }
    }
    if 3.0 * bpm <= TEMPO_RANGE_BPM.1
        && beside(4).max(beside(8)) > CUT_IN_THREE
        && beside(6) < DIVIDED
        && backbeat(pulse, &beats) < BACKBEAT
    {
        score -= WHOLE_BAR_COST;
    }
    let division = beside(4).max(beside(6)).max(beside(8));
    let alternation = alternation(&pulse.total, &beats);
    if division < DIVIDED && alternation > ALTERNATING {
        score -= UNDIVIDED_COST;
    }
    if division.max(beside(3)).max(beside(9)) < HARDLY_DIVIDED
        && backbeat_of_halves(pulse, &beats) > HALF_BACKBEAT
        && tempogram.snare_gain(bpm, 3.0, 4.0) > IN_THREES
    {
        score -= DOUBLED_COST;
    }
    if beside(8) > SWUNG && beside(4).max(beside(6)) < HARDLY_DIVIDED && alternation < ONE_OF_TWO {
        score += SWUNG_BONUS;
    }
    if loop_bpm(bpm, duration_secs).is_some() {
        score += LOOP_BONUS;
    }
    Some(Reading { bpm, beats, periods, score })
}

/// Lets the chords speak for a reading, the best of its tempo.
pub(super) fn hear_harmony(reading: &mut Reading, features: &RhythmFeatures) {
    const HARMONY_WEIGHT: f32 = 0.2;
    reading.score += HARMONY_WEIGHT * harmony::bars(&reading.beats, features);
}

/// The longest file that may be a sample loop.
const LONGEST_LOOP_SECS: f64 = 15.0;

/// The tempos at which a short file is a whole number of bars of four beats long.
pub(super) fn loop_tempos(bpm_range: (f64, f64), duration_secs: f64) -> impl Iterator<Item = f64> {
    let bars = if duration_secs <= LONGEST_LOOP_SECS { 1..17 } else { 0..0 };
    bars.map(move |bars| f64::from(bars) * 240.0 / duration_secs)
        .filter(move |bpm| (bpm_range.0..=bpm_range.1).contains(bpm))
}

/// The tempo near `bpm` at which a short file is a whole number of bars long, as sample loops are.
pub(super) fn loop_bpm(bpm: f64, duration_secs: f64) -> Option<f64> {
    const NEAR: f64 = 0.01;

    let bars = (duration_secs * bpm / 240.0).round();
    let exact = bars * 240.0 / duration_secs;
    (duration_secs <= LONGEST_LOOP_SECS && bars >= 1.0 && (exact / bpm - 1.0).abs() < NEAR).then_some(exact)
}

const PHASES: usize = 12;

/// Mean onset strength at twelfths of a beat, the beat itself first.
fn phase_profile(onsets: &[f32], beats: &[usize]) -> [f32; PHASES] {
    let mut sums = [0.0; PHASES];
    for pair in beats.windows(2) {
        let step = (pair[1] - pair[0]) as f64 / PHASES as f64;
        for (phase, sum) in sums.iter_mut().enumerate() {
            *sum += peak_near(onsets, pair[0] as f64 + step * phase as f64, 1);
        }
    }
    sums.map(|sum| sum / (beats.len() - 1) as f32)
}

/// How unequal even and odd beats are: 0 for alike, 1 where only every second beat sounds.
fn alternation(onsets: &[f32], beats: &[usize]) -> f32 {
    (2.0 * share_of_even(onsets, beats) - 1.0).abs()
}

/// How much kicks and snares take turns from beat to beat: 0 where they do not, 1 where no beat has both.
fn backbeat(pulse: &Pulse, beats: &[usize]) -> f32 {
    (share_of_even(&pulse.bands[0], beats) - share_of_even(&pulse.bands[1], beats)).abs()
}

/// The clearer [`backbeat`] among the even or the odd beats.
fn backbeat_of_halves(pulse: &Pulse, beats: &[usize]) -> f32 {
    let every_second = |first: usize| -> Vec<usize> { beats[first..].iter().copied().step_by(2).collect() };
    backbeat(pulse, &every_second(0)).max(backbeat(pulse, &every_second(1)))
}

/// The share of the onset strength on beats that falls on every second one, the first included.
fn share_of_even(onsets: &[f32], beats: &[usize]) -> f32 {
    let mut sums = [f32::MIN_POSITIVE; 2];
    for (n, &beat) in beats.iter().enumerate() {
        sums[n % 2] += peak_near(onsets, beat as f64, 1);
    }
    sums[0] / (sums[0] + sums[1])
}
