#![doc = include_str!("../README.md")]

mod claims;
pub mod demo;
pub mod export;
mod folder;
mod http;
pub mod models;
mod naming;
mod progress;
pub mod song;
mod source;
mod stems;
mod studio;

pub use sfa_audio as audio;
pub use sfa_audio::{
    AnalyzeOptions, AudioSource, AudioSpec, Clip, Error, ErrorKind, Progress, Result, Separator, Stage,
    StemKind, Watch,
};
pub use stems::StemOptions;
pub use studio::{
    EngineChoice, PLAYLIST_FILE, ProcessOptions, ProcessedSong, SeparateOptions, SeparatedSong, Studio,
};
