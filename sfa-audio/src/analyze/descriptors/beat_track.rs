//! librosa's beat tracker, for those who must reproduce it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tempogram::tempo;
use super::{HOP_FRAMES, frame_secs};
use crate::{Result, Watch};

/// How dearly a step that is not one beat long is paid for.
const TIGHTNESS: f64 = 100.0;

/// Tempo and beats as `librosa.beat.beat_track` finds them, with its errors: tempos lie on a coarse grid, and
/// beats come 20 to 40 ms late. [`Rhythm`](crate::analyze::Rhythm) knows better.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct BeatTrack {
    /// Beats per minute: the frame rate over a whole number of frames.
    pub bpm: f64,
    /// Beats in frames of 512 samples.
    pub frames: Vec<usize>,
    /// Beats in seconds.
    pub beats_secs: Vec<f64>,
}

/// `librosa.beat.beat_track(onset_envelope=strength)`, where `strength` is the median rise of the mel bands; `None`
/// where nothing begins.
///
/// D. Ellis, "Beat tracking by dynamic programming" (2007).
///
/// # Errors
/// `Cancelled` once `watch` was stopped.
pub fn beat_track(strength: &[f32], sample_rate_hz: u32, watch: &Watch) -> Result<Option<BeatTrack>> {
    let Some((_, bpm)) = tempo(strength, sample_rate_hz, watch)? else { return Ok(None) };
    let frame_rate_hz = f64::from(sample_rate_hz) / HOP_FRAMES as f64;
    let frames_per_beat = (frame_rate_hz * 60.0 / bpm).round_ties_even();
    let score = local_score(&of_unit_deviation(strength), frames_per_beat);
    let (links, totals) = chain(&score, frames_per_beat);
    let mut is_beat = vec![false; score.len()];
    let mut beat = last_beat(&totals);
    while let Some(frame) = beat {
        is_beat[frame] = true;
        beat = links[frame];
    }
    trim(&score, &mut is_beat);
    let frames: Vec<usize> = (0..is_beat.len()).filter(|&frame| is_beat[frame]).collect();
    let beats_secs = frames.iter().map(|&frame| frame_secs(frame, sample_rate_hz)).collect();
    Ok(Some(BeatTrack { bpm, frames, beats_secs }))
}

/// The strength over its sample deviation.
fn of_unit_deviation(strength: &[f32]) -> Vec<f64> {
    let mean = strength.iter().map(|&value| f64::from(value)).sum::<f64>() / strength.len() as f64;
    let squares: f64 = strength.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum();
    let deviation = (squares / (strength.len() as f64 - 1.0)).sqrt() as f32 + f32::MIN_POSITIVE;
    strength.iter().map(|value| f64::from(value / deviation)).collect()
}

/// The strength seen through a narrow Gaussian. librosa's loop never reaches the strength of frame 0.
fn local_score(strength: &[f64], frames_per_beat: f64) -> Vec<f64> {
    let reach = frames_per_beat as usize;
    let weight = |offset: f64| (-0.5 * (offset * 32.0 / frames_per_beat).powi(2)).exp();
    let window: Vec<f64> = (0..=2 * reach).map(|n| weight(n as f64 - reach as f64)).collect();
    (0..strength.len())
        .map(|frame| {
            let first = (frame + reach + 1).saturating_sub(strength.len());
            let end = (frame + reach).min(window.len());
            (first..end.max(first)).map(|k| window[k] * strength[frame + reach - k]).sum()
        })
        .collect()
}

/// For every frame the beat before it, if it were a beat, and the score of the best chain that ends there.
fn chain(score: &[f64], frames_per_beat: f64) -> (Vec<Option<usize>>, Vec<f64>) {
    let threshold = 0.01 * score.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let nearest = (frames_per_beat / 2.0).round_ties_even() as usize;
    let farthest = 2 * frames_per_beat as usize;
    let penalty: Vec<f64> =
        (0..=farthest).map(|step| TIGHTNESS * ((step as f64).ln() - frames_per_beat.ln()).powi(2)).collect();
    let mut links = vec![None; score.len()];
    let mut totals = vec![0.0; score.len()];
    let mut is_first = true;
    for frame in 0..score.len() {
        let mut best = f64::NEG_INFINITY;
        let mut link = None;
        // Nearest first: of equals the nearest stays.
        for step in nearest..=farthest.min(frame) {
            let total = totals[frame - step] - penalty[step];
            if total > best {
                (best, link) = (total, Some(frame - step));
            }
        }
        totals[frame] = score[frame] + if link.is_some() { best } else { 0.0 };
        if !is_first || score[frame] >= threshold {
            links[frame] = link;
            is_first = false;
        }
    }
    (links, totals)
}

/// The last local maximum of the chains' scores that reaches half their median.
fn last_beat(totals: &[f64]) -> Option<usize> {
    let last = totals.len().checked_sub(1)?;
    let is_peak = |frame: usize| {
        frame > 0
            && totals[frame] > totals[frame - 1]
            && (frame == last || totals[frame] >= totals[frame + 1])
    };
    let mut peaks: Vec<f64> = (0..=last).filter(|&frame| is_peak(frame)).map(|frame| totals[frame]).collect();
    if peaks.is_empty() {
        return Some(last);
    }
    peaks.sort_unstable_by(f64::total_cmp);
    let middle = peaks.len() / 2;
    let median =
        if peaks.len().is_multiple_of(2) { (peaks[middle - 1] + peaks[middle]) / 2.0 } else { peaks[middle] };
    (0..=last).rfind(|&frame| is_peak(frame) && totals[frame] >= 0.5 * median).or(Some(last))
}

/// Takes beats away from either end as long as their frame's score is below half the mean of the beats'.
fn trim(score: &[f64], is_beat: &mut [bool]) {
    /// A Hann window of five frames, whose ends are zero.
    const SMOOTHING: [f64; 5] = [0.0, 0.5, 1.0, 0.5, 0.0];
    let beats: Vec<f64> =
        (0..score.len()).filter(|&frame| is_beat[frame]).map(|frame| score[frame]).collect();
    let smoothed = |index: usize| {
        let terms = SMOOTHING.iter().enumerate();
        terms.filter_map(|(k, weight)| Some(weight * beats.get(index.checked_sub(k)?)?)).sum::<f64>()
    };
    // The middle of the full convolution to its end, as librosa cuts it.
    let values: Vec<f64> = (2..beats.len() + SMOOTHING.len() - 1).map(smoothed).take(score.len()).collect();
    let mean_square = values.iter().map(|value| value * value).sum::<f64>() / values.len() as f64;
    let threshold = 0.5 * mean_square.sqrt();
    let weak = |frame: &usize| score[*frame] <= threshold;
    (0..score.len()).take_while(weak).for_each(|frame| is_beat[frame] = false);
    (0..score.len()).rev().take_while(weak).for_each(|frame| is_beat[frame] = false);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strokes_are_followed_and_silence_has_no_beat() {
        let mut strength = vec![0.0; 2_000];
        strength[50..].iter_mut().step_by(43).for_each(|value| *value = 1.0);
        let found = beat_track(&strength, 44_100, &Watch::new()).unwrap().unwrap();
        assert_eq!(found.frames[..3], [50, 93, 136]);
        assert_eq!(found.frames.len(), 46);
        assert_eq!(beat_track(&[0.0; 100], 44_100, &Watch::new()).unwrap(), None);
        for frames in 1..9 {
            beat_track(&vec![1.0; frames], 44_100, &Watch::new()).unwrap();
        }
    }
}
