//! The beat grid, sections and cues as a Standard MIDI File, which every sequencer reads.

mod notes;
mod tempo_map;

use midly::num::{u4, u7, u15, u24, u28};
use midly::{Format, Header, MetaMessage, MidiMessage, Smf, Timing, Track, TrackEvent, TrackEventKind};
use sfa_audio::analyze::{Key, Mode};

pub use self::notes::notes_midi;
use self::tempo_map::{TICKS_PER_QUARTER, TempoMap};
use super::one_line;
use crate::song::SongReport;

/// General MIDI's drum channel, counted from 0.
const DRUM_CHANNEL: u4 = u4::new(9);
/// General MIDI's high and low wood block.
const DOWNBEAT_NOTE: u7 = u7::new(76);
const BEAT_NOTE: u7 = u7::new(77);
/// Half of a 32nd note: short enough for any tempo.
const CLICK_TICKS: u64 = 30;

/// A file of format 1 with 480 ticks per quarter note and two tracks: tempo, time signatures, key and markers
/// (sections and cues); and a click on every beat, higher on downbeats.
///
/// Tick 0 is the first frame of the audio, so the file lines up with the song when both start together. The
/// time before the first beat is filled with beats near the song's tempo, or with one shorter note where there
/// is no room for a beat. Every beat lies on a tick whose time is within half a millisecond of the beat.
pub fn midi(report: &SongReport) -> Vec<u8> {
    let map = TempoMap::new(report.analysis.rhythm.as_ref());
    let end_tick = map.tick_at(report.analysis.duration_secs);
    let texts = marker_texts(report);
    file(vec![conductor(report, &map, &texts, end_tick), click(report, &map, end_tick)])
}

/// The bytes of a file of some tracks.
fn file(tracks: Vec<Track<'_>>) -> Vec<u8> {
    let timing = Timing::Metrical(u15::new(TICKS_PER_QUARTER as u16));
    let smf = Smf { header: Header::new(Format::Parallel, timing), tracks };
    let mut bytes = Vec::new();
    smf.write_std(&mut bytes).expect("writing to memory does not fail");
    bytes
}

/// The time signatures and tempos of a song.
fn time_events<'e>(map: &TempoMap) -> impl Iterator<Item = (u64, TrackEventKind<'e>)> {
    let signatures = map.signatures().iter().map(|signature| {
        let power_of_two = signature.beat_unit.trailing_zeros() as u8;
        let message = MetaMessage::TimeSignature(signature.beats, power_of_two, 24, 8);
        (signature.tick, meta(message))
    });
    let tempos = map.tempos().iter();
    signatures
        .chain(tempos.map(|tempo| (tempo.tick, meta(MetaMessage::Tempo(u24::new(tempo.micros_per_quarter))))))
}

/// Sections and cues with their times, as one line each.
fn marker_texts(report: &SongReport) -> Vec<(f64, String)> {
    let sections = report.analysis.form.iter().flat_map(|form| &form.sections);
    let sections = sections.map(|section| (section.start_secs, section.kind.label().to_owned()));
    let cues = report.cues.iter().map(|cue| (cue.position_secs, format!("Cue: {}", one_line(&cue.label))));
    sections.chain(cues).collect()
}

fn conductor<'a>(
    report: &SongReport,
    map: &TempoMap,
    texts: &'a [(f64, String)],
    end_tick: u64,
) -> Track<'a> {
    let mut events = vec![(0, meta(MetaMessage::TrackName(b"Tempo and markers")))];
    events.extend(time_events(map));
    if let Some(estimate) = report.analysis.key {
        events.push((0, meta(key_signature(estimate.key))));
    }
    events.extend(
        texts.iter().map(|(secs, text)| (map.tick_at(*secs), meta(MetaMessage::Marker(text.as_bytes())))),
    );
    track(events, end_tick)
}

fn click<'a>(report: &SongReport, map: &TempoMap, end_tick: u64) -> Track<'a> {
    let mut events = vec![(0, meta(MetaMessage::TrackName(b"Click")))];
    let beats = report.analysis.rhythm.iter().flat_map(|rhythm| &rhythm.beats);
    for (beat, &tick) in beats.zip(map.beat_ticks()) {
        let (key, vel) = if beat.bar_position == 1 { (DOWNBEAT_NOTE, 110) } else { (BEAT_NOTE, 80) };
        let note = |message| TrackEventKind::Midi { channel: DRUM_CHANNEL, message };
        events.push((tick, note(MidiMessage::NoteOn { key, vel: u7::new(vel) })));
        events.push((tick + CLICK_TICKS, note(MidiMessage::NoteOff { key, vel: u7::new(0) })));
    }
    track(events, end_tick)
}

fn meta(message: MetaMessage<'_>) -> TrackEventKind<'_> {
    TrackEventKind::Meta(message)
}

/// Events at absolute ticks as a track that lasts until `end_tick` at least.
fn track(mut events: Vec<(u64, TrackEventKind<'_>)>, end_tick: u64) -> Track<'_> {
    events.sort_by_key(|(tick, _)| *tick);
    let end_tick = events.last().map_or(end_tick, |(tick, _)| end_tick.max(*tick));
    events.push((end_tick, meta(MetaMessage::EndOfTrack)));
    let mut now = 0_u64;
    let delta = |(tick, kind): (u64, _)| {
        let delta = u28::new((tick - now).min(u64::from(u28::max_value().as_int())) as u32);
        now = tick;
        TrackEvent { delta, kind }
    };
    events.into_iter().map(delta).collect()
}

/// Sharps above zero, flats below, as few as possible.
fn key_signature(key: Key) -> MetaMessage<'static> {
    let is_minor = key.mode == Mode::Minor;
    let relative_major = key.tonic.semitone() as i8 + if is_minor { 3 } else { 0 };
    let sharps = relative_major * 7 % 12;
    MetaMessage::KeySignature(if sharps > 6 { sharps - 12 } else { sharps }, is_minor)
}
