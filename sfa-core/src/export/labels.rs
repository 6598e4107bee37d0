//! Label tracks for Audacity, which many audio editors read.

use std::fmt::Write as _;

use super::one_line;
use crate::song::SongReport;

/// Sections as regions and cues as points, one per line: start, end and text with tabs between, times in
/// seconds with six decimals, in order of time.
pub fn audacity_labels(report: &SongReport) -> String {
    let sections = report.analysis.form.iter().flat_map(|form| &form.sections);
    let regions = sections.map(|section| (section.start_secs, section.end_secs, section.kind.label()));
    let points = report.cues.iter().map(|cue| (cue.position_secs, cue.position_secs, cue.label.as_str()));

    let mut labels: Vec<_> = regions.chain(points).collect();
    labels.sort_by(|one, other| one.0.total_cmp(&other.0));
    labels.iter().fold(String::new(), |mut text, (start_secs, end_secs, label)| {
        let _ = writeln!(text, "{start_secs:.6}\t{end_secs:.6}\t{}", one_line(label));
        text
    })
}
