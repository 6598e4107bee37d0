//! The parts of an ISO base media file that tell which decoded frames are music: edit lists and `iTunSMPB`.
//!
//! The demuxer hands out every packet, encoder delay and padding included. Players cut them by the edit list
//! (ISO/IEC 14496-12, 8.6.6) or by the comment that Apple's encoders leave in the metadata.

use std::io;

use super::input::Bytes;

/// How one track is cut; both lengths in frames of the track's own sample rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) source: CutSource,
    /// Frames to drop from the start.
    pub(super) skip_frames: u64,
    /// Frames to keep after that; `None` keeps all.
    pub(super) keep_frames: Option<u64>,
}

/// Which record told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CutSource {
    EditList,
    ITunSmpb,
}

/// Everything found about the tracks of a file.
#[derive(Debug, Default)]
pub(super) struct Movie {
    timescale: u32,
    tracks: Vec<MovieTrack>,
    smpb: Option<(u64, u64)>,
}

#[derive(Debug, Default)]
struct MovieTrack {
    id: u32,
    timescale: u32,
    edits: Vec<Edit>,
}

#[derive(Debug, Clone, Copy)]
struct Edit {
    /// In movie time.
    duration: u64,
    /// In track time; negative for silence before the track starts.
    media_time: i64,
}

impl Movie {
    /// Reads the boxes that matter; whatever is damaged is left out.
    pub(super) fn read(bytes: &mut Bytes) -> io::Result<Self> {
        let mut movie = Self::default();
        let len = bytes.len();
        let mut walk = Walk { bytes, boxes_left: 20_000 };
        walk.children(0, len, 0, &mut movie)?;
        Ok(movie)
    }

    /// How the track is cut, if the file says so.
    pub(super) fn cut(&self, track_id: u32, sample_rate_hz: u32) -> Option<Cut> {
        if let Some((delay, keep)) = self.smpb {
            return Some(Cut { source: CutSource::ITunSmpb, skip_frames: delay, keep_frames: Some(keep) });
        }
        let track = self.tracks.iter().find(|track| track.id == track_id)?;
        let mut parts = track.edits.iter().filter(|edit| edit.media_time >= 0);
        let first = parts.next()?;
        if parts.next().is_some() {
            return None;
        }
        let to_frames = |ticks: u64, timescale: u32| {
            let scaled = u128::from(ticks) * u128::from(sample_rate_hz);
            let frames = (scaled + u128::from(timescale) / 2).checked_div(u128::from(timescale))?;
            u64::try_from(frames).ok()
        };
        Some(Cut {
            source: CutSource::EditList,
            skip_frames: to_frames(first.media_time as u64, track.timescale)?,
            // A length of 0 means "to the end" in fragmented files.
            keep_frames: match first.duration {
                0 => None,
                duration => Some(to_frames(duration, self.timescale)?),
            },
        })
    }

    /// Whether the file plays several parts of the track, which no frame range can express.
    pub(super) fn has_several_parts(&self, track_id: u32) -> bool {
        self.tracks
            .iter()
            .filter(|track| track.id == track_id)
            .any(|track| track.edits.iter().filter(|edit| edit.media_time >= 0).count() > 1)
    }
}

struct Walk<'a> {
    bytes: &'a mut Bytes,
    boxes_left: u32,
}

const MAX_DEPTH: u32 = 8;
/// The longest leaf that is read; all that are looked at are far shorter.
const MAX_LEAF_BYTES: u64 = 4096;

impl Walk<'_> {
    fn children(&mut self, mut position: u64, end: u64, depth: u32, movie: &mut Movie) -> io::Result<()> {
        while position + 8 <= end && self.boxes_left > 0 {
            self.boxes_left -= 1;
            let header = self.bytes.read_at(position, 16)?;
            let Some((size32, kind)) = number(&header, 0, 4).zip(header.get(4..8)) else { break };
            let (header_len, size) = match size32 {
                0 => (8, end - position),
                1 => (16, number(&header, 8, 8).unwrap_or(0)),
                size => (8, size),
            };
            let box_end = position.saturating_add(size).min(end);
            let body = position + header_len;
            if size < header_len || body > end {
                break;
            }
            match kind {
                b"moov" | b"mdia" | b"edts" | b"udta" | b"ilst" if depth < MAX_DEPTH => {
                    self.children(body, box_end, depth + 1, movie)?;
                }
                b"trak" if depth < MAX_DEPTH => {
                    movie.tracks.push(MovieTrack::default());
                    self.children(body, box_end, depth + 1, movie)?;
                }
                b"meta" if depth < MAX_DEPTH => {
                    // A full box in MP4, a plain one in QuickTime.
                    let plain = self.bytes.read_at(body, 8)?.get(4..8) == Some(b"hdlr");
                    self.children(if plain { body } else { body + 4 }, box_end, depth + 1, movie)?;
                }
                b"mvhd" | b"tkhd" | b"mdhd" | b"elst" | b"----" => {
                    let leaf_len = (box_end - body).min(MAX_LEAF_BYTES);
                    let leaf = self.bytes.read_at(body, leaf_len as usize)?;
                    read_leaf(kind, &leaf, movie);
                }
                _ => {}
            }
            position = box_end;
        }
        Ok(())
    }
}

fn read_leaf(kind: &[u8], leaf: &[u8], movie: &mut Movie) {
    let version_1 = leaf.first() == Some(&1);
    // Two times stand before the wanted number: 4 bytes each in version 0, 8 in version 1.
    let after_times = if version_1 { 20 } else { 12 };
    let field = number(leaf, after_times, 4).and_then(|value| u32::try_from(value).ok());
    match kind {
        b"mvhd" => movie.timescale = field.unwrap_or(0),
        b"----" => movie.smpb = movie.smpb.or_else(|| parse_smpb(leaf)),
        _ => {
            let Some(track) = movie.tracks.last_mut() else { return };
            match kind {
                b"tkhd" => track.id = field.unwrap_or(0),
                b"mdhd" => track.timescale = field.unwrap_or(0),
                _ => track.edits = parse_edits(leaf, version_1),
            }
        }
    }
}

fn parse_edits(leaf: &[u8], version_1: bool) -> Vec<Edit> {
    let width = if version_1 { 8 } else { 4 };
    let entries = leaf.get(8..).unwrap_or_default().chunks_exact(2 * width + 4);
    let declared = number(leaf, 4, 4).unwrap_or(0) as usize;
    entries
        .take(declared)
        .filter_map(|entry| {
            let raw_time = number(entry, width, width)?;
            let media_time = if version_1 { raw_time as i64 } else { i64::from(raw_time as u32 as i32) };
            Some(Edit { duration: number(entry, 0, width)?, media_time })
        })
        .collect()
}

/// Delay and length from an `iTunSMPB` comment: hexadecimal words, of which the second is the delay, the third
/// the padding and the fourth the frames between.
fn parse_smpb(leaf: &[u8]) -> Option<(u64, u64)> {
    let find = |needle: &[u8]| leaf.windows(needle.len()).position(|window| window == needle);
    find(b"iTunSMPB")?;
    let value = leaf.get(find(b"data")? + 12..)?;
    let text = String::from_utf8_lossy(value);
    let mut words = text.split_ascii_whitespace().map(|word| u64::from_str_radix(word, 16));
    let (_, delay, _padding, frames) =
        (words.next()?.ok()?, words.next()?.ok()?, words.next()?.ok()?, words.next()?.ok()?);
    (frames > 0).then_some((delay, frames))
}

/// A big-endian number of up to 8 bytes.
fn number(bytes: &[u8], offset: usize, width: usize) -> Option<u64> {
    let digits = bytes.get(offset..offset + width)?;
    Some(digits.iter().fold(0, |value, &byte| value << 8 | u64::from(byte)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::io::input::Input;

    fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        [&(body.len() as u32 + 8).to_be_bytes()[..], kind, body].concat()
    }

    fn movie(edits: &[u8], user_data: &[u8]) -> Movie {
        let mvhd = boxed(b"mvhd", &[&[0; 12][..], &1000_u32.to_be_bytes(), &[0; 80]].concat());
        let tkhd = boxed(b"tkhd", &[&[0; 12][..], &7_u32.to_be_bytes(), &[0; 60]].concat());
        let mdhd = boxed(b"mdhd", &[&[0; 12][..], &44100_u32.to_be_bytes(), &[0; 8]].concat());
        let trak = [tkhd, boxed(b"edts", &boxed(b"elst", edits)), boxed(b"mdia", &mdhd)].concat();
        let moov = [mvhd, boxed(b"trak", &trak), user_data.to_vec()].concat();
        let bytes: Arc<[u8]> = [boxed(b"ftyp", b"M4A "), boxed(b"moov", &moov)].concat().into();
        Movie::read(&mut Input::Bytes { bytes, extension: None }.open().unwrap()).unwrap()
    }

    fn edit(duration: u32, media_time: i32) -> Vec<u8> {
        [&duration.to_be_bytes()[..], &media_time.to_be_bytes(), &[0, 1, 0, 0]].concat()
    }

    #[test]
    fn an_edit_list_gives_start_and_length() {
        let edits = [&[0, 0, 0, 0, 0, 0, 0, 2][..], &edit(500, -1), &edit(6000, 1024)].concat();
        let cut = movie(&edits, &[]).cut(7, 44100).unwrap();
        assert_eq!(cut, Cut { source: CutSource::EditList, skip_frames: 1024, keep_frames: Some(264_600) });
    }

    #[test]
    fn several_parts_are_not_guessed() {
        let edits = [&[0, 0, 0, 0, 0, 0, 0, 2][..], &edit(500, 0), &edit(6000, 1024)].concat();
        let movie = movie(&edits, &[]);
        assert_eq!(movie.cut(7, 44100), None);
        assert!(movie.has_several_parts(7));
    }

    #[test]
    fn the_itunes_comment_wins_because_it_counts_frames() {
        let name = boxed(b"name", b"\0\0\0\0iTunSMPB");
        let text = b" 00000000 00000840 000001CA 00000000003F31F6 00000000";
        let data = boxed(b"data", &[&[0, 0, 0, 1, 0, 0, 0, 0][..], text].concat());
        let item = boxed(b"----", &[name, data].concat());
        let meta = boxed(b"meta", &[vec![0; 4], boxed(b"ilst", &item)].concat());
        let edits = [&[0, 0, 0, 0, 0, 0, 0, 1][..], &edit(6000, 1024)].concat();
        let cut = movie(&edits, &boxed(b"udta", &meta)).cut(7, 44100).unwrap();
        assert_eq!(cut.source, CutSource::ITunSmpb);
        assert_eq!((cut.skip_frames, cut.keep_frames), (0x840, Some(0x3f_31f6)));
    }
}
