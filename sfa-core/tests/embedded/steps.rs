//! What is made of a song step by step, as its user's settings say.

use std::fs;
use std::time::Duration;

use sfa_core::audio::analyze::{Feature, StemUse};
use sfa_core::audio::io::{AudioFormat, BitDepth, EncodeOptions, probe, write_clip};
use sfa_core::demo::{DemoOptions, song};
use sfa_core::library::{
    Change, CueId, Library, LibraryErrorKind, LibraryStem, PlacedCue, Settings, Step, TrackId,
};
use sfa_core::song::SongReport;
use sfa_core::{StemKind, StemSelection, Watch};

use crate::{ME, open, quickly, write_song};

/// The kept analysis of a track.
async fn analysis(library: &Library, id: TrackId) -> SongReport {
    serde_json::from_str(&library.rows().analysis(ME, id).await.unwrap().unwrap()).unwrap()
}

async fn export(library: &Library, id: TrackId, name: &str) -> String {
    let file =
        library.rows().exports(ME, id).await.unwrap().into_iter().find(|file| file.name == name).unwrap();
    let bytes =
        library.files().read(&file.blob.hash, 0..u64::try_from(file.blob.size_bytes).unwrap()).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

async fn export_names(library: &Library, id: TrackId) -> Vec<String> {
    library.rows().exports(ME, id).await.unwrap().into_iter().map(|file| file.name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_are_done_one_by_one_and_anew() {
    let desk = tempfile::tempdir().unwrap();
    let library = open(&desk.path().join("library")).await;
    let mut settings = library.settings(ME).await.unwrap();
    settings.steps = vec![Step::Analyze, Step::Chords];
    settings.features = vec![Feature::Rhythm, Feature::Form];
    library.set_settings(ME, &settings).await.unwrap();
    let id = library.import(ME, &write_song(desk.path(), "song.flac", 30.0)).await.unwrap().track.id;
    let worker = library.start_worker(quickly()).await.unwrap();
    library.wait(ME, id, |_, _| {}).await.unwrap();
    let first = analysis(&library, id).await;
    assert_eq!(first.analysis.features, [Feature::Rhythm, Feature::Form, Feature::Chords]);
    assert!(first.analysis.chords.is_some_and(|chords| !chords.is_empty()));
    assert!(first.cues.is_empty() && library.rows().cues(ME, id).await.unwrap().is_empty());
    assert!(export_names(&library, id).await.is_empty());

    let own = CueId::random();
    let mine = PlacedCue {
        kind: "own".to_owned(),
        label: "mine".to_owned(),
        start_ms: 1,
        end_ms: None,
        colour: None,
        pad: Some(7),
    };
    library.apply(ME, vec![Change::AddCue(id, own, mine.clone())]).await.unwrap();
    for (most, expected) in [(3, 3), (1, 1)] {
        settings.most_cues = Some(most);
        settings.most_loops = Some(0);
        library.set_settings(ME, &settings).await.unwrap();
        library.process(ME, id, Step::Cues).await.unwrap();
        library.wait(ME, id, |_, _| {}).await.unwrap();
        let cues = library.rows().cues(ME, id).await.unwrap();
        assert_eq!(cues.iter().filter(|cue| cue.is_automatic).count(), expected);
        assert!(cues.iter().any(|cue| cue.id == own), "the user's own stays");
        let report = analysis(&library, id).await;
        assert_eq!((report.cues.len(), report.loops.len()), (expected, 0));
        assert!(report.analysis.chords.is_some(), "nothing else is lost");
    }

    library.process(ME, id, Step::Midi).await.unwrap();
    library.wait(ME, id, |_, _| {}).await.unwrap();
    assert_eq!(export_names(&library, id).await, ["notes.mid"], "of the mix, as there are no stems");
    library.process(ME, id, Step::Export).await.unwrap();
    library.wait(ME, id, |_, _| {}).await.unwrap();
    let names = export_names(&library, id).await;
    assert!(names.len() == 6 && names.contains(&"notes.mid".to_owned()), "{names:?}");
    let looped = PlacedCue {
        kind: "loop".to_owned(),
        label: "my loop".to_owned(),
        start_ms: 4000,
        end_ms: Some(8000),
        ..mine
    };
    let found = library.rows().cues(ME, id).await.unwrap();
    let found = found.iter().find(|cue| cue.is_automatic).unwrap();
    library.apply(ME, vec![Change::SetCue(id, own, looped), Change::RemoveCue(id, found.id)]).await.unwrap();
    library.process(ME, id, Step::Export).await.unwrap();
    library.wait(ME, id, |_, _| {}).await.unwrap();
    let xml = export(&library, id, "rekordbox.xml").await;
    assert!(
        xml.contains("Name=\"my loop\" Type=\"4\" Start=\"4.000000\" End=\"8.000000\" Num=\"7\""),
        "{xml}"
    );
    assert!(!xml.contains(&format!("Name=\"{}\"", found.label)), "what was removed is gone: {xml}");
    worker.shutdown(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_decide_which_stems_are_kept_and_how() {
    let desk = tempfile::tempdir().unwrap();
    let library = open(&desk.path().join("library")).await;
    let mut settings = library.settings(ME).await.unwrap();
    settings.steps = vec![Step::Separate];
    settings.stems = StemSelection::Only(vec![StemKind::NoVocals]);
    settings.stem_format = "wav".to_owned();
    settings.stem_bit_depth = BitDepth::Int24;
    settings.stem_names = "{title} ({stem})".to_owned();
    let small = write_song(desk.path(), "song.flac", 4.0);
    let large = write_song(desk.path(), "large.flac", 60.0);
    settings.largest_import_bytes = Some(fs::metadata(&small).unwrap().len());
    library.set_settings(ME, &settings).await.unwrap();
    let refused = library.import(ME, &large).await.unwrap_err();
    assert!(refused.to_string().contains("largest_import_bytes"), "{refused}");
    let id = library.import(ME, &small).await.unwrap().track.id;
    let worker = library.start_worker(quickly()).await.unwrap();
    library.wait(ME, id, |_, _| {}).await.unwrap();
    worker.shutdown(Duration::ZERO).await;
    let out = desk.path().join("out");
    let files = library.check_out(ME, id, &out).await.unwrap();
    let karaoke = out.join("song (no_vocals).wav");
    assert_eq!(files, [out.join("song.flac"), karaoke.clone()]);
    let probe = probe(&karaoke, &Watch::new()).unwrap();
    assert_eq!((probe.info.container.as_str(), probe.info.bits_per_sample), ("WAV", Some(24)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_analysis_reads_the_stems_of_a_model() {
    let desk = tempfile::tempdir().unwrap();
    let library = open(&desk.path().join("library")).await;
    let mut settings = library.settings(ME).await.unwrap();
    settings.steps = vec![Step::Analyze];
    settings.features = vec![Feature::Rhythm, Feature::Key];
    library.set_settings(ME, &settings).await.unwrap();
    let id = library.import(ME, &write_song(desk.path(), "song.flac", 12.0)).await.unwrap().track.id;
    let engine = "demucs/htdemucs".to_owned();
    let mut stems = Vec::new();
    for (kind, clip) in song(&DemoOptions::default().duration_secs(12.0)).unwrap().stems {
        let path = desk.path().join(format!("{kind}.flac"));
        write_clip(&path, &clip, &EncodeOptions::new(AudioFormat::Flac), None).unwrap();
        let staged = library.files().stage_file(&path).await.unwrap();
        stems.push(LibraryStem {
            kind: kind.to_string(),
            engine: engine.clone(),
            take: String::new(),
            file_name: format!("{kind}.flac"),
            blob: library.files().publish(staged).await.unwrap(),
            peak_dbfs: None,
            rms_dbfs: None,
        });
    }
    library.apply(ME, vec![Change::ReplaceStems { track: id, engine, stems }]).await.unwrap();
    let worker = library.start_worker(quickly()).await.unwrap();
    library.wait(ME, id, |_, _| {}).await.unwrap();
    let heard = analysis(&library, id).await.analysis.stems;
    assert_eq!(heard, [StemUse::BeatsFromDrums, StemUse::KeyFromBassAndOther]);
    settings.hear_stems = false;
    library.set_settings(ME, &settings).await.unwrap();
    library.process(ME, id, Step::Analyze).await.unwrap();
    library.wait(ME, id, |_, _| {}).await.unwrap();
    assert!(analysis(&library, id).await.analysis.stems.is_empty());
    library.process(ME, id, Step::Midi).await.unwrap();
    library.wait(ME, id, |_, _| {}).await.unwrap();
    worker.shutdown(Duration::ZERO).await;
    assert_eq!(export_names(&library, id).await, ["bass.mid", "drums.mid", "other.mid", "vocals.mid"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_songs_are_a_batch() {
    let desk = tempfile::tempdir().unwrap();
    let library = open(&desk.path().join("library")).await;
    let mut settings = Settings::of_steps([Step::Analyze]);
    settings.features = vec![Feature::Loudness];
    library.set_settings(ME, &settings).await.unwrap();
    let mut tracks = Vec::new();
    for (name, secs) in [("a.flac", 4.0), ("b.flac", 40.0)] {
        tracks.push(library.import(ME, &write_song(desk.path(), name, secs)).await.unwrap().track.id);
    }
    let none = library.process_all(ME, &[], Step::Analyze, "none").await.unwrap_err();
    assert_eq!(none.kind(), LibraryErrorKind::Invalid);
    let doubled = [tracks.clone(), tracks.clone()].concat();
    // The work on both waits already: it counts towards the batch.
    let id = library.process_all(ME, &doubled, Step::Analyze, "both").await.unwrap();
    let batch = async || library.rows().batch(ME, id).await.unwrap();
    assert_eq!((batch().await.total, batch().await.percent()), (2, 0));
    let worker = library.start_worker(quickly()).await.unwrap();
    for track in tracks {
        library.wait(ME, track, |_, _| {}).await.unwrap();
    }
    worker.shutdown(Duration::ZERO).await;
    assert_eq!((batch().await.percent(), batch().await.failed), (100, 0));
    assert_eq!(library.rows().batches(ME, 0).await.unwrap(), [batch().await]);
}
