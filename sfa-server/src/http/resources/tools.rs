//! What is on the server's machine and what that means for songs: lights, and how to mend those that are off.

use std::path::Path;

use axum::extract::State;
use serde::Serialize;
use sfa_core::audio::separate::python::PythonOptions;
use sfa_core::models::ModelStore;
use utoipa::ToSchema;

use super::engines::looked_up;
use crate::http::App;
use crate::http::answer::Page;
use crate::http::error::ApiResult;

/// A program or a file that some work needs.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ToolView {
    #[schema(example = "ffmpeg")]
    name: &'static str,
    /// Whether it is there.
    is_ready: bool,
    /// What it is needed for.
    purpose: &'static str,
    /// What to do where it is not there.
    remedy: &'static str,
}

/// List what the work on songs needs of the server's machine
///
/// Nothing is started: a program counts as there when it is found where programs are.
#[utoipa::path(get, path = "/api/v1/tools", tag = "server", responses(
    (status = 200, description = "All of them", body = Page<ToolView>)
))]
pub(in crate::http) async fn list(State(app): State<App>) -> ApiResult<Page<ToolView>> {
    let tools = looked_up(move || {
        let has_model = app.library.studio().models().map(ModelStore::status);
        let has_model = has_model.is_ok_and(|models| models.iter().any(|model| model.ready));
        vec![
            ToolView {
                name: "model",
                is_ready: has_model,
                purpose: "Separates with a neural network. Without one the classic engine does it, and stems bleed.",
                remedy: "Fetch one, or import one that you have: `sfa models pull htdemucs` does it too.",
            },
            ToolView {
                name: "ffmpeg",
                is_ready: is_program(Path::new("ffmpeg")),
                purpose: "Reads rare formats, and writes MP3 and M4A.",
                remedy: "Install ffmpeg on the server so that it is on the PATH: `apt install ffmpeg`, `brew install ffmpeg`.",
            },
            ToolView {
                name: "python",
                is_ready: PythonOptions::default().interpreters().iter().any(|python| is_program(python)),
                purpose: "Runs the Python package demucs, for models that the built-in engine does not have.",
                remedy: "Install Python with the package demucs, or let SFA_PYTHON name an interpreter that has it.",
            },
        ]
    });
    Ok(Page::whole(tools.await?))
}

/// Whether a program of this name would be found, or stands at this path.
fn is_program(name: &Path) -> bool {
    let file = format!("{}{}", name.display(), std::env::consts::EXE_SUFFIX);
    if name.components().count() > 1 {
        return name.is_file() || Path::new(&file).is_file();
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(&file).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_by_name_and_by_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("tool{}", std::env::consts::EXE_SUFFIX));
        assert!(!is_program(&path));
        std::fs::write(&path, "").unwrap();
        assert!(is_program(&path));
        assert!(is_program(&folder.path().join("tool")));
        assert!(!is_program(Path::new("no-program-is-called-that")));
    }
}
