//! Held to the decoder library's own decoder of FLAC.

use std::io::Cursor;

use proptest::prelude::*;
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};

use super::FlacFrames;
use crate::Clip;
use crate::io::{AudioFormat, BitDepth, EncodeOptions, write_clip};

/// The frames of an encoded clip, our decoder and theirs.
fn encoded(clip: &Clip, depth: BitDepth) -> (Vec<Vec<u8>>, FlacFrames, Box<dyn AudioDecoder>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.flac");
    write_clip(&path, clip, &EncodeOptions::new(AudioFormat::Flac).bit_depth(depth), None).unwrap();
    let bytes = Cursor::new(std::fs::read(path).unwrap());
    let stream = MediaSourceStream::new(Box::new(bytes), MediaSourceStreamOptions::default());
    let probe = symphonia::default::get_probe();
    let mut reader =
        probe.probe(&Default::default(), stream, Default::default(), Default::default()).unwrap();
    let Some(CodecParameters::Audio(params)) = reader.tracks()[0].codec_params.clone() else {
        panic!("no audio")
    };
    let mut frames = Vec::new();
    while let Ok(Some(packet)) = reader.next_packet() {
        frames.push(packet.data.to_vec());
    }
    let options = AudioDecoderOptions::default();
    let theirs = symphonia::default::get_codecs().make_audio_decoder(&params, &options).unwrap();
    (frames, FlacFrames::new(params.extra_data.as_deref().unwrap()).unwrap(), theirs)
}

/// Signals that make an encoder use each of its means: silence, full scale, tones, noise, and left like right.
fn clips() -> Vec<(Clip, BitDepth)> {
    let noise = |seed: u32, level: f32| -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            level * ((state >> 8) as f32 / (1 << 23) as f32 - 1.0)
        };
        (0..20_011).map(|_| next()).collect()
    };
    let tone = |turns: f32| -> Vec<f32> { (0..20_011).map(|n| 0.7 * (n as f32 * turns).sin()).collect() };
    let mixed = |a: &[f32], b: &[f32]| -> Vec<f32> { a.iter().zip(b).map(|(a, b)| a + b).collect() };
    let mut half_silent = tone(0.3);
    half_silent[..12_000].fill(0.0);
    let planes = [
        vec![vec![0.0; 20_011]],
        vec![noise(1, 1.0)],
        vec![tone(0.01), mixed(&tone(0.01), &noise(2, 0.01))],
        vec![mixed(&tone(0.2), &noise(3, 0.001)), noise(4, 0.3)],
        vec![half_silent.clone(), half_silent],
        vec![tone(0.1), noise(5, 0.5), vec![1.0; 20_011], tone(1.9), noise(6, 1e-4)],
    ];
    let clips = planes.map(|planes| Clip::from_channels(44_100, planes).unwrap());
    let depths = [BitDepth::Int16, BitDepth::Int24];
    clips.iter().flat_map(|clip| depths.map(|depth| (clip.clone(), depth))).collect()
}

#[test]
fn every_frame_decodes_to_what_the_library_decodes() {
    for (index, (clip, depth)) in clips().into_iter().enumerate() {
        let (frames, mut ours, mut theirs) = encoded(&clip, depth);
        let mut decoded = 0;
        for data in frames {
            let packet =
                symphonia::core::packet::Packet::new(0, Default::default(), Default::default(), data);
            let (mut found, mut expected) = (Vec::new(), Vec::<Vec<f32>>::new());
            assert_eq!(ours.decode(&packet.data, &mut found), Some(44_100));
            theirs.decode(&packet).unwrap().copy_to_vecs_planar(&mut expected);
            assert!(found == expected, "clip {index} from frame {decoded}");
            decoded += found[0].len();
        }
        assert_eq!(decoded, clip.frames());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damage_never_panics(
        clip in 0usize..12,
        frame in 0usize..4,
        changes in prop::collection::vec((0usize..9_000, any::<u8>()), 1..20),
        length in 0usize..9_000,
    ) {
        let (clip, depth) = clips().swap_remove(clip);
        let short = Clip::from_channels(44_100, clip.channels().iter().map(|c| c[..9_000].to_vec()).collect());
        let (mut frames, mut ours, _) = encoded(&short.unwrap(), depth);
        let count = frames.len();
        let data = &mut frames[frame % count];
        // The header's check sum would refuse nearly all of it.
        for (at, value) in changes {
            let at = 16 + at % data.len().saturating_sub(16).max(1);
            if let Some(byte) = data.get_mut(at) {
                *byte = value;
            }
        }
        data.truncate(length.max(16));
        let mut planes = Vec::new();
        if ours.decode(data, &mut planes).is_some() {
            prop_assert!(planes.iter().all(|plane| plane.len() == planes[0].len()));
        }
    }
}
