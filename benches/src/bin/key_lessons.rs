//! What `benches/peers/analysis/train_key.py` learns from.
//!
//! `cargo run --release -p sfa-benches --bin key_lessons -- FILE... > lessons.jsonl`
//!
//! One line of JSON per song: the file, and what speaks for each key in all of it and in its parts.

use std::path::Path;
use std::process::ExitCode;

use sfa_core::Watch;
use sfa_core::audio::analyze::key_lessons;
use sfa_core::audio::io::AudioReader;

fn main() -> ExitCode {
    for file in std::env::args().skip(1) {
        let lessons =
            AudioReader::open(Path::new(&file)).and_then(|mut song| key_lessons(&mut song, &Watch::new()));
        match lessons {
            Ok(parts) if parts.is_empty() => {}
            Ok(parts) => say(&serde_json::json!({ "file": file, "parts": parts })),
            Err(error) => return fail(&error),
        }
    }
    ExitCode::SUCCESS
}

#[allow(clippy::print_stdout, reason = "this is a command-line tool")]
fn say(line: &serde_json::Value) {
    println!("{line}");
}

#[allow(clippy::print_stderr, reason = "this is a command-line tool")]
fn fail(error: &sfa_core::audio::Error) -> ExitCode {
    eprintln!("{error}");
    ExitCode::FAILURE
}
