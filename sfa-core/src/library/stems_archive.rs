//! The stems of a track in one file.

use std::fs::File;
use std::io::{Seek as _, SeekFrom};

use super::{Library, LibraryError, LibraryErrorKind, LibraryResult, Scope, TrackId};
use crate::export::{StemEntry, stems_zip};
use crate::{Error, StemKind, Watch, naming};

impl Library {
    /// The stems of a track as a ZIP, in a file that goes when it is closed.
    ///
    /// # Errors
    /// `NotFound` where there is no such track, or none of its stems.
    pub async fn stems_archive(&self, scope: Scope, track: TrackId) -> LibraryResult<File> {
        let song = self.rows().track(scope, track).await?.title;
        let stems = self.rows().stems(scope, track).await?;
        if stems.is_empty() {
            return Err(LibraryError::not_found("stem of track", track));
        }
        let desk =
            tempfile::tempdir().map_err(|error| LibraryError::storage(&std::env::temp_dir(), error))?;
        let mut entries = Vec::new();
        for (index, stem) in stems.iter().enumerate() {
            let folder = desk.path().join(index.to_string());
            std::fs::create_dir(&folder).map_err(|error| LibraryError::storage(&folder, error))?;
            let name = naming::safe_name(&stem.file_name);
            let path = self.lend(&stem.blob.hash, &folder, &name).await?;
            entries.push(StemEntry {
                song: song.clone(),
                kind: stem.kind.parse::<StemKind>().unwrap_or(StemKind::Other),
                extension: name.rsplit_once('.').map_or_else(String::new, |(_, ending)| ending.to_owned()),
                size_bytes: u64::try_from(stem.blob.size_bytes).unwrap_or(0),
                reader: File::open(&path).map_err(|error| LibraryError::storage(&path, error))?,
            });
        }
        let packing = tokio::task::spawn_blocking(move || {
            let file = tempfile::tempfile().map_err(|error| Error::io(desk.path(), error))?;
            let mut file = stems_zip(file, entries, &Watch::new())?;
            file.seek(SeekFrom::Start(0)).map_err(|error| Error::io(desk.path(), error))?;
            Ok::<_, Error>(file)
        });
        match packing.await {
            Ok(Ok(file)) => Ok(file),
            Ok(Err(error)) => {
                Err(LibraryError::new(LibraryErrorKind::Storage, error.to_string()).caused_by(error))
            }
            Err(_) => Err(LibraryError::new(LibraryErrorKind::Internal, "the stems could not be packed")),
        }
    }
}
