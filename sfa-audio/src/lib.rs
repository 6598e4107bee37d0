#![doc = include_str!("../README.md")]

pub mod analyze;
pub mod child;
mod clip;
pub mod cue;
pub mod dsp;
mod error;
pub mod io;
mod nn;
pub mod separate;
pub mod transcribe;
pub mod warp;
mod watch;

pub use analyze::{Analysis, AnalyzeOptions};
pub use clip::{
    AudioSource, AudioSpec, Clip, ClipSource, MAX_CHANNELS, MAX_SAMPLE_RATE_HZ, MIN_SAMPLE_RATE_HZ,
};
pub use error::{Error, ErrorKind, Result};
pub use separate::{Separator, StemKind, Stems};
pub use watch::{Progress, Stage, Watch};
