//! Everything that has a place in time, in lanes under each other.

use std::fmt::Write as _;

use sfa_audio::analyze::FormEventKind;

use super::html::{clock, escape, ink_on, number, place};
use super::sheet::{Sheet, kind_marks};
use super::tables::{capital, letters};
use super::{chroma, curves, waveform};
use crate::song::SongReport;

/// Labels along the time axis, and numbers along the bars.
const AXIS_LABELS: f64 = 9.0;
const BAR_LABELS: usize = 14;
/// Songs with more bars than this do not number each one.
const MAX_BAR_LABELS: usize = 1_500;
/// Labels right of this share of the axis would stick out of it.
const LAST_LABEL: f64 = 0.97;
/// Width that a cue's flag takes, as a share of the timeline.
const FLAG_SHARE: f64 = 0.085;

/// The lanes with the grid behind them; the script adds a cursor and zoom.
pub(super) fn timeline(report: &SongReport, sheet: &Sheet) -> String {
    let lanes = [
        ruler(report, sheet),
        sections(report, sheet),
        cues(report),
        wave(report),
        loops(report),
        events(report),
        curve_lane(report),
        chroma_lane(report),
        stems(report),
        axis(report),
    ];
    format!(
        "<section class=\"card timeline\" aria-labelledby=\"timeline-title\">\
         <div class=\"bar\"><h2 id=\"timeline-title\">Timeline</h2>\
         <output id=\"readout\" hidden></output>\
         <div id=\"zoom\" role=\"group\" aria-label=\"Zoom\" hidden>\
         <button type=\"button\" data-zoom=\"0.5\" aria-label=\"Zoom out\">\u{2212}</button>\
         <span id=\"zoom-level\" aria-live=\"polite\">1\u{d7}</span>\
         <button type=\"button\" data-zoom=\"2\" aria-label=\"Zoom in\">+</button></div></div>\
         <div class=\"scroll\" id=\"scroll\"><div class=\"lanes\" id=\"lanes\">{}\
         <div class=\"plot\" id=\"plot\" aria-hidden=\"true\">{}</div></div></div></section>",
        lanes.concat(),
        grid(report, sheet),
    )
}

fn lane(class: &str, name: &str, detail: &str, content: &str) -> String {
    let detail = if detail.is_empty() { String::new() } else { format!("<small>{detail}</small>") };
    format!(
        "<div class=\"lane {class}\"><div class=\"label\"><span>{name}</span>{detail}</div>\
         <div class=\"track\">{content}</div></div>"
    )
}

/// Classes of swatches with their words.
fn legend(items: impl IntoIterator<Item = (&'static str, &'static str)>) -> String {
    let item = |(class, word)| format!("<span><i class=\"{class}\"></i>{word}</span>");
    format!("<span class=\"legend\">{}</span>", items.into_iter().map(item).collect::<String>())
}

/// Bar numbers at round places; more of them where zooming in makes room.
fn ruler(report: &SongReport, sheet: &Sheet) -> String {
    let duration_secs = report.analysis.duration_secs;
    let count = sheet.bars().count();
    if count == 0 {
        return String::new();
    }
    let step = bar_step(count);
    let mut labels = String::new();
    for (secs, bar) in sheet.bars().filter(|(secs, _)| *secs <= duration_secs * LAST_LABEL) {
        let class = match bar - 1 {
            index if index % step == 0 => "",
            index if index % step.div_ceil(4) == 0 => "finer",
            _ if count <= MAX_BAR_LABELS => "finest",
            _ => continue,
        };
        labels.push_str(&axis_label(secs, duration_secs, class, &bar.to_string()));
    }
    lane("ruler bars", "Bars", "", &format!("<div id=\"scrub\">{labels}</div>"))
}

/// Bars from one number on the ruler to the next: a power of two.
fn bar_step(bar_count: usize) -> u32 {
    bar_count.div_ceil(BAR_LABELS).next_power_of_two() as u32
}

/// Times at round places; more of them where zooming in makes room.
fn axis(report: &SongReport) -> String {
    let duration_secs = report.analysis.duration_secs;
    let steps = [1, 2, 4, 10, 20, 30, 60, 120, 300, 600, 1200];
    let step = steps.into_iter().find(|&step| duration_secs / f64::from(step) <= AXIS_LABELS).unwrap_or(3600);
    let finer_step = [3, 2].into_iter().find(|parts| step % parts == 0).map_or(step, |parts| step / parts);
    let labels = (0..=(duration_secs * LAST_LABEL) as u32).step_by(finer_step as usize).map(|secs| {
        let class = if secs % step == 0 { "" } else { "finer" };
        axis_label(f64::from(secs), duration_secs, class, &clock(f64::from(secs)))
    });
    let labels: String = labels.collect();
    // The cursor's handle is the upper ruler, which is this one where there are no bars.
    let has_bars = report.analysis.rhythm.as_ref().is_some_and(|rhythm| rhythm.downbeats().next().is_some());
    let labels = if has_bars { labels } else { format!("<div id=\"scrub\">{labels}</div>") };
    lane("ruler axis", "Time", "", &labels)
}

fn axis_label(secs: f64, duration_secs: f64, class: &str, text: &str) -> String {
    let left = place(secs, duration_secs);
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    format!("<span{class} style=\"left:{left}\">{text}</span>")
}

fn sections(report: &SongReport, sheet: &Sheet) -> String {
    let Some(form) = report.analysis.form.as_ref().filter(|form| !form.sections.is_empty()) else {
        return String::new();
    };
    let duration_secs = report.analysis.duration_secs;
    let blocks = form.sections.iter().fold(String::new(), |mut blocks, section| {
        let (class, short) = kind_marks(section.kind);
        let (left, width) =
            (place(section.start_secs, duration_secs), place(section.end_secs - section.start_secs, duration_secs));
        let label = section.kind.label();
        let bars = sheet.bars_between(section.start_secs, section.end_secs);
        let bars = if bars > 0 { format!("<small>{bars} bars</small>") } else { String::new() };
        let _ = write!(
            blocks,
            "<li class=\"{class}\" style=\"left:{left};width:{width}\" title=\"{label}, {} to {}\">\
             <span class=\"full\">{label}{bars}</span><span class=\"short\" aria-hidden=\"true\">{short}</span></li>",
            clock(section.start_secs),
            clock(section.end_secs),
        );
        blocks
    });
    lane("sections", "Sections", "", &format!("<ol aria-label=\"Sections\">{blocks}</ol>"))
}

/// Flags in as many rows as it takes that none covers another.
fn cues(report: &SongReport) -> String {
    if report.cues.is_empty() {
        return String::new();
    }
    let duration_secs = report.analysis.duration_secs;
    let is_turned = |secs: f64| secs > duration_secs * 0.9;
    let span = |secs: f64| {
        let at = secs / duration_secs;
        if is_turned(secs) { (at - FLAG_SHARE, at) } else { (at, at + FLAG_SHARE) }
    };
    let (starts, ends): (Vec<_>, Vec<_>) = report.cues.iter().map(|cue| span(cue.position_secs)).unzip();
    let rows = rows(&starts, &ends);
    let mut flags = String::new();
    for ((letter, cue), row) in letters().zip(&report.cues).zip(&rows) {
        let color = String::from(cue.color);
        let turned = if is_turned(cue.position_secs) { " turned" } else { "" };
        let label = escape(&cue.label);
        let _ = write!(
            flags,
            "<li class=\"flag{turned}\" style=\"left:{};--row:{row};--c:{color}\" title=\"{label}\">\
             <b class=\"letter\" style=\"background:{color};color:{}\">{letter}</b><bdi>{label}</bdi></li>",
            place(cue.position_secs, duration_secs),
            ink_on(cue.color),
        );
    }
    let (count, flag) = (rows.iter().max().map_or(1, |row| row + 1), FLAG_SHARE * 100.0);
    lane(
        "cues",
        "Cues",
        "",
        &format!("<ol aria-label=\"Cue points\" style=\"--rows:{count};--flag:{flag}%\">{flags}</ol>"),
    )
}

fn wave(report: &SongReport) -> String {
    let Some(waveform) = &report.analysis.waveform else { return String::new() };
    let duration_secs = report.analysis.duration_secs;
    let sections = report.analysis.form.iter().flat_map(|form| &form.sections);
    let tints = sections.fold(String::new(), |mut tints, section| {
        let _ = write!(
            tints,
            "<i class=\"tint {}\" style=\"left:{};width:{}\"></i>",
            kind_marks(section.kind).0,
            place(section.start_secs, duration_secs),
            place(section.end_secs - section.start_secs, duration_secs)
        );
        tints
    });
    let legend = legend([("w-low", "low"), ("w-mid", "mid"), ("w-high", "high")]);
    lane("wave", "Waveform", &legend, &format!("{tints}{}", waveform::mix(waveform, duration_secs)))
}

fn loops(report: &SongReport) -> String {
    if report.loops.is_empty() {
        return String::new();
    }
    let duration_secs = report.analysis.duration_secs;
    let (starts, ends): (Vec<_>, Vec<_>) =
        report.loops.iter().map(|point| (point.start_secs, point.end_secs)).unzip();
    let rows = rows(&starts, &ends);
    let mut bars = String::new();
    for (point, row) in report.loops.iter().zip(&rows) {
        let kind = if point.recommended { "loop first" } else { "loop" };
        let _ = write!(
            bars,
            "<li class=\"{kind}\" style=\"left:{};width:{};--row:{row}\" title=\"{}\">\
             <span><span aria-hidden=\"true\">\u{21bb} </span>{}<span class=\"word\"> bars</span></span></li>",
            place(point.start_secs, duration_secs),
            place(point.end_secs - point.start_secs, duration_secs),
            escape(&point.name()),
            point.bars,
        );
    }
    let count = rows.iter().max().map_or(1, |row| row + 1);
    lane("loops", "Loops", "", &format!("<ol aria-label=\"Loops\" style=\"--rows:{count}\">{bars}</ol>"))
}

fn events(report: &SongReport) -> String {
    let events = report.analysis.form.iter().flat_map(|form| &form.events);
    let duration_secs = report.analysis.duration_secs;
    let marks = events.fold(String::new(), |mut marks, event| {
        let (class, sign, word) = match event.kind {
            FormEventKind::BuildUp => ("k-build-up rise", "\u{25e2}", "Build-up"),
            FormEventKind::Drop => ("k-drop hit", "\u{25bc}", "Drop"),
            FormEventKind::Breakdown => ("k-breakdown fall", "\u{25e3}", "Breakdown"),
            _ => ("k-other", "\u{25c6}", "Event"),
        };
        let _ = write!(
            marks,
            "<li class=\"{class}\" style=\"left:{};width:{};--i:{:.2}\" title=\"{word}, {}\"><i></i>\
             <span><span aria-hidden=\"true\">{sign}</span><span class=\"word\"> {word}</span></span></li>",
            place(event.start_secs, duration_secs),
            place(event.end_secs - event.start_secs, duration_secs),
            event.intensity.clamp(0.0, 1.0),
            clock(event.start_secs),
        );
        marks
    });
    if marks.is_empty() {
        return marks;
    }
    lane("events", "Events", "", &format!("<ol aria-label=\"Build-ups, drops and breakdowns\">{marks}</ol>"))
}

fn curve_lane(report: &SongReport) -> String {
    let analysis = &report.analysis;
    if analysis.energy.is_none() && analysis.loudness.is_none() {
        return String::new();
    }
    let has_integrated =
        analysis.loudness.as_ref().is_some_and(|loudness| loudness.integrated_lufs.is_some());
    let items = [
        (analysis.energy.is_some(), ("area", "energy")),
        (analysis.loudness.is_some(), ("line", "momentary")),
        (has_integrated, ("dash", "integrated")),
    ];
    let legend = legend(items.into_iter().filter_map(|(is_drawn, item)| is_drawn.then_some(item)));
    lane("curves", "Energy, loudness", &legend, &curves::energy_and_loudness(analysis))
}

fn chroma_lane(report: &SongReport) -> String {
    let analysis = &report.analysis;
    let Some(chroma) =
        analysis.chroma.as_ref().filter(|chroma| chroma.hop_secs > 0.0 && !chroma.columns.is_empty())
    else {
        return String::new();
    };
    let names =
        ["B", "A\u{266f}", "A", "G\u{266f}", "G", "F\u{266f}", "F", "E", "D\u{266f}", "D", "C\u{266f}", "C"];
    let names =
        names.map(|name| if name.len() == 1 { format!("<i>{name}</i>") } else { "<i></i>".to_owned() });
    let legend = format!("<span class=\"rows\" aria-hidden=\"true\">{}</span>", names.concat());
    lane("chroma", "Chroma", &legend, &chroma::heat_map(chroma, analysis.duration_secs))
}

fn stems(report: &SongReport) -> String {
    let analysis = &report.analysis;
    let levels = report.stems.iter().filter_map(|stem| stem.waveform.as_ref());
    let peak = levels.map(waveform::peak).max().unwrap_or(1);
    report
        .stems
        .iter()
        .filter_map(|stem| {
            let level = stem.waveform.as_ref()?;
            let name = capital(stem.kind.name());
            let letter = &name[..1];
            let detail = format!("RMS {} dB", number(stem.rms_dbfs, 1));
            let label =
                format!("<b class=\"letter s-{}\" aria-hidden=\"true\">{letter}</b>{name}", stem.kind);
            let drawing = waveform::stem(level, peak, analysis.sample_rate_hz, analysis.duration_secs, &name);
            Some(lane(&format!("stem s-{}", stem.kind), &label, &detail, &drawing))
        })
        .collect()
}

/// Beats, bars, phrases of some bars and section borders; the style shows as many as there is room for.
fn grid(report: &SongReport, sheet: &Sheet) -> String {
    let line = |mut lines: String, secs: f64| {
        let _ = write!(lines, "M{:.0} 0V1", secs * 1e3);
        lines
    };
    let beats = sheet.beats().iter().map(|(beat, _)| beat.time_secs).fold(String::new(), line);
    let bars = sheet.bars().map(|(secs, _)| secs).fold(String::new(), line);
    let phrase_bars = (bar_step(sheet.bars().count()) / 2).max(4);
    let is_phrase = |bar: &(f64, u32)| (bar.1 - 1).is_multiple_of(phrase_bars);
    let phrases = sheet.bars().filter(is_phrase).map(|(secs, _)| secs).fold(String::new(), line);
    let sections = report.analysis.form.iter().flat_map(|form| form.sections.iter().skip(1));
    let borders = sections.map(|section| section.start_secs).fold(String::new(), line);
    let width = report.analysis.duration_secs * 1e3;
    let mut content = format!(
        "<svg class=\"grid\" viewBox=\"0 0 {width:.0} 1\" preserveAspectRatio=\"none\">\
         <path class=\"g-beat\" d=\"{beats}\"/><path class=\"g-bar\" d=\"{bars}\"/>\
         <path class=\"g-phrase\" d=\"{phrases}\"/><path class=\"g-section\" d=\"{borders}\"/></svg>"
    );
    for cue in &report.cues {
        let _ = write!(
            content,
            "<i class=\"pole\" style=\"left:{};background:{}\"></i>",
            place(cue.position_secs, report.analysis.duration_secs),
            String::from(cue.color)
        );
    }
    content
}

/// The first row in which each span is free, spans in any order.
fn rows(starts: &[f64], ends: &[f64]) -> Vec<usize> {
    let mut taken: Vec<Vec<(f64, f64)>> = Vec::new();
    let spans = starts.iter().zip(ends);
    spans
        .map(|(&start, &end)| {
            let is_free = |row: &Vec<(f64, f64)>| row.iter().all(|span| end <= span.0 || start >= span.1);
            let row = taken.iter().position(is_free).unwrap_or_else(|| {
                taken.push(Vec::new());
                taken.len() - 1
            });
            taken[row].push((start, end));
            row
        })
        .collect()
}
