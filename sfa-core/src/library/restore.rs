//! The way back of a backup.
//!
//! Rows come last, all at once: until they are there, there is no library. What was broken off before that, by
//! whatever, says so by a file in the folder of the library, and goes on when it is begun again.

use std::path::Path;

use super::backup::{
    FORMAT, MANIFEST, Manifest, ROWS, content_folder, make_folder, make_sure, plain_name, unusable, write,
};
use super::front::DATABASE_FILE;
use super::{
    Blob, DatabaseKind, Library, LibraryConfig, LibraryError, LibraryErrorKind, LibraryResult, PostgresStore,
    RowsCopy, Soundness, Storage,
};
use crate::Studio;

/// Holds the digest of the backup that is being brought back.
const BEGUN: &str = "restoring";

impl Studio {
    /// Brings a library back from the backup at `from` to where `config` says, where nothing may be yet, and opens it.
    /// With `digest`, only the backup whose making gave it is taken. What was broken off goes on with the same backup.
    ///
    /// # Errors
    /// `Conflict` when there is something, `Invalid` for what is no backup, or not as it was made, or of another kind of
    /// database, and the errors of [`open`](Self::open).
    pub async fn restore(
        self,
        from: &Path,
        config: LibraryConfig,
        digest: Option<&str>,
        mut on_progress: impl FnMut(usize, usize),
    ) -> LibraryResult<Library> {
        let (manifest, found) = read_manifest(from, digest)?;
        let rows_folder = from.join(ROWS);
        for (name, blob) in &manifest.rows {
            make_sure(&rows_folder.join(plain_name(name)?), blob).await?;
        }
        match (manifest.database, &config.database_url) {
            (DatabaseKind::Sqlite, None) | (DatabaseKind::Postgres, Some(_)) => {}
            (DatabaseKind::Sqlite, Some(_)) => {
                return Err(unusable("it was made of a library in SQLite and cannot go into PostgreSQL"));
            }
            (DatabaseKind::Postgres, None) => {
                return Err(unusable("it was made of a library in PostgreSQL; name an empty database"));
            }
        }
        make_folder(&config.folder)?;
        let storage = Storage::of_library(&config).await?;
        let goes_on = goes_on(&config, &storage, &found).await?;
        let begun = config.folder.join(BEGUN);
        write(&begun, found.as_bytes()).await?;
        let total = manifest.contents.len();
        for (done, blob) in manifest.contents.iter().enumerate() {
            on_progress(done, total);
            if goes_on && is_there(&storage, blob).await? {
                continue;
            }
            let path = content_folder(from, plain_name(&blob.hash)?).join(&blob.hash);
            make_sure(&path, blob).await?;
            storage.publish(storage.stage_file(&path).await?).await?;
        }
        on_progress(total, total);
        bring_rows(manifest, &found, &rows_folder, &config).await?;
        std::fs::remove_file(&begun).map_err(|error| LibraryError::storage(&begun, error))?;
        self.open(config).await
    }
}

/// Fails where a library is only half brought back: opening it would begin another one.
///
/// # Errors
/// `Conflict`.
pub(super) fn make_sure_of_whole(folder: &Path) -> LibraryResult<()> {
    if !folder.join(BEGUN).exists() {
        return Ok(());
    }
    let message = format!(
        "a backup was not brought back to {} to its end; `sfa restore` goes on with it",
        folder.display()
    );
    Err(LibraryError::new(LibraryErrorKind::Conflict, message))
}

/// Whether the same backup was begun with here.
///
/// # Errors
/// `Conflict` where there is something else.
async fn goes_on(config: &LibraryConfig, storage: &Storage, digest: &str) -> LibraryResult<bool> {
    let conflict = |message: String| Err(LibraryError::new(LibraryErrorKind::Conflict, message));
    let folder = config.folder.display();
    let origin = match &config.database_url {
        Some(url) => PostgresStore::origin(url).await?,
        None => None,
    };
    if origin.as_ref().is_some_and(|origin| origin != digest) {
        return conflict("this database has tables already; make an empty one and name that".to_owned());
    }
    match std::fs::read_to_string(config.folder.join(BEGUN)) {
        Ok(begun) if begun == digest => return Ok(true),
        Ok(_) => {
            return conflict(format!(
                "another backup was begun with at {folder}; go on with that, or name another folder and store"
            ));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(LibraryError::storage(&config.folder, error)),
    }
    if origin.is_some() || config.folder.join(DATABASE_FILE).exists() || !storage.list().await?.is_empty() {
        return conflict(format!("there is a library at {folder} already"));
    }
    Ok(false)
}

/// Whether a content was brought back before; what is damaged is removed.
async fn is_there(storage: &Storage, blob: &Blob) -> LibraryResult<bool> {
    let found = storage.verify(&blob.hash).await?;
    if found == Soundness::Damaged {
        storage.remove(&blob.hash).await?;
    }
    Ok(found == Soundness::Sound)
}

/// Brings the rows back, all or none of them.
async fn bring_rows(
    manifest: Manifest,
    digest: &str,
    rows_folder: &Path,
    config: &LibraryConfig,
) -> LibraryResult<()> {
    let Some(url) = &config.database_url else {
        let (name, _) = manifest.rows.first().ok_or_else(|| unusable("it holds no rows"))?;
        return place(&rows_folder.join(name), &config.folder.join(DATABASE_FILE)).await;
    };
    if PostgresStore::origin(url).await?.is_some() {
        return Ok(());
    }
    let copy = RowsCopy {
        database: manifest.database,
        migration: manifest.migration,
        files: manifest.rows.into_iter().map(|(name, _)| name).collect(),
        blobs: Vec::new(),
    };
    PostgresStore::fill(url, &copy, rows_folder, digest).await
}

/// The manifest, and its digest.
fn read_manifest(from: &Path, digest: Option<&str>) -> LibraryResult<(Manifest, String)> {
    let path = from.join(MANIFEST);
    let text = std::fs::read(&path).map_err(|error| LibraryError::storage(&path, error))?;
    let found = blake3::hash(&text).to_hex().to_string();
    if digest.is_some_and(|digest| digest != found) {
        return Err(unusable("its manifest is not the one with this digest"));
    }
    let manifest: Manifest = serde_json::from_slice(&text)
        .map_err(|error| unusable(&format!("its manifest cannot be read: {error}")))?;
    if manifest.format != FORMAT {
        return Err(unusable("a newer version of this program has made it"));
    }
    Ok((manifest, found))
}

/// Puts a copy of the file `from` to `to`, whole or not at all.
async fn place(from: &Path, to: &Path) -> LibraryResult<()> {
    let partial = to.with_extension("restoring");
    let failed = |error| LibraryError::storage(&partial, error);
    tokio::fs::copy(from, &partial).await.map_err(failed)?;
    let file = tokio::fs::OpenOptions::new().write(true).open(&partial).await.map_err(failed)?;
    file.sync_all().await.map_err(failed)?;
    tokio::fs::rename(&partial, to).await.map_err(|error| LibraryError::storage(to, error))
}
