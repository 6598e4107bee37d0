use midly::{MetaMessage, MidiMessage, Smf, Timing, TrackEventKind};
use serde_json::json;
use sfa_core::export::midi;
use sfa_core::song::SongReport;

use crate::fixture;

/// A MIDI file as a sequencer plays it: everything at its time in seconds.
struct Played {
    /// Start and pitch of every note.
    notes: Vec<(f64, u8)>,
    markers: Vec<(f64, String)>,
    tempos: usize,
    /// Where bars start, from the time signatures alone.
    bar_starts: Vec<f64>,
    key: Option<(i8, bool)>,
}

fn play(bytes: &[u8]) -> Played {
    let smf = Smf::parse(bytes).unwrap();
    let Timing::Metrical(ticks_per_quarter) = smf.header.timing else { panic!("ticks per quarter wanted") };
    let ticks_per_quarter = f64::from(ticks_per_quarter.as_int());

    let mut events = Vec::new();
    for track in &smf.tracks {
        let mut tick = 0_u64;
        for event in track {
            tick += u64::from(event.delta.as_int());
            events.push((tick, event.kind));
        }
    }
    events.sort_by_key(|event| event.0);

    let mut played = Played { notes: vec![], markers: vec![], tempos: 0, bar_starts: vec![], key: None };
    let (mut secs, mut secs_per_tick, mut before) = (0.0, 0.5 / ticks_per_quarter, 0);
    let mut times_of_ticks = Vec::new();
    let mut signatures = Vec::new();
    for (tick, kind) in events {
        times_of_ticks.push((before, secs, secs_per_tick));
        secs += (tick - before) as f64 * secs_per_tick;
        before = tick;
        match kind {
            TrackEventKind::Meta(MetaMessage::Tempo(micros)) => {
                secs_per_tick = f64::from(micros.as_int()) * 1e-6 / ticks_per_quarter;
                played.tempos += 1;
            }
            TrackEventKind::Meta(MetaMessage::Marker(text)) => {
                played.markers.push((secs, String::from_utf8(text.to_vec()).unwrap()));
            }
            TrackEventKind::Meta(MetaMessage::TimeSignature(beats, power, ..)) => {
                let bar_ticks = f64::from(beats) * ticks_per_quarter * 4.0 / f64::from(1 << power);
                signatures.push((tick, bar_ticks as u64));
            }
            TrackEventKind::Meta(MetaMessage::KeySignature(sharps, is_minor)) => {
                played.key = Some((sharps, is_minor));
            }
            TrackEventKind::Midi { channel, message: MidiMessage::NoteOn { key, vel } } if vel > 0 => {
                assert_eq!(channel.as_int(), 9, "General MIDI's drums");
                played.notes.push((secs, key.as_int()));
            }
            _ => {}
        }
    }
    let time_of = |tick: u64| {
        let &(at, secs, per_tick) = times_of_ticks.iter().rev().find(|place| place.0 <= tick).unwrap();
        secs + (tick - at) as f64 * per_tick
    };
    for (index, &(start, bar_ticks)) in signatures.iter().enumerate() {
        let end = signatures.get(index + 1).map_or(before, |next| next.0);
        assert_eq!((end - start) % bar_ticks * u64::from(index + 1 < signatures.len()), 0, "a bar is cut");
        played.bar_starts.extend((start..end).step_by(bar_ticks as usize).map(time_of));
    }
    played
}

fn song_on(times_secs: &[f64], beats_per_bar: u8, beat_unit: u8, first_position: u8) -> SongReport {
    let mut song = fixture::song_json();
    song["analysis"]["rhythm"] = fixture::rhythm_on(times_secs, beats_per_bar, beat_unit, first_position);
    serde_json::from_value(song).unwrap()
}

/// Every beat has its click within a millisecond, high on downbeats, and every downbeat starts a bar.
#[track_caller]
fn check(report: &SongReport) -> Played {
    let played = play(&midi(report));
    let beats = &report.analysis.rhythm.as_ref().unwrap().beats;
    assert_eq!(played.notes.len(), beats.len());
    for (index, (beat, &(secs, pitch))) in beats.iter().zip(&played.notes).enumerate() {
        assert!((secs - beat.time_secs).abs() < 1e-3, "the beat at {} s plays at {secs} s", beat.time_secs);
        assert_eq!(pitch, if beat.bar_position == 1 { 76 } else { 77 });
        let is_bar_start = played.bar_starts.iter().any(|start| (start - secs).abs() < 1e-6);
        // A pickup stands in a shorter bar of its own.
        let starts_pickup = index == 0 && is_bar_start;
        assert_eq!(is_bar_start, beat.bar_position == 1 || starts_pickup, "at {secs} s");
    }
    played
}

#[test]
fn a_constant_grid_is_one_tempo_after_the_lead_in() {
    let played = check(&fixture::song());
    assert_eq!(played.tempos, 2, "lead-in and song");
    assert_eq!(played.key, Some((0, true)));
}

#[test]
fn sections_and_cues_are_markers() {
    let report = fixture::song();
    let played = play(&midi(&report));
    // Half a tick at 128 BPM is 0.5 ms.
    let has = |secs: f64, text: &str| {
        played.markers.iter().any(|marker| (marker.0 - secs).abs() < 1e-3 && marker.1 == text)
    };
    for section in &report.analysis.form.as_ref().unwrap().sections {
        assert!(has(section.start_secs, section.kind.label()), "{}", section.kind.label());
    }
    for cue in &report.cues {
        assert!(has(cue.position_secs, &format!("Cue: {}", cue.label)), "{}", cue.label);
    }
}

#[test]
fn a_tempo_between_whole_microseconds_does_not_drift() {
    let times: Vec<_> = (0..2_000).map(|beat| 0.2 + f64::from(beat) * 60.0 / 127.9951).collect();
    let played = check(&song_on(&times, 4, 4, 1));
    assert!(played.tempos <= 4, "{} tempo changes", played.tempos);
}

#[test]
fn a_ramp_is_followed() {
    // 90 to 150 BPM over 300 beats.
    let mut secs = 1.1;
    let times: Vec<_> = (0..300)
        .map(|beat| {
            secs += 60.0 / (90.0 + 0.2 * f64::from(beat));
            secs
        })
        .collect();
    check(&song_on(&times, 4, 4, 3));
}

#[test]
fn rubato_is_followed() {
    let mut secs = 0.0;
    let times: Vec<_> = (0..400)
        .map(|beat| {
            secs += 0.6 + 0.2 * (f64::from(beat) * 0.7).sin() + 0.05 * f64::from(beat * 37 % 11) / 11.0;
            secs
        })
        .collect();
    check(&song_on(&times, 3, 4, 2));
}

#[test]
fn eighths_are_beats_where_the_metre_says_so() {
    let times: Vec<_> = (0..240).map(|beat| 0.9 + f64::from(beat) * 0.21).collect();
    check(&song_on(&times, 6, 8, 5));
}

#[test]
fn every_lead_in_is_filled() {
    for first_secs in [0.0, 0.0004, 0.0011, 0.004, 0.03, 0.1, 0.26, 0.5, 0.74, 7.9, 61.3] {
        for first_position in 1..=4 {
            let times: Vec<_> = (0..16).map(|beat| first_secs + f64::from(beat) * 0.5).collect();
            check(&song_on(&times, 4, 4, first_position));
        }
    }
}

#[test]
fn a_bar_that_is_one_beat_short_changes_the_signature() {
    let mut song = fixture::song_json();
    let positions = [1, 2, 3, 4, 1, 2, 3, 1, 2, 3, 4, 1, 2, 3, 4];
    let beats: Vec<_> = (0..)
        .zip(positions)
        .map(|(index, position)| json!({ "time_secs": 0.5 * f64::from(index), "bar_position": position }))
        .collect();
    song["analysis"]["rhythm"]["beats"] = json!(beats);
    check(&serde_json::from_value(song).unwrap());
}

#[test]
fn a_song_without_pulse_keeps_its_markers() {
    let mut song = fixture::song_json();
    song["analysis"].as_object_mut().unwrap().remove("rhythm");
    let played = play(&midi(&serde_json::from_value(song).unwrap()));
    assert!(played.notes.is_empty());
    assert!(played.markers.iter().any(|marker| (marker.0 - 75.35).abs() < 1e-3 && marker.1 == "Drop"));
}

#[test]
fn beats_out_of_order_are_no_reason_to_panic() {
    let times = [5.0, 4.0, 4.0, 9e9, 0.0, -3.0];
    midi(&song_on(&times, 4, 4, 1));
    midi(&song_on(&[], 4, 4, 1));
    midi(&song_on(&[1.0], 4, 4, 1));
}
