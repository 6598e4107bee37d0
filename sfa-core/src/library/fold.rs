//! Text as it is searched.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// `text` in lower case and without accents, so that "beyonce" finds "Beyoncé".
pub(crate) fn folded(text: &str) -> String {
    text.nfkd().filter(|letter| !is_combining_mark(*letter)).collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_accents_and_widths_are_the_same() {
        assert_eq!(folded("Beyoncé ÄNDERUNG ＤＪ Ⅻ"), "beyonce anderung dj xii");
        assert_eq!(folded("ΑΘΗΝΑ Ёлка 東京"), "αθηνα елка 東京");
    }
}
