//! Every export, read back by somebody else's reader.

#[path = "../fixture/mod.rs"]
mod fixture;

mod json;
mod midi;
mod notes;
mod rekordbox;
mod report;
mod serato;
mod text;
mod traktor;
mod zip;
