use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::json;
use sfa_core::export::serato_tags;
use sfa_core::song::SongReport;

use crate::fixture;

/// Types and contents of the entries of "Serato Markers2".
fn entries(markers: &[u8]) -> Vec<(String, Vec<u8>)> {
    assert!(markers.len() >= 470 && markers.starts_with(&[1, 1]), "{} bytes", markers.len());
    let text: Vec<u8> = markers[2..].iter().copied().take_while(|&byte| byte != 0).collect();
    assert!(text.split(|&byte| byte == b'\n').all(|line| line.len() <= 72));
    let text: Vec<u8> = text.into_iter().filter(|&byte| byte != b'\n').collect();
    let bytes = STANDARD_NO_PAD.decode(text).unwrap();
    let mut rest = bytes.strip_prefix(&[1, 1]).expect("the inner version");
    let mut entries = Vec::new();
    while rest[0] != 0 {
        let end = rest.iter().position(|&byte| byte == 0).unwrap();
        let length = u32_at(rest, end + 1) as usize;
        let kind = String::from_utf8(rest[..end].to_vec()).unwrap();
        entries.push((kind, rest[end + 5..end + 5 + length].to_vec()));
        rest = &rest[end + 5 + length..];
    }
    assert_eq!(rest, [0], "one zero ends the entries");
    entries
}

fn of_kind(report: &SongReport, wanted: &str) -> Vec<Vec<u8>> {
    let entries = entries(&serato_tags(report).markers2).into_iter();
    entries.filter(|(kind, _)| kind == wanted).map(|(_, content)| content).collect()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn f32_at(bytes: &[u8], at: usize) -> f64 {
    f64::from(f32::from_bits(u32_at(bytes, at)))
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes.strip_suffix(&[0]).expect("a zero ends the name")).unwrap()
}

#[test]
fn every_cue_is_on_its_pad() {
    let report = fixture::song();
    let cues = of_kind(&report, "CUE");
    assert_eq!(cues.len(), report.cues.len());
    for (pad, (bytes, cue)) in cues.iter().zip(&report.cues).enumerate() {
        assert_eq!(usize::from(bytes[1]), pad);
        assert!((f64::from(u32_at(bytes, 2)) - cue.position_secs * 1000.0).abs() <= 0.5);
        assert_eq!(bytes[7..10], [cue.color.0, cue.color.1, cue.color.2]);
        assert_eq!(text(&bytes[12..]), cue.label);
    }
}

#[test]
fn loops_have_both_ends() {
    let report = fixture::song();
    let loops = of_kind(&report, "LOOP");
    assert_eq!(loops.len(), 3, "the recommended ones");
    for (bytes, point) in loops.iter().zip(&report.loops) {
        assert!((f64::from(u32_at(bytes, 2)) - point.start_secs * 1000.0).abs() <= 0.5);
        assert!((f64::from(u32_at(bytes, 6)) - point.end_secs * 1000.0).abs() <= 0.5);
        // As in files that Serato wrote: nowhere, blue, not locked.
        assert_eq!(bytes[10..20], [255, 255, 255, 255, 0, 0x27, 0xaa, 0xe1, 0, 0]);
        assert_eq!(text(&bytes[20..]), point.name());
    }
}

#[test]
fn a_song_without_cues_has_what_serato_writes_then() {
    let mut report = fixture::song();
    (report.cues, report.loops) = (Vec::new(), Vec::new());
    let tags = serato_tags(&report);
    assert!(tags.markers2.starts_with(b"\x01\x01AQFDT0xPUgAAAAAEAP///0JQTUxPQ0sAAAAAAQAA\0"));
    assert_eq!(tags.markers2.len(), 470);
    // Five places for cues, nine for loops.
    assert_eq!(tags.mp4_markers.len(), 6 + 14 * 19 + 5);
    assert_eq!(tags.mp4_markers[..6], [2, 5, 0, 0, 0, 14]);
    let unset = [vec![255; 8], vec![0, 255, 255, 255, 255], vec![0; 4]].concat();
    assert_eq!(tags.mp4_markers[6..25], [unset.clone(), vec![0, 0]].concat());
    assert_eq!(tags.mp4_markers[6 + 13 * 19..6 + 14 * 19], [unset, vec![3, 0]].concat());
}

#[test]
fn mp4_files_have_the_first_cues_once_more() {
    let report = fixture::song();
    let markers = serato_tags(&report).mp4_markers;
    let place = |index: usize| &markers[6 + index * 19..][..19];
    assert!((f64::from(u32_at(place(3), 0)) - report.cues[3].position_secs * 1000.0).abs() <= 0.5);
    let color = report.cues[3].color;
    assert_eq!(place(3)[13..], [0, color.0, color.1, color.2, 1, 0]);
    assert!((f64::from(u32_at(place(5), 4)) - report.loops[0].end_secs * 1000.0).abs() <= 0.5);
    assert_eq!(place(5)[17], 3);
}

#[test]
fn the_grid_counts_beats_and_ends_with_a_tempo() {
    let mut song = fixture::song_json();
    song["analysis"]["rhythm"]["grid"] = json!([
        { "start_secs": 0.5, "bpm": 120.0, "bar_position": 1 },
        { "start_secs": 8.5, "bpm": 96.5, "bar_position": 1 },
    ]);
    let grid = serato_tags(&serde_json::from_value(song).unwrap()).beat_grid.unwrap();
    assert_eq!(grid.len(), 6 + 8 + 8 + 1);
    assert_eq!((grid[..2].to_vec(), u32_at(&grid, 2)), (vec![1, 0], 2));
    assert_eq!((f32_at(&grid, 6), u32_at(&grid, 10)), (0.5, 16));
    assert_eq!((f32_at(&grid, 14), f32_at(&grid, 18)), (8.5, 96.5));
    let mut report = fixture::song();
    report.analysis.rhythm = None;
    assert_eq!(serato_tags(&report).beat_grid, None);
}

#[test]
fn names_are_cut_between_characters() {
    let mut report = fixture::song();
    report.cues.truncate(1);
    report.cues[0].label = "né".repeat(40);
    let cues = of_kind(&report, "CUE");
    assert_eq!(text(&cues[0][12..]), "né".repeat(16) + "n");
}
