//! Lead and vocal lines: small motifs that return, bent to the chords below them.

use super::harmony::scale_step;
use super::{ChordSpan, Note, Sung};
use crate::demo::arrange::{Part, Plan, Section};
use crate::demo::random::Random;
use crate::demo::voice::vowel::Vowel;

/// How a motif finds its next pitch.
#[derive(Debug, Clone, Copy)]
enum Move {
    /// The n-th chord tone from the line's centre.
    Chord(i32),
    /// So many scale steps from the note before.
    Step(i32),
}
use Move::{Chord, Step};

/// One bar: (sixteenth, length in sixteenths, pitch).
type Motif = &'static [(u32, u32, Move)];

/// Four bars of call and answer each; the third repeats the first, the fourth comes home.
const HOOKS: [[Motif; 4]; 4] = [
    [
        &[(0, 3, Chord(1)), (3, 3, Chord(0)), (6, 2, Chord(1)), (8, 4, Chord(2)), (12, 4, Step(-1))],
        &[(0, 3, Chord(2)), (3, 3, Chord(1)), (6, 2, Step(-1)), (8, 6, Chord(0))],
        &[(0, 3, Chord(1)), (3, 3, Chord(0)), (6, 2, Chord(1)), (8, 4, Chord(2)), (12, 4, Step(1))],
        &[(0, 3, Chord(2)), (3, 3, Step(-1)), (6, 2, Step(-1)), (8, 8, Chord(0))],
    ],
    [
        &[(0, 2, Chord(0)), (4, 2, Chord(1)), (6, 4, Step(1)), (10, 2, Step(-1)), (12, 4, Chord(0))],
        &[(2, 2, Chord(2)), (4, 2, Step(-1)), (6, 4, Step(-1)), (10, 4, Chord(0))],
        &[(0, 2, Chord(0)), (4, 2, Chord(1)), (6, 4, Step(1)), (10, 2, Step(1)), (12, 4, Chord(2))],
        &[(0, 4, Chord(2)), (4, 2, Step(-1)), (6, 2, Step(-1)), (8, 6, Chord(0))],
    ],
    [
        &[(0, 6, Chord(2)), (6, 2, Step(-1)), (8, 3, Chord(1)), (11, 5, Chord(0))],
        &[(0, 3, Chord(0)), (3, 3, Chord(1)), (6, 6, Step(1))],
        &[(0, 6, Chord(2)), (6, 2, Step(1)), (8, 3, Step(-1)), (11, 5, Chord(1))],
        &[(0, 3, Chord(1)), (3, 3, Step(-1)), (6, 8, Chord(0))],
    ],
    [
        &[(0, 2, Chord(0)), (2, 2, Chord(1)), (4, 4, Chord(2)), (8, 2, Step(-1)), (10, 4, Step(-1))],
        &[(0, 2, Chord(0)), (2, 2, Chord(1)), (4, 6, Chord(2))],
        &[(0, 2, Chord(0)), (2, 2, Chord(1)), (4, 4, Chord(2)), (8, 2, Step(1)), (10, 4, Step(-2))],
        &[(0, 4, Chord(1)), (4, 4, Step(-1)), (8, 8, Chord(0))],
    ],
];

/// What a voice sings: longer notes, and rests to breathe.
const SONGS: [[Motif; 4]; 3] = [
    [
        &[(0, 6, Chord(0)), (6, 2, Step(1)), (8, 8, Chord(1))],
        &[(0, 4, Step(-1)), (4, 8, Chord(0))],
        &[(0, 6, Chord(1)), (6, 2, Step(1)), (8, 8, Chord(2))],
        &[(0, 3, Step(-1)), (3, 3, Chord(1)), (6, 8, Chord(0))],
    ],
    [
        &[(4, 4, Chord(1)), (8, 8, Chord(2))],
        &[(0, 6, Chord(1)), (6, 6, Step(-1))],
        &[(4, 4, Chord(1)), (8, 4, Chord(2)), (12, 4, Step(1))],
        &[(0, 4, Chord(1)), (4, 10, Chord(0))],
    ],
    [
        &[(0, 3, Chord(0)), (3, 3, Chord(0)), (6, 8, Chord(1))],
        &[(0, 3, Chord(1)), (3, 3, Step(1)), (6, 6, Step(-1))],
        &[(0, 3, Chord(2)), (3, 3, Step(-1)), (6, 8, Chord(1))],
        &[(0, 6, Step(-1)), (6, 8, Chord(0))],
    ],
];

const LEAD_CENTRE: i32 = 74;
const VOCAL_CENTRE: i32 = 66;

/// The lead line of every section that has one.
pub(crate) fn compose_lead(plan: &Plan, chords: &[ChordSpan]) -> Vec<Note> {
    let hook = &HOOKS[(Random::for_purpose(plan.options.seed, "hook").next_u64() % 4) as usize];
    compose_line(plan, chords, Part::Lead, hook, LEAD_CENTRE).into_iter().map(|(note, _)| note).collect()
}

/// The sung line: the same words, that is vowels, return with the same motif.
pub(crate) fn compose_vocal(plan: &Plan, chords: &[ChordSpan]) -> Vec<Sung> {
    const WORDS: [[Vowel; 2]; 4] = [
        [Vowel::Ooh, Vowel::Ooh],
        [Vowel::Ooh, Vowel::Aah],
        [Vowel::Aah, Vowel::Oh],
        [Vowel::Eh, Vowel::Aah],
    ];
    let song = &SONGS[(Random::for_purpose(plan.options.seed, "song").next_u64() % 3) as usize];
    compose_line(plan, chords, Part::Vocal, song, VOCAL_CENTRE)
        .into_iter()
        .enumerate()
        .map(|(index, (note, bar))| {
            let open = plan.section_at(bar).is_peak();
            let vowels = if open { WORDS[2 + index % 2] } else { WORDS[index % 3] };
            Sung { note, vowels }
        })
        .collect()
}

/// Notes with the bar that each belongs to.
fn compose_line(
    plan: &Plan,
    chords: &[ChordSpan],
    part: Part,
    motifs: &[Motif; 4],
    centre: i32,
) -> Vec<(Note, u32)> {
    let mut random = Random::for_purpose(plan.options.seed, "melody dynamics");
    let mut line: Vec<(Note, u32)> = Vec::new();
    let mut pitch = centre;
    for span in chords {
        for bar in span.start_bar..span.start_bar + span.bars {
            let section = plan.section_at(bar);
            let level = section.level(part, bar);
            if level == 0.0 || breathes(section, bar, part) {
                continue;
            }
            let motif = motifs[((bar - section.start_bar) % 4) as usize];
            for &(step, length, movement) in motif.iter().filter(|(step, ..)| *step < plan.steps_per_bar()) {
                pitch = match movement {
                    Chord(rung) => span.chord.ladder(centre, rung),
                    Step(steps) => scale_step(plan.options.key, span.chord, pitch, steps),
                };
                let beats = f64::from(length.min(plan.steps_per_bar() - step)) / 4.0;
                let accent = if step % 4 == 0 { 1.0 } else { 0.86 };
                let velocity = level * accent * (0.92 + 0.08 * random.unit());
                let beat = plan.step_beat(bar, step);
                let slurred = line.last().is_some_and(|(last, _)| beat - (last.beat + last.beats) < 0.2);
                line.push((Note { beat, beats: beats * 0.94, pitch, velocity, slurred }, bar));
            }
        }
    }
    line
}

/// Whether the voice rests: every other bar while a build-up is on, so that its calls echo.
fn breathes(section: &Section, bar: u32, part: Part) -> bool {
    use sfa_audio::analyze::SectionKind::BuildUp;
    part == Part::Vocal && section.kind == BuildUp && (bar - section.start_bar) % 2 == 1
}
