//! Packets to frames, whatever is wrong with some of the packets.

use std::panic::{AssertUnwindSafe, catch_unwind};

use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::FormatReader;
use symphonia::core::packet::Packet;
use symphonia::core::units::TimeBase;

use super::conform::Conform;
use super::container;
use super::input::ReadBudget;
use super::opus::OpusPackets;
use super::pcm::PcmPackets;
use super::warnings::Warnings;
use crate::{AudioSpec, Clip, Error, ErrorKind, Result};

/// Decoded frames in order, before the container's trimming is applied.
pub(super) trait FrameStream: Send {
    /// Rate and channels of all frames.
    fn spec(&self) -> AudioSpec;

    /// Replaces what is in `frames` by the next ones, never none; `false` at the end.
    fn next(&mut self, frames: &mut Clip, warnings: &mut Warnings) -> Result<bool>;
}

/// Where packets come from.
pub(super) enum PacketSource {
    Container(Box<dyn FormatReader>),
    Pcm(PcmPackets),
}

impl PacketSource {
    fn next_packet(&mut self) -> Result<Option<Packet>, SymphoniaError> {
        match self {
            Self::Container(reader) => reader.next_packet(),
            Self::Pcm(packets) => Ok(packets.next_packet()?),
        }
    }
}

/// What decodes packets.
pub(super) enum PacketDecoder {
    Library(Box<dyn AudioDecoder>),
    Opus(Box<OpusPackets>),
}

impl PacketDecoder {
    /// A decoder of the decoder library.
    pub(super) fn library(params: &AudioCodecParameters) -> Result<Self, SymphoniaError> {
        let options = AudioDecoderOptions::default().gapless(true);
        let make = || symphonia::default::get_codecs().make_audio_decoder(params, &options);
        guarded(make).map(Self::Library)
    }

    /// Decodes into `planes`, replacing what is there, and returns the rate; `None` for a damaged packet.
    fn decode(&mut self, packet: &Packet, planes: &mut Vec<Vec<f32>>) -> Option<u32> {
        match self {
            Self::Library(decoder) => guarded(|| {
                let buffer = decoder.decode(packet)?;
                buffer.copy_to_vecs_planar::<f32>(planes);
                Ok(buffer.spec().rate())
            })
            .ok(),
            Self::Opus(decoder) => guarded(|| {
                let mut clip = Clip::empty(decoder.spec());
                let decoded = decoder.decode(&packet.data, &mut clip);
                Ok(decoded.then(|| {
                    // The library's decoders cut by the packet's trim themselves.
                    let end = usize::try_from(packet.trim_end.get()).unwrap_or(usize::MAX);
                    clip.truncate(clip.frames().saturating_sub(end));
                    *planes = clip.into_channels();
                    decoder.spec().sample_rate_hz
                }))
            })
            .ok()
            .flatten(),
        }
    }
}

/// Runs third-party code on untrusted bytes; its panics become errors.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, SymphoniaError>) -> Result<T, SymphoniaError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or(Err(SymphoniaError::DecodeError("the decoder failed on damaged bytes")))
}

/// The frames of one track.
pub(super) struct PacketStream {
    source: PacketSource,
    decoder: PacketDecoder,
    budget: Option<ReadBudget>,
    track_id: u32,
    time_base: Option<TimeBase>,
    spec: AudioSpec,
    planes: Vec<Vec<f32>>,
    /// Decoded while opening, handed out first.
    primed: Option<Clip>,
    conform: Option<Conform>,
    /// Length of damaged packets since the last good one: silence keeps everything after them in its place.
    lost_frames: u64,
    lost_packets: u64,
    idle_packets: u32,
    ended: bool,
}

/// Damaged or empty packets in a row after which a file is given up.
const MAX_IDLE_PACKETS: u32 = 5_000;
/// No codec we read packs more into a packet; longer claims are not believed.
const MAX_LOST_FRAMES_PER_PACKET: u64 = 65_536;

impl PacketStream {
    /// Starts decoding and goes on until the first frames are there, for only they tell the true spec.
    ///
    /// # Errors
    /// `Damaged` when the stream ends before it yields a frame.
    pub(super) fn start(
        source: PacketSource,
        decoder: PacketDecoder,
        budget: Option<ReadBudget>,
        track_id: u32,
        time_base: Option<TimeBase>,
        warnings: &mut Warnings,
    ) -> Result<Self> {
        let mut stream = Self {
            source,
            decoder,
            budget,
            track_id,
            time_base,
            spec: AudioSpec { sample_rate_hz: 0, channels: 0 },
            planes: Vec::new(),
            primed: None,
            conform: None,
            lost_frames: 0,
            lost_packets: 0,
            idle_packets: 0,
            ended: false,
        };
        let mut first_warnings = Warnings::default();
        let Some(rate) = stream.decode_next(&mut first_warnings) else {
            let reason = match first_warnings.as_slice().first() {
                Some(warning) => format!("no audio could be decoded ({warning})"),
                None => "no audio could be decoded".to_owned(),
            };
            return Err(Error::new(ErrorKind::Damaged, reason));
        };
        for warning in first_warnings.as_slice() {
            warnings.add(warning.clone());
        }
        stream.spec = AudioSpec::new(rate, stream.planes.len())?;
        stream.primed = Some(Clip::from_channels(rate, std::mem::take(&mut stream.planes))?);
        Ok(stream)
    }

    /// Decodes until `planes` hold frames and returns their rate; `None` at the end.
    fn decode_next(&mut self, warnings: &mut Warnings) -> Option<u32> {
        while !self.ended {
            if self.idle_packets > MAX_IDLE_PACKETS {
                self.stop(warnings, "given up after too many damaged packets in a row");
                break;
            }
            self.idle_packets += 1;
            match guarded(|| self.source.next_packet()) {
                Ok(Some(packet)) => {
                    if let Some(budget) = &self.budget {
                        budget.refill();
                    }
                    if packet.track_id != self.track_id {
                        // Packets of pictures and subtitles are progress as well.
                        self.idle_packets = self.idle_packets.saturating_sub(1);
                        continue;
                    }
                    match self.decoder.decode(&packet, &mut self.planes) {
                        Some(rate) if self.planes.first().is_some_and(|plane| !plane.is_empty()) => {
                            self.idle_packets = 0;
                            return Some(rate);
                        }
                        Some(_) => {}
                        None => self.note_lost(&packet),
                    }
                }
                Ok(None) => self.ended = true,
                Err(SymphoniaError::ResetRequired) => self.next_chained_stream(warnings),
                Err(SymphoniaError::IoError(error)) => {
                    let why = match error.kind() {
                        std::io::ErrorKind::UnexpectedEof => {
                            "truncated: the file ends within a packet".into()
                        }
                        _ => format!("reading stopped early: {error}"),
                    };
                    self.stop(warnings, &why);
                }
                Err(_) => self.lost_packets += 1,
            }
        }
        None
    }

    fn stop(&mut self, warnings: &mut Warnings, why: &str) {
        warnings.add(why);
        self.ended = true;
    }

    fn note_lost(&mut self, packet: &Packet) {
        self.lost_packets += 1;
        let rate = u64::from(self.spec.sample_rate_hz);
        let frames = match self.time_base {
            Some(base) => {
                let ticks = u128::from(packet.dur.get()) * u128::from(base.numer.get()) * u128::from(rate);
                u64::try_from(ticks / u128::from(base.denom.get())).unwrap_or(u64::MAX)
            }
            None => packet.dur.get(),
        };
        if frames <= MAX_LOST_FRAMES_PER_PACKET {
            self.lost_frames += frames;
        }
    }

    /// A chained stream begins: another song in the same file, with a decoder of its own.
    fn next_chained_stream(&mut self, warnings: &mut Warnings) {
        let PacketSource::Container(reader) = &mut self.source else { return };
        match container::choose_track(reader.as_ref()) {
            Ok(choice) => {
                self.track_id = choice.track_id;
                self.time_base = choice.time_base;
                self.decoder = choice.decoder;
                warnings.add("several streams are chained in this file; they are read one after another");
            }
            Err(error) => {
                let why = format!("a further stream in this file is left out: {error}");
                self.stop(warnings, &why);
            }
        }
    }
}

impl FrameStream for PacketStream {
    fn spec(&self) -> AudioSpec {
        self.spec
    }

    fn next(&mut self, frames: &mut Clip, warnings: &mut Warnings) -> Result<bool> {
        if let Some(primed) = self.primed.take() {
            *frames = primed;
            return Ok(true);
        }
        frames.clear();
        loop {
            let Some(rate) = self.decode_next(warnings) else {
                if self.lost_packets > 0 {
                    warnings.add(format!("{} damaged packets were replaced by silence", self.lost_packets));
                }
                if let Some(conform) = self.conform.take() {
                    conform.finish(frames)?;
                    return Ok(!frames.is_empty());
                }
                return Ok(false);
            };
            if self.lost_frames > 0 {
                frames.append(&Clip::silence(self.spec, self.lost_frames as usize));
                self.lost_frames = 0;
            }
            let found = AudioSpec { sample_rate_hz: rate, channels: self.planes.len() };
            if found == self.spec && frames.is_empty() {
                frames.swap_channels(&mut self.planes);
            } else if found == self.spec {
                frames.extend(self.planes.iter().map(Vec::as_slice));
            } else {
                self.conform(found, frames, warnings)?;
            }
            if !frames.is_empty() {
                return Ok(true);
            }
        }
    }
}

impl PacketStream {
    /// Brings frames of another rate or channel count into the shape the stream started with.
    fn conform(&mut self, found: AudioSpec, frames: &mut Clip, warnings: &mut Warnings) -> Result<()> {
        if self.conform.as_ref().is_none_or(|conform| conform.from() != found) {
            if let Some(previous) = self.conform.take() {
                previous.finish(frames)?;
            }
            warnings.add(format!(
                "changes from {} Hz with {} channels to {} Hz with {} within the file; converted to the first",
                self.spec.sample_rate_hz, self.spec.channels, found.sample_rate_hz, found.channels
            ));
            self.conform = Some(Conform::new(found, self.spec)?);
        }
        match &mut self.conform {
            Some(conform) => conform.push(&self.planes, frames),
            None => Ok(()),
        }
    }
}
