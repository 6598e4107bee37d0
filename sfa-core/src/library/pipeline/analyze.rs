//! What is measured: the analysis, and chords where it has none.

use std::path::{Path, PathBuf};

use sfa_audio::analyze::Feature;

use super::{Pipeline, Work, millis};
use crate::library::{AnalysisSummary, Change, LibraryStem, Settings, Step};
use crate::song::SongReport;
use crate::{CLASSIC, Error, StemKind, Watch, export};

/// The stems that the analysis reads, in the order of [`heard`].
const HEARD: [StemKind; 4] = [StemKind::Drums, StemKind::Bass, StemKind::Other, StemKind::Vocals];

impl Pipeline {
    pub(super) fn analyze(&self, work: &Work<'_>, watch: &Watch) -> Result<Vec<Change>, Error> {
        let Work { scope, song, settings, force } = *work;
        if !force && self.wait(self.library.rows().analysis(scope, song.id))?.is_some() {
            return Ok(Vec::new());
        }
        let report = self.measure(work, settings, watch)?;
        let mut changes = vec![Change::ReplaceAnalysis {
            track: song.id,
            summary: summary(&report),
            document: export::analysis_json(&report),
        }];
        if !settings.steps.contains(&Step::Cues) {
            // Those of an older analysis do not fit any more, and nothing else would replace them.
            changes.push(Change::ReplaceCues { track: song.id, cues: Vec::new() });
        }
        if let Some(duration_ms) = millis(report.analysis.duration_secs).filter(|&duration| duration > 0) {
            changes.push(Change::SetDuration(song.id, duration_ms));
        }
        Ok(changes)
    }

    /// Completes an analysis that was made without chords.
    pub(super) fn chords(&self, work: &Work<'_>, watch: &Watch) -> Result<Vec<Change>, Error> {
        let (before, mut report) = self.kept_analysis(work, Step::Chords)?;
        if report.analysis.features.contains(&Feature::Chords) {
            return Ok(Vec::new());
        }
        let only_chords = Settings { features: vec![Feature::Chords], ..work.settings.clone() };
        report.analysis.chords = self.measure(work, &only_chords, watch)?.analysis.chords;
        report.analysis.features.push(Feature::Chords);
        report.analysis.features.sort_unstable();
        let after = export::analysis_json(&report);
        Ok(vec![Change::AmendAnalysis { track: work.song.id, before, after }])
    }

    /// Measures a song, and its stems where they help, without cues.
    fn measure(&self, work: &Work<'_>, settings: &Settings, watch: &Watch) -> Result<SongReport, Error> {
        let stems = if settings.hear_stems {
            heard(self.wait(self.library.rows().stems(work.scope, work.song.id))?)
        } else {
            Vec::new()
        };
        let mut report = self.on_a_desk(work.song, |file, desk| {
            let folder = self.lend_stems(&stems, desk)?;
            self.library.crew().analyze(file, folder.as_deref(), settings, watch)
        })?;
        // The desk is gone; the name is what a user knows the file by.
        report.file.name.clone_from(&work.song.file_name);
        report.file.path.clone_from(&work.song.file_name);
        report.cues.clear();
        report.loops.clear();
        Ok(report)
    }

    /// Puts stems into a folder under the names of their kinds.
    fn lend_stems(&self, stems: &[LibraryStem], desk: &Path) -> Result<Option<PathBuf>, Error> {
        if stems.is_empty() {
            return Ok(None);
        }
        let folder = desk.join("stems");
        std::fs::create_dir(&folder).map_err(|error| Error::io(&folder, error))?;
        for stem in stems {
            let ending = Path::new(&stem.file_name).extension().unwrap_or_default().to_string_lossy();
            self.wait(self.library.lend(&stem.blob.hash, &folder, &format!("{}.{ending}", stem.kind)))?;
        }
        Ok(Some(folder))
    }
}

/// The stems of a song that tell more than its mix: of one model, the one that made most of them. What was separated
/// without a model tells nothing new.
fn heard(there: Vec<LibraryStem>) -> Vec<LibraryStem> {
    let (mut best, mut best_others) = (Vec::new(), 0);
    let is_plain = |stem: &&LibraryStem| stem.take.is_empty() && stem.engine != CLASSIC;
    let mut engines: Vec<&str> = there.iter().filter(is_plain).map(|stem| stem.engine.as_str()).collect();
    engines.dedup();
    for engine in engines {
        let of_engine = || there.iter().filter(is_plain).filter(|stem| stem.engine == engine);
        let is_there = |kind: StemKind| of_engine().any(|stem| stem.kind == kind.name());
        // Where guitar or piano stand apart, "other" is no longer all that is pitched.
        let is_whole = !is_there(StemKind::Guitar) && !is_there(StemKind::Piano);
        let kinds: Vec<&str> = HEARD
            .into_iter()
            .filter(|&kind| is_there(kind) && (is_whole || kind != StemKind::Other))
            .map(StemKind::name)
            .collect();
        let has = |kind: StemKind| kinds.contains(&kind.name());
        let is_enough =
            has(StemKind::Drums) || has(StemKind::Vocals) || has(StemKind::Bass) && has(StemKind::Other);
        if is_enough && kinds.len() > best_others {
            best_others = kinds.len();
            best = of_engine().filter(|stem| kinds.contains(&stem.kind.as_str())).cloned().collect();
        }
    }
    best
}

fn summary(report: &SongReport) -> AnalysisSummary {
    let analysis = &report.analysis;
    AnalysisSummary {
        bpm: analysis.rhythm.as_ref().map(|rhythm| rhythm.tempo.bpm),
        key: analysis.key.as_ref().map(|found| found.key.to_string()),
        camelot: analysis.key.as_ref().map(|found| found.key.camelot()),
        energy: analysis.energy.as_ref().map(|energy| i64::from(energy.level)),
        lufs: analysis.loudness.as_ref().and_then(|loudness| loudness.integrated_lufs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::Blob;

    fn stems(engine: &str, kinds: &[&str]) -> Vec<LibraryStem> {
        let stem = |kind: &&str| LibraryStem {
            kind: (*kind).to_owned(),
            engine: engine.to_owned(),
            take: String::new(),
            file_name: format!("{kind}.flac"),
            blob: Blob { hash: String::new(), size_bytes: 0 },
            peak_dbfs: None,
            rms_dbfs: None,
        };
        kinds.iter().map(stem).collect()
    }

    #[test]
    fn stems_are_heard_where_they_tell_more_than_the_mix() {
        let four = ["bass", "drums", "other", "vocals"];
        for (there, expected) in [
            (vec![], &[][..]),
            (stems(CLASSIC, &four), &[]),
            (stems("demucs/htdemucs", &four), &four),
            (stems("demucs/htdemucs", &["bass"]), &[]),
            (stems("demucs/htdemucs", &["no_vocals", "vocals"]), &["vocals"]),
            (
                stems("demucs/htdemucs_6s", &["bass", "drums", "guitar", "other", "piano", "vocals"]),
                &["bass", "drums", "vocals"],
            ),
            (
                [stems(CLASSIC, &four), stems("demucs/a", &["drums"]), stems("demucs/b", &four)].concat(),
                &four,
            ),
        ] {
            let kinds: Vec<String> = heard(there.clone()).into_iter().map(|stem| stem.kind).collect();
            assert_eq!(kinds, expected, "{there:?}");
        }
        let lead = LibraryStem { take: "lead".to_owned(), ..stems("demucs/a", &["vocals"]).remove(0) };
        assert!(heard(vec![lead]).is_empty());
    }
}
