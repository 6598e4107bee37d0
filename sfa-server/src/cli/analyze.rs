//! `sfa analyze`: numbers, and a picture of them.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use sfa_core::audio::analyze::{AnalyzeOptions, DrumKind, Feature};
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

    /// Measure only these, separated by commas; "all" adds what librosa measures to what is measured by default
    #[arg(long, value_enum, value_delimiter = ',', value_name = "LIST")]
    features: Vec<FeatureName>,

    /// Also write librosa's features frame by frame, for numpy.load (one input only)
    #[arg(long, value_name = "FILE.npz")]
    frames: Option<PathBuf>,

    /// Whose beats to track besides our own: librosa's are the same to the frame, for comparisons
    #[arg(long, value_enum, value_name = "NAME")]
    beats_like: Option<BeatsLike>,

    /// Read beats, drum hits, key and where somebody sings from the stems in this folder: drums, bass, other, vocals (one input only)
    #[arg(long, value_name = "DIR")]
    stems: Option<PathBuf>,

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
enum BeatsLike {
    /// librosa.beat.beat_track
    Librosa,
}

/// The features by all names that people know them by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum FeatureName {
    /// Everything, what librosa's users expect included
    All,
    /// Tempo, beats, downbeats, metre
    Rhythm,
    /// The same as rhythm
    Tempo,
    /// The same as rhythm
    Beats,
    /// Key, tuning, chroma
    Key,
    /// EBU R128 loudness, true peak
    Loudness,
    /// Energy 1-10 and curve
    Energy,
    /// The same as energy
    EnergyCurve,
    /// Peaks for drawing
    Waveform,
    /// Sections, phrases, drops, build-ups, breakdowns, cues, loops
    Form,
    /// Chords with times and bass notes
    Chords,
    /// Drum hits: kick, snare, hat, clap, perc
    Drums,
    /// Where somebody sings, bar by bar
    Vocals,
    /// The same as vocals
    VocalActivity,
    /// How well it can be danced to
    Danceability,
    /// The same as form
    Structure,
    /// The same as form
    Phrases,
    /// The same as form
    Arrangement,
    /// The same as form
    LoopPoints,
    /// The same as form
    AutoCues,
    /// Level, zero crossings, spectral centroid, bandwidth, roll-off, flatness, contrast
    Spectral,
    /// 13 mel-frequency cepstral coefficients
    Mfcc,
    /// Chroma by STFT, CQT and CENS, and tuning
    Chroma,
    /// Onset strength and onsets
    Onsets,
    /// Periodicity of the onsets over time
    Tempogram,
    /// Tempo and beats as librosa finds them
    BeatTrack,
    /// Harmonic against percussive energy
    Hpss,
    /// What sounds alike
    Recurrence,
}

impl FeatureName {
    fn features(self) -> Vec<Feature> {
        vec![match self {
            Self::All => return Feature::ALL.to_vec(),
            Self::Rhythm | Self::Tempo | Self::Beats => Feature::Rhythm,
            Self::Key => Feature::Key,
            Self::Loudness => Feature::Loudness,
            Self::Energy | Self::EnergyCurve => Feature::Energy,
            Self::Waveform => Feature::Waveform,
            Self::Form
            | Self::Structure
            | Self::Phrases
            | Self::Arrangement
            | Self::LoopPoints
            | Self::AutoCues => Feature::Form,
            Self::Chords => Feature::Chords,
            Self::Drums => Feature::Drums,
            Self::Vocals | Self::VocalActivity => Feature::Vocals,
            Self::Danceability => Feature::Danceability,
            Self::Spectral => Feature::Spectral,
            Self::Mfcc => Feature::Mfcc,
            Self::Chroma => Feature::ChromaVectors,
            Self::Onsets => Feature::Onsets,
            Self::Tempogram => Feature::Tempogram,
            Self::BeatTrack => Feature::BeatTrack,
            Self::Hpss => Feature::Hpss,
            Self::Recurrence => Feature::Recurrence,
        }]
    }
}

/// What to measure, by the arguments.
fn options(arguments: &Arguments) -> AnalyzeOptions {
    let mut features = AnalyzeOptions::default().features;
    if !arguments.features.is_empty() {
        features = arguments.features.iter().flat_map(|name| name.features()).collect();
    }
    if arguments.beats_like == Some(BeatsLike::Librosa) {
        features.push(Feature::BeatTrack);
    }
    let options = AnalyzeOptions::default().features(features).keep_frames(arguments.frames.is_some());
    match arguments.bpm_range {
        Some((slowest, fastest)) => options.bpm_range(slowest, fastest),
        None => options,
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
    if arguments.frames.is_some() && files.len() > 1 {
        let message = format!("--frames writes one archive, but {} files were given", files.len());
        context.terminal.fail(message);
        return Err(Exit::Usage);
    }
    if arguments.stems.is_some() && files.len() > 1 {
        let message = format!("--stems are those of one song, but {} files were given", files.len());
        context.terminal.fail(message);
        return Err(Exit::Usage);
    }
    let options = options(arguments);
    let outcomes = batch::run(
        context,
        &files,
        1,
        |file, watch| {
            let song = match &arguments.stems {
                Some(stems) => context.studio.analyze_with_stems(file, stems, &options, watch)?,
                None => context.studio.analyze(file, &options, watch)?,
            };
            if let Some(path) = &arguments.report {
                context.studio.write_report(&song, path)?;
            }
            if let Some(path) = &arguments.frames {
                context.studio.write_frames(&song, path)?;
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
    if let (Some(path), [Outcome::Done(_)]) = (&arguments.frames, outcomes.as_slice()) {
        context.terminal.note(format!("frames: {}", path.display()));
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
    if let Some(segments) = analysis.key_segments.as_ref().filter(|segments| segments.len() > 1) {
        let keys: Vec<String> = segments
            .iter()
            .map(|segment| format!("{} {}", terminal::clock(segment.start_secs), segment.key))
            .collect();
        row("keys", keys.join(" · "));
    }
    if let Some(chords) = &analysis.chords {
        row("chords", format!("{} changes", chords.len().saturating_sub(1)));
    }
    if let Some(drums) = &analysis.drums {
        let counts: Vec<String> = DrumKind::ALL
            .into_iter()
            .map(|kind| (kind, drums.iter().filter(|hit| hit.kind == kind).count()))
            .filter(|&(_, count)| count > 0)
            .map(|(kind, count)| format!("{count} {}", kind.name()))
            .collect();
        row("drums", if counts.is_empty() { "none heard".to_owned() } else { counts.join(", ") });
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
    if let Some(track) = analysis.descriptors.as_ref().and_then(|found| found.beat_track.as_ref()) {
        row("librosa", format!("{:.2} BPM, {} beats", track.bpm, track.frames.len()));
    }
    for warning in &song.file.warnings {
        row("warning", warning.clone());
    }
    lines.join("\n")
}
