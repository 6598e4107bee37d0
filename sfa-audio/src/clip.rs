//! Decoded audio in memory, and audio that arrives in blocks.

use crate::{Error, ErrorKind, Result};

/// The highest sample rate accepted from files and callers.
pub const MAX_SAMPLE_RATE_HZ: u32 = 768_000;
/// The lowest sample rate accepted from files and callers.
pub const MIN_SAMPLE_RATE_HZ: u32 = 1_000;
/// The most channels accepted from files and callers.
pub const MAX_CHANNELS: usize = 64;

/// The shape of an audio signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AudioSpec {
    /// Frames per second.
    pub sample_rate_hz: u32,
    /// Samples per frame.
    pub channels: usize,
}

impl AudioSpec {
    /// Checks both numbers against what this crate processes.
    ///
    /// # Errors
    /// `UnsupportedFormat` for a rate outside [`MIN_SAMPLE_RATE_HZ`]`..=`[`MAX_SAMPLE_RATE_HZ`] or a channel
    /// count outside `1..=`[`MAX_CHANNELS`].
    pub fn new(sample_rate_hz: u32, channels: usize) -> Result<Self> {
        if !(MIN_SAMPLE_RATE_HZ..=MAX_SAMPLE_RATE_HZ).contains(&sample_rate_hz) {
            return Err(Error::new(
                ErrorKind::UnsupportedFormat,
                format!(
                    "a sample rate of {sample_rate_hz} Hz is outside {MIN_SAMPLE_RATE_HZ}..={MAX_SAMPLE_RATE_HZ} Hz"
                ),
            ));
        }
        if !(1..=MAX_CHANNELS).contains(&channels) {
            return Err(Error::new(
                ErrorKind::UnsupportedFormat,
                format!("{channels} channels are outside 1..={MAX_CHANNELS}"),
            ));
        }
        Ok(Self { sample_rate_hz, channels })
    }

    /// How long `frames` last.
    pub fn secs(&self, frames: u64) -> f64 {
        frames as f64 / f64::from(self.sample_rate_hz)
    }

    /// The frame nearest to `secs`; 0 for negative times.
    pub fn frame_at(&self, secs: f64) -> u64 {
        (secs.max(0.0) * f64::from(self.sample_rate_hz)).round() as u64
    }
}

/// Decoded audio: planar `f32` samples, every channel equally long, full scale at ±1.0.
///
/// The same type is a whole song and the block that an [`AudioSource`] fills.
#[derive(Debug, Clone, PartialEq)]
pub struct Clip {
    spec: AudioSpec,
    channels: Vec<Vec<f32>>,
}

impl Clip {
    /// An empty clip to be filled.
    pub fn empty(spec: AudioSpec) -> Self {
        Self { spec, channels: vec![Vec::new(); spec.channels] }
    }

    /// `frames` frames of digital silence.
    pub fn silence(spec: AudioSpec, frames: usize) -> Self {
        Self { spec, channels: vec![vec![0.0; frames]; spec.channels] }
    }

    /// A clip from one vector per channel.
    ///
    /// # Errors
    /// `InvalidOption` when the channels differ in length, `UnsupportedFormat` as [`AudioSpec::new`].
    pub fn from_channels(sample_rate_hz: u32, channels: Vec<Vec<f32>>) -> Result<Self> {
        let spec = AudioSpec::new(sample_rate_hz, channels.len())?;
        if channels.windows(2).any(|pair| pair[0].len() != pair[1].len()) {
            return Err(Error::new(ErrorKind::InvalidOption, "the channels of a clip must be equally long"));
        }
        Ok(Self { spec, channels })
    }

    /// Rate and channel count.
    pub fn spec(&self) -> AudioSpec {
        self.spec
    }

    /// Frames per second.
    pub fn sample_rate_hz(&self) -> u32 {
        self.spec.sample_rate_hz
    }

    /// Length in frames.
    pub fn frames(&self) -> usize {
        self.channels[0].len()
    }

    /// Whether there is not one frame.
    pub fn is_empty(&self) -> bool {
        self.frames() == 0
    }

    /// Length in seconds.
    pub fn duration_secs(&self) -> f64 {
        self.spec.secs(self.frames() as u64)
    }

    /// The samples of each channel.
    pub fn channels(&self) -> &[Vec<f32>] {
        &self.channels
    }

    /// The samples of each channel, for changing in place; lengths stay as they are.
    pub fn channels_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.channels.iter_mut().map(Vec::as_mut_slice)
    }

    /// Gives the channel vectors away.
    pub fn into_channels(self) -> Vec<Vec<f32>> {
        self.channels
    }

    /// Removes all frames and keeps the memory.
    pub fn clear(&mut self) {
        self.channels.iter_mut().for_each(Vec::clear);
    }

    /// Appends one slice per channel.
    ///
    /// # Panics
    /// When the number of slices is not the channel count or the slices differ in length.
    pub fn extend<'a>(&mut self, channels: impl IntoIterator<Item = &'a [f32]>) {
        let mut added = 0;
        for (index, samples) in channels.into_iter().enumerate() {
            self.channels[index].extend_from_slice(samples);
            added += 1;
        }
        assert_eq!(added, self.spec.channels, "one slice per channel");
        assert!(self.channels.windows(2).all(|pair| pair[0].len() == pair[1].len()), "slices equally long");
    }

    /// Appends all frames of `other`, which must have the same spec.
    ///
    /// # Panics
    /// When the channel counts differ.
    pub fn append(&mut self, other: &Clip) {
        self.extend(other.channels.iter().map(Vec::as_slice));
    }

    /// Takes `planes` as its channels, and leaves those that it had.
    ///
    /// # Panics
    /// When there is not one per channel, or they differ in length.
    pub(crate) fn swap_channels(&mut self, planes: &mut Vec<Vec<f32>>) {
        assert_eq!(planes.len(), self.spec.channels, "one plane per channel");
        assert!(planes.windows(2).all(|pair| pair[0].len() == pair[1].len()), "planes equally long");
        std::mem::swap(&mut self.channels, planes);
    }

    /// Drops everything from `frames` on.
    pub fn truncate(&mut self, frames: usize) {
        self.channels.iter_mut().for_each(|channel| channel.truncate(frames));
    }

    /// The mean of all channels, appended to `out`.
    pub fn downmix_into(&self, out: &mut Vec<f32>) {
        let scale = 1.0 / self.spec.channels as f32;
        match self.channels.as_slice() {
            [mono] => out.extend_from_slice(mono),
            [left, right] => out.extend(left.iter().zip(right).map(|(l, r)| (l + r) * 0.5)),
            channels => out.extend(
                (0..self.frames()).map(|frame| channels.iter().map(|c| c[frame]).sum::<f32>() * scale),
            ),
        }
    }

    /// The mean of all channels.
    pub fn downmix(&self) -> Vec<f32> {
        let mut mono = Vec::with_capacity(self.frames());
        self.downmix_into(&mut mono);
        mono
    }

    /// The largest absolute sample; 0 for an empty clip.
    pub fn peak(&self) -> f32 {
        self.channels.iter().flatten().fold(0.0, |peak, sample| peak.max(sample.abs()))
    }

    /// This clip as a source that is read in blocks.
    pub fn source(&self) -> ClipSource<'_> {
        ClipSource { clip: self, position: 0 }
    }
}

/// Audio that arrives in blocks and can be read again from the start.
///
/// Callers may rely on: every block has [`spec`](Self::spec), and reading twice gives the same samples.
/// Implementers keep their blocks below about a second, so that callers can check their
/// [`Watch`](crate::Watch) in between.
pub trait AudioSource: Send {
    /// Rate and channel count of every block.
    fn spec(&self) -> AudioSpec;

    /// Frames in all, where known. A container's claim: good for a progress bar, not for an allocation.
    fn frames_hint(&self) -> Option<u64>;

    /// Replaces what is in `block` by the next frames and returns their number; 0 at the end.
    ///
    /// # Errors
    /// `Io` or `Damaged` when reading fails before the first frame of the stream.
    fn read(&mut self, block: &mut Clip) -> Result<usize>;

    /// Goes back to the first frame.
    ///
    /// # Errors
    /// `Io` when the file cannot be opened again.
    fn rewind(&mut self) -> Result<()>;

    /// Reads from here to the end into one clip.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    fn read_to_end(&mut self) -> Result<Clip> {
        let mut whole = Clip::empty(self.spec());
        let mut block = Clip::empty(self.spec());
        while self.read(&mut block)? > 0 {
            whole.append(&block);
        }
        Ok(whole)
    }
}

/// A [`Clip`] read in blocks.
#[derive(Debug)]
pub struct ClipSource<'a> {
    clip: &'a Clip,
    position: usize,
}

impl AudioSource for ClipSource<'_> {
    fn spec(&self) -> AudioSpec {
        self.clip.spec
    }

    fn frames_hint(&self) -> Option<u64> {
        Some(self.clip.frames() as u64)
    }

    fn read(&mut self, block: &mut Clip) -> Result<usize> {
        const BLOCK_FRAMES: usize = 4096;
        let end = (self.position + BLOCK_FRAMES).min(self.clip.frames());
        block.clear();
        block.extend(self.clip.channels.iter().map(|channel| &channel[self.position..end]));
        let read = end - self.position;
        self.position = end;
        Ok(read)
    }

    fn rewind(&mut self) -> Result<()> {
        self.position = 0;
        Ok(())
    }
}

#[cfg(test)]
impl Clip {
    /// The clip cut into blocks of so many frames, the last perhaps shorter.
    pub(crate) fn blocks(&self, frames: usize) -> impl Iterator<Item = Clip> {
        (0..self.frames()).step_by(frames).map(move |start| {
            let end = (start + frames).min(self.frames());
            let mut block = Clip::empty(self.spec);
            block.extend(self.channels.iter().map(|channel| &channel[start..end]));
            block
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_read_in_blocks_is_the_same_clip() {
        let left: Vec<f32> = (0..10_000).map(|n| n as f32 / 10_000.0).collect();
        let clip = Clip::from_channels(44_100, vec![left.clone(), left]).unwrap();
        let mut source = clip.source();
        assert_eq!(source.read_to_end().unwrap(), clip);
        source.rewind().unwrap();
        assert_eq!(source.read_to_end().unwrap(), clip);
    }

    #[test]
    fn absurd_headers_are_refused() {
        for (rate, channels) in [(0, 2), (u32::MAX, 2), (44_100, 0), (44_100, 65_535)] {
            assert_eq!(AudioSpec::new(rate, channels).unwrap_err().kind(), ErrorKind::UnsupportedFormat);
        }
    }

    #[test]
    fn downmix_is_the_mean_of_the_channels() {
        let clip = Clip::from_channels(8000, vec![vec![1.0], vec![0.0], vec![0.5]]).unwrap();
        assert_eq!(clip.downmix(), [0.5]);
    }
}
