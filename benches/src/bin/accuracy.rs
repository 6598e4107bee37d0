//! How right the analysis is, on songs whose truth is known.
//!
//! `cargo run --release -p sfa-benches --bin accuracy [FOLDER...]`
//!
//! Every folder below a FOLDER that holds `truth.json` and `mix.flac` (or `mix.wav`) is one song. Without
//! FOLDER the songs are a battery of our own, over styles, tempi, keys, tunings and seeds. Scores as mir_eval's:
//! beats and downbeats F at 70 ms, boundaries F at 0.5 s and 3 s without the two ends, keys by the MIREX weights.
//! Tempo *octave* is within 4 % of the truth, *fold* within 1 % of it or of its half, double, third or triple. A
//! drop counts within one bar.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Deserialize;
use sfa_core::audio::analyze::{Analysis, FormEventKind, Key, Mode, Rhythm, analyze};
use sfa_core::demo::DemoStyle::{self, Ambient, DrumAndBass, HipHop, House, Rock, Waltz};
use sfa_core::demo::{DemoOptions, DemoTruth, song};
use sfa_core::{AnalyzeOptions, Studio, Watch};

type Failure = Box<dyn std::error::Error>;

/// Our own songs: style, tempo, key, tuning in cents, silence before the first beat.
const BATTERY: [(DemoStyle, f64, &str, f64, f64); 20] = [
    (House, 124.0, "A minor", 0.0, 0.25),
    (House, 118.0, "C# minor", 12.0, 0.0),
    (House, 128.0, "F major", 0.0, 0.731),
    (House, 133.33, "E minor", -20.0, 1.3),
    (House, 126.5, "A# minor", 0.0, 0.05),
    (DrumAndBass, 174.0, "F minor", 0.0, 0.4),
    (DrumAndBass, 168.0, "G major", 8.0, 0.0),
    (DrumAndBass, 176.4, "D minor", -35.0, 2.2),
    (HipHop, 88.0, "D minor", 0.0, 0.25),
    (HipHop, 76.3, "G# minor", 0.0, 0.6),
    (HipHop, 96.0, "C major", 31.0, 0.0),
    (HipHop, 140.0, "F# minor", 0.0, 0.3),
    (Waltz, 154.0, "D major", 0.0, 0.25),
    (Waltz, 112.0, "B minor", -12.0, 0.9),
    (Waltz, 180.0, "D# major", 0.0, 0.0),
    (Rock, 128.0, "E major", 0.0, 0.25),
    (Rock, 98.0, "B minor", 18.0, 0.5),
    (Rock, 151.7, "A major", 0.0, 0.0),
    (Rock, 116.0, "G minor", 0.0, 1.75),
    (Ambient, 80.0, "C minor", 0.0, 0.25),
];

#[derive(Deserialize)]
struct Truth {
    bpm: f64,
    meter: u8,
    beats: Vec<f64>,
    downbeats: Vec<f64>,
    key: String,
    #[serde(default)]
    sections: Vec<TrueSection>,
    #[serde(default)]
    drops: Vec<f64>,
    #[serde(default)]
    tuning_cents: f64,
}

#[derive(Deserialize)]
struct TrueSection {
    start: f64,
}

/// One row of the table; every entry is a share in `0.0..=1.0` unless its name has a unit.
struct Scores {
    octave: f64,
    fold: f64,
    meter: f64,
    beat_f: f64,
    downbeat_f: f64,
    key: f64,
    mirex: f64,
    boundary_f_half: f64,
    boundary_f_three: f64,
    drops_found: usize,
    drops_true: usize,
    drops_false: usize,
}

impl From<&DemoTruth> for Truth {
    fn from(truth: &DemoTruth) -> Self {
        Self {
            bpm: truth.bpm,
            meter: truth.beats_per_bar,
            beats: truth.beats_secs.clone(),
            downbeats: truth.downbeats_secs.clone(),
            key: truth.key.to_string(),
            sections: truth.sections.iter().map(|part| TrueSection { start: part.start_secs }).collect(),
            drops: truth.drops_secs.clone(),
            tuning_cents: truth.tuning_cents,
        }
    }
}

fn main() -> ExitCode {
    let folders: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    say(
        "| song | bpm | found | oct | fold | metre | beat F | down F | key | found | cents | F.5 | F3 | drops | false |",
    );
    say("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    match if folders.is_empty() { own_songs() } else { songs_in(&folders) } {
        Ok(scores) => {
            say(summary(&scores));
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(format!("accuracy: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn own_songs() -> Result<Vec<Scores>, Failure> {
    let mut scores = Vec::new();
    for (index, (style, bpm, key, tuning_cents, lead_in_secs)) in BATTERY.into_iter().enumerate() {
        let key = Key::all().find(|named| named.to_string() == key).ok_or(key)?;
        let options = DemoOptions::new(style)
            .bpm(bpm)
            .key(key)
            .tuning_cents(tuning_cents)
            .lead_in_secs(lead_in_secs)
            .half_time(style == HipHop && bpm > 120.0)
            .seed(index as u64 + 1);
        let song = song(&options)?;
        let analysis = analyze(&mut song.mix.source(), &AnalyzeOptions::default(), &Watch::new())?;
        scores.push(row(&format!("{:02} {}", index + 1, style.name()), &Truth::from(&song.truth), &analysis));
    }
    Ok(scores)
}

fn songs_in(folders: &[PathBuf]) -> Result<Vec<Scores>, Failure> {
    let mut songs: Vec<PathBuf> = folders.iter().flat_map(|folder| songs_below(folder)).collect();
    songs.sort();
    let mut scores = Vec::new();
    for song in songs {
        let truth: Truth = serde_json::from_slice(&std::fs::read(song.join("truth.json"))?)?;
        let mixes = ["mix.flac", "mix.wav"].map(|file| song.join(file));
        let mix = mixes.iter().find(|path| path.is_file()).ok_or("no mix.flac beside truth.json")?;
        let report = Studio::new().analyze(mix, &AnalyzeOptions::default(), &Watch::new())?;
        let name = song.file_name().unwrap_or_default().to_string_lossy().into_owned();
        scores.push(row(&name, &truth, &report.analysis));
    }
    Ok(scores)
}

fn songs_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    std::iter::once(folder.to_owned())
        .chain(entries)
        .filter(|path| path.join("truth.json").is_file())
        .collect()
}

fn summary(scores: &[Scores]) -> String {
    let mean = |of: fn(&Scores) -> f64| scores.iter().map(of).sum::<f64>() / scores.len().max(1) as f64;
    let sum = |of: fn(&Scores) -> usize| scores.iter().map(of).sum::<usize>();
    format!(
        "\n{} songs: octave {:.3}, fold {:.3}, metre {:.3}, beat F {:.3}, downbeat F {:.3}, key {:.3}, MIREX {:.3}, \
         boundaries {:.3} at 0.5 s and {:.3} at 3 s, drops {} of {} with {} false",
        scores.len(),
        mean(|s| s.octave),
        mean(|s| s.fold),
        mean(|s| s.meter),
        mean(|s| s.beat_f),
        mean(|s| s.downbeat_f),
        mean(|s| s.key),
        mean(|s| s.mirex),
        mean(|s| s.boundary_f_half),
        mean(|s| s.boundary_f_three),
        sum(|s| s.drops_found),
        sum(|s| s.drops_true),
        sum(|s| s.drops_false),
    )
}

/// Scores one song and prints its row.
fn row(name: &str, truth: &Truth, analysis: &Analysis) -> Scores {
    let scores = score(truth, analysis);
    let bpm = analysis.rhythm.as_ref().map_or(0.0, |rhythm| rhythm.tempo.bpm);
    let (key, cents) = analysis
        .key
        .as_ref()
        .map_or(("none".to_owned(), 0.0), |found| (found.key.to_string(), found.tuning_cents));
    say(format!(
        "| {name} | {:.2} | {bpm:.3} | {} | {} | {} | {:.3} | {:.3} | {} | {key} | {:.0}/{cents:.0} | {:.2} | {:.2} | {}/{} | {} |",
        truth.bpm,
        scores.octave,
        scores.fold,
        scores.meter,
        scores.beat_f,
        scores.downbeat_f,
        truth.key,
        truth.tuning_cents,
        scores.boundary_f_half,
        scores.boundary_f_three,
        scores.drops_found,
        scores.drops_true,
        scores.drops_false,
    ));
    scores
}

fn score(truth: &Truth, analysis: &Analysis) -> Scores {
    let rhythm = analysis.rhythm.as_ref();
    let bpm = rhythm.map_or(0.0, |rhythm| rhythm.tempo.bpm);
    let near = |factor: f64, tolerance: f64| (bpm / (truth.bpm * factor) - 1.0).abs() <= tolerance;
    let beats: Vec<f64> =
        rhythm.into_iter().flat_map(|rhythm| &rhythm.beats).map(|beat| beat.time_secs).collect();
    let downbeats: Vec<f64> = rhythm.into_iter().flat_map(Rhythm::downbeats).collect();
    let found_key = analysis.key.as_ref().map(|found| found.key);
    let true_key = Key::all().find(|key| key.to_string() == truth.key);
    let inner = |starts: Vec<f64>| starts.into_iter().skip(1).collect::<Vec<_>>();
    let true_starts = inner(truth.sections.iter().map(|section| section.start).collect());
    let form = analysis.form.as_ref();
    let starts =
        inner(form.into_iter().flat_map(|form| &form.sections).map(|section| section.start_secs).collect());
    let drops: Vec<f64> = form
        .into_iter()
        .flat_map(|form| &form.events)
        .filter(|event| event.kind == FormEventKind::Drop)
        .map(|event| event.start_secs)
        .collect();
    let bar_secs = 60.0 / truth.bpm * f64::from(truth.meter);
    let drops_found = matched(&truth.drops, &drops, bar_secs);
    Scores {
        octave: share(near(1.0, 0.04)),
        fold: share([1.0, 0.5, 2.0, 1.0 / 3.0, 3.0].into_iter().any(|factor| near(factor, 0.01))),
        meter: share(rhythm.is_some_and(|rhythm| rhythm.meter.beats_per_bar == truth.meter)),
        beat_f: f_measure(&truth.beats, &beats, 0.07),
        downbeat_f: f_measure(&truth.downbeats, &downbeats, 0.07),
        key: share(found_key.is_some() && found_key == true_key),
        mirex: found_key.zip(true_key).map_or(0.0, |(found, truth)| mirex(found, truth)),
        boundary_f_half: f_measure(&true_starts, &starts, 0.5),
        boundary_f_three: f_measure(&true_starts, &starts, 3.0),
        drops_found,
        drops_true: truth.drops.len(),
        drops_false: drops.len() - drops_found,
    }
}

fn share(right: bool) -> f64 {
    if right { 1.0 } else { 0.0 }
}

/// The most pairs of one truth and one guess each, in order of time, that lie within `window_secs`.
fn matched(truth: &[f64], found: &[f64], window_secs: f64) -> usize {
    let mut found = found.iter().peekable();
    truth
        .iter()
        .filter(|&&time| {
            while found.next_if(|&&guess| guess < time - window_secs).is_some() {}
            found.next_if(|&&guess| guess <= time + window_secs).is_some()
        })
        .count()
}

fn f_measure(truth: &[f64], found: &[f64], window_secs: f64) -> f64 {
    if truth.is_empty() && found.is_empty() {
        return 1.0;
    }
    2.0 * matched(truth, found, window_secs) as f64 / (truth.len() + found.len()) as f64
}

/// The weights of the MIREX key task: 1 exact, 0.5 a fifth up, 0.3 relative, 0.2 parallel.
fn mirex(found: Key, truth: Key) -> f64 {
    let steps = (found.tonic.semitone() + 12 - truth.tonic.semitone()) % 12;
    let relative = if truth.mode == Mode::Major { 9 } else { 3 };
    match (found.mode == truth.mode, steps) {
        (true, 0) => 1.0,
        (true, 7) => 0.5,
        (false, 0) => 0.2,
        (false, steps) if steps == relative => 0.3,
        _ => 0.0,
    }
}

#[allow(clippy::print_stdout, reason = "this is a command-line tool")]
fn say(text: impl AsRef<str>) {
    println!("{}", text.as_ref());
}
