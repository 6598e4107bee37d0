//! Finding tracks by words.

use super::{Rows, SEARCH_COUNT, contained, failed};
use crate::library::LibraryResult;
use crate::library::fold::folded;

/// So many words are looked for; of more, the longest.
pub(super) const WORDS: usize = 4;
/// An index of letters takes this many of them together.
const INDEXED_LETTERS: usize = 3;
/// Where more tracks than this are found, going through the list in its order ends sooner: a track that is looked up costs
/// as much as twenty that are passed by.
const FEW: i64 = 3000;

/// The words that a track must contain, in any order.
pub(super) struct Words {
    /// One per word, and such that find everything.
    pub(super) patterns: [String; WORDS],
    /// Each word in the language of the index, those apart that are too short for it.
    indexed: Vec<String>,
}

impl Words {
    /// `None` for a search that leaves everything.
    pub(super) fn of(search: &str) -> Option<Self> {
        let text = folded(search);
        let mut words: Vec<&str> = text.split_whitespace().collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
        words.dedup();
        words.truncate(WORDS);
        if words.is_empty() {
            return None;
        }
        let words: Vec<String> = words.into_iter().map(begun).collect();
        let mut patterns = std::array::from_fn(|_| "%".to_owned());
        for (pattern, word) in patterns.iter_mut().zip(&words) {
            *pattern = contained(word);
        }
        let indexed = words
            .iter()
            .filter(|word| word.chars().count() >= INDEXED_LETTERS)
            .map(|word| format!("\"{}\"", word.replace('"', "\"\"")))
            .collect();
        Some(Self { patterns, indexed })
    }
}

/// One or two letters are looked for where words begin: they are everywhere else. Scripts without spaces have no such
/// places.
fn begun(word: &str) -> String {
    let is_short = word.len() < INDEXED_LETTERS && word.bytes().all(|letter| letter.is_ascii_alphanumeric());
    if is_short { format!(" {word}") } else { word.to_owned() }
}

impl Rows {
    /// The word to ask the index for, where that is better than to go through the list.
    pub(super) async fn rare_word(&self, words: &Words) -> LibraryResult<Option<String>> {
        let Some(statement) = SEARCH_COUNT else { return Ok(None) };
        for word in &words.indexed {
            let count: i64 = sqlx::query_scalar(statement)
                .bind(word)
                .bind(FEW + 1)
                .fetch_one(&self.readers)
                .await
                .map_err(failed)?;
            if count <= FEW {
                return Ok(Some(word.clone()));
            }
        }
        Ok(None)
    }
}
