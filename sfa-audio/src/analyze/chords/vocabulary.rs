//! The chords that can be told apart, and what each of them shows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ChordLabel;
use crate::analyze::chords::steps::Step;
use crate::analyze::harmony::expected_chroma;
use crate::analyze::{Key, Mode, PitchClass};

/// Which tones stand above the root of a chord.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChordQuality {
    /// Major third and fifth.
    Major,
    /// Minor third and fifth.
    Minor,
    /// Minor third and diminished fifth.
    Diminished,
    /// Major third and augmented fifth.
    Augmented,
    /// Major triad with a minor seventh.
    DominantSeventh,
    /// Major triad with a major seventh.
    MajorSeventh,
    /// Minor triad with a minor seventh.
    MinorSeventh,
    /// Second and fifth.
    SuspendedSecond,
    /// Fourth and fifth.
    SuspendedFourth,
}

impl ChordQuality {
    /// Every quality, the commonest first.
    pub const ALL: [Self; 9] = [
        Self::Major,
        Self::Minor,
        Self::Diminished,
        Self::Augmented,
        Self::DominantSeventh,
        Self::MajorSeventh,
        Self::MinorSeventh,
        Self::SuspendedSecond,
        Self::SuspendedFourth,
    ];

    /// The shorthand of C. Harte et al., "Symbolic representation of musical chords", ISMIR 2005.
    pub fn name(self) -> &'static str {
        match self {
            Self::Major => "maj",
            Self::Minor => "min",
            Self::Diminished => "dim",
            Self::Augmented => "aug",
            Self::DominantSeventh => "7",
            Self::MajorSeventh => "maj7",
            Self::MinorSeventh => "min7",
            Self::SuspendedSecond => "sus2",
            Self::SuspendedFourth => "sus4",
        }
    }

    /// Semitones of the tones above the root, the root first.
    pub fn intervals(self) -> &'static [usize] {
        match self {
            Self::Major => &[0, 4, 7],
            Self::Minor => &[0, 3, 7],
            Self::Diminished => &[0, 3, 6],
            Self::Augmented => &[0, 4, 8],
            Self::DominantSeventh => &[0, 4, 7, 10],
            Self::MajorSeventh => &[0, 4, 7, 11],
            Self::MinorSeventh => &[0, 3, 7, 10],
            Self::SuspendedSecond => &[0, 2, 7],
            Self::SuspendedFourth => &[0, 5, 7],
        }
    }

    /// What a chord of this quality must be better by than a plain triad to be believed.
    fn rarity(self) -> f32 {
        match self {
            Self::Major | Self::Minor => 0.0,
            Self::Diminished => 0.06,
            Self::Augmented => 0.06,
            Self::DominantSeventh | Self::MajorSeventh | Self::MinorSeventh => 0.04,
            Self::SuspendedSecond | Self::SuspendedFourth => 0.10,
        }
    }
}

/// How sharply a better fit turns into a likelier chord.
const SHARPNESS: f32 = 12.0;
/// What the bass counts against all other tones.
const BASS_WEIGHT: f32 = 0.35;
/// Less bass than this, in decibels over its surroundings, counts in proportion.
const CLEAR_BASS_DB: f32 = 10.0;
/// What each tone out of the key must be outweighed by.
const STRANGE_TONE_COST: f32 = 0.02;
/// The fit of no chord to what has tones: worse than any chord that is really there.
const NO_CHORD_FIT: f32 = 0.25;
/// The fit of no chord to what has none: better than any chord.
const SILENCE_FIT: f32 = 2.0;
/// Quieter steps are silence, on the scale of [`Step::weight`].
const SILENCE_WEIGHT: f32 = 0.05;
/// Chroma of less than this, in summed decibels, comes from noise and clicks.
const MIN_PITCHEDNESS: f32 = 60.0;
/// How welcome the tones of a chord are in the bass, from the root up.
const BASS_TONES: [f32; 4] = [1.0, 0.3, 0.4, 0.1];

/// All chords of all roots, and no chord, as the states of a path.
pub(super) struct Vocabulary {
    chords: Vec<Template>,
}

struct Template {
    root: PitchClass,
    quality: ChordQuality,
    /// Expected chroma with zero mean and unit length.
    chroma: [f32; 12],
    /// How welcome each class is in the bass.
    bass: [f32; 12],
    prior: f32,
}

impl Vocabulary {
    /// With `key`, chords out of its scale are less likely.
    pub(super) fn new(key: Option<Key>) -> Self {
        let chords = ChordQuality::ALL
            .into_iter()
            .flat_map(|quality| PitchClass::ALL.into_iter().map(move |root| (root, quality)))
            .map(|(root, quality)| Template {
                root,
                quality,
                chroma: expected_chroma(root, quality.intervals()),
                bass: expected_bass(root, quality),
                prior: -quality.rarity()
                    - STRANGE_TONE_COST * key.map_or(0.0, |key| strangeness(root, quality, key)),
            })
            .collect();
        Self { chords }
    }

    /// How many states there are; the last one is no chord.
    pub(super) fn len(&self) -> usize {
        self.chords.len() + 1
    }

    pub(super) fn label(&self, state: usize) -> ChordLabel {
        self.chords.get(state).map_or(ChordLabel::NoChord, |chord| ChordLabel::Chord {
            root: chord.root,
            quality: chord.quality,
        })
    }

    /// The logarithm of how likely a step sounds as it does under every chord.
    pub(super) fn fits(&self, step: &Step, out: &mut [f32]) {
        let length = step.chroma.iter().map(|class| class * class).sum::<f32>().sqrt();
        let bass_sum: f32 = step.bass.iter().sum();
        let pitched = step.chroma.iter().sum::<f32>();
        let none = out.len() - 1;
        for (fit, chord) in out.iter_mut().zip(&self.chords) {
            let tones =
                step.chroma.iter().zip(&chord.chroma).map(|(a, b)| a * b).sum::<f32>() / length.max(1e-6);
            let bass = step.bass.iter().zip(&chord.bass).map(|(a, b)| a * b).sum::<f32>()
                / bass_sum.max(CLEAR_BASS_DB);
            *fit = SHARPNESS * (tones + BASS_WEIGHT * bass + chord.prior);
        }
        let silent = step.weight < SILENCE_WEIGHT || pitched < MIN_PITCHEDNESS;
        out[none] = SHARPNESS * if silent { SILENCE_FIT } else { NO_CHORD_FIT };
    }
}

fn expected_bass(root: PitchClass, quality: ChordQuality) -> [f32; 12] {
    let mut bass = [0.0; 12];
    for (interval, welcome) in quality.intervals().iter().zip(BASS_TONES) {
        bass[(root.semitone() + interval) % 12] = welcome;
    }
    bass
}

/// How many tones of a chord are outside a key, with the raised seventh of minor counted in.
fn strangeness(root: PitchClass, quality: ChordQuality, key: Key) -> f32 {
    let scale: &[usize] = match key.mode {
        Mode::Major => &[0, 2, 4, 5, 7, 9, 11],
        Mode::Minor => &[0, 2, 3, 5, 7, 8, 10, 11],
    };
    let degree = |interval: &usize| (root.semitone() + interval + 12 - key.tonic.semitone()) % 12;
    quality.intervals().iter().filter(|&interval| !scale.contains(&degree(interval))).count() as f32
}
