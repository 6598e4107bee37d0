//! Trained weights from files that strangers wrote: every name and shape is checked, nothing is ever executed.

mod checksum;
mod options;
mod pickle;
mod safetensors;
mod torch;

use std::borrow::Cow;
use std::collections::BTreeMap;

use half::slice::HalfFloatSliceExt;

use crate::{Error, ErrorKind, Result};

pub use checksum::sha256_hex;
pub(crate) use checksum::sha256_of;
pub(crate) use options::{OptionValue, Options};

/// Values with their shape, the last axis running fastest.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tensor {
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Vec<f32>,
}

/// A trained model as the bytes of its file have it: which class with which options, and its tensors.
#[derive(Debug)]
pub(crate) struct ModelFile<'a> {
    /// The name of the class, without its module.
    pub(crate) class: String,
    pub(crate) options: Options,
    pub(crate) tensors: TensorSet<'a>,
}

impl<'a> ModelFile<'a> {
    /// Reads a safetensors file or a PyTorch archive, whichever it is.
    ///
    /// # Errors
    /// `ModelUnavailable` naming what is wrong with the file.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self> {
        if bytes.starts_with(b"PK") { torch::parse(bytes) } else { safetensors::parse(bytes) }
    }
}

/// The numbers of a tensor as they are stored, as many as its shape says.
#[derive(Debug, PartialEq)]
struct Stored<'a> {
    shape: Vec<usize>,
    kind: NumberType,
    bytes: Cow<'a, [u8]>,
}

/// Tensors by name, taken out one by one and decoded then: a network is never in memory twice.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct TensorSet<'a>(BTreeMap<String, Stored<'a>>);

impl<'a> TensorSet<'a> {
    fn insert(&mut self, name: String, tensor: Stored<'a>) {
        self.0.insert(name, tensor);
    }

    /// Takes out the tensor `name`, which must have `shape`.
    ///
    /// # Errors
    /// `ModelUnavailable` when it is missing or shaped otherwise.
    pub(crate) fn take(&mut self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let Stored { shape: found, kind, bytes } =
            self.0.remove(name).ok_or_else(|| unusable(format!("the tensor \"{name}\" is missing")))?;
        if found != shape {
            return Err(unusable(format!("the tensor \"{name}\" has the shape {found:?}, not {shape:?}")));
        }
        Ok(Tensor { shape: found, data: kind.decode(&bytes) })
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
                const BLOCK: usize = 1024;
                let (mut halves, mut singles) = ([half::f16::ZERO; BLOCK], [0.0; BLOCK]);
                let mut decoded = Vec::with_capacity(bytes.len() / 2);
                for bytes in bytes.as_chunks().0.chunks(BLOCK) {
                    let (halves, singles) = (&mut halves[..bytes.len()], &mut singles[..bytes.len()]);
                    for (half, &bytes) in halves.iter_mut().zip(bytes) {
                        *half = half::f16::from_le_bytes(bytes);
                    }
                    halves.convert_to_f32_slice(singles);
                    decoded.extend_from_slice(singles);
                }
                decoded
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
