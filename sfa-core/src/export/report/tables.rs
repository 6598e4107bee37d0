//! Sections, cues, loops and stems as tables: what a screen reader and a printer get of the timeline.

use super::html::{escape, ink_on, number, percent, precise_clock};
use super::sheet::{Sheet, kind_marks};
use crate::song::SongReport;

/// All tables that have rows.
pub(super) fn tables(report: &SongReport, sheet: &Sheet) -> String {
    [sections(report, sheet), cues(report, sheet), loops(report, sheet), stems(report)].concat()
}

/// A table in a card; a head that starts with "~" belongs to a column that small screens leave out.
fn table(caption: &str, heads: &[&str], rows: &[String]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let heads: String = heads
        .iter()
        .map(|head| match head.strip_prefix('~') {
            Some(extra) => format!("<th scope=\"col\" class=\"extra\">{extra}</th>"),
            None => format!("<th scope=\"col\">{head}</th>"),
        })
        .collect();
    let rows = rows.concat();
    format!(
        "<section class=\"card\"><div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\">\
         <table><caption>{caption}</caption><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>\
         </div></section>"
    )
}

fn sections(report: &SongReport, sheet: &Sheet) -> String {
    let sections = report.analysis.form.iter().flat_map(|form| &form.sections);
    let row = |section: &sfa_audio::analyze::Section| {
        let (class, _) = kind_marks(section.kind);
        let bars = sheet.bars_between(section.start_secs, section.end_secs);
        format!(
            "<tr data-at=\"{:.3}\"><th scope=\"row\"><i class=\"swatch {class}\"></i>{}</th>{}<td class=\"n extra\">{}</td>\
             <td class=\"n\">{bars}</td><td>{}</td><td class=\"n\">{} %</td></tr>",
            section.start_secs,
            section.kind.label(),
            sheet.cells(section.start_secs),
            precise_clock(section.end_secs - section.start_secs),
            bar_meter(section.energy, "energy"),
            percent(section.confidence),
        )
    };
    let rows: Vec<_> = sections.map(row).collect();
    table("Sections", &["Section", "Start", "Bar", "~Length", "Bars", "Energy", "Sure"], &rows)
}

fn cues(report: &SongReport, sheet: &Sheet) -> String {
    let row = |(letter, cue): (char, &sfa_audio::cue::CuePoint)| {
        let color = String::from(cue.color);
        format!(
            "<tr data-at=\"{:.3}\"><th scope=\"row\"><b class=\"letter\" style=\"background:{color};color:{}\">{letter}</b>\
             <bdi>{}</bdi></th>{}<td class=\"n\">{} %</td></tr>",
            cue.position_secs,
            ink_on(cue.color),
            escape(&cue.label),
            sheet.cells(cue.position_secs),
            percent(cue.confidence),
        )
    };
    let rows: Vec<_> = letters().zip(&report.cues).map(row).collect();
    table("Cue points", &["Cue", "Time", "Bar", "Sure"], &rows)
}

fn loops(report: &SongReport, sheet: &Sheet) -> String {
    let row = |point: &sfa_audio::cue::LoopPoint| {
        let star = if point.recommended { "<span class=\"star\">\u{2605} offered first</span>" } else { "" };
        format!(
            "<tr data-at=\"{:.3}\"><th scope=\"row\"><bdi>{}</bdi>{star}</th>{}<td class=\"n\">{}</td><td>{}</td></tr>",
            point.start_secs,
            escape(point.label.as_deref().unwrap_or(&point.section)),
            sheet.cells(point.start_secs),
            point.bars,
            bar_meter(point.quality, "quality"),
        )
    };
    let rows: Vec<_> = report.loops.iter().map(row).collect();
    table("Loops", &["Section", "Start", "Bar", "Bars", "Quality"], &rows)
}

fn stems(report: &SongReport) -> String {
    let row = |stem: &crate::song::StemFile| {
        format!(
            "<tr><th scope=\"row\"><i class=\"swatch s-{}\"></i>{}</th><td><bdi>{}</bdi></td>\
             <td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            stem.kind,
            capital(stem.kind.name()),
            escape(&stem.file),
            number(stem.peak_dbfs, 1),
            number(stem.rms_dbfs, 1),
        )
    };
    let rows: Vec<_> = report.stems.iter().map(row).collect();
    let caption = match &report.separation {
        Some(made) => {
            format!("Stems <small>by {}: {}</small>", escape(&made.engine), escape(&made.description))
        }
        None => "Stems".to_owned(),
    };
    let table = table("Stems", &["Stem", "File", "Peak dBFS", "RMS dBFS"], &rows);
    table.replace("<caption>Stems</caption>", &format!("<caption>{caption}</caption>"))
}

/// A, B, C and on; after Z there is nothing left that a player has a button for.
pub(super) fn letters() -> impl Iterator<Item = char> {
    ('A'..='Z').chain(std::iter::repeat('\u{2022}'))
}

/// The word with a capital letter.
pub(super) fn capital(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// A share as a short bar with its number.
fn bar_meter(share: f32, what: &str) -> String {
    let percent = percent(share);
    format!(
        "<span class=\"level\" role=\"img\" aria-label=\"{what} {percent} %\">\
         <i style=\"width:{percent}%\"></i></span> <span class=\"n\">{percent}</span>"
    )
}
