//! Files that appear whole or not at all.

use std::fs::File;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::{Error, ErrorKind, Result};

/// A file written under a temporary name beside its final one.
///
/// [`publish`](Self::publish) renames it in one step, replacing what has the name; dropped before that, it leaves
/// nothing behind.
#[derive(Debug)]
pub struct AtomicFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl AtomicFile {
    /// Starts the file that will be `path`; its folder must exist.
    ///
    /// # Errors
    /// `Io` when the folder cannot be written to; `InvalidOption` for a path without a file name.
    pub fn create(path: &Path) -> Result<Self> {
        if path.file_name().is_none() {
            let message = format!("{} names no file", path.display());
            return Err(Error::new(ErrorKind::InvalidOption, message));
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".sfa-").suffix(".part");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // As any new file: readable by whom the process's mask allows, not only by its owner.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let file = builder.tempfile_in(folder).map_err(|error| Error::io(path, error))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// The final name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name until then.
    pub fn temporary_path(&self) -> &Path {
        self.file.path()
    }

    /// A handle for writing.
    ///
    /// # Errors
    /// `Io` when the system gives no second handle.
    pub fn handle(&self) -> Result<File> {
        self.file.as_file().try_clone().map_err(|error| Error::io(&self.path, error))
    }

    /// Gives the file its name, once its bytes are safely stored.
    ///
    /// # Errors
    /// `Io` when storing or renaming fails; then nothing is left behind.
    pub fn publish(self) -> Result<()> {
        let Self { file, path } = self;
        file.as_file().sync_all().map_err(|error| Error::io(&path, error))?;
        file.persist(&path).map_err(|error| Error::io(&path, error.error))?;
        Ok(())
    }
}
