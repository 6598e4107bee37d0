#![doc = include_str!("../README.md")]
#![allow(
    clippy::duplicate_mod,
    reason = "library::store compiles one source of statements for each database"
)]

mod claims;
pub mod demo;
mod engine;
pub mod export;
mod folder;
mod hex;
mod http;
pub mod library;
pub mod models;
mod naming;
pub mod oidc;
mod part;
pub mod picture;
mod progress;
pub mod song;
mod source;
mod stems;
mod studio;
pub mod traces;
mod transcription;

pub use engine::{AUTO, CLASSIC, DEMUCS, EngineChoice, EngineRequest, ModelOptions, PYTHON};
pub use sfa_audio as audio;
pub use sfa_audio::{
    AnalyzeOptions, AudioSource, AudioSpec, Clip, Error, ErrorKind, Progress, Result, Separator, Stage,
    StemKind, Watch,
};
pub use stems::{Rest, StemOptions, StemSelection};
pub use studio::{PLAYLIST_FILE, ProcessOptions, ProcessedSong, SeparateOptions, SeparatedSong, Studio};
pub use transcription::Transcription;
