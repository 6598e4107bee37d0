//! Running other programs and telling people about it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Why a chore ended early, and with which exit code.
pub(crate) struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 1 }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 2 }
    }

    #[allow(clippy::print_stderr, reason = "this is a command-line tool")]
    pub(crate) fn report(self) -> ExitCode {
        eprintln!("xtask: {}", self.message);
        ExitCode::from(self.code)
    }
}

#[allow(clippy::print_stdout, reason = "this is a command-line tool")]
pub(crate) fn say(text: impl AsRef<str>) {
    println!("{}", text.as_ref());
}

/// The repository's root: the folder above this crate.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is in the workspace").to_owned()
}

pub(crate) fn cargo(arguments: &[&str]) -> Result<(), Failure> {
    run("cargo", arguments)
}

pub(crate) fn run(program: impl AsRef<OsStr>, arguments: &[&str]) -> Result<(), Failure> {
    run_with(program, arguments, &[])
}

pub(crate) fn run_with(
    program: impl AsRef<OsStr>,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Result<(), Failure> {
    let program = program.as_ref();
    let line = format!("{} {}", program.display(), arguments.join(" "));
    say(format!("$ {line}"));
    let status = Command::new(program)
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(root())
        .status()
        .map_err(|error| Failure::new(format!("{line}: {error}")))?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("{line}: {status}"))) }
}

pub(crate) fn output(program: &str, arguments: &[&str]) -> Result<Vec<u8>, Failure> {
    let line = format!("{program} {}", arguments.join(" "));
    let output = Command::new(program)
        .args(arguments)
        .current_dir(root())
        .output()
        .map_err(|error| Failure::new(format!("{line}: {error}")))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(Failure::new(format!("{line}: {}", String::from_utf8_lossy(&output.stderr))))
    }
}
