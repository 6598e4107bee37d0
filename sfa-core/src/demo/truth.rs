//! What is true of a song because we made it so.

use serde::Serialize;
use sfa_audio::analyze::{Key, SectionKind};

use super::arrange::Plan;
use super::score::{Note, Score};
use super::style::DemoStyle;
use super::voice::drums::Drum;

/// Everything that analysis should find in a song. All times are in seconds from the first frame.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DemoTruth {
    /// How the song sounds.
    pub style: DemoStyle,
    /// Length of the mix.
    pub duration_secs: f64,
    /// Constant from the first to the last beat.
    pub bpm: f64,
    /// Beats in a bar.
    pub beats_per_bar: u8,
    /// Whether the backbeat comes half as often as usual: "half the tempo" is then a fair answer too.
    pub half_time: bool,
    /// Where the second of two sixteenths falls, 0.5 is straight.
    pub swing: f64,
    /// The key of the whole song.
    pub key: Key,
    /// How far the song is tuned from A = 440 Hz.
    pub tuning_cents: f64,
    /// Every beat of every bar, whether or not a drum plays on it.
    pub beats_secs: Vec<f64>,
    /// The first beat of every bar: a subset of the beats.
    pub downbeats_secs: Vec<f64>,
    /// The parts, without gaps from 0 to the end.
    pub sections: Vec<DemoSection>,
    /// Where each drop starts; empty where the style has none.
    pub drops_secs: Vec<f64>,
    /// The chords, without gaps from the first beat to the end of the last bar.
    pub chords: Vec<DemoChord>,
    /// Every bass drum.
    pub kicks_secs: Vec<f64>,
    /// Every snare drum and clap, rolls and fills included.
    pub snares_secs: Vec<f64>,
    /// The bass line.
    pub bass_notes: Vec<DemoNote>,
    /// The lead line.
    pub lead_notes: Vec<DemoNote>,
    /// The sung line.
    pub vocal_notes: Vec<DemoNote>,
}

/// A part of a song.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DemoSection {
    /// On a downbeat, except for the first section, which starts at 0.
    pub start_secs: f64,
    /// Where the next section starts, or the end of the song.
    pub end_secs: f64,
    /// What it does.
    pub kind: SectionKind,
}

/// A chord.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DemoChord {
    /// On a downbeat.
    pub start_secs: f64,
    /// Where the next chord starts.
    pub end_secs: f64,
    /// The triad in Harte's notation, for example "A:min"; sevenths are not named.
    pub label: String,
}

/// A note of one line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DemoNote {
    /// Its attack.
    pub start_secs: f64,
    /// How long the key is held.
    pub duration_secs: f64,
    /// MIDI number, 69 is A above middle C; add the song's tuning.
    pub pitch: u8,
}

impl DemoTruth {
    pub(crate) fn of(plan: &Plan, score: &Score) -> Self {
        let options = &plan.options;
        let beats = plan.bars() * plan.beats_per_bar();
        let duration_secs = plan.frames() as f64 / f64::from(options.sample_rate_hz);
        let bar_secs = |bar: u32| plan.time_secs(plan.bar_beat(bar));
        let hits = |wanted: &[Drum]| {
            let mut times: Vec<f64> = score
                .drums
                .iter()
                .filter(|hit| wanted.contains(&hit.drum))
                .map(|hit| plan.time_secs(hit.beat))
                .collect();
            times.dedup();
            times
        };
        let notes = |notes: &[Note]| -> Vec<DemoNote> {
            notes
                .iter()
                .map(|note| DemoNote {
                    start_secs: plan.time_secs(note.beat),
                    duration_secs: plan.secs(note.beats),
                    pitch: note.pitch as u8,
                })
                .collect()
        };
        let section = |section: &super::arrange::Section| DemoSection {
            start_secs: if section.start_bar == 0 { 0.0 } else { bar_secs(section.start_bar) },
            end_secs: if section.end_bar() == plan.bars() {
                duration_secs
            } else {
                bar_secs(section.end_bar())
            },
            kind: section.kind,
        };
        let sections: Vec<DemoSection> = plan.sections.iter().map(section).collect();
        Self {
            style: options.style,
            duration_secs,
            bpm: options.bpm,
            beats_per_bar: options.beats_per_bar,
            half_time: options.half_time,
            swing: options.swing,
            key: options.key,
            tuning_cents: options.tuning_cents,
            beats_secs: (0..beats).map(|beat| plan.time_secs(f64::from(beat))).collect(),
            downbeats_secs: (0..plan.bars()).map(bar_secs).collect(),
            drops_secs: sections
                .iter()
                .filter(|section| section.kind == SectionKind::Drop)
                .map(|section| section.start_secs)
                .collect(),
            sections,
            chords: score
                .chords
                .iter()
                .map(|span| DemoChord {
                    start_secs: bar_secs(span.start_bar),
                    end_secs: bar_secs(span.start_bar + span.bars),
                    label: span.chord.label(),
                })
                .collect(),
            kicks_secs: hits(&[Drum::Kick]),
            snares_secs: hits(&[Drum::Snare, Drum::Clap]),
            bass_notes: notes(&score.bass),
            lead_notes: notes(&score.lead),
            vocal_notes: notes(&score.vocal.iter().map(|sung| sung.note).collect::<Vec<_>>()),
        }
    }
}
