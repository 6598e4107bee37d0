//! Energy and loudness over time.

use std::fmt::Write as _;

use sfa_audio::analyze::{Analysis, Curve};

use super::html::list;

/// Points of one curve.
const MAX_POINTS: usize = 1_500;
/// The bottom of the loudness scale in LUFS.
const FLOOR_LUFS: f64 = -40.0;

/// Energy as an area, momentary loudness as a line, the integrated loudness as a dashed one.
pub(super) fn energy_and_loudness(analysis: &Analysis) -> String {
    let width = analysis.duration_secs;
    let mut content = String::new();
    if let Some(energy) = &analysis.energy {
        let points = points(&energy.curve.thinned(MAX_POINTS), |value| scale(1.0 - f64::from(value)));
        if let (Some(first), Some(last)) = (points.first(), points.last()) {
            let (first, last, line) = (first.0, last.0, line(&points));
            let _ = write!(
                content,
                "<path class=\"c-energy\" d=\"M{first:.2} 100L{line}L{last:.2} 100z\"/>\
                 <path class=\"c-energy-line\" d=\"M{line}\"/>"
            );
        }
    }
    if let Some(loudness) = &analysis.loudness {
        if let Some(integrated_lufs) = loudness.integrated_lufs {
            let y = loudness_y(integrated_lufs);
            let _ = write!(content, "<path class=\"c-integrated\" d=\"M0 {y:.1}H{width:.2}\"/>");
        }
        let points =
            points(&loudness.momentary_lufs.thinned(MAX_POINTS), |value| loudness_y(f64::from(value)));
        if !points.is_empty() {
            let _ = write!(content, "<path class=\"c-loudness\" d=\"M{}\"/>", line(&points));
        }
    }
    format!(
        "<svg role=\"img\" aria-label=\"Energy and momentary loudness over time\" \
         viewBox=\"0 0 {width:.3} 100\" preserveAspectRatio=\"none\">{content}</svg>"
    )
}

/// A curve for the script: seconds per value, and values with a few decimals.
pub(super) fn curve_json(curve: Option<&Curve>, decimals: usize) -> String {
    let Some(curve) = curve.filter(|curve| curve.hop_secs > 0.0) else { return "null".to_owned() };
    let thin = curve.thinned(MAX_POINTS);
    let finite = |&value: &f32| if value.is_finite() { value } else { 0.0 };
    let values = list(thin.values.iter().map(finite).map(|value| format!("{value:.decimals$}")));
    format!("{{\"hop\":{},\"values\":[{values}]}}", thin.hop_secs)
}

fn loudness_y(lufs: f64) -> f64 {
    scale(lufs / FLOOR_LUFS)
}

/// From 0 at the top to 1 at the bottom, with room for the line's own width above.
fn scale(share: f64) -> f64 {
    4.0 + 96.0 * share.clamp(0.0, 1.0)
}

/// The middle of each value's time, with its height.
fn points(curve: &Curve, height: impl Fn(f32) -> f64) -> Vec<(f64, f64)> {
    let finite = curve.values.iter().enumerate().filter(|(_, value)| value.is_finite());
    finite.map(|(index, &value)| ((index as f64 + 0.5) * curve.hop_secs, height(value))).collect()
}

fn line(points: &[(f64, f64)]) -> String {
    points.iter().fold(String::new(), |mut line, (x, y)| {
        let _ = write!(line, "{x:.2} {y:.1} ");
        line
    })
}
