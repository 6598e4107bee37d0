//! The names that people give to keys.

use std::str::FromStr;

use super::{Key, Mode, PitchClass};

impl Key {
    /// Its place in the order of the Camelot wheel, `0..24`: 1A, 1B, 2A and so on to 12B.
    pub fn wheel_place(self) -> usize {
        self.camelot_hour() * 2 + usize::from(self.mode == Mode::Major)
    }

    /// The key at a [`wheel_place`](Self::wheel_place).
    pub fn at_wheel_place(place: usize) -> Option<Self> {
        Self::all().find(|key| key.wheel_place() == place)
    }
}

impl FromStr for Key {
    type Err = String;

    /// Reads "A minor", "Am", "Bb major", "8A" (Camelot) or "1m" (Open Key), whatever the case.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let on_a_wheel = Self::all().find(|key| {
            key.camelot().eq_ignore_ascii_case(text) || key.open_key().eq_ignore_ascii_case(text)
        });
        on_a_wheel.or_else(|| by_tonic(text)).ok_or_else(|| {
            format!("{text:?} is no key; keys are written like \"A minor\", \"Bbm\", \"8A\" or \"1m\"")
        })
    }
}

fn by_tonic(text: &str) -> Option<Key> {
    let mut letters = text.chars();
    let letter = letters.next()?.to_ascii_uppercase();
    let natural = PitchClass::ALL.into_iter().find(|class| class.name().chars().eq([letter]))?;
    let (shift, rest) = match letters.clone().next() {
        Some('#' | '♯') => (1, {
            letters.next();
            letters.as_str()
        }),
        Some('b' | '♭') => (-1, {
            letters.next();
            letters.as_str()
        }),
        _ => (0, letters.as_str()),
    };
    // "M" alone is major: the only place where case tells something.
    let mode = match (rest.trim(), rest.trim().to_ascii_lowercase().as_str()) {
        ("M", _) | (_, "" | "major" | "maj") => Mode::Major,
        (_, "m" | "minor" | "min") => Mode::Minor,
        _ => return None,
    };
    Some(Key { tonic: PitchClass::new(natural.semitone() as i32 + shift), mode })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_by_all_its_names() {
        for key in Key::all() {
            for name in [key.to_string(), key.camelot(), key.open_key(), key.to_string().to_lowercase()] {
                assert_eq!(name.parse(), Ok(key), "{name}");
            }
            assert_eq!(Key::at_wheel_place(key.wheel_place()), Some(key));
        }
        assert_eq!(Key::at_wheel_place(24), None);
    }

    #[test]
    fn places_follow_the_wheel() {
        let places: Vec<String> = (0..24).filter_map(Key::at_wheel_place).map(Key::camelot).collect();
        assert_eq!(places[..4], ["1A", "1B", "2A", "2B"]);
        assert_eq!(places[22..], ["12A", "12B"]);
    }

    #[test]
    fn short_names_and_flats_are_understood() {
        for (name, expected) in [
            ("Am", "A minor"),
            ("AM", "A major"),
            ("a", "A major"),
            ("Bbm", "A# minor"),
            ("cb major", "B major"),
            ("E♭ min", "D# minor"),
            (" f#maj ", "F# major"),
            ("8a", "A minor"),
        ] {
            assert_eq!(name.parse::<Key>().unwrap().to_string(), expected, "{name}");
        }
        for name in ["", "H minor", "13A", "0A", "A dorian", "8", "#", "é"] {
            assert!(name.parse::<Key>().is_err(), "{name}");
        }
    }
}
