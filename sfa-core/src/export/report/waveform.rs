//! Waveforms as SVG paths.

use std::fmt::Write as _;

use sfa_audio::analyze::{Waveform, WaveformLevel};

/// Points of the song's waveform: six screens' width, so that zooming in shows more.
const MIX_POINTS: usize = 8_000;
/// Points of one stem's waveform.
const STEM_POINTS: usize = 2_000;
/// Height of the drawing on either side of zero.
const HALF: i32 = 100;

/// The song's waveform: its outline, and the three bands in front of each other, as tall as the lane.
pub(super) fn mix(waveform: &Waveform, duration_secs: f64) -> String {
    let Some(level) = waveform.levels.first() else { return String::new() };
    let decimated = Decimated::new(level, MIX_POINTS, peak_of_bands(level));
    let width = width_points(waveform.sample_rate_hz, duration_secs, level, decimated.factor);
    let bands = [("low", &decimated.low), ("mid", &decimated.mid), ("high", &decimated.high)];
    let mut paths = format!("<path class=\"w-all\" d=\"{}\"/>", outline(&decimated.top, &decimated.bottom));
    for (name, heights) in bands {
        let _ = write!(paths, "<path class=\"w-{name}\" d=\"{}\"/>", outline(heights, heights));
    }
    svg("Waveform in three bands: below 200 Hz, to 2 kHz, above", width, &paths)
}

/// One stem's outline; `peak` is what fills the lane, the same for all stems so that they can be compared.
pub(super) fn stem(
    level: &WaveformLevel,
    peak: i32,
    sample_rate_hz: u32,
    duration_secs: f64,
    label: &str,
) -> String {
    let decimated = Decimated::new(level, STEM_POINTS, peak);
    let width = width_points(sample_rate_hz, duration_secs, level, decimated.factor);
    let path = format!("<path class=\"w-stem\" d=\"{}\"/>", outline(&decimated.top, &decimated.bottom));
    svg(label, width, &path)
}

fn svg(label: &str, width: f64, content: &str) -> String {
    let (top, height) = (-HALF, 2 * HALF);
    format!(
        "<svg role=\"img\" aria-label=\"{label}\" viewBox=\"0 {top} {width:.3} {height}\" \
         preserveAspectRatio=\"none\">{content}</svg>"
    )
}

/// The largest sample of a level, on the scale where 256 is full scale; at least a sixteenth of that, so that
/// noise in silence stays flat.
pub(super) fn peak(level: &WaveformLevel) -> i32 {
    let highest = level.max.iter().map(|&max| i32::from(max)).max().unwrap_or(0);
    let lowest = level.min.iter().map(|&min| i32::from(min)).min().unwrap_or(0);
    (2 * highest.max(-lowest)).clamp(16, 256)
}

/// The largest sample of a level or of its bands, which a filter may lift above the whole.
fn peak_of_bands(level: &WaveformLevel) -> i32 {
    let bands = [&level.low, &level.mid, &level.high].into_iter().flatten();
    bands.map(|&band| i32::from(band)).max().unwrap_or(0).max(peak(level))
}

/// How many points the whole duration is wide.
fn width_points(sample_rate_hz: u32, duration_secs: f64, level: &WaveformLevel, factor: usize) -> f64 {
    let frames_per_point = f64::from(level.frames_per_point.max(1)) * factor as f64;
    (duration_secs * f64::from(sample_rate_hz) / frames_per_point).max(1.0)
}

/// Heights from 0 to [`HALF`], several points of the level in one.
struct Decimated {
    factor: usize,
    top: Vec<i32>,
    bottom: Vec<i32>,
    low: Vec<i32>,
    mid: Vec<i32>,
    high: Vec<i32>,
}

impl Decimated {
    fn new(level: &WaveformLevel, max_points: usize, peak: i32) -> Self {
        let factor = level.max.len().div_ceil(max_points).max(1);
        let scaled = |value: i32| ((value.max(0) * HALF + peak / 2) / peak).min(HALF);
        let samples = |values: &[i8], sign: i32| {
            let highest =
                |chunk: &[i8]| chunk.iter().map(|&value| sign * i32::from(value)).max().unwrap_or(0);
            values.chunks(factor).map(|chunk| scaled(2 * highest(chunk))).collect()
        };
        let band = |values: &[u8]| {
            let highest = |chunk: &[u8]| chunk.iter().copied().max().unwrap_or(0);
            values.chunks(factor).map(|chunk| scaled(i32::from(highest(chunk)))).collect()
        };
        Self {
            factor,
            top: samples(&level.max, 1),
            bottom: samples(&level.min, -1),
            low: band(&level.low),
            mid: band(&level.mid),
            high: band(&level.high),
        }
    }
}

/// A closed path along the tops from left to right and back along the bottoms, in relative steps because they
/// are short to write.
fn outline(tops: &[i32], bottoms: &[i32]) -> String {
    let mut path = String::from("M0 0l");
    let mut y = 0;
    let mut step = |x: i32, to: i32| {
        let _ = write!(path, "{x} {} ", to - y);
        y = to;
    };
    step(0, -tops.first().copied().unwrap_or(0));
    tops.iter().skip(1).for_each(|&top| step(1, -top));
    step(0, bottoms.last().copied().unwrap_or(0));
    bottoms.iter().rev().skip(1).for_each(|&bottom| step(-1, bottom));
    path.push('z');
    path.replace(" -", "-")
}
