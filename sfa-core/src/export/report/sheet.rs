//! Bars and beats as a musician counts them.

use sfa_audio::analyze::{Beat, SectionKind};

use super::html::precise_clock;
use crate::song::SongReport;

/// The song's beats with the number of their bar; a pickup is bar 0.
pub(super) struct Sheet {
    beats: Vec<(Beat, u32)>,
}

impl Sheet {
    pub(super) fn of(report: &SongReport) -> Self {
        let beats = report.analysis.rhythm.iter().flat_map(|rhythm| &rhythm.beats);
        let mut bar = 0;
        let count = |&beat: &Beat| {
            bar += u32::from(beat.bar_position == 1);
            (beat, bar)
        };
        Self { beats: beats.map(count).collect() }
    }

    /// All beats with their bars, in order of time.
    pub(super) fn beats(&self) -> &[(Beat, u32)] {
        &self.beats
    }

    /// Downbeats with their bars' numbers.
    pub(super) fn bars(&self) -> impl Iterator<Item = (f64, u32)> + '_ {
        self.beats.iter().filter(|(beat, _)| beat.bar_position == 1).map(|(beat, bar)| (beat.time_secs, *bar))
    }

    /// Bar and beat at a time, for example "41.1"; `None` before the first beat.
    pub(super) fn position(&self, secs: f64) -> Option<String> {
        // A cue may be a rounding error before its beat.
        let after = self.beats.partition_point(|(beat, _)| beat.time_secs <= secs + 1e-3);
        let (beat, bar) = self.beats.get(after.checked_sub(1)?)?;
        Some(format!("{bar}.{}", beat.bar_position))
    }

    /// Time and, where there are beats, bar and beat, as two table cells.
    pub(super) fn cells(&self, secs: f64) -> String {
        let position = self.position(secs).unwrap_or_else(|| "\u{2013}".to_owned());
        format!("<td class=\"n\">{}</td><td class=\"n\">{position}</td>", precise_clock(secs))
    }

    /// Whole bars between two times, where there are any.
    pub(super) fn bars_between(&self, start_secs: f64, end_secs: f64) -> usize {
        // Half a beat of slack: sections start on downbeats, the first one at 0.
        self.bars().filter(|(secs, _)| *secs >= start_secs - 0.2 && *secs < end_secs - 0.2).count()
    }
}

/// Class of a section's colour and two letters for where the word does not fit.
pub(super) fn kind_marks(kind: SectionKind) -> (&'static str, &'static str) {
    match kind {
        SectionKind::Intro => ("k-intro", "In"),
        SectionKind::Verse => ("k-verse", "Ve"),
        SectionKind::PreChorus => ("k-pre-chorus", "Pc"),
        SectionKind::Chorus => ("k-chorus", "Ch"),
        SectionKind::Bridge => ("k-bridge", "Br"),
        SectionKind::BuildUp => ("k-build-up", "Bu"),
        SectionKind::Drop => ("k-drop", "Dr"),
        SectionKind::Breakdown => ("k-breakdown", "Bd"),
        SectionKind::Solo => ("k-solo", "So"),
        SectionKind::Outro => ("k-outro", "Ou"),
        _ => ("k-other", "\u{b7}"),
    }
}
