//! `sfa transcribe`: a stem as a MIDI file.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;
use sfa_core::audio::transcribe::TranscribeKind;

use super::batch::{self, Outcome};
use super::{Context, Exit};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The recording: best a stem of one instrument
    #[arg(value_name = "FILE")]
    input: PathBuf,

    /// What it is a recording of
    #[arg(long, value_enum)]
    kind: Kind,

    /// The MIDI file to write; without it the name of the recording with .mid
    #[arg(long, short, value_name = "FILE.mid")]
    out: Option<PathBuf>,

    /// Take the tempo from this file, usually the song that the stem is of
    #[arg(long, value_name = "FILE")]
    tempo_from: Option<PathBuf>,

    /// Print the notes as one line of JSON on stdout
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// One low note at a time
    Bass,
    /// One sung note at a time
    Vocals,
    /// Chords: up to six notes at a time
    Other,
    /// Drums, for channel 10 of General MIDI
    Drums,
}

impl From<Kind> for TranscribeKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Bass => Self::Bass,
            Kind::Vocals => Self::Vocals,
            Kind::Other => Self::Other,
            Kind::Drums => Self::Drums,
        }
    }
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Exit> {
    let files = [arguments.input.clone()];
    let midi = arguments.out.clone().unwrap_or_else(|| arguments.input.with_extension("mid"));
    let outcomes = batch::run(
        context,
        &files,
        1,
        |file, watch| {
            let tempo_from = arguments.tempo_from.as_deref();
            let found = context.studio.transcribe(file, arguments.kind.into(), tempo_from, watch)?;
            context.studio.write_notes(&found, &midi)?;
            Ok(found)
        },
        |file, outcome| match outcome {
            Outcome::Done(found) if arguments.json => {
                let line = json!({
                    "input": file.display().to_string(),
                    "midi": midi.display().to_string(),
                    "kind": found.kind,
                    "notes": found.notes,
                });
                context.terminal.print(line.to_string());
            }
            Outcome::Done(found) => {
                let sure = found.notes.iter().map(|note| f64::from(note.confidence)).sum::<f64>()
                    / found.notes.len().max(1) as f64;
                context.terminal.print(format!(
                    "{}  {} notes, {:.0} % sure on average",
                    midi.display(),
                    found.notes.len(),
                    sure * 100.0
                ));
            }
            Outcome::Failed(error) if arguments.json => {
                context.terminal.print(batch::failure_json(file, error));
            }
            Outcome::Failed(_) | Outcome::Stopped => {}
        },
    );
    Ok(batch::conclude(context, &files, &outcomes))
}
