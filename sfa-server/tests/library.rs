//! The commands of a library: songs in, work done, files out, nothing lost.

mod desk;
#[path = "../../sfa-core/tests/models/server.rs"]
mod web;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use desk::{Desk, command, stderr, stdout, text};

/// A library in `folder`, and no database of the user's.
fn on(folder: &Path, arguments: &[&str]) -> Output {
    with(command().env("SFA_DATA_DIR", folder).args(arguments))
}

fn with(command: &mut Command) -> Output {
    command.env_remove("SFA_DATABASE_URL").output().expect("the binary runs")
}

fn lines(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", stderr(output));
    stdout(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_song_comes_in_is_worked_on_and_goes_out() {
    let desk = Desk::new();
    let (song, data) = (desk.song("Night Drive.wav"), desk.path("data"));
    let added = lines(&on(&data, &["library", "add", text(&song), "--json"]));
    let id = added[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(added[0]["status"], "working");
    let again = on(&data, &["library", "add", text(&song)]);
    assert!(
        again.status.success() && stderr(&again).contains("in the library already"),
        "{}",
        stderr(&again)
    );

    let worked = on(&data, &["worker", "--drain"]);
    assert!(worked.status.success(), "{}", stderr(&worked));
    let listed = lines(&on(&data, &["library", "list", "--json"]));
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["status"], "ready");
    assert_eq!(listed[0]["title"], "Night Drive");
    let jobs = lines(&on(&data, &["jobs", "list", "--json"]));
    assert!(jobs.len() == 5 && jobs.iter().all(|job| job["state"] == "completed"), "{jobs:?}");

    let out = desk.path("out");
    assert!(on(&data, &["library", "get", &id, "--out", text(&out)]).status.success());
    let files = desk::files_below(&out);
    assert!(files.iter().any(|file| file.ends_with("drums.flac")), "{files:?}");
    assert!(files.contains(&"rekordbox.xml".to_owned()), "{files:?}");

    assert!(on(&data, &["library", "check"]).status.success());
    assert!(on(&data, &["library", "rm", &id]).status.success());
    assert!(lines(&on(&data, &["library", "list", "--json"])).is_empty());
    let gone = on(&data, &["library", "show", &id]);
    assert_eq!(gone.status.code(), Some(1));
}

#[test]
fn a_lost_file_is_told_and_made_again() {
    let desk = Desk::new();
    let (song, data) = (desk.song("a.wav"), desk.path("data"));
    assert!(on(&data, &["library", "add", text(&song), "--wait"]).status.success());
    let blobs = data.join("files/blobs");
    let song_bytes = fs::read(&song).unwrap();
    let stem = desk::files_below(&blobs)
        .into_iter()
        .map(|file| blobs.join(file))
        .find(|file| fs::metadata(file).unwrap().len() > 100_000 && fs::read(file).unwrap() != song_bytes)
        .expect("a stem is stored");
    fs::remove_file(stem).unwrap();
    let check = on(&data, &["library", "check"]);
    assert_eq!(check.status.code(), Some(1));
    assert!(stdout(&check).contains("1 missing"), "{}", stdout(&check));
    assert!(on(&data, &["library", "check", "--repair"]).status.success());
    assert!(on(&data, &["worker", "--drain"]).status.success());
    let check = on(&data, &["library", "check"]);
    assert!(check.status.success(), "{}", stdout(&check));
}

#[test]
fn a_bad_song_is_refused_and_the_others_come_in() {
    let desk = Desk::new();
    let (song, bad, data) = (desk.song("good.wav"), desk.path("bad.mp3"), desk.path("data"));
    fs::write(&bad, "this is a shopping list, not a song").unwrap();
    let output = on(&data, &["library", "add", text(&bad), text(&song)]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("bad.mp3"), "{}", stderr(&output));
    assert_eq!(lines(&on(&data, &["library", "list", "--json"])).len(), 1);
    assert!(on(&data, &["library", "check"]).status.success());
}

#[test]
fn what_is_cancelled_can_be_tried_again() {
    let desk = Desk::new();
    let (song, data) = (desk.song("a.wav"), desk.path("data"));
    assert!(on(&data, &["library", "add", text(&song)]).status.success());
    let job = lines(&on(&data, &["jobs", "list", "--json"]))[0]["id"].as_str().unwrap().to_owned();
    assert!(on(&data, &["jobs", "cancel", &job]).status.success());
    assert_eq!(lines(&on(&data, &["jobs", "list", "--state", "cancelled", "--json"])).len(), 1);
    assert!(on(&data, &["jobs", "retry", &job]).status.success());
    assert!(on(&data, &["worker", "--drain"]).status.success());
    assert_eq!(lines(&on(&data, &["library", "list", "--json"]))[0]["status"], "ready");
}

#[test]
fn settings_decide_what_is_made() {
    let desk = Desk::new();
    let (song, data) = (desk.song("a.wav"), desk.path("data"));
    let settings = |arguments: &[&str]| on(&data, &[&["library", "settings"], arguments].concat());
    let shown = || -> Value { serde_json::from_str(&stdout(&settings(&["show", "--json"]))).unwrap() };
    assert_eq!(shown()["stem_format"], "flac");
    let set = settings(&[
        "set",
        "steps=separate,analyze,chords,midi",
        "stems=bass,drums",
        "stem_format=wav",
        "stem_bit_depth=int24",
        "features=rhythm",
        "bpm_range=90-180",
        "stem_names={title} ({stem})",
    ]);
    assert!(set.status.success(), "{}", stderr(&set));
    assert_eq!(shown()["stems"]["only"], serde_json::json!(["bass", "drums"]));
    assert!(stdout(&settings(&[])).contains("steps=separate,analyze,chords,midi"), "as words for people");
    for (wrong, said) in [
        ("volume=11", "there is no setting"),
        ("stem_format=aiff", "wav, flac, mp3, m4a"),
        ("engine=magic", "there is no engine"),
        ("shifts", "NAME=VALUE"),
    ] {
        let output = settings(&["set", wrong]);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        assert!(stderr(&output).contains(said), "{wrong}: {}", stderr(&output));
    }

    let added = lines(&on(&data, &["library", "add", text(&song), "--json"]));
    let worked = on(&data, &["worker", "--drain"]);
    assert!(worked.status.success(), "{}", stderr(&worked));
    let id = added[0]["id"].as_str().unwrap();
    let out = desk.path("out");
    let got = on(&data, &["library", "get", &id[24..], "--out", text(&out)]);
    assert!(got.status.success(), "{}", stderr(&got));
    assert_eq!(desk::files_below(&out), ["a (bass).wav", "a (drums).wav", "a.wav", "bass.mid", "drums.mid"]);
    let jobs = lines(&on(&data, &["jobs", "list", "--json"]));
    assert_eq!(
        jobs.iter().map(|job| job["kind"].as_str().unwrap()).collect::<Vec<_>>(),
        ["midi", "chords", "analyze", "separate"]
    );

    assert!(settings(&["reset", "stem_format"]).status.success());
    assert_eq!((&shown()["stem_format"], &shown()["stem_bit_depth"]), (&"flac".into(), &"int24".into()));
    assert!(settings(&["reset"]).status.success());
    assert_eq!(shown()["stem_bit_depth"], "int16");
}

#[test]
fn songs_are_found_by_what_is_known_of_them() {
    let desk = Desk::new();
    let (song, silence, data) = (desk.song("Night.wav"), desk.silence("Nothing.wav"), desk.path("data"));
    let set = ["library", "settings", "set", "steps=analyze", "features=rhythm,key,energy"];
    assert!(on(&data, &set).status.success());
    let added = lines(&on(&data, &["library", "add", text(&song), text(&silence), "--json"]));
    assert!(on(&data, &["worker", "--drain"]).status.success());
    let list = |arguments: &[&str]| -> Vec<String> {
        let found = lines(&on(&data, &[&["library", "list", "--json"], arguments].concat()));
        found.into_iter().map(|track| track["title"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(list(&["--bpm", "119-121"]), ["Night"]);
    assert_eq!(list(&["--bpm", "130-140"]), [""; 0]);
    assert_eq!(list(&["--key", "Am,12B", "--status", "ready", "--without-stems"]), ["Night"]);
    assert_eq!(list(&["--sort", "bpm", "--reverse"]), ["Night", "Nothing"], "without a pulse last");
    assert_eq!(list(&["--sort", "duration", "--limit", "1"]), ["Nothing"]);
    for wrong in [["--key", "H"], ["--bpm", "128-120"], ["--status", "odd"], ["--energy", "high"]] {
        let output = on(&data, &[&["library", "list"][..], &wrong].concat());
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }

    let ids: Vec<&str> = added.iter().map(|track| track["id"].as_str().unwrap()).collect();
    let several = on(&data, &["library", "process", &ids[0][24..], ids[1], "--from", "analyze"]);
    assert!(several.status.success(), "{}", stderr(&several));
    let batches = || lines(&on(&data, &["jobs", "batches", "--json"]));
    let expected = |percent: i64, done: i64| {
        let batch = &batches()[0];
        assert_eq!(batch["id"], stdout(&several).trim());
        assert_eq!(
            (&batch["percent"], &batch["done"], &batch["total"]),
            (&percent.into(), &done.into(), &2.into())
        );
    };
    expected(0, 0);
    assert!(on(&data, &["worker", "--drain"]).status.success());
    expected(100, 2);

    let unclear = on(&data, &["library", "show", ""]);
    assert_eq!(unclear.status.code(), Some(2));
    assert!(stderr(&unclear).contains("several tracks"), "{}", stderr(&unclear));
    let unknown = on(&data, &["jobs", "show", "ffffffffffff"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(stderr(&unknown).contains("there is no job"), "{}", stderr(&unknown));
}

#[test]
fn a_database_that_is_not_there_is_a_clear_error() {
    let desk = Desk::new();
    let url = format!("postgres://nobody@localhost/none?host={}", text(&desk.path("no socket")));
    let output = with(command().env("SFA_DATA_DIR", desk.path("data")).args([
        "library",
        "--database-url",
        &url,
        "list",
    ]));
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).starts_with("error: "), "{}", stderr(&output));
}

#[test]
fn a_song_is_taken_from_an_address_and_no_proxy_is_asked() {
    let desk = Desk::new();
    let data = desk.path("data");
    let song = fs::read(desk.song("a.wav")).unwrap();
    let server = web::Server::start(move |request| match request.target.as_str() {
        "/Night%20Drive.wav" => web::file(request, &song, "\"1\""),
        _ => web::not_found(),
    });
    let proxy = web::Server::start(|_| web::not_found());
    let add = |address: &str, more: &[&str]| {
        let mut command = command();
        command
            .env("SFA_DATA_DIR", &data)
            .envs(["http_proxy", "HTTP_PROXY", "ALL_PROXY"].map(|name| (name, proxy.url())));
        with(command.args(["library", "add", address, "--wait", "--json"]).args(more))
    };
    assert!(on(&data, &["library", "settings", "set", "steps="]).status.success());
    let address = format!("{}/Night%20Drive.wav", server.url());
    let refused = add(&address, &[]);
    assert!(
        !refused.status.success() && stderr(&refused).contains("public internet"),
        "{}",
        stderr(&refused)
    );
    assert!(server.requests().is_empty());
    let added = lines(&add(&address, &["--allow-private-addresses"]));
    assert_eq!((&added[0]["title"], &added[0]["status"]), (&"Night Drive".into(), &"ready".into()));
    let missing = add(&format!("{}/none.wav", server.url()), &["--allow-private-addresses"]);
    assert!(!missing.status.success() && stderr(&missing).contains("404"), "{}", stderr(&missing));
    assert!(proxy.requests().is_empty());
}
