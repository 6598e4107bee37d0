//! What stems are called outside of a library.

use super::{LibraryError, LibraryErrorKind, LibraryResult, LibraryStem, Track};
use crate::naming;

/// What a field says of a stem.
type Reading = fn(&Track, &LibraryStem) -> String;

/// What stands in braces, and what it stands for.
const FIELDS: [(&str, Reading); 8] = [
    ("stem", |_, stem| naming::file_stem(&stem.file_name).to_owned()),
    ("engine", |_, stem| stem.engine.clone()),
    ("title", |track, _| track.title.clone()),
    ("artist", |track, _| track.artist.clone().unwrap_or_default()),
    ("album", |track, _| track.album.clone().unwrap_or_default()),
    ("bpm", |track, _| {
        let bpm = track.analysis.as_ref().and_then(|analysis| analysis.bpm);
        bpm.map(|bpm| format!("{bpm:.0}")).unwrap_or_default()
    }),
    ("key", |track, _| track.analysis.as_ref().and_then(|analysis| analysis.key.clone()).unwrap_or_default()),
    ("camelot", |track, _| {
        track.analysis.as_ref().and_then(|analysis| analysis.camelot.clone()).unwrap_or_default()
    }),
];

/// A pattern such as "{artist} - {title} ({stem})".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileNames {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// Its place in [`FIELDS`].
    Field(usize),
}

impl FileNames {
    pub(crate) const DEFAULT: &'static str = "{engine} {stem}";

    /// # Errors
    /// `Invalid` for braces with something unknown in them, or without `{stem}`, as then all stems had one name.
    pub(crate) fn new(pattern: &str) -> LibraryResult<Self> {
        let invalid = |message: String| Err(LibraryError::new(LibraryErrorKind::Invalid, message));
        let mut parts = Vec::new();
        for (index, piece) in pattern.split('{').enumerate() {
            let text = match piece.split_once('}') {
                Some((name, text)) if index > 0 => {
                    let Some(field) = FIELDS.iter().position(|(field, _)| *field == name) else {
                        let names = FIELDS.map(|(field, _)| format!("{{{field}}}")).join(", ");
                        return invalid(format!("names of files have no {{{name}}}; there are {names}"));
                    };
                    parts.push(Part::Field(field));
                    text
                }
                None if index == 0 => piece,
                _ => "}",
            };
            if text.contains('}') {
                return invalid(format!("a brace is open or closed alone in {pattern:?}"));
            }
            parts.push(Part::Text(text.to_owned()));
        }
        let names = Self { parts };
        if !names.parts.contains(&Part::Field(0)) {
            return invalid(format!("{pattern:?} names no {{stem}}: all stems would have one name"));
        }
        Ok(names)
    }

    /// The name of a stem, with the ending of its file.
    pub(crate) fn of(&self, track: &Track, stem: &LibraryStem) -> String {
        let text = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Field(place) => FIELDS[*place].1(track, stem),
        };
        let name = naming::safe_name(&self.parts.iter().map(text).collect::<String>());
        match stem.file_name.rsplit_once('.') {
            Some((_, ending)) => format!("{name}.{ending}"),
            None => name,
        }
    }
}

/// Makes every name another one, whatever the case, by a number before its ending.
pub(crate) fn make_unique<T>(files: &mut [(String, T)]) {
    let mut taken = std::collections::HashSet::new();
    for (name, _) in files {
        let (stem, ending) = match name.rsplit_once('.') {
            Some((stem, ending)) => (stem.to_owned(), format!(".{ending}")),
            None => (name.clone(), String::new()),
        };
        for number in 2.. {
            if taken.insert(name.to_lowercase()) {
                break;
            }
            *name = format!("{stem} ({number}){ending}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::{AnalysisSummary, Blob, TrackId, TrackStatus};

    fn track() -> Track {
        Track {
            id: TrackId::random(),
            title: "A/B".to_owned(),
            artist: Some("Ann".to_owned()),
            album: None,
            file_name: "a.mp3".to_owned(),
            blob: String::new(),
            size_bytes: 0,
            duration_ms: None,
            created_at_ms: 0,
            analysis: Some(AnalysisSummary {
                bpm: Some(123.6),
                key: Some("A minor".to_owned()),
                camelot: Some("8A".to_owned()),
                energy: None,
                lufs: None,
            }),
            status: TrackStatus::Ready,
        }
    }

    fn stem() -> LibraryStem {
        LibraryStem {
            kind: "drums".to_owned(),
            engine: "demucs/htdemucs".to_owned(),
            take: String::new(),
            file_name: "drums.flac".to_owned(),
            blob: Blob { hash: String::new(), size_bytes: 0 },
            peak_dbfs: None,
            rms_dbfs: None,
        }
    }

    #[test]
    fn patterns_become_names_that_every_system_takes() {
        for (pattern, expected) in [
            (FileNames::DEFAULT, "demucs_htdemucs drums.flac"),
            ("{artist} - {title} ({stem})", "Ann - A_B (drums).flac"),
            ("{camelot} {bpm} {key} {album}{stem}", "8A 124 A minor drums.flac"),
            ("../{stem}", "_drums.flac"),
        ] {
            assert_eq!(FileNames::new(pattern).unwrap().of(&track(), &stem()), expected, "{pattern}");
        }
    }

    #[test]
    fn patterns_that_name_nothing_are_refused() {
        for (pattern, expected) in [
            ("{title}", "no {stem}"),
            ("{stem} {mood}", "no {mood}"),
            ("{stem", "alone"),
            ("stem}", "alone"),
            ("{stem}} x", "alone"),
            ("", "no {stem}"),
        ] {
            let error = FileNames::new(pattern).unwrap_err().to_string();
            assert!(error.contains(expected), "{pattern}: {error}");
        }
    }

    #[test]
    fn no_two_files_have_one_name() {
        let mut files: Vec<_> =
            ["a.wav", "A.wav", "b", "a.wav", "b"].map(|name| (name.to_owned(), ())).into();
        make_unique(&mut files);
        let names: Vec<_> = files.into_iter().map(|(name, ())| name).collect();
        assert_eq!(names, ["a.wav", "A (2).wav", "b", "a (3).wav", "b (2)"]);
    }
}
