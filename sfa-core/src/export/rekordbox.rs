//! The XML collection that rekordbox imports and most DJ programs read.
//!
//! The format is Pioneer's "XML format for playlist sharing"
//! (<https://cdn.rekordbox.com/files/20200410160904/xml_format_list.pdf>).

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, Event};
use sfa_audio::cue::{CueKind, CuePoint, LoopPoint};

use super::one_line;
use crate::song::{SongReport, SourceFile};

/// Hot cues that a player has buttons for, A to H.
const HOT_CUES: usize = 8;
/// Memory cues and loops that a player keeps of one track.
const MEMORY_CUES: usize = 10;

/// A collection of `tracks`, each with its beat grid, hot and memory cues and loops, and one playlist of all.
///
/// Every cue is written twice, as a hot cue and as a memory cue, because players show one or the other. Where
/// there are more cues than buttons those with a pad and then the surest are kept. Grid times have six decimals and so does the tempo:
/// with the usual two a grid would run off by milliseconds within a song.
pub fn rekordbox_xml(tracks: &[&SongReport]) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    write_document(&mut writer, tracks).expect("writing to memory does not fail");
    let mut xml = String::from_utf8(writer.into_inner()).expect("every part is UTF-8");
    xml.push('\n');
    xml
}

fn write_document<W: Write>(writer: &mut Writer<W>, tracks: &[&SongReport]) -> io::Result<()> {
    let count = tracks.len().to_string();
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    writer.create_element("DJ_PLAYLISTS").with_attribute(("Version", "1.0.0")).write_inner_content(
        |writer| {
            let product = [
                ("Name", "Sound Forge Alchemy"),
                ("Version", env!("CARGO_PKG_VERSION")),
                ("Company", "Sound Forge Alchemy"),
            ];
            writer.create_element("PRODUCT").with_attributes(product).write_empty()?;
            let collection = writer.create_element("COLLECTION");
            collection.with_attribute(("Entries", count.as_str())).write_inner_content(|writer| {
                (1..).zip(tracks).try_for_each(|(id, track)| write_track(writer, id, track))
            })?;
            writer
                .create_element("PLAYLISTS")
                .write_inner_content(|writer| write_playlist(writer, tracks.len()))?;
            Ok(())
        },
    )?;
    Ok(())
}

fn write_playlist<W: Write>(writer: &mut Writer<W>, track_count: usize) -> io::Result<()> {
    let count = track_count.to_string();
    let root = [("Type", "0"), ("Name", "ROOT"), ("Count", "1")];
    writer.create_element("NODE").with_attributes(root).write_inner_content(|writer| {
        let playlist =
            [("Name", "Sound Forge Alchemy"), ("Type", "1"), ("KeyType", "0"), ("Entries", count.as_str())];
        writer.create_element("NODE").with_attributes(playlist).write_inner_content(|writer| {
            (1..=track_count).try_for_each(|id| {
                let id = id.to_string();
                writer.create_element("TRACK").with_attribute(("Key", id.as_str())).write_empty().map(drop)
            })
        })?;
        Ok(())
    })?;
    Ok(())
}

fn write_track<W: Write>(writer: &mut Writer<W>, id: u32, track: &SongReport) -> io::Result<()> {
    let attributes = track_attributes(id, track);
    let element = writer
        .create_element("TRACK")
        .with_attributes(attributes.iter().map(|(name, value)| (*name, value.as_str())));
    element.write_inner_content(|writer| {
        write_grid(writer, track)?;
        marks(track).iter().try_for_each(|mark| mark.write(writer))
    })?;
    Ok(())
}

fn track_attributes(id: u32, track: &SongReport) -> Vec<(&'static str, String)> {
    let (file, tags, analysis) = (&track.file, &track.tags, &track.analysis);
    let text = |value: &Option<String>| value.as_deref().map(xml_text).filter(|text| !text.is_empty());
    let optional = [
        ("Artist", text(&tags.artist)),
        ("Album", text(&tags.album)),
        ("Genre", text(&tags.genre)),
        ("Comments", text(&tags.comment)),
        ("TrackNumber", tags.track_number.map(|number| number.to_string())),
        ("Year", tags.date.as_deref().and_then(year)),
        ("BitRate", file.bit_rate_bps.map(|bits| ((bits + 500) / 1000).to_string())),
        ("AverageBpm", analysis.rhythm.as_ref().map(|rhythm| format!("{:.2}", rhythm.tempo.bpm))),
        ("Tonality", analysis.key.map(|estimate| estimate.key.camelot())),
    ];
    let mut attributes = vec![
        ("TrackID", id.to_string()),
        ("Name", xml_text(track.title())),
        ("Kind", kind(file)),
        ("Size", file.size_bytes.to_string()),
        ("TotalTime", format!("{:.0}", analysis.duration_secs)),
        ("SampleRate", file.sample_rate_hz.to_string()),
    ];
    attributes.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value?))));
    attributes.push(("Location", location(&file.path)));
    attributes
}

fn write_grid<W: Write>(writer: &mut Writer<W>, track: &SongReport) -> io::Result<()> {
    let Some(rhythm) = &track.analysis.rhythm else { return Ok(()) };
    let metro = format!("{}/{}", rhythm.meter.beats_per_bar, rhythm.meter.beat_unit);
    rhythm.grid.iter().try_for_each(|region| {
        let attributes = [
            ("Inizio", seconds(region.start_secs)),
            ("Bpm", format!("{:.6}", region.bpm)),
            ("Metro", metro.clone()),
            ("Battito", region.bar_position.to_string()),
        ];
        write_attributes(writer, "TEMPO", &attributes)
    })
}

fn write_attributes<W: Write>(
    writer: &mut Writer<W>,
    name: &str,
    attributes: &[(&str, String)],
) -> io::Result<()> {
    let attributes = attributes.iter().map(|(name, value)| (*name, value.as_str()));
    writer.create_element(name).with_attributes(attributes).write_empty().map(drop)
}

/// One POSITION_MARK.
struct Mark<'a> {
    place: Place<'a>,
    /// 0 to 7 for hot cues A to H; a memory cue otherwise.
    hot_cue: Option<usize>,
}

#[derive(Clone, Copy)]
enum Place<'a> {
    Cue(&'a CuePoint),
    Loop(&'a LoopPoint),
}

impl Mark<'_> {
    fn write<W: Write>(&self, writer: &mut Writer<W>) -> io::Result<()> {
        let number = self.hot_cue.map_or("-1".to_owned(), |number| number.to_string());
        let mut attributes = match self.place {
            Place::Cue(cue) => vec![
                ("Name", xml_text(&cue.label)),
                ("Type", "0".to_owned()),
                ("Start", seconds(cue.position_secs)),
                ("Num", number),
            ],
            Place::Loop(point) => vec![
                ("Name", xml_text(&point.name())),
                ("Type", "4".to_owned()),
                ("Start", seconds(point.start_secs)),
                ("End", seconds(point.end_secs)),
                ("Num", number),
            ],
        };
        if let (Place::Cue(cue), Some(_)) = (&self.place, self.hot_cue) {
            let color = [("Red", cue.color.0), ("Green", cue.color.1), ("Blue", cue.color.2)];
            attributes.extend(color.map(|(name, value)| (name, value.to_string())));
        }
        write_attributes(writer, "POSITION_MARK", &attributes)
    }
}

impl Place<'_> {
    fn pad(self) -> Option<usize> {
        let pad = match self {
            Self::Cue(cue) => cue.hot_cue,
            Self::Loop(point) => point.hot_cue,
        };
        pad.map(usize::from).filter(|&pad| pad < HOT_CUES)
    }
}

/// The hot cues, then hot loops where buttons are left, then all of them as memory cues.
fn marks(track: &SongReport) -> Vec<Mark<'_>> {
    let cues = surest(&track.cues, HOT_CUES).into_iter().map(Place::Cue);
    let loops = track.loops.iter().filter(|point| point.recommended).map(Place::Loop);
    let places: Vec<_> = cues.chain(loops).collect();

    let mut pads = [None; HOT_CUES];
    for &place in &places {
        if let Some(pad) = place.pad() {
            pads[pad].get_or_insert(place);
        }
    }
    let others: Vec<_> = places.iter().filter(|place| place.pad().is_none()).collect();
    for (free, &place) in pads.iter_mut().filter(|pad| pad.is_none()).zip(others) {
        *free = Some(place);
    }
    let hot = pads.into_iter().enumerate();
    let memory = places.iter().take(MEMORY_CUES);
    hot.filter_map(|(number, place)| Some(Mark { place: place?, hot_cue: Some(number) }))
        .chain(memory.map(|&place| Mark { place, hot_cue: None }))
        .collect()
}

/// The `count` cues to keep, in order of time: those on a pad first of all, then where to load a deck, then the most
/// confident.
fn surest(cues: &[CuePoint], count: usize) -> Vec<&CuePoint> {
    let mut chosen: Vec<_> = cues.iter().collect();
    chosen.sort_by(|one, other| {
        let rank = |cue: &CuePoint| (cue.hot_cue.is_some(), cue.kind == CueKind::Load);
        rank(other).cmp(&rank(one)).then(other.confidence.total_cmp(&one.confidence))
    });
    chosen.truncate(count);
    chosen.sort_by(|one, other| one.position_secs.total_cmp(&other.position_secs));
    chosen
}

fn seconds(secs: f64) -> String {
    format!("{:.6}", secs.max(0.0))
}

/// The four digits that a date starts with.
fn year(date: &str) -> Option<String> {
    let digits = date.trim().get(..4)?;
    digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.to_owned())
}

/// One line of the characters that XML 1.0 can hold.
fn xml_text(text: &str) -> String {
    let legal = |c: &char| !matches!(c, '\u{fffe}' | '\u{ffff}');
    one_line(text).chars().filter(legal).collect()
}

/// The kind of file in rekordbox's words, by extension first because containers do not tell M4A from MP4.
fn kind(file: &SourceFile) -> String {
    let extension = file.name.rsplit_once('.').map_or(file.container.as_str(), |(_, extension)| extension);
    let word = match extension.to_ascii_lowercase().as_str() {
        "mp4" | "m4a" | "m4b" | "aac" => "M4A".to_owned(),
        "aif" | "aiff" | "aifc" => "AIFF".to_owned(),
        "wave" => "WAV".to_owned(),
        other => xml_text(other).to_uppercase(),
    };
    format!("{word} File")
}

/// `file://localhost/` and the path in percent-encoded UTF-8; a Windows path keeps its drive's colon.
fn location(path: &str) -> String {
    let share = path.strip_prefix(r"\\?\UNC\").map(|share| format!(r"\\{share}"));
    let path = share.as_deref().or(path.strip_prefix(r"\\?\")).unwrap_or(path);
    let is_drive = path.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
        && path.get(1..).is_some_and(|rest| rest.starts_with(":\\") || rest.starts_with(":/"));
    let is_windows = is_drive || path.starts_with(r"\\");
    let (drive, rest) = if is_drive { path.split_at(2) } else { ("", path) };

    let mut url = String::from("file://localhost/");
    url.push_str(drive);
    let rest = rest.strip_prefix(if is_windows { '\\' } else { '/' }).filter(|_| !is_drive).unwrap_or(rest);
    for byte in rest.bytes() {
        match byte {
            b'\\' if is_windows => url.push('/'),
            b'/' | b'-' | b'.' | b'_' | b'~' => url.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => url.push(char::from(byte)),
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url
}
