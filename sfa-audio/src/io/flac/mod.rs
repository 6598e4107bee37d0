//! FLAC frames to samples (RFC 9639), in three quarters of the time that the decoder library takes.

mod bits;
mod header;
mod subframe;

use bits::Bits;
use header::Channels;

pub(super) use header::{file_header, parse_frame_header};

/// Bytes of a file's STREAMINFO that are read here.
const STREAM_INFO_BYTES: usize = 18;

/// Decodes the frames of one stream.
pub(super) struct FlacFrames {
    sample_rate_hz: u32,
    bits_per_sample: u32,
    samples: Vec<Vec<i32>>,
}

impl FlacFrames {
    /// A decoder for a stream with this STREAMINFO block (RFC 9639, section 8.2); `None` where it says too little.
    pub(super) fn new(stream_info: &[u8]) -> Option<Self> {
        let info: &[u8; STREAM_INFO_BYTES] = stream_info.first_chunk()?;
        let packed = info[10..].iter().fold(0u64, |packed, byte| packed << 8 | u64::from(*byte));
        let sample_rate_hz = (packed >> 44) as u32;
        let bits_per_sample = (packed >> 36 & 31) as u32 + 1;
        (sample_rate_hz > 0).then_some(Self { sample_rate_hz, bits_per_sample, samples: Vec::new() })
    }

    /// Decodes one frame into `planes`, replacing what is there, and returns the rate; `None` for a damaged one.
    pub(super) fn decode(&mut self, frame: &[u8], planes: &mut Vec<Vec<f32>>) -> Option<u32> {
        let header = parse_frame_header(frame)?;
        let bits_per_sample = header.bits_per_sample.unwrap_or(self.bits_per_sample);
        let channels = usize::from(header.channels.count());
        self.samples.resize_with(channels, Vec::new);
        let mut bits = Bits::new(&frame[header.len..]);
        for (channel, samples) in self.samples.iter_mut().enumerate() {
            samples.resize(header.block_frames as usize, 0);
            let is_side = match header.channels {
                Channels::Independent(_) => false,
                Channels::LeftSide | Channels::MidSide => channel == 1,
                Channels::SideRight => channel == 0,
            };
            // The difference of two samples takes a bit more.
            let width = bits_per_sample + u32::from(is_side);
            subframe::read(&mut bits, Some(width).filter(|&width| width <= u32::BITS)?, samples)?;
        }
        part_channels(header.channels, &mut self.samples);
        planes.resize_with(channels, Vec::new);
        let scale = 1.0 / (1u32 << (bits_per_sample - 1)) as f32;
        for (plane, samples) in planes.iter_mut().zip(&self.samples) {
            plane.clear();
            plane.extend(samples.iter().map(|&sample| sample as f32 * scale));
        }
        Some(self.sample_rate_hz)
    }
}

/// Makes left and right of what is stored.
fn part_channels(channels: Channels, samples: &mut [Vec<i32>]) {
    let [first, second] = samples else { return };
    let pairs = first.iter_mut().zip(second);
    match channels {
        Channels::Independent(_) => {}
        Channels::LeftSide => pairs.for_each(|(left, side)| *side = left.wrapping_sub(*side)),
        Channels::SideRight => pairs.for_each(|(side, right)| *side = side.wrapping_add(*right)),
        Channels::MidSide => pairs.for_each(|(mid, side)| {
            // The bit that halving the sum has lost is that of the difference.
            let sum = mid.wrapping_shl(1) | (*side & 1);
            (*mid, *side) = (sum.wrapping_add(*side) >> 1, sum.wrapping_sub(*side) >> 1);
        }),
    }
}

#[cfg(test)]
mod tests;
