//! Files that come in several requests.

use std::time::Duration;

use async_trait::async_trait;

use super::rows::{Row, get, parsed, parsed_if_any};
use super::{Rows, Scope, failed, millis};
use crate::library::store::{OpenUpload, Uploads};
use crate::library::{LibraryError, LibraryResult, TrackId, UploadId};

#[async_trait]
impl Uploads for Rows {
    async fn add_upload(
        &self,
        scope: Scope,
        file_name: &str,
        size_bytes: i64,
        lifetime: Duration,
    ) -> LibraryResult<OpenUpload> {
        let row = sqlx::query(concat!(
            "insert into uploads (id, user_id, file_name, size_bytes, expires_at_ms) values ($1, $2, $3, $4, ",
            now_ms!(),
            " + $5) returning id, file_name, size_bytes, track_id, expires_at_ms"
        ))
        .bind(UploadId::random().to_string())
        .bind(scope.user.to_string())
        .bind(file_name)
        .bind(size_bytes)
        .bind(millis(lifetime))
        .fetch_one(&self.writer)
        .await
        .map_err(failed)?;
        open_upload(&row)
    }

    async fn upload(&self, scope: Scope, id: UploadId) -> LibraryResult<OpenUpload> {
        let row = sqlx::query(concat!(
            "select id, file_name, size_bytes, track_id, expires_at_ms from uploads \
             where id = $1 and user_id = $2 and expires_at_ms > ",
            now_ms!()
        ))
        .bind(id.to_string())
        .bind(scope.user.to_string())
        .fetch_optional(&self.readers)
        .await
        .map_err(failed)?;
        open_upload(&row.ok_or_else(|| LibraryError::not_found("upload", id))?)
    }

    async fn uploads(&self, scope: Scope) -> LibraryResult<Vec<OpenUpload>> {
        let found = sqlx::query(concat!(
            "select id, file_name, size_bytes, track_id, expires_at_ms from uploads \
             where user_id = $1 and expires_at_ms > ",
            now_ms!(),
            " order by expires_at_ms, id"
        ))
        .bind(scope.user.to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        found.iter().map(open_upload).collect()
    }

    async fn prolong_upload(
        &self,
        scope: Scope,
        id: UploadId,
        lifetime: Duration,
    ) -> LibraryResult<OpenUpload> {
        let row = sqlx::query(concat!(
            "update uploads set expires_at_ms = ",
            now_ms!(),
            " + $3 where id = $1 and user_id = $2 and expires_at_ms > ",
            now_ms!(),
            " returning id, file_name, size_bytes, track_id, expires_at_ms"
        ))
        .bind(id.to_string())
        .bind(scope.user.to_string())
        .bind(millis(lifetime))
        .fetch_optional(&self.writer)
        .await
        .map_err(failed)?;
        open_upload(&row.ok_or_else(|| LibraryError::not_found("upload", id))?)
    }

    async fn finish_upload(&self, scope: Scope, id: UploadId, track: TrackId) -> LibraryResult<()> {
        let statement = sqlx::query("update uploads set track_id = $3 where id = $1 and user_id = $2")
            .bind(id.to_string())
            .bind(scope.user.to_string())
            .bind(track.to_string());
        self.execute(statement).await
    }

    async fn remove_upload(&self, scope: Scope, id: UploadId) -> LibraryResult<()> {
        self.change_own("delete from uploads where id = $1 and user_id = $2", scope, "upload", id).await
    }

    async fn awaited_uploads(&self) -> LibraryResult<Vec<UploadId>> {
        let found = sqlx::query(concat!(
            "select id from uploads where track_id is null and expires_at_ms > ",
            now_ms!()
        ))
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        found.iter().map(|row| parsed(row, "id")).collect()
    }
}

fn open_upload(row: &Row) -> LibraryResult<OpenUpload> {
    Ok(OpenUpload {
        id: parsed(row, "id")?,
        file_name: get(row, "file_name")?,
        size_bytes: get(row, "size_bytes")?,
        track: parsed_if_any(row, "track_id")?,
        expires_at_ms: get(row, "expires_at_ms")?,
    })
}
