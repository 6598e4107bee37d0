use serde_json::{Value, json};
use sfa_core::export::rekordbox_xml;
use sfa_core::song::SongReport;

use crate::fixture;

/// What the rekordcrate crate reads, as JSON because its fields are private.
fn read(xml: &str) -> Value {
    let document: rekordcrate::xml::Document = quick_xml::de::from_str(xml).expect("rekordcrate reads it");
    serde_json::to_value(document).unwrap()
}

fn track(report: &SongReport) -> Value {
    read(&rekordbox_xml(&[report]))["COLLECTION"]["TRACK"][0].clone()
}

fn located_at(path: &str) -> Value {
    let mut report = fixture::song();
    report.file.path = path.to_owned();
    track(&report)["@Location"].clone()
}

#[track_caller]
fn assert_within_a_millisecond(read: &Value, expected_secs: f64) {
    let secs = read.as_f64().expect("a time");
    assert!((secs - expected_secs).abs() < 1e-3, "{secs} s instead of {expected_secs} s");
}

#[test]
fn a_track_has_its_facts() {
    let track = track(&fixture::song());
    let facts = [
        ("@TrackID", json!(1)),
        ("@Name", json!("Marble Run")),
        ("@Artist", json!("Nils & Ada")),
        ("@Kind", json!("FLAC File")),
        ("@Size", json!(31_457_280)),
        ("@TotalTime", json!(212.0)),
        ("@Year", json!(2024)),
        ("@AverageBpm", json!(128.0)),
        ("@BitRate", json!(1190)),
        ("@SampleRate", json!(44_100.0)),
        ("@Tonality", json!("8A")),
        ("@Location", json!("file://localhost/music/Nils%20%26%20Ada/Marble%20Run.flac")),
    ];
    for (name, value) in facts {
        assert_eq!(track[name], value, "{name}");
    }
}

#[test]
fn every_cue_is_there_as_hot_cue_and_as_memory_cue() {
    let report = fixture::song();
    let track = track(&report);
    let marks = track["POSITION_MARK"].as_array().unwrap();
    for (number, cue) in (0..).zip(&report.cues) {
        for expected_number in [number, -1] {
            let mark = marks
                .iter()
                .find(|mark| mark["@Name"] == json!(cue.label) && mark["@Num"] == json!(expected_number))
                .unwrap_or_else(|| panic!("{} is missing with number {expected_number}", cue.label));
            assert_eq!(mark["@Type"], json!(0));
            assert_within_a_millisecond(&mark["@Start"], cue.position_secs);
        }
    }
}

#[test]
fn loops_have_an_end() {
    let report = fixture::song();
    let track = track(&report);
    let loops: Vec<_> =
        track["POSITION_MARK"].as_array().unwrap().iter().filter(|mark| mark["@Type"] == json!(4)).collect();
    // Eight cues fill the buttons; of ten memory places two are left.
    assert_eq!(loops.len(), 2);
    for (mark, point) in loops.iter().zip(&report.loops) {
        assert_within_a_millisecond(&mark["@Start"], point.start_secs);
        assert_within_a_millisecond(&mark["@End"], point.end_secs);
    }
}

#[test]
fn there_are_no_more_hot_cues_than_buttons_and_the_surest_are_kept() {
    let mut song = fixture::song_json();
    let cue = |index: usize| {
        json!({ "position_secs": index as f64 * 10.0, "label": format!("{index}"), "kind": "section",
                "color": "#2980B9", "confidence": 0.3 + 0.05 * index as f64 })
    };
    let mut cues: Vec<_> = (0..12).map(cue).collect();
    cues[0]["kind"] = json!("load");
    song["cues"] = json!(cues);
    let track = track(&serde_json::from_value(song).unwrap());
    let hot: Vec<_> =
        track["POSITION_MARK"].as_array().unwrap().iter().filter(|mark| mark["@Num"] != -1).collect();
    let names: Vec<_> = hot.iter().map(|mark| mark["@Name"].as_str().unwrap()).collect();
    assert_eq!(names, ["0", "5", "6", "7", "8", "9", "10", "11"]);
    assert!((0..8).all(|number| hot[number]["@Num"] == json!(number)));
}

#[test]
fn what_has_a_pad_is_on_it_and_the_rest_fills_the_others() {
    let mut song = fixture::song_json();
    let cue = |at: f64, pad: Option<u8>| {
        json!({ "position_secs": at, "label": format!("{at}"), "kind": "own", "color": "#2980B9", "confidence": 0.5,
                "hot_cue": pad })
    };
    song["cues"] = json!([cue(1.0, Some(6)), cue(2.0, None), cue(3.0, Some(0))]);
    song["loops"] = json!([
        { "start_secs": 4.0, "end_secs": 8.0, "bars": 2, "beats": 8, "quality": 1.0, "section": "", "recommended": true,
          "label": "mine", "hot_cue": 2 },
        { "start_secs": 8.0, "end_secs": 16.0, "bars": 4, "beats": 16, "quality": 1.0, "section": "Intro",
          "recommended": true },
    ]);
    let track = track(&serde_json::from_value(song).unwrap());
    let marks = track["POSITION_MARK"].as_array().unwrap().iter().filter(|mark| mark["@Num"] != -1);
    let hot: Vec<_> =
        marks.map(|mark| (mark["@Num"].as_i64().unwrap(), mark["@Name"].as_str().unwrap())).collect();
    assert_eq!(hot, [(0, "3"), (1, "2"), (2, "mine"), (3, "Intro loop, 4 bars"), (6, "1")]);
}

#[test]
fn the_grid_reproduces_every_beat_within_a_millisecond() {
    // A tempo that two decimals would miss: 250 s of it run off by 10 ms.
    let bpm = 127.9951;
    let mut song = fixture::song_json();
    let times: Vec<_> = (0..530).map(|beat| 0.123_456_7 + f64::from(beat) * 60.0 / bpm).collect();
    song["analysis"]["rhythm"] = fixture::rhythm_on(&times, 3, 4, 2);
    song["analysis"]["rhythm"]["grid"] = json!([{ "start_secs": times[0], "bpm": bpm, "bar_position": 2 }]);
    let track = track(&serde_json::from_value(song).unwrap());
    let tempo = &track["TEMPO"][0];
    assert_eq!((&tempo["@Metro"], &tempo["@Battito"]), (&json!("3/4"), &json!(2)));
    let (start, bpm) = (tempo["@Inizio"].as_f64().unwrap(), tempo["@Bpm"].as_f64().unwrap());
    for (beat, time) in times.iter().enumerate() {
        assert_within_a_millisecond(&json!(start + beat as f64 * 60.0 / bpm), *time);
    }
}

#[test]
fn every_region_of_a_changing_grid_is_written() {
    let mut song = fixture::song_json();
    let regions: Vec<_> = (0..40)
        .map(|index| {
            json!({ "start_secs": f64::from(index) * 2.3 + 0.1, "bpm": 90.0 + f64::from(index),
                             "bar_position": index % 4 + 1 })
        })
        .collect();
    song["analysis"]["rhythm"]["grid"] = json!(regions);
    let track = track(&serde_json::from_value(song).unwrap());
    let tempos = track["TEMPO"].as_array().unwrap();
    assert_eq!(tempos.len(), regions.len());
    for (tempo, region) in tempos.iter().zip(&regions) {
        assert_within_a_millisecond(&tempo["@Inizio"], region["start_secs"].as_f64().unwrap());
        assert_eq!(tempo["@Battito"], region["bar_position"]);
    }
}

#[test]
fn paths_of_every_system_become_locations() {
    let expected = [
        ("/a/b c.mp3", "file://localhost/a/b%20c.mp3"),
        ("/a/50%#1?.mp3", "file://localhost/a/50%25%231%3F.mp3"),
        ("/a/Motörhead/夜.flac", "file://localhost/a/Mot%C3%B6rhead/%E5%A4%9C.flac"),
        (r"C:\Music\a b.wav", "file://localhost/C:/Music/a%20b.wav"),
        ("d:/Music/x.wav", "file://localhost/d:/Music/x.wav"),
        (r"\\?\C:\Music\x.wav", "file://localhost/C:/Music/x.wav"),
        (r"\\nas\music\x.wav", "file://localhost//nas/music/x.wav"),
        (r"\\?\UNC\nas\music\x.wav", "file://localhost//nas/music/x.wav"),
        (r"/unix/back\slash.wav", "file://localhost/unix/back%5Cslash.wav"),
    ];
    for (path, location) in expected {
        assert_eq!(located_at(path), json!(location), "{path}");
    }
}

#[test]
fn hostile_tags_stay_text() {
    let mut report = fixture::song();
    report.tags.title = Some("\"/><TRACK a='1'>&amp;\u{0}\u{8}\u{1b}[31m\n\ttwo\u{ffff}".to_owned());
    let read = read(&rekordbox_xml(&[&report]));
    assert_eq!(read["COLLECTION"]["TRACK"].as_array().unwrap().len(), 1);
    assert_eq!(read["COLLECTION"]["TRACK"][0]["@Name"], json!("\"/><TRACK a='1'>&amp;[31m two"));
}

#[test]
fn the_playlist_names_every_track() {
    let report = fixture::song();
    let read = read(&rekordbox_xml(&[&report, &report, &report]));
    let playlist = &read["PLAYLISTS"]["NODE"]["NODE"][0];
    let keys: Vec<_> = playlist["TRACK"].as_array().unwrap().iter().map(|track| &track["@Key"]).collect();
    assert_eq!(keys, [1, 2, 3]);
    assert_eq!(read["COLLECTION"]["@Entries"], json!(3));
}

#[test]
fn a_song_without_pulse_has_no_grid() {
    let mut song = fixture::song_json();
    song["analysis"].as_object_mut().unwrap().remove("rhythm");
    song["cues"] = json!([]);
    song["loops"] = json!([]);
    let track = track(&serde_json::from_value(song).unwrap());
    assert!(track.get("TEMPO").is_none() && track.get("POSITION_MARK").is_none());
}
