//! The worker by itself: what it does when its owner is gone.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::packages::fake;
use super::path;

#[test]
fn a_worker_whose_owner_dies_goes_away_with_all_its_files() {
    let Some(options) = fake(&["fake"]) else { return };
    let folder = tempfile::Builder::new().prefix("sfa-demucs-").tempdir().unwrap();
    let mut command = Command::new(options.python.unwrap());
    command.arg(path("../src/separate/python/worker.py")).arg(folder.path());
    command.args([r#"{"device": null, "segment": null, "overlap": 0.25, "shifts": 0}"#, "plain"]);
    command.envs(options.environment);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut worker = command.spawn().unwrap();
    let mut hello = String::new();
    BufReader::new(worker.stdout.take().unwrap()).read_line(&mut hello).unwrap();
    assert!(hello.contains("\"hello\""), "{hello}");
    std::fs::write(folder.path().join("mix.f32"), [0; 8]).unwrap();

    drop(worker.stdin.take());
    assert!(!worker.wait().unwrap().success());
    assert!(!folder.path().exists());
}

#[test]
fn a_worker_by_hand_removes_no_folder_that_is_not_its_own() {
    let Some(options) = fake(&["fake"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(options.python.unwrap());
    command.arg(path("../src/separate/python/worker.py")).arg(folder.path());
    command.args([r#"{"device": null, "segment": null, "overlap": 0.25, "shifts": 0}"#, "slow to load"]);
    command.envs(options.environment).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(!command.status().unwrap().success(), "it ends although its model is still being loaded");
    assert!(folder.path().exists());
}
