//! Pitch classes over time as a heat map, and of the whole song as a wheel.

use std::f64::consts::TAU;
use std::fmt::Write as _;

use sfa_audio::analyze::{Chroma, Key, Mode, PitchClass};

use super::html::percent;

/// Columns of the heat map.
const MAX_COLUMNS: usize = 600;
/// Shades between nothing and full strength; the lowest is not drawn.
const SHADES: u8 = 8;

/// Twelve rows from C at the bottom to B, strong classes bright.
pub(super) fn heat_map(chroma: &Chroma, duration_secs: f64) -> String {
    let factor = chroma.columns.len().div_ceil(MAX_COLUMNS).max(1);
    let shades: Vec<[u8; 12]> = chroma.columns.chunks(factor).map(shades).collect();
    let width = (duration_secs / (chroma.hop_secs * factor as f64)).max(1e-9);

    let mut runs: [String; SHADES as usize] = Default::default();
    for row in 0..12 {
        let mut column = 0;
        for run in shades.chunk_by(|one, other| one[row] == other[row]) {
            let (length, y) = (run.len(), 11 - row);
            let _ = write!(runs[usize::from(run[0][row])], "M{column} {y}h{length}v1h-{length}z");
            column += length;
        }
    }
    let paths = runs.iter().enumerate().skip(1).fold(String::new(), |mut paths, (shade, run)| {
        let _ = write!(paths, "<path class=\"h{shade}\" d=\"{run}\"/>");
        paths
    });
    format!(
        "<svg class=\"heat\" role=\"img\" aria-label=\"Strength of the twelve pitch classes over time\" \
         viewBox=\"0 0 {width:.3} 12\" preserveAspectRatio=\"none\">{paths}</svg>"
    )
}

/// The mean of some columns in shades.
fn shades(columns: &[[f32; 12]]) -> [u8; 12] {
    std::array::from_fn(|class| {
        let mean = columns.iter().map(|column| column[class]).sum::<f32>() / columns.len() as f32;
        // Squared, because the weaker half of a chroma is mostly overtones.
        (mean.clamp(0.0, 1.0).powi(2) * f32::from(SHADES - 1)).round() as u8
    })
}

/// Twelve petals, C at the top and clockwise by semitones; those of the key's scale bright, its tonic ringed.
pub(super) fn wheel(chroma: &Chroma, key: Option<Key>) -> String {
    let mut content = String::from(
        "<circle class=\"ring\" r=\"50\"/><circle class=\"ring\" r=\"75\"/><circle class=\"ring\" r=\"100\"/>",
    );
    for class in PitchClass::ALL {
        let index = class.semitone();
        let strength = chroma.mean[index].clamp(0.0, 1.0);
        let is_tonic = key.is_some_and(|key| key.tonic == class);
        let kind = match key {
            Some(key) if is_in_scale(key, class) => "petal in",
            Some(_) => "petal",
            None => "petal in",
        };
        let petal = sector(index as f64 / 12.0, 1.0 / 12.0, 26.0, 26.0 + 74.0 * f64::from(strength), 0.006);
        let (x, y) = polar(index as f64 / 12.0, 115.0);
        let name = class.name().replace('#', "\u{266f}");
        let tonic = if is_tonic { " tonic" } else { "" };
        let _ = write!(
            content,
            "<path class=\"{kind}{tonic}\" d=\"{petal}\"><title>{name}: {} %</title></path>\
             <text class=\"note{tonic}\" x=\"{x:.1}\" y=\"{y:.1}\">{name}</text>",
            percent(strength)
        );
    }
    format!(
        "<svg class=\"wheel\" role=\"img\" aria-label=\"Share of each pitch class in the song: {}\" \
         viewBox=\"-130 -130 260 260\">{content}</svg>",
        summary(chroma)
    )
}

/// The four strongest classes in words.
fn summary(chroma: &Chroma) -> String {
    let mut classes = PitchClass::ALL;
    classes.sort_by(|one, other| chroma.mean[other.semitone()].total_cmp(&chroma.mean[one.semitone()]));
    let word = |class: &PitchClass| format!("{} {} %", class.name(), percent(chroma.mean[class.semitone()]));
    classes[..4].iter().map(word).collect::<Vec<_>>().join(", ")
}

/// Natural minor or major.
fn is_in_scale(key: Key, class: PitchClass) -> bool {
    let degree = PitchClass::new(class.semitone() as i32 - key.tonic.semitone() as i32).semitone();
    match key.mode {
        Mode::Major => [0, 2, 4, 5, 7, 9, 11].contains(&degree),
        Mode::Minor => [0, 2, 3, 5, 7, 8, 10].contains(&degree),
    }
}

/// A point on a circle; turns count clockwise from the top.
pub(super) fn polar(turns: f64, radius: f64) -> (f64, f64) {
    let angle = turns * TAU;
    (radius * angle.sin(), -radius * angle.cos())
}

/// A ring's sector around the middle at `turns`, `width` turns wide less a gap on both sides.
pub(super) fn sector(turns: f64, width: f64, inner: f64, outer: f64, gap: f64) -> String {
    let (start, end) = (turns - width / 2.0 + gap, turns + width / 2.0 - gap);
    let [(ax, ay), (bx, by)] = [polar(start, inner), polar(start, outer)];
    let [(cx, cy), (dx, dy)] = [polar(end, outer), polar(end, inner)];
    format!(
        "M{ax:.2} {ay:.2}L{bx:.2} {by:.2}A{outer:.2} {outer:.2} 0 0 1 {cx:.2} {cy:.2}\
         L{dx:.2} {dy:.2}A{inner:.2} {inner:.2} 0 0 0 {ax:.2} {ay:.2}z"
    )
}
