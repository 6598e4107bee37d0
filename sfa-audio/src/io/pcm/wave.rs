//! RIFF WAVE with its 64-bit kin RF64, BW64 and Sony Wave64.

use symphonia::core::codecs::audio::well_known::*;

use super::fields::Fields;
use super::{Encoding, Layout, float_encoding, integer_encoding, io_error, no_samples, unsupported};
use crate::io::input::Bytes;
use crate::{AudioSpec, Result};

/// No real `fmt ` chunk comes near this; what is beyond is not read.
const MAX_HEADER_CHUNK_BYTES: usize = 4096;
/// Chunks before the samples; more than this is a file made to waste time.
const MAX_CHUNKS: usize = 1000;
const UNKNOWN_SIZE: u32 = u32::MAX;

/// Walks the chunks of a RIFF, RF64 or BW64 file.
pub(super) fn find_riff(bytes: &mut Bytes) -> Result<Layout> {
    let container = match &bytes.read_at(0, 4).map_err(io_error)?[..] {
        b"RF64" | b"BW64" => "RF64",
        _ => "WAV",
    };
    let file_len = bytes.len();
    let (mut format, mut fact, mut data_size_64) = (None, None, None);
    let mut position = 12;
    for _ in 0..MAX_CHUNKS {
        let header = bytes.read_at(position, 8).map_err(io_error)?;
        let (Some(id), Some(size)) = (Fields(&header).bytes::<4>(0), Fields(&header).u32_le(4)) else {
            break;
        };
        let body = position + 8;
        let mut read_body =
            || bytes.read_at(body, (size as usize).min(MAX_HEADER_CHUNK_BYTES)).map_err(io_error);
        match &id {
            b"fmt " => format = Some(read_body()?),
            b"fact" => fact = Fields(&read_body()?).u32_le(0).map(u64::from),
            b"ds64" => data_size_64 = Fields(&read_body()?).u64_le(8),
            b"data" => {
                let format = format.ok_or_else(|| no_samples(container))?;
                let declared = match data_size_64 {
                    Some(large) if size == UNKNOWN_SIZE => large,
                    _ => u64::from(size),
                };
                let unwritten = match declared {
                    0 => !is_chunk_start(&bytes.read_at(body, 8).map_err(io_error)?, file_len - body),
                    declared => declared == u64::from(UNKNOWN_SIZE),
                };
                let mut layout = parse_format(container, &format)?;
                layout.declared_frames = fact;
                layout.set_data(body, declared, file_len, unwritten);
                return Ok(layout);
            }
            _ => {}
        }
        let padded = u64::from(size) + u64::from(size & 1);
        position = body.saturating_add(padded);
        if size & 1 == 1 && !is_chunk_id(&bytes.read_at(position, 4).map_err(io_error)?) {
            // Some writers leave the padding byte out.
            position -= 1;
        }
    }
    Err(no_samples(container))
}

/// Walks the chunks of a Wave64 file: 16-byte ids, 64-bit sizes that include the header, 8-byte alignment.
pub(super) fn find_wave64(bytes: &mut Bytes) -> Result<Layout> {
    const HEADER_BYTES: u64 = 24;
    let file_len = bytes.len();
    let mut format = None;
    let mut position = 40;
    for _ in 0..MAX_CHUNKS {
        let header = bytes.read_at(position, HEADER_BYTES as usize).map_err(io_error)?;
        let (Some(id), Some(size)) = (Fields(&header).bytes::<4>(0), Fields(&header).u64_le(16)) else {
            break;
        };
        let body = position + HEADER_BYTES;
        let body_size = size.saturating_sub(HEADER_BYTES);
        match &id {
            b"fmt " => {
                let wanted = body_size.min(MAX_HEADER_CHUNK_BYTES as u64) as usize;
                format = Some(bytes.read_at(body, wanted).map_err(io_error)?);
            }
            b"data" => {
                let mut layout = parse_format("Wave64", &format.ok_or_else(|| no_samples("Wave64"))?)?;
                layout.set_data(body, body_size, file_len, body_size == 0);
                return Ok(layout);
            }
            _ => {}
        }
        let aligned = size.max(HEADER_BYTES).checked_next_multiple_of(8).unwrap_or(u64::MAX);
        position = position.saturating_add(aligned);
    }
    Err(no_samples("Wave64"))
}

fn is_chunk_id(id: &[u8]) -> bool {
    id.len() == 4 && id.iter().all(|&byte| byte == b' ' || byte.is_ascii_alphanumeric())
}

/// Whether a chunk that fits into the `left` bytes of the file begins here.
fn is_chunk_start(header: &[u8], left: u64) -> bool {
    left == 0
        || header.get(..4).is_some_and(is_chunk_id)
            && Fields(header).u32_le(4).is_some_and(|size| u64::from(size) <= left)
}

fn parse_format(container: &'static str, format: &[u8]) -> Result<Layout> {
    const EXTENSIBLE: u16 = 0xfffe;
    let fields = Fields(format);
    let header = || {
        Some((
            fields.u16_le(0)?,
            fields.u16_le(2)?,
            fields.u32_le(4)?,
            fields.u16_le(12)?,
            fields.u16_le(14)?,
        ))
    };
    let Some((mut tag, channels, rate, block_bytes, bits)) = header() else {
        return Err(no_samples(container));
    };
    if tag == EXTENSIBLE {
        // The sub-format's GUID starts with the plain tag.
        tag = fields.u16_le(24).unwrap_or(tag);
    }
    let spec = AudioSpec::new(rate, usize::from(channels))?;
    let encoding = encoding_of(tag, spec.channels, u32::from(block_bytes), u32::from(bits))?;
    Ok(Layout::new(container, encoding, spec))
}

fn encoding_of(tag: u16, channels: usize, block_bytes: u32, bits: u32) -> Result<Encoding> {
    let frame_channels = channels as u32;
    // 20 bits in 3 bytes, 24 in 4: the block size tells, where it divides.
    let sample_bytes = match block_bytes / frame_channels {
        bytes @ 1..=8 if block_bytes.is_multiple_of(frame_channels) && bytes * 8 >= bits => bytes,
        _ => bits.div_ceil(8),
    };
    let block = |codec, name, bits, block_frames| Encoding { codec, name, bits, block_bytes, block_frames };
    let encoding = match tag {
        0x0001 => integer_encoding(sample_bytes, true, false, channels),
        0x0003 => float_encoding(sample_bytes, true, channels),
        0x0006 => Some(Encoding::linear(CODEC_ID_PCM_ALAW, "pcm_alaw", 1, channels)),
        0x0007 => Some(Encoding::linear(CODEC_ID_PCM_MULAW, "pcm_mulaw", 1, channels)),
        0x0002 => block_bytes
            .checked_sub(7 * frame_channels)
            .filter(|_| channels <= 2)
            .map(|body| block(CODEC_ID_ADPCM_MS, "adpcm_ms", 4, body * 2 / frame_channels + 2)),
        0x0011 => block_bytes
            .checked_sub(4 * frame_channels)
            .filter(|_| channels <= 2)
            .map(|body| block(CODEC_ID_ADPCM_IMA_WAV, "adpcm_ima_wav", 4, body * 2 / frame_channels + 1)),
        _ => None,
    };
    encoding.ok_or_else(|| {
        let name = match tag {
            0x0001 | 0x0003 => format!("{bits}-bit samples"),
            0x0002 => "MS ADPCM with this block size".to_owned(),
            0x0011 => "IMA ADPCM with this block size".to_owned(),
            0x0031 => "GSM 6.10".to_owned(),
            0x0050 => "MPEG layer 1 or 2".to_owned(),
            0x0055 => "MP3".to_owned(),
            0x00ff | 0x1600 | 0x1610 => "AAC".to_owned(),
            0x0160..=0x0163 => "Windows Media Audio".to_owned(),
            0x2000 => "AC-3".to_owned(),
            0x2001 => "DTS".to_owned(),
            _ => format!("codec 0x{tag:04x}"),
        };
        unsupported(format!("{name} in a WAV file"))
    })
}
