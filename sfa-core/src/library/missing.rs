//! Files that should be there and are not: of a song, or of what was made of it.

use std::collections::{BTreeMap, HashSet};

use super::{Library, LibraryResult, Scope, TrackId};

/// A track some of whose files are gone from the storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissingFiles {
    /// Whose they were.
    pub track: TrackId,
    /// Whether the song itself is gone. Importing the same file brings it back.
    pub is_song_gone: bool,
    /// How many stems and exports are gone. Processing the song makes them anew.
    pub results_gone: usize,
}

impl Library {
    /// The tracks of a user some of whose files are gone from the storage, without reading any file; see
    /// [`check`](Self::check) for what is damaged.
    ///
    /// # Errors
    /// `Database` and `Storage` when they cannot be read.
    pub async fn missing_files(&self, scope: Scope) -> LibraryResult<Vec<MissingFiles>> {
        // Rows first: a content has its name before a row names it.
        let wanted = self.rows().contents(scope).await?;
        let there: HashSet<String> = self.files().list().await?.into_iter().map(|blob| blob.hash).collect();
        let mut missing = BTreeMap::new();
        for (track, _, is_song) in wanted.into_iter().filter(|(_, hash, _)| !there.contains(hash)) {
            let none = MissingFiles { track, is_song_gone: false, results_gone: 0 };
            let of_track = missing.entry(track).or_insert(none);
            of_track.is_song_gone |= is_song;
            of_track.results_gone += usize::from(!is_song);
        }
        Ok(missing.into_values().collect())
    }
}
