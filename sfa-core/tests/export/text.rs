use sfa_core::export::{PlaylistEntry, audacity_labels, m3u8};

use crate::fixture;

fn entry(path: &str, artist: Option<&str>, title: &str) -> PlaylistEntry {
    PlaylistEntry {
        path: path.to_owned(),
        artist: artist.map(str::to_owned),
        title: title.to_owned(),
        duration_secs: 211.7,
    }
}

#[test]
fn a_playlist_names_length_artist_title_and_path() {
    let text = m3u8(&[entry("Nils & Ada - Marble Run/mix.flac", Some("Nils & Ada"), "Marble Run")]);
    assert_eq!(text, "#EXTM3U\n#EXTINF:212,Nils & Ada - Marble Run\nNils & Ada - Marble Run/mix.flac\n");
}

#[test]
fn a_title_cannot_add_lines_to_a_playlist() {
    let hostile = entry("#1\nhit.mp3", None, "One\r\n/etc/passwd\u{85}\u{2028}\u{0}");
    assert_eq!(m3u8(&[hostile]), "#EXTM3U\n#EXTINF:212,One /etc/passwd\n./#1 hit.mp3\n");
}

/// Labels as Audacity reads them: start, end and text between tabs.
fn read_labels(text: &str) -> Vec<(f64, f64, &str)> {
    text.lines()
        .map(|line| match line.split('\t').collect::<Vec<_>>()[..] {
            [start, end, label] => (start.parse().unwrap(), end.parse().unwrap(), label),
            _ => panic!("{line:?} has not three fields"),
        })
        .collect()
}

#[test]
fn labels_are_sections_as_regions_and_cues_as_points() {
    let report = fixture::song();
    let text = audacity_labels(&report);
    let labels = read_labels(&text);
    let sections = &report.analysis.form.as_ref().unwrap().sections;
    assert_eq!(labels.len(), sections.len() + report.cues.len());
    assert!(labels.is_sorted_by(|one, other| one.0 <= other.0));
    for section in sections {
        // Six decimals: half a microsecond.
        assert!(labels.iter().any(|&(start, end, label)| label == section.kind.label()
            && (start - section.start_secs).abs() <= 0.5e-6
            && (end - section.end_secs).abs() <= 0.5e-6));
    }
    for cue in &report.cues {
        assert!(labels.iter().any(|&(start, end, label)| label == cue.label
            && start == end
            && (start - cue.position_secs).abs() <= 0.5e-6));
    }
}

#[test]
fn a_cue_name_cannot_add_fields_or_lines_to_the_labels() {
    let mut report = fixture::song();
    report.cues[0].label = "tab\there\r\nline\u{0}".to_owned();
    let text = audacity_labels(&report);
    assert!(read_labels(&text).iter().any(|label| label.2 == "tab here line"));
}
