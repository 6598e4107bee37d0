//! What the weights are learned from.

use std::io::Write;
use std::path::Path;

use super::decide::{frames_of, home, windows};
use super::evidence::Evidence;
use crate::analyze::harmony::{ChromaFrames, HarmonyCollector};
use crate::io::read_clip;

/// Parts of a song's home stretch that are learned from beside the whole, as shares of its length: music does not
/// always come from its beginning.
const PARTS: [(f64, f64); 4] = [(0.0, 1.0), (0.05, 0.45), (0.3, 0.75), (0.5, 0.97)];

#[test]
#[ignore = "writes what benches/peers/analysis/train_key.py learns from"]
fn evidence_of_songs() {
    let files = std::env::var("SFA_KEY_SONGS").expect("SFA_KEY_SONGS: files of 44.1 kHz, one a line");
    let out = std::env::var("SFA_KEY_EVIDENCE").expect("SFA_KEY_EVIDENCE: where to write lines of JSON");
    let mut out = std::fs::File::create(out).unwrap();
    for file in files.lines() {
        let mut collector = HarmonyCollector::new();
        collector.push(&read_clip(Path::new(file)).unwrap().downmix());
        let frames = ChromaFrames::from_peaks(&collector.finish());
        let windows = windows(&frames);
        let Some(stretch) = home(&frames, &windows) else { continue };
        let home = frames_of(&windows[stretch]);
        let at = |share: f64| home.start + (share * home.len() as f64) as usize;
        let parts: Vec<Evidence> =
            PARTS.iter().map(|&(start, end)| Evidence::of(&frames, at(start)..at(end))).collect();
        writeln!(out, "{}", serde_json::json!({ "file": file, "parts": parts })).unwrap();
    }
}
