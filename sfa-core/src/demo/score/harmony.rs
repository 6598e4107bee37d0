//! Chords, their voicings, and the notes that go with them.

use sfa_audio::analyze::{Key, Mode, PitchClass};

/// A chord as a chart writes it. Pitches are MIDI numbers, 69 is A above middle C.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chord {
    /// Pitch class of the root, `0..12` from C.
    pub(crate) root: i32,
    pub(crate) minor: bool,
    /// Semitones of the seventh above the root, where one is played.
    seventh: Option<i32>,
}

impl Chord {
    /// A chord from its roman numeral in `key`, such as `"iv"` or `"VII"`.
    ///
    /// The case gives the triad. Minor chords and the dominant get minor sevenths; other major chords stay
    /// triads, because a major seventh would blur them with the minor chord a third above.
    pub(crate) fn from_roman(numeral: &str, key: Key, sevenths: bool) -> Self {
        const NUMERALS: [&str; 7] = ["i", "ii", "iii", "iv", "v", "vi", "vii"];
        let lower = numeral.to_ascii_lowercase();
        let degree = NUMERALS.iter().position(|&name| name == lower).unwrap_or(0);
        let minor = numeral == lower;
        let seventh = (minor || degree == 4).then_some(10);
        let root = (key.tonic.semitone() as i32 + scale_steps(key)[degree]) % 12;
        Self { root, minor, seventh: seventh.filter(|_| sevenths) }
    }

    /// Pitch classes of root, third and fifth.
    pub(crate) fn triad(self) -> [i32; 3] {
        [0, if self.minor { 3 } else { 4 }, 7].map(|interval| (self.root + interval) % 12)
    }

    /// Pitch classes of everything a pad plays.
    fn tones(self) -> Vec<i32> {
        let mut tones = self.triad().to_vec();
        tones.extend(self.seventh.map(|interval| (self.root + interval) % 12));
        tones
    }

    /// The triad in Harte's notation ("Symbolic representation of musical chords", 2005), for example "A:min".
    pub(crate) fn label(self) -> String {
        format!("{}:{}", PitchClass::new(self.root).name(), if self.minor { "min" } else { "maj" })
    }

    /// Close voicing of three or four notes around `centre` that moves least from `previous`.
    pub(crate) fn voicing(self, previous: &[i32], centre: i32) -> Vec<i32> {
        let tones = self.tones();
        let candidates = (0..tones.len()).flat_map(|inversion| {
            let bottom = above(tones[inversion], centre - 12);
            [bottom, bottom + 12].map(|bottom| {
                let mut voicing = vec![bottom];
                for offset in 1..tones.len() {
                    let below = voicing[voicing.len() - 1];
                    voicing.push(above(tones[(inversion + offset) % tones.len()], below + 1));
                }
                voicing
            })
        });
        let cost = |voicing: &Vec<i32>| {
            let mean = voicing.iter().sum::<i32>() / voicing.len() as i32;
            let movement: i32 = voicing
                .iter()
                .map(|note| previous.iter().map(|old| (note - old).abs()).min().unwrap_or(0))
                .sum();
            movement + (mean - centre).abs()
        };
        candidates.min_by_key(cost).unwrap_or_default()
    }

    /// The `step`-th note of the triad counted from the one nearest to `centre`; steps may be negative.
    pub(crate) fn ladder(self, centre: i32, step: i32) -> i32 {
        let triad = self.triad();
        let rungs: Vec<i32> =
            (centre - 30..centre + 30).filter(|pitch| triad.contains(&pitch.rem_euclid(12))).collect();
        let nearest = rungs.iter().enumerate().min_by_key(|(_, pitch)| (*pitch - centre).abs());
        let start = nearest.map_or(0, |(index, _)| index as i32);
        rungs[(start + step).clamp(0, rungs.len() as i32 - 1) as usize]
    }
}

/// The lowest pitch of a class that is not below `floor`.
pub(crate) fn above(class: i32, floor: i32) -> i32 {
    floor + (class - floor).rem_euclid(12)
}

/// Semitones of the seven degrees above the tonic: major, or natural minor.
fn scale_steps(key: Key) -> [i32; 7] {
    match key.mode {
        Mode::Major => [0, 2, 4, 5, 7, 9, 11],
        Mode::Minor => [0, 2, 3, 5, 7, 8, 10],
    }
}

/// The scale to play over `chord`: where it holds the leading tone of a minor key, so does the scale.
fn scale_over(key: Key, chord: Chord) -> [i32; 7] {
    let tonic = key.tonic.semitone() as i32;
    let leading_tone = (tonic + 11) % 12;
    let mut steps = scale_steps(key);
    if chord.triad().contains(&leading_tone) {
        steps[6] = 11;
    }
    steps.map(|step| (tonic + step) % 12)
}

/// The note `steps` scale steps from `pitch`.
pub(crate) fn scale_step(key: Key, chord: Chord, pitch: i32, steps: i32) -> i32 {
    let scale = scale_over(key, chord);
    let mut pitch = pitch;
    for _ in 0..steps.abs() {
        pitch += steps.signum();
        while !scale.contains(&pitch.rem_euclid(12)) {
            pitch += steps.signum();
        }
    }
    pitch
}

#[cfg(test)]
mod tests {
    use super::*;

    const A_MINOR: Key = Key { tonic: PitchClass::ALL[9], mode: Mode::Minor };

    #[test]
    fn numerals_name_the_chords_of_a_minor() {
        let label = |numeral| Chord::from_roman(numeral, A_MINOR, false).label();
        let labels = ["i", "III", "iv", "v", "V", "VI", "VII"].map(label);
        assert_eq!(labels, ["A:min", "C:maj", "D:min", "E:min", "E:maj", "F:maj", "G:maj"]);
    }

    #[test]
    fn voices_move_by_small_steps_between_chords() {
        let mut previous = Chord::from_roman("i", A_MINOR, true).voicing(&[], 62);
        for numeral in ["VI", "iv", "v", "i", "VII", "V"] {
            let next = Chord::from_roman(numeral, A_MINOR, true).voicing(&previous, 62);
            for note in &next {
                // A fourth is the widest leap that a good voicing of diatonic chords needs.
                assert!(previous.iter().any(|old| (note - old).abs() <= 5), "{previous:?} -> {next:?}");
            }
            assert!(next.iter().all(|note| (48..=78).contains(note)), "{next:?}");
            previous = next;
        }
    }

    #[test]
    fn a_scale_over_the_dominant_leads_to_the_tonic() {
        let dominant = Chord::from_roman("V", A_MINOR, false);
        assert_eq!(scale_step(A_MINOR, dominant, 69, -1), 68);
        assert_eq!(scale_step(A_MINOR, Chord::from_roman("i", A_MINOR, false), 69, -1), 67);
    }
}
