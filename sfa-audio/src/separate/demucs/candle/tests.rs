//! The same goldens as for our own engine, on candle's CPU and, where there is one, on a GPU.

#![allow(clippy::print_stderr, reason = "tests tell what they measured and what they skip")]

use std::path::{Path, PathBuf};

use candle_core::{DType, Device};

use super::super::device::Backend;
use super::super::parity::{Bar, SINGLE, check_full, check_small, noise, signal_to_error_db};
use super::super::{Demucs, DemucsOptions};
use super::Place;
use crate::{Clip, Separator, Watch};

const SMALL: [&str; 5] = ["ht", "ht_six", "hybrid", "hybrid_magnitude", "hybrid_old"];

fn cpu(dtype: DType) -> Backend {
    Backend::Candle(Place { device: Device::Cpu, dtype })
}

#[test]
fn a_hybrid_transformer_agrees_with_the_original_layer_by_layer() {
    check_small(&cpu(DType::F32), "ht", SINGLE);
}

#[test]
fn a_hybrid_transformer_of_six_stems_agrees_with_the_original() {
    check_small(&cpu(DType::F32), "ht_six", SINGLE);
}

#[test]
fn a_hybrid_with_memory_and_attention_agrees_with_the_original() {
    check_small(&cpu(DType::F32), "hybrid", SINGLE);
}

#[test]
fn a_hybrid_of_magnitudes_agrees_with_the_original() {
    check_small(&cpu(DType::F32), "hybrid_magnitude", SINGLE);
}

#[test]
fn a_hybrid_with_the_old_padding_agrees_with_the_original() {
    check_small(&cpu(DType::F32), "hybrid_old", SINGLE);
}

#[test]
fn networks_of_the_official_size_agree_with_the_original() {
    check_full(&cpu(DType::F32), SINGLE);
}

#[test]
fn half_precision_comes_near_the_original() {
    for name in SMALL {
        check_small(&cpu(DType::F16), name, Bar { layer_error: 0.05, answer_db: 40.0 });
    }
}

#[cfg(feature = "cuda")]
#[test]
fn a_gpu_agrees_with_the_original_in_every_precision() {
    use super::super::Precision;

    for (precision, bar) in [
        (Precision::Fp32, SINGLE),
        (Precision::Fp16, Bar { layer_error: 0.05, answer_db: 40.0 }),
        (Precision::Bf16, Bar { layer_error: 0.2, answer_db: 30.0 }),
    ] {
        let place = match Place::cuda(0, precision) {
            Ok(place) => place,
            Err(error) => {
                eprintln!("skipped: {error}");
                return;
            }
        };
        for name in SMALL {
            check_small(&Backend::Candle(place.clone()), name, bar);
        }
        check_full(&Backend::Candle(place), bar);
    }
}

fn open(backend: &Backend, name: &str, batch: Option<usize>) -> Demucs {
    let file: PathBuf =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/demucs").join(format!("{name}.safetensors"));
    let options = DemucsOptions { batch, ..DemucsOptions::default() };
    Demucs::from_files_on(backend, &[file], None, options).unwrap()
}

fn separate(demucs: &Demucs, mix: &Clip) -> Vec<f32> {
    let stems = demucs.separate(mix, &Watch::new()).unwrap();
    stems.iter().flat_map(|(_, clip)| clip.channels().concat()).collect()
}

#[test]
fn whole_mixes_agree_with_our_own_engine_for_every_batch() {
    for (name, frames) in [("ht", 15_007), ("hybrid_old", 40_009)] {
        let mix = Clip::from_channels(44_100, noise(2, frames, 5)).unwrap();
        let expected = separate(&open(&Backend::Native, name, None), &mix);
        for batch in [1, 3] {
            let found = separate(&open(&cpu(DType::F32), name, Some(batch)), &mix);
            let agreement_db = signal_to_error_db(&expected, &found);
            eprintln!("{name}, batches of {batch}: {agreement_db:.1} dB");
            assert!(agreement_db >= 100.0, "{name}, batches of {batch}: {agreement_db} dB");
        }
    }
}

#[test]
fn progress_tells_of_every_layer_of_every_window_of_a_batch() {
    let reports = |demucs: &Demucs| {
        let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let log = std::sync::Arc::clone(&seen);
        let watch = Watch::with_sink(move |progress| log.lock().unwrap().push(progress.done));
        let mix = Clip::from_channels(44_100, noise(2, 9000, 14)).unwrap();
        demucs.separate(&mix, &watch).unwrap();
        let seen = seen.lock().unwrap().clone();
        assert!(seen.is_sorted() && seen.last() == Some(&9000), "{seen:?}");
        seen.len()
    };
    assert!(reports(&open(&cpu(DType::F32), "ht", Some(3))) > 12);
    assert!(reports(&open(&Backend::Native, "ht", Some(3))) > 3 * 12);
}

#[test]
fn a_batch_is_stopped_between_two_layers() {
    let demucs = open(&cpu(DType::F32), "ht", Some(2));
    let watch = Watch::new();
    let stopper = watch.clone();
    let watch = watch.forward_to(move |progress| {
        if progress.done > 1000 {
            stopper.stop();
        }
    });
    let mix = Clip::from_channels(44_100, noise(2, 9000, 14)).unwrap();
    assert!(demucs.separate(&mix, &watch).unwrap_err().is_cancelled());
}

#[test]
fn a_fault_is_told_in_one_line_and_a_full_gpu_with_what_to_do() {
    let told =
        super::fault(candle_core::Error::msg("DriverError(CUDA_ERROR_OUT_OF_MEMORY)\n   0: frame").bt());
    assert_eq!(told.kind(), crate::ErrorKind::InvalidOption);
    assert!(told.message().contains("smaller batch"), "{told}");
    let told = super::fault(candle_core::Error::msg("shapes differ\n   0: frame").bt());
    assert_eq!(told.kind(), crate::ErrorKind::Internal);
    assert!(told.message().ends_with("shapes differ"), "{told}");
}

#[test]
fn damaged_files_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/demucs/ht.safetensors");
    let bytes = std::fs::read(source).unwrap();
    let file = folder.path().join("model.safetensors");
    let from = b"\"encoder.0.conv.weight\"";
    let text = bytes.windows(from.len()).position(|window| window == from).unwrap();
    let mut renamed = bytes.clone();
    renamed[text..text + from.len()].copy_from_slice(b"\"encoder.0.conv.heigth\"");
    std::fs::write(&file, renamed).unwrap();
    let error = Demucs::from_files_on(&cpu(DType::F32), &[file], None, DemucsOptions::default()).unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::ModelUnavailable);
    assert!(error.message().contains("\"encoder.0.conv.weight\" is missing"), "{error}");
}
