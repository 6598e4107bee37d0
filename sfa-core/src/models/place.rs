//! The folder for models, by the convention of the platform.

use std::env;
use std::path::PathBuf;

use directories::BaseDirs;

use crate::{Error, ErrorKind, Result};

const FOLDER_VARIABLE: &str = "SFA_MODELS_DIR";

/// What the environment asks for, or `sound-forge-alchemy/models` where programs keep data.
pub(super) fn default_folder() -> Result<PathBuf> {
    if let Some(folder) = path_from(FOLDER_VARIABLE) {
        return Ok(folder);
    }
    let folders = BaseDirs::new().ok_or_else(|| {
        let message = format!("this user has no home folder: set {FOLDER_VARIABLE} to a folder for models");
        Error::new(ErrorKind::InvalidOption, message)
    })?;
    Ok(folders.data_local_dir().join("sound-forge-alchemy").join("models"))
}

/// A path from the environment; an empty variable counts as none.
pub(super) fn path_from(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}
