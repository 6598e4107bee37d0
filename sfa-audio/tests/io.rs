//! Reading and writing files, the usual and the broken ones.

#![allow(clippy::print_stderr, reason = "a test that skips says so")]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use lofty::config::ParseOptions;
use lofty::file::AudioFile as _;
use lofty::flac::FlacFile;
use lofty::iff::wav::WavFile;
use lofty::mp4::{AtomData, Mp4File};
use lofty::tag::Accessor as _;
use proptest::prelude::*;
use sfa_audio::io::{
    AudioFormat, AudioReader, AudioWriter, BitDepth, Cover, EncodeOptions, SeratoTags, Tags, TrimSource,
    probe, read_clip, write_clip,
};
use sfa_audio::{AudioSource, AudioSpec, Clip, ErrorKind, Watch};

/// A folder of the shared test audio, or `None`, said aloud, where it is missing.
fn shared(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/audio").join(folder);
    if !path.is_dir() {
        eprintln!("SKIPPED: no shared test audio at {}", path.display());
        return None;
    }
    Some(path)
}

fn has_ffmpeg() -> bool {
    let found = std::process::Command::new("ffmpeg").arg("-version").output().is_ok();
    if !found {
        eprintln!("SKIPPED in part: ffmpeg is not installed");
    }
    found
}

/// The formats that can be written here.
fn written_formats() -> Vec<AudioFormat> {
    let mut formats = vec![AudioFormat::Wav, AudioFormat::Flac];
    if has_ffmpeg() {
        formats.extend([AudioFormat::Mp3, AudioFormat::M4aAac]);
    }
    formats
}

/// Sounding material with a different slow sweep in every channel.
fn material(rate_hz: u32, channels: usize, frames: usize) -> Clip {
    let channel = |index: usize| {
        let wave = |n: usize| {
            let time = n as f64 / f64::from(rate_hz);
            (0.6 * (time * (300.0 + 90.0 * index as f64 + 200.0 * time) * 6.0).sin()) as f32
        };
        (0..frames).map(wave).collect()
    };
    Clip::from_channels(rate_hz, (0..channels).map(channel).collect()).unwrap()
}

/// `clip` with every sample on a step of `bits` bits.
fn on_steps(clip: &Clip, bits: u32) -> Clip {
    let scale = (1_u32 << (bits - 1)) as f32;
    let round = |samples: &Vec<f32>| samples.iter().map(|x| (x * scale).round() / scale).collect();
    Clip::from_channels(clip.sample_rate_hz(), clip.channels().iter().map(round).collect()).unwrap()
}

fn read_bytes(bytes: Vec<u8>) -> sfa_audio::Result<(Clip, Vec<String>)> {
    let mut reader = AudioReader::from_bytes(bytes, None)?;
    let clip = reader.read_to_end()?;
    Ok((clip, reader.warnings().to_vec()))
}

fn written(clip: &Clip, options: &EncodeOptions) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip");
    write_clip(&path, clip, options, None).unwrap();
    std::fs::read(path).unwrap()
}

fn files_in(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap();
    names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// What a file is expected to give.
enum Expect {
    /// Exactly these frames, no warning.
    Frames(u64),
    /// Exactly these frames and a warning that contains the text.
    Partial(u64, &'static str),
    /// These frames where ffmpeg is installed, else an error that names it.
    ThroughFfmpeg(u64),
    /// An error of this kind that contains the text.
    Error(ErrorKind, &'static str),
    /// An error that names ffmpeg, with or without it.
    NotEvenFfmpeg,
}
use Expect::{Error, Frames, NotEvenFfmpeg, Partial, ThroughFfmpeg};

const ODD_FILES: &[(&str, Expect)] = &[
    ("g_1sample.wav", Error(ErrorKind::Damaged, "no samples")),
    ("g_aac.aac", Frames(266_240)),
    ("g_aac_51.m4a", ThroughFfmpeg(265_216)),
    ("g_aac_fast.m4a", Frames(264_600)),
    ("g_aac_frag.mp4", Frames(266_240)),
    ("g_aac_lc.m4a", Frames(264_600)),
    ("g_aac_mono_8k.m4a", Frames(48_000)),
    ("g_ac3.ac3", ThroughFfmpeg(265_728)),
    ("g_adpcm_ima.wav", Frames(265_437)),
    ("g_adpcm_ms.wav", Frames(265_144)),
    ("g_alaw.wav", Frames(264_600)),
    ("g_ape_id3v1.mp3", Frames(264_600)),
    ("g_bitflip.mp3", Frames(264_600)),
    ("g_cbr320.mp3", Frames(264_600)),
    ("g_chained.ogg", Partial(529_200, "chained")),
    ("g_click.wav", Frames(264_601)),
    ("g_freeformat.mp3", NotEvenFfmpeg),
    ("g_garbage_prefix.mp3", Frames(264_600)),
    ("g_header_only.wav", Error(ErrorKind::Damaged, "no samples")),
    ("g_hybrid.wv", ThroughFfmpeg(264_600)),
    ("g_lame_gapless.mp3", Frames(264_600)),
    ("g_mono_11025.flac", Frames(66_150)),
    ("g_mono_u8_8k.wav", Frames(48_000)),
    ("g_mp2.mp2", Frames(264_960)),
    ("g_mp3_named.wav", Frames(264_600)),
    ("g_mpeg25_8k.mp3", Frames(48_000)),
    ("g_mpeg2_22k_mono.mp3", Frames(132_300)),
    ("g_mulaw.wav", Frames(264_600)),
    ("g_nolametag.mp3", Frames(266_112)),
    ("g_opus.caf", Frames(288_960)),
    ("g_opus.webm", Frames(288_000)),
    ("g_opus_mono_24k.opus", Frames(288_000)),
    ("g_random.mp3", Error(ErrorKind::UnsupportedFormat, "starts with the bytes")),
    ("g_short_2047.wav", Frames(2_047)),
    ("g_short_50ms.wav", Frames(2_205)),
    ("g_silence.wav", Frames(264_600)),
    ("g_sr12345.wav", Frames(37_035)),
    ("g_text.mp3", Error(ErrorKind::UnsupportedFormat, "text")),
    ("g_truncated.m4a", Error(ErrorKind::Damaged, "moov")),
    ("g_truncated.mp3", Partial(131_375, "truncated")),
    ("g_truncated.ogg", Partial(133_184, "truncated")),
    ("g_truncated.wav", Partial(132_290, "truncated")),
    ("g_vbr_v0.mp3", Frames(264_600)),
    ("g_vbr_v9.mp3", Frames(264_600)),
    ("g_video.mp4", Frames(264_600)),
    ("g_vorbis.mkv", Frames(264_896)),
    ("g_vorbis_q0_mono.ogg", Frames(264_600)),
    ("g_wma.wma", ThroughFfmpeg(264_192)),
    ("g_zero.wav", Error(ErrorKind::UnsupportedFormat, "empty file")),
    ("rodio_music.opus", Frames(487_315)),
];

#[test]
fn odd_files_give_the_right_length_or_a_clear_error() {
    let Some(folder) = shared("odd") else { return };
    let ffmpeg = has_ffmpeg();
    for (name, expect) in ODD_FILES {
        match (expect, probe(&folder.join(name), &Watch::new())) {
            (Frames(frames), Ok(found)) => {
                assert_eq!(found.frames, *frames, "{name}");
                assert!(found.warnings.is_empty(), "{name}: {:?}", found.warnings);
            }
            (Partial(frames, text), Ok(found)) => {
                assert_eq!(found.frames, *frames, "{name}");
                assert!(found.warnings.iter().any(|w| w.contains(text)), "{name}: {:?}", found.warnings);
            }
            (ThroughFfmpeg(frames), Ok(found)) if ffmpeg => {
                // Versions of ffmpeg differ by a codec frame or two in what they trim.
                assert!(found.frames.abs_diff(*frames) <= 2_048, "{name}: {}", found.frames);
                assert_eq!(found.info.decoder, "ffmpeg", "{name}");
            }
            (ThroughFfmpeg(_), Err(error)) if !ffmpeg => {
                assert_eq!(error.kind(), ErrorKind::ToolUnavailable, "{name}: {error}");
                assert!(error.message().contains("ffmpeg"), "{name}: {error}");
            }
            (NotEvenFfmpeg, Err(error)) => assert!(error.message().contains("ffmpeg"), "{name}: {error}"),
            (Error(kind, text), Err(error)) => {
                assert_eq!(error.kind(), *kind, "{name}: {error}");
                assert!(error.message().contains(text), "{name}: {error}");
                assert!(error.subject().is_some_and(|subject| subject.contains(name)), "{name}: {error}");
            }
            (_, Ok(found)) => panic!("{name}: {} frames", found.frames),
            (_, Err(error)) => panic!("{name}: {error}"),
        }
    }
}

/// Where 4000 frames of `needle` from 30000 on are found in `hay`, by the largest correlation.
fn found_at(needle: &Clip, hay: &Clip) -> usize {
    const START: usize = 30_000;
    const AROUND: usize = 1_500;
    let (needle, hay) = (&needle.channels()[0][START..START + 4_000], &hay.channels()[0]);
    let score = |offset: usize| -> f64 {
        needle.iter().zip(&hay[offset..]).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    (START - AROUND..=START + AROUND).max_by(|&a, &b| score(a).total_cmp(&score(b))).unwrap()
}

#[test]
fn the_same_song_starts_at_the_same_frame_in_every_codec() {
    let Some(folder) = shared("odd") else { return };
    let reference = read_clip(&folder.join("g_alaw.wav")).unwrap();
    for name in ["g_cbr320.mp3", "g_vbr_v0.mp3", "g_aac_lc.m4a", "g_aac_fast.m4a", "g_video.mp4"] {
        let clip = read_clip(&folder.join(name)).unwrap();
        assert_eq!(found_at(&reference, &clip), 30_000, "{name}");
    }
    let adts = read_clip(&folder.join("g_aac.aac")).unwrap();
    assert_eq!(found_at(&reference, &adts), 31_024, "a raw AAC stream cannot tell its delay");
}

#[test]
fn reading_again_gives_the_same_samples_in_small_blocks() {
    let Some(folder) = shared("odd") else { return };
    for name in
        ["g_lame_gapless.mp3", "g_aac_lc.m4a", "g_opus_mono_24k.opus", "g_chained.ogg", "g_adpcm_ms.wav"]
    {
        let mut reader = AudioReader::open(&folder.join(name)).unwrap();
        let mut block = Clip::empty(reader.spec());
        let mut once = Clip::empty(reader.spec());
        while reader.read(&mut block).unwrap() > 0 {
            assert!(block.duration_secs() <= 0.5, "{name}");
            once.append(&block);
        }
        let warnings = reader.warnings().to_vec();
        reader.rewind().unwrap();
        assert!(reader.read_to_end().unwrap() == once, "{name}");
        assert_eq!(reader.warnings(), warnings, "{name}");
        let bytes = std::fs::read(folder.join(name)).unwrap();
        assert!(read_bytes(bytes).unwrap().0 == once, "{name} from memory");
    }
}

#[test]
fn the_trim_is_reported() {
    let Some(folder) = shared("odd") else { return };
    let trim = |name| {
        let reader = AudioReader::open(&folder.join(name)).unwrap();
        (reader.info().trim_source, reader.info().leading_trim_frames)
    };
    assert_eq!(trim("g_lame_gapless.mp3"), (TrimSource::LameTag, 1_105));
    assert_eq!(trim("g_aac_lc.m4a"), (TrimSource::EditList, 1_024));
    assert_eq!(trim("g_opus_mono_24k.opus"), (TrimSource::OpusPreSkip, 312));
    assert_eq!(trim("g_nolametag.mp3"), (TrimSource::None, 0));
}

#[test]
fn lossless_files_come_back_bit_exact() {
    for channels in [1, 2, 6] {
        let clip = material(44_100, channels, 10_007);
        for (format, depth) in [
            (AudioFormat::Wav, BitDepth::Int16),
            (AudioFormat::Wav, BitDepth::Int24),
            (AudioFormat::Wav, BitDepth::Float32),
            (AudioFormat::Flac, BitDepth::Int16),
            (AudioFormat::Flac, BitDepth::Int24),
        ] {
            let expected = match depth {
                BitDepth::Int16 => on_steps(&clip, 16),
                BitDepth::Int24 => on_steps(&clip, 24),
                BitDepth::Float32 => clip.clone(),
            };
            let options = EncodeOptions::new(format).bit_depth(depth).dither(false);
            let (back, warnings) = read_bytes(written(&clip, &options)).unwrap();
            assert!(back == expected, "{format:?} {depth:?} {channels}");
            assert!(warnings.is_empty(), "{warnings:?}");
            // What lies on the steps already passes the dithering writer unchanged as well.
            let options = EncodeOptions::new(format).bit_depth(depth);
            assert!(read_bytes(written(&expected, &options)).unwrap().0 == expected);
        }
    }
}

#[test]
fn dithered_files_are_the_same_every_time_and_stay_close() {
    let clip = material(44_100, 2, 5_000);
    let options = EncodeOptions::new(AudioFormat::Wav);
    let bytes = written(&clip, &options);
    assert!(bytes == written(&clip, &options));
    let (back, _) = read_bytes(bytes).unwrap();
    for (a, b) in clip.channels().iter().flatten().zip(back.channels().iter().flatten()) {
        // Dither moves a sample by less than one step, rounding by half of one.
        assert!((a - b).abs() <= 1.5 / 32_768.0);
    }
}

#[test]
fn samples_beyond_full_scale_survive_as_floats_and_are_counted_as_integers() {
    let clip = Clip::from_channels(8_000, vec![vec![0.5, 1.5, -2.0, 0.0]]).unwrap();
    let options = EncodeOptions::new(AudioFormat::Wav).bit_depth(BitDepth::Float32);
    assert!(read_bytes(written(&clip, &options)).unwrap().0 == clip);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loud.flac");
    let done = write_clip(&path, &clip, &EncodeOptions::new(AudioFormat::Flac), None).unwrap();
    assert_eq!((done.frames, done.clamped_samples), (4, 2));
}

#[test]
fn samples_that_are_no_numbers_become_silence_with_a_warning() {
    let clip = Clip::from_channels(8_000, vec![vec![0.25, f32::NAN, f32::INFINITY, -0.25]]).unwrap();
    let options = EncodeOptions::new(AudioFormat::Wav).bit_depth(BitDepth::Float32);
    let (back, warnings) = read_bytes(written(&clip, &options)).unwrap();
    assert_eq!(back.channels()[0], [0.25, 0.0, 0.0, -0.25]);
    assert!(warnings.iter().any(|warning| warning.contains("no numbers")), "{warnings:?}");
}

fn some_tags() -> Tags {
    let png =
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde\0\0\0\0IEND\xaeB`\x82";
    let mut tags = Tags::default();
    tags.title = Some("Straße № 5".into());
    tags.artist = Some("Zażółć & 音楽".into());
    tags.album = Some("Album".into());
    tags.genre = Some("Deep House".into());
    tags.date = Some("2024-05-17".into());
    tags.track_number = Some(7);
    tags.comment = Some("8A - 124".into());
    tags.cover = Some(Cover { media_type: "image/png".into(), bytes: png.to_vec() });
    tags
}

#[test]
fn tags_and_cover_travel_with_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let clip = material(44_100, 2, 44_101);
    for format in written_formats() {
        let path = folder.path().join("tagged").with_extension(format.extension());
        write_clip(&path, &clip, &EncodeOptions::new(format), Some(&some_tags())).unwrap();
        let reader = AudioReader::open(&path).unwrap();
        assert_eq!(reader.info().tags, some_tags(), "{format:?}");
        let frames = read_clip(&path).unwrap().frames();
        // The edit list of an M4A file counts thousandths of a second.
        let rounding = if format == AudioFormat::M4aAac { 45 } else { 0 };
        assert!(frames.abs_diff(44_101) <= rounding, "{format:?}: {frames}");
    }
}

#[test]
fn tags_of_serato_replace_their_like_and_leave_all_else() {
    let folder = tempfile::tempdir().unwrap();
    let clip = material(44_100, 2, 44_101);
    for format in written_formats() {
        let path = folder.path().join("tagged").with_extension(format.extension());
        write_clip(&path, &clip, &EncodeOptions::new(format), Some(&some_tags())).unwrap();
        let sound = read_clip(&path).unwrap();
        let with = |text: &str, beat_grid: Option<&str>| SeratoTags {
            markers2: text.as_bytes().to_vec(),
            mp4_markers: b"fixed".to_vec(),
            beat_grid: beat_grid.map(|text| text.as_bytes().to_vec()),
        };
        let turns = [("the first marks", "first grid"), ("other marks", "other grid")];
        let mut write = |(marks, grid)| {
            assert!(with(marks, Some(grid)).write_to(&path).unwrap(), "{format:?}");
            std::fs::metadata(&path).unwrap().len()
        };
        let sizes: Vec<_> = turns.into_iter().cycle().take(9).map(&mut write).collect();
        assert_eq!(sizes[4], sizes[8], "{format:?}: nothing piles up, {sizes:?}");

        let reader = AudioReader::open(&path).unwrap();
        assert_eq!(reader.info().tags, some_tags(), "{format:?}");
        assert_eq!(read_clip(&path).unwrap(), sound, "{format:?}");
        assert_eq!(serato_objects(&path), ["Serato BeatGrid first grid", "Serato Markers2 the first marks"]);
        assert!(with("the first marks", None).write_to(&path).unwrap());
        assert_eq!(serato_objects(&path), ["Serato Markers2 the first marks"], "{format:?}");
    }
}

#[test]
fn what_holds_no_tags_of_serato_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let tags = SeratoTags { markers2: vec![1], mp4_markers: vec![1], beat_grid: None };
    let ogg = folder.path().join("song.ogg");
    std::fs::write(&ogg, b"OggS\0\x02 and so on").unwrap();
    assert!(!tags.write_to(&ogg).unwrap_or(false));
    assert_eq!(std::fs::read(&ogg).unwrap(), b"OggS\0\x02 and so on");
    let broken = folder.path().join("song.flac");
    std::fs::write(&broken, b"fLaC\0\0").unwrap();
    assert!(tags.write_to(&broken).is_err());
    assert_eq!(std::fs::read(&broken).unwrap(), b"fLaC\0\0");
    assert!(SeratoTags::fit("Song.MP3") && !SeratoTags::fit("song.ogg") && !SeratoTags::fit("flac"));
}

#[test]
fn a_title_in_another_tag_is_not_hidden() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("song.wav");
    write_clip(&path, &material(44_100, 1, 441), &EncodeOptions::new(AudioFormat::Wav), None).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend(b"LIST\x10\0\0\0INFOINAM\x04\0\0\0Hey\0");
    let size = u32::try_from(bytes.len() - 8).unwrap();
    bytes[4..8].copy_from_slice(&size.to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
    let tags = SeratoTags { markers2: b"marks".to_vec(), mp4_markers: Vec::new(), beat_grid: None };
    assert!(tags.write_to(&path).unwrap());
    let mut file = std::fs::File::open(&path).unwrap();
    let wav = WavFile::read_from(&mut file, ParseOptions::new()).unwrap();
    assert_eq!(wav.id3v2().unwrap().title().as_deref(), Some("Hey"));
    assert_eq!(serato_objects(&path), ["Serato Markers2 marks"]);
}

/// The names and contents of what Serato keeps in a file, in their order; not the second copy in MP4 files.
fn serato_objects(path: &Path) -> Vec<String> {
    let bytes = std::fs::read(path).unwrap();
    let find =
        |needle: &[u8]| (0..bytes.len()).filter(|&at| bytes[at..].starts_with(needle)).collect::<Vec<_>>();
    let mut objects = Vec::new();
    for at in find(b"GEOB") {
        // Size without the highest bits, flags, Latin-1, and the type and no file name before the description.
        let size = bytes[at + 4..at + 8].iter().fold(0, |size, &byte| size << 7 | usize::from(byte));
        let body = &bytes[at + 10..at + 10 + size];
        let text = body.strip_prefix(b"\0application/octet-stream\0\0").expect("an object of Serato");
        objects.push(String::from_utf8(text.to_vec()).unwrap().replace('\0', " "));
    }
    let mut file = std::fs::File::open(path).unwrap();
    let texts: Vec<String> = match path.extension().unwrap().to_str().unwrap() {
        "flac" => {
            let file = FlacFile::read_from(&mut file, ParseOptions::new()).unwrap();
            file.vorbis_comments().unwrap().items().map(|(_, text)| text.to_owned()).collect()
        }
        "m4a" => {
            let file = Mp4File::read_from(&mut file, ParseOptions::new()).unwrap();
            let texts = file.ilst().unwrap().into_iter().flat_map(|atom| atom.data());
            let text =
                |data: &AtomData| if let AtomData::UTF8(text) = data { Some(text.clone()) } else { None };
            texts.filter_map(text).collect()
        }
        _ => Vec::new(),
    };
    // "application/octet-stream" in Base64 is what the others begin with.
    for text in texts.iter().filter(|text| text.starts_with("YXBwbGljYXRpb24vb2N0ZXQtc3RyZWFt")) {
        let decoded = STANDARD_NO_PAD.decode(text.replace('\n', "")).unwrap();
        let text = String::from_utf8(decoded).unwrap();
        objects.push(text.trim_start_matches("application/octet-stream\0\0").replace('\0', " "));
    }
    objects.retain(|object| !object.starts_with("Serato Markers_"));
    objects.sort();
    objects
}

#[test]
fn an_unfinished_or_failed_file_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("song.flac");
    let clip = material(44_100, 2, 1_000);
    let options = EncodeOptions::new(AudioFormat::Flac);
    let mut writer = AudioWriter::create(&path, clip.spec(), &options, None).unwrap();
    writer.write(&clip).unwrap();
    assert_eq!(files_in(folder.path()).len(), 1, "only the temporary file");
    assert!(!path.exists());
    drop(writer);
    assert!(files_in(folder.path()).is_empty());

    let mut writer = AudioWriter::create(&path, clip.spec(), &options, None).unwrap();
    let other_rate = material(48_000, 2, 10);
    assert_eq!(writer.write(&other_rate).unwrap_err().kind(), ErrorKind::InvalidOption);
    drop(writer);
    assert!(files_in(folder.path()).is_empty());

    write_clip(&path, &clip, &options, None).unwrap();
    write_clip(&path, &clip, &options, None).unwrap();
    assert_eq!(files_in(folder.path()), ["song.flac"]);
    let missing = folder.path().join("no such folder/song.flac");
    assert_eq!(write_clip(&missing, &clip, &options, None).unwrap_err().kind(), ErrorKind::Io);
}

#[test]
fn an_external_encoder_that_is_given_up_leaves_nothing_behind() {
    if !has_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let clip = material(44_100, 2, 44_100);
    let options = EncodeOptions::new(AudioFormat::Mp3);
    let path = folder.path().join("song.mp3");
    let mut writer = AudioWriter::create(&path, clip.spec(), &options, None).unwrap();
    writer.write(&clip).unwrap();
    drop(writer);
    assert!(files_in(folder.path()).is_empty());
}

#[test]
fn what_a_format_cannot_hold_is_refused_before_writing() {
    let refused = |options: &EncodeOptions, rate, channels| {
        let spec = AudioSpec { sample_rate_hz: rate, channels };
        options.check(spec).unwrap_err().kind()
    };
    let flac = EncodeOptions::new(AudioFormat::Flac);
    let mp3 = EncodeOptions::new(AudioFormat::Mp3);
    assert_eq!(refused(&flac, 44_100, 9), ErrorKind::InvalidOption);
    assert_eq!(refused(&flac.clone().bit_depth(BitDepth::Float32), 44_100, 2), ErrorKind::InvalidOption);
    assert_eq!(refused(&mp3, 96_000, 2), ErrorKind::InvalidOption);
    assert_eq!(refused(&mp3, 44_100, 6), ErrorKind::InvalidOption);
    assert_eq!(refused(&mp3.clone().bit_rate_kbps(9_000), 44_100, 2), ErrorKind::InvalidOption);
}

const RAMP: [i16; 5] = [0, 1000, -1000, 32767, -32768];

fn ramp() -> Vec<f32> {
    RAMP.iter().map(|&value| f32::from(value) / 32_768.0).collect()
}

/// A 16-bit mono WAV of [`RAMP`] with what its sizes say, `extra` chunks before the samples and `tail` after.
fn broken_wav(riff_size: u32, data_size: u32, extra: &[u8], tail: &[u8]) -> Vec<u8> {
    let mut wav = b"RIFF".to_vec();
    wav.extend(riff_size.to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x44\xac\0\0\x88\x58\x01\0\x02\0\x10\0");
    wav.extend(extra);
    wav.extend(b"data");
    wav.extend(data_size.to_le_bytes());
    wav.extend(RAMP.iter().flat_map(|sample| sample.to_le_bytes()));
    wav.extend(tail);
    wav
}

#[test]
fn wav_sizes_that_were_never_written_or_lie_do_not_matter() {
    let list = b"LIST\x04\0\0\0INFO";
    for (name, bytes, warns) in [
        ("right", broken_wav(46, 10, &[], &[]), false),
        ("data size 0", broken_wav(0, 0, &[], &[]), true),
        ("data size unknown", broken_wav(u32::MAX, u32::MAX, &[], &[]), true),
        ("larger than the file", broken_wav(46, 5_000, &[], &[]), true),
        ("RIFF size 0", broken_wav(0, 10, &[], &[]), false),
        ("empty chunk before", broken_wav(46, 10, b"junk\0\0\0\0", &[]), false),
        ("chunk after", broken_wav(46, 10, &[], list), false),
        ("odd chunk, padded", broken_wav(46, 10, b"junk\x01\0\0\0x\0", &[]), false),
        ("odd chunk, not padded", broken_wav(46, 10, b"junk\x01\0\0\0x", &[]), false),
    ] {
        let (clip, warnings) = read_bytes(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(clip.channels()[0], ramp(), "{name}");
        assert_eq!(!warnings.is_empty(), warns, "{name}: {warnings:?}");
    }
}

#[test]
fn headers_that_cannot_be_played_are_refused_in_words() {
    let mut no_rate = broken_wav(46, 10, &[], &[]);
    no_rate[24..28].fill(0);
    let no_rate = read_bytes(no_rate).unwrap_err();
    assert!(no_rate.message().contains("0 Hz"), "{no_rate}");

    let mut empty = broken_wav(46, 0, &[], b"LIST\x04\0\0\0INFO");
    empty.drain(44..54);
    let empty = read_bytes(empty).unwrap_err();
    assert_eq!(empty.kind(), ErrorKind::Damaged, "{empty}");
    assert!(empty.message().contains("no samples"), "{empty}");

    let mut gsm = broken_wav(46, 10, &[], &[]);
    gsm[20] = 0x31;
    let gsm = read_bytes(gsm).unwrap_err();
    assert!(gsm.message().contains("GSM"), "{gsm}");

    let kind_of = |path: &str| AudioReader::open(Path::new(path)).err().unwrap().kind();
    assert_eq!(kind_of("no/such/file.wav"), ErrorKind::Io);
    assert_eq!(kind_of("."), ErrorKind::Io);
}

#[test]
fn the_kin_of_wav_are_read_too() {
    let little: Vec<u8> = RAMP.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let big: Vec<u8> = RAMP.iter().flat_map(|sample| sample.to_be_bytes()).collect();
    let format = b"\x01\0\x01\0\x44\xac\0\0\x88\x58\x01\0\x02\0\x10\0";

    let mut rf64 = b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0".to_vec();
    rf64.extend([100_u64, 10, 5].iter().flat_map(|size| size.to_le_bytes()));
    rf64.extend([0; 4]);
    rf64.extend(b"fmt \x10\0\0\0");
    rf64.extend(format);
    rf64.extend(b"data\xff\xff\xff\xff");
    rf64.extend(&little);
    rf64.extend(b"junk");

    let guid = |id: &[u8; 4]| [&id[..], b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"].concat();
    let mut wave64 = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0".to_vec();
    wave64.extend(200_u64.to_le_bytes());
    wave64.extend(guid(b"wave"));
    wave64.extend(guid(b"fmt "));
    wave64.extend(40_u64.to_le_bytes());
    wave64.extend(format);
    wave64.extend(guid(b"data"));
    wave64.extend(34_u64.to_le_bytes());
    wave64.extend(&little);

    let mut au = b".snd\0\0\0\x18\xff\xff\xff\xff\0\0\0\x03\0\0\xac\x44\0\0\0\x01".to_vec();
    au.extend(&big);

    let mut aiff = b"FORM\0\0\0\x38AIFFCOMM\0\0\0\x12\0\x01\0\0\0\x05\0\x10".to_vec();
    aiff.extend(b"\x40\x0e\xac\x44\0\0\0\0\0\0SSND\0\0\0\x12\0\0\0\0\0\0\0\0");
    aiff.extend(&big);

    for (name, bytes) in [("RF64", rf64), ("Wave64", wave64), ("AU", au), ("AIFF", aiff)] {
        let reader = AudioReader::from_bytes(bytes, None);
        let mut reader = reader.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((reader.info().container.as_str(), reader.info().sample_rate_hz), (name, 44_100));
        assert_eq!(reader.read_to_end().unwrap().channels()[0], ramp(), "{name}");
    }
}

/// Where the first audio frame of a FLAC file begins.
fn first_flac_frame(flac: &[u8]) -> usize {
    let mut position = 4;
    loop {
        let is_last = flac[position] & 0x80 != 0;
        let len = u32::from_be_bytes([0, flac[position + 1], flac[position + 2], flac[position + 3]]);
        position += 4 + len as usize;
        if is_last {
            return position;
        }
    }
}

#[test]
fn flac_without_its_file_header_is_read_from_the_first_frame() {
    let clip = on_steps(&material(44_100, 2, 20_000), 16);
    let flac = written(&clip, &EncodeOptions::new(AudioFormat::Flac));
    let (back, warnings) = read_bytes(flac[first_flac_frame(&flac)..].to_vec()).unwrap();
    assert!(back == clip);
    assert!(warnings.iter().any(|warning| warning.contains("header")), "{warnings:?}");
}

#[test]
fn a_truncated_flac_yields_its_first_part_and_says_so() {
    let clip = on_steps(&material(44_100, 1, 60_000), 16);
    let mut flac = written(&clip, &EncodeOptions::new(AudioFormat::Flac));
    flac.truncate(flac.len() / 2);
    let (back, warnings) = read_bytes(flac).unwrap();
    assert!(back.frames() > 10_000 && back.frames() < 50_000, "{}", back.frames());
    assert_eq!(back.channels()[0], clip.channels()[0][..back.frames()]);
    assert!(warnings.iter().any(|warning| warning.contains("truncated")), "{warnings:?}");
}

#[test]
fn a_rate_that_changes_within_the_file_keeps_the_first_and_warns() {
    let first = on_steps(&material(44_100, 1, 30_000), 16);
    let second = material(48_000, 1, 30_000);
    let flac = EncodeOptions::new(AudioFormat::Flac);
    let tail = written(&second, &flac);
    let joined = [&written(&first, &flac)[..], &tail[first_flac_frame(&tail)..]].concat();
    let (clip, warnings) = read_bytes(joined).unwrap();
    assert_eq!(clip.sample_rate_hz(), 44_100);
    assert_eq!(clip.channels()[0][..20_000], first.channels()[0][..20_000]);
    assert!(clip.frames() == 30_000 || !warnings.is_empty(), "{} {warnings:?}", clip.frames());
}

/// Reads whatever `bytes` are; anything but a panic or an endless read is fine.
fn survive(bytes: Vec<u8>) {
    const ENOUGH_BLOCKS: usize = 2_000;
    let Ok(mut reader) = AudioReader::from_bytes(bytes, None) else { return };
    let mut block = Clip::empty(reader.spec());
    for _ in 0..ENOUGH_BLOCKS {
        match reader.read(&mut block) {
            Ok(0) | Err(_) => return,
            Ok(_) => assert!(block.channels().iter().flatten().all(|sample| sample.is_finite())),
        }
    }
    panic!("{ENOUGH_BLOCKS} blocks from a few thousand bytes");
}

/// Small files of many kinds: our own, and the first part of odd ones where they are.
static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    const MOST_BYTES: usize = 12_000;
    let clip = material(44_100, 2, 3_000);
    let mut seeds = vec![
        written(&clip, &EncodeOptions::new(AudioFormat::Wav)),
        written(&clip, &EncodeOptions::new(AudioFormat::Wav).bit_depth(BitDepth::Float32)),
        written(&clip, &EncodeOptions::new(AudioFormat::Flac)),
    ];
    let names = [
        "g_lame_gapless.mp3",
        "g_aac_fast.m4a",
        "g_aac_frag.mp4",
        "g_aac.aac",
        "g_opus_mono_24k.opus",
        "g_opus.webm",
        "g_opus.caf",
        "g_vorbis_q0_mono.ogg",
        "g_adpcm_ima.wav",
        "g_adpcm_ms.wav",
        "g_mp2.mp2",
    ];
    let folder = shared("odd");
    for name in names.iter().filter(|_| folder.is_some()) {
        let mut bytes = std::fs::read(folder.iter().collect::<PathBuf>().join(name)).unwrap();
        bytes.truncate(MOST_BYTES);
        seeds.push(bytes);
    }
    seeds
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn flipped_and_cut_files_never_panic_or_hang(
        which in any::<prop::sample::Index>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..12),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        const HEADER_BYTES: usize = 400;
        let mut bytes = SEEDS[which.index(SEEDS.len())].clone();
        for (place, value, in_header) in flips {
            let range = if in_header { bytes.len().min(HEADER_BYTES) } else { bytes.len() };
            bytes[place.index(range)] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        survive(bytes);
    }
}

#[test]
fn a_magic_number_alone_is_an_error_and_no_more() {
    for bytes in [
        &b"fLaC"[..],
        b"OggS",
        b"\x1aE\xdf\xa3",
        b"caff",
        b"\0\0\0\x08ftyp",
        b"ID3\x03\0\0\0\0\0\0",
        b"\xff\xfb",
        b"RIFF",
        b"RIFF\0\0\0\0WAVE",
        b"FORM\0\0\0\0AIFF",
        b".snd",
    ] {
        let error = read_bytes(bytes.to_vec()).unwrap_err();
        let known = [ErrorKind::UnsupportedFormat, ErrorKind::Damaged];
        assert!(known.contains(&error.kind()), "{bytes:?}: {error}");
    }
}
