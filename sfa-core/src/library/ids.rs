//! Identifiers: UUIDs of version 7, so that they sort by the time they were made.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{LibraryError, LibraryErrorKind};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new one.
            pub fn random() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = LibraryError;

            fn from_str(text: &str) -> Result<Self, LibraryError> {
                Uuid::parse_str(text).map(Self).map_err(|_| {
                    LibraryError::new(
                        LibraryErrorKind::Invalid,
                        format!(concat!("{:?} is not the id of a ", $what), text),
                    )
                })
            }
        }
    )*};
}

ids! {
    /// Names a user.
    UserId = "user";
    /// Names a track.
    TrackId = "track";
    /// Names a job.
    JobId = "job";
    /// Names a batch of jobs.
    BatchId = "batch";
    /// Names one process that works.
    WorkerId = "worker";
    /// Names a playlist.
    PlaylistId = "playlist";
    /// Names a cue or a loop.
    CueId = "cue";
    /// Names a notification.
    NotificationId = "notification";
    /// Names a session.
    SessionId = "session";
    /// Names a token.
    TokenId = "token";
    /// Names an upload that comes in several requests.
    UploadId = "upload";
}

impl JobId {
    pub(crate) fn as_u128(self) -> u128 {
        self.0.as_u128()
    }
}

impl UserId {
    /// The one user of a library that nobody signs in to.
    pub const LOCAL: Self = Self(Uuid::from_u128(1));
}
