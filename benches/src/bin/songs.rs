//! Times whole `sfa` commands on long songs, with their peak memory, and prints one table.
//!
//! `cargo build --release && cargo run --release -p sfa-benches --bin songs [FILE...]`
//!
//! Without files it makes its own: the demo song drawn out to four minutes (as MP3 when `ffmpeg` is there, as
//! FLAC otherwise) and to two hours (FLAC). One-core rows are pinned with `taskset` where it exists.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use sfa_core::audio::io::{AudioFormat, AudioWriter, EncodeOptions};
use sfa_core::{AudioSource, Clip, Studio, Watch, demo};

type Failure = Box<dyn std::error::Error>;

/// What one command cost.
struct Cost {
    wall_secs: f64,
    cpu_secs: f64,
    peak_mib: f64,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.split_first() {
        Some((flag, command)) if flag == MEASURE => measure_here(command),
        _ => table(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(format!("songs: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn table(files: &[String]) -> Result<(), Failure> {
    let work = PathBuf::from("target/bench-songs");
    std::fs::create_dir_all(&work)?;
    let songs = if files.is_empty() {
        vec![four_minutes(&work)?, two_hours(&work)?]
    } else {
        files.iter().map(PathBuf::from).collect()
    };
    say(
        "| command | song | cores | wall s | cpu s | x real time | peak MiB |\n|---|---|---|---|---|---|---|",
    );
    for song in &songs {
        let secs = Studio::new().probe(song, &Watch::new())?.duration_secs;
        row(song, secs, "analyze", &["--json"], true)?;
        if secs < 1000.0 {
            let out = work.join("out");
            let out = ["--force", "--out", out.to_str().ok_or("the path is not UTF-8")?];
            row(song, secs, "separate", &out, false)?;
            row(song, secs, "process", &out, false)?;
        }
    }
    Ok(())
}

fn row(song: &Path, secs: f64, command: &str, options: &[&str], one_core: bool) -> Result<(), Failure> {
    let sfa = std::env::current_exe()?.with_file_name("sfa");
    let mut line = vec![sfa.display().to_string(), command.to_owned(), song.display().to_string()];
    line.extend(options.iter().map(|&option| option.to_owned()));
    let cost = measure(&line, one_core)?;
    say(format!(
        "| {command} | {} ({secs:.0} s) | {} | {:.2} | {:.2} | {:.0} | {:.0} |",
        song.file_name().unwrap_or_default().to_string_lossy(),
        if one_core { "1" } else { "all" },
        cost.wall_secs,
        cost.cpu_secs,
        secs / cost.wall_secs,
        cost.peak_mib
    ));
    Ok(())
}

const MEASURE: &str = "--measure";

/// Runs a command in a child of its own, since the system tells peak memory only for all children together.
fn measure(command: &[String], one_core: bool) -> Result<Cost, Failure> {
    let pinned = one_core && Command::new("taskset").arg("--version").output().is_ok();
    let here = std::env::current_exe()?;
    let mut runner = if pinned { Command::new("taskset") } else { Command::new(&here) };
    if pinned {
        runner.args(["--cpu-list", "0"]).arg(&here);
    }
    let output = runner.arg(MEASURE).args(command).stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8(output.stdout)?;
    let figures: Vec<f64> = text.split_whitespace().filter_map(|figure| figure.parse().ok()).collect();
    match figures.as_slice() {
        &[wall_secs, cpu_secs, peak_mib] => Ok(Cost { wall_secs, cpu_secs, peak_mib }),
        _ => Err(format!("{} failed", command.join(" ")).into()),
    }
}

fn measure_here(command: &[String]) -> Result<(), Failure> {
    let (program, arguments) = command.split_first().ok_or("no command")?;
    let started = Instant::now();
    let status =
        Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    let wall_secs = started.elapsed().as_secs_f64();
    if !status.success() {
        return Err(format!("{program}: {status}").into());
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let secs = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 * 1e-6;
    say(format!(
        "{wall_secs} {} {}",
        secs(usage.user_time()) + secs(usage.system_time()),
        usage.max_rss() as f64 / 1024.0
    ));
    Ok(())
}

/// The demo song drawn out to four minutes.
fn four_minutes(work: &Path) -> Result<PathBuf, Failure> {
    let mp3 = Command::new("ffmpeg").arg("-version").output().is_ok_and(|output| output.status.success());
    let path = work.join(if mp3 { "four-minutes.mp3" } else { "four-minutes.flac" });
    if !path.exists() {
        write_repeated(&path, if mp3 { AudioFormat::Mp3 } else { AudioFormat::Flac }, 240.0)?;
    }
    Ok(path)
}

fn two_hours(work: &Path) -> Result<PathBuf, Failure> {
    let path = work.join("two-hours.flac");
    if !path.exists() {
        write_repeated(&path, AudioFormat::Flac, 7200.0)?;
    }
    Ok(path)
}

/// Writes the demo song again and again until `secs` are full.
fn write_repeated(path: &Path, format: AudioFormat, secs: f64) -> Result<(), Failure> {
    let song = demo::song(&demo::DemoOptions::default())?.mix;
    let options = EncodeOptions::new(format);
    let mut writer = AudioWriter::create(path, song.spec(), &options, None)?;
    let mut left = song.spec().frame_at(secs);
    let mut block = Clip::empty(song.spec());
    while left > 0 {
        let mut source = song.source();
        while left > 0 && source.read(&mut block)? > 0 {
            block.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            writer.write(&block)?;
            left -= block.frames() as u64;
        }
    }
    writer.finish()?;
    Ok(())
}

#[allow(clippy::print_stdout, reason = "this is a command-line tool")]
fn say(text: impl AsRef<str>) {
    println!("{}", text.as_ref());
}
