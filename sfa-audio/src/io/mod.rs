//! Files in and out: the only place that knows containers and codecs.

mod bare_flac;
mod conform;
mod container;
mod ffmpeg;
mod input;
mod matroska;
mod mp4;
mod opus;
mod pcm;
mod probe;
mod reader;
mod serato;
mod sniff;
mod stream;
mod tag_files;
mod tags;
mod warnings;
mod write;

pub use probe::{Probe, probe, read_clip};
pub use reader::{AudioReader, FileInfo, TrimSource};
pub use serato::SeratoTags;
pub use tags::{Cover, Tags};
pub use write::{
    AtomicFile, AudioFormat, AudioWriter, BitDepth, EncodeOptions, PeakPolicy, Written, write_clip,
};
