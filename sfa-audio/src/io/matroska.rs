//! Delay and padding of a Matroska track, which the demuxer does not tell.
//!
//! Muxers write the delay as `CodecDelay` into the track's entry and the padding as `DiscardPadding` into the last
//! block group, both in nanoseconds (RFC 9559, sections 5.1.4.1.27 and 5.1.3.5.7).

use std::io;

use super::input::Bytes;

const SEGMENT: u64 = 0x1853_8067;
const TRACKS: u64 = 0x1654_ae6b;
const TRACK_ENTRY: u64 = 0xae;
const TRACK_NUMBER: u64 = 0xd7;
const CODEC_DELAY: u64 = 0x56aa;
const CLUSTER: u64 = 0x1f43_b675;
const BLOCK_GROUP: u64 = 0xa0;
const BLOCK: u64 = 0xa1;
const DISCARD_PADDING: u64 = 0x75a2;
/// More elements are not walked over in search of the last cluster and its last group.
const MAX_ELEMENTS: u32 = 200_000;

/// What of a track is no music, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct TrackEnds {
    delay_ns: u64,
    padding_ns: u64,
}

impl TrackEnds {
    /// Reads what the file says about the track with number `track`.
    pub(super) fn read(bytes: &mut Bytes, track: u32) -> io::Result<Self> {
        let (mut cluster, mut tracks) = (None, None);
        let end = bytes.len();
        for_each_element(bytes, (0, end), |id, range| {
            match id {
                SEGMENT => return Some(range),
                TRACKS => tracks = Some(range),
                CLUSTER => cluster = Some(range),
                _ => {}
            }
            None
        })?;
        let mut entries = Vec::new();
        if let Some(tracks) = tracks {
            for_each_element(bytes, tracks, |id, range| {
                if id == TRACK_ENTRY {
                    entries.push(range);
                }
                None
            })?;
        }
        let mut ends = Self::default();
        for entry in entries {
            let fields = find(bytes, entry, [TRACK_NUMBER, CODEC_DELAY])?;
            if let [Some(number_at), Some(delay_at)] = fields
                && number(bytes, number_at)? == u64::from(track)
            {
                ends.delay_ns = number(bytes, delay_at)?;
            }
        }
        if let Some(cluster) = cluster
            && let [Some(group)] = find(bytes, cluster, [BLOCK_GROUP])?
            && let [Some(block), Some(padding)] = find(bytes, group, [BLOCK, DISCARD_PADDING])?
            && vint(&bytes.read_at(block.0, 8)?).is_some_and(|(id, _)| id == u64::from(track))
        {
            ends.padding_ns = number(bytes, padding)?;
        }
        Ok(ends)
    }

    /// Frames before the first one of the music.
    pub(super) fn delay_frames(self, sample_rate_hz: u32) -> u64 {
        frames(self.delay_ns, sample_rate_hz)
    }

    /// Frames after the last one of the music.
    pub(super) fn padding_frames(self, sample_rate_hz: u32) -> u64 {
        frames(self.padding_ns, sample_rate_hz)
    }
}

/// The nearest number of frames; 0 for more than an eighth of a second, which is damage.
fn frames(nanoseconds: u64, sample_rate_hz: u32) -> u64 {
    let frames = (u128::from(nanoseconds) * u128::from(sample_rate_hz) + 500_000_000) / 1_000_000_000;
    u64::try_from(frames).ok().filter(|&frames| frames <= u64::from(sample_rate_hz / 8)).unwrap_or(0)
}

type ByteRange = (u64, u64);

/// The last child of each wanted id.
fn find<const N: usize>(
    bytes: &mut Bytes,
    parent: ByteRange,
    wanted: [u64; N],
) -> io::Result<[Option<ByteRange>; N]> {
    let mut found = [None; N];
    for_each_element(bytes, parent, |id, range| {
        if let Some(index) = wanted.iter().position(|&one| one == id) {
            found[index] = Some(range);
        }
        None
    })?;
    Ok(found)
}

/// The unsigned number stored in `range`.
fn number(bytes: &mut Bytes, (start, end): ByteRange) -> io::Result<u64> {
    let digits = bytes.read_at(start, (end - start).min(8) as usize)?;
    Ok(digits.iter().fold(0, |value, &digit| value << 8 | u64::from(digit)))
}

/// Calls `visit` with id and body of each element in the range; where it answers with a range, the walk goes on
/// inside that.
fn for_each_element(
    bytes: &mut Bytes,
    (mut position, mut end): ByteRange,
    mut visit: impl FnMut(u64, ByteRange) -> Option<ByteRange>,
) -> io::Result<()> {
    for _ in 0..MAX_ELEMENTS {
        if position >= end {
            break;
        }
        let header = bytes.read_at(position, 12)?;
        let Some(id_len) = header.first().map(|first| first.leading_zeros() as usize + 1) else { break };
        let Some(id) = header.get(..id_len).filter(|id| id.len() <= 4) else { break };
        let id = id.iter().fold(0, |id, &byte| id << 8 | u64::from(byte));
        let Some((size, size_len)) = header.get(id_len..).and_then(vint) else { break };
        let start = position + (id_len + size_len) as u64;
        let element_end = start.saturating_add(size).min(end);
        if start > element_end {
            break;
        }
        match visit(id, (start, element_end)) {
            Some(inside) => (position, end) = inside,
            None => position = element_end,
        }
    }
    Ok(())
}

/// A variable-length number without its length marker, and how many bytes it took.
fn vint(bytes: &[u8]) -> Option<(u64, usize)> {
    let first = *bytes.first()?;
    let len = first.leading_zeros() as usize + 1;
    if len > 8 {
        return None;
    }
    let rest = bytes.get(1..len)?;
    let value = u64::from(first) & ((1 << (8 - len)) - 1);
    Some((rest.iter().fold(value, |value, &byte| value << 8 | u64::from(byte)), len))
}
