//! Reading songs of known truth, and measuring how near an estimate comes.

use std::error::Error;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sfa_audio::analyze::{AnalyzeOptions, Feature, Rhythm, analyze};
use sfa_audio::io::AudioReader;
use sfa_audio::{AudioSource, Result, Watch};

/// A song and what is true of it.
pub(crate) struct KnownSong {
    pub(crate) name: String,
    pub(crate) mix: PathBuf,
    pub(crate) bpm: f64,
    pub(crate) beats_per_bar: Option<u64>,
    pub(crate) beats: Vec<f64>,
    pub(crate) downbeats: Vec<f64>,
}

/// Every folder in `folder` that holds a `mix.*` and a `truth.json`, by name.
pub(crate) fn known_songs(folder: &Path) -> std::result::Result<Vec<KnownSong>, Box<dyn Error>> {
    let mut songs = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let song = entry?.path();
        let Ok(text) = std::fs::read_to_string(song.join("truth.json")) else { continue };
        let truth: Value = serde_json::from_str(&text)?;
        let times = |key: &str| -> Vec<f64> {
            truth[key]
                .as_array()
                .map_or(Vec::new(), |values| values.iter().filter_map(Value::as_f64).collect())
        };
        let mix = std::fs::read_dir(&song)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .find(|path| path.file_stem().is_some_and(|stem| stem == "mix"));
        songs.push(KnownSong {
            name: song.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            mix: mix.ok_or("no mix beside truth.json")?,
            bpm: truth["bpm_median"].as_f64().or(truth["bpm"].as_f64()).ok_or("no bpm in truth.json")?,
            beats_per_bar: truth["meter"].as_u64(),
            beats: times("beats"),
            downbeats: times("downbeats"),
        });
    }
    songs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(songs)
}

/// The rhythm of a file, as every caller gets it.
pub(crate) fn rhythm_of_file(path: &Path) -> Result<Option<Rhythm>> {
    rhythm_of_source(&mut AudioReader::open(path)?, &Watch::new())
}

pub(crate) fn rhythm_of_source(source: &mut dyn AudioSource, watch: &Watch) -> Result<Option<Rhythm>> {
    let options = AnalyzeOptions::default().features([Feature::Rhythm]);
    Ok(analyze(source, &options, watch)?.rhythm)
}

/// Twice the events within 70 ms of each other over all events, the first seconds included.
pub(crate) fn f_measure(truth: &[f64], estimate: &[f64]) -> f64 {
    const TOLERANCE_SECS: f64 = 0.07;
    let (mut hits, mut next) = (0, 0);
    for &time in truth {
        while next < estimate.len() && estimate[next] < time - TOLERANCE_SECS {
            next += 1;
        }
        if next < estimate.len() && estimate[next] <= time + TOLERANCE_SECS {
            hits += 1;
            next += 1;
        }
    }
    2.0 * f64::from(hits) / (truth.len() + estimate.len()).max(1) as f64
}

/// Median signed distance of the estimated events to the true ones they hit, in seconds.
pub(crate) fn median_offset(truth: &[f64], estimate: &[f64]) -> f64 {
    let mut offsets: Vec<f64> = estimate
        .iter()
        .filter_map(|time| {
            let offsets = truth.iter().map(|event| time - event).filter(|offset| offset.abs() < 0.07);
            offsets.min_by(|a, b| a.abs().total_cmp(&b.abs()))
        })
        .collect();
    offsets.sort_by(f64::total_cmp);
    offsets.get(offsets.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Whether a tempo is within a share of the true one, at once or (`folded`) at a simple multiple.
pub(crate) fn tempo_is_near(bpm: f64, true_bpm: f64, share: f64, folded: bool) -> bool {
    let ratios: &[f64] = if folded { &[1.0, 2.0, 0.5, 3.0, 1.0 / 3.0] } else { &[1.0] };
    ratios.iter().any(|ratio| (bpm / (true_bpm * ratio) - 1.0).abs() <= share)
}
