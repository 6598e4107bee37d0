use std::fs::File;
use std::path::Path;

use serde_json::Value;

use crate::analyze::{Form, FormEventKind};
use crate::io::read_clip;

use super::songs::{find, rhythm};

/// The form of a synthesised song on its true beats, its truth, or `None` where the songs are not there.
fn song(name: &str) -> Option<(Form, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/audio/synth").join(name);
    if !folder.exists() {
        eprintln!("skipped: {} is not there", folder.display());
        return None;
    }
    let truth: Value = serde_json::from_reader(File::open(folder.join("truth.json")).unwrap()).unwrap();
    let (beats, downbeats) = (times(&truth["beats"]), times(&truth["downbeats"]));
    let first = beats.iter().position(|beat| (beat - downbeats[0]).abs() < 0.01).unwrap();
    let rhythm = rhythm(&beats, truth["meter"].as_u64().unwrap() as usize, first);
    Some((find(&decode(&folder.join("mix.flac")), Some(&rhythm)).unwrap(), truth))
}

fn times(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().filter_map(Value::as_f64).collect()
}

/// The mean of the channels.
fn decode(path: &Path) -> Vec<f32> {
    let mut mono = Vec::new();
    read_clip(path).unwrap().downmix_into(&mut mono);
    mono
}

fn drops(form: &Form) -> Vec<f64> {
    form.events
        .iter()
        .filter(|event| event.kind == FormEventKind::Drop)
        .map(|event| event.start_secs)
        .collect()
}

#[test]
fn planted_drops_are_found_within_a_bar_and_nowhere_else() {
    for name in ["song_01_house", "song_02_dnb", "song_06_techno", "song_07_trance"] {
        let Some((form, truth)) = song(name) else { continue };
        let (found, planted, downbeats) = (drops(&form), times(&truth["drops"]), times(&truth["downbeats"]));
        let bar_secs = downbeats[1] - downbeats[0];
        assert_eq!(found.len(), planted.len(), "{name}: {found:?} for {planted:?}");
        assert!(found.iter().zip(&planted).all(|(a, b)| (a - b).abs() < bar_secs), "{name}: {found:?}");
    }
}

#[test]
fn songs_without_drops_get_none_and_their_parts_start_where_they_should() {
    for name in ["song_03_hiphop", "song_04_rock", "song_05_ballad", "song_11_waltz"] {
        let Some((form, truth)) = song(name) else { continue };
        assert!(drops(&form).is_empty(), "{name}");
        let starts: Vec<f64> = truth["sections"].as_array().unwrap()[1..]
            .iter()
            .map(|section| section["start"].as_f64().unwrap())
            .collect();
        let near = |time: f64| form.sections.iter().any(|section| (section.start_secs - time).abs() < 0.5);
        let hits = starts.iter().filter(|&&time| near(time)).count();
        // One boundary in five may be missed: some parts differ by little but a melody.
        assert!(hits * 5 >= starts.len() * 4, "{name}: {hits} of {}", starts.len());
    }
}
