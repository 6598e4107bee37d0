//! Finding tracks by words.

use super::{Rows, SEARCH_COUNT, contained, failed};
use crate::library::LibraryResult;
use crate::library::fold::folded;

/// So many words are looked for; of more, the longest.
pub(super) const WORDS: usize = 4;
/// An index of letters takes this many of them together.
const INDEXED_LETTERS: usize = 3;
/// Where more tracks than this are found, going through them in the order of the list ends sooner.
const FEW: i64 = 2000;

/// The words that a track must contain, in any order.
pub(super) struct Words {
    /// One per word, and such that find everything.
    pub(super) patterns: [String; WORDS],
    /// The words in the language of the index.
    pub(super) indexed: String,
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
        let mut patterns = std::array::from_fn(|_| "%".to_owned());
        for (pattern, word) in patterns.iter_mut().zip(&words) {
            *pattern = contained(word);
        }
        let quoted = words
            .iter()
            .filter(|word| word.chars().count() >= INDEXED_LETTERS)
            .map(|word| format!("\"{}\"", word.replace('"', "\"\"")));
        Some(Self { patterns, indexed: quoted.collect::<Vec<_>>().join(" ") })
    }
}

impl Rows {
    /// Whether to ask the index for the tracks, rather than to go through the list.
    pub(super) async fn is_rare(&self, words: &Words) -> LibraryResult<bool> {
        let Some(statement) = SEARCH_COUNT.filter(|_| !words.indexed.is_empty()) else { return Ok(false) };
        let count: i64 = sqlx::query_scalar(statement)
            .bind(&words.indexed)
            .bind(FEW + 1)
            .fetch_one(&self.readers)
            .await
            .map_err(failed)?;
        Ok(count <= FEW)
    }
}
