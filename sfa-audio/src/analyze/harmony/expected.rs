//! What a chord looks like to the front end.

use crate::analyze::PitchClass;

/// What of a tone is heard on its third and fifth partial's pitch classes, a twelfth and two octaves and a third up,
/// after overtones were taken for what they are.
const THIRD_PARTIAL: f32 = 0.4;
const FIFTH_PARTIAL: f32 = 0.1;
/// How much the same is heard two octaves and a third below: the front end takes every tone for an overtone, too.
const FIFTH_SUBHARMONIC: f32 = 0.1;

/// The chroma that the tones of a chord leave, each with the overtones that an ordinary sound has: zero mean, so
/// that what sounds beside the chord counts against it, and unit length, so that large chords win nothing.
/// `intervals` are semitones above `root`, the root's own 0 among them.
pub(crate) fn expected_chroma(root: PitchClass, intervals: &[usize]) -> [f32; 12] {
    let mut chroma = [0.0; 12];
    for interval in intervals {
        let tone = root.semitone() + interval;
        chroma[tone % 12] += 1.0;
        chroma[(tone + 7) % 12] += THIRD_PARTIAL;
        chroma[(tone + 4) % 12] += FIFTH_PARTIAL;
        chroma[(tone + 8) % 12] += FIFTH_SUBHARMONIC;
    }
    let mean = chroma.iter().sum::<f32>() / 12.0;
    chroma.iter_mut().for_each(|class| *class -= mean);
    let length = chroma.iter().map(|class| class * class).sum::<f32>().sqrt();
    chroma.map(|class| class / length)
}
