//! What transcription must find in material whose notes are known.
#![allow(clippy::print_stderr, reason = "tests say aloud what they skip")]

mod melody;
mod play;
mod polyphony;
mod pyin;
