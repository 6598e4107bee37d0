//! Whole commands as a user types them: files, output, exit codes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use sfa_core::audio::io::{AudioWriter, EncodeOptions};
use sfa_core::audio::{AudioSpec, Clip};
use tempfile::TempDir;

fn sfa(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sfa")).args(arguments).output().expect("the binary runs")
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

/// Eight seconds of a beat at 120 BPM: a decaying thump on every beat over a quiet A minor chord.
fn write_song(path: &Path) {
    let rate_hz = 44_100;
    let mono: Vec<f32> = (0..rate_hz * 8)
        .map(|frame| {
            let secs = frame as f32 / rate_hz as f32;
            let since_beat = secs % 0.5;
            let turn = |hz: f32| (std::f32::consts::TAU * hz * secs).sin();
            let thump = (std::f32::consts::TAU * 60.0 * since_beat).sin() * (-12.0 * since_beat).exp();
            0.6 * thump + 0.05 * (turn(220.0) + turn(261.63) + turn(329.63))
        })
        .collect();
    let clip = Clip::from_channels(rate_hz, vec![mono.clone(), mono]).unwrap();
    let spec = AudioSpec::new(rate_hz, 2).unwrap();
    let mut writer = AudioWriter::create(path, spec, &EncodeOptions::default(), None).unwrap();
    writer.write(&clip).unwrap();
    writer.finish().unwrap();
}

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

    fn song(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        write_song(&path);
        path
    }
}

/// Every file below a folder, hidden ones too, relative and sorted.
fn files_below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn process_writes_everything_and_a_second_run_finds_it_done() {
    let desk = Desk::new();
    let (song, out) = (desk.song("Night Drive.wav"), desk.path("out"));
    let first = sfa(&["process", text(&song), "--out", text(&out)]);
    assert!(first.status.success(), "{}", stderr(&first));
    assert_eq!(
        files_below(&out),
        [
            "Night Drive/analysis.json",
            "Night Drive/cues.json",
            "Night Drive/labels.txt",
            "Night Drive/rekordbox.xml",
            "Night Drive/report.html",
            "Night Drive/sections.mid",
            "Night Drive/stems/bass.wav",
            "Night Drive/stems/drums.wav",
            "Night Drive/stems/other.wav",
            "Night Drive/stems/vocals.wav",
            "playlist.m3u8",
        ]
    );
    let before = fs::metadata(out.join("Night Drive/analysis.json")).unwrap().modified().unwrap();
    let second = sfa(&["process", text(&song), "--out", text(&out)]);
    assert!(second.status.success());
    assert!(stdout(&second).contains("already done"), "{}", stdout(&second));
    assert_eq!(fs::metadata(out.join("Night Drive/analysis.json")).unwrap().modified().unwrap(), before);
}

#[test]
fn an_unfinished_song_is_made_again_and_foreign_files_stay() {
    let desk = Desk::new();
    let (song, out) = (desk.song("a.wav"), desk.path("out"));
    assert!(sfa(&["process", text(&song), "--out", text(&out)]).status.success());
    fs::remove_file(out.join("a/stems/bass.wav")).unwrap();
    fs::write(out.join("a/my notes.txt"), "keep me").unwrap();
    fs::create_dir_all(out.join(".a.partial/stems")).unwrap();
    fs::write(out.join(".a.partial/stems/half.wav"), "half").unwrap();
    let again = sfa(&["process", text(&song), "--out", text(&out), "--format", "flac"]);
    assert!(again.status.success(), "{}", stderr(&again));
    let files = files_below(&out);
    assert!(files.contains(&"a/stems/bass.flac".to_owned()), "{files:?}");
    assert!(files.contains(&"a/my notes.txt".to_owned()), "{files:?}");
    assert!(!files.iter().any(|file| file.ends_with(".wav") || file.contains("partial")), "{files:?}");
}

#[test]
fn two_songs_of_one_name_get_two_folders() {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("x")).unwrap();
    let (one, two, out) = (desk.song("a.wav"), desk.path("x/a.wav"), desk.path("out"));
    let mut bytes = fs::read(&one).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&two, bytes).unwrap();
    let output = sfa(&["process", text(&one), text(&two), "--out", text(&out)]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(out.join("a/analysis.json").is_file() && out.join("a (2)/analysis.json").is_file());
}

#[test]
fn one_bad_file_does_not_stop_the_others() {
    let desk = Desk::new();
    let (song, bad, out) = (desk.song("good.wav"), desk.path("bad.mp3"), desk.path("out"));
    fs::write(&bad, "this is a shopping list, not a song").unwrap();
    let gone = desk.path("gone.wav");
    let output = sfa(&["process", text(&bad), text(&gone), text(&song), "--out", text(&out), "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let lines: Vec<Value> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    assert_eq!(lines[0]["error"]["kind"], "unsupported_format");
    assert_eq!(lines[1]["error"]["kind"], "io");
    assert_eq!(lines[2]["status"], "done");
    assert!(stderr(&output).contains("2 of 3 failed"), "{}", stderr(&output));
    assert!(!files_below(&out).iter().any(|file| file.contains("bad") || file.contains("gone")));
}

#[test]
fn separate_writes_one_file_per_stem() {
    let desk = Desk::new();
    let (song, out) = (desk.song("a.wav"), desk.path("out"));
    let output =
        sfa(&["separate", text(&song), "--out", text(&out), "--format", "flac", "--bit-depth", "24"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let files = files_below(&out);
    for stem in ["drums", "bass", "other", "vocals"] {
        assert!(files.contains(&format!("a/{stem}.flac")), "{files:?}");
    }
    let again = sfa(&["separate", text(&song), "--out", text(&out), "--format", "flac", "--bit-depth", "24"]);
    assert!(stdout(&again).contains("already done"));
}

#[test]
fn analyze_prints_one_json_document_per_file() {
    let desk = Desk::new();
    let (a, b) = (desk.song("a.wav"), desk.song("b.wav"));
    let output = sfa(&["analyze", text(&a), text(&b), "--json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let documents: Vec<Value> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    assert_eq!(documents.len(), 2);
    let bpm = documents[0]["analysis"]["rhythm"]["tempo"]["bpm"].as_f64().expect("a tempo");
    assert!((bpm - 120.0).abs() < 0.1, "{bpm}");
}

#[test]
fn features_limit_what_is_measured() {
    let desk = Desk::new();
    let song = desk.song("a.wav");
    let output = sfa(&["analyze", text(&song), "--json", "--features", "loudness,key"]);
    let document: Value = serde_json::from_str(stdout(&output).trim()).unwrap();
    let analysis = document["analysis"].as_object().unwrap();
    assert!(analysis.contains_key("loudness") && analysis.contains_key("key"));
    assert!(!analysis.contains_key("rhythm") && !analysis.contains_key("waveform"));
}

#[test]
fn probe_tells_the_exact_length() {
    let desk = Desk::new();
    let song = desk.song("a.wav");
    let output = sfa(&["probe", text(&song), "--json"]);
    let document: Value = serde_json::from_str(stdout(&output).trim()).unwrap();
    assert_eq!(document["probe"]["frames"], 44_100 * 8);
}

#[test]
fn wrong_usage_is_told_from_failure() {
    let desk = Desk::new();
    let song = desk.song("a.wav");
    for arguments in [
        vec!["process", text(&song)],
        vec!["process", "--out", "x"],
        vec!["process", text(&song), "--out", "x", "--engine", "magic"],
        vec!["separate", text(&song), "--out", "x", "--bit-depth", "12"],
        vec!["analyze", text(&song), "--features", "taste"],
        vec!["analyze", "/nowhere/*.flac"],
        vec!["frobnicate"],
    ] {
        let output = sfa(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(!stderr(&output).is_empty(), "{arguments:?}");
    }
}

#[test]
fn engines_are_named_with_what_to_expect() {
    let output = sfa(&["engines", "--json"]);
    let engines: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let classic = engines.as_array().unwrap().iter().find(|engine| engine["name"] == "classic").unwrap();
    assert!(classic["description"].as_str().unwrap().contains("no model"));
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_nothing_half_done() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    let desk = Desk::new();
    let out = desk.path("out");
    let songs: Vec<PathBuf> = (0..40).map(|number| desk.song(&format!("{number}.wav"))).collect();
    let mut child = Command::new(env!("CARGO_BIN_EXE_sfa"))
        .args(["process", "--out", text(&out)])
        .args(&songs)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The first result says that the batch is under way and far from its end.
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("done"));
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(stderr(&output).contains("stopped:"), "{}", stderr(&output));
    for entry in fs::read_dir(&out).unwrap().flatten() {
        let path = entry.path();
        let name = entry.file_name().into_string().unwrap();
        assert!(!name.starts_with('.'), "{name} was left behind");
        assert!(path.is_file() || path.join("analysis.json").is_file(), "{name} is half-done");
    }
}
