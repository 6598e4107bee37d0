//! Opus packets to samples (RFC 6716), with what the `OpusHead` of RFC 7845 asks for.

use ropus::OpusMSDecoder;

use crate::{AudioSpec, Clip, Error, ErrorKind, Result};

/// Opus always decodes at this rate, whatever the rate of the material was.
pub(super) const OPUS_RATE_HZ: u32 = 48_000;
/// 120 ms, the longest packet.
const MAX_PACKET_FRAMES: usize = 5760;

/// An Opus decoder for one stream of one file.
pub(super) struct OpusPackets {
    decoder: OpusMSDecoder,
    spec: AudioSpec,
    /// Output gain of the header times the step of the decoder's 16-bit output.
    scale: f32,
    pre_skip: u32,
    interleaved: Vec<i16>,
}

/// The identification header (RFC 7845, section 5.1), or its big-endian twin of version 0 from MP4 files.
struct Head<'a> {
    channels: u8,
    pre_skip: u32,
    gain_q8_db: i16,
    streams: u8,
    coupled: u8,
    mapping: &'a [u8],
}

impl<'a> Head<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let fields = bytes.strip_prefix(b"OpusHead")?;
        let &[version, channels, skip_low, skip_high, _, _, _, _, gain_low, gain_high, family, ref rest @ ..] =
            fields
        else {
            return None;
        };
        if version > 15 {
            return None;
        }
        let word = |low: u8, high: u8| if version == 0 { [high, low] } else { [low, high] };
        let (streams, coupled, mapping): (u8, u8, &[u8]) = match (family, channels, rest) {
            (0, 1, _) => (1, 0, &[0]),
            (0, 2, _) => (1, 1, &[0, 1]),
            (1.., 1.., &[streams, coupled, ref mapping @ ..]) => {
                (streams, coupled, mapping.get(..usize::from(channels))?)
            }
            _ => return None,
        };
        Some(Self {
            channels,
            pre_skip: u32::from(u16::from_le_bytes(word(skip_low, skip_high))),
            gain_q8_db: i16::from_le_bytes(word(gain_low, gain_high)),
            streams,
            coupled,
            mapping,
        })
    }
}

impl OpusPackets {
    /// A decoder for a stream with this identification header, or without one for `channels` channels and a
    /// container-given `delay` to skip.
    pub(super) fn new(head: Option<&[u8]>, channels: usize, delay_frames: u32) -> Result<Self> {
        let plain: &[u8] = if channels == 1 { &[0] } else { &[0, 1] };
        let head = match head {
            Some(bytes) => Head::parse(bytes).ok_or_else(|| damaged("the Opus header makes no sense"))?,
            None if channels <= 2 => Head {
                channels: plain.len() as u8,
                pre_skip: delay_frames,
                gain_q8_db: 0,
                streams: 1,
                coupled: plain.len() as u8 - 1,
                mapping: plain,
            },
            None => return Err(damaged("Opus with more than two channels and no header")),
        };
        let spec = AudioSpec::new(OPUS_RATE_HZ, usize::from(head.channels))?;
        let decoder = OpusMSDecoder::new(
            OPUS_RATE_HZ as i32,
            i32::from(head.channels),
            i32::from(head.streams),
            i32::from(head.coupled),
            head.mapping,
        )
        .map_err(|_| damaged("the Opus header makes no sense"))?;
        Ok(Self {
            decoder,
            spec,
            scale: 10_f32.powf(f32::from(head.gain_q8_db) / 256.0 / 20.0) / 32_768.0,
            pre_skip: head.pre_skip,
            interleaved: vec![0; MAX_PACKET_FRAMES * usize::from(head.channels)],
        })
    }

    pub(super) fn spec(&self) -> AudioSpec {
        self.spec
    }

    /// Frames that the encoder put before the first real one.
    pub(super) fn pre_skip(&self) -> u32 {
        self.pre_skip
    }

    /// Decodes one packet into `planes`, replacing what is there; `false` for a packet that does not decode.
    pub(super) fn decode(&mut self, packet: &[u8], planes: &mut Clip) -> bool {
        planes.clear();
        let Ok(len) = i32::try_from(packet.len()) else { return false };
        if packet.is_empty() {
            return false;
        }
        let frames =
            self.decoder.decode(Some(packet), len, &mut self.interleaved, MAX_PACKET_FRAMES as i32, false);
        let Some(frames) = frames.ok().and_then(|frames| usize::try_from(frames).ok()) else { return false };
        let channels = self.spec.channels;
        let planar: Vec<Vec<f32>> = (0..channels)
            .map(|channel| {
                let samples = self.interleaved.iter().skip(channel).step_by(channels).take(frames);
                samples.map(|sample| f32::from(*sample) * self.scale).collect()
            })
            .collect();
        planes.extend(planar.iter().map(Vec::as_slice));
        true
    }
}

fn damaged(message: &str) -> Error {
    Error::new(ErrorKind::Damaged, message)
}
