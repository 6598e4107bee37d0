//! WAV as every player takes it: `fmt ` first, plain tags for mono and stereo, extensible beyond.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};

use super::quantize::Quantizer;
use super::{BitDepth, too_long};
use crate::{AudioSpec, Clip, Result};

pub(super) struct WavWriter {
    file: BufWriter<File>,
    quantizer: Option<Quantizer>,
    sample_bytes: u64,
    spec: AudioSpec,
    is_float: bool,
    data_start: u64,
    frames: u64,
    scratch: Vec<u8>,
}

impl WavWriter {
    pub(super) fn new(file: File, spec: AudioSpec, depth: BitDepth, dither: bool) -> std::io::Result<Self> {
        let mut writer = Self {
            file: BufWriter::with_capacity(1 << 18, file),
            quantizer: depth.integer_bits().map(|bits| Quantizer::new(bits, dither)),
            sample_bytes: u64::from(depth.bits() / 8),
            spec,
            is_float: depth == BitDepth::Float32,
            data_start: 0,
            frames: 0,
            scratch: Vec::new(),
        };
        let header = writer.header(0);
        writer.data_start = header.len() as u64;
        writer.file.write_all(&header)?;
        Ok(writer)
    }

    fn frame_bytes(&self) -> u64 {
        self.sample_bytes * self.spec.channels as u64
    }

    /// Everything up to the first sample, for `tail_bytes` of chunks after the last.
    fn header(&self, tail_bytes: u64) -> Vec<u8> {
        const PCM: u16 = 1;
        const FLOAT: u16 = 3;
        const EXTENSIBLE: u16 = 0xfffe;
        const GUID_TAIL: [u8; 14] = *b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71";
        let tag = if self.is_float { FLOAT } else { PCM };
        let extensible = self.spec.channels > 2;
        let bits = (self.sample_bytes * 8) as u16;
        let mut format = Vec::new();
        format.extend((if extensible { EXTENSIBLE } else { tag }).to_le_bytes());
        format.extend((self.spec.channels as u16).to_le_bytes());
        format.extend(self.spec.sample_rate_hz.to_le_bytes());
        format.extend((self.spec.sample_rate_hz.wrapping_mul(self.frame_bytes() as u32)).to_le_bytes());
        format.extend((self.frame_bytes() as u16).to_le_bytes());
        format.extend(bits.to_le_bytes());
        if extensible {
            const NO_POSITIONS: u32 = 0;
            format.extend(22_u16.to_le_bytes());
            format.extend(bits.to_le_bytes());
            format.extend(NO_POSITIONS.to_le_bytes());
            format.extend(tag.to_le_bytes());
            format.extend(GUID_TAIL);
        } else if self.is_float {
            format.extend(0_u16.to_le_bytes());
        }
        let data_bytes = self.frames * self.frame_bytes();
        let mut header = b"RIFF\0\0\0\0WAVE".to_vec();
        push_chunk(&mut header, b"fmt ", &format);
        if self.is_float {
            push_chunk(&mut header, b"fact", &(self.frames as u32).to_le_bytes());
        }
        header.extend(b"data");
        header.extend((data_bytes as u32).to_le_bytes());
        let riff_bytes = header.len() as u64 - 8 + data_bytes + (data_bytes & 1) + tail_bytes;
        header[4..8].copy_from_slice(&(riff_bytes as u32).to_le_bytes());
        header
    }

    pub(super) fn write(&mut self, clip: &Clip) -> Result<()> {
        const ROOM_FOR_HEADER_AND_TAGS: u64 = 64 << 20;
        let frames = clip.frames() as u64;
        let data_bytes = (self.frames + frames).saturating_mul(self.frame_bytes());
        if data_bytes > u64::from(u32::MAX) - ROOM_FOR_HEADER_AND_TAGS {
            return Err(too_long("a WAV file ends at 4 GiB; write FLAC or fewer bits"));
        }
        self.scratch.clear();
        for frame in 0..clip.frames() {
            for channel in clip.channels() {
                match &mut self.quantizer {
                    Some(quantizer) => {
                        let bytes = quantizer.quantize(channel[frame]).to_le_bytes();
                        self.scratch.extend_from_slice(&bytes[..self.sample_bytes as usize]);
                    }
                    None => self.scratch.extend_from_slice(&channel[frame].to_le_bytes()),
                }
            }
        }
        self.file.write_all(&self.scratch).map_err(super::write_error)?;
        self.frames += frames;
        Ok(())
    }

    /// Ends the file with an ID3 tag, if there is one, and settles the sizes; returns the clamped samples.
    pub(super) fn finish(mut self, id3: Option<&[u8]>) -> std::io::Result<u64> {
        if (self.frames * self.frame_bytes()) % 2 == 1 {
            self.file.write_all(&[0])?;
        }
        let mut tail = Vec::new();
        if let Some(id3) = id3 {
            push_chunk(&mut tail, b"id3 ", id3);
        }
        self.file.write_all(&tail)?;
        let header = self.header(tail.len() as u64);
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&header)?;
        self.file.flush()?;
        Ok(self.quantizer.map_or(0, |quantizer| quantizer.clamped()))
    }
}

fn push_chunk(out: &mut Vec<u8>, id: &[u8; 4], body: &[u8]) {
    out.extend(id);
    out.extend((body.len() as u32).to_le_bytes());
    out.extend(body);
    out.resize(out.len() + (body.len() & 1), 0);
}
