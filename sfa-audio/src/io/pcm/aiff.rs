//! AIFF and AIFF-C.

use symphonia::core::codecs::audio::well_known::*;

use super::fields::Fields;
use super::{Encoding, Layout, float_encoding, integer_encoding, io_error, no_samples, unsupported};
use crate::io::input::Bytes;
use crate::{AudioSpec, Result};

const MAX_CHUNKS: usize = 1000;

/// Walks the chunks of a FORM file; `COMM` may come after `SSND`.
pub(super) fn find(bytes: &mut Bytes) -> Result<Layout> {
    let file_len = bytes.len();
    let (mut common, mut sound) = (None, None);
    let mut position = 12;
    for _ in 0..MAX_CHUNKS {
        let header = bytes.read_at(position, 8).map_err(io_error)?;
        let (Some(id), Some(size)) = (Fields(&header).bytes::<4>(0), Fields(&header).u32_be(4)) else {
            break;
        };
        let body = position + 8;
        match &id {
            b"COMM" => common = Some(bytes.read_at(body, (size as usize).min(256)).map_err(io_error)?),
            b"SSND" => {
                let offset = Fields(&bytes.read_at(body, 8).map_err(io_error)?).u32_be(0).unwrap_or(0);
                let skipped = 8 + u64::from(offset);
                sound = Some((body + skipped, u64::from(size).saturating_sub(skipped), size));
            }
            _ => {}
        }
        if common.is_some() && sound.is_some() {
            break;
        }
        position = body + u64::from(size) + u64::from(size & 1);
    }
    let (Some(common), Some((start, declared, raw_size))) = (common, sound) else {
        return Err(no_samples("AIFF"));
    };
    let mut layout = parse_common(&common)?;
    let unwritten = raw_size == u32::MAX || raw_size <= 8;
    layout.set_data(start, declared, file_len, unwritten);
    Ok(layout)
}

fn parse_common(common: &[u8]) -> Result<Layout> {
    let fields = Fields(common);
    let header =
        || Some((fields.u16_be(0)?, fields.u32_be(2)?, u32::from(fields.u16_be(6)?), fields.bytes::<10>(8)?));
    let Some((channels, frames, bits, rate)) = header() else { return Err(no_samples("AIFF")) };
    let spec = AudioSpec::new(rate_from_extended(rate), usize::from(channels))?;
    let compression = fields.bytes::<4>(18);
    let sample_bytes = bits.div_ceil(8);
    let channels = spec.channels;
    let encoding = match compression.as_ref() {
        None | Some(b"NONE" | b"twos") => integer_encoding(sample_bytes, false, true, channels),
        Some(b"sowt") => integer_encoding(sample_bytes, true, true, channels),
        Some(b"raw ") => integer_encoding(1, false, false, channels),
        Some(b"in24") => integer_encoding(3, false, true, channels),
        Some(b"in32") => integer_encoding(4, false, true, channels),
        Some(b"fl32" | b"FL32") => float_encoding(4, false, channels),
        Some(b"fl64" | b"FL64") => float_encoding(8, false, channels),
        Some(b"alaw" | b"ALAW") => Some(Encoding::linear(CODEC_ID_PCM_ALAW, "pcm_alaw", 1, channels)),
        Some(b"ulaw" | b"ULAW") => Some(Encoding::linear(CODEC_ID_PCM_MULAW, "pcm_mulaw", 1, channels)),
        Some(_) => None,
    };
    let encoding = encoding.ok_or_else(|| {
        let codec = compression.unwrap_or(*b"NONE");
        unsupported(format!("codec {:?} with {bits} bits in an AIFF file", String::from_utf8_lossy(&codec)))
    })?;
    let mut layout = Layout::new("AIFF", encoding, spec);
    layout.declared_frames = Some(u64::from(frames));
    Ok(layout)
}

/// The nearest integer to an 80-bit extended float; 0 for anything that is no sample rate.
fn rate_from_extended(bytes: [u8; 10]) -> u32 {
    const BIAS: i32 = 16383;
    let [high, low, mantissa @ ..] = bytes;
    let exponent = i32::from(u16::from_be_bytes([high, low])) - BIAS;
    if !(0..32).contains(&exponent) {
        return 0;
    }
    let value = u64::from_be_bytes(mantissa) as f64 / 2_f64.powi(63 - exponent);
    value.round() as u32
}

#[cfg(test)]
mod tests {
    use super::rate_from_extended;

    #[test]
    fn extended_floats_give_the_usual_rates() {
        assert_eq!(rate_from_extended([0x40, 0x0e, 0xac, 0x44, 0, 0, 0, 0, 0, 0]), 44_100);
        assert_eq!(rate_from_extended([0x40, 0x0e, 0xbb, 0x80, 0, 0, 0, 0, 0, 0]), 48_000);
        assert_eq!(rate_from_extended([0xff; 10]), 0);
        assert_eq!(rate_from_extended([0; 10]), 0);
    }
}
