//! A copy of the file, made while others write.

use std::path::Path;

use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use super::SqliteStore;
use super::queries::failed;
use crate::library::front::DATABASE_FILE;
use crate::library::{Blob, DatabaseKind, LibraryError, LibraryErrorKind, LibraryResult, RowsCopy};

/// Writes the rows of one moment into `folder`.
pub(super) async fn copy_rows(rows: &SqliteStore, folder: &Path) -> LibraryResult<RowsCopy> {
    let path = folder.join(DATABASE_FILE);
    let name = path.to_str().ok_or_else(|| {
        let message = format!("{} cannot be written in UTF-8, as SQLite wants it", path.display());
        LibraryError::new(LibraryErrorKind::Invalid, message)
    })?;
    sqlx::query("vacuum into $1").bind(name).execute(&rows.readers).await.map_err(failed)?;
    // The database leaves it to us to wait for the disk.
    let file = tokio::fs::File::open(&path).await.map_err(|error| LibraryError::storage(&path, error))?;
    file.sync_all().await.map_err(|error| LibraryError::storage(&path, error))?;
    let options = SqliteConnectOptions::new().filename(&path).read_only(true);
    let mut copy = SqliteConnection::connect_with(&options).await.map_err(failed)?;
    let verdict: String =
        sqlx::query_scalar("pragma integrity_check").fetch_one(&mut copy).await.map_err(failed)?;
    if verdict != "ok" {
        let message = format!("the database is damaged: {verdict}");
        return Err(LibraryError::new(LibraryErrorKind::Database, message));
    }
    let migration = sqlx::query_scalar("select max(version) from _sqlx_migrations");
    let migration = migration.fetch_one(&mut copy).await.map_err(failed)?;
    let blobs: Vec<(String, i64)> = sqlx::query_as("select hash, size_bytes from blobs order by hash")
        .fetch_all(&mut copy)
        .await
        .map_err(failed)?;
    copy.close().await.map_err(failed)?;
    let blobs = blobs.into_iter().map(|(hash, size_bytes)| Blob { hash, size_bytes }).collect();
    Ok(RowsCopy { database: DatabaseKind::Sqlite, migration, files: vec![DATABASE_FILE.to_owned()], blobs })
}
