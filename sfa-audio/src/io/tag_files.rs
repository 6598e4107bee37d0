//! Tags and covers in and out of files.

use std::io::BufReader;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use flac_codec::encode::Options as FlacOptions;
use flac_codec::metadata::{Picture as FlacPicture, PictureType as FlacPictureType};
use lofty::config::{ParseOptions, WriteOptions};
use lofty::file::TaggedFileExt;
use lofty::picture::{MimeType, Picture, PictureType};
use lofty::probe::Probe;
use lofty::tag::{ItemKey, Tag, TagExt, TagType};
use symphonia::core::meta::{MetadataRevision, StandardTag};

use super::input::Input;
use super::tags::{Cover, Tags};
use crate::{Error, ErrorKind, Result};

/// Longer texts are cut; nobody shows them.
const MOST_TEXT_CHARS: usize = 4096;
/// Larger pictures are left out.
const MOST_COVER_BYTES: usize = 16 << 20;

/// What `input` says about itself; empty where nothing can be read.
pub(super) fn read(input: &Input) -> Tags {
    // Tags are no reason to fail: whatever goes wrong in here, the song can still be read.
    catch_unwind(AssertUnwindSafe(|| read_tagged(input))).ok().flatten().unwrap_or_default()
}

fn read_tagged(input: &Input) -> Option<Tags> {
    const MOST_JUNK_BYTES: usize = 1 << 17;
    let mut options = ParseOptions::new();
    options.read_properties(false).max_junk_bytes(MOST_JUNK_BYTES);
    let reader = BufReader::new(input.open().ok()?);
    let file = Probe::new(reader).options(options).guess_file_type().ok()?.read().ok()?;
    let primary = file.primary_tag_type();
    let (first, others): (Vec<&Tag>, Vec<&Tag>) =
        file.tags().iter().partition(|tag| tag.tag_type() == primary);
    let mut tags = Tags::default();
    for tag in first.into_iter().chain(others) {
        fill(&mut tags, tag);
    }
    Some(tags)
}

/// Adds what `tag` has and `tags` lacks.
fn fill(tags: &mut Tags, tag: &Tag) {
    let text = |key| tag.get_string(key).and_then(clean_text);
    let fill_text = |field: &mut Option<String>, keys: &[ItemKey]| {
        if field.is_none() {
            *field = keys.iter().find_map(|&key| text(key));
        }
    };
    fill_text(&mut tags.title, &[ItemKey::TrackTitle]);
    fill_text(&mut tags.artist, &[ItemKey::TrackArtist, ItemKey::AlbumArtist]);
    fill_text(&mut tags.album, &[ItemKey::AlbumTitle]);
    fill_text(&mut tags.genre, &[ItemKey::Genre]);
    fill_text(&mut tags.date, &[ItemKey::RecordingDate, ItemKey::Year, ItemKey::ReleaseDate]);
    fill_text(&mut tags.comment, &[ItemKey::Comment]);
    if tags.track_number.is_none() {
        tags.track_number = text(ItemKey::TrackNumber).as_deref().and_then(leading_number);
    }
    if tags.cover.is_none() {
        let front = tag.pictures().iter().find(|picture| picture.pic_type() == PictureType::CoverFront);
        tags.cover = front.or(tag.pictures().first()).and_then(cover_of);
    }
}

fn cover_of(picture: &Picture) -> Option<Cover> {
    let bytes = picture.data();
    let media_type = picture.mime_type().map(MimeType::as_str).or_else(|| media_type_of(bytes))?;
    (bytes.len() <= MOST_COVER_BYTES)
        .then(|| Cover { media_type: media_type.to_owned(), bytes: bytes.to_vec() })
}

fn media_type_of(picture: &[u8]) -> Option<&'static str> {
    match picture {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        _ => None,
    }
}

/// Text without control characters at its ends, cut to a bearable length; `None` when nothing is left.
fn clean_text(text: &str) -> Option<String> {
    let trimmed = text.trim_matches(|c: char| c.is_whitespace() || c.is_control());
    (!trimmed.is_empty()).then(|| trimmed.chars().take(MOST_TEXT_CHARS).collect())
}

/// The number before the slash of "3/12".
fn leading_number(text: &str) -> Option<u32> {
    text.split('/').next()?.trim().parse().ok()
}

/// What a demuxer found, for containers whose tags only it reads.
pub(super) fn from_demuxer(revision: &MetadataRevision) -> Tags {
    let mut tags = Tags::default();
    let per_track = revision.per_track.iter().flat_map(|track| &track.metadata.tags);
    for tag in revision.media.tags.iter().chain(per_track) {
        let Some(standard) = &tag.std else { continue };
        let mut keep = |field: fn(&mut Tags) -> &mut Option<String>, text: &str| {
            let field = field(&mut tags);
            *field = field.take().or_else(|| clean_text(text));
        };
        match standard {
            StandardTag::TrackTitle(text) | StandardTag::MovieTitle(text) => keep(|t| &mut t.title, text),
            StandardTag::Artist(text) => keep(|t| &mut t.artist, text),
            StandardTag::Album(text) => keep(|t| &mut t.album, text),
            StandardTag::Genre(text) => keep(|t| &mut t.genre, text),
            StandardTag::RecordingDate(text) | StandardTag::ReleaseDate(text) => keep(|t| &mut t.date, text),
            StandardTag::Comment(text) => keep(|t| &mut t.comment, text),
            StandardTag::TrackNumber(number) => {
                tags.track_number = tags.track_number.or_else(|| u32::try_from(*number).ok());
            }
            _ => {}
        }
    }
    let picture = revision.media.visuals.iter().find(|visual| visual.data.len() <= MOST_COVER_BYTES);
    tags.cover = picture.and_then(|visual| {
        let media_type = visual.media_type.as_deref().or_else(|| media_type_of(&visual.data))?;
        Some(Cover { media_type: media_type.to_owned(), bytes: visual.data.to_vec() })
    });
    tags
}

/// `tags` in the form that `tag_type` stores.
pub(super) fn to_lofty(tags: &Tags, tag_type: TagType) -> Tag {
    let mut tag = Tag::new(tag_type);
    let number = tags.track_number.map(|number| number.to_string());
    let texts = [
        (ItemKey::TrackTitle, &tags.title),
        (ItemKey::TrackArtist, &tags.artist),
        (ItemKey::AlbumTitle, &tags.album),
        (ItemKey::Genre, &tags.genre),
        (ItemKey::RecordingDate, &tags.date),
        (ItemKey::Comment, &tags.comment),
        (ItemKey::TrackNumber, &number),
    ];
    for (key, text) in texts {
        if let Some(text) = text.as_deref().and_then(clean_text) {
            tag.insert_text(key, text);
        }
    }
    if let Some(cover) = &tags.cover {
        let picture = Picture::unchecked(cover.bytes.clone())
            .pic_type(PictureType::CoverFront)
            .mime_type(MimeType::from_str(&cover.media_type))
            .build();
        tag.push_picture(picture);
    }
    tag
}

/// An ID3v2 tag by itself, as WAV files carry it; `None` for tags without content.
pub(super) fn id3_bytes(tags: &Tags) -> Option<Vec<u8>> {
    let tag = to_lofty(tags, TagType::Id3v2);
    if tag.is_empty() {
        return None;
    }
    let mut bytes = Vec::new();
    tag.dump_to(&mut bytes, WriteOptions::default()).ok()?;
    Some(bytes)
}

/// Puts `tags` into the finished file at `path`, in the way its format stores them.
pub(super) fn write(path: &Path, tags: &Tags) -> Result<()> {
    let failed = |error: &dyn std::error::Error| {
        Error::new(ErrorKind::Io, format!("the tags could not be written: {error}"))
    };
    let probe = Probe::open(path).map_err(|error| failed(&error))?;
    let file_type = probe.guess_file_type().map_err(|error| failed(&error))?.file_type();
    let Some(file_type) = file_type else { return Ok(()) };
    let tag = to_lofty(tags, file_type.primary_tag_type());
    if tag.is_empty() {
        return Ok(());
    }
    tag.save_to_path(path, WriteOptions::default()).map_err(|error| failed(&error))
}

/// `options` with `tags` in the metadata blocks before the audio.
pub(super) fn flac_options(mut options: FlacOptions, tags: Option<&Tags>) -> FlacOptions {
    let Some(tags) = tags else { return options };
    let number = tags.track_number.map(|number| number.to_string());
    let fields = [
        ("TITLE", &tags.title),
        ("ARTIST", &tags.artist),
        ("ALBUM", &tags.album),
        ("GENRE", &tags.genre),
        ("DATE", &tags.date),
        ("COMMENT", &tags.comment),
        ("TRACKNUMBER", &number),
    ];
    for (name, text) in fields {
        if let Some(text) = text.as_deref().and_then(clean_text) {
            options = options.tag(name, text);
        }
    }
    let picture = tags.cover.as_ref().map(|cover| {
        FlacPicture::new(FlacPictureType::FrontCover, "", cover.bytes.clone()).unwrap_or_else(|_| {
            FlacPicture {
                picture_type: FlacPictureType::FrontCover,
                media_type: cover.media_type.clone(),
                description: String::new(),
                width: 0,
                height: 0,
                color_depth: 0,
                colors_used: None,
                data: cover.bytes.clone(),
            }
        })
    });
    // A FLAC metadata block is shorter than 16 MiB.
    match picture.filter(|picture| picture.data.len() < MOST_COVER_BYTES - 4096) {
        Some(picture) => options.picture(picture),
        None => options,
    }
}
