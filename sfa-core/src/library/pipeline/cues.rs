//! Cues and loops, from what was measured.

use std::cmp::Reverse;

use sfa_audio::cue::{CueKind, CuePoint, find_loops, suggest_cues};

use super::{Pipeline, Work};
use crate::library::{Change, LibraryCue, Step};
use crate::{Error, export};

impl Pipeline {
    pub(super) fn cues(&self, work: &Work<'_>) -> Result<Vec<Change>, Error> {
        let (before, mut report) = self.kept_analysis(work, Step::Cues)?;
        let has_some = !report.cues.is_empty() || !report.loops.is_empty();
        if has_some && !work.force {
            return Ok(Vec::new());
        }
        report.cues = those_that_matter(suggest_cues(&report.analysis), work.settings.most_cues);
        report.loops = find_loops(&report.analysis);
        report.loops.truncate(work.settings.most_loops.unwrap_or(usize::MAX));
        let found = report.cues.iter().map(LibraryCue::of_point);
        let cues = found.chain(report.loops.iter().map(LibraryCue::of_loop)).collect();
        let after = export::analysis_json(&report);
        let track = work.song.id;
        Ok(vec![Change::ReplaceCues { track, cues }, Change::AmendAnalysis { track, before, after }])
    }
}

/// At most so many cues, still in order of time, with their pads in a row.
fn those_that_matter(mut cues: Vec<CuePoint>, most: Option<usize>) -> Vec<CuePoint> {
    let Some(most) = most.filter(|&most| most < cues.len()) else { return cues };
    let rank = |cue: &CuePoint| match cue.kind {
        CueKind::Load => 0,
        CueKind::MixOut => 1,
        CueKind::Drop => 2,
        CueKind::Breakdown => 3,
        CueKind::BuildUp => 4,
        _ => 5,
    };
    let hundredths = |cue: &CuePoint| (cue.confidence * 100.0) as u32;
    cues.sort_by_key(|cue| (cue.hot_cue.is_none(), rank(cue), Reverse(hundredths(cue))));
    cues.truncate(most);
    cues.sort_by(|a, b| a.position_secs.total_cmp(&b.position_secs));
    let pads = cues.iter_mut().filter_map(|cue| cue.hot_cue.as_mut());
    (0..).zip(pads).for_each(|(number, pad)| *pad = number);
    cues
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cues(document: serde_json::Value) -> Vec<CuePoint> {
        serde_json::from_value(document).unwrap()
    }

    #[test]
    fn the_cues_that_matter_most_stay_in_order() {
        let cue = |at: f64, kind: &str, confidence: f64, pad: Option<u8>| {
            serde_json::json!({"position_secs": at, "label": kind, "kind": kind, "color": "#000000",
                "confidence": confidence, "hot_cue": pad})
        };
        let all = cues(serde_json::json!([
            cue(0.0, "load", 1.0, Some(0)),
            cue(10.0, "section", 0.9, None),
            cue(20.0, "drop", 0.3, Some(1)),
            cue(30.0, "section", 0.5, None),
            cue(40.0, "drop", 0.7, Some(2)),
        ]));
        let left = |most| {
            let cues = those_that_matter(all.clone(), most);
            cues.iter().map(|cue| (cue.position_secs as u32, cue.hot_cue)).collect::<Vec<_>>()
        };
        assert_eq!(those_that_matter(all.clone(), None), all);
        assert_eq!(those_that_matter(all.clone(), Some(5)), all);
        assert_eq!(left(Some(4)), [(0, Some(0)), (10, None), (20, Some(1)), (40, Some(2))]);
        assert_eq!(left(Some(2)), [(0, Some(0)), (40, Some(1))]);
        assert!(left(Some(0)).is_empty());
    }
}
