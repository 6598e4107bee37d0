//! `sfa analyze`: numbers, and a picture of them.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use sfa_core::audio::analyze::{AnalyzeOptions, Feature};
use sfa_core::export;
use sfa_core::song::SongReport;

use super::batch::{self, Outcome};
use super::options::Inputs;
use super::{Context, Exit, terminal};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    inputs: Inputs,

    /// Print the analysis document, one line per file, on stdout (docs/schema/analysis-v1.schema.json)
    #[arg(long)]
    json: bool,

    /// Also write a self-contained page with the pictures (one input only)
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,

    /// Measure only these, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', value_name = "LIST")]
    features: Vec<FeatureName>,

    /// Look for tempos between these only, for example 88-176
    #[arg(long, value_name = "SLOWEST-FASTEST", value_parser = bpm_range)]
    bpm_range: Option<(f64, f64)>,
}

/// Reads "88-176".
fn bpm_range(text: &str) -> Result<(f64, f64), String> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    text.split_once('-')
        .and_then(|(slowest, fastest)| Some((number(slowest)?, number(fastest)?)))
        .ok_or_else(|| "must be two tempos in beats per minute, as in 88-176".to_owned())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FeatureName {
    /// Tempo, beats, downbeats, metre
    Rhythm,
    /// Key, tuning, chroma
    Key,
    /// EBU R128 loudness, true peak
    Loudness,
    /// Energy 1-10 and curve
    Energy,
    /// Peaks for drawing
    Waveform,
    /// Sections, drops, build-ups, breakdowns, cues, loops
    Form,
}

impl From<FeatureName> for Feature {
    fn from(name: FeatureName) -> Self {
        match name {
            FeatureName::Rhythm => Self::Rhythm,
            FeatureName::Key => Self::Key,
            FeatureName::Loudness => Self::Loudness,
            FeatureName::Energy => Self::Energy,
            FeatureName::Waveform => Self::Waveform,
            FeatureName::Form => Self::Form,
        }
    }
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Exit> {
    let files = arguments.inputs.files(context, None)?;
    if arguments.report.is_some() && files.len() > 1 {
        context.terminal.fail(format!(
            "--report writes one page, but {} files were given: use `sfa process` for a report of each",
            files.len()
        ));
        return Err(Exit::Usage);
    }
    let mut options = AnalyzeOptions::default();
    if !arguments.features.is_empty() {
        options = options.features(arguments.features.iter().copied().map(Feature::from));
    }
    if let Some((slowest, fastest)) = arguments.bpm_range {
        options = options.bpm_range(slowest, fastest);
    }
    let outcomes = batch::run(
        context,
        &files,
        1,
        |file, watch| {
            let song = context.studio.analyze(file, &options, watch)?;
            if let Some(path) = &arguments.report {
                context.studio.write_report(&song, path)?;
            }
            Ok(song)
        },
        |file, outcome| match outcome {
            Outcome::Done(song) if arguments.json => context.terminal.print(export::analysis_json_line(song)),
            Outcome::Done(song) => context.terminal.print(summary(file, song)),
            Outcome::Failed(error) if arguments.json => {
                context.terminal.print(batch::failure_json(file, error))
            }
            Outcome::Failed(_) | Outcome::Stopped => {}
        },
    );
    if let (Some(path), [Outcome::Done(_)]) = (&arguments.report, outcomes.as_slice()) {
        context.terminal.note(format!("report: {}", path.display()));
    }
    Ok(batch::conclude(context, &files, &outcomes))
}

/// What a person wants to know, in a few lines.
fn summary(file: &Path, song: &SongReport) -> String {
    let analysis = &song.analysis;
    let mut lines = vec![format!("{}  ({})", file.display(), terminal::clock(analysis.duration_secs))];
    let mut row = |name: &str, value: String| lines.push(format!("  {name:<9} {value}"));
    if analysis.features.contains(&Feature::Rhythm) {
        row(
            "tempo",
            analysis.rhythm.as_ref().map_or("no pulse found".to_owned(), |rhythm| {
                let tempo = &rhythm.tempo;
                let kind = if tempo.is_constant { "constant" } else { "varies" };
                let rivals: Vec<String> =
                    tempo.alternatives.iter().take(2).map(|rival| format!("{:.2}", rival.bpm)).collect();
                let rivals =
                    if rivals.is_empty() { String::new() } else { format!(", or {}", rivals.join(", ")) };
                format!(
                    "{:.2} BPM, {kind}, {}/{}, {:.0} % sure{rivals}",
                    tempo.bpm,
                    rhythm.meter.beats_per_bar,
                    rhythm.meter.beat_unit,
                    tempo.confidence * 100.0
                )
            }),
        );
    }
    if analysis.features.contains(&Feature::Key) {
        row(
            "key",
            analysis.key.as_ref().map_or("no key found".to_owned(), |found| {
                format!(
                    "{} ({}, {}), {:.0} % sure, or {}; tuned {:+.0} cents",
                    found.key,
                    found.key.camelot(),
                    found.key.open_key(),
                    found.confidence * 100.0,
                    found.runner_up,
                    found.tuning_cents
                )
            }),
        );
    }
    if let Some(loudness) = &analysis.loudness {
        let level = |value: Option<f64>, unit: &str| {
            value.map_or_else(|| format!("no {unit}"), |value| format!("{value:.1} {unit}"))
        };
        row(
            "loudness",
            [
                level(loudness.integrated_lufs, "LUFS"),
                level(loudness.range_lu, "LU range"),
                level(loudness.true_peak_dbtp, "dBTP"),
            ]
            .join(", "),
        );
    }
    if let Some(energy) = &analysis.energy {
        row("energy", format!("{} of 10", energy.level));
    }
    if let Some(form) = &analysis.form {
        let sections: Vec<String> = form
            .sections
            .iter()
            .map(|section| format!("{} {}", terminal::clock(section.start_secs), section.kind.label()))
            .collect();
        row("form", sections.join(" · "));
        row("cues", format!("{} cue points, {} loops", song.cues.len(), song.loops.len()));
    }
    for warning in &song.file.warnings {
        row("warning", warning.clone());
    }
    lines.join("\n")
}
