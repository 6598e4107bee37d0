//! Whole files through small networks, against the original in PyTorch (`tools/fixtures/demucs_goldens.py`), and what
//! the separator promises beside the numbers.

#![allow(clippy::print_stderr, reason = "tests tell what they measured")]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use safetensors::SafeTensors;
use sfa_audio::separate::demucs::{Demucs, DemucsOptions, Shifts};
use sfa_audio::{AudioSource, AudioSpec, Clip, ErrorKind, Separator, StemKind, Stems, Watch};

/// Every so many values of an answer are stored.
const STEP: usize = 7;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/demucs").join(name)
}

/// White noise from a linear congruential generator, channel after channel.
fn noise(sample_rate_hz: u32, channels: usize, frames: usize, seed: u32) -> Clip {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 16) as f32 - 32_768.0) / 65_536.0
    };
    let channels = (0..channels).map(|_| (0..frames).map(|_| next()).collect()).collect();
    Clip::from_channels(sample_rate_hz, channels).unwrap()
}

fn options(change: impl FnOnce(&mut DemucsOptions)) -> DemucsOptions {
    let mut options = DemucsOptions::default();
    change(&mut options);
    options
}

fn open(files: &[&str], votes: Option<Vec<Vec<f32>>>, options: DemucsOptions) -> Demucs {
    let files: Vec<PathBuf> = files.iter().map(|name| path(name)).collect();
    Demucs::from_files(&files, votes, options).unwrap()
}

fn separate(demucs: &Demucs, mix: &Clip) -> Stems {
    demucs.separate(mix, &Watch::new()).unwrap()
}

/// All stems in one line, channel after channel.
fn flat(stems: &Stems) -> Vec<f32> {
    stems.iter().flat_map(|(_, clip)| clip.channels().concat()).collect()
}

fn signal_to_error_db(expected: &[f32], found: &[f32]) -> f64 {
    assert_eq!(expected.len(), found.len());
    let power =
        |values: &mut dyn Iterator<Item = f32>| values.map(|v| f64::from(v) * f64::from(v)).sum::<f64>();
    let error = power(&mut expected.iter().zip(found).map(|(e, f)| e - f));
    10.0 * (power(&mut expected.iter().copied()) / error).log10()
}

fn check(golden: &str, demucs: &Demucs, mix: &Clip, at_least_db: f64) {
    let bytes = std::fs::read(path("files.golden.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let view = file.tensor(golden).unwrap();
    let expected: Vec<f32> =
        view.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    let stems = separate(demucs, mix);
    assert!(stems.iter().all(|(_, clip)| clip.spec() == mix.spec() && clip.frames() == mix.frames()));
    let found: Vec<f32> = flat(&stems).into_iter().step_by(STEP).collect();
    let agreement_db = signal_to_error_db(&expected, &found);
    eprintln!("{golden}: {agreement_db:.1} dB");
    assert!(agreement_db >= at_least_db, "{golden}: {agreement_db} dB");
}

// Single precision alone costs what is left at about 110 dB.
const SAME_DB: f64 = 100.0;

#[test]
fn a_mix_of_several_segments_agrees_with_the_original() {
    check("several", &open(&["ht.safetensors"], None, options(|_| ())), &noise(44_100, 2, 9007, 2), SAME_DB);
}

#[test]
fn a_pytorch_archive_gives_the_same_stems() {
    check("several", &open(&["ht.th"], None, options(|_| ())), &noise(44_100, 2, 9007, 2), SAME_DB);
}

#[test]
fn a_mix_shorter_than_a_segment_agrees_with_the_original() {
    check("short", &open(&["ht.safetensors"], None, options(|_| ())), &noise(44_100, 2, 1999, 3), SAME_DB);
}

#[test]
fn a_mono_mix_gets_the_mean_of_what_the_original_makes_of_two_equal_channels() {
    let demucs = open(&["ht.safetensors"], None, options(|_| ()));
    let mono = noise(44_100, 1, 4001, 4);
    let both = Clip::from_channels(44_100, vec![mono.channels()[0].clone(); 2]).unwrap();
    check("mono", &demucs, &both, SAME_DB);
    for ((_, mono), (_, both)) in separate(&demucs, &mono).iter().zip(separate(&demucs, &both).iter()) {
        assert_eq!(mono.channels()[0], both.downmix());
    }
}

#[test]
fn another_overlap_and_transition_agree_with_the_original() {
    let options = options(|options| {
        options.overlap = 0.6;
        options.transition_power = 2.0;
    });
    check("overlap", &open(&["ht.safetensors"], None, options), &noise(44_100, 2, 7001, 5), SAME_DB);
}

#[test]
fn a_shorter_segment_agrees_with_the_original() {
    let wanted = options(|options| options.segment_secs = Some(2003.5 / 44_100.0));
    check("segment", &open(&["ht.safetensors"], None, wanted), &noise(44_100, 2, 7001, 6), SAME_DB);
    let wanted = options(|options| options.segment_secs = Some(0.2));
    let error = Demucs::from_files(&[path("ht.safetensors")], None, wanted).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOption, "longer than in training: {error}");
}

#[test]
fn given_shifts_agree_with_the_original() {
    let options = options(|options| options.shifts = Shifts::Offsets(vec![17_000, 3]));
    check("shift", &open(&["ht.safetensors"], None, options), &noise(44_100, 2, 5003, 7), SAME_DB);
}

fn votes() -> Vec<Vec<f32>> {
    vec![vec![1.0, 0.0, 1.0, 0.5], vec![0.0, 1.0, 0.5, 0.5]]
}

#[test]
fn a_bag_with_votes_agrees_with_the_original() {
    let demucs = open(&["ht.safetensors", "ht_other.safetensors"], Some(votes()), options(|_| ()));
    check("bag", &demucs, &noise(44_100, 2, 7001, 8), SAME_DB);
}

#[test]
fn a_hybrid_over_several_segments_agrees_with_the_original() {
    let demucs = open(&["hybrid_old.safetensors"], None, options(|_| ()));
    check("hybrid", &demucs, &noise(44_100, 2, 20_011, 9), SAME_DB);
}

#[test]
fn a_mix_of_another_rate_comes_back_at_that_rate() {
    // The original's filters are computed in single precision: 80 dB is what it asks of itself.
    let demucs = open(&["ht.safetensors"], None, options(|_| ()));
    check("resampled", &demucs, &noise(48_000, 2, 6000, 10), 80.0);
}

#[test]
fn a_selected_stem_is_the_same_as_among_all() {
    let files = ["ht.safetensors", "ht_other.safetensors"];
    let mix = noise(44_100, 2, 7001, 8);
    let all = separate(&open(&files, Some(votes()), options(|_| ())), &mix);
    let wanted = options(|options| options.stems = Some(vec![StemKind::Vocals, StemKind::Bass]));
    let some = open(&files, Some(votes()), wanted);
    assert_eq!(some.info().stems, [StemKind::Bass, StemKind::Vocals]);
    let some = separate(&some, &mix);
    for (kind, clip) in some.iter() {
        assert_eq!(all.get(kind), Some(clip), "{kind}");
    }
    assert_eq!(some.iter().count(), 2);
}

#[test]
fn stems_are_the_same_for_every_number_of_threads_and_every_size_of_block() {
    struct Drops<'a>(&'a Clip, usize, usize);
    impl AudioSource for Drops<'_> {
        fn spec(&self) -> AudioSpec {
            self.0.spec()
        }
        fn frames_hint(&self) -> Option<u64> {
            None
        }
        fn read(&mut self, block: &mut Clip) -> sfa_audio::Result<usize> {
            let end = (self.1 + self.2).min(self.0.frames());
            block.clear();
            block.extend(self.0.channels().iter().map(|channel| &channel[self.1..end]));
            let read = end - self.1;
            self.1 = end;
            Ok(read)
        }
        fn rewind(&mut self) -> sfa_audio::Result<()> {
            self.1 = 0;
            Ok(())
        }
    }
    let mix = noise(48_000, 2, 9001, 11);
    let expected = separate(&open(&["hybrid.safetensors"], None, options(|_| ())), &mix);
    for threads in [1, 3] {
        let options = options(|options| options.threads = Some(threads));
        let demucs = open(&["hybrid.safetensors"], None, options);
        for frames in [1, 977] {
            let mut stems = demucs.separate(&Clip::empty(mix.spec()), &Watch::new()).unwrap();
            demucs.separate_into(&mut Drops(&mix, 0, frames), &mut stems, &Watch::new()).unwrap();
            assert_eq!(stems, expected, "{threads} threads, blocks of {frames}");
        }
    }
}

#[test]
fn silence_in_gives_silence_out() {
    let mix = Clip::silence(AudioSpec::new(44_100, 2).unwrap(), 5000);
    let stems = separate(&open(&["ht.safetensors"], None, options(|_| ())), &mix);
    assert!(stems.iter().all(|(_, clip)| clip.peak() == 0.0));
}

#[test]
fn an_empty_mix_gives_empty_stems() {
    let mix = Clip::empty(AudioSpec::new(44_100, 2).unwrap());
    let stems = separate(&open(&["ht.safetensors"], None, options(|_| ())), &mix);
    assert!(stems.iter().all(|(_, clip)| clip.is_empty()));
}

#[test]
fn a_mix_of_a_few_frames_comes_out_whole() {
    for model in ["ht.safetensors", "hybrid.safetensors", "hybrid_old.safetensors"] {
        let demucs = open(&[model], None, options(|_| ()));
        for frames in [1, 2, 63, 65] {
            let mix = noise(44_100, 2, frames, 12);
            let stems = separate(&demucs, &mix);
            assert!(stems.iter().all(|(_, clip)| clip.frames() == frames));
            assert!(flat(&stems).iter().all(|value| value.is_finite()), "{model}, {frames} frames");
        }
    }
}

#[test]
fn a_mix_too_short_for_one_frame_at_the_rate_of_the_networks_is_silent() {
    let demucs = open(&["ht.safetensors"], None, options(|_| ()));
    let stems = separate(&demucs, &noise(96_000, 2, 1, 12));
    assert!(stems.iter().all(|(_, clip)| clip.frames() == 1 && clip.peak() == 0.0));
}

#[test]
fn channels_beyond_the_second_are_silent() {
    let stereo = noise(44_100, 2, 4000, 13);
    let mut channels = stereo.channels().to_vec();
    channels.push(vec![0.5; 4000]);
    let demucs = open(&["ht.safetensors"], None, options(|_| ()));
    let wide = separate(&demucs, &Clip::from_channels(44_100, channels).unwrap());
    for ((_, wide), (_, stereo)) in wide.iter().zip(separate(&demucs, &stereo).iter()) {
        assert_eq!(wide.channels()[..2], *stereo.channels());
        assert!(wide.channels()[2].iter().all(|&value| value == 0.0));
    }
}

#[test]
fn progress_rises_to_the_length_of_the_mix_and_a_stop_is_obeyed() {
    let demucs = open(&["ht.safetensors"], None, options(|_| ()));
    let mix = noise(44_100, 2, 9000, 14);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let watch = Watch::with_sink(move |progress| log.lock().unwrap().push(progress.done));
    demucs.separate(&mix, &watch).unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen.is_sorted() && seen.last() == Some(&9000));
    assert!(seen.len() > 3 * 12, "only {} reports for several segments", seen.len());

    let watch = Watch::new();
    let stopper = watch.clone();
    let watch = watch.forward_to(move |progress| {
        if progress.done > 3000 {
            stopper.stop();
        }
    });
    assert!(demucs.separate(&mix, &watch).unwrap_err().is_cancelled());
}

#[test]
fn damaged_files_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model");
    let read = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        Demucs::from_files(std::slice::from_ref(&file), None, options(|_| ())).map(|_| ()).unwrap_err()
    };
    for name in ["ht.safetensors", "ht.th"] {
        let bytes = std::fs::read(path(name)).unwrap();
        for length in [0, 1, 8, 100, bytes.len() / 2, bytes.len() - 1] {
            let error = read(&bytes[..length]);
            assert_eq!(error.kind(), ErrorKind::ModelUnavailable, "{name} cut at {length}: {error}");
            assert!(error.subject().is_some_and(|subject| subject.contains("model")), "{error}");
        }
    }
    let missing = Demucs::from_files(&[folder.path().join("none")], None, options(|_| ())).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::Io);
}

#[test]
fn wrong_shapes_and_unknown_tensors_are_refused_by_name() {
    let bytes = std::fs::read(path("ht.safetensors")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.safetensors");
    let with_header = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let text = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        let mut changed = bytes.clone();
        changed[text..text + to.len()].copy_from_slice(to.as_bytes());
        std::fs::write(&file, changed).unwrap();
        Demucs::from_files(std::slice::from_ref(&file), None, options(|_| ())).map(|_| ()).unwrap_err()
    };
    let renamed = with_header("\"encoder.0.conv.weight\"", "\"encoder.0.conv.heigth\"");
    assert!(renamed.message().contains("\"encoder.0.conv.weight\" is missing"), "{renamed}");
    let reshaped = with_header("\"shape\":[24,24]", "\"shape\":[12,48]");
    assert!(reshaped.message().contains("has the shape"), "{reshaped}");
    let class = with_header("demucs.htdemucs.HTDemucs", "demucs.htdemucs.HTDemuck");
    assert!(class.message().contains("HTDemuck"), "{class}");
}
