use midly::{MetaMessage, MidiMessage, Smf, Timing, TrackEventKind};
use serde_json::json;
use sfa_core::Transcription;
use sfa_core::export::notes_midi;

/// A transcription with beats every half second from 0.25 s on.
fn transcription(kind: &str, notes: &[(f64, f64, u8)]) -> Transcription {
    let notes: Vec<_> = notes
        .iter()
        .map(|(start, end, pitch)| {
            json!({ "start_secs": start, "end_secs": end, "pitch": pitch, "velocity": 90, "confidence": 0.8 })
        })
        .collect();
    let beats: Vec<_> = (0..32)
        .map(|n| json!({ "time_secs": 0.25 + 0.5 * f64::from(n), "bar_position": n % 4 + 1 }))
        .collect();
    serde_json::from_value(json!({
        "kind": kind,
        "notes": notes,
        "rhythm": {
            "tempo": { "bpm": 120.0, "confidence": 0.9, "alternatives": [], "is_constant": true },
            "meter": { "beats_per_bar": 4, "beat_unit": 4, "confidence": 0.9 },
            "beats": beats,
            "grid": [{ "start_secs": 0.25, "bpm": 120.0, "bar_position": 1 }],
        },
        "duration_secs": 16.0,
    }))
    .unwrap()
}

/// Channel, key, start and end in ticks of every note; fails where an end has no start.
fn played(bytes: &[u8]) -> Vec<(u8, u8, u64, u64)> {
    let smf = Smf::parse(bytes).unwrap();
    assert_eq!(smf.header.timing, Timing::Metrical(480.into()));
    assert_eq!(smf.tracks.len(), 2);
    let tempos =
        smf.tracks[0].iter().filter(|e| matches!(e.kind, TrackEventKind::Meta(MetaMessage::Tempo(_))));
    assert!(tempos.count() >= 1);
    let (mut tick, mut open, mut notes) = (0_u64, Vec::new(), Vec::new());
    for event in &smf.tracks[1] {
        tick += u64::from(event.delta.as_int());
        let TrackEventKind::Midi { channel, message } = event.kind else { continue };
        match message {
            MidiMessage::NoteOn { key, .. } => {
                assert!(open.iter().all(|&(other, _)| other != key), "{key} sounds twice");
                open.push((key, tick));
            }
            MidiMessage::NoteOff { key, .. } => {
                let place = open.iter().position(|&(other, _)| other == key).expect("a note that began");
                let (key, start) = open.remove(place);
                notes.push((channel.as_int(), key.as_int(), start, tick));
            }
            _ => {}
        }
    }
    assert!(open.is_empty());
    notes
}

#[test]
fn notes_on_beats_lie_on_quarters() {
    let found = transcription("bass", &[(0.25, 0.5, 40), (0.75, 1.25, 43), (1.5, 1.75, 40)]);
    let notes = played(&notes_midi(&found));
    // Before the first beat lies what the tempo map fills the lead-in with.
    let first = notes[0].2;
    assert_eq!(
        notes,
        [(0, 40, first, first + 240), (0, 43, first + 480, first + 960), (0, 40, first + 1200, first + 1440)]
    );
}

#[test]
fn drums_are_on_channel_ten() {
    let notes = played(&notes_midi(&transcription("drums", &[(0.25, 0.31, 36), (0.25, 0.31, 42)])));
    assert_eq!(notes.iter().map(|note| (note.0, note.1)).collect::<Vec<_>>(), [(9, 36), (9, 42)]);
}

#[test]
fn a_pitch_never_sounds_twice_and_no_note_is_empty() {
    let notes = played(&notes_midi(&transcription(
        "other",
        &[(1.0, 3.0, 60), (2.0, 2.5, 60), (2.0, 2.2, 60), (2.5, 2.5, 64), (2.5, 2.6, 60)],
    )));
    assert_eq!(notes.len(), 4);
    assert!(notes.iter().all(|note| note.3 > note.2));
}

#[test]
fn without_beats_or_notes_the_file_is_still_one() {
    let mut found = transcription("vocals", &[]);
    found.rhythm = None;
    assert!(played(&notes_midi(&found)).is_empty());
}
