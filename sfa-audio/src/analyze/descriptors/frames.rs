//! Features frame by frame, and the file they are kept in.

use std::io::{Seek, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::{Error, ErrorKind, Result};

/// One feature over time.
#[derive(Debug, Clone, PartialEq)]
pub struct FrameMatrix {
    /// What it is, by librosa's name where librosa has one.
    pub name: String,
    /// Values in a frame.
    pub width: usize,
    /// All values, frame after frame.
    pub values: Vec<f32>,
}

impl FrameMatrix {
    /// A matrix of frames of `width` values.
    ///
    /// # Panics
    /// When `values` are not whole frames.
    pub fn new(name: impl Into<String>, width: usize, values: Vec<f32>) -> Self {
        assert!(width > 0 && values.len().is_multiple_of(width), "whole frames");
        Self { name: name.into(), width, values }
    }

    /// Frames in the matrix.
    pub fn frames(&self) -> usize {
        self.values.len() / self.width
    }
}

/// Features frame by frame, for programs that go on where the means end.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FeatureFrames {
    /// Rate of the audio that was measured in Hz; frame `i` is centred on sample `i * hop_frames`.
    pub sample_rate_hz: u32,
    /// Samples between two frames.
    pub hop_frames: usize,
    /// One matrix per feature.
    pub matrices: Vec<FrameMatrix>,
}

impl FeatureFrames {
    /// Writes everything as an uncompressed `.npz` archive, which `numpy.load` reads: one array of `float32` per
    /// matrix in the shape (values, frames), as librosa has it, and `sample_rate_hz` and `hop_frames`.
    ///
    /// # Errors
    /// `Io` when writing fails.
    pub fn write_npz(&self, out: impl Write + Seek) -> Result<()> {
        let mut archive = ZipWriter::new(out);
        let scalars =
            [("sample_rate_hz", self.sample_rate_hz as f32), ("hop_frames", self.hop_frames as f32)];
        for (name, value) in scalars {
            write_array(&mut archive, name, "()", &[value])?;
        }
        for matrix in &self.matrices {
            let shape = format!("({}, {})", matrix.width, matrix.frames());
            write_array(&mut archive, &matrix.name, &shape, &matrix.values)?;
        }
        archive.finish().map_err(|error| npz_error(&error.to_string()))?;
        Ok(())
    }
}

fn write_array(
    archive: &mut ZipWriter<impl Write + Seek>,
    name: &str,
    shape: &str,
    values: &[f32],
) -> Result<()> {
    // Large files are declared beforehand, or the archive's 32-bit sizes overflow.
    let large = values.len() as u64 * 4 >= u64::from(u32::MAX);
    let options =
        SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored).large_file(large);
    archive.start_file(format!("{name}.npy"), options).map_err(|error| npz_error(&error.to_string()))?;
    let mut bytes = npy_header(shape);
    for part in values.chunks(1 << 16) {
        bytes.extend(part.iter().flat_map(|value| value.to_le_bytes()));
        archive.write_all(&bytes).map_err(|error| npz_error(&error.to_string()))?;
        bytes.clear();
    }
    archive.write_all(&bytes).map_err(|error| npz_error(&error.to_string()))
}

/// The head of an array in NumPy's format 1.0. Frames stand one after the other, which is Fortran's order of the
/// shape (values, frames).
fn npy_header(shape: &str) -> Vec<u8> {
    const ALIGNMENT: usize = 64;
    const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";
    let dictionary = format!("{{'descr': '<f4', 'fortran_order': True, 'shape': {shape}, }}");
    let unpadded = MAGIC.len() + 2 + dictionary.len() + 1;
    let padding = unpadded.next_multiple_of(ALIGNMENT) - unpadded;
    let text = format!("{dictionary}{}\n", " ".repeat(padding));
    let mut header = MAGIC.to_vec();
    header.extend((text.len() as u16).to_le_bytes());
    header.extend(text.bytes());
    header
}

fn npz_error(message: &str) -> Error {
    Error::new(ErrorKind::Io, format!("the frames could not be written: {message}"))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use super::*;

    #[test]
    fn an_archive_holds_arrays_of_aligned_values() {
        let matrices = vec![FrameMatrix::new("mfcc", 2, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])];
        let frames = FeatureFrames { sample_rate_hz: 44_100, hop_frames: 512, matrices };
        let mut file = Cursor::new(Vec::new());
        frames.write_npz(&mut file).unwrap();
        let mut archive = zip::ZipArchive::new(file).unwrap();
        assert_eq!(archive.len(), 3);
        let mut bytes = Vec::new();
        archive.by_name("mfcc.npy").unwrap().read_to_end(&mut bytes).unwrap();
        let values = bytes.len() - 24;
        assert_eq!(values % 64, 0);
        assert!(String::from_utf8_lossy(&bytes[10..values]).contains("'shape': (2, 3)"));
        assert_eq!(bytes[values..][..8], [0, 0, 128, 63, 0, 0, 0, 64]);
    }
}
