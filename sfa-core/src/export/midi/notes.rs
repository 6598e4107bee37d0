//! Transcribed notes as a Standard MIDI File.

use midly::num::{u4, u7};
use midly::{MetaMessage, MidiMessage, TrackEventKind};
use sfa_audio::transcribe::{Note, TranscribeKind};

use super::tempo_map::TempoMap;
use super::{DRUM_CHANNEL, file, meta, time_events, track};
use crate::transcription::Transcription;

/// A file of format 1 with 480 ticks per quarter note and two tracks: tempo and time signatures; and the notes.
///
/// Tick 0 is the first frame of the audio. The tempo map follows the beats, so that a note on the beat lies on a line
/// of the sequencer's grid; without beats it is 120 BPM throughout. Drums are on channel 10 by General MIDI's keys,
/// everything else on channel 1 with a fitting program.
pub fn notes_midi(transcription: &Transcription) -> Vec<u8> {
    let map = TempoMap::new(transcription.rhythm.as_ref());
    let end_tick = map.tick_at(transcription.duration_secs);
    let mut conductor = vec![(0, meta(MetaMessage::TrackName(b"Tempo")))];
    conductor.extend(time_events(&map));
    file(vec![track(conductor, end_tick), track(note_events(transcription, &map), end_tick)])
}

fn note_events(transcription: &Transcription, map: &TempoMap) -> Vec<(u64, TrackEventKind<'static>)> {
    let (name, channel, program): (&[u8], u4, Option<u8>) = match transcription.kind {
        TranscribeKind::Bass => (b"Bass", u4::new(0), Some(33)),
        TranscribeKind::Vocals => (b"Vocals", u4::new(0), Some(53)),
        TranscribeKind::Drums => (b"Drums", DRUM_CHANNEL, None),
        _ => (b"Notes", u4::new(0), Some(0)),
    };
    let event = |message| TrackEventKind::Midi { channel, message };
    let mut events = vec![(0, meta(MetaMessage::TrackName(name)))];
    if let Some(program) = program {
        events.push((0, event(MidiMessage::ProgramChange { program: u7::new(program) })));
    }
    let mut notes: Vec<&Note> = transcription.notes.iter().collect();
    notes.sort_by(|a, b| a.start_secs.total_cmp(&b.start_secs));
    let mut strokes = Vec::new();
    // The end of the last note of each pitch; a pitch cannot sound twice on one channel.
    let mut last_of_pitch: [Option<usize>; 128] = [None; 128];
    for note in notes {
        let pitch = note.pitch.min(127);
        let start = map.tick_at(note.start_secs);
        let end = map.tick_at(note.end_secs).max(start + 1);
        if let Some(last) = last_of_pitch[usize::from(pitch)] {
            let (before, before_end, ..): &mut (u64, u64, u8, u8) = &mut strokes[last];
            if *before == start {
                continue;
            }
            *before_end = start.min(*before_end);
        }
        last_of_pitch[usize::from(pitch)] = Some(strokes.len());
        strokes.push((start, end, pitch, note.velocity.clamp(1, 127)));
    }
    // Ends before starts: the track keeps the order of what happens at one tick.
    events.extend(strokes.iter().map(|&(_, end, pitch, _)| {
        (end, event(MidiMessage::NoteOff { key: u7::new(pitch), vel: u7::new(0) }))
    }));
    events.extend(strokes.iter().map(|&(start, _, pitch, velocity)| {
        (start, event(MidiMessage::NoteOn { key: u7::new(pitch), vel: u7::new(velocity) }))
    }));
    events
}
