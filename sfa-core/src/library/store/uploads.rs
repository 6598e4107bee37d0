//! Files that come in several requests.

use std::time::Duration;

use async_trait::async_trait;

use crate::library::{LibraryResult, Scope, TrackId, UploadId};

/// A file on its way in. How much of it has come is not written here: its file on the disk says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenUpload {
    /// Names the upload.
    pub id: UploadId,
    /// What the file is called.
    pub file_name: String,
    /// How long it will be.
    pub size_bytes: i64,
    /// What it has become, when it has come whole.
    pub track: Option<TrackId>,
    /// When it is forgotten unless more comes, in milliseconds since 1970.
    pub expires_at_ms: i64,
}

/// Uploads that are open. One whose time is over is `NotFound`, like those of others.
#[async_trait]
pub trait Uploads: Send + Sync {
    /// Opens an upload.
    async fn add_upload(
        &self,
        scope: Scope,
        file_name: &str,
        size_bytes: i64,
        lifetime: Duration,
    ) -> LibraryResult<OpenUpload>;
    /// One upload.
    async fn upload(&self, scope: Scope, id: UploadId) -> LibraryResult<OpenUpload>;
    /// The user's uploads, the one first whose time is over first.
    async fn uploads(&self, scope: Scope) -> LibraryResult<Vec<OpenUpload>>;
    /// Gives an upload so long to live from now on.
    async fn prolong_upload(
        &self,
        scope: Scope,
        id: UploadId,
        lifetime: Duration,
    ) -> LibraryResult<OpenUpload>;
    /// Notes what an upload has become.
    async fn finish_upload(&self, scope: Scope, id: UploadId, track: TrackId) -> LibraryResult<()>;
    /// Forgets an upload.
    async fn remove_upload(&self, scope: Scope, id: UploadId) -> LibraryResult<()>;
    /// The uploads of all users for which something may still come.
    async fn awaited_uploads(&self) -> LibraryResult<Vec<UploadId>>;
}
