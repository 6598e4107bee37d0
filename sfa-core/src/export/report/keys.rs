//! The Camelot wheel with the song's key and the keys that mix well with it.

use std::fmt::Write as _;

use sfa_audio::analyze::{Key, Mode, PitchClass};

use super::chroma::{polar, sector};

/// Hours on the wheel.
const HOURS: i32 = 12;

/// The keys next to one on the wheel: one hour back, one hour on, and the relative key.
pub(super) fn compatible(key: Key) -> [Key; 3] {
    let tonic = key.tonic.semitone() as i32;
    let (relative_mode, to_relative) = match key.mode {
        Mode::Major => (Mode::Minor, -3),
        Mode::Minor => (Mode::Major, 3),
    };
    [
        Key { tonic: PitchClass::new(tonic - 7), mode: key.mode },
        Key { tonic: PitchClass::new(tonic + 7), mode: key.mode },
        Key { tonic: PitchClass::new(tonic + to_relative), mode: relative_mode },
    ]
}

/// Two rings of twelve, minor inside and major outside, 12 at the top.
pub(super) fn wheel(key: Key) -> String {
    let neighbours = compatible(key);
    let mut content = String::new();
    for other in Key::all() {
        let name = other.camelot();
        let hour: i32 = name.trim_end_matches(['A', 'B']).parse().unwrap_or(0);
        let turns = f64::from(hour % HOURS) / f64::from(HOURS);
        let (inner, outer) = if other.mode == Mode::Major { (80.0, 122.0) } else { (38.0, 78.0) };
        let kind = match other {
            _ if other == key => "slot here",
            _ if neighbours.contains(&other) => "slot near",
            _ => "slot",
        };
        let path = sector(turns, 1.0 / f64::from(HOURS), inner, outer, 0.0025);
        let (x, y) = polar(turns, (inner + outer) / 2.0);
        let _ = write!(
            content,
            "<g class=\"{kind}\"><path d=\"{path}\"><title>{name}: {other}</title></path>\
             <text x=\"{x:.1}\" y=\"{y:.1}\">{name}</text></g>"
        );
    }
    let near = neighbours.map(|key| key.camelot()).join(", ");
    format!(
        "<svg class=\"wheel keys\" role=\"img\" aria-label=\"Camelot wheel: the song is in {}, next to {near}\" \
         viewBox=\"-130 -130 260 260\">{content}<text class=\"centre\" y=\"0\">{}</text></svg>",
        key.camelot(),
        key.camelot()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_step_away_on_the_wheel() {
        let a_minor = Key::all().find(|key| key.camelot() == "8A").unwrap();
        assert_eq!(compatible(a_minor).map(|key| key.camelot()), ["7A", "9A", "8B"]);
        let e_major = Key::all().find(|key| key.camelot() == "12B").unwrap();
        assert_eq!(compatible(e_major).map(|key| key.camelot()), ["11B", "1B", "12A"]);
    }
}
