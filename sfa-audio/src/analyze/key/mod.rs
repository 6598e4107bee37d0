//! Keys, their names, and the decision which one a song is in.

mod chords;
mod decide;
mod evidence;
mod names;
mod profiles;
mod segments;
#[cfg(test)]
mod training;
mod weights;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use decide::decide;
pub(crate) use segments::segments;

/// A pitch without its octave, 0 = C to 11 = B; in JSON its [`name`](Self::name).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(into = "String", try_from = "String")]
#[schemars(with = "String")]
pub struct PitchClass(u8);

impl PitchClass {
    /// All twelve from C to B.
    pub const ALL: [Self; 12] = {
        let mut all = [Self(0); 12];
        let mut index = 0;
        while index < 12 {
            all[index] = Self(index as u8);
            index += 1;
        }
        all
    };

    /// The class of a semitone number; any octave.
    pub fn new(semitone: i32) -> Self {
        Self(semitone.rem_euclid(12) as u8)
    }

    /// Semitones above C, `0..12`.
    pub fn semitone(self) -> usize {
        usize::from(self.0)
    }

    /// The name with sharps, as most DJ programs write it.
    pub fn name(self) -> &'static str {
        ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"][self.semitone()]
    }
}

impl fmt::Display for PitchClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<PitchClass> for String {
    fn from(class: PitchClass) -> Self {
        class.name().to_owned()
    }
}

impl TryFrom<String> for PitchClass {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|class| class.name() == name)
            .ok_or_else(|| format!("{name:?} is not a pitch class between C and B with sharps"))
    }
}

/// Major or minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// With a major third above the tonic.
    Major,
    /// With a minor third above the tonic.
    Minor,
}

/// A key: a tonic and a mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(into = "KeyNames", try_from = "KeyNames")]
#[schemars(with = "KeyNames")]
pub struct Key {
    /// The home note.
    pub tonic: PitchClass,
    /// Major or minor.
    pub mode: Mode,
}

impl Key {
    /// All 24 keys: twelve major, then twelve minor, each from C up.
    pub fn all() -> impl Iterator<Item = Self> {
        [Mode::Major, Mode::Minor]
            .into_iter()
            .flat_map(|mode| PitchClass::ALL.into_iter().map(move |tonic| Self { tonic, mode }))
    }

    /// Steps up the circle of fifths from C major or A minor, `0..12`.
    fn fifths(self) -> usize {
        let relative_major = self.tonic.semitone() + if self.mode == Mode::Minor { 3 } else { 0 };
        relative_major * 7 % 12
    }

    /// The Camelot wheel's name: C major is 8B, A minor 8A, one fifth up is one hour on.
    pub fn camelot(self) -> String {
        let letter = if self.mode == Mode::Major { 'B' } else { 'A' };
        format!("{}{letter}", self.camelot_hour() + 1)
    }

    /// Hours on the Camelot wheel, from 0.
    fn camelot_hour(self) -> usize {
        (self.fifths() + 7) % 12
    }

    /// The Open Key name: C major is 1d, A minor 1m, one fifth up is one hour on.
    pub fn open_key(self) -> String {
        let letter = if self.mode == Mode::Major { 'd' } else { 'm' };
        format!("{}{letter}", self.fifths() + 1)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = if self.mode == Mode::Major { "major" } else { "minor" };
        write!(f, "{} {mode}", self.tonic.name())
    }
}

/// How a key is written in JSON: every name a tool may look for.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct KeyNames {
    /// For example "A minor".
    name: String,
    /// For example "A"; sharps only.
    tonic: String,
    /// "major" or "minor".
    mode: Mode,
    /// For example "8A".
    camelot: String,
    /// For example "1m".
    open_key: String,
}

impl From<Key> for KeyNames {
    fn from(key: Key) -> Self {
        Self {
            name: key.to_string(),
            tonic: key.tonic.name().to_owned(),
            mode: key.mode,
            camelot: key.camelot(),
            open_key: key.open_key(),
        }
    }
}

impl TryFrom<KeyNames> for Key {
    type Error = String;

    fn try_from(names: KeyNames) -> Result<Self, String> {
        let tonic = PitchClass::try_from(names.tonic)?;
        Ok(Self { tonic, mode: names.mode })
    }
}

/// The key of a song.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct KeyEstimate {
    /// The winner.
    #[serde(flatten)]
    pub key: Key,
    /// `0.0..=1.0`: the probability that it is right. Of songs with a confidence of 0.9, nine in ten are; less than
    /// six seconds of music lower it in proportion.
    pub confidence: f32,
    /// The next best key.
    pub runner_up: Key,
    /// How far the song is tuned from A = 440 Hz, in cents, `-50.0..50.0`.
    pub tuning_cents: f32,
}

/// A stretch of a song that stays in one key.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct KeySegment {
    /// Where it starts, in seconds.
    pub start_secs: f64,
    /// Where the next one starts, or the audio ends.
    pub end_secs: f64,
    /// Its key.
    #[serde(flatten)]
    pub key: Key,
    /// `0.0..=1.0`: the probability that it is right, as in [`KeyEstimate::confidence`].
    pub confidence: f32,
    /// The next best key.
    pub runner_up: Key,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_its_place_on_both_wheels() {
        // The two wheels as printed: Camelot starts at A-flat minor / B major, Open Key at A minor / C major.
        let rows = [
            ("G# minor", "B major", "1", "6"),
            ("D# minor", "F# major", "2", "7"),
            ("A# minor", "C# major", "3", "8"),
            ("F minor", "G# major", "4", "9"),
            ("C minor", "D# major", "5", "10"),
            ("G minor", "A# major", "6", "11"),
            ("D minor", "F major", "7", "12"),
            ("A minor", "C major", "8", "1"),
            ("E minor", "G major", "9", "2"),
            ("B minor", "D major", "10", "3"),
            ("F# minor", "A major", "11", "4"),
            ("C# minor", "E major", "12", "5"),
        ];
        let find = |name: &str| Key::all().find(|key| key.to_string() == name).expect(name);
        for (minor, major, camelot, open) in rows {
            assert_eq!(find(minor).camelot(), format!("{camelot}A"), "{minor}");
            assert_eq!(find(major).camelot(), format!("{camelot}B"), "{major}");
            assert_eq!(find(minor).open_key(), format!("{open}m"), "{minor}");
            assert_eq!(find(major).open_key(), format!("{open}d"), "{major}");
        }
    }

    #[test]
    fn a_key_survives_json() {
        for key in Key::all() {
            let json = serde_json::to_string(&key).unwrap();
            assert_eq!(serde_json::from_str::<Key>(&json).unwrap(), key);
        }
    }
}
