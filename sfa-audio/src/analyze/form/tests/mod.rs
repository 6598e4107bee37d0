//! Form, cues and loops of songs whose structure is planted.

#![allow(clippy::print_stderr, reason = "tests say aloud what they skip")]

mod invariants;
mod planted;
mod songs;
mod synth;
