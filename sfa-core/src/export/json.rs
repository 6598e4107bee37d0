//! `analysis.json` and `cues.json`, with their JSON Schemas.

use std::borrow::Cow;
use std::io;

use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use sfa_audio::analyze::{FormEventKind, Rhythm, Section, SectionKind};
use sfa_audio::cue::{CueKind, CuePoint, LoopPoint, Rgb};

use crate::song::{SCHEMA_VERSION, SongReport, StemSheet};

/// Everything known of a song as JSON: `analysis.json`.
///
/// Fields stand in the order of [`SongReport`]; lists have one line per element, lists of numbers one line in
/// all; fractions are rounded to six decimals (a microsecond, where they are seconds).
pub fn analysis_json(report: &SongReport) -> String {
    to_json(&Document::of(report))
}

/// The same document as [`analysis_json`] in one line, for programs that read one song per line.
pub fn analysis_json_line(report: &SongReport) -> String {
    serialize(&Document::of(report), OneLine)
}

/// The stems of a song alone: `stems.json`.
pub fn stems_json(sheet: &StemSheet) -> String {
    to_json(sheet)
}

/// The JSON Schema (2020-12) of [`stems_json`].
pub fn stems_schema() -> Schema {
    schema_for!(StemSheet)
}

/// The JSON Schema (2020-12) of [`analysis_json`].
pub fn analysis_schema() -> Schema {
    schema_for!(Document<'static>)
}

/// `analysis.json`: the whole report, and once more in short what is asked most.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AnalysisDocument")]
struct Document<'a> {
    #[serde(flatten)]
    report: Cow<'a, SongReport>,
    #[serde(flatten)]
    glance: Glance,
}

/// The short way to what is asked most; the same figures stand in `analysis` with all that belongs to them.
#[derive(Serialize, JsonSchema)]
struct Glance {
    /// Beats per minute; null where there is no pulse.
    bpm: Option<f64>,
    /// For example "A minor"; null where nothing is pitched.
    key: Option<String>,
    /// The key on the Camelot wheel, for example "8A".
    camelot: Option<String>,
    /// Every beat in seconds.
    beats: Vec<f64>,
    /// Every first beat of a bar in seconds.
    downbeats: Vec<f64>,
    /// The parts of the song, without gaps.
    sections: Vec<Span>,
    /// Every drop in seconds.
    drops: Vec<f64>,
}

/// One part of a song.
#[derive(Serialize, JsonSchema)]
struct Span {
    /// Seconds.
    start: f64,
    /// Seconds.
    end: f64,
    /// What the part does in the song.
    label: SectionKind,
}

impl<'a> Document<'a> {
    fn of(report: &'a SongReport) -> Self {
        let analysis = &report.analysis;
        let (rhythm, key, form) = (analysis.rhythm.as_ref(), analysis.key.as_ref(), analysis.form.as_ref());
        let glance = Glance {
            bpm: rhythm.map(|rhythm| rhythm.tempo.bpm),
            key: key.map(|found| found.key.to_string()),
            camelot: key.map(|found| found.key.camelot()),
            beats: rhythm.into_iter().flat_map(|rhythm| &rhythm.beats).map(|beat| beat.time_secs).collect(),
            downbeats: rhythm.into_iter().flat_map(Rhythm::downbeats).collect(),
            sections: form.into_iter().flat_map(|form| &form.sections).map(Span::from).collect(),
            drops: form
                .into_iter()
                .flat_map(|form| &form.events)
                .filter(|event| event.kind == FormEventKind::Drop)
                .map(|event| event.start_secs)
                .collect(),
        };
        Self { report: Cow::Borrowed(report), glance }
    }
}

impl From<&Section> for Span {
    fn from(section: &Section) -> Self {
        Self { start: section.start_secs, end: section.end_secs, label: section.kind }
    }
}

/// The cues and loops of a song alone, in whole milliseconds: `cues.json`.
pub fn cues_json(report: &SongReport) -> String {
    to_json(&CueSheet {
        schema_version: SCHEMA_VERSION,
        cues: report.cues.iter().map(Cue::from).collect(),
        loops: report.loops.iter().map(Loop::from).collect(),
    })
}

/// The JSON Schema (2020-12) of [`cues_json`].
pub fn cues_schema() -> Schema {
    schema_for!(CueSheet)
}

/// Cue points and loops of one song, times in whole milliseconds.
#[derive(Serialize, JsonSchema)]
struct CueSheet {
    /// Shape of this document: 1.
    #[schemars(range(min = 1, max = 1))]
    schema_version: u32,
    /// Places to jump to, in order of time.
    cues: Vec<Cue>,
    /// Stretches that repeat well, the best first.
    loops: Vec<Loop>,
}

/// A place to jump to.
#[derive(Serialize, JsonSchema)]
struct Cue {
    /// Milliseconds from the first decoded frame.
    position_ms: u64,
    /// What to show, for example "Drop 1".
    label: String,
    /// What is there.
    cue_type: CueKind,
    /// "#RRGGBB".
    color: Rgb,
    /// 0 to 1.
    confidence: f32,
    /// The pad, 0 (A) to 7 (H).
    #[serde(skip_serializing_if = "Option::is_none")]
    hot_cue: Option<u8>,
}

/// A stretch that repeats well.
#[derive(Serialize, JsonSchema)]
struct Loop {
    /// Milliseconds from the first decoded frame.
    loop_start_ms: u64,
    /// Milliseconds from the first decoded frame.
    loop_end_ms: u64,
    /// Length in beats.
    loop_beats: u32,
    /// Length in bars.
    loop_bars: u32,
    /// 0 to 1: how alike the two ends sound.
    quality_score: f32,
    /// The section that the loop lies in.
    section_label: String,
    /// Whether both ends lie on downbeats.
    bar_aligned: bool,
    /// Whether this is one of the few to offer first.
    recommended: bool,
    /// What somebody called it who placed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    /// The pad, 0 (A) to 7 (H).
    #[serde(skip_serializing_if = "Option::is_none")]
    hot_cue: Option<u8>,
}

impl From<&CuePoint> for Cue {
    fn from(cue: &CuePoint) -> Self {
        Self {
            position_ms: whole_ms(cue.position_secs),
            label: cue.label.clone(),
            cue_type: cue.kind,
            color: cue.color,
            confidence: cue.confidence,
            hot_cue: cue.hot_cue,
        }
    }
}

impl From<&LoopPoint> for Loop {
    fn from(point: &LoopPoint) -> Self {
        Self {
            loop_start_ms: whole_ms(point.start_secs),
            loop_end_ms: whole_ms(point.end_secs),
            loop_beats: point.beats,
            loop_bars: point.bars,
            quality_score: point.quality,
            section_label: point.section.clone(),
            bar_aligned: point.bars > 0 && point.label.is_none(),
            recommended: point.recommended,
            label: point.label.clone(),
            hot_cue: point.hot_cue,
        }
    }
}

fn whole_ms(secs: f64) -> u64 {
    (secs * 1e3).round() as u64
}

fn to_json(document: &impl Serialize) -> String {
    serialize(document, Layout::default()) + "\n"
}

fn serialize(document: &impl Serialize, formatter: impl Formatter) -> String {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, formatter);
    document.serialize(&mut serializer).expect("a report has string keys and memory does not fail");
    String::from_utf8(bytes).expect("serde_json writes UTF-8")
}

/// Six decimals are a microsecond where the number is seconds, and more than any figure here is good for.
fn write_rounded<W: ?Sized + io::Write>(writer: &mut W, value: f64) -> io::Result<()> {
    // Adding zero turns -0.0 into 0.0.
    write!(writer, "{:?}", (value * 1e6).round() / 1e6 + 0.0)
}

/// No white space at all.
struct OneLine;

impl Formatter for OneLine {
    fn write_f32<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        write_rounded(writer, f64::from(value))
    }

    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        write_rounded(writer, value)
    }
}

/// Pretty where people look, compact where numbers run on: objects are indented until a list begins; an
/// element of a list that is an object or a list has a line of its own.
#[derive(Default)]
struct Layout {
    /// One entry per open object or array.
    open: Vec<Bracket>,
}

struct Bracket {
    is_array: bool,
    /// Whether what is inside is spread over lines.
    is_tall: bool,
}

impl Layout {
    fn is_inside_array(&self) -> bool {
        self.open.iter().any(|bracket| bracket.is_array)
    }

    fn break_line<W: ?Sized + io::Write>(&self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"\n")?;
        let depth = self.open.iter().filter(|bracket| bracket.is_tall).count();
        (0..depth).try_for_each(|_| writer.write_all(b"  "))
    }

    /// Gives an object or a list that is about to open inside an outermost list its own line.
    fn start_element<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        let arrays = self.open.iter().filter(|bracket| bracket.is_array).count();
        match self.open.last_mut() {
            Some(parent) if parent.is_array && arrays == 1 => {
                parent.is_tall = true;
                self.break_line(writer)
            }
            _ => Ok(()),
        }
    }

    fn close<W: ?Sized + io::Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        if self.open.pop().is_some_and(|closed| closed.is_tall) {
            self.break_line(writer)?;
        }
        writer.write_all(bracket)
    }
}

impl Formatter for Layout {
    fn write_f32<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        write_rounded(writer, f64::from(value))
    }

    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        write_rounded(writer, value)
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.start_element(writer)?;
        self.open.push(Bracket { is_array: true, is_tall: false });
        writer.write_all(b"[")
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"]")
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b",") }
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.start_element(writer)?;
        let is_tall = !self.is_inside_array();
        self.open.push(Bracket { is_array: false, is_tall });
        writer.write_all(b"{")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"}")
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        match self.open.last() {
            Some(Bracket { is_tall: true, .. }) => self.break_line(writer),
            _ if first => Ok(()),
            _ => writer.write_all(b" "),
        }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}
