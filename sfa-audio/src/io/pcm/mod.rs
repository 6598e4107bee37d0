//! Sample data in WAV, RF64, Wave64, AIFF, AIFC and AU files, read with headers that need not be right.
//!
//! Recorders and cutters leave sizes of 0, of 0xFFFFFFFF or of more than the file. Only the facts needed for
//! decoding are taken from a header, and each is held against the file's real length.

mod aiff;
mod au;
mod fields;
mod wave;

use std::io::{Read, Seek, SeekFrom};

use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::well_known::*;
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters};
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};

use super::input::Bytes;
use crate::{AudioSpec, Error, ErrorKind, Result};

/// Where the samples are and how they are stored.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) container: &'static str,
    pub(super) encoding: Encoding,
    pub(super) spec: AudioSpec,
    data_start: u64,
    data_bytes: u64,
    /// Frames that the header promises; used to cut the padding of block codecs.
    declared_frames: Option<u64>,
    /// What was wrong with the header.
    pub(super) warnings: Vec<String>,
}

/// How samples are stored: in whole blocks of `block_bytes` that hold `block_frames` each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Encoding {
    codec: AudioCodecId,
    pub(super) name: &'static str,
    /// Bits per sample as stored.
    pub(super) bits: u32,
    block_bytes: u32,
    block_frames: u32,
}

impl Encoding {
    /// One frame per block, `bytes` for every sample.
    fn linear(codec: AudioCodecId, name: &'static str, bytes: u32, channels: usize) -> Self {
        Self { codec, name, bits: bytes * 8, block_bytes: bytes * channels as u32, block_frames: 1 }
    }

    fn is_block_codec(&self) -> bool {
        self.block_frames > 1
    }
}

impl Layout {
    /// Finds the samples of a file that [`sniff`](super::sniff::sniff) holds for one of this family.
    ///
    /// # Errors
    /// `UnsupportedFormat` naming the codec for samples that are not PCM or ADPCM; `Damaged` without samples.
    pub(super) fn find(bytes: &mut Bytes) -> Result<Self> {
        let head = bytes.read_at(0, 12).map_err(io_error)?;
        match &head[..4] {
            b"FORM" => aiff::find(bytes),
            b".snd" => au::find(bytes),
            b"riff" => wave::find_wave64(bytes),
            _ => wave::find_riff(bytes),
        }
    }

    /// Frames in the file: whole blocks that are really there, cut to what the header promises where the codec
    /// pads its last block.
    pub(super) fn frames(&self) -> u64 {
        let block_bytes = u64::from(self.encoding.block_bytes);
        let there = self.data_bytes / block_bytes * u64::from(self.encoding.block_frames);
        match self.declared_frames {
            Some(declared) if declared > 0 && self.encoding.is_block_codec() => there.min(declared),
            _ => there,
        }
    }

    /// Frames that decode but are only padding of the last block.
    pub(super) fn padding_frames(&self) -> u64 {
        let block_bytes = u64::from(self.encoding.block_bytes);
        self.data_bytes / block_bytes * u64::from(self.encoding.block_frames) - self.frames()
    }

    /// What the decoder needs to know.
    pub(super) fn codec_params(&self) -> AudioCodecParameters {
        let mut params = AudioCodecParameters::new();
        params
            .for_codec(self.encoding.codec)
            .with_sample_rate(self.spec.sample_rate_hz)
            .with_channels(Channels::Discrete(self.spec.channels as u16))
            .with_max_frames_per_packet(u64::from(self.encoding.block_frames.max(PACKET_FRAMES)))
            .with_frames_per_block(u64::from(self.encoding.block_frames));
        params
    }

    /// Settles the length of the sample data: what the header says, within what the file holds.
    fn set_data(&mut self, start: u64, declared: u64, file_len: u64, unwritten: bool) {
        let there = file_len.saturating_sub(start);
        if unwritten {
            if there > 0 {
                self.warnings.push("the header has no length (a recording that was not closed)".into());
            }
        } else if declared > there {
            self.warnings.push(format!(
                "truncated: the header promises {declared} bytes of samples, the file holds {there}"
            ));
        }
        self.data_start = start;
        self.data_bytes = if unwritten { there } else { declared.min(there) };
    }

    fn new(container: &'static str, encoding: Encoding, spec: AudioSpec) -> Self {
        Self {
            container,
            encoding,
            spec,
            data_start: 0,
            data_bytes: 0,
            declared_frames: None,
            warnings: Vec::new(),
        }
    }
}

const PACKET_FRAMES: u32 = 4096;

/// The sample data cut into packets for a decoder.
#[derive(Debug)]
pub(super) struct PcmPackets {
    bytes: Bytes,
    encoding: Encoding,
    bytes_left: u64,
    position_frames: u64,
}

impl PcmPackets {
    pub(super) fn new(layout: &Layout, mut bytes: Bytes) -> std::io::Result<Self> {
        bytes.seek(SeekFrom::Start(layout.data_start))?;
        Ok(Self { bytes, encoding: layout.encoding, bytes_left: layout.data_bytes, position_frames: 0 })
    }

    /// The next whole blocks; `None` at the end of the sample data.
    pub(super) fn next_packet(&mut self) -> std::io::Result<Option<Packet>> {
        let block_bytes = u64::from(self.encoding.block_bytes);
        let blocks = u64::from((PACKET_FRAMES / self.encoding.block_frames).max(1));
        let wanted = (blocks * block_bytes).min(self.bytes_left);
        let mut data = Vec::with_capacity(wanted as usize);
        (&mut self.bytes).take(wanted).read_to_end(&mut data)?;
        let whole_blocks = data.len() as u64 / block_bytes;
        data.truncate((whole_blocks * block_bytes) as usize);
        if whole_blocks == 0 {
            return Ok(None);
        }
        self.bytes_left -= wanted;
        let frames = whole_blocks * u64::from(self.encoding.block_frames);
        let start = Timestamp::new(i64::try_from(self.position_frames).unwrap_or(i64::MAX));
        self.position_frames += frames;
        Ok(Some(Packet::new(0, start, Duration::new(frames), data)))
    }
}

/// The encoding of integer samples of 1 to 4 bytes.
fn integer_encoding(
    bytes: u32,
    little_endian: bool,
    signed_bytes: bool,
    channels: usize,
) -> Option<Encoding> {
    let (codec, name) = match (bytes, little_endian) {
        (1, _) if signed_bytes => (CODEC_ID_PCM_S8, "pcm_s8"),
        (1, _) => (CODEC_ID_PCM_U8, "pcm_u8"),
        (2, true) => (CODEC_ID_PCM_S16LE, "pcm_s16le"),
        (2, false) => (CODEC_ID_PCM_S16BE, "pcm_s16be"),
        (3, true) => (CODEC_ID_PCM_S24LE, "pcm_s24le"),
        (3, false) => (CODEC_ID_PCM_S24BE, "pcm_s24be"),
        (4, true) => (CODEC_ID_PCM_S32LE, "pcm_s32le"),
        (4, false) => (CODEC_ID_PCM_S32BE, "pcm_s32be"),
        _ => return None,
    };
    Some(Encoding::linear(codec, name, bytes, channels))
}

/// The encoding of floating-point samples of 4 or 8 bytes.
fn float_encoding(bytes: u32, little_endian: bool, channels: usize) -> Option<Encoding> {
    let (codec, name) = match (bytes, little_endian) {
        (4, true) => (CODEC_ID_PCM_F32LE, "pcm_f32le"),
        (4, false) => (CODEC_ID_PCM_F32BE, "pcm_f32be"),
        (8, true) => (CODEC_ID_PCM_F64LE, "pcm_f64le"),
        (8, false) => (CODEC_ID_PCM_F64BE, "pcm_f64be"),
        _ => return None,
    };
    Some(Encoding::linear(codec, name, bytes, channels))
}

fn unsupported(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::UnsupportedFormat, what)
}

fn no_samples(container: &str) -> Error {
    Error::new(ErrorKind::Damaged, format!("this {container} file holds no samples"))
}

fn io_error(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, error.to_string()).caused_by(error)
}
