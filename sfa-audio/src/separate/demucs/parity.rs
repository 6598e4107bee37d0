//! Every layer and every answer against the original in PyTorch, computed in double precision by
//! `tools/fixtures/demucs_goldens.py`.

#![allow(clippy::print_stderr, reason = "tests tell what they measured and what they skip")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use safetensors::SafeTensors;

use super::device::Backend;
use super::model::{Layer, Made, Model, Run};
use crate::nn::Scratch;
use crate::{Result, Watch};

/// Every so many values of an answer are stored, and of a layer.
#[derive(Clone, Copy)]
struct Steps {
    answer: usize,
    layer: usize,
}

const SMALL: Steps = Steps { answer: 11, layer: 23 };
const FULL: Steps = Steps { answer: 1009, layer: 2019 };

/// White noise from a linear congruential generator, channel after channel.
pub(super) fn noise(channels: usize, frames: usize, seed: u32) -> Vec<Vec<f32>> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 16) as f32 - 32_768.0) / 65_536.0
    };
    (0..channels).map(|_| (0..frames).map(|_| next()).collect()).collect()
}

fn goldens(path: &Path) -> BTreeMap<String, Vec<f32>> {
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    file.iter()
        .map(|(name, view)| {
            let values = view.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
            (name.to_owned(), values)
        })
        .collect()
}

/// The largest difference as a share of the largest value.
fn relative_error(expected: &[f32], found: &[f32]) -> f32 {
    assert_eq!(expected.len(), found.len());
    let largest = expected.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    expected.iter().zip(found).fold(0.0_f32, |error, (e, f)| error.max((e - f).abs())) / largest
}

pub(super) fn signal_to_error_db(expected: &[f32], found: &[f32]) -> f64 {
    assert_eq!(expected.len(), found.len());
    let power =
        |values: &mut dyn Iterator<Item = f32>| values.map(|v| f64::from(v) * f64::from(v)).sum::<f64>();
    let error = power(&mut expected.iter().zip(found).map(|(e, f)| e - f));
    10.0 * (power(&mut expected.iter().copied()) / error).log10()
}

/// The name of a layer in the original, whose decoders are numbered from the inside.
fn original_name(layer: Layer, depth: usize, time_depth: usize) -> Option<String> {
    match layer {
        Layer::Spectrogram | Layer::Spectrograms => None,
        Layer::Encoder(index) => Some(format!("layer.encoder.{index}")),
        Layer::TimeEncoder(index) => Some(format!("layer.tencoder.{index}")),
        Layer::Transformer(index) => Some(format!("layer.layers.{index}")),
        Layer::TimeTransformer(index) => Some(format!("layer.layers_t.{index}")),
        Layer::Decoder(index) => Some(format!("layer.decoder.{}", depth - 1 - index)),
        Layer::TimeDecoder(index) => Some(format!("layer.tdecoder.{}", time_depth - 1 - index)),
    }
}

/// How near the original an implementation has to come.
#[derive(Clone, Copy)]
pub(super) struct Bar {
    /// The largest error of any layer, as a share of its largest value.
    pub(super) layer_error: f32,
    pub(super) answer_db: f64,
}

/// Single precision has 6e-8; what comes before a layer adds up in it.
pub(super) const SINGLE: Bar = Bar { layer_error: 1e-5, answer_db: 105.0 };

fn check(backend: &Backend, folder: &Path, name: &str, frames: usize, steps: Steps, bar: Bar) {
    let model = Model::read(&folder.join(format!("{name}.safetensors")), backend).unwrap();
    let goldens = goldens(&folder.join(format!("{name}.golden.safetensors")));
    let (depth, time_depth) = model.depths();
    let seen = Mutex::new(0);
    let compare = |layer: Layer, _: usize, made: &Made<'_>| -> Result<()> {
        if let Some(name_of_layer) = original_name(layer, depth, time_depth) {
            let found: Vec<f32> = made()?.into_iter().step_by(steps.layer).collect();
            let error = relative_error(&goldens[&name_of_layer], &found);
            assert!(error <= bar.layer_error, "{name}, {name_of_layer}: {error:e}");
            *seen.lock().unwrap() += 1;
        }
        Ok(())
    };
    let (scratch, watch) = (Scratch::default(), Watch::new());
    let run = Run { scratch: &scratch, watch: &watch, layer_done: &compare };
    let stems = model.separate(&run, vec![noise(2, frames, 1)]).unwrap().remove(0);
    assert_eq!(*seen.lock().unwrap(), goldens.len() - 1, "layers compared");
    let frames = (0..stems.channels).flat_map(|channel| &stems.channel(0, channel)[..frames]);
    let found: Vec<f32> = frames.copied().step_by(steps.answer).collect();
    let agreement_db = signal_to_error_db(&goldens["out"], &found);
    eprintln!("{name}: {agreement_db:.1} dB");
    assert!(agreement_db >= bar.answer_db, "{name}: {agreement_db} dB");
}

/// Compares the small network `name` with its golden.
pub(super) fn check_small(backend: &Backend, name: &str, bar: Bar) {
    let frames = match name {
        "ht" | "ht_six" => 3001,
        "hybrid" => 13_671,
        _ => 6001,
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/demucs");
    check(backend, &folder, name, frames, SMALL, bar);
}

/// Compares networks of the official size with their goldens, where those are.
pub(super) fn check_full(backend: &Backend, bar: Bar) {
    let Some(folder) = std::env::var_os("SFA_DEMUCS_FULL").map(PathBuf::from) else {
        eprintln!("skipped: SFA_DEMUCS_FULL names no folder made by tools/fixtures/demucs_goldens.py --full");
        return;
    };
    for (name, frames) in [
        ("htdemucs", 343_980),
        ("htdemucs_6s", 343_980),
        ("hdemucs_mmi", 441_000),
        ("mdx_extra_magnitude", 441_000),
        ("mdx_extra_old", 441_000),
    ] {
        if folder.join(format!("{name}.golden.safetensors")).exists() {
            check(backend, &folder, name, frames, FULL, bar);
        }
    }
}

#[test]
fn a_hybrid_transformer_agrees_with_the_original_layer_by_layer() {
    check_small(&Backend::Native, "ht", SINGLE);
}

#[test]
fn a_hybrid_transformer_of_six_stems_agrees_with_the_original() {
    check_small(&Backend::Native, "ht_six", SINGLE);
}

#[test]
fn a_hybrid_with_memory_and_attention_agrees_with_the_original() {
    check_small(&Backend::Native, "hybrid", SINGLE);
}

#[test]
fn a_hybrid_of_magnitudes_agrees_with_the_original() {
    check_small(&Backend::Native, "hybrid_magnitude", SINGLE);
}

#[test]
fn a_hybrid_with_the_old_padding_agrees_with_the_original() {
    check_small(&Backend::Native, "hybrid_old", SINGLE);
}

#[test]
fn outermost_maps_that_are_made_again_are_the_same() {
    let path =
        |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/demucs/{name}.safetensors"));
    for name in ["ht", "hybrid", "hybrid_magnitude"] {
        let mut model = Model::read(&path(name), &Backend::Native).unwrap();
        let (scratch, watch) = (Scratch::default(), Watch::new());
        let run = Run { scratch: &scratch, watch: &watch, layer_done: &|_, _, _| Ok(()) };
        let separate = |model: &Model| {
            let stems = model.separate(&run, vec![noise(2, 3001, 1)]).unwrap().remove(0);
            stems.data.to_vec()
        };
        let kept = separate(&model);
        model.keep_no_outermost_maps();
        assert!(separate(&model) == kept, "{name}");
    }
}

#[test]
fn networks_of_the_official_size_agree_with_the_original() {
    check_full(&Backend::Native, SINGLE);
}
