//! Sun and NeXT AU.

use symphonia::core::codecs::audio::well_known::*;

use super::fields::Fields;
use super::{Encoding, Layout, float_encoding, integer_encoding, io_error, no_samples, unsupported};
use crate::io::input::Bytes;
use crate::{AudioSpec, Result};

/// Reads the fixed header.
pub(super) fn find(bytes: &mut Bytes) -> Result<Layout> {
    let head = bytes.read_at(0, 24).map_err(io_error)?;
    let fields = Fields(&head);
    let header = || {
        Some((
            fields.u32_be(4)?,
            fields.u32_be(8)?,
            fields.u32_be(12)?,
            fields.u32_be(16)?,
            fields.u32_be(20)?,
        ))
    };
    let Some((start, size, code, rate, channels)) = header() else { return Err(no_samples("AU")) };
    let spec = AudioSpec::new(rate, channels as usize)?;
    let channels = spec.channels;
    let encoding = match code {
        1 => Some(Encoding::linear(CODEC_ID_PCM_MULAW, "pcm_mulaw", 1, channels)),
        2..=5 => integer_encoding(code - 1, false, true, channels),
        6 => float_encoding(4, false, channels),
        7 => float_encoding(8, false, channels),
        27 => Some(Encoding::linear(CODEC_ID_PCM_ALAW, "pcm_alaw", 1, channels)),
        _ => None,
    };
    let encoding = encoding.ok_or_else(|| unsupported(format!("encoding {code} in an AU file")))?;
    let mut layout = Layout::new("AU", encoding, spec);
    layout.set_data(u64::from(start), u64::from(size), bytes.len(), size == u32::MAX || size == 0);
    Ok(layout)
}
