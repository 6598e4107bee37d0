use std::path::Path;

use serde_json::{Value, json};
use sfa_core::export::{analysis_json, analysis_schema, cues_json, cues_schema, stems_schema};
use sfa_core::song::SongReport;

use crate::fixture;

/// Compares a schema with the one in `docs/schema`, or writes it there when `SFA_WRITE_SCHEMA` is set.
fn check_fresh(schema: &schemars::Schema, file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schema").join(file);
    let fresh = format!("{}\n", serde_json::to_string_pretty(schema).unwrap());
    if std::env::var_os("SFA_WRITE_SCHEMA").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == fresh, "docs/schema/{file} is stale: run cargo xtask schema");
}

fn is_valid(document: &Value) -> bool {
    jsonschema::validator_for(analysis_schema().as_value()).unwrap().is_valid(document)
}

#[test]
fn the_committed_schemas_are_what_the_types_say() {
    check_fresh(&analysis_schema(), "analysis-v1.schema.json");
    check_fresh(&cues_schema(), "cues-v1.schema.json");
    check_fresh(&stems_schema(), "stems-v1.schema.json");
}

#[test]
fn an_analysis_document_follows_its_schema() {
    let document: Value = serde_json::from_str(&analysis_json(&fixture::song())).unwrap();
    let validator = jsonschema::validator_for(analysis_schema().as_value()).unwrap();
    let errors: Vec<_> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn a_song_without_pulse_or_pitch_follows_the_schema_too() {
    let mut song = fixture::song_json();
    for part in ["rhythm", "key", "chroma", "loudness", "energy", "form", "waveform"] {
        song["analysis"].as_object_mut().unwrap().remove(part);
    }
    let report: SongReport = serde_json::from_value(song).unwrap();
    let document: Value = serde_json::from_str(&analysis_json(&report)).unwrap();
    assert!(is_valid(&document));
}

#[test]
fn damaged_documents_do_not_follow_the_schema() {
    let mut song = fixture::song();
    // Thousands of points that every validation below would walk through.
    song.analysis.waveform = None;
    let good: Value = serde_json::from_str(&analysis_json(&song)).unwrap();
    let damages: [(&str, Value); 8] = [
        ("/schema_version", json!(2)),
        ("/file/size_bytes", json!(-1)),
        ("/analysis/rhythm/tempo/bpm", json!("128")),
        ("/analysis/rhythm/beats/7/bar_position", json!(300)),
        ("/analysis/form/sections/0/kind", json!("middle eight")),
        ("/analysis/key/mode", json!("dorian")),
        ("/cues/0/confidence", Value::Null),
        ("/stems/0/kind", json!("kazoo")),
    ];
    for (pointer, damage) in damages {
        let mut document = good.clone();
        *document.pointer_mut(pointer).expect(pointer) = damage;
        assert!(!is_valid(&document), "damage at {pointer} went unseen");
    }
    for part in ["schema_version", "generator", "file", "tags", "analysis", "cues", "loops", "stems"] {
        let mut document = good.clone();
        document.as_object_mut().unwrap().remove(part);
        assert!(!is_valid(&document), "{part} is missing and nobody minds");
    }
}

#[test]
fn an_analysis_document_reads_back_as_the_report_it_was_made_of() {
    let report = fixture::song();
    let read: SongReport = serde_json::from_str(&analysis_json(&report)).unwrap();
    assert_eq!(read.cues.len(), report.cues.len());
    for (one, other) in read.cues.iter().zip(&report.cues) {
        // Six decimals: half a microsecond.
        assert!((one.position_secs - other.position_secs).abs() <= 0.5e-6);
    }
    assert_eq!(analysis_json(&read), analysis_json(&report));
}

#[test]
fn lists_stand_on_one_line_per_element_and_fractions_have_six_decimals_at_most() {
    let text = analysis_json(&fixture::song());
    assert!(text.starts_with("{\n  \"schema_version\": 1,\n  \"generator\":"), "{}", &text[..80]);
    assert!(text.contains("\n        {\"time_secs\": 0.35, \"bar_position\": 1},\n"), "{}", &text[..2_000]);
    assert!(text.contains("\"values\": [0."));
    let longest =
        text.split([',', ']', '}', ' ']).filter_map(|word| word.split_once('.')?.1.parse::<u64>().ok());
    assert!(longest.max().unwrap() < 1_000_000);
}

#[test]
fn cues_are_in_whole_milliseconds_and_follow_their_schema() {
    let document: Value = serde_json::from_str(&cues_json(&fixture::song())).unwrap();
    assert!(jsonschema::validator_for(cues_schema().as_value()).unwrap().is_valid(&document));
    assert_eq!(
        document["cues"][3],
        json!({ "position_ms": 75_350, "label": "Drop 1", "cue_type": "drop", "color": "#F39C12",
                "confidence": 0.908 })
    );
    assert_eq!(
        document["loops"][0],
        json!({ "loop_start_ms": 75_350, "loop_end_ms": 90_350, "loop_beats": 32, "loop_bars": 8,
                "quality_score": 0.97, "section_label": "Drop", "bar_aligned": true, "recommended": true })
    );
}
