//! What is made of tracks: stems, analyses, cues, files for other programs.

use sfa_core::library::{
    AnalysisSummary, Change, CueId, ExportFile, LibraryCue, LibraryErrorKind, LibraryStem, Step, TrackId,
};

use crate::{Desk, blob, cases, kind_of};

cases![
    stems_are_replaced_per_engine,
    takes_of_one_stem_live_side_by_side,
    an_analysis_is_replaced,
    automatic_cues_go_and_own_cues_stay,
    cues_lie_in_order_of_time,
    a_loop_ends_after_it_begins,
    an_analysis_is_amended_while_it_stands,
    a_new_analysis_leaves_the_cues,
    exports_are_replaced_by_the_step_that_made_them,
];

async fn stems_are_replaced_per_engine(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    desk.apply(desk.ann, stems(track, "classic", &["drums", "bass"])).await.unwrap();
    desk.apply(desk.ann, stems(track, "demucs", &["vocals"])).await.unwrap();
    desk.apply(desk.ann, stems(track, "classic", &["other"])).await.unwrap();
    let found = desk.database.stems(desk.ann, track).await.unwrap();
    let kinds: Vec<_> = found.iter().map(|stem| (stem.engine.as_str(), stem.kind.as_str())).collect();
    assert_eq!(kinds, [("classic", "other"), ("demucs", "vocals")]);
    assert_eq!((found[0].peak_dbfs, found[0].rms_dbfs), (Some(-1.5), None));
}

async fn takes_of_one_stem_live_side_by_side(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    let takes =
        ["lead", "backing"].map(|take| LibraryStem { take: take.to_owned(), ..stem("demucs", "vocals") });
    let change = Change::ReplaceStems { track, engine: "demucs".to_owned(), stems: takes.to_vec() };
    desk.apply(desk.ann, change).await.unwrap();
    assert_eq!(desk.database.stems(desk.ann, track).await.unwrap().len(), 2);
    let twice = Change::ReplaceStems {
        track,
        engine: "demucs".to_owned(),
        stems: vec![stem("demucs", "vocals"), stem("demucs", "vocals")],
    };
    assert_eq!(kind_of(desk.apply(desk.ann, twice).await), Some(LibraryErrorKind::Conflict));
    assert_eq!(desk.database.stems(desk.ann, track).await.unwrap().len(), 2, "the old ones stay");
}

async fn an_analysis_is_replaced(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    for (bpm, document) in [(120.0, "{\"a\":1}"), (174.0, "{\"a\":2}")] {
        let summary = AnalysisSummary { bpm: Some(bpm), ..summary() };
        let change =
            Change::ReplaceAnalysis { track, summary: summary.clone(), document: document.to_owned() };
        desk.apply(desk.ann, change).await.unwrap();
        assert_eq!(desk.database.analysis(desk.ann, track).await.unwrap().as_deref(), Some(document));
        assert_eq!(desk.database.track(desk.ann, track).await.unwrap().analysis, Some(summary));
    }
    let bad = AnalysisSummary { energy: Some(11), ..summary() };
    let change = Change::ReplaceAnalysis { track, summary: bad, document: "{}".to_owned() };
    assert_eq!(kind_of(desk.apply(desk.ann, change).await), Some(LibraryErrorKind::Invalid));
}

async fn automatic_cues_go_and_own_cues_stay(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    let set = async |cues: Vec<LibraryCue>| {
        let change = Change::ReplaceCues { track, cues };
        desk.apply(desk.ann, change).await.unwrap();
    };
    set(vec![cue(1000, true), cue(2000, false)]).await;
    set(vec![cue(3000, true)]).await;
    let found = desk.database.cues(desk.ann, track).await.unwrap();
    assert_eq!(found.iter().map(|cue| cue.start_ms).collect::<Vec<_>>(), [2000, 3000]);
}

async fn cues_lie_in_order_of_time(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    let cues = vec![cue(500, true), cue(0, true), cue(100, true)];
    let change = Change::ReplaceCues { track, cues };
    desk.apply(desk.ann, change).await.unwrap();
    let found = desk.database.cues(desk.ann, track).await.unwrap();
    assert_eq!(found.iter().map(|cue| cue.start_ms).collect::<Vec<_>>(), [0, 100, 500]);
}

async fn a_loop_ends_after_it_begins(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    for (start_ms, end_ms) in [(-1, None), (5, Some(5)), (5, Some(4))] {
        let cues = vec![LibraryCue { end_ms, ..cue(start_ms, true) }];
        let change = Change::ReplaceCues { track, cues };
        assert_eq!(kind_of(desk.apply(desk.ann, change).await), Some(LibraryErrorKind::Invalid));
    }
}

async fn an_analysis_is_amended_while_it_stands(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    let amend = |before: &str, after: &str| Change::AmendAnalysis {
        track,
        before: before.to_owned(),
        after: after.to_owned(),
    };
    assert!(desk.apply(desk.ann, amend("{}", "{}")).await.is_err(), "there is none yet");
    desk.apply(desk.ann, analysis(track, "{\"a\":1}")).await.unwrap();
    desk.apply(desk.ann, amend("{\"a\":1}", "{\"a\":2}")).await.unwrap();
    let late = desk.apply(desk.ann, amend("{\"a\":1}", "{\"a\":3}")).await;
    assert_eq!(kind_of(late), Some(LibraryErrorKind::Database), "to be tried again");
    assert_eq!(desk.database.analysis(desk.ann, track).await.unwrap().as_deref(), Some("{\"a\":2}"));
    assert_eq!(desk.database.track(desk.ann, track).await.unwrap().analysis, Some(summary()));
}

async fn a_new_analysis_leaves_the_cues(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    desk.apply(desk.ann, Change::ReplaceCues { track, cues: vec![cue(1000, true)] }).await.unwrap();
    desk.apply(desk.ann, analysis(track, "{}")).await.unwrap();
    assert_eq!(desk.database.cues(desk.ann, track).await.unwrap().len(), 1);
}

async fn exports_are_replaced_by_the_step_that_made_them(desk: Desk) {
    let track = desk.track(desk.ann, "one").await;
    let set = async |step: Step, names: &[&str]| {
        let file = |name: &&str| ExportFile { name: (*name).to_owned(), step, blob: blob(name) };
        let files = names.iter().map(file).collect();
        desk.apply(desk.ann, Change::ReplaceExports { track, step, files }).await.unwrap();
        let files = desk.database.exports(desk.ann, track).await.unwrap();
        files.into_iter().map(|file| (file.name, file.step)).collect::<Vec<_>>()
    };
    let named = |name: &str, step| (name.to_owned(), step);
    set(Step::Export, &["a.xml", "b.txt"]).await;
    set(Step::Midi, &["bass.mid"]).await;
    let expected = [named("bass.mid", Step::Midi), named("c.html", Step::Export)];
    assert_eq!(set(Step::Export, &["c.html"]).await, expected);
    assert_eq!(set(Step::Midi, &[]).await, expected[1..]);
}

fn analysis(track: TrackId, document: &str) -> Change {
    Change::ReplaceAnalysis { track, summary: summary(), document: document.to_owned() }
}

pub(crate) fn stem(engine: &str, kind: &str) -> LibraryStem {
    LibraryStem {
        kind: kind.to_owned(),
        engine: engine.to_owned(),
        take: String::new(),
        file_name: format!("{kind}.flac"),
        blob: blob(kind),
        peak_dbfs: Some(-1.5),
        rms_dbfs: None,
    }
}

pub(crate) fn stems(track: TrackId, engine: &str, kinds: &[&str]) -> Change {
    let stems = kinds.iter().map(|kind| stem(engine, kind)).collect();
    Change::ReplaceStems { track, engine: engine.to_owned(), stems }
}

pub(crate) fn summary() -> AnalysisSummary {
    AnalysisSummary {
        bpm: None,
        key: Some("A minor".to_owned()),
        camelot: Some("8A".to_owned()),
        energy: Some(7),
        lufs: Some(-9.5),
    }
}

pub(crate) fn cue(start_ms: i64, is_automatic: bool) -> LibraryCue {
    LibraryCue {
        id: CueId::random(),
        kind: "drop".to_owned(),
        label: "Drop 1".to_owned(),
        start_ms,
        end_ms: None,
        colour: None,
        pad: None,
        confidence: Some(0.5),
        is_automatic,
    }
}
