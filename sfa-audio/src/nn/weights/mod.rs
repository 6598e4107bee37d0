//! Trained weights from files that strangers wrote: every name and shape is checked, nothing is ever executed.

mod checksum;
mod file;
mod options;
mod pickle;
mod safetensors;
mod torch;

use std::borrow::Cow;
use std::collections::BTreeMap;

use half::f16;
use half::slice::{HalfBitsSliceExt, HalfFloatSliceExt};

use crate::{Error, ErrorKind, Result};

pub use checksum::sha256_hex;
pub(crate) use checksum::sha256_of;
pub(crate) use file::read;
pub(crate) use options::{OptionValue, Options};

/// Values with their shape, the last axis running fastest.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tensor {
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Vec<f32>,
}

/// Weights that are packed before anything is computed with them: in half precision, as trained ones are mostly stored,
/// where that changes no value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Weights<'a> {
    Half(Cow<'a, [f16]>),
    Single(Vec<f32>),
}

/// The weights of a layer and its biases.
pub(crate) type Linear<'a> = (Weights<'a>, Vec<f32>);

impl From<Vec<f32>> for Weights<'_> {
    fn from(singles: Vec<f32>) -> Self {
        let exact = |&single: &f32| single.is_finite() && f16::from_f32(single).to_f32() == single;
        if singles.iter().all(exact) {
            Self::Half(singles.into_iter().map(f16::from_f32).collect())
        } else {
            Self::Single(singles)
        }
    }
}

impl Weights<'_> {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Half(values) => values.len(),
            Self::Single(values) => values.len(),
        }
    }

    /// As numbers to compute with.
    pub(crate) fn singles(&self) -> Cow<'_, [f32]> {
        match self {
            Self::Half(values) => Cow::Owned(values.to_f32_vec()),
            Self::Single(values) => Cow::Borrowed(values),
        }
    }

    /// Those at `places`.
    pub(crate) fn at(&self, places: impl Iterator<Item = usize>) -> Weights<'static> {
        match self {
            Self::Half(values) => Weights::Half(places.map(|place| values[place]).collect()),
            Self::Single(values) => Weights::Single(places.map(|place| values[place]).collect()),
        }
    }

    /// The first ones and those from number `at` on.
    pub(crate) fn split_at(self, at: usize) -> [Self; 2] {
        match self {
            Self::Half(Cow::Borrowed(values)) => {
                let (first, last) = values.split_at(at);
                [first, last].map(|values| Self::Half(Cow::Borrowed(values)))
            }
            Self::Half(Cow::Owned(mut values)) => {
                let last = values.split_off(at);
                [values, last].map(|values| Self::Half(Cow::Owned(values)))
            }
            Self::Single(mut values) => {
                let last = values.split_off(at);
                [values, last].map(Self::Single)
            }
        }
    }
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
        let Stored { shape, kind, bytes } = self.take_stored(name, shape)?;
        Ok(Tensor { shape, data: kind.decode(&bytes) })
    }

    /// As [`take`](Self::take), of weights that are packed.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub(crate) fn take_weights(&mut self, name: &str, shape: &[usize]) -> Result<Weights<'a>> {
        let Stored { kind, bytes, .. } = self.take_stored(name, shape)?;
        if kind == NumberType::Half {
            let in_place = match &bytes {
                Cow::Borrowed(bytes) => as_halves(bytes),
                Cow::Owned(_) => None,
            };
            let copied = || bytes.as_chunks().0.iter().map(|&bytes| f16::from_le_bytes(bytes)).collect();
            let halves = in_place.map_or_else(|| Cow::Owned(copied()), Cow::Borrowed);
            if halves.iter().fold(true, |finite, half| finite & half.is_finite()) {
                return Ok(Weights::Half(halves));
            }
        }
        Ok(kind.decode(&bytes).into())
    }

    fn take_stored(&mut self, name: &str, shape: &[usize]) -> Result<Stored<'a>> {
        let stored =
            self.0.remove(name).ok_or_else(|| unusable(format!("the tensor \"{name}\" is missing")))?;
        if stored.shape != shape {
            let found = &stored.shape;
            return Err(unusable(format!("the tensor \"{name}\" has the shape {found:?}, not {shape:?}")));
        }
        Ok(stored)
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

/// Little-endian bytes as the numbers that they are, where this machine has them so.
fn as_halves(bytes: &[u8]) -> Option<&[f16]> {
    let bits = bytemuck::try_cast_slice::<u8, u16>(bytes).ok()?;
    cfg!(target_endian = "little").then(|| bits.reinterpret_cast())
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
                let (mut halves, mut singles) = ([f16::ZERO; BLOCK], [0.0; BLOCK]);
                let mut decoded = Vec::with_capacity(bytes.len() / 2);
                for bytes in bytes.as_chunks().0.chunks(BLOCK) {
                    let (halves, singles) = (&mut halves[..bytes.len()], &mut singles[..bytes.len()]);
                    for (half, &bytes) in halves.iter_mut().zip(bytes) {
                        *half = f16::from_le_bytes(bytes);
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
