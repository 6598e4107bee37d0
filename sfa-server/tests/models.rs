//! `sfa models` as a user types it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use server::{Reply, Request, Server, file, not_found};
use tempfile::TempDir;

#[path = "../../sfa-core/tests/models/server.rs"]
mod server;

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
        self.command(arguments).output().expect("the binary runs")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sfa"));
        command
            .arg("models")
            .args(arguments)
            .env("SFA_MODELS_DIR", self.path("models"))
            .env("HF_HUB_CACHE", self.path("hub"))
            .env("TORCH_HOME", self.path("torch"))
            .env_remove("SFA_OFFLINE")
            .env_remove("SFA_MODELS_MIRROR")
            .env("NO_PROXY", "127.0.0.1");
        command
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

/// A mirror that has four networks in the form that nobody published checksums of.
fn mirror(request: &Request) -> Reply {
    if request.target.ends_with(".safetensors") {
        file(request, &fs::read(fixture("ht.safetensors")).unwrap(), "\"one\"")
    } else {
        not_found()
    }
}

const PULL: [&str; 4] = ["pull", "htdemucs_ft", "--unverified", "--mirror"];

#[test]
fn the_licence_is_shown_before_the_first_pull_and_only_then() {
    let desk = Desk::new();
    let server = Server::start(mirror);
    let refused = desk.models(&[&PULL[..], &[server.url()]].concat());
    assert_eq!(refused.status.code(), Some(2));
    for part in ["research only", "tagged `mit`", "--yes"] {
        assert!(stderr(&refused).contains(part), "{}", stderr(&refused));
    }
    assert!(server.requests().is_empty());

    let pulled = desk.models(&[&PULL[..], &[server.url(), "--yes"]].concat());
    assert!(pulled.status.success(), "{}", stderr(&pulled));
    assert!(stderr(&pulled).contains("research only"));
    assert!(stderr(&pulled).contains("HTTP status 404 Not Found); trying"), "{}", stderr(&pulled));
    assert_eq!(stdout(&pulled).lines().count(), 4);
    assert!(stdout(&desk.models(&["list"])).contains("ready, unverified"));

    desk.models(&["rm", "htdemucs_ft"]);
    let again = desk.models(&[&PULL[..], &[server.url(), "--json"]].concat());
    assert!(again.status.success(), "{}", stderr(&again));
    assert!(!stderr(&again).contains("research only"), "{}", stderr(&again));
    let status: Value = serde_json::from_str(stdout(&again).trim()).unwrap();
    assert_eq!((&status["name"], &status["ready"]), (&"htdemucs_ft".into(), &true.into()));
}

#[test]
fn a_mirror_s_page_is_not_taken_for_an_official_model() {
    let desk = Desk::new();
    let server = Server::start(mirror);
    let output = desk
        .command(&["pull", "htdemucs", "htdemucs_6s", "--yes", "--json"])
        .env("SFA_MODELS_MIRROR", server.url())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let lines: Vec<Value> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    assert_eq!(lines[0]["error"]["kind"], "model_unavailable");
    assert!(lines[0]["error"]["message"].as_str().unwrap().contains("84025440"), "{}", lines[0]);
    assert!(lines[1]["error"]["message"].as_str().unwrap().contains("SHA-256"), "{}", lines[1]);
}

#[test]
fn offline_says_what_is_missing_and_asks_nothing() {
    let desk = Desk::new();
    for (arguments, offline) in [(vec!["pull", "htdemucs"], "1"), (vec!["pull", "htdemucs", "--offline"], "")]
    {
        let output = desk.command(&arguments).env("SFA_OFFLINE", offline).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = stderr(&output);
        assert!(
            said.contains("https://huggingface.co/adefossez/HTDemucs/resolve/main/955717e8.safetensors"),
            "{said}"
        );
        assert!(!said.contains("research only"), "{said}");
    }
    assert!(!desk.path("models").exists());
}

#[test]
fn a_proxy_from_the_environment_is_used() {
    let desk = Desk::new();
    let proxy = Server::start(mirror);
    let output = desk
        .command(&[&PULL[..], &["http://models.invalid/weights", "--yes"]].concat())
        .env("HTTP_PROXY", proxy.url())
        .env("http_proxy", proxy.url())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        proxy.targets()[0].starts_with("http://models.invalid/weights/f7e0c4bc"),
        "{:?}",
        proxy.targets()
    );
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_a_download_that_the_next_pull_goes_on_with() {
    use std::process::Stdio;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, mpsc};

    let desk = Desk::new();
    let (sender, receiver) = mpsc::channel();
    let slow = Arc::new(AtomicBool::new(true));
    let server = Server::start({
        let (slow, sender) = (Arc::clone(&slow), std::sync::Mutex::new(sender));
        move |request| {
            let reply = mirror(request);
            if request.target.ends_with(".th") || !slow.load(Ordering::SeqCst) {
                return reply;
            }
            sender.lock().unwrap().send(()).ok();
            reply.hang_after(50_000)
        }
    });
    let arguments = [&PULL[..], &[server.url(), "--yes"]].concat();
    let child = desk.command(&arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    receiver.recv().unwrap();
    let part = desk.path("models/f7e0c4bc.safetensors.part");
    while fs::metadata(&part).map_or(0, |about| about.len()) < 50_000 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let stopped = child.wait_with_output().unwrap();
    assert_eq!(stopped.status.code(), Some(130), "{}", stderr(&stopped));
    assert!(stderr(&stopped).contains("goes on from here"), "{}", stderr(&stopped));
    assert!(part.is_file());

    slow.store(false, Ordering::SeqCst);
    let resumed = desk.models(&arguments);
    assert!(resumed.status.success(), "{}", stderr(&resumed));
    assert!(stderr(&resumed).contains("going on with"), "{}", stderr(&resumed));
    assert!(!part.exists());
}
