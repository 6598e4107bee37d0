//! Zip archives that grow file by file, in constant memory.

use std::io::{Read, Seek, Write};

use sfa_audio::{Error, ErrorKind, Result};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Bytes copied between two looks at how far it is.
const BLOCK_BYTES: usize = 1 << 18;

/// An archive that is being written. Nothing in it depends on the time it was made.
pub(crate) struct Archive<W: Write + Seek> {
    zip: ZipWriter<W>,
    block: Vec<u8>,
}

impl<W: Write + Seek> Archive<W> {
    pub(crate) fn new(writer: W) -> Self {
        Self { zip: ZipWriter::new(writer), block: vec![0; BLOCK_BYTES] }
    }

    /// Adds a file under `name`, which must be one of its own. Audio hardly shrinks, so it is stored and not compressed.
    /// `size_bytes` says where 64-bit records are needed. `copied` hears how many bytes have been copied before each
    /// further block.
    pub(crate) fn add(
        &mut self,
        name: &str,
        size_bytes: u64,
        mut content: impl Read,
        mut copied: impl FnMut(u64) -> Result<()>,
    ) -> Result<()> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644)
            .large_file(size_bytes >= u64::from(u32::MAX));
        self.zip.start_file(name, options).map_err(|error| failed(name, error.into()))?;
        let mut done_bytes = 0;
        loop {
            copied(done_bytes)?;
            let count = match content.read(&mut self.block) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(failed(name, error)),
            };
            self.zip.write_all(&self.block[..count]).map_err(|error| failed(name, error))?;
            done_bytes += count as u64;
        }
    }

    pub(crate) fn finish(self) -> Result<W> {
        self.zip.finish().map_err(|error| failed("archive", error.into()))
    }
}

fn failed(name: &str, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, error.to_string()).about(name).caused_by(error)
}
