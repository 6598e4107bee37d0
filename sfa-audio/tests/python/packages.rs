//! Where tests find Python and demucs packages, made up and real.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sfa_audio::separate::python::PythonOptions;

/// The first Python that runs `program`.
fn python_that_runs(candidates: &[&str], program: &str) -> Option<PathBuf> {
    let runs = |python: &&&str| {
        let mut command = Command::new(python);
        command.args(["-c", program]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    candidates.iter().find(runs).map(PathBuf::from)
}

/// Any Python with the packages in the folders `names` beside this file; `None`, and a word about it, without one.
pub(crate) fn fake(names: &[&str]) -> Option<PythonOptions> {
    let Some(python) =
        python_that_runs(&["python3", "python"], "import sys; assert sys.version_info >= (3, 8)")
    else {
        eprintln!("skipped: there is no Python 3");
        return None;
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/packages");
    let path = std::env::join_paths(names.iter().map(|name| folder.join(name))).unwrap();
    let mut options = PythonOptions::default();
    options.python = Some(python);
    let set = |name: &str, value: OsString| (name.into(), value);
    options.environment = vec![set("PYTHONPATH", path), set("PYTHONDONTWRITEBYTECODE", "1".into())];
    Some(options)
}

/// The Python of `SFA_PYTHON`, or another one, that has the real package; `None`, and a word about it, without one.
pub(crate) fn real() -> Option<PythonOptions> {
    let chosen = std::env::var("SFA_PYTHON").unwrap_or_default();
    let candidates = if chosen.is_empty() { vec!["python3", "python"] } else { vec![chosen.as_str()] };
    let Some(python) = python_that_runs(&candidates, "import demucs.apply, demucs.pretrained") else {
        eprintln!("skipped: no Python here has the demucs package (SFA_PYTHON can name one)");
        return None;
    };
    let mut options = PythonOptions::default();
    options.python = Some(python);
    // Networks this small only get slower by being shared out.
    options.environment = vec![("OMP_NUM_THREADS".into(), "1".into())];
    Some(options)
}

/// A folder of models as the package wants it, with a bag called `small`: the network of `tests/demucs/ht.th`.
pub(crate) fn small_repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let network = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/demucs/ht.th");
    std::fs::copy(network, folder.path().join("0badcafe.th")).unwrap();
    std::fs::write(folder.path().join("small.yaml"), "models: ['0badcafe']\n").unwrap();
    folder
}
