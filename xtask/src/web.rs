//! The web studio: its tools, and how it becomes part of the program.

use std::path::PathBuf;
use std::process::Command;

use crate::shell::{self, Failure, root};

/// What the studio's build tools need at least.
const LEAST_NODE: (u32, u32) = (20, 19);

fn folder() -> PathBuf {
    root().join("sfa-server/web")
}

/// Why the studio cannot be built here, in a sentence; none when it can.
pub(crate) fn missing() -> Option<String> {
    let (major, minor) = LEAST_NODE;
    let wanted = format!("the web studio needs Node {major}.{minor} or newer (https://nodejs.org)");
    let Ok(output) = Command::new("node").arg("--version").output() else {
        return Some(format!("{wanted}, and there is no node here"));
    };
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match parse(&version) {
        Some(found) if found >= LEAST_NODE => None,
        _ => Some(format!("{wanted}, and this is {version:?}")),
    }
}

/// Fetches the tools and builds the studio into `sfa-server/web/dist`.
pub(crate) fn build() -> Result<(), Failure> {
    if let Some(missing) = missing() {
        return Err(Failure::new(missing));
    }
    npm(&["ci", "--no-audit", "--no-fund"])?;
    npm(&["run", "build"])
}

/// Builds the studio and checks it: types, the API's client, tests.
pub(crate) fn check() -> Result<(), Failure> {
    build()?;
    npm(&["run", "check"])?;
    npm(&["test"])
}

/// Has a browser go through the studio of a real server.
pub(crate) fn end_to_end() -> Result<(), Failure> {
    // As the tests build it: a selection of its own would have other features, and half of everything compiled again.
    shell::cargo(&["test", "--workspace", "--test", "cli", "--no-run"])?;
    npm(&["run", "e2e"])
}

/// Writes the document of the API, and the client's types, anew.
pub(crate) fn api() -> Result<(), Failure> {
    let arguments = ["test", "--workspace", "--test", "http", "the_document_changes_on_purpose_only"];
    shell::run_with("cargo", &arguments, &[("SFA_UPDATE_SNAPSHOTS", "1")])?;
    npm(&["run", "api"])
}

fn npm(arguments: &[&str]) -> Result<(), Failure> {
    // On Windows npm is a script, which only a shell can start.
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let at = folder().display().to_string();
    shell::run(program, &[&["--prefix", &at], arguments].concat())
}

fn parse(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.strip_prefix('v')?.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_node_are_read() {
        assert_eq!(parse("v20.19.4"), Some((20, 19)));
        assert!(parse("v22.0.0") > Some(LEAST_NODE));
        assert!(parse("v18.20.0") < Some(LEAST_NODE));
        assert_eq!(parse("node"), None);
    }
}
