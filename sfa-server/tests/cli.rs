//! Whole commands as a user types them: files, output, exit codes.

mod desk;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use desk::{Desk, files_below, sfa, stderr, stdout, text};

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
fn features_have_the_names_that_people_know_and_the_others_are_refused_by_a_list() {
    let desk = Desk::new();
    let song = desk.song("a.wav");
    let output = sfa(&["analyze", text(&song), "--json", "--features", "tempo,energy_curve,mfcc"]);
    let document: Value = serde_json::from_str(stdout(&output).trim()).unwrap();
    assert_eq!(document["analysis"]["features"], serde_json::json!(["rhythm", "energy", "mfcc"]));
    assert_eq!(document["analysis"]["descriptors"]["mfcc"]["mfcc"].as_array().unwrap().len(), 13);
    let output = sfa(&["analyze", text(&song), "--features", "taste"]);
    for name in ["tempo", "chroma", "beat_track", "structure", "all"] {
        assert!(stderr(&output).contains(name), "{name}");
    }
}

#[test]
fn frames_are_written_as_an_archive() {
    let desk = Desk::new();
    let song = desk.song("a.wav");
    let archive = song.with_extension("npz");
    let arguments = ["analyze", text(&song), "--features", "spectral", "--frames", text(&archive)];
    let output = sfa(&arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(std::fs::read(&archive).unwrap().starts_with(b"PK"));
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
    let mut child = desk::command()
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

#[test]
fn warp_writes_another_tempo_and_nothing_on_errors() {
    let desk = Desk::new();
    let (song, out) = (desk.song("a.wav"), desk.path("slow.flac"));
    let output = sfa(&["warp", text(&song), "--bpm", "100", "--out", text(&out)]);
    assert!(output.status.success(), "{}", stderr(&output));
    let probe = sfa(&["probe", text(&out), "--json"]);
    let probe: Value = serde_json::from_str(&stdout(&probe)).unwrap();
    // Eight seconds at 120 beats per minute, as measured to a hundredth.
    let secs = probe["probe"]["duration_secs"].as_f64().unwrap();
    assert!((secs - 9.6).abs() < 0.01, "{secs}");
    let again = sfa(&["warp", text(&song), "--pitch", "2", "--out", text(&out)]);
    assert_eq!(again.status.code(), Some(2), "a file is not written over");
    let wild = desk.path("wild.wav");
    assert_eq!(sfa(&["warp", text(&song), "--stretch", "9", "--out", text(&wild)]).status.code(), Some(2));
    assert_eq!(sfa(&["warp", text(&song), "--out", text(&desk.path("a.doc"))]).status.code(), Some(2));
    assert!(!wild.exists());
}

#[test]
fn every_picture_is_drawn_as_svg_and_png() {
    let desk = Desk::new();
    let song = desk.song("a.wav");
    let kinds =
        ["waveform", "spectrogram", "mel", "chroma", "tempogram", "ssm", "beats", "structure", "loudness"];
    for kind in kinds {
        let (svg, png) = (desk.path(&format!("{kind}.svg")), desk.path(&format!("{kind}.png")));
        for out in [&svg, &png] {
            let output = sfa(&["plot", text(&song), "--kind", kind, "--out", text(out)]);
            assert!(output.status.success(), "{kind}: {}", stderr(&output));
        }
        let drawing = fs::read_to_string(svg).unwrap();
        assert!(drawing.starts_with("<svg ") && drawing.ends_with("</svg>\n"), "{kind}");
        // Pixels are letters too.
        let numbers: String = drawing
            .split("base64,")
            .map(|part| part.split_once('"').map_or(part, |(_, rest)| rest))
            .collect();
        assert!(!numbers.contains("NaN") && !numbers.contains("inf"), "{kind}");
        assert!(fs::read(png).unwrap().starts_with(b"\x89PNG"), "{kind}");
    }
    let elsewhere = sfa(&["plot", text(&song), "--out", text(&desk.path("a.gif"))]);
    assert_eq!(elsewhere.status.code(), Some(2));
    assert!(stderr(&elsewhere).contains(".svg or .png"), "{}", stderr(&elsewhere));
}

#[test]
fn there_are_no_beats_to_draw_in_silence() {
    let desk = Desk::new();
    let silence = desk.silence("silence.wav");
    let out = desk.path("beats.svg");
    let output = sfa(&["plot", text(&silence), "--kind", "beats", "--out", text(&out)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("no pulse"), "{}", stderr(&output));
    assert!(!out.exists());
    let loudness = sfa(&["plot", text(&silence), "--kind", "loudness", "--out", text(&out)]);
    assert!(loudness.status.success(), "{}", stderr(&loudness));
}

#[test]
fn stems_beside_a_song_are_heard() {
    let desk = Desk::new();
    let song = desk.song("a.wav");
    let stems = desk.path("stems");
    fs::create_dir(&stems).unwrap();
    let nothing = sfa(&["analyze", text(&song), "--stems", text(&stems)]);
    assert_eq!(nothing.status.code(), Some(1));
    assert!(stderr(&nothing).contains("drums.wav"), "{}", stderr(&nothing));
    fs::copy(&song, stems.join("Drums.wav")).unwrap();
    let output = sfa(&["analyze", text(&song), "--stems", text(&stems), "--json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let found: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let used = found["analysis"]["stems"].as_array().unwrap();
    assert!(used.contains(&Value::from("hits_from_drums")), "{used:?}");
}
