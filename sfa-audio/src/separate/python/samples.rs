//! Audio between two processes: files of 32-bit floats, little-endian, channel after channel.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::{Error, ErrorKind, Result};

const SAMPLE_BYTES: u64 = 4;

/// Writes a file whose length is known, a few frames of all channels at a time.
pub(super) struct SampleWriter {
    file: File,
    path: PathBuf,
    frames: u64,
    bytes: Vec<u8>,
}

impl SampleWriter {
    pub(super) fn create(path: &Path, frames: u64) -> Result<Self> {
        let file = File::create_new(path).map_err(|error| Error::io(path, error))?;
        Ok(Self { file, path: path.to_owned(), frames, bytes: Vec::new() })
    }

    /// Writes `lines`, one per channel, from frame number `start` on.
    ///
    /// # Errors
    /// `Io`.
    pub(super) fn write(&mut self, start: u64, lines: &[Vec<f32>]) -> Result<()> {
        for (channel, line) in (0..).zip(lines) {
            self.bytes.clear();
            self.bytes.extend(line.iter().flat_map(|sample| sample.to_le_bytes()));
            let place = SeekFrom::Start((channel * self.frames + start) * SAMPLE_BYTES);
            let written = self.file.seek(place).and_then(|_| self.file.write_all(&self.bytes));
            written.map_err(|error| Error::io(&self.path, error))?;
        }
        Ok(())
    }
}

/// Reads one stem, a few frames of all channels at a time.
pub(super) struct SampleReader {
    file: File,
    path: PathBuf,
    frames: u64,
    stem: &'static str,
    bytes: Vec<u8>,
}

impl SampleReader {
    /// Opens the file of `stem`, which must hold `frames` frames of so many channels.
    ///
    /// # Errors
    /// `Io`; `ToolUnavailable` when the file has another length.
    pub(super) fn open(path: &Path, stem: &'static str, frames: u64, channels: u64) -> Result<Self> {
        let file = File::open(path).map_err(|error| Error::io(path, error))?;
        let length = file.metadata().map_err(|error| Error::io(path, error))?.len();
        if length != frames * channels * SAMPLE_BYTES {
            return Err(wrong(stem, "with another length than the mix"));
        }
        Ok(Self { file, path: path.to_owned(), frames, stem, bytes: Vec::new() })
    }

    /// Appends to `line` so many samples of one channel, from frame number `start` on.
    ///
    /// # Errors
    /// `Io`; `ToolUnavailable` when one of them is no finite number.
    pub(super) fn read(&mut self, channel: u64, start: u64, count: usize, line: &mut Vec<f32>) -> Result<()> {
        self.bytes.resize(count * SAMPLE_BYTES as usize, 0);
        let place = SeekFrom::Start((channel * self.frames + start) * SAMPLE_BYTES);
        let read = self.file.seek(place).and_then(|_| self.file.read_exact(&mut self.bytes));
        read.map_err(|error| Error::io(&self.path, error))?;
        line.extend(self.bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)));
        if line.iter().any(|sample| !sample.is_finite()) {
            return Err(wrong(self.stem, "with samples that are no numbers"));
        }
        Ok(())
    }
}

fn wrong(stem: &str, how: &str) -> Error {
    Error::new(ErrorKind::ToolUnavailable, format!("the demucs package returned a stem {how}")).about(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_lie_one_after_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mix.f32");
        let mut writer = SampleWriter::create(&path, 3).unwrap();
        writer.write(0, &[vec![1.0, 2.0], vec![4.0, 5.0]]).unwrap();
        writer.write(2, &[vec![3.0], vec![f32::NAN]]).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let expected = [1.0, 2.0, 3.0, 4.0, 5.0, f32::NAN].map(f32::to_le_bytes).concat();
        assert_eq!(bytes, expected);

        let mut reader = SampleReader::open(&path, "bass", 3, 2).unwrap();
        let mut line = Vec::new();
        reader.read(0, 1, 2, &mut line).unwrap();
        reader.read(1, 0, 2, &mut line).unwrap();
        assert_eq!(line, [2.0, 3.0, 4.0, 5.0]);
        assert_eq!(reader.read(1, 2, 1, &mut line).unwrap_err().subject(), Some("bass"));
        let error = SampleReader::open(&path, "bass", 4, 2).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ToolUnavailable);
    }
}
