//! The XML collection that rekordbox imports and most DJ programs read.
//!
//! The format is Pioneer's "XML format for playlist sharing"
//! (<https://cdn.rekordbox.com/files/20200410160904/xml_format_list.pdf>).

use std::io::{self, Write};

use quick_xml::Writer;

use super::pads::{Place, pads, places};
use super::xml::{document, write_attributes, xml_text};
use crate::song::{SongReport, SourceFile};

/// Memory cues and loops that a player keeps of one track.
const MEMORY_CUES: usize = 10;

/// A collection of `tracks`, each with its beat grid, hot and memory cues and loops, and one playlist of all.
///
/// Every cue is written twice, as a hot cue and as a memory cue, because players show one or the other. Where
/// there are more cues than buttons those with a pad and then the surest are kept. Grid times have six decimals and so does the tempo:
/// with the usual two a grid would run off by milliseconds within a song.
pub fn rekordbox_xml(tracks: &[&SongReport]) -> String {
    document(|writer| write_document(writer, tracks))
}

fn write_document<W: Write>(writer: &mut Writer<W>, tracks: &[&SongReport]) -> io::Result<()> {
    let count = tracks.len().to_string();
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

/// One POSITION_MARK.
struct Mark<'a> {
    place: Place<'a>,
    /// 0 to 7 for hot cues A to H; a memory cue otherwise.
    hot_cue: Option<usize>,
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

/// The hot cues, then hot loops where buttons are left, then all of them as memory cues.
fn marks(track: &SongReport) -> Vec<Mark<'_>> {
    let places = places(track);
    let hot = pads(&places).into_iter().enumerate();
    let memory = places.iter().take(MEMORY_CUES);
    hot.filter_map(|(number, place)| Some(Mark { place: place?, hot_cue: Some(number) }))
        .chain(memory.map(|&place| Mark { place, hot_cue: None }))
        .collect()
}

fn seconds(secs: f64) -> String {
    format!("{:.6}", secs.max(0.0))
}

/// The four digits that a date starts with.
fn year(date: &str) -> Option<String> {
    let digits = date.trim().get(..4)?;
    digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.to_owned())
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
