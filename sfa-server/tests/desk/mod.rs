//! What tests of whole commands share: a folder to work in, a song, the binary.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "every test crate uses some of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sfa_core::audio::io::{EncodeOptions, write_clip};
use sfa_core::audio::{AudioSpec, Clip};
use tempfile::TempDir;

/// The binary, in a world of its own: no model of the user is found.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sfa"));
    for variable in ["SFA_MODELS_DIR", "HF_HUB_CACHE", "HF_HOME", "TORCH_HOME"] {
        command.env(variable, "/nowhere");
    }
    command
}

pub fn sfa(arguments: &[&str]) -> Output {
    command().args(arguments).output().expect("the binary runs")
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("stdout is UTF-8")
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("stderr is UTF-8")
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("test paths are UTF-8")
}

/// A beat at 120 BPM: a decaying thump on every beat over a quiet A minor chord.
fn write_song(path: &Path, frames: u32) {
    let rate_hz = 44_100;
    let mono: Vec<f32> = (0..frames)
        .map(|frame| {
            let secs = frame as f32 / rate_hz as f32;
            let since_beat = secs % 0.5;
            let turn = |hz: f32| (std::f32::consts::TAU * hz * secs).sin();
            let thump = (std::f32::consts::TAU * 60.0 * since_beat).sin() * (-12.0 * since_beat).exp();
            0.6 * thump + 0.05 * (turn(220.0) + turn(261.63) + turn(329.63))
        })
        .collect();
    let clip = Clip::from_channels(rate_hz, vec![mono.clone(), mono]).unwrap();
    write_clip(path, &clip, &EncodeOptions::default(), None).unwrap();
}

pub struct Desk {
    folder: TempDir,
}

impl Desk {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Eight seconds: enough to find the beat.
    pub fn song(&self, name: &str) -> PathBuf {
        self.song_of(name, 8 * 44_100)
    }

    /// So many frames; each length is a song of its own.
    pub fn song_of(&self, name: &str, frames: u32) -> PathBuf {
        let path = self.path(name);
        write_song(&path, frames);
        path
    }

    /// Three seconds of digital silence.
    pub fn silence(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        let clip = Clip::silence(AudioSpec::new(44_100, 2).unwrap(), 3 * 44_100);
        write_clip(&path, &clip, &EncodeOptions::default(), None).unwrap();
        path
    }

    /// A fifth of a second: enough for a small network.
    pub fn short_song(&self, name: &str) -> PathBuf {
        self.song_of(name, 9007)
    }
}

/// Every file below a folder, hidden ones too, relative and sorted.
pub fn files_below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}
