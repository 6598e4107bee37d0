//! Changes of a library as data: a list of them happens in one transaction, or not at all.

use serde_json::Value;

use super::{
    AnalysisSummary, Batch, CueId, Enqueued, Event, ExportFile, JobId, LibraryCue, LibraryStem, NewJob,
    NewTrack, Package, PlacedCue, PlaylistId, Step, TrackEdit, TrackId,
};

/// One change of the user's library.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// Puts a track into the library. `Conflict` where the user has its file already.
    AddTrack(NewTrack),
    /// Renames a track.
    EditTrack(TrackId, TrackEdit),
    /// Removes a track with everything that was made of it.
    RemoveTrack(TrackId),
    /// Notes the length of a track.
    SetDuration(TrackId, i64),
    /// Replaces the stems that an engine made of a track before.
    ReplaceStems {
        /// The track.
        track: TrackId,
        /// The engine.
        engine: String,
        /// The new ones.
        stems: Vec<LibraryStem>,
    },
    /// Replaces what was measured of a track.
    ReplaceAnalysis {
        /// The track.
        track: TrackId,
        /// For lists.
        summary: AnalysisSummary,
        /// All of it, as JSON.
        document: String,
    },
    /// Adds to what was measured of a track; fails when that is not `before` any more.
    AmendAnalysis {
        /// The track.
        track: TrackId,
        /// The document that was read.
        before: String,
        /// The same with something in it.
        after: String,
    },
    /// Replaces the automatic cues of a track; the user's own stay, and of what they have made their own nothing is
    /// placed anew.
    ReplaceCues {
        /// The track.
        track: TrackId,
        /// The new ones.
        cues: Vec<LibraryCue>,
    },
    /// Places a cue or a loop of the user's own. `Conflict` where another one of theirs has its pad; an automatic one
    /// gives way.
    AddCue(TrackId, CueId, PlacedCue),
    /// Makes a cue or a loop what it is to be; from then on it is the user's own. `Conflict` as above.
    SetCue(TrackId, CueId, PlacedCue),
    /// Removes a cue or a loop. An automatic one comes again when the cues are made anew.
    RemoveCue(TrackId, CueId),
    /// Replaces the files that a step made of a track for other programs.
    ReplaceExports {
        /// The track.
        track: TrackId,
        /// The step.
        step: Step,
        /// The new files, all of this step.
        files: Vec<ExportFile>,
    },
    /// Puts a job into the queue.
    Enqueue(NewJob),
    /// Asks every unfinished job of a track to stop.
    CancelJobs(TrackId),
    /// Asks one job to stop. `Conflict` where it is finished.
    CancelJob(JobId),
    /// Puts a failed or cancelled job back into the queue with all its attempts. `Conflict` in other states.
    RetryJob(JobId),
    /// Says which track a job is about that began without one.
    NameTrack(JobId, TrackId),
    /// Opens a batch.
    AddBatch(Batch),
    /// Makes a playlist. `Conflict` where the user has one of this name.
    AddPlaylist(PlaylistId, String),
    /// Renames a playlist.
    RenamePlaylist(PlaylistId, String),
    /// Removes a playlist; its tracks stay.
    RemovePlaylist(PlaylistId),
    /// Makes a playlist one of all tracks that a search finds, as the studio understands searches. Tracks that it had by
    /// hand are in it no more.
    SetPlaylistRules(PlaylistId, String),
    /// Gives a playlist without rules these tracks in this order.
    SetPlaylistTracks(PlaylistId, Vec<TrackId>),
    /// Keeps a package that was made; when is not looked at.
    AddPackage(Package),
    /// Forgets a package.
    RemovePackage(JobId),
    /// Replaces the user's settings.
    SetSettings(Value),
    /// Tells the user something.
    Notify {
        /// For example "track.completed".
        kind: String,
        /// A sentence.
        text: String,
        /// The track it is about.
        track: Option<TrackId>,
    },
    /// Tells those who follow the log of other processes what this one has logged.
    Log(Value),
    /// Marks every notification as seen.
    MarkNotificationsRead,
}

/// What came of a list of changes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Receipt {
    /// One for every [`Change::Enqueue`], in order.
    pub enqueued: Vec<Enqueued>,
    /// What listeners are told, now that it has happened.
    pub events: Vec<Event>,
}

/// How a run of a job ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Done: the changes happen in the same transaction.
    Completed(Vec<Change>),
    /// Failed: tried again after a while, or discarded when no attempt is left.
    Failed {
        /// What went wrong, for people.
        error: String,
        /// Whether trying again cannot help.
        is_final: bool,
    },
    /// Put off: costs no attempt.
    Snoozed {
        /// For how long.
        wait_ms: i64,
        /// Why, in a word.
        reason: String,
    },
    /// Stopped because somebody asked for it.
    Cancelled,
    /// Given back untouched, as when the worker shuts down or does not know the kind: costs no attempt.
    Released,
}
