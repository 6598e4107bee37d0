//! Cues and loops: those that the analysis finds, those that somebody places, and how both get into files for other
//! programs.

use serde::{Deserialize, Serialize};
use serde_json::json;
use sfa_audio::cue::{CueKind, CuePoint, LoopPoint, Rgb};

use super::{CueId, LibraryError, LibraryErrorKind, LibraryResult};
use crate::song::SongReport;

/// The kind of what has an end.
const LOOP: &str = "loop";
/// Pads that players have, A to H.
const PADS: u8 = 8;
const MOST_LABEL_CHARACTERS: usize = 100;
/// What flags and buttons are painted with where nobody chose a colour.
const PLAIN: Rgb = Rgb(0xE5, 0xE7, 0xEB);

/// A place or a stretch of a track to jump to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LibraryCue {
    /// Its name in the library.
    pub id: CueId,
    /// For example "drop" or "loop".
    pub kind: String,
    /// What to show.
    pub label: String,
    /// Where it is, or begins.
    pub start_ms: i64,
    /// Where a loop ends.
    pub end_ms: Option<i64>,
    /// As "#rrggbb".
    pub colour: Option<String>,
    /// The hot cue that it is, 0 (A) to 7 (H); no two of a track are the same.
    pub pad: Option<u8>,
    /// How sure the analysis was, 0 to 1.
    pub confidence: Option<f64>,
    /// Whether the analysis placed it; only these are replaced by a new analysis.
    pub is_automatic: bool,
}

/// A cue or a loop as somebody wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedCue {
    /// "loop" for what has an end, else "own", "load", "section", "drop", "build_up", "breakdown" or "mix_out".
    pub kind: String,
    /// What to show, up to 100 characters.
    pub label: String,
    /// Where it is, or begins: within the track.
    pub start_ms: i64,
    /// Where a loop ends: after it begins, within the track.
    pub end_ms: Option<i64>,
    /// As "#rrggbb".
    pub colour: Option<String>,
    /// The hot cue that it is, 0 (A) to 7 (H).
    pub pad: Option<u8>,
}

impl PlacedCue {
    /// Refuses what no track of this length can have; of one that was not decoded yet the length is not known.
    pub(crate) fn check(&self, duration_ms: Option<i64>) -> LibraryResult<()> {
        let Self { kind, label, start_ms, end_ms, colour, pad } = self;
        if (kind == LOOP) != end_ms.is_some() || end_ms.is_none() && kind_named(kind).is_none() {
            return Err(invalid(
                "the kind is \"loop\" with an end, and without one of own, load, section, drop, build_up, breakdown, \
                 mix_out",
            ));
        }
        if label.chars().count() > MOST_LABEL_CHARACTERS {
            return Err(invalid(format!("a label has up to {MOST_LABEL_CHARACTERS} characters")));
        }
        if end_ms.is_some_and(|end_ms| end_ms <= *start_ms) {
            return Err(invalid("a loop ends after it begins"));
        }
        let last_ms = end_ms.unwrap_or(*start_ms);
        if *start_ms < 0 || duration_ms.is_some_and(|duration_ms| last_ms > duration_ms) {
            let of_song = duration_ms.map(|ms| format!(", which is {ms} ms long")).unwrap_or_default();
            return Err(invalid(format!("a cue lies within its song{of_song}")));
        }
        if let Some(colour) = colour {
            Rgb::try_from(colour.clone()).map_err(invalid)?;
        }
        if pad.is_some_and(|pad| pad >= PADS) {
            return Err(invalid("a pad is 0 (A) to 7 (H)"));
        }
        Ok(())
    }
}

impl LibraryCue {
    /// A cue that was found.
    pub(crate) fn of_point(cue: &CuePoint) -> Self {
        Self {
            id: CueId::random(),
            kind: json!(cue.kind).as_str().unwrap_or_default().to_owned(),
            label: cue.label.clone(),
            start_ms: millis(cue.position_secs),
            end_ms: None,
            colour: Some(String::from(cue.color)),
            pad: cue.hot_cue,
            confidence: Some(f64::from(cue.confidence)),
            is_automatic: true,
        }
    }

    /// A loop that was found.
    pub(crate) fn of_loop(found: &LoopPoint) -> Self {
        let (start_ms, end_ms) = span(found);
        Self {
            id: CueId::random(),
            kind: LOOP.to_owned(),
            label: format!("{} bars, {}", found.bars, found.section),
            start_ms,
            end_ms: Some(end_ms),
            colour: None,
            pad: None,
            confidence: Some(f64::from(found.quality)),
            is_automatic: true,
        }
    }

    /// By what it is known again when it is found once more.
    pub(crate) fn found_as(&self) -> String {
        let end = self.end_ms.map(|end_ms| end_ms.to_string()).unwrap_or_default();
        format!("{}:{}:{end}", self.kind, self.start_ms)
    }

    fn is_point(&self, found: &CuePoint) -> bool {
        self.is_automatic && self.end_ms.is_none() && self.start_ms == millis(found.position_secs)
    }

    fn is_loop(&self, found: &LoopPoint) -> bool {
        self.is_automatic && (self.start_ms, self.end_ms.unwrap_or(-1)) == span(found)
    }

    fn to_point(&self) -> CuePoint {
        let kind = kind_named(&self.kind).unwrap_or(CueKind::Own);
        let colour = self.colour.clone().and_then(|colour| Rgb::try_from(colour).ok());
        CuePoint::placed(secs(self.start_ms), self.label.clone(), kind, colour.unwrap_or(PLAIN), self.pad)
    }

    fn to_loop(&self, end_ms: i64, report: &SongReport) -> LoopPoint {
        let (start_secs, end_secs) = (secs(self.start_ms), secs(end_ms));
        let rhythm = report.analysis.rhythm.as_ref();
        let beats = rhythm.map_or(0.0, |rhythm| (end_secs - start_secs) * rhythm.tempo.bpm / 60.0);
        let beats_per_bar = rhythm.map_or(4, |rhythm| rhythm.meter.beats_per_bar);
        let label = self.label.clone();
        LoopPoint::placed(
            (start_secs, end_secs),
            label,
            self.pad,
            beats.round() as u32,
            u32::from(beats_per_bar),
        )
    }
}

/// Gives a report the cues and loops that its track has now. Found ones keep what the report knows of them, as finely as
/// it was measured; loops that somebody placed come before those.
pub(crate) fn put_into(report: &mut SongReport, cues: &[LibraryCue]) {
    let found = std::mem::take(&mut report.cues);
    let point = |cue: &LibraryCue| {
        let Some(mut known) = found.iter().find(|found| cue.is_point(found)).cloned() else {
            return cue.to_point();
        };
        known.hot_cue = cue.pad;
        known
    };
    report.cues = cues.iter().filter(|cue| cue.end_ms.is_none()).map(point).collect();

    let mut found = std::mem::take(&mut report.loops);
    found.retain(|found| cues.iter().any(|cue| cue.is_loop(found)));
    let is_placed = |cue: &&LibraryCue| !found.iter().any(|found| cue.is_loop(found));
    let placed = cues.iter().filter(is_placed);
    report.loops = placed.filter_map(|cue| Some(cue.to_loop(cue.end_ms?, report))).collect();
    report.loops.append(&mut found);
}

fn kind_named(name: &str) -> Option<CueKind> {
    serde_json::from_value(json!(name)).ok()
}

fn span(found: &LoopPoint) -> (i64, i64) {
    let start_ms = millis(found.start_secs);
    (start_ms, millis(found.end_secs).max(start_ms + 1))
}

fn millis(secs: f64) -> i64 {
    (secs.max(0.0) * 1000.0).round() as i64
}

fn secs(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

fn invalid(message: impl Into<String>) -> LibraryError {
    LibraryError::new(LibraryErrorKind::Invalid, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cue(start_ms: i64) -> PlacedCue {
        PlacedCue {
            kind: "own".to_owned(),
            label: "here".to_owned(),
            start_ms,
            end_ms: None,
            colour: None,
            pad: None,
        }
    }

    #[test]
    fn what_no_song_can_have_is_refused_with_the_reason() {
        let fine = [
            cue(0),
            cue(1000),
            PlacedCue { kind: "build_up".to_owned(), colour: Some("#12aBff".to_owned()), ..cue(5) },
            PlacedCue { kind: LOOP.to_owned(), end_ms: Some(1000), pad: Some(7), ..cue(999) },
        ];
        for cue in fine {
            cue.check(Some(1000)).unwrap();
        }
        cue(i64::MAX).check(None).unwrap();
        let refused = [
            (cue(-1), "within"),
            (cue(1001), "1000 ms long"),
            (PlacedCue { kind: LOOP.to_owned(), ..cue(0) }, "with an end"),
            (PlacedCue { end_ms: Some(9), ..cue(0) }, "with an end"),
            (PlacedCue { kind: "hot".to_owned(), ..cue(0) }, "mix_out"),
            (PlacedCue { kind: LOOP.to_owned(), end_ms: Some(5), ..cue(5) }, "ends after"),
            (PlacedCue { kind: LOOP.to_owned(), end_ms: Some(1001), ..cue(5) }, "within"),
            (PlacedCue { colour: Some("red".to_owned()), ..cue(0) }, "#RRGGBB"),
            (PlacedCue { pad: Some(8), ..cue(0) }, "0 (A) to 7 (H)"),
            (PlacedCue { label: "x".repeat(101), ..cue(0) }, "100 characters"),
        ];
        for (cue, expected) in refused {
            let message = cue.check(Some(1000)).unwrap_err().to_string();
            assert!(message.contains(expected), "{cue:?}: {message}");
        }
    }
}
