//! The header of a FLAC frame, and file headers for frames without one.

/// What a frame says about itself (RFC 9639, section 9.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::io) struct FrameHeader {
    /// Bytes of the header.
    pub(super) len: usize,
    pub(super) block_frames: u32,
    pub(super) channels: Channels,
    /// Where the frame says it, and not only the file.
    pub(super) bits_per_sample: Option<u32>,
    sample_rate_hz: Option<u32>,
    /// Whether every block but the last has as many frames.
    is_fixed: bool,
}

/// How the channels of a frame are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channels {
    /// So many, each for itself.
    Independent(u8),
    /// Left, and left minus right.
    LeftSide,
    /// Left minus right, and right.
    SideRight,
    /// The mean, and left minus right.
    MidSide,
}

impl Channels {
    pub(super) fn count(self) -> u8 {
        if let Self::Independent(count) = self { count } else { 2 }
    }
}

/// Reads the frame header at the start of `head`, when it is complete, plausible and its CRC-8 is right.
pub(in crate::io) fn parse_frame_header(head: &[u8]) -> Option<FrameHeader> {
    let &[0xff, strategy @ (0xf8 | 0xf9), sizes, layout, ..] = head else { return None };
    let (block_code, rate_code) = (sizes >> 4, sizes & 15);
    let channels = match layout >> 4 {
        code @ 0..=7 => Channels::Independent(code + 1),
        8 => Channels::LeftSide,
        9 => Channels::SideRight,
        10 => Channels::MidSide,
        _ => return None,
    };
    let bits_per_sample = match (layout >> 1) & 7 {
        0 => None,
        1 => Some(8),
        2 => Some(12),
        4 => Some(16),
        5 => Some(20),
        6 => Some(24),
        7 => Some(32),
        _ => return None,
    };
    if block_code == 0 || layout & 1 != 0 {
        return None;
    }
    let number_len = match head.get(4)?.leading_ones() {
        0 => 1,
        ones @ 2..=7 => ones as usize,
        _ => return None,
    };
    let byte = |index: usize| head.get(index).copied().map(u32::from);
    let word = |index: usize| Some(byte(index)? << 8 | byte(index + 1)?);
    let mut position = 4 + number_len;
    let (block_frames, block_len) = match block_code {
        1 => (192, 0),
        2..=5 => (144 << block_code, 0),
        6 => (byte(position)? + 1, 1),
        7 => (word(position)? + 1, 2),
        _ => (1 << block_code, 0),
    };
    position += block_len;
    let (sample_rate_hz, rate_len) = match rate_code {
        0 => (0, 0),
        1 => (88_200, 0),
        2 => (176_400, 0),
        3 => (192_000, 0),
        4 => (8_000, 0),
        5 => (16_000, 0),
        6 => (22_050, 0),
        7 => (24_000, 0),
        8 => (32_000, 0),
        9 => (44_100, 0),
        10 => (48_000, 0),
        11 => (96_000, 0),
        12 => (byte(position)? * 1_000, 1),
        13 => (word(position)?, 2),
        14 => (word(position)? * 10, 2),
        _ => return None,
    };
    position += rate_len;
    (crc8(head.get(..position)?) == *head.get(position)?).then_some(FrameHeader {
        len: position + 1,
        block_frames,
        channels,
        bits_per_sample,
        sample_rate_hz: Some(sample_rate_hz).filter(|&rate_hz| rate_hz > 0),
        is_fixed: strategy == 0xf8,
    })
}

/// A file header that says as much about the stream as the frame header does, and no more; `None` where that is too
/// little.
pub(in crate::io) fn file_header(frame: FrameHeader) -> Option<Vec<u8>> {
    const STREAMINFO_LAST_OF_34_BYTES: [u8; 4] = [0x80, 0, 0, 34];
    let mut header = b"fLaC".to_vec();
    header.extend(STREAMINFO_LAST_OF_34_BYTES);
    let (shortest, longest) = match u16::try_from(frame.block_frames) {
        Ok(frames) if frame.is_fixed => (frames.max(16), frames.max(16)),
        _ => (16, u16::MAX),
    };
    header.extend(shortest.to_be_bytes());
    header.extend(longest.to_be_bytes());
    header.extend([0; 6]);
    let packed = u64::from(frame.sample_rate_hz?) << 44
        | u64::from(frame.channels.count() - 1) << 41
        | u64::from(frame.bits_per_sample? - 1) << 36;
    header.extend(packed.to_be_bytes());
    header.extend([0; 16]);
    Some(header)
}

/// CRC-8 with polynomial x^8 + x^2 + x + 1, as FLAC frame headers end with.
fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc: u8, _| if crc & 0x80 != 0 { crc << 1 ^ 0x07 } else { crc << 1 })
    })
}
