//! Chores of this repository, run as `cargo xtask <chore>`.

mod layers;
mod shell;
mod web;

use std::process::ExitCode;

use shell::{Failure, cargo, root, say};

const HELP: &str = "\
cargo xtask run      build everything, make a demo song, process it, and open the web studio with it
cargo xtask test     run every test: unit, integration and documentation
cargo xtask ci       what a submission must pass: fmt, clippy, layers, tests, candle, docs, web
cargo xtask web      build and check the web studio (Node 20.19 or newer); with --e2e also in a browser,
                     with --api only write the API's document and the client's types anew
cargo xtask candle   lint and test the networks' second implementation, the one that GPUs run
cargo xtask layers   check which crate may import what
cargo xtask chaos    kill workers and databases under load and count what was lost (minutes); WORDS choose scenarios
cargo xtask schema   write docs/schema/*.json anew from the types
cargo xtask fixtures make the goldens of sfa-audio/tests/demucs anew with the real package (Python, some GB);
                     with --full FOLDER those of the official sizes, for SFA_DEMUCS_FULL
cargo xtask help     this text";

fn main() -> ExitCode {
    let chore = std::env::args().nth(1).unwrap_or_else(|| "help".to_owned());
    let outcome = match chore.as_str() {
        "run" => run(),
        "test" => test(),
        "ci" => ci(),
        "candle" => candle(),
        "layers" => check_layers(),
        "web" => web(),
        "chaos" => chaos(),
        "schema" => schema(),
        "fixtures" => fixtures(),
        "help" | "--help" | "-h" => {
            say(HELP);
            Ok(())
        }
        other => Err(Failure::usage(format!("there is no chore {other:?}\n\n{HELP}"))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// The first thing a newcomer does: from a fresh clone to a song in the studio.
fn run() -> Result<(), Failure> {
    match web::missing() {
        None => web::build()?,
        Some(missing) => say(format!("{missing}; without it there are the API and the command line")),
    }
    say("building the release binary (a minute or two the first time)");
    cargo(&["build", "--release", "--package", "sfa-server"])?;
    let sfa = root().join("target/release").join(format!("sfa{}", std::env::consts::EXE_SUFFIX));
    let out = root().join("out");
    let song = out.join("Sound Forge Alchemy - First Light.flac").display().to_string();
    shell::run(&sfa, &["demo", "--out", &song, "--force"])?;
    let studio = out.join("studio");
    shell::run(&sfa, &["process", &song, "--out", &studio.display().to_string(), "--force"])?;
    let report = studio.join("Sound Forge Alchemy - First Light").join("report.html");
    let library = out.join("library").display().to_string();
    shell::run(&sfa, &["library", "--data", &library, "add", &song])?;
    say(format!("\nthe song's report, one file:\n  {}", report.display()));
    say(format!("your own music without the studio:\n  {} process SONG... --out DIR", sfa.display()));
    say("\nopen the address that follows in a browser; Ctrl-C ends it");
    shell::run(&sfa, &["serve", "--data", &library, "--log-level", "warn"])
}

fn web() -> Result<(), Failure> {
    match std::env::args().nth(2).as_deref() {
        None => web::check(),
        Some("--api") => web::api(),
        Some("--e2e") => {
            web::check()?;
            web::end_to_end()
        }
        Some(other) => Err(Failure::usage(format!("cargo xtask web knows no {other}\n\n{HELP}"))),
    }
}

fn test() -> Result<(), Failure> {
    cargo(&["test", "--workspace"])
}

fn chaos() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let mut arguments = vec!["run", "--release", "--package", "sfa-benches", "--bin", "chaos"];
    let words = words.join(" ");
    if !words.is_empty() {
        arguments.extend(["--", &words]);
    }
    cargo(&arguments)
}

fn ci() -> Result<(), Failure> {
    cargo(&["fmt", "--all", "--check"])?;
    check_layers()?;
    cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    test()?;
    candle()?;
    shell::run_with("cargo", &["doc", "--workspace", "--no-deps"], &[("RUSTDOCFLAGS", "-D warnings")])?;
    if let Some(missing) = web::missing() {
        say(format!("SKIPPED, the web studio was not checked: {missing}"));
        return Ok(());
    }
    web::check()?;
    web::end_to_end()
}

/// On candle's own CPU, so that it needs neither a GPU nor the CUDA toolkit.
fn candle() -> Result<(), Failure> {
    let only = ["--package", "sfa-audio", "--features", "candle"];
    cargo(&[&["clippy"], &only[..], &["--all-targets", "--", "-D", "warnings"]].concat())?;
    cargo(&[&["test"], &only[..], &["--lib", "demucs::candle"]].concat())
}

fn check_layers() -> Result<(), Failure> {
    let metadata = shell::output("cargo", &["metadata", "--format-version", "1", "--no-deps", "--locked"])?;
    let metadata = serde_json::from_slice(&metadata)
        .map_err(|error| Failure::new(format!("cargo metadata printed no JSON: {error}")))?;
    match layers::violations(&metadata).as_slice() {
        [] => {
            say("layers: every crate imports only what it may");
            Ok(())
        }
        found => Err(Failure::new(format!("layers are broken:\n  {}", found.join("\n  ")))),
    }
}

fn schema() -> Result<(), Failure> {
    shell::run_with(
        "cargo",
        &["test", "--package", "sfa-core", "--test", "export", "schema"],
        &[("SFA_WRITE_SCHEMA", "1")],
    )
}

/// Runs the fixtures script in a Python environment of its own, with the versions that the goldens are pinned to.
fn fixtures() -> Result<(), Failure> {
    const PACKAGES: [&str; 4] = ["torch==2.15.0", "demucs==4.1.0", "safetensors==0.8.0", "numpy==2.4.6"];
    let arguments: Vec<String> = std::env::args().skip(2).collect();
    let environment = root().join("target/fixtures-python");
    let python = environment.join("bin/python");
    if !python.is_file() {
        shell::run("python3", &["-m", "venv", &environment.display().to_string()])?;
        let pip = ["-m", "pip", "install", "--quiet"];
        shell::run(&python, &[&pip[..], &PACKAGES].concat())?;
    }
    let script = "tools/fixtures/demucs_goldens.py";
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => shell::run(&python, &[script, "sfa-audio/tests/demucs"]),
        ["--full", folder] => shell::run(&python, &[script, "--full", folder]),
        _ => Err(Failure::usage(format!("cargo xtask fixtures [--full FOLDER]\n\n{HELP}"))),
    }
}
