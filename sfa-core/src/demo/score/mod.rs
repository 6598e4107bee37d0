//! The notes of a song.

mod drums;
pub(crate) mod harmony;
mod melody;

use sfa_audio::analyze::{Mode, SectionKind};

use super::arrange::{Part, Plan};
use super::random::Random;
use super::style::{BassPatch, KeysPatch};
use super::voice::drums::Drum;
use super::voice::effects::Effect;
use super::voice::vowel::Vowel;
use harmony::{Chord, above};

/// A note; times in beats from the first beat.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Note {
    pub(crate) beat: f64,
    pub(crate) beats: f64,
    /// MIDI number.
    pub(crate) pitch: i32,
    /// `0.0..=1.0`.
    pub(crate) velocity: f32,
    /// Whether it is tied to the note before without a new attack.
    pub(crate) slurred: bool,
}

/// A sung note.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sung {
    pub(crate) note: Note,
    pub(crate) vowels: [Vowel; 2],
}

/// A drum hit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Hit {
    pub(crate) beat: f64,
    pub(crate) drum: Drum,
    pub(crate) velocity: f32,
}

/// A chord and the bars it lasts.
#[derive(Debug, Clone)]
pub(crate) struct ChordSpan {
    pub(crate) start_bar: u32,
    pub(crate) bars: u32,
    pub(crate) chord: Chord,
    voicing: Vec<i32>,
}

/// A transition noise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Transition {
    pub(crate) effect: Effect,
    pub(crate) beat: f64,
    pub(crate) beats: f64,
}

/// Everything that is played.
#[derive(Debug)]
pub(crate) struct Score {
    pub(crate) chords: Vec<ChordSpan>,
    pub(crate) drums: Vec<Hit>,
    pub(crate) bass: Vec<Note>,
    pub(crate) pad: Vec<Note>,
    pub(crate) keys: Vec<Note>,
    pub(crate) arp: Vec<Note>,
    pub(crate) lead: Vec<Note>,
    pub(crate) vocal: Vec<Sung>,
    pub(crate) transitions: Vec<Transition>,
}

/// Writes the notes that a plan calls for.
pub(crate) fn compose(plan: &Plan) -> Score {
    let chords = compose_chords(plan);
    Score {
        drums: drums::compose(plan),
        bass: compose_bass(plan, &chords),
        pad: compose_pad(plan, &chords),
        keys: compose_keys(plan, &chords),
        arp: compose_arp(plan, &chords),
        lead: melody::compose_lead(plan, &chords),
        vocal: melody::compose_vocal(plan, &chords),
        transitions: compose_transitions(plan),
        chords,
    }
}

/// Velocity of a drum or chord pattern at a step; patterns shorter than the bar start over.
fn step_level(pattern: &str, step: u32) -> f32 {
    match pattern.as_bytes()[step as usize % pattern.len()] {
        b'X' => 1.0,
        b'x' => 0.8,
        b'o' => 0.42,
        _ => 0.0,
    }
}

/// How many steps a note lasts that starts at `step`: the dashes that follow it, plus one.
fn held_steps(pattern: &str, step: u32, steps_per_bar: u32) -> u32 {
    let dashes = (step + 1..steps_per_bar)
        .take_while(|&next| pattern.as_bytes()[next as usize % pattern.len()] == b'-')
        .count();
    1 + dashes as u32
}

fn compose_chords(plan: &Plan) -> Vec<ChordSpan> {
    let harmony = &plan.sheet.harmony;
    let progressions = match plan.options.key.mode {
        Mode::Minor => harmony.minor,
        Mode::Major => harmony.major,
    };
    let mut spans: Vec<ChordSpan> = Vec::new();
    for section in &plan.sections {
        let strong = section.is_peak() || section.kind == SectionKind::Breakdown;
        let numerals: Vec<&str> = progressions[usize::from(strong)].split(' ').collect();
        let mut bar = section.start_bar;
        for numeral in numerals.iter().cycle() {
            if bar >= section.end_bar() {
                break;
            }
            let bars = harmony.bars_per_chord.min(section.end_bar() - bar);
            // A song ends at home.
            let is_last = bar + bars == plan.bars();
            let home = if plan.options.key.mode == Mode::Minor { "i" } else { "I" };
            let numeral = if is_last { home } else { numeral };
            let chord = Chord::from_roman(numeral, plan.options.key, harmony.sevenths);
            let voicing = chord.voicing(spans.last().map_or(&[], |span| span.voicing.as_slice()), 62);
            spans.push(ChordSpan { start_bar: bar, bars, chord, voicing });
            bar += bars;
        }
    }
    spans
}

fn compose_bass(plan: &Plan, chords: &[ChordSpan]) -> Vec<Note> {
    let mut random = Random::for_purpose(plan.options.seed, "bass");
    let patterns = [random.pick(plan.sheet.bass), random.pick(plan.sheet.bass)];
    let floor = match plan.sheet.band.bass {
        BassPatch::Synth | BassPatch::Upright | BassPatch::Picked => 28,
        BassPatch::Reese | BassPatch::Sub => 29,
    };
    let mut notes = Vec::new();
    for (span, bar) in each_bar(chords) {
        let section = plan.section_at(bar);
        let level = section.level(Part::Bass, bar);
        if level == 0.0 {
            continue;
        }
        let root = above(span.chord.root, floor);
        let calm = matches!(section.kind, SectionKind::Breakdown | SectionKind::Bridge);
        let pattern = if calm { "r---------------" } else { patterns[usize::from(section.is_peak())] };
        for step in 0..plan.steps_per_bar() {
            let pitch = match pattern.as_bytes()[step as usize % pattern.len()] {
                b'r' => root,
                b'5' => root + 7,
                b'o' => root + 12,
                _ => continue,
            };
            let held = f64::from(held_steps(pattern, step, plan.steps_per_bar()));
            let velocity = level * (0.88 + 0.12 * random.unit());
            let beat = plan.step_beat(bar, step);
            notes.push(Note { beat, beats: held / 4.0 * 0.92, pitch, velocity, slurred: false });
        }
    }
    notes
}

fn compose_pad(plan: &Plan, chords: &[ChordSpan]) -> Vec<Note> {
    let mut notes = Vec::new();
    for span in chords {
        let level = plan.section_at(span.start_bar).level(Part::Pad, span.start_bar);
        let beat = plan.bar_beat(span.start_bar);
        let beats = plan.bar_beat(span.bars);
        notes.extend(span.voicing.iter().map(|&pitch| Note {
            beat,
            beats,
            pitch,
            velocity: level,
            slurred: false,
        }));
    }
    notes.retain(|note| note.velocity > 0.0);
    notes
}

fn compose_keys(plan: &Plan, chords: &[ChordSpan]) -> Vec<Note> {
    let mut random = Random::for_purpose(plan.options.seed, "keys");
    let patterns = [random.pick(plan.sheet.keys), random.pick(plan.sheet.keys)];
    let strummed = plan.sheet.band.keys != KeysPatch::Stab;
    let mut notes = Vec::new();
    for (span, bar) in each_bar(chords) {
        let section = plan.section_at(bar);
        let level = section.level(Part::Keys, bar);
        if level == 0.0 {
            continue;
        }
        let pattern = patterns[usize::from(section.is_peak())];
        // Guitars play power chords: root, fifth, octave. Thirds would growl in the overdrive.
        let voicing = if plan.sheet.band.keys == KeysPatch::Guitar {
            let root = above(span.chord.root, 40);
            vec![root, root + 7, root + 12]
        } else {
            span.voicing.clone()
        };
        for step in 0..plan.steps_per_bar() {
            let accent = step_level(pattern, step);
            if accent == 0.0 {
                continue;
            }
            let held = held_steps(pattern, step, plan.steps_per_bar()) as f64;
            let velocity = level * accent * (0.85 + 0.15 * random.unit());
            for (string, &pitch) in voicing.iter().enumerate() {
                // Fingers and plectrums reach the strings one after the other.
                let late = if strummed { 0.012 * string as f64 } else { 0.0 };
                let beat = plan.step_beat(bar, step) + late;
                notes.push(Note { beat, beats: held / 4.0 * 0.9, pitch, velocity, slurred: false });
            }
        }
    }
    notes
}

fn compose_arp(plan: &Plan, chords: &[ChordSpan]) -> Vec<Note> {
    let mut random = Random::for_purpose(plan.options.seed, "arp");
    let mut notes = Vec::new();
    for (span, bar) in each_bar(chords) {
        let section = plan.section_at(bar);
        let level = section.level(Part::Arp, bar);
        if level == 0.0 {
            continue;
        }
        let building = section.kind == SectionKind::BuildUp && (bar - section.start_bar) * 2 >= section.bars;
        let octave = if building { 24 } else { 12 };
        for step in 0..plan.steps_per_bar() {
            let rung = plan.sheet.arp.as_bytes()[step as usize % plan.sheet.arp.len()];
            if !rung.is_ascii_digit() {
                continue;
            }
            let rung = usize::from(rung - b'0');
            let tones = span.voicing.len();
            let pitch = span.voicing[rung % tones] + octave + 12 * (rung / tones) as i32;
            // Groups of three against the beat keep sixteenths from sounding like a machine.
            let accent = if step % 3 == 0 { 1.0 } else { 0.62 };
            let velocity = level * accent * (0.85 + 0.15 * random.unit());
            notes.push(Note {
                beat: plan.step_beat(bar, step),
                beats: 0.25,
                pitch,
                velocity,
                slurred: false,
            });
        }
    }
    notes
}

fn compose_transitions(plan: &Plan) -> Vec<Transition> {
    plan.sections
        .iter()
        .filter_map(|section| {
            let beat = plan.bar_beat(section.start_bar);
            match section.kind {
                SectionKind::BuildUp => {
                    Some(Transition { effect: Effect::Riser, beat, beats: plan.bar_beat(section.bars) })
                }
                SectionKind::Drop => Some(Transition { effect: Effect::Impact, beat, beats: 3.0 }),
                SectionKind::Breakdown => Some(Transition { effect: Effect::Fall, beat, beats: 6.0 }),
                _ => None,
            }
        })
        .collect()
}

/// Every bar with the chord that sounds in it.
fn each_bar(chords: &[ChordSpan]) -> impl Iterator<Item = (&ChordSpan, u32)> {
    chords.iter().flat_map(|span| (span.start_bar..span.start_bar + span.bars).map(move |bar| (span, bar)))
}
