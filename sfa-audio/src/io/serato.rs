//! Serato's tags in audio files. Each container keeps them in another way.

use std::fs::File;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use lofty::TextEncoding;
use lofty::config::{ParseOptions, WriteOptions};
use lofty::file::{AudioFile as _, FileType};
use lofty::flac::FlacFile;
use lofty::id3::v2::{BinaryFrame, Frame, FrameId, GeneralEncapsulatedObject, Id3v2Tag};
use lofty::iff::aiff::AiffFile;
use lofty::iff::wav::WavFile;
use lofty::mp4::{Atom, AtomData, AtomIdent, Mp4File};
use lofty::mpeg::MpegFile;
use lofty::probe::Probe;
use lofty::tag::{TagExt as _, TagType};

use super::input::Input;
use super::tag_files;
use crate::{Error, ErrorKind, Result};

const MEDIA_TYPE: &str = "application/octet-stream";
/// Where Base64 is broken.
const LINE_CHARS: usize = 72;
const MARKERS2: &str = "Serato Markers2";
/// The older markers, which Serato believes more where they are.
const MARKERS: &str = "Serato Markers_";
const BEAT_GRID: &str = "Serato BeatGrid";

/// Reading, changing and saving tags fails with errors of several types.
type Outcome<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What Serato and Mixxx read from a file, in the layouts that <https://github.com/Holzhaus/serato-tags> describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeratoTags {
    /// Cues and loops: "Serato Markers2".
    pub markers2: Vec<u8>,
    /// The first of them again, as MP4 files need it besides: "Serato Markers_".
    pub mp4_markers: Vec<u8>,
    /// Where the beats are: "Serato BeatGrid".
    pub beat_grid: Option<Vec<u8>>,
}

impl SeratoTags {
    /// Whether files of this name usually can hold such tags.
    pub fn fit(file_name: &str) -> bool {
        let ending = Path::new(file_name).extension().unwrap_or_default().to_string_lossy().to_lowercase();
        ["mp3", "aif", "aiff", "aifc", "wav", "wave", "flac", "m4a", "mp4"].contains(&ending.as_str())
    }

    /// Puts these tags into the file at `path` in place of those that are there, and leaves all others as they are.
    ///
    /// MP3, AIFF, WAV, FLAC and MP4 files can hold them; `false` says that this one cannot, and nothing was changed.
    ///
    /// # Errors
    /// `Io` when the file cannot be read or written, also when it is no audio file.
    pub fn write_to(&self, path: &Path) -> Result<bool> {
        self.write(path).map_err(|error| {
            Error::new(ErrorKind::Io, format!("cues could not be written into the file: {error}"))
        })
    }

    fn write(&self, path: &Path) -> Outcome<bool> {
        let Some(kind) = Probe::open(path)?.guess_file_type()?.file_type() else { return Ok(false) };
        let mut file = File::open(path)?;
        let options = || {
            let mut options = ParseOptions::new();
            options.read_properties(false);
            options
        };
        match kind {
            FileType::Mpeg => self.write_id3(MpegFile::read_from(&mut file, options())?.id3v2(), path)?,
            FileType::Aiff => self.write_id3(AiffFile::read_from(&mut file, options())?.id3v2(), path)?,
            FileType::Wav => self.write_id3(WavFile::read_from(&mut file, options())?.id3v2(), path)?,
            FileType::Flac => self.write_comments(FlacFile::read_from(&mut file, options())?, path)?,
            FileType::Mp4 => self.write_atoms(&Mp4File::read_from(&mut file, options())?, path)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn write_id3(&self, found: Option<&Id3v2Tag>, path: &Path) -> Outcome<()> {
        // Whoever finds this tag no longer looks for a title in others, like the list of a WAV file.
        let other = || tag_files::to_lofty(&tag_files::read(&Input::Path(path.to_owned())), TagType::Id3v2);
        let mut tag = found.cloned().unwrap_or_else(|| other().into());
        tag.retain(|frame| !is_replaced(frame));
        tag.insert(object(MARKERS2, &self.markers2)?);
        if let Some(grid) = &self.beat_grid {
            tag.insert(object(BEAT_GRID, grid)?);
        }
        tag.save_to_path(path, WriteOptions::default())?;
        Ok(())
    }

    fn write_comments(&self, mut file: FlacFile, path: &Path) -> Outcome<()> {
        let mut comments = file.vorbis_comments().cloned().unwrap_or_default();
        for (key, name, bytes) in [
            ("SERATO_MARKERS_V2", MARKERS2, Some(&self.markers2)),
            ("SERATO_BEATGRID", BEAT_GRID, self.beat_grid.as_ref()),
        ] {
            drop(comments.remove(key));
            if let Some(bytes) = bytes {
                comments.push(key.to_owned(), wrapped(name, bytes, true));
            }
        }
        // The comments by themselves would be saved without the pictures beside them.
        file.set_vorbis_comments(comments);
        file.save_to_path(path, WriteOptions::default())?;
        Ok(())
    }

    fn write_atoms(&self, file: &Mp4File, path: &Path) -> Outcome<()> {
        let mut list = file.ilst().cloned().unwrap_or_default();
        let atoms = [
            ("markersv2", MARKERS2, Some(&self.markers2), true),
            ("markers", MARKERS, Some(&self.mp4_markers), true),
            ("beatgrid", BEAT_GRID, self.beat_grid.as_ref(), false),
        ];
        for (key, name, bytes, has_lines) in atoms {
            let ident = AtomIdent::Freeform { mean: "com.serato.dj".into(), name: key.into() };
            drop(list.remove(&ident));
            if let Some(bytes) = bytes {
                list.insert(Atom::new(ident, AtomData::UTF8(wrapped(name, bytes, has_lines))));
            }
        }
        list.save_to_path(path, WriteOptions::default())?;
        Ok(())
    }
}

fn is_replaced(frame: &Frame<'_>) -> bool {
    let Frame::Binary(frame) = frame else { return false };
    frame.id().as_str() == "GEOB"
        && GeneralEncapsulatedObject::parse(&frame.data, frame.flags()).is_ok_and(|object| {
            object.descriptor.is_some_and(|name| [MARKERS2, MARKERS, BEAT_GRID].contains(&name.as_str()))
        })
}

fn object(name: &str, bytes: &[u8]) -> Outcome<Frame<'static>> {
    let (media_type, name) = (Some(MEDIA_TYPE.to_owned()), Some(name.to_owned()));
    let object = GeneralEncapsulatedObject::new(TextEncoding::Latin1, media_type, None, name, bytes.to_vec());
    let data = object.as_bytes(WriteOptions::default())?;
    Ok(Frame::Binary(BinaryFrame::new(FrameId::new("GEOB")?, data)))
}

/// Bytes with their type and name before them, as text.
fn wrapped(name: &str, bytes: &[u8], has_lines: bool) -> String {
    let whole = [MEDIA_TYPE.as_bytes(), b"\0\0", name.as_bytes(), b"\0", bytes].concat();
    let mut text = STANDARD_NO_PAD.encode(whole);
    if has_lines {
        let breaks = (1..).map(|line| line * LINE_CHARS).take_while(|&at| at < text.len());
        for at in breaks.collect::<Vec<_>>().into_iter().rev() {
            text.insert(at, '\n');
        }
    }
    text
}
