//! What a library remembers.

use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sfa_audio::analyze::Key;

use super::{
    BatchId, JobState, LibraryError, LibraryErrorKind, NotificationId, PlaylistId, Step, TrackId, UserId,
};

/// On whose behalf a call is made: every read and write sees this user's rows only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// The user.
    pub user: UserId,
}

impl Scope {
    /// The one user of a library that nobody signs in to.
    pub const LOCAL: Self = Self { user: UserId::LOCAL };

    /// On behalf of one user.
    pub const fn of(user: UserId) -> Self {
        Self { user }
    }
}

/// A song in a library.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Track {
    /// Its name in the library.
    pub id: TrackId,
    /// What to show.
    pub title: String,
    /// Who plays it.
    pub artist: Option<String>,
    /// Where it is from.
    pub album: Option<String>,
    /// The file's name when it was imported.
    pub file_name: String,
    /// BLAKE3 of the file, in hexadecimal; where it is in the store.
    pub blob: String,
    /// Size of the file.
    pub size_bytes: i64,
    /// Length, once the file has been decoded.
    pub duration_ms: Option<i64>,
    /// When it was imported, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// What was measured, once it was.
    pub analysis: Option<AnalysisSummary>,
    /// How far the work on it is.
    pub status: TrackStatus,
}

/// What the jobs of a track add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrackStatus {
    /// Nothing was asked for, or everything is done.
    Ready,
    /// Jobs wait or run.
    Working,
    /// A job failed for good and none waits.
    Failed,
}

impl TrackStatus {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Working => "working",
            Self::Failed => "failed",
        }
    }
}

impl FromStr for TrackStatus {
    type Err = LibraryError;

    fn from_str(text: &str) -> Result<Self, LibraryError> {
        let all = [Self::Ready, Self::Working, Self::Failed];
        all.into_iter().find(|status| status.name() == text).ok_or_else(|| {
            let message = format!("{text:?} is no status of a track; there are ready, working, failed");
            LibraryError::new(LibraryErrorKind::Invalid, message)
        })
    }
}

/// What lists and searches need of an analysis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnalysisSummary {
    /// Tempo, where there is a pulse.
    pub bpm: Option<f64>,
    /// For example "A minor".
    pub key: Option<String>,
    /// For example "8A".
    pub camelot: Option<String>,
    /// 1 to 10.
    pub energy: Option<i64>,
    /// Integrated loudness.
    pub lufs: Option<f64>,
}

/// A track to be put into the library; its file is in the store already.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTrack {
    /// Its name.
    pub id: TrackId,
    /// What to show, 1 to 500 characters.
    pub title: String,
    /// Who plays it, up to 500 characters.
    pub artist: Option<String>,
    /// Where it is from, up to 500 characters.
    pub album: Option<String>,
    /// The file's name.
    pub file_name: String,
    /// Where the file is.
    pub blob: Blob,
}

/// Content in the store, named after what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob {
    /// BLAKE3 of all bytes, in hexadecimal.
    pub hash: String,
    /// How many bytes.
    pub size_bytes: i64,
}

/// New text for a track; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrackEdit {
    /// What to show, 1 to 500 characters.
    pub title: Option<String>,
    /// Who plays it, up to 500 characters.
    pub artist: Option<String>,
    /// Where it is from, up to 500 characters.
    pub album: Option<String>,
}

/// One stem of a track.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LibraryStem {
    /// What it holds, for example "vocals".
    pub kind: String,
    /// What made it, for example "demucs".
    pub engine: String,
    /// Which of several of one kind: empty for the plain one, "lead" or "backing" for voices.
    pub take: String,
    /// A name for the file.
    pub file_name: String,
    /// The content.
    pub blob: Blob,
    /// Highest sample in dBFS; absent in silence.
    pub peak_dbfs: Option<f64>,
    /// Root mean square of all samples in dBFS; absent in silence.
    pub rms_dbfs: Option<f64>,
}

/// A file made from a track for another program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExportFile {
    /// For example "rekordbox.xml".
    pub name: String,
    /// Which step made it.
    pub step: Step,
    /// The content.
    pub blob: Blob,
}

/// An order of tracks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Playlist {
    /// Its name in the library.
    pub id: PlaylistId,
    /// What to show.
    pub name: String,
    /// What its tracks have in common, as a search; absent where they were put in by hand.
    pub rules: Option<String>,
    /// How many tracks were put in by hand.
    pub tracks: i64,
}

/// Work on several tracks that was asked for together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Its name.
    pub id: BatchId,
    /// What to show.
    pub name: String,
    /// How many tracks it began with.
    pub total: i64,
    /// How many have no job left.
    pub done: i64,
    /// How many of those failed.
    pub failed: i64,
}

impl Batch {
    /// How far it is, 0 to 100.
    pub fn percent(&self) -> i64 {
        (self.done * 100 / self.total.max(1)).clamp(0, 100)
    }
}

/// Something a user should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// Its name.
    pub id: NotificationId,
    /// For example "track.completed".
    pub kind: String,
    /// A sentence.
    pub text: String,
    /// The track it is about.
    pub track: Option<TrackId>,
    /// When, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// Whether the user has seen it.
    pub is_read: bool,
}

/// Which tracks to list, and in which order.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackQuery {
    /// Words that title, artist and album together contain, in any order, whatever their case and accents. Of more
    /// than four words the four longest decide. One or two letters are looked for where words begin.
    pub search: Option<String>,
    /// Only by this artist, written exactly so.
    pub artist: Option<String>,
    /// Only from this album, written exactly so.
    pub album: Option<String>,
    /// Only tracks of this status.
    pub status: Option<TrackStatus>,
    /// Only with a tempo from one to the other, in beats per minute.
    pub bpm: Option<RangeInclusive<f64>>,
    /// Only in one of these keys; all where there are none.
    pub keys: Vec<Key>,
    /// Only with an energy from one to the other, 1 to 10.
    pub energy: Option<RangeInclusive<i64>>,
    /// Only with stems, or only without.
    pub has_stems: Option<bool>,
    /// Order of the list. Tracks without what it is sorted by come last.
    pub order: TrackOrder,
    /// Whether the order is the other way round.
    pub is_reversed: bool,
    /// Tracks of a page, 1 to 500.
    pub limit: i64,
    /// The last track of the page before.
    pub after: Option<TrackId>,
}

impl Default for TrackQuery {
    fn default() -> Self {
        Self {
            search: None,
            artist: None,
            album: None,
            status: None,
            bpm: None,
            keys: Vec::new(),
            energy: None,
            has_stems: None,
            order: TrackOrder::Newest,
            is_reversed: false,
            limit: 100,
            after: None,
        }
    }
}

/// Orders of a list of tracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TrackOrder {
    /// Last imported first.
    #[default]
    Newest,
    /// By title.
    Title,
    /// By artist.
    Artist,
    /// The slowest first.
    Bpm,
    /// Round the Camelot wheel from 1A.
    Key,
    /// The shortest first.
    Duration,
    /// The calmest first.
    Energy,
}

/// Which jobs to list, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobQuery {
    /// Only in this state.
    pub state: Option<JobState>,
    /// Only of this track.
    pub track: Option<TrackId>,
    /// At most so many; 0 stands for 100.
    pub limit: i64,
}
