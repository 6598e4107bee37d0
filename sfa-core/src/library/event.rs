//! What listeners are told.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{TrackId, UserId};

/// Something that has happened, published after its transaction.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// What it is about: see [`Topic`].
    pub topic: String,
    /// Its number within the topic, from 1, without gaps.
    pub seq: i64,
    /// Whose topic it is.
    #[serde(skip)]
    pub user: UserId,
    /// For example "job.progress" or "track.completed".
    pub kind: String,
    /// What a listener needs to know.
    pub payload: Value,
}

/// How far a topic has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// Whose it is.
    pub user: UserId,
    /// The name of the topic.
    pub topic: String,
    /// The number of an event.
    pub seq: i64,
}

/// Something to listen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// One track: its jobs, their progress, what they made.
    Track(TrackId),
    /// A user's library: tracks that come and go, playlists, notifications, and whole rows of what has changed: every
    /// [`Track`](super::Track) ("tracks") and [`Job`](super::Job) ("jobs").
    Library(UserId),
    /// What workers log that are processes of their own; [`Scope::LOCAL`](super::Scope::LOCAL) has it. It is kept for an
    /// hour.
    Log,
}

impl Topic {
    /// The name in the log and on the wire, for example "track:0190…".
    pub fn name(self) -> String {
        match self {
            Self::Track(id) => format!("track:{id}"),
            Self::Library(user) => format!("library:{user}"),
            Self::Log => "log".to_owned(),
        }
    }
}
