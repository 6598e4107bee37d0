//! The page around the pictures.

use std::fmt::Write as _;

use sfa_audio::io::Cover;

use super::html::{base64, escape, list, number};
use super::sheet::Sheet;
use super::{chroma, curves, keys, tables, tiles, timeline};
use crate::song::SongReport;

/// Allows what is inside the file and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; \
                      base-uri 'none'; form-action 'none'";
/// Covers above this size are left out: the page should stay small enough to mail.
const MAX_COVER_BYTES: usize = 700_000;

pub(super) fn page(report: &SongReport) -> String {
    let sheet = Sheet::of(report);
    let title = escape(report.title());
    let by = report.artist().map(|artist| format!(" by {}", escape(artist))).unwrap_or_default();
    let style = include_str!("style.css");
    let script = include_str!("script.js");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <link rel=\"icon\" href=\"data:,\">\n<title>{title}{by}</title>\n<style>\n{style}</style>\n</head>\n<body>\n\
         {header}\n<main>\n{warnings}<dl class=\"tiles\" aria-label=\"At a glance\">{tiles}</dl>\n{timeline}\n\
         <div class=\"grid-2\">{harmony}</div>\n<div class=\"tables\">{tables}</div>\n</main>\n{footer}\n\
         <script type=\"application/json\" id=\"song\">{data}</script>\n<script>\n{script}</script>\n\
         </body>\n</html>\n",
        header = header(report),
        warnings = warnings(report),
        tiles = tiles::tiles(report),
        timeline = timeline::timeline(report, &sheet),
        harmony = harmony(report),
        tables = tables::tables(report, &sheet),
        footer = footer(report),
        data = data(report, &sheet),
    )
}

fn header(report: &SongReport) -> String {
    let tags = &report.tags;
    let artist =
        report.artist().map(|artist| format!("<p class=\"artist\"><bdi>{}</bdi></p>", escape(artist)));
    let words = [
        tags.album.as_deref(),
        tags.date.as_deref().map(|date| date.get(..4).unwrap_or(date)),
        tags.genre.as_deref(),
    ];
    let words: Vec<_> =
        words.into_iter().flatten().map(|word| format!("<bdi>{}</bdi>", escape(word))).collect();
    format!(
        "<header>{}<div class=\"names\"><h1><bdi>{}</bdi></h1>{}<p class=\"album\">{}</p></div>\
         <p class=\"file\">{}</p></header>",
        cover(tags.cover.as_ref()),
        escape(report.title()),
        artist.unwrap_or_default(),
        words.join(" \u{b7} "),
        file_facts(report),
    )
}

/// The tags' picture, or a record.
fn cover(cover: Option<&Cover>) -> String {
    let known = ["image/jpeg", "image/png", "image/webp", "image/gif"];
    match cover {
        Some(cover) if known.contains(&&*cover.media_type) && cover.bytes.len() <= MAX_COVER_BYTES => format!(
            "<img class=\"cover\" alt=\"Cover\" src=\"data:{};base64,{}\">",
            cover.media_type,
            base64(&cover.bytes)
        ),
        _ => "<svg class=\"cover\" viewBox=\"-50 -50 100 100\" aria-hidden=\"true\"><circle class=\"disc\" r=\"46\"/>\
              <circle class=\"groove\" r=\"38\"/><circle class=\"groove\" r=\"31\"/><circle class=\"groove\" r=\"24\"/>\
              <circle class=\"paper\" r=\"15\"/><circle class=\"hole\" r=\"3\"/></svg>"
            .to_owned(),
    }
}

fn file_facts(report: &SongReport) -> String {
    let file = &report.file;
    let codec = if file.container.eq_ignore_ascii_case(&file.codec) {
        file.codec.to_uppercase()
    } else {
        format!("{} in {}", file.codec.to_uppercase(), file.container.to_uppercase())
    };
    let facts = [
        Some(escape(&codec)),
        Some(format!("{} kHz", number(Some(f64::from(file.sample_rate_hz) / 1e3), 1))),
        file.bits_per_sample.map(|bits| format!("{bits} bit")),
        file.bit_rate_bps.map(|bits| format!("{} kbit/s", bits / 1000)),
        Some(format!("{} MB", number(Some(file.size_bytes as f64 / 1e6), 1))),
    ];
    let facts: Vec<_> = facts.into_iter().flatten().collect();
    format!("<span>{}</span><bdi>{}</bdi>", facts.join(" \u{b7} "), escape(&file.name))
}

fn warnings(report: &SongReport) -> String {
    let items: String =
        report.file.warnings.iter().map(|warning| format!("<li>{}</li>", escape(warning))).collect();
    if items.is_empty() {
        return items;
    }
    format!(
        "<aside class=\"warnings\" aria-label=\"Warnings\"><span aria-hidden=\"true\">\u{25b2}</span>\
         <ul>{items}</ul></aside>\n"
    )
}

fn harmony(report: &SongReport) -> String {
    let key = report.analysis.key.map(|estimate| estimate.key);
    let wheel = key.map(|key| {
        let neighbours = keys::compatible(key).map(|near| {
            format!(
                "<li><b class=\"chip\">{}</b>{}</li>",
                near.camelot(),
                near.to_string().replace('#', "\u{266f}")
            )
        });
        card(
            "Mixes well with",
            &keys::wheel(key),
            &format!(
                "<ul class=\"near\"><li class=\"here\"><b class=\"chip lead\">{}</b>{}</li>{}</ul>\
                 <p>Filled is this song; outlined are the keys one step away on the Camelot wheel.</p>",
                key.camelot(),
                key.to_string().replace('#', "\u{266f}"),
                neighbours.concat()
            ),
        )
    });
    let chroma = report.analysis.chroma.as_ref().map(|chroma| {
        card(
            "Pitch classes",
            &chroma::wheel(chroma, key),
            "<p>How much of the song each pitch class has. Bright petals belong to the key\u{2019}s scale; the ringed \
             one is its tonic. The tuning above is taken into account.</p>",
        )
    });
    [wheel, chroma].into_iter().flatten().collect()
}

fn card(title: &str, picture: &str, text: &str) -> String {
    format!("<section class=\"card split\"><div>{picture}</div><div><h2>{title}</h2>{text}</div></section>")
}

fn footer(report: &SongReport) -> String {
    format!(
        "<footer><p><b>{}</b></p><p>Loudness and true peak as EBU R128 / ITU-R BS.1770. Times count from the first \
         decoded frame. \u{201c}Sure\u{201d} says how clearly an answer wins over its rivals, not how likely it is \
         to be right.</p></footer>",
        escape(&report.generator)
    )
}

/// What the cursor reads, as JSON; holds no text that comes from outside.
fn data(report: &SongReport, sheet: &Sheet) -> String {
    let analysis = &report.analysis;
    let times = list(sheet.beats().iter().map(|(beat, _)| (beat.time_secs * 1e3).round()));
    let places = list(sheet.beats().iter().map(|(beat, bar)| format!("\"{bar}.{}\"", beat.bar_position)));
    let mut sections = String::new();
    for section in analysis.form.iter().flat_map(|form| &form.sections) {
        let comma = if sections.is_empty() { "" } else { "," };
        let _ = write!(sections, "{comma}[{:.3},\"{}\"]", section.start_secs, section.kind.label());
    }
    format!(
        "{{\"duration\":{:.3},\"beats\":[{times}],\"places\":[{places}],\"sections\":[{sections}],\
         \"energy\":{},\"loudness\":{}}}",
        analysis.duration_secs,
        curves::curve_json(analysis.energy.as_ref().map(|energy| &energy.curve), 2),
        curves::curve_json(analysis.loudness.as_ref().map(|loudness| &loudness.momentary_lufs), 1),
    )
}
