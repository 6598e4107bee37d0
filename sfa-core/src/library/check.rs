//! Whether rows and files agree: what is looked at, what is remembered of it, and what can be mended.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Library, LibraryErrorKind, LibraryResult, Scope, Soundness, Step, TrackId};

/// What [`Library::check`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// Contents that are what they should be.
    pub sound: usize,
    /// Contents that rows name and that are not there.
    pub missing: Vec<String>,
    /// Contents that are something else than their name says.
    pub damaged: Vec<String>,
    /// Contents that no row knows.
    pub orphans: Vec<String>,
    /// Tracks that miss something of theirs.
    pub tracks: Vec<TrackId>,
    /// What was mended: orphans removed, and tracks to be processed again.
    pub repaired: usize,
}

impl CheckReport {
    /// Whether rows and files agree.
    pub fn is_clean(&self) -> bool {
        self.missing.is_empty() && self.damaged.is_empty() && self.orphans.is_empty()
    }
}

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

/// Contents by their names alone.
struct Names {
    /// When they were read, by the database's clock.
    as_of_ms: i64,
    there: Vec<String>,
    missing: Vec<String>,
    orphans: Vec<String>,
}

impl Library {
    /// The tracks of a user some of whose files are gone from the storage, as far as that is known: from when the library
    /// was last [checked](Self::check) or tidied up, and from what was looked for since. What has come again is not among
    /// them. The storage itself is not asked.
    ///
    /// # Errors
    /// `Database` when it cannot be read.
    pub async fn missing_files(&self, scope: Scope) -> LibraryResult<Vec<MissingFiles>> {
        let mut missing = BTreeMap::new();
        for (track, is_song) in self.rows().missing_contents(scope).await? {
            let none = MissingFiles { track, is_song_gone: false, results_gone: 0 };
            let of_track = missing.entry(track).or_insert(none);
            of_track.is_song_gone |= is_song;
            of_track.results_gone += usize::from(!is_song);
        }
        Ok(missing.into_values().collect())
    }

    /// How long a content is that a row names. That it is not there is remembered.
    ///
    /// # Errors
    /// `NotFound` when it is not there, `Storage` when that cannot be told.
    pub async fn size_of(&self, hash: &str) -> LibraryResult<u64> {
        let size = self.files().size_bytes(hash).await?;
        let size = size.ok_or_else(|| super::LibraryError::not_found("content", hash));
        self.remembering(hash, size).await
    }

    /// A content that a row names, [lent](super::Storage::lend). That it is not there is remembered.
    pub(super) async fn lend(&self, hash: &str, folder: &Path, name: &str) -> LibraryResult<PathBuf> {
        self.remembering(hash, self.files().lend(hash, folder, name).await).await
    }

    async fn remembering<T>(&self, hash: &str, found: LibraryResult<T>) -> LibraryResult<T> {
        if found.as_ref().is_err_and(|error| error.kind() == LibraryErrorKind::NotFound) {
            // It is found again where this cannot be written.
            self.rows().mark_missing(hash).await.ok();
        }
        found
    }

    /// Compares rows with the names of files and remembers which contents are missing.
    pub(super) async fn note_missing(&self) -> LibraryResult<()> {
        let names = self.names().await?;
        self.rows().set_missing(&names.missing, names.as_of_ms).await
    }

    async fn names(&self) -> LibraryResult<Names> {
        let as_of_ms = self.rows().clock_ms().await?;
        // Files first: a content that comes meanwhile has its row before it has its name.
        let mut files: HashSet<String> =
            self.files().list().await?.into_iter().map(|blob| blob.hash).collect();
        let (mut there, mut missing) = (Vec::new(), Vec::new());
        for hash in self.rows().blobs().await?.into_iter().map(|blob| blob.hash) {
            // What was not in the list may have come after it was read.
            if files.remove(&hash) || self.files().size_bytes(&hash).await?.is_some() {
                there.push(hash);
            } else {
                missing.push(hash);
            }
        }
        let mut orphans: Vec<String> = files.into_iter().collect();
        orphans.sort_unstable();
        Ok(Names { as_of_ms, there, missing, orphans })
    }

    /// Reads every content and compares rows with files in both directions. With `repair`, orphans go, and tracks
    /// whose stems or exports are missing or damaged are processed again; a song that is itself missing cannot be
    /// brought back.
    ///
    /// # Errors
    /// `Database` and `Storage` when they cannot be read.
    pub async fn check(&self, repair: bool) -> LibraryResult<CheckReport> {
        let Names { as_of_ms, there, mut missing, orphans } = self.names().await?;
        let mut report = CheckReport { orphans, ..CheckReport::default() };
        let mut damaged = Vec::new();
        for hash in there {
            match self.files().verify(&hash).await? {
                Soundness::Sound => report.sound += 1,
                Soundness::Damaged => damaged.push(hash),
                Soundness::Missing => missing.push(hash),
            }
        }
        self.rows().set_missing(&missing, as_of_ms).await?;
        let mut hurt = Vec::new();
        for (found, list) in [(missing, &mut report.missing), (damaged, &mut report.damaged)] {
            for hash in found {
                let tracks = self.rows().tracks_with_blob(&hash).await?;
                // One that was reserved, but never named, the sweep forgets.
                if !tracks.is_empty() {
                    hurt.extend(tracks.into_iter().map(|(scope, track)| (scope, track, hash.clone())));
                    list.push(hash);
                }
            }
        }
        report.tracks = hurt.iter().map(|(_, track, _)| *track).collect();
        report.tracks.sort_unstable();
        report.tracks.dedup();
        if repair {
            self.repair(&mut report, hurt).await?;
        }
        Ok(report)
    }

    async fn repair(
        &self,
        report: &mut CheckReport,
        hurt: Vec<(Scope, TrackId, String)>,
    ) -> LibraryResult<()> {
        for hash in report.orphans.iter().chain(&report.damaged) {
            self.files().remove(hash).await?;
            self.rows().mark_missing(hash).await?;
            report.repaired += 1;
        }
        for (scope, track, hash) in hurt {
            if self.rows().track(scope, track).await?.blob != hash {
                let exports = self.rows().exports(scope, track).await?;
                let lost = exports.iter().find(|file| file.blob.hash == hash);
                self.process(scope, track, lost.map_or(Step::Separate, |file| file.step)).await?;
                report.repaired += 1;
            }
        }
        Ok(())
    }
}
