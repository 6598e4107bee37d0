//! The notes of stems as MIDI files.

use sfa_audio::analyze::Rhythm;
use sfa_audio::transcribe::TranscribeKind;

use super::{Pipeline, Work};
use crate::library::{Change, LibraryStem, Step};
use crate::transcription::Transcription;
use crate::{Error, StemKind, Watch, export, naming};

/// The name of the file where there are no stems.
const OF_THE_MIX: &str = "notes.mid";

impl Pipeline {
    pub(super) fn midi(&self, work: &Work<'_>, watch: &Watch) -> Result<Vec<Change>, Error> {
        let Work { scope, song, force, .. } = *work;
        let there = self.wait(self.library.rows().exports(scope, song.id))?;
        if !force && there.iter().any(|file| file.step == Step::Midi) {
            return Ok(Vec::new());
        }
        // Without beats the notes are counted in seconds.
        let rhythm = match self.wait(self.library.rows().analysis(scope, song.id))? {
            Some(_) => self.kept_analysis(work, Step::Midi)?.1.analysis.rhythm,
            None => None,
        };
        let voices = voices(self.wait(self.library.rows().stems(scope, song.id))?);
        let mut files = Vec::new();
        if voices.is_empty() {
            let notes = self.on_a_desk(song, |file, _| {
                self.library.crew().transcribe(file, TranscribeKind::Other, watch)
            })?;
            files.push(self.keep_text(
                Step::Midi,
                OF_THE_MIX,
                midi(TranscribeKind::Other, notes, &rhythm),
            )?);
        }
        for (index, (kind, stem)) in voices.iter().enumerate() {
            let watch = part_of(watch, index, voices.len());
            let desk = tempfile::tempdir().map_err(|error| Error::io(&std::env::temp_dir(), error))?;
            let file = self.wait(self.library.lend(
                &stem.blob.hash,
                desk.path(),
                &naming::safe_name(&stem.file_name),
            ))?;
            let notes = self.library.crew().transcribe(&file, *kind, &watch)?;
            let name = format!("{}.mid", stem.kind);
            files.push(self.keep_text(Step::Midi, &name, midi(*kind, notes, &rhythm))?);
        }
        Ok(vec![Change::ReplaceExports { track: song.id, step: Step::Midi, files }])
    }
}

fn midi(kind: TranscribeKind, notes: Vec<sfa_audio::transcribe::Note>, rhythm: &Option<Rhythm>) -> Vec<u8> {
    export::notes_midi(&Transcription::new(kind, notes, rhythm.clone()))
}

/// The stems that play something, and how their notes are found: of one engine, the one that made most of them.
fn voices(there: Vec<LibraryStem>) -> Vec<(TranscribeKind, LibraryStem)> {
    let mut engines: Vec<String> = there.iter().map(|stem| stem.engine.clone()).collect();
    engines.dedup();
    let of_engine = |engine: &String| -> Vec<_> {
        let plain = there.iter().filter(|stem| stem.take.is_empty() && stem.engine == *engine);
        plain.filter_map(|stem| Some((kind_of(&stem.kind)?, stem.clone()))).collect()
    };
    engines.iter().map(of_engine).max_by_key(Vec::len).unwrap_or_default()
}

/// `None` for what is left of a mix without a source.
fn kind_of(stem: &str) -> Option<TranscribeKind> {
    Some(match stem.parse::<StemKind>().ok()? {
        StemKind::Drums => TranscribeKind::Drums,
        StemKind::Bass => TranscribeKind::Bass,
        StemKind::Vocals => TranscribeKind::Vocals,
        StemKind::Other | StemKind::Guitar | StemKind::Piano => TranscribeKind::Other,
        _ => return None,
    })
}

/// A watch for one of several parts of equal weight.
fn part_of(whole: &Watch, index: usize, parts: usize) -> Watch {
    const STEPS: u64 = 100;
    let outer = whole.clone();
    let (index, parts) = (index as u64, parts as u64);
    whole.forward_to(move |news| {
        let done = news.fraction().map_or(0, |fraction| (fraction * STEPS as f64) as u64);
        // A stop is seen by the part itself.
        outer.report(news.stage, index * STEPS + done, parts * STEPS).ok();
    })
}
