//! Many notes at a time.

use sfa_audio::transcribe::TranscribeKind;

use crate::play::{Played, assert_sane, f_measure, notes_of, pluck};

#[test]
fn chords_are_written_down() {
    let chords: [&[u8]; 6] =
        [&[60, 64, 67], &[57, 60, 64, 69], &[53, 57, 60], &[55, 59, 62, 67], &[48, 64, 72], &[62, 65, 69]];
    let truth: Vec<Played> = (0..12)
        .flat_map(|n| chords[n % 6].iter().map(move |&pitch| (0.2 + 0.6 * n as f64, 0.55, pitch)))
        .collect();
    let notes = notes_of(&pluck(&truth, 8.0, 0.0), TranscribeKind::Other);
    assert_sane(&notes);
    let f = f_measure(&truth, &notes);
    assert!(f > 0.7, "{f}: {notes:#?}");
}

#[test]
fn a_line_stays_a_line() {
    let truth: Vec<Played> = (0..16)
        .map(|n| (0.2 + 0.3 * f64::from(n), 0.28, [60, 62, 64, 65, 67, 69, 71, 72][n as usize % 8]))
        .collect();
    let notes = notes_of(&pluck(&truth, 5.5, 0.0), TranscribeKind::Other);
    assert_sane(&notes);
    let f = f_measure(&truth, &notes);
    assert!(f > 0.7, "{f}: {notes:#?}");
}
