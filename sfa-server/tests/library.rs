//! The commands of a library: songs in, work done, files out, nothing lost.

mod desk;

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
    assert!(jobs.len() == 3 && jobs.iter().all(|job| job["state"] == "completed"), "{jobs:?}");

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
