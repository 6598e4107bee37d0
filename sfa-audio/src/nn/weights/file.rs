//! A file of weights in memory, soon.

use std::path::Path;

use crate::{Error, Result};

/// The bytes of a file.
///
/// # Errors
/// `Io`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    read_by_all_threads(path).map_err(|error| Error::io(path, error))
}

/// One thread alone is busy with copying and with fresh pages for longer than it takes to make sense of them.
#[cfg(unix)]
fn read_by_all_threads(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::os::unix::fs::FileExt;

    use rayon::prelude::*;

    const BLOCK_BYTES: usize = 4 << 20;
    let file = std::fs::File::open(path)?;
    let mut bytes = vec![0; usize::try_from(file.metadata()?.len()).map_err(std::io::Error::other)?];
    bytes
        .par_chunks_mut(BLOCK_BYTES)
        .enumerate()
        .try_for_each(|(index, block)| file.read_exact_at(block, (index * BLOCK_BYTES) as u64))?;
    Ok(bytes)
}

#[cfg(not(unix))]
fn read_by_all_threads(path: &Path) -> std::io::Result<Vec<u8>> {
    std::fs::read(path)
}
