//! Which chord sounds when.

mod path;
mod steps;
mod vocabulary;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use vocabulary::ChordQuality;

use super::harmony::ChromaFrames;
use super::{Key, PitchClass, Rhythm};
use path::Path;
use steps::Step;
use vocabulary::Vocabulary;

/// A chord and how long it sounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Chord {
    /// When it starts, in seconds.
    pub start_secs: f64,
    /// When it ends, in seconds: where the next one starts, or the audio ends.
    pub end_secs: f64,
    /// Root and quality.
    pub label: ChordLabel,
    /// The pitch class most heard in the bass; absent where there is no bass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bass: Option<PitchClass>,
    /// `0.0..=1.0`: the probability of this chord, on average over its time. In songs whose chords are known, root and
    /// mode are right for that share of the time (benches/peers/analysis/harmony.py).
    pub confidence: f32,
}

/// The name of a chord; written as C. Harte's syntax has it: "A:min7", or "N" where there is no chord.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(into = "String", try_from = "String")]
#[schemars(with = "String")]
pub enum ChordLabel {
    /// Silence, noise, drums alone.
    NoChord,
    /// Tones over a root.
    Chord {
        /// The note that the chord is named after.
        root: PitchClass,
        /// Which tones stand above it.
        quality: ChordQuality,
    },
}

impl fmt::Display for ChordLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoChord => f.write_str("N"),
            Self::Chord { root, quality } => write!(f, "{}:{}", root.name(), quality.name()),
        }
    }
}

impl From<ChordLabel> for String {
    fn from(label: ChordLabel) -> Self {
        label.to_string()
    }
}

impl TryFrom<String> for ChordLabel {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        if name == "N" {
            return Ok(Self::NoChord);
        }
        let parts = name.split_once(':').and_then(|(root, quality)| {
            let root = PitchClass::ALL.into_iter().find(|class| class.name() == root)?;
            let quality = ChordQuality::ALL.into_iter().find(|known| known.name() == quality)?;
            Some(Self::Chord { root, quality })
        });
        parts.ok_or_else(|| format!("{name:?} is not a chord such as \"A#:min7\" or \"N\""))
    }
}

/// The chords of a song from its first to its last moment, without gaps.
///
/// Chroma and bass are averaged from beat to beat, or over half a second each where there is no pulse, and
/// compared with what every chord of the vocabulary would show; the best path through the chords is found by
/// Viterbi's algorithm, where a chord rather changes on a downbeat than elsewhere (as Bello & Pickens, "A robust
/// mid-level representation for harmonic content in music signals", ISMIR 2005, and Mauch & Dixon, "Simultaneous
/// estimation of chords and musical context from audio", IEEE TASLP 2010). Confidence is the posterior of the
/// chosen chord by the forward-backward algorithm.
pub(crate) fn find(
    frames: &ChromaFrames,
    rhythm: Option<&Rhythm>,
    key: Option<Key>,
    duration_secs: f64,
) -> Vec<Chord> {
    let steps = steps::cut(frames, rhythm, duration_secs);
    let vocabulary = Vocabulary::new(key);
    let path = Path::through(&steps, &vocabulary);
    let mut chords: Vec<Chord> = Vec::new();
    let mut first = 0;
    for run in path.states.chunk_by(|a, b| a == b) {
        let range = first..first + run.len();
        let (start_secs, end_secs) = (steps[range.start].start_secs, steps[range.end - 1].end_secs);
        let posterior: f64 = steps[range.clone()]
            .iter()
            .zip(&path.posteriors[range.clone()])
            .map(|(step, &posterior)| step.secs() * f64::from(posterior))
            .sum();
        chords.push(Chord {
            start_secs,
            end_secs,
            label: vocabulary.label(run[0]),
            bass: bass_of(&steps[range]),
            confidence: (posterior / (end_secs - start_secs)).clamp(0.0, 1.0) as f32,
        });
        first += run.len();
    }
    chords
}

/// The class with the most bass in some steps.
fn bass_of(steps: &[Step]) -> Option<PitchClass> {
    let mut sum = [0.0f32; 12];
    for step in steps {
        sum.iter_mut().zip(step.bass).for_each(|(sum, class)| *sum += class * step.secs() as f32);
    }
    let loudest =
        PitchClass::ALL.into_iter().max_by(|a, b| sum[a.semitone()].total_cmp(&sum[b.semitone()]))?;
    (sum[loudest.semitone()] > 0.0).then_some(loudest)
}
