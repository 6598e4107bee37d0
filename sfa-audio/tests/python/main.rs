//! The user's own demucs package behind `PythonDemucs`: made-up packages that misbehave, and the real one where there
//! is one.

#![allow(clippy::print_stderr, reason = "tests say aloud what they skip and measure")]

mod original;
mod packages;
mod supervision;
mod worker;

use std::path::{Path, PathBuf};

use sfa_audio::Clip;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
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

fn signal_to_error_db(expected: &[f32], found: &[f32]) -> f64 {
    assert_eq!(expected.len(), found.len());
    let power =
        |values: &mut dyn Iterator<Item = f32>| values.map(|v| f64::from(v) * f64::from(v)).sum::<f64>();
    let error = power(&mut expected.iter().zip(found).map(|(e, f)| e - f));
    10.0 * (power(&mut expected.iter().copied()) / error).log10()
}

fn assert_empty(folder: &Path) {
    let left: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}
