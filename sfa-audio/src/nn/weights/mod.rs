//! Trained weights from files that strangers wrote: every name and shape is checked, nothing is ever executed.

mod checksum;
mod options;
mod pickle;
mod safetensors;
mod torch;

use std::collections::BTreeMap;
use std::path::Path;

use crate::{Error, ErrorKind, Result};

pub use checksum::sha256_hex;
pub(crate) use options::{OptionValue, Options};

/// Values with their shape, the last axis running fastest.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tensor {
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Vec<f32>,
}

/// A trained model as its file has it: which class with which options, and its tensors.
#[derive(Debug)]
pub(crate) struct ModelFile {
    /// The name of the class, without its module.
    pub(crate) class: String,
    pub(crate) options: Options,
    pub(crate) tensors: TensorSet,
}

impl ModelFile {
    /// Reads a safetensors file or a PyTorch archive, whichever it is; gives its SHA-256 as well.
    ///
    /// # Errors
    /// `Io`; `ModelUnavailable` naming what is wrong with the file.
    pub(crate) fn read(path: &Path) -> Result<(Self, String)> {
        let bytes = std::fs::read(path).map_err(|error| Error::io(path, error))?;
        let (parsed, sha256) = rayon::join(|| Self::parse(&bytes), || checksum::sha256_of(&bytes));
        Ok((parsed.map_err(|error| error.about(path.display().to_string()))?, sha256))
    }

    /// As [`read`](Self::read), from memory.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.starts_with(b"PK") { torch::parse(bytes) } else { safetensors::parse(bytes) }
    }
}

/// Tensors by name, taken out one by one.
#[derive(Debug, Default)]
pub(crate) struct TensorSet(BTreeMap<String, Tensor>);

impl TensorSet {
    fn insert(&mut self, name: String, tensor: Tensor) {
        self.0.insert(name, tensor);
    }

    /// Takes out the tensor `name`, which must have `shape`.
    ///
    /// # Errors
    /// `ModelUnavailable` when it is missing or shaped otherwise.
    pub(crate) fn take(&mut self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let tensor =
            self.0.remove(name).ok_or_else(|| unusable(format!("the tensor \"{name}\" is missing")))?;
        if tensor.shape != shape {
            let found = &tensor.shape;
            return Err(unusable(format!("the tensor \"{name}\" has the shape {found:?}, not {shape:?}")));
        }
        Ok(tensor)
    }

    /// Checks that nothing is left.
    ///
    /// # Errors
    /// `ModelUnavailable` naming a tensor that nobody asked for.
    pub(crate) fn finish(self) -> Result<()> {
        match self.0.first_key_value() {
            None => Ok(()),
            Some((name, _)) => Err(unusable(format!(
                "the tensor \"{name}\" does not belong to this kind of model ({} such in all)",
                self.0.len()
            ))),
        }
    }
}

/// The error for a file that cannot be used as a model.
pub(crate) fn unusable(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::ModelUnavailable, message)
}

/// The number types of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NumberType {
    Half,
    BFloat,
    Single,
    Double,
}

impl NumberType {
    fn bytes(self) -> usize {
        match self {
            Self::Half | Self::BFloat => 2,
            Self::Single => 4,
            Self::Double => 8,
        }
    }

    /// Little-endian bytes as numbers.
    fn decode(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::Half => {
                let halves: Vec<half::f16> =
                    bytes.as_chunks().0.iter().map(|&bytes| half::f16::from_le_bytes(bytes)).collect();
                let mut singles = vec![0.0; halves.len()];
                half::slice::HalfFloatSliceExt::convert_to_f32_slice(halves.as_slice(), &mut singles);
                singles
            }
            Self::BFloat => {
                bytes.as_chunks().0.iter().map(|&bytes| half::bf16::from_le_bytes(bytes).to_f32()).collect()
            }
            Self::Single => bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
            Self::Double => {
                bytes.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes) as f32).collect()
            }
        }
    }
}
