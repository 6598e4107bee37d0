//! `sfa models` as a user types it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `sfa models` with a store and caches of its own.
    fn models(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_sfa"))
            .arg("models")
            .args(arguments)
            .env("SFA_MODELS_DIR", self.path("models"))
            .env("HF_HUB_CACHE", self.path("hub"))
            .env("TORCH_HOME", self.path("torch"))
            .env_remove("SFA_OFFLINE")
            .env_remove("SFA_MODELS_MIRROR")
            .output()
            .expect("the binary runs")
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("stdout is UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("stderr is UTF-8")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("test paths are UTF-8")
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../sfa-audio/tests/demucs").join(name)
}

#[test]
fn a_model_is_imported_listed_checked_and_removed() {
    let desk = Desk::new();
    let list = desk.models(&["list", "--json"]);
    let models: Value = serde_json::from_str(&stdout(&list)).unwrap();
    assert_eq!((&models[0]["name"], &models[0]["ready"]), (&"htdemucs".into(), &false.into()));

    let missing = desk.models(&["path", "htdemucs"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(stderr(&missing).contains("`sfa models pull htdemucs`"), "{}", stderr(&missing));

    let file = fixture("ht.safetensors");
    let refused = desk.models(&["import", "htdemucs", text(&file)]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("--unverified"), "{}", stderr(&refused));

    let imported = desk.models(&["import", "htdemucs", text(&file), "--unverified"]);
    assert!(imported.status.success(), "{}", stderr(&imported));
    let path = desk.models(&["path", "htdemucs"]);
    assert_eq!(stdout(&path).trim(), text(&desk.path("models/955717e8.safetensors")));
    let list = stdout(&desk.models(&["list"]));
    assert!(list.contains("ready, unverified"), "{list}");

    let verified = desk.models(&["verify"]);
    assert!(verified.status.success(), "{}", stderr(&verified));
    assert!(stdout(&verified).starts_with("unverified"), "{}", stdout(&verified));

    let removed = desk.models(&["rm", "htdemucs"]);
    assert!(stdout(&removed).starts_with("removed"), "{}", stdout(&removed));
    assert!(!desk.path("models/955717e8.safetensors").exists());
}

#[test]
fn a_bag_of_four_is_imported_in_order() {
    let desk = Desk::new();
    let files = ["a.th", "b.th", "c.th", "d.th"].map(|name| desk.path(name));
    for file in &files {
        fs::copy(fixture("ht.th"), file).unwrap();
    }
    let mut arguments = vec!["import", "htdemucs_ft"];
    arguments.extend(files.iter().map(|file| text(file)));
    arguments.push("--unverified");
    let imported = desk.models(&arguments);
    assert!(imported.status.success(), "{}", stderr(&imported));
    let paths = stdout(&desk.models(&["path", "htdemucs_ft"]));
    let names: Vec<&str> = paths.lines().map(|line| line.rsplit(['/', '\\']).next().unwrap()).collect();
    assert_eq!(names, ["f7e0c4bc.th", "d12395a8.th", "92cfc3b6.th", "04573f0d.th"]);
}

#[test]
fn a_file_that_is_not_what_it_says_fails_the_check() {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("torch/hub/checkpoints")).unwrap();
    fs::copy(fixture("ht.th"), desk.path("torch/hub/checkpoints/955717e8-8726e21a.th")).unwrap();
    let checked = desk.models(&["verify", "htdemucs", "--json"]);
    assert_eq!(checked.status.code(), Some(1));
    let line: Value = serde_json::from_str(stdout(&checked).trim()).unwrap();
    assert_eq!((&line["model"], &line["file"]["place"]), (&"htdemucs".into(), &"torch_cache".into()));
    assert!(line["problem"].as_str().unwrap().contains("8726e21a"), "{line}");
}

#[test]
fn wrong_usage_is_told_from_failure() {
    let desk = Desk::new();
    for arguments in [
        vec!["path", "magic"],
        vec!["rm", "magic"],
        vec!["import", "htdemucs"],
        vec!["import", "magic", "x.th"],
        vec!["frobnicate"],
    ] {
        let output = desk.models(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
    }
    assert_eq!(desk.models(&["import", "htdemucs", "nowhere.th"]).status.code(), Some(1));
}
