use serde::Deserialize;
use serde_json::json;
use sfa_core::export::traktor_nml;
use sfa_core::song::SongReport;

use crate::fixture;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
struct Nml {
    #[serde(rename = "@VERSION")]
    version: u32,
    collection: Collection,
    playlists: Node,
}

#[derive(Debug, Deserialize)]
struct Collection {
    #[serde(rename = "@ENTRIES")]
    count: usize,
    #[serde(rename = "ENTRY", default)]
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
struct Entry {
    #[serde(rename = "@TITLE")]
    title: String,
    #[serde(rename = "@ARTIST")]
    artist: Option<String>,
    location: Location,
    info: Info,
    musical_key: Option<MusicalKey>,
    #[serde(default)]
    cue_v2: Vec<Cue>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Location {
    #[serde(rename = "@DIR")]
    folder: String,
    #[serde(rename = "@FILE")]
    file: String,
    #[serde(rename = "@VOLUME")]
    volume: String,
}

#[derive(Debug, Deserialize)]
struct Info {
    #[serde(rename = "@KEY")]
    key: Option<String>,
    #[serde(rename = "@BITRATE")]
    bit_rate_bps: Option<u64>,
    #[serde(rename = "@PLAYTIME_FLOAT")]
    duration_secs: f64,
}

#[derive(Debug, Deserialize)]
struct MusicalKey {
    #[serde(rename = "@VALUE")]
    value: u8,
}

#[derive(Debug, Deserialize)]
struct Cue {
    #[serde(rename = "@NAME")]
    name: String,
    #[serde(rename = "@TYPE")]
    kind: u8,
    #[serde(rename = "@START")]
    start_ms: f64,
    #[serde(rename = "@LEN")]
    length_ms: f64,
    #[serde(rename = "@HOTCUE")]
    hot_cue: i8,
    #[serde(rename = "@COLOR")]
    color: Option<String>,
    #[serde(rename = "GRID")]
    grid: Option<Grid>,
}

#[derive(Debug, Deserialize)]
struct Grid {
    #[serde(rename = "@BPM")]
    bpm: f64,
}

/// A folder, a playlist, or the list in it: whatever comes down to entries.
#[derive(Debug, Deserialize)]
struct Node {
    #[serde(rename = "@NAME")]
    name: Option<String>,
    #[serde(rename = "NODE", alias = "SUBNODES", alias = "PLAYLIST")]
    within: Option<Box<Node>>,
    #[serde(rename = "ENTRY", default)]
    entries: Vec<Listed>,
}

#[derive(Debug, Deserialize)]
struct Listed {
    #[serde(rename = "PRIMARYKEY")]
    key: PrimaryKey,
}

#[derive(Debug, Deserialize)]
struct PrimaryKey {
    #[serde(rename = "@KEY")]
    key: String,
}

fn read(tracks: &[&SongReport]) -> Nml {
    quick_xml::de::from_str(&traktor_nml("Friday & late", tracks)).expect("it has Traktor's shape")
}

fn entry(report: &SongReport) -> Entry {
    read(&[report]).collection.entries.remove(0)
}

fn located_at(path: &str) -> (String, String, String) {
    let mut report = fixture::song();
    report.file.path = path.to_owned();
    let Location { folder, file, volume } = entry(&report).location;
    (volume, folder, file)
}

#[track_caller]
fn assert_within_a_millisecond(milliseconds: f64, expected_secs: f64) {
    assert!((milliseconds - expected_secs * 1000.0).abs() < 1.0, "{milliseconds} ms, not {expected_secs} s");
}

#[test]
fn a_track_has_its_facts() {
    let entry = entry(&fixture::song());
    assert_eq!((entry.title.as_str(), entry.artist.as_deref()), ("Marble Run", Some("Nils & Ada")));
    // A minor: the tenth minor key from C up, after twelve major ones.
    assert_eq!(entry.musical_key.unwrap().value, 21);
    assert_eq!((entry.info.key.as_deref(), entry.info.bit_rate_bps), (Some("1m"), Some(1_190_400)));
    assert!((entry.info.duration_secs - 212.25).abs() < 1e-5);
}

#[test]
fn a_song_that_was_only_listened_to_has_no_grid_and_no_key() {
    let mut report = fixture::song();
    (report.analysis.rhythm, report.analysis.key) = (None, None);
    (report.cues, report.loops) = (Vec::new(), Vec::new());
    let entry = entry(&report);
    assert!(entry.cue_v2.is_empty() && entry.musical_key.is_none(), "{entry:?}");
}

#[test]
fn cues_are_on_the_pads_and_loops_are_stored() {
    let report = fixture::song();
    let entry = entry(&report);
    let marks: Vec<_> = entry.cue_v2.iter().filter(|cue| cue.kind != 4).collect();
    for (number, (mark, cue)) in marks.iter().zip(&report.cues).enumerate() {
        assert_eq!((mark.name.as_str(), mark.hot_cue), (cue.label.as_str(), number as i8));
        // Where a deck is loaded is a kind of its own.
        assert_eq!(mark.kind, if number == 0 { 3 } else { 0 });
        assert_eq!(mark.color.as_deref(), Some(String::from(cue.color).as_str()));
        assert_within_a_millisecond(mark.start_ms, cue.position_secs);
    }
    let loops = &marks[report.cues.len()..];
    assert_eq!(loops.len(), 3, "the recommended ones");
    for (mark, point) in loops.iter().zip(&report.loops) {
        assert_eq!((mark.kind, mark.hot_cue), (5, -1));
        assert_within_a_millisecond(mark.start_ms, point.start_secs);
        assert_within_a_millisecond(mark.length_ms, point.end_secs - point.start_secs);
    }
}

#[test]
fn grid_markers_stand_on_downbeats_and_reproduce_the_beats() {
    let mut song = fixture::song_json();
    song["analysis"]["rhythm"]["grid"] = json!([
        { "start_secs": 0.25, "bpm": 127.9951, "bar_position": 3 },
        { "start_secs": 60.0, "bpm": 100.0, "bar_position": 1 },
        // It ends before it comes to a downbeat.
        { "start_secs": 66.0, "bpm": 60.0, "bar_position": 2 },
        { "start_secs": 68.0, "bpm": 90.0, "bar_position": 4 },
    ]);
    let entry = entry(&serde_json::from_value(song).unwrap());
    let markers: Vec<_> = entry.cue_v2.iter().filter(|cue| cue.kind == 4).collect();
    let expected =
        [(0.25 + 2.0 * 60.0 / 127.9951, 127.9951), (60.0, 100.0), (66.0, 60.0), (68.0 + 60.0 / 90.0, 90.0)];
    assert_eq!(markers.len(), expected.len());
    for (marker, (start_secs, bpm)) in markers.iter().zip(expected) {
        assert_eq!((marker.name.as_str(), marker.hot_cue), ("AutoGrid", -1));
        assert_within_a_millisecond(marker.start_ms, start_secs);
        assert!((marker.grid.as_ref().unwrap().bpm - bpm).abs() < 1e-6);
    }
    // Over the length of a song the rounded tempo runs off by less than a millisecond.
    let beats = 200.0 * 127.9951 / 60.0;
    let last_ms = markers[0].start_ms + beats * 60_000.0 / markers[0].grid.as_ref().unwrap().bpm;
    assert_within_a_millisecond(last_ms, expected[0].0 + 200.0);
}

#[test]
fn paths_have_their_volume() {
    let check = |path: &str, (volume, folder, file): (&str, &str, &str)| {
        assert_eq!(located_at(path), (volume.to_owned(), folder.to_owned(), file.to_owned()), "{path}");
    };
    check("/Users/ann/Music/a.mp3", ("Macintosh HD", "/:Users/:ann/:Music/:", "a.mp3"));
    check("/Volumes/USB 1/Sets/a.mp3", ("USB 1", "/:Sets/:", "a.mp3"));
    check(r"C:\Music\Ann & Ben\a.mp3", ("C:", "/:Music/:Ann & Ben/:", "a.mp3"));
    check(r"\\?\D:\a.mp3", ("D:", "/:", "a.mp3"));
    check("/music/a: b.mp3", ("Macintosh HD", "/:music/:", "a// b.mp3"));
}

#[test]
fn the_playlist_names_the_collection_s_files_in_order() {
    let songs = ["/Users/ann/b.mp3", "/Users/ann/a.mp3"].map(|path| {
        let mut report = fixture::song();
        report.file.path = path.to_owned();
        report
    });
    let nml = read(&songs.iter().collect::<Vec<_>>());
    assert_eq!((nml.version, nml.collection.count), (19, 2));
    let mut node = &nml.playlists;
    let mut names = Vec::new();
    while let Some(within) = &node.within {
        names.extend(within.name.as_deref());
        node = within;
    }
    assert_eq!(names, ["$ROOT", "Friday & late"]);
    let keys: Vec<_> = node.entries.iter().map(|entry| entry.key.key.as_str()).collect();
    assert_eq!(keys, ["Macintosh HD/:Users/:ann/:b.mp3", "Macintosh HD/:Users/:ann/:a.mp3"]);
}
