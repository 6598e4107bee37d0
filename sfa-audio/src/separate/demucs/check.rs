//! Whether a file from a stranger is a model at all.

use std::path::Path;

use crate::nn::weights::{self, ModelFile};
use crate::{Result, StemKind};

use super::device::Backend;
use super::model::Model;

/// What a file of weights is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelSummary {
    /// The class of the network, as the original calls it: `HTDemucs` or `HDemucs`.
    pub class: String,
    /// The stems it makes, in its order.
    pub stems: Vec<StemKind>,
    /// The sample rate it was trained at.
    pub sample_rate_hz: u32,
}

/// Reads a file of weights as if to use it: its class, its options, and every name and shape.
///
/// # Errors
/// `Io`; `ModelUnavailable` naming what is wrong with the file.
pub fn check_file(path: &Path) -> Result<ModelSummary> {
    let bytes = weights::read(path)?;
    let check = || {
        let file = ModelFile::parse(&bytes)?;
        let class = file.class.clone();
        Model::from_file(file, &Backend::Native).map(|model| (class, model))
    };
    let (class, model) = check().map_err(|error| error.about(path.display().to_string()))?;
    Ok(ModelSummary { class, stems: model.sources().to_vec(), sample_rate_hz: model.sample_rate_hz() })
}
