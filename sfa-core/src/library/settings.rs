//! What a user has decided about the work on new songs.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sfa_audio::io::{AudioFormat, EncodeOptions};

use super::{LibraryError, LibraryErrorKind, LibraryResult};
use crate::{EngineRequest, SeparateOptions};

/// One thing that is done to a song.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Stems.
    Separate,
    /// Tempo, key, loudness, form, cues and loops.
    Analyze,
    /// Files for other programs.
    Export,
}

impl Step {
    /// Every step in the order of the pipeline.
    pub const ALL: [Self; 3] = [Self::Separate, Self::Analyze, Self::Export];

    /// The kind of its job, and the queue it waits in.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Separate => "separate",
            Self::Analyze => "analyze",
            Self::Export => "export",
        }
    }

    /// The step of a kind of job.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }
}

/// What a user has decided; what was never set has the defaults below.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Settings {
    /// What is done to a new song. Default: everything.
    pub steps: Vec<Step>,
    /// Who separates. Default: "auto".
    pub engine: String,
    /// With which model. Default: the best on this machine.
    pub model: Option<String>,
    /// Container of the stems: "wav", "flac", "mp3" or "m4a". Default: "flac".
    pub stem_format: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            steps: Step::ALL.to_vec(),
            engine: crate::AUTO.to_owned(),
            model: None,
            stem_format: AudioFormat::Flac.extension().to_owned(),
        }
    }
}

impl Settings {
    /// The defaults, but only with these steps.
    pub fn of_steps(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: steps.into_iter().collect(), ..Self::default() }
    }

    /// Reads what the database holds.
    pub(crate) fn from_json(document: Value) -> LibraryResult<Self> {
        serde_json::from_value(document).map_err(|error| {
            LibraryError::new(LibraryErrorKind::Invalid, format!("these settings cannot be used: {error}"))
        })
    }

    /// # Errors
    /// `Invalid` for a container that there is not.
    pub(crate) fn separate_options(&self) -> LibraryResult<SeparateOptions> {
        let format = AudioFormat::named(&self.stem_format).ok_or_else(|| {
            let names = AudioFormat::ALL.map(AudioFormat::extension).join(", ");
            let message = format!("stems cannot be {:?}; there are {names}", self.stem_format);
            LibraryError::new(LibraryErrorKind::Invalid, message)
        })?;
        let engine = EngineRequest {
            engine: self.engine.clone(),
            model: self.model.clone(),
            ..EngineRequest::default()
        };
        let mut options = SeparateOptions { engine, ..SeparateOptions::default() };
        options.stems.encode = EncodeOptions::new(format);
        Ok(options)
    }

    /// The step after `step` among those wanted.
    pub(crate) fn after(&self, step: Option<Step>) -> Option<Step> {
        Step::ALL.into_iter().find(|next| step.is_none_or(|step| *next > step) && self.steps.contains(next))
    }
}
