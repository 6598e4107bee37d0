//! What Serato keeps within audio files, and Mixxx reads there: cues, loops and the beat grid.
//!
//! Serato does not publish the layouts. They are written here as people have found them out
//! (<https://github.com/Holzhaus/serato-tags>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sfa_audio::analyze::GridRegion;
use sfa_audio::cue::{CuePoint, LoopPoint, Rgb};
use sfa_audio::io::SeratoTags;

use super::one_line;
use super::pads::{Place, pads, places};
use crate::song::SongReport;

/// Version 1.1, which the outer and the inner part of the markers begin with.
const MARKERS_VERSION: [u8; 2] = [1, 1];
const MP4_MARKERS_VERSION: [u8; 2] = [2, 5];
const GRID_VERSION: [u8; 2] = [1, 0];
/// A position that is not set.
const NOWHERE: [u8; 4] = [0xff; 4];
/// Serato writes at least so much, the rest being zeros.
const LEAST_MARKERS_BYTES: usize = 470;
/// Where Base64 is broken.
const LINE_CHARS: usize = 72;
/// Saved loops that there are slots for.
const LOOPS: usize = 8;
/// Serato's blue of saved loops.
const LOOP_COLOR: [u8; 4] = [0, 0x27, 0xaa, 0xe1];
/// Longer names are cut.
const MOST_NAME_BYTES: usize = 50;
/// The older markers of an MP4 file: so many places for cues, then so many for loops.
const MP4_CUES: usize = 5;
const MP4_LOOPS: usize = 9;

/// The cues of a song on their pads, its recommended loops and its grid.
pub fn serato_tags(track: &SongReport) -> SeratoTags {
    let places = places(track);
    let cues = pads(&places).map(|place| match place {
        Some(Place::Cue(cue)) => Some(cue),
        _ => None,
    });
    let loops: Vec<_> = places
        .iter()
        .filter_map(|place| match place {
            Place::Loop(point) => Some(*point),
            Place::Cue(_) => None,
        })
        .take(LOOPS)
        .collect();
    let rhythm = track.analysis.rhythm.as_ref();
    SeratoTags {
        markers2: markers2(&cues, &loops),
        mp4_markers: mp4_markers(&cues, &loops),
        beat_grid: rhythm.and_then(|rhythm| beat_grid(&rhythm.grid)),
    }
}

/// "Serato Markers2": entries in Base64.
fn markers2(cues: &[Option<&CuePoint>], loops: &[&LoopPoint]) -> Vec<u8> {
    let mut entries = MARKERS_VERSION.to_vec();
    push_entry(&mut entries, "COLOR", &[0, 0xff, 0xff, 0xff]);
    for (pad, cue) in (0..).zip(cues) {
        let Some(cue) = cue else { continue };
        let Rgb(red, green, blue) = cue.color;
        let mut data = vec![0, pad];
        data.extend(milliseconds(cue.position_secs).to_be_bytes());
        data.extend([0, red, green, blue, 0, 0]);
        data.extend(name(&cue.label));
        push_entry(&mut entries, "CUE", &data);
    }
    for (slot, point) in (0..).zip(loops) {
        let mut data = vec![0, slot];
        data.extend(milliseconds(point.start_secs).to_be_bytes());
        data.extend(milliseconds(point.end_secs).to_be_bytes());
        data.extend(NOWHERE);
        data.extend(LOOP_COLOR);
        data.extend([0, 0]);
        data.extend(name(&point.name()));
        push_entry(&mut entries, "LOOP", &data);
    }
    push_entry(&mut entries, "BPMLOCK", &[0]);
    entries.push(0);

    let mut markers = MARKERS_VERSION.to_vec();
    markers.extend(lines_of_base64(&entries).into_bytes());
    // At least one zero ends the text.
    markers.resize((markers.len() + 1).max(LEAST_MARKERS_BYTES), 0);
    markers
}

/// "Serato Markers_" as MP4 files have it: a place for each, whether it is used or not.
fn mp4_markers(cues: &[Option<&CuePoint>], loops: &[&LoopPoint]) -> Vec<u8> {
    let mut markers = MP4_MARKERS_VERSION.to_vec();
    markers.extend(((MP4_CUES + MP4_LOOPS) as u32).to_be_bytes());
    let mut push = |start: [u8; 4], end: [u8; 4], color: [u8; 4], kind: u8| {
        markers.extend([start, end].concat());
        markers.push(0);
        markers.extend([NOWHERE, color].concat());
        markers.extend([kind, 0]);
    };
    for place in 0..MP4_CUES {
        match cues.get(place).copied().flatten() {
            Some(cue) => {
                let Rgb(red, green, blue) = cue.color;
                push(milliseconds(cue.position_secs).to_be_bytes(), NOWHERE, [0, red, green, blue], 1);
            }
            None => push(NOWHERE, NOWHERE, [0; 4], 0),
        }
    }
    for place in 0..MP4_LOOPS {
        match loops.get(place) {
            Some(point) => {
                let (start, end) = (milliseconds(point.start_secs), milliseconds(point.end_secs));
                push(start.to_be_bytes(), end.to_be_bytes(), LOOP_COLOR, 3);
            }
            None => push(NOWHERE, NOWHERE, [0; 4], 3),
        }
    }
    markers.extend([0, 0xff, 0xff, 0xff, 0]);
    markers
}

fn push_entry(entries: &mut Vec<u8>, kind: &str, data: &[u8]) {
    entries.extend(kind.bytes());
    entries.push(0);
    entries.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
    entries.extend(data);
}

/// "Serato BeatGrid": every region but the last by its number of beats, the last by its tempo.
///
/// Positions have single precision, as Serato reads them: within .02 ms in a song of five minutes.
fn beat_grid(regions: &[GridRegion]) -> Option<Vec<u8>> {
    let (last, others) = regions.split_last()?;
    let mut grid = GRID_VERSION.to_vec();
    grid.extend(u32::try_from(regions.len()).ok()?.to_be_bytes());
    for (region, next) in others.iter().zip(&regions[1..]) {
        let beats = ((next.start_secs - region.start_secs) * region.bpm / 60.0).round().max(1.0) as u32;
        grid.extend((region.start_secs as f32).to_be_bytes());
        grid.extend(beats.to_be_bytes());
    }
    grid.extend((last.start_secs as f32).to_be_bytes());
    grid.extend((last.bpm as f32).to_be_bytes());
    grid.push(0);
    Some(grid)
}

/// A name and the zero at its end.
fn name(text: &str) -> Vec<u8> {
    let text = one_line(text);
    let mut bytes = text.as_bytes()[..text.floor_char_boundary(MOST_NAME_BYTES)].to_vec();
    bytes.push(0);
    bytes
}

fn milliseconds(secs: f64) -> u32 {
    (secs.max(0.0) * 1000.0).round() as u32
}

fn lines_of_base64(bytes: &[u8]) -> String {
    let text = STANDARD_NO_PAD.encode(bytes);
    let lines: Vec<_> =
        text.as_bytes().chunks(LINE_CHARS).map(|line| String::from_utf8_lossy(line)).collect();
    lines.join("\n")
}
