//! Opening containers: which reader, which track, which decoder, and how much of it is music.

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::codecs::audio::well_known::*;
use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::units::TimeBase;

use super::flac::FlacFrames;
use super::input::{GuardedBytes, Input, ReadBudget};
use super::matroska::TrackEnds;
use super::mp4::{CutSource, Movie};
use super::opus::{OPUS_RATE_HZ, OpusPackets};
use super::reader::{Trim, TrimSource};
use super::sniff::Family;
use super::stream::{PacketDecoder, PacketSource, PacketStream, guarded};
use super::tag_files;
use super::tags::Tags;
use super::warnings::Warnings;
use crate::{Error, ErrorKind, Result};

/// A stream that is ready, and what its container says about it.
pub(super) struct Opened {
    pub(super) stream: Box<dyn super::stream::FrameStream>,
    pub(super) container: String,
    pub(super) codec: String,
    pub(super) decoder: &'static str,
    pub(super) bits_per_sample: Option<u32>,
    /// Frames that remain after trimming, by the container's word.
    pub(super) frames_hint: Option<u64>,
    pub(super) trim: Trim,
    /// What the demuxer found out about the music.
    pub(super) tags: Option<Tags>,
}

/// The track to read and its decoder.
pub(super) struct TrackChoice {
    pub(super) track_id: u32,
    pub(super) time_base: Option<TimeBase>,
    pub(super) decoder: PacketDecoder,
    codec: &'static str,
    params: AudioCodecParameters,
    claimed_frames: Option<u64>,
    delay: u32,
    padding: u32,
}

/// Why the decoder library cannot read a file.
pub(super) enum Refusal {
    /// It knows the container but not the codec, named here: an external program may.
    Codec(String),
    /// It does not know these bytes.
    Unknown(String),
    /// It knows them, and they hold no audio.
    Fatal(Error),
}

/// Opens `input` with the decoder library; `prefix` is put before its bytes.
pub(super) fn open(
    input: &Input,
    family: Family,
    prefix: Vec<u8>,
    warnings: &mut Warnings,
) -> Result<Opened, Refusal> {
    let bytes = input.open().map_err(Refusal::Fatal)?;
    let budget = ReadBudget::for_len(bytes.len());
    let source = GuardedBytes::new(prefix, bytes, budget.clone());
    let stream = MediaSourceStream::new(Box::new(source), MediaSourceStreamOptions::default());
    let mut hint = Hint::new();
    if let Some(extension) = input.extension() {
        hint.with_extension(&extension);
    }
    let probe =
        || symphonia::default::get_probe().probe(&hint, stream, Default::default(), Default::default());
    let mut reader = guarded(probe).map_err(|error| Refusal::Unknown(error.to_string()))?;
    let container = reader.format_info().short_name.to_owned();
    let tags = reader.metadata().skip_to_latest().map(tag_files::from_demuxer);
    let choice = choose_track(reader.as_ref()).map_err(Refusal::Codec)?;
    let movie = match family {
        Family::Mp4 => input.open().ok().and_then(|mut bytes| Movie::read(&mut bytes).ok()),
        _ => None,
    };
    let mut trim = plan_trim(&choice, &container, movie.as_ref(), warnings);
    if container == "matroska" {
        trim_matroska(&mut trim, &choice, input);
    }
    let (codec, bits) = (choice.codec, choice.params.bits_per_sample);
    let claimed = choice.claimed_frames;
    let decoder = match choice.decoder {
        PacketDecoder::Library(_) => "symphonia",
        PacketDecoder::Opus(_) => "opus",
        PacketDecoder::Flac(_) => "flac",
    };
    let stream = PacketStream::start(
        PacketSource::Container(reader),
        choice.decoder,
        Some(budget),
        choice.track_id,
        choice.time_base,
        warnings,
    )
    .map_err(Refusal::Fatal)?;
    Ok(Opened {
        stream: Box::new(stream),
        container,
        codec: codec.to_owned(),
        decoder,
        bits_per_sample: bits,
        frames_hint: claimed.map(|frames| {
            let left = frames.saturating_sub(trim.skip_frames);
            trim.keep_frames.map_or(left, |keep| keep.min(left))
        }),
        trim,
        tags,
    })
}

/// The default audio track, or else the first that can be decoded.
///
/// # Errors
/// The name of the codec that stands in the way.
pub(super) fn choose_track(reader: &dyn FormatReader) -> Result<TrackChoice, String> {
    let preferred = reader.default_track(TrackType::Audio);
    let others = reader.tracks().iter().filter(|track| track.track_type() == Some(TrackType::Audio));
    let mut refused = None;
    for track in preferred.into_iter().chain(others) {
        let Some(CodecParameters::Audio(params)) = &track.codec_params else { continue };
        match make_decoder(track, params) {
            Ok((decoder, codec)) => {
                return Ok(TrackChoice {
                    track_id: track.id,
                    time_base: track.time_base,
                    decoder,
                    codec,
                    params: params.clone(),
                    claimed_frames: track.num_frames,
                    delay: track.delay.unwrap_or(0),
                    padding: track.padding.unwrap_or(0),
                });
            }
            Err(reason) => refused = refused.or(Some(reason)),
        }
    }
    Err(refused.unwrap_or_else(|| "no audio track".to_owned()))
}

fn make_decoder(
    track: &Track,
    params: &AudioCodecParameters,
) -> Result<(PacketDecoder, &'static str), String> {
    if params.codec == CODEC_ID_OPUS {
        let head = params.extra_data.as_deref().filter(|data| data.starts_with(b"OpusHead"));
        let channels = params.channels.as_ref().map_or(2, |channels| channels.count());
        let opus = OpusPackets::new(head, channels, track.delay.unwrap_or(0));
        return opus
            .map(|opus| (PacketDecoder::Opus(Box::new(opus)), "opus"))
            .map_err(|error| error.to_string());
    }
    if params.codec == CODEC_ID_FLAC
        && let Some(flac) = params.extra_data.as_deref().and_then(FlacFrames::new)
    {
        return Ok((PacketDecoder::Flac(flac), "flac"));
    }
    let known = symphonia::default::get_codecs().get_audio_decoder(params.codec);
    let name = known.map_or_else(|| codec_name(params), |known| known.codec.info.short_name);
    let channels = params.channels.as_ref().map_or(0, |channels| channels.count());
    let decoder = PacketDecoder::library(params).map_err(|error| match error {
        SymphoniaError::Unsupported(_) if params.codec == CODEC_ID_AAC && channels > 2 => {
            format!("AAC with {channels} channels")
        }
        SymphoniaError::Unsupported(_) if params.codec == CODEC_ID_AAC => {
            "HE-AAC or a rare AAC profile".into()
        }
        SymphoniaError::Unsupported(_) => name.to_owned(),
        other => format!("{name} ({other})"),
    })?;
    Ok((decoder, name))
}

fn codec_name(params: &AudioCodecParameters) -> &'static str {
    match params.codec {
        CODEC_ID_AC3 => "AC-3",
        CODEC_ID_EAC3 => "E-AC-3",
        CODEC_ID_AC4 => "AC-4",
        CODEC_ID_DCA => "DTS",
        CODEC_ID_WMA => "Windows Media Audio",
        CODEC_ID_SPEEX => "Speex",
        CODEC_ID_MUSEPACK => "Musepack",
        CODEC_ID_WAVPACK => "WavPack",
        CODEC_ID_MONKEYS_AUDIO => "Monkey's Audio",
        CODEC_ID_TTA => "True Audio",
        CODEC_ID_TRUEHD => "TrueHD",
        _ => "an unknown codec",
    }
}

/// What to cut from the decoded frames, so that the first one left is the first of the music.
fn plan_trim(choice: &TrackChoice, container: &str, movie: Option<&Movie>, warnings: &mut Warnings) -> Trim {
    let rate = choice.params.sample_rate.unwrap_or(0);
    let (delay, padding) = (u64::from(choice.delay), u64::from(choice.padding));
    if let Some(cut) = movie.and_then(|movie| movie.cut(choice.track_id, rate)) {
        let decoded = choice.claimed_frames.unwrap_or(0);
        let trailing = cut.keep_frames.map_or(0, |keep| decoded.saturating_sub(cut.skip_frames + keep));
        return Trim {
            source: match cut.source {
                CutSource::EditList => TrimSource::EditList,
                CutSource::ITunSmpb => TrimSource::ITunSmpb,
            },
            leading_frames: cut.skip_frames,
            trailing_frames: trailing,
            skip_frames: cut.skip_frames,
            keep_frames: cut.keep_frames,
            drop_last_frames: 0,
        };
    }
    if let PacketDecoder::Opus(opus) = &choice.decoder {
        let skip = u64::from(opus.pre_skip());
        let keep = choice.claimed_frames.filter(|_| container == "caf");
        return Trim {
            source: if skip > 0 { TrimSource::OpusPreSkip } else { TrimSource::None },
            leading_frames: skip,
            trailing_frames: padding,
            skip_frames: skip,
            keep_frames: keep,
            drop_last_frames: 0,
        };
    }
    if movie.is_some_and(|movie| movie.has_several_parts(choice.track_id)) {
        warnings.add("the edit list plays several parts of the track; the whole track is read");
    }
    match container {
        "caf" if delay + padding > 0 => Trim {
            source: TrimSource::PacketTable,
            leading_frames: delay,
            trailing_frames: padding,
            skip_frames: delay,
            keep_frames: choice.claimed_frames,
            drop_last_frames: 0,
        },
        // The library cuts these itself, packet by packet.
        "mp3" | "mp2" | "mp1" if delay + padding > 0 => Trim {
            source: TrimSource::LameTag,
            leading_frames: delay,
            trailing_frames: padding,
            ..Trim::default()
        },
        _ => Trim::default(),
    }
}

/// Adds what a Matroska file says in nanoseconds; the delay of Opus stands exactly in its own header.
fn trim_matroska(trim: &mut Trim, choice: &TrackChoice, input: &Input) {
    let rate = choice.params.sample_rate.unwrap_or(OPUS_RATE_HZ);
    let ends = input.open().and_then(|mut bytes| {
        TrackEnds::read(&mut bytes, choice.track_id)
            .map_err(|error| Error::new(ErrorKind::Io, error.to_string()))
    });
    let Ok(ends) = ends else { return };
    if trim.source == TrimSource::None && ends.delay_frames(rate) > 0 {
        trim.source = TrimSource::CodecDelay;
        trim.leading_frames = ends.delay_frames(rate);
        trim.skip_frames = trim.leading_frames;
    }
    trim.trailing_frames = ends.padding_frames(rate);
    trim.drop_last_frames = trim.trailing_frames;
}

/// The error for bytes that nothing reads.
pub(super) fn unknown_format(seen: &str) -> Error {
    Error::new(ErrorKind::UnsupportedFormat, format!("this is not audio we can read: {seen}"))
}
