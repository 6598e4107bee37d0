//! The collection that Traktor imports: NML.
//!
//! Native Instruments does not publish the format. What is written here is what Traktor 3 and 4 write themselves, as
//! collections show that people have made public.

use std::io::{self, Write};

use quick_xml::Writer;
use sfa_audio::analyze::{GridRegion, Key};
use sfa_audio::cue::CueKind;

use super::pads::{Place, pads, places};
use super::xml::{document, write_attributes, xml_text};
use crate::hex::hex;
use crate::song::SongReport;

/// The volume that a Mac starts from.
const START_VOLUME: &str = "Macintosh HD";
/// Between the parts of a path.
const SEPARATOR: &str = "/:";

/// What a CUE_V2 marks.
#[derive(Clone, Copy)]
enum Kind {
    Cue = 0,
    Load = 3,
    Grid = 4,
    Loop = 5,
}

/// A collection of `tracks`, each with its beat grid, hot cues and loops, and one playlist of all called `name`.
///
/// What is on the pads becomes hot cues 1 to 8, recommended loops that no pad was left for become stored loops. Traktor
/// counts bars from each grid marker, so that one stands on the first downbeat of every stretch of constant tempo.
pub fn traktor_nml(name: &str, tracks: &[&SongReport]) -> String {
    let located: Vec<_> = tracks.iter().map(|track| (Location::of(&track.file.path), *track)).collect();
    document(|writer| write_document(writer, name, &located))
}

fn write_document<W: Write>(
    writer: &mut Writer<W>,
    name: &str,
    tracks: &[(Location, &SongReport)],
) -> io::Result<()> {
    let count = tracks.len().to_string();
    writer.create_element("NML").with_attribute(("VERSION", "19")).write_inner_content(|writer| {
        let program =
            [("COMPANY", "Sound Forge Alchemy".to_owned()), ("PROGRAM", "Sound Forge Alchemy".to_owned())];
        write_attributes(writer, "HEAD", &program)?;
        write_attributes(writer, "MUSICFOLDERS", &[])?;
        let collection = writer.create_element("COLLECTION").with_attribute(("ENTRIES", count.as_str()));
        collection.write_inner_content(|writer| {
            tracks.iter().try_for_each(|(location, track)| write_entry(writer, location, track))
        })?;
        write_attributes(writer, "SETS", &[("ENTRIES", "0".to_owned())])?;
        writer
            .create_element("PLAYLISTS")
            .write_inner_content(|writer| write_playlist(writer, name, tracks))?;
        Ok(())
    })?;
    Ok(())
}

fn write_playlist<W: Write>(
    writer: &mut Writer<W>,
    name: &str,
    tracks: &[(Location, &SongReport)],
) -> io::Result<()> {
    let keys: Vec<_> = tracks.iter().map(|(location, _)| location.key()).collect();
    let (count, name) = (keys.len().to_string(), xml_text(name));
    let id = hex(&blake3::hash(keys.join("\n").as_bytes()).as_bytes()[..16]);
    let root = [("TYPE", "FOLDER"), ("NAME", "$ROOT")];
    writer.create_element("NODE").with_attributes(root).write_inner_content(|writer| {
        writer.create_element("SUBNODES").with_attribute(("COUNT", "1")).write_inner_content(|writer| {
            let node = [("TYPE", "PLAYLIST"), ("NAME", name.as_str())];
            writer.create_element("NODE").with_attributes(node).write_inner_content(|writer| {
                let list = [("ENTRIES", count.as_str()), ("TYPE", "LIST"), ("UUID", id.as_str())];
                writer.create_element("PLAYLIST").with_attributes(list).write_inner_content(|writer| {
                    keys.iter().try_for_each(|key| write_playlist_entry(writer, key))
                })?;
                Ok(())
            })?;
            Ok(())
        })?;
        Ok(())
    })?;
    Ok(())
}

fn write_playlist_entry<W: Write>(writer: &mut Writer<W>, key: &str) -> io::Result<()> {
    writer.create_element("ENTRY").write_inner_content(|writer| {
        write_attributes(writer, "PRIMARYKEY", &[("TYPE", "TRACK".to_owned()), ("KEY", key.to_owned())])
    })?;
    Ok(())
}

fn write_entry<W: Write>(writer: &mut Writer<W>, location: &Location, track: &SongReport) -> io::Result<()> {
    let mut names = vec![("TITLE", xml_text(track.title()))];
    names.extend(
        track.artist().map(xml_text).filter(|artist| !artist.is_empty()).map(|artist| ("ARTIST", artist)),
    );
    let names = names.iter().map(|(name, value)| (*name, value.as_str()));
    writer.create_element("ENTRY").with_attributes(names).write_inner_content(|writer| {
        location.write(writer)?;
        write_known(writer, "ALBUM", album(track))?;
        write_known(writer, "INFO", info(track))?;
        if let Some(rhythm) = &track.analysis.rhythm {
            let tempo = [("BPM", decimals(rhythm.tempo.bpm)), ("BPM_QUALITY", decimals(100.0))];
            write_attributes(writer, "TEMPO", &tempo)?;
        }
        if let Some(estimate) = &track.analysis.key
            && let Some(number) = Key::all().position(|key| key == estimate.key)
        {
            write_attributes(writer, "MUSICAL_KEY", &[("VALUE", number.to_string())])?;
        }
        write_grid(writer, track)?;
        marks(track).iter().try_for_each(|mark| mark.write(writer))
    })?;
    Ok(())
}

/// An element with what is known, or none at all.
fn write_known<W: Write>(
    writer: &mut Writer<W>,
    name: &str,
    attributes: Vec<(&'static str, Option<String>)>,
) -> io::Result<()> {
    let known: Vec<_> = attributes
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)))
        .collect();
    if known.is_empty() { Ok(()) } else { write_attributes(writer, name, &known) }
}

fn album(track: &SongReport) -> Vec<(&'static str, Option<String>)> {
    vec![
        ("TRACK", track.tags.track_number.map(|number| number.to_string())),
        ("TITLE", track.tags.album.as_deref().map(xml_text)),
    ]
}

fn info(track: &SongReport) -> Vec<(&'static str, Option<String>)> {
    let (file, tags, analysis) = (&track.file, &track.tags, &track.analysis);
    vec![
        ("BITRATE", file.bit_rate_bps.map(|bits| bits.to_string())),
        ("GENRE", tags.genre.as_deref().map(xml_text)),
        ("COMMENT", tags.comment.as_deref().map(xml_text)),
        ("KEY", analysis.key.map(|estimate| estimate.key.open_key())),
        ("PLAYTIME", Some(format!("{:.0}", analysis.duration_secs.ceil()))),
        ("PLAYTIME_FLOAT", Some(decimals(analysis.duration_secs))),
        // In thousands of bytes.
        ("FILESIZE", Some(file.size_bytes.div_ceil(1024).to_string())),
    ]
}

/// A marker on the first downbeat of each region of the grid, or on its first beat where it ends before.
fn write_grid<W: Write>(writer: &mut Writer<W>, track: &SongReport) -> io::Result<()> {
    let Some(rhythm) = &track.analysis.rhythm else { return Ok(()) };
    let ends = rhythm.grid.iter().skip(1).map(|next| next.start_secs).chain([track.analysis.duration_secs]);
    rhythm.grid.iter().zip(ends).try_for_each(|(region, end_secs)| {
        let downbeat_secs = first_downbeat_secs(region, rhythm.meter.beats_per_bar);
        let start_secs = if downbeat_secs < end_secs { downbeat_secs } else { region.start_secs };
        let marker = mark_attributes("AutoGrid".to_owned(), Kind::Grid, start_secs, 0.0, None);
        let attributes = marker.iter().map(|(name, value)| (*name, value.as_str()));
        writer.create_element("CUE_V2").with_attributes(attributes).write_inner_content(|writer| {
            write_attributes(writer, "GRID", &[("BPM", decimals(region.bpm))])
        })?;
        Ok(())
    })
}

fn first_downbeat_secs(region: &GridRegion, beats_per_bar: u8) -> f64 {
    let beats_per_bar = u32::from(beats_per_bar.max(1));
    let beats = (beats_per_bar + 1 - u32::from(region.bar_position).clamp(1, beats_per_bar)) % beats_per_bar;
    region.start_secs + f64::from(beats) * 60.0 / region.bpm
}

/// One CUE_V2 that is no grid marker.
struct Mark<'a> {
    place: Place<'a>,
    /// 0 to 7 for the hot cues 1 to 8.
    hot_cue: Option<usize>,
}

impl Mark<'_> {
    fn write<W: Write>(&self, writer: &mut Writer<W>) -> io::Result<()> {
        let mut attributes = match self.place {
            Place::Cue(cue) => {
                let kind = if cue.kind == CueKind::Load { Kind::Load } else { Kind::Cue };
                mark_attributes(xml_text(&cue.label), kind, cue.position_secs, 0.0, self.hot_cue)
            }
            Place::Loop(point) => {
                let length_secs = point.end_secs - point.start_secs;
                mark_attributes(
                    xml_text(&point.name()),
                    Kind::Loop,
                    point.start_secs,
                    length_secs,
                    self.hot_cue,
                )
            }
        };
        if let (Place::Cue(cue), Some(_)) = (self.place, self.hot_cue) {
            attributes.push(("COLOR", cue.color.into()));
        }
        write_attributes(writer, "CUE_V2", &attributes)
    }
}

/// What is on the pads in their order, then the loops that found no pad.
fn marks(track: &SongReport) -> Vec<Mark<'_>> {
    let places = places(track);
    let pads = pads(&places);
    let is_on_pad = |point| {
        pads.iter().flatten().any(|on| matches!(on, Place::Loop(other) if std::ptr::eq(*other, point)))
    };
    let stored = places.iter().filter(|place| matches!(place, Place::Loop(point) if !is_on_pad(*point)));
    let stored: Vec<_> = stored.map(|&place| Mark { place, hot_cue: None }).collect();
    let hot = pads.into_iter().enumerate();
    hot.filter_map(|(number, place)| Some(Mark { place: place?, hot_cue: Some(number) }))
        .chain(stored)
        .collect()
}

fn mark_attributes(
    name: String,
    kind: Kind,
    start_secs: f64,
    length_secs: f64,
    hot_cue: Option<usize>,
) -> Vec<(&'static str, String)> {
    vec![
        ("NAME", name),
        ("DISPL_ORDER", "0".to_owned()),
        ("TYPE", (kind as u8).to_string()),
        ("START", decimals(start_secs.max(0.0) * 1000.0)),
        ("LEN", decimals(length_secs.max(0.0) * 1000.0)),
        ("REPEATS", "-1".to_owned()),
        ("HOTCUE", hot_cue.map_or("-1".to_owned(), |number| number.to_string())),
    ]
}

/// Where a file is, as Traktor says it: a volume, the folders, the name.
struct Location {
    volume: String,
    folder: String,
    file: String,
}

impl Location {
    /// The volume is the drive of a Windows path, what follows `/Volumes/` in one of a Mac, or what a Mac starts from.
    fn of(path: &str) -> Self {
        let path = path.strip_prefix(r"\\?\").unwrap_or(path);
        let is_drive = path.get(1..3).is_some_and(|at| at == ":\\" || at == ":/");
        let (volume, rest) = if is_drive {
            (&path[..2], &path[2..])
        } else {
            let mounted = path.strip_prefix("/Volumes/").and_then(|rest| rest.split_once('/'));
            mounted.unwrap_or((START_VOLUME, path))
        };
        let mut parts: Vec<_> = rest
            .split(|c| c == '/' || is_drive && c == '\\')
            .filter(|part| !part.is_empty())
            // What separates parts cannot stand in one; on a disk the colon is what the Finder shows as a slash.
            .map(|part| xml_text(&part.replace(':', "//")))
            .collect();
        let file = parts.pop().unwrap_or_default();
        let folder = parts.iter().fold(SEPARATOR.to_owned(), |folder, part| folder + part + SEPARATOR);
        Self { volume: xml_text(volume), folder, file }
    }

    fn key(&self) -> String {
        format!("{}{}{}", self.volume, self.folder, self.file)
    }

    fn write<W: Write>(&self, writer: &mut Writer<W>) -> io::Result<()> {
        let attributes = [
            ("DIR", self.folder.clone()),
            ("FILE", self.file.clone()),
            ("VOLUME", self.volume.clone()),
            ("VOLUMEID", self.volume.clone()),
        ];
        write_attributes(writer, "LOCATION", &attributes)
    }
}

fn decimals(value: f64) -> String {
    format!("{value:.6}")
}
