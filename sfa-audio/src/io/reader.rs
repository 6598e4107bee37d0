//! The front door for reading: bytes in, trimmed and checked frames out.

use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::container::{self, Opened, Refusal};
use super::input::Input;
use super::pcm::{Layout, PcmPackets};
use super::sniff::{self, Family};
use super::stream::{FrameStream, PacketDecoder, PacketSource, PacketStream};
use super::tags::Tags;
use super::warnings::Warnings;
use super::{bare_flac, ffmpeg, tag_files};
use crate::{AudioSource, AudioSpec, Clip, Error, ErrorKind, Result};

/// What is known about an audio file once its first frames are decoded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct FileInfo {
    /// The container, judged by content: "WAV", "flac", "mp3", "isomp4", "ogg", "matroska" and so on.
    pub container: String,
    /// The codec: "pcm_s16le", "flac", "mp3", "aac", "opus" and so on.
    pub codec: String,
    /// Which decoder reads it: "symphonia", "opus" or "ffmpeg".
    pub decoder: String,
    /// Frames per second of the decoded audio.
    pub sample_rate_hz: u32,
    /// Samples per frame of the decoded audio.
    pub channels: usize,
    /// Bits per sample, where the codec stores samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits_per_sample: Option<u32>,
    /// Bits per second on average, where the length is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bit_rate: Option<u32>,
    /// Length in frames by the container's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frames_hint: Option<u64>,
    /// Encoder delay that is cut from the start, in frames.
    pub leading_trim_frames: u64,
    /// Encoder padding that is cut from the end, in frames, where the file says it.
    pub trailing_trim_frames: u64,
    /// Where the trim is known from.
    pub trim_source: TrimSource,
    /// What the file says about the music.
    pub tags: Tags,
}

impl FileInfo {
    /// Rate and channel count of the decoded audio.
    pub fn spec(&self) -> AudioSpec {
        AudioSpec { sample_rate_hz: self.sample_rate_hz, channels: self.channels }
    }

    /// Whether `frames_hint` was counted by the encoder and not estimated from the file's size.
    fn counts_frames(&self) -> bool {
        match self.container.as_str() {
            "aac" => false,
            "mp1" | "mp2" | "mp3" => self.trim_source == TrimSource::LameTag,
            _ => true,
        }
    }
}

/// The record that tells how much of the decoded frames is encoder delay and padding.
///
/// Programs that disagree about it place the same beat up to 50 ms apart, so a beat grid should say which was
/// used.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrimSource {
    /// Nothing is known, nothing is cut.
    #[default]
    None,
    /// The LAME part of a Xing header (MP3).
    LameTag,
    /// The edit list of an MP4 file.
    EditList,
    /// Apple's `iTunSMPB` comment in an MP4 file.
    ITunSmpb,
    /// The pre-skip of the Opus header.
    OpusPreSkip,
    /// The packet table of a CAF file.
    PacketTable,
    /// The codec delay of a Matroska track.
    CodecDelay,
    /// The frame count in a WAV file whose codec pads its last block.
    FactChunk,
    /// The external decoder's own reckoning.
    External,
}

/// What to cut from the decoded frames, and what to tell about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Trim {
    pub(super) source: TrimSource,
    pub(super) leading_frames: u64,
    pub(super) trailing_frames: u64,
    /// What is still to be dropped here; the decoder may have cut already.
    pub(super) skip_frames: u64,
    /// What is to be kept after that; `None` keeps all.
    pub(super) keep_frames: Option<u64>,
    /// What is to be dropped from the end, where the length is known only there.
    pub(super) drop_last_frames: u64,
}

/// A decoded file, read in blocks.
///
/// What the file claims is never believed: rate and channels are those of the first decoded frames, the length is
/// what decodes. A truncated or damaged file yields what it has; [`warnings`](Self::warnings) tell. Samples that
/// are not numbers become 0, samples beyond full scale stay as they are.
///
/// ```no_run
/// use sfa_audio::{AudioSource, Clip, io::AudioReader};
///
/// let mut reader = AudioReader::open("song.m4a".as_ref())?;
/// let mut block = Clip::empty(reader.spec());
/// while reader.read(&mut block)? > 0 {
///     println!("{} frames, peak {}", block.frames(), block.peak());
/// }
/// # Ok::<(), sfa_audio::Error>(())
/// ```
pub struct AudioReader {
    input: Input,
    info: FileInfo,
    stream: Box<dyn FrameStream>,
    trim: Trim,
    warnings: Warnings,
    /// Decoded frames not yet handed out, from `offset` on.
    decoded: Clip,
    offset: usize,
    held: Clip,
    skip_left: u64,
    keep_left: u64,
    frames_out: u64,
    replaced_samples: u64,
    ended: bool,
}

/// Blocks stay below half a second and within this.
const MOST_BLOCK_FRAMES: usize = 16_384;

impl AudioReader {
    /// Opens the file at `path` and decodes its first frames.
    ///
    /// # Errors
    /// `Io` when it cannot be read; `UnsupportedFormat` for bytes that are not audio we know, saying what was
    /// seen; `Damaged` for a known format without a single frame; `ToolUnavailable` for a codec that only
    /// `ffmpeg` reads while it is not installed.
    pub fn open(path: &Path) -> Result<Self> {
        Self::from_input(Input::Path(path.to_owned()))
    }

    /// Reads an encoded file from memory; `extension_hint` is its name's extension, if there is one.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>, extension_hint: Option<&str>) -> Result<Self> {
        let extension = extension_hint.map(|hint| hint.trim_start_matches('.').to_owned());
        Self::from_input(Input::Bytes { bytes: bytes.into(), extension })
    }

    fn from_input(input: Input) -> Result<Self> {
        let mut warnings = Warnings::default();
        let opened = open_stream(&input, &mut warnings).map_err(|error| input.blame(error))?;
        let spec = opened.stream.spec();
        let len_bytes = input.open()?.len();
        let bit_rate = opened.frames_hint.filter(|&frames| frames > 0).and_then(|frames| {
            let bits_per_sec = len_bytes as f64 * 8.0 / spec.secs(frames);
            (bits_per_sec < f64::from(u32::MAX)).then_some(bits_per_sec.round() as u32)
        });
        let info = FileInfo {
            container: opened.container,
            codec: opened.codec,
            decoder: opened.decoder.to_owned(),
            sample_rate_hz: spec.sample_rate_hz,
            channels: spec.channels,
            bits_per_sample: opened.bits_per_sample,
            bit_rate,
            frames_hint: opened.frames_hint,
            leading_trim_frames: opened.trim.leading_frames,
            trailing_trim_frames: opened.trim.trailing_frames,
            trim_source: opened.trim.source,
            tags: Some(tag_files::read(&input))
                .filter(|tags| *tags != Tags::default())
                .or(opened.tags)
                .unwrap_or_default(),
        };
        Ok(Self {
            input,
            info,
            stream: opened.stream,
            trim: opened.trim,
            warnings,
            decoded: Clip::empty(spec),
            offset: 0,
            held: Clip::empty(spec),
            skip_left: opened.trim.skip_frames,
            keep_left: opened.trim.keep_frames.unwrap_or(u64::MAX),
            frames_out: 0,
            replaced_samples: 0,
            ended: false,
        })
    }

    /// What is known about the file.
    pub fn info(&self) -> &FileInfo {
        &self.info
    }

    /// What was odd about the file so far; complete once [`read`](AudioSource::read) has returned 0.
    pub fn warnings(&self) -> &[String] {
        self.warnings.as_slice()
    }

    /// Gets the next decoded frames that survive trimming into `self.decoded`; `false` at the end.
    fn refill(&mut self) -> Result<bool> {
        while !self.ended && self.keep_left > 0 {
            if !self.stream.next(&mut self.decoded, &mut self.warnings)? {
                self.ended = true;
                break;
            }
            self.hold_back();
            let frames = self.decoded.frames() as u64;
            let skipped = self.skip_left.min(frames);
            self.skip_left -= skipped;
            let kept = (frames - skipped).min(self.keep_left);
            self.keep_left -= kept;
            self.frames_out += kept;
            self.decoded.truncate((skipped + kept) as usize);
            self.offset = skipped as usize;
            if kept > 0 {
                self.replaced_samples += replace_non_numbers(&mut self.decoded);
                return Ok(true);
            }
        }
        self.finish();
        Ok(false)
    }

    /// Exchanges the last frames of `self.decoded` for those held back before, so that the last of all stay here.
    fn hold_back(&mut self) {
        let most = self.trim.drop_last_frames as usize;
        if most == 0 {
            return;
        }
        self.held.append(&self.decoded);
        let ready = self.held.frames().saturating_sub(most);
        self.decoded.clear();
        self.decoded.extend(self.held.channels().iter().map(|channel| &channel[..ready]));
        let mut rest = Clip::empty(self.held.spec());
        rest.extend(self.held.channels().iter().map(|channel| &channel[ready..]));
        self.held = rest;
    }

    fn finish(&mut self) {
        self.ended = true;
        self.offset = self.decoded.frames();
        if let Some(claimed) = self.info.frames_hint.filter(|_| self.info.counts_frames()) {
            let found = self.frames_out;
            // A tenth of a second covers what readers round; more is missing sound.
            if found + u64::from(self.info.sample_rate_hz / 10) < claimed {
                self.warnings.add(format!("truncated: {found} of {claimed} frames are there"));
            }
        }
        if self.replaced_samples > 0 {
            self.warnings.add(format!("{} samples were no numbers and became 0", self.replaced_samples));
        }
    }
}

impl AudioSource for AudioReader {
    fn spec(&self) -> AudioSpec {
        self.info.spec()
    }

    fn frames_hint(&self) -> Option<u64> {
        self.info.frames_hint
    }

    fn read(&mut self, block: &mut Clip) -> Result<usize> {
        let spec = self.spec();
        if block.spec() == spec {
            block.clear();
        } else {
            *block = Clip::empty(spec);
        }
        let wanted = MOST_BLOCK_FRAMES.min(spec.sample_rate_hz as usize / 2);
        while block.frames() < wanted {
            if self.offset >= self.decoded.frames() && !self.refill()? {
                break;
            }
            let end = self.decoded.frames().min(self.offset + wanted - block.frames());
            block.extend(self.decoded.channels().iter().map(|channel| &channel[self.offset..end]));
            self.offset = end;
        }
        Ok(block.frames())
    }

    fn rewind(&mut self) -> Result<()> {
        let mut warnings = self.warnings.clone();
        let opened = open_stream(&self.input, &mut warnings).map_err(|error| self.input.blame(error))?;
        if opened.stream.spec() != self.spec() {
            let changed = Error::new(ErrorKind::Damaged, "the file changed while it was being read");
            return Err(self.input.blame(changed));
        }
        self.stream = opened.stream;
        self.warnings = warnings;
        self.decoded.clear();
        self.offset = 0;
        self.held.clear();
        self.skip_left = self.trim.skip_frames;
        self.keep_left = self.trim.keep_frames.unwrap_or(u64::MAX);
        self.frames_out = 0;
        self.replaced_samples = 0;
        self.ended = false;
        Ok(())
    }
}

/// Sets NaN and infinities to 0 and returns how many there were.
fn replace_non_numbers(clip: &mut Clip) -> u64 {
    /// Samples that are looked at together.
    const LOOKED_AT: usize = 256;
    let mut replaced = 0;
    for samples in clip.channels_mut().flat_map(|channel| channel.chunks_mut(LOOKED_AT)) {
        // Hardly ever is there one, which is seen sooner of many samples at once.
        if samples.iter().fold(0u32, |some, sample| some | u32::from(!sample.is_finite())) == 0 {
            continue;
        }
        for sample in samples.iter_mut().filter(|sample| !sample.is_finite()) {
            *sample = 0.0;
            replaced += 1;
        }
    }
    replaced
}

/// Opens `input` with whatever reads it.
fn open_stream(input: &Input, warnings: &mut Warnings) -> Result<Opened> {
    const HEAD_BYTES: usize = 512;
    let read_failed = |error: std::io::Error| Error::new(ErrorKind::Io, error.to_string()).caused_by(error);
    let mut bytes = input.open()?;
    let head = bytes.read_at(0, HEAD_BYTES).map_err(read_failed)?;
    let family = sniff::sniff(&head);
    let prefix = match family {
        Family::NotAudio(what) => return Err(container::unknown_format(what)),
        Family::External(name) => return ffmpeg::open(input, name, warnings),
        Family::Pcm => {
            return match Layout::find(&mut bytes) {
                Ok(layout) => open_pcm(&layout, input, warnings),
                Err(error) if error.kind() == ErrorKind::UnsupportedFormat => {
                    ffmpeg::open(input, error.message(), warnings)
                }
                Err(error) => Err(error),
            };
        }
        Family::BareFlac => {
            warnings.add("the FLAC file header is missing");
            bare_flac::parse_frame_header(&head).map(bare_flac::file_header).unwrap_or_default()
        }
        Family::Mp4 | Family::Demuxed => Vec::new(),
    };
    match container::open(input, family, prefix, warnings) {
        Ok(opened) => Ok(opened),
        Err(Refusal::Codec(codec)) => ffmpeg::open(input, &codec, warnings),
        Err(Refusal::Unknown(_)) if family == Family::Demuxed => {
            Err(container::unknown_format(&sniff::describe_head(&head)))
        }
        Err(Refusal::Unknown(why)) => {
            Err(Error::new(ErrorKind::Damaged, format!("the container cannot be read: {why}")))
        }
        Err(Refusal::Fatal(error)) => Err(error),
    }
}

fn open_pcm(layout: &Layout, input: &Input, warnings: &mut Warnings) -> Result<Opened> {
    for warning in &layout.warnings {
        warnings.add(warning.clone());
    }
    let frames = layout.frames();
    if frames == 0 {
        let empty = format!("this {} file holds no samples", layout.container);
        return Err(Error::new(ErrorKind::Damaged, empty));
    }
    let params = layout.codec_params();
    let decoder = PacketDecoder::library(&params)
        .map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))?;
    let packets = PcmPackets::new(layout, input.open()?)
        .map_err(|error| Error::new(ErrorKind::Io, error.to_string()).caused_by(error))?;
    let stream = PacketStream::start(PacketSource::Pcm(packets), decoder, None, 0, None, warnings)?;
    let padding = layout.padding_frames();
    let source = if padding > 0 { TrimSource::FactChunk } else { TrimSource::None };
    Ok(Opened {
        stream: Box::new(stream),
        container: layout.container.to_owned(),
        codec: layout.encoding.name.to_owned(),
        decoder: "symphonia",
        bits_per_sample: Some(layout.encoding.bits),
        frames_hint: Some(frames),
        trim: Trim { source, trailing_frames: padding, keep_frames: Some(frames), ..Trim::default() },
        tags: None,
    })
}
