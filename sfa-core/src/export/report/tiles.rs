//! The headline numbers.

use sfa_audio::analyze::{Analysis, Energy, KeyEstimate, Loudness, Rhythm};

use super::html::{clock, number, percent};
use crate::song::SongReport;

/// One tile per number that was measured.
pub(super) fn tiles(report: &SongReport) -> String {
    let analysis = &report.analysis;
    let tiles = [
        analysis.rhythm.as_ref().map(tempo),
        analysis.key.as_ref().map(key),
        analysis.energy.as_ref().map(energy),
        analysis.loudness.as_ref().map(loudness),
        analysis.rhythm.as_ref().map(meter),
        Some(length(report, analysis)),
    ];
    tiles.into_iter().flatten().collect()
}

/// A tile; the key has the longest words and gets more width.
fn tile(name: &str, value: &str, below: &str) -> String {
    let class = if name == "Key" { "tile wide" } else { "tile" };
    format!(
        "<div class=\"{class}\"><dt>{name}</dt><dd class=\"big\">{value}</dd><dd class=\"sub\">{below}</dd></div>"
    )
}

fn unit(value: &str, unit: &str) -> String {
    format!("{value}<span class=\"unit\">{unit}</span>")
}

/// How sure a number is, as a bar with words.
fn confidence(share: f32) -> String {
    let percent = percent(share);
    format!(
        "<span class=\"sure\"><span class=\"level\" aria-hidden=\"true\"><i style=\"width:{percent}%\"></i></span>\
         {percent} % sure</span>"
    )
}

fn tempo(rhythm: &Rhythm) -> String {
    let tempo = &rhythm.tempo;
    let steadiness = if tempo.is_constant { "steady" } else { "varies" };
    let others: Vec<_> = tempo.alternatives.iter().take(2).map(|other| number(Some(other.bpm), 1)).collect();
    let others = if others.is_empty() { String::new() } else { format!(", or {}", others.join(" / ")) };
    let below = format!("{}<span>{steadiness}{others}</span>", confidence(tempo.confidence));
    tile("Tempo", &unit(&number(Some(tempo.bpm), 2), "BPM"), &below)
}

fn key(estimate: &KeyEstimate) -> String {
    let value = format!(
        "{}<span class=\"chips\"><abbr class=\"chip lead\" title=\"Camelot\">{}</abbr>\
         <abbr class=\"chip\" title=\"Open Key\">{}</abbr></span>",
        estimate.key.to_string().replace('#', "\u{266f}"),
        estimate.key.camelot(),
        estimate.key.open_key()
    );
    let runner_up = estimate.runner_up;
    let below = format!(
        "{}<span>or {} ({})</span>",
        confidence(estimate.confidence),
        runner_up.to_string().replace('#', "\u{266f}"),
        runner_up.camelot()
    );
    tile("Key", &value, &below)
}

fn energy(energy: &Energy) -> String {
    let level = energy.level.clamp(1, 10);
    let cell = |step| if step <= level { "<i class=\"on\"></i>" } else { "<i></i>" };
    let cells: String = (1..=10).map(cell).collect();
    let word = match level {
        1..=3 => "calm",
        4..=6 => "moving",
        7..=8 => "driving",
        _ => "peak time",
    };
    let below = format!("<span class=\"steps\" aria-hidden=\"true\">{cells}</span><span>{word}</span>");
    tile("Energy", &unit(&level.to_string(), "/ 10"), &below)
}

fn loudness(loudness: &Loudness) -> String {
    let peak = match loudness.true_peak_dbtp {
        Some(peak) if peak > 0.0 => {
            format!("<span class=\"warn\">\u{25b2} true peak {} dBTP, clips</span>", signed(peak))
        }
        peak => format!("<span>true peak {} dBTP</span>", peak.map_or_else(|| number(None, 1), signed)),
    };
    let below = format!("<span>range {} LU</span>{peak}", number(loudness.range_lu, 1));
    tile("Loudness", &unit(&number(loudness.integrated_lufs, 1), "LUFS"), &below)
}

fn meter(rhythm: &Rhythm) -> String {
    let meter = rhythm.meter;
    let bars = rhythm.downbeats().count();
    let value = format!("{}/{}", meter.beats_per_bar, meter.beat_unit);
    tile("Metre", &value, &format!("{}<span>{bars} bars</span>", confidence(meter.confidence)))
}

fn length(report: &SongReport, analysis: &Analysis) -> String {
    let tuning = analysis.key.map(|estimate| {
        let cents = f64::from(estimate.tuning_cents);
        let hertz = 440.0 * (cents / 1200.0).exp2();
        format!("<span>A = {hertz:.1} Hz ({} cents)</span>", signed(cents))
    });
    let channels = match report.file.channels {
        1 => "mono".to_owned(),
        2 => "stereo".to_owned(),
        count => format!("{count} channels"),
    };
    let below = format!("<span>{channels}</span>{}", tuning.unwrap_or_default());
    tile("Length", &clock(analysis.duration_secs), &below)
}

/// One decimal and always a sign.
fn signed(value: f64) -> String {
    format!("{value:+.1}").replace('-', "\u{2212}")
}
