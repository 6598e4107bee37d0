//! File and folder names from tags that Windows, macOS and Linux all take.
//!
//! The rules are the union of the three systems': what one forbids is replaced everywhere, so that a folder
//! can travel on a USB stick.

use sfa_audio::io::Tags;

/// The longest name in bytes. File systems stop at 255; the rest is room for an extension and " (2)".
const MAX_NAME_BYTES: usize = 180;

/// The device names of DOS; Windows refuses them as names, with any extension.
const RESERVED: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// "artist - title" where the tags know both, the title alone, or the file's name without its extension.
pub(crate) fn song_name(tags: &Tags, file_name: &str) -> String {
    match (shown(tags.artist.as_deref()), shown(tags.title.as_deref())) {
        (Some(artist), Some(title)) => safe_name(&format!("{artist} - {title}")),
        (None, Some(title)) => safe_name(title),
        _ => safe_name(file_stem(file_name)),
    }
}

/// The text of a tag without surrounding white space, unless nothing is left.
pub(crate) fn shown(tag: Option<&str>) -> Option<&str> {
    tag.map(str::trim).filter(|text| !text.is_empty())
}

/// A file name without its extension; a name that only has an extension stays whole.
pub(crate) fn file_stem(file_name: &str) -> &str {
    match file_name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => file_name,
    }
}

/// Turns any text into one path component: never empty, never ".", "..", or a device, and at most
/// 180 bytes long.
pub(crate) fn safe_name(text: &str) -> String {
    let mut name = String::with_capacity(text.len().min(MAX_NAME_BYTES));
    for character in text.chars().filter(|&character| !is_invisible(character)) {
        let character = match character {
            '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '_',
            _ if character.is_whitespace() => ' ',
            _ => character,
        };
        if character == ' ' && (name.is_empty() || name.ends_with(' ')) {
            continue;
        }
        if name.len() + character.len_utf8() > MAX_NAME_BYTES {
            break;
        }
        name.push(character);
    }
    // Windows drops trailing dots and spaces silently, so that the name would not be found again; a leading
    // dot hides the file on the others.
    let name = name.trim_matches([' ', '.']);
    if name.is_empty() {
        "untitled".to_owned()
    } else if is_reserved(name) {
        format!("_{name}")
    } else {
        name.to_owned()
    }
}

/// Control characters, and the format characters that make a name read other than it is written.
fn is_invisible(character: char) -> bool {
    (character.is_control() && !matches!(character, '\t' | '\n' | '\r'))
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn is_reserved(name: &str) -> bool {
    let base = name.split('.').next().unwrap_or(name).trim_end().to_lowercase();
    let numbered = base.strip_prefix("com").or_else(|| base.strip_prefix("lpt"));
    let is_port = numbered.is_some_and(|number| {
        let mut characters = number.chars();
        matches!((characters.next(), characters.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
    });
    is_port || RESERVED.contains(&base.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(artist: &str, title: &str) -> Tags {
        let mut tags = Tags::default();
        tags.artist = Some(artist.to_owned());
        tags.title = Some(title.to_owned());
        tags
    }

    #[test]
    fn a_song_is_named_after_artist_and_title() {
        assert_eq!(song_name(&tags("Daft Punk", "One More Time"), "01.flac"), "Daft Punk - One More Time");
        assert_eq!(song_name(&tags("", "One More Time"), "01.flac"), "One More Time");
    }

    #[test]
    fn a_song_without_a_title_is_named_after_its_file() {
        assert_eq!(song_name(&Tags::default(), "01 intro.v2.flac"), "01 intro.v2");
        assert_eq!(song_name(&tags("Artist", " \t "), "take 3.wav"), "take 3");
        assert_eq!(song_name(&Tags::default(), ".flac"), "flac");
    }

    #[test]
    fn a_name_cannot_leave_its_folder() {
        for hostile in ["../../etc/passwd", "..\\..\\boot.ini", "/root", "C:\\x", "..", ".", "a/../b", "...."]
        {
            let name = safe_name(hostile);
            assert!(!name.contains(['/', '\\', ':']), "{hostile:?} became {name:?}");
            assert!(!name.starts_with('.') && !name.ends_with('.'), "{hostile:?} became {name:?}");
        }
    }

    #[test]
    fn characters_that_one_system_forbids_are_replaced() {
        assert_eq!(safe_name("AC/DC: What? *Live* <1> | \"A\\B\""), "AC_DC_ What_ _Live_ _1_ _ _A_B_");
    }

    #[test]
    fn devices_of_dos_are_not_names() {
        assert_eq!(safe_name("con"), "_con");
        assert_eq!(safe_name("Aux.Mix"), "_Aux.Mix");
        assert_eq!(safe_name("LPT1 .wav"), "_LPT1 .wav");
        assert_eq!(safe_name("COM²"), "_COM²");
        assert_eq!(safe_name("Concrete"), "Concrete");
        assert_eq!(safe_name("COM10"), "COM10");
    }

    #[test]
    fn names_do_not_end_in_what_windows_drops() {
        assert_eq!(safe_name("Wait. . ."), "Wait");
        assert_eq!(safe_name("  spaced   out  "), "spaced out");
        assert_eq!(safe_name("line\nbreak\ttab"), "line break tab");
    }

    #[test]
    fn invisible_characters_go() {
        assert_eq!(safe_name("evil\u{202e}gpj.exe"), "evilgpj.exe");
        assert_eq!(safe_name("a\0b\u{7}c\u{200b}d\u{feff}"), "abcd");
    }

    #[test]
    fn a_name_is_never_empty() {
        for nothing in ["", " ", "...", "\u{0}", "\u{200b}", ". . ."] {
            assert_eq!(safe_name(nothing), "untitled", "{nothing:?}");
        }
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        let name = safe_name(&"夜".repeat(200));
        assert_eq!(name.len(), MAX_NAME_BYTES);
        assert!(name.chars().all(|character| character == '夜'));
        assert!(safe_name(&"é.".repeat(300)).len() <= MAX_NAME_BYTES);
    }
}
