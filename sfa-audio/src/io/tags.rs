//! What a file says about itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Descriptive tags, as found; nothing here is trusted for decoding.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct Tags {
    /// Title of the song.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Performing artist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artist: Option<String>,
    /// Album title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub album: Option<String>,
    /// Genre as written in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub genre: Option<String>,
    /// Year or date as written in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Number on the album.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track_number: Option<u32>,
    /// Free comment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The front cover.
    #[serde(skip)]
    pub cover: Option<Cover>,
}

/// A picture from a file's tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cover {
    /// Media type, for example "image/jpeg".
    pub media_type: String,
    /// The picture file's bytes.
    pub bytes: Vec<u8>,
}
