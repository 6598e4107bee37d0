//! Analysis of a mix whose stems are there as well.

use sfa_audio::analyze::{Feature, Key, StemSources, StemUse, analyze, analyze_with_stems};
use sfa_audio::{Analysis, AnalyzeOptions, Clip, Watch};

use crate::song::{RATE_HZ, Song};

fn clip(mono: Vec<f32>) -> Clip {
    Clip::from_channels(RATE_HZ, vec![mono]).unwrap()
}

/// A song, its drums alone, and the rest of it.
fn song_and_stems() -> (Clip, Clip, Clip) {
    let quiet = Song { secs: 24.0, ..Song::in_key(Key::all().nth(21).unwrap()) };
    let rest = quiet.render();
    let mix = Song { drums: 0.3, ..quiet }.render();
    let drums = mix.iter().zip(&rest).map(|(mix, rest)| mix - rest).collect();
    (clip(mix), clip(drums), clip(rest))
}

fn with_stems(mix: &Clip, drums: Option<&Clip>, bass: Option<&Clip>, other: Option<&Clip>) -> Analysis {
    let options = AnalyzeOptions::default().features([Feature::Rhythm, Feature::Key]);
    let [mut drums, mut bass, mut other] = [drums, bass, other].map(|stem| stem.map(Clip::source));
    let stems = StemSources {
        drums: drums.as_mut().map(|stem| stem as _),
        bass: bass.as_mut().map(|stem| stem as _),
        other: other.as_mut().map(|stem| stem as _),
        vocals: None,
    };
    analyze_with_stems(&mut mix.source(), stems, &options, &Watch::new()).unwrap()
}

#[test]
fn beats_come_from_drums_and_the_key_from_the_rest() {
    let (mix, drums, rest) = song_and_stems();
    let silence = clip(vec![0.0; rest.frames()]);
    let found = with_stems(&mix, Some(&drums), Some(&silence), Some(&rest));
    assert_eq!(found.stems, [StemUse::BeatsFromDrums, StemUse::KeyFromBassAndOther]);
    assert_eq!(found.key.unwrap().key, Key::all().nth(21).unwrap());
    let of_mix = with_stems(&mix, None, None, None);
    assert_eq!(of_mix.stems, []);
    let (found, of_mix) = (found.rhythm.unwrap(), of_mix.rhythm.unwrap());
    assert!((found.tempo.bpm - of_mix.tempo.bpm).abs() < 0.05, "{} {}", found.tempo.bpm, of_mix.tempo.bpm);
    assert_eq!(found.beats.len(), of_mix.beats.len());
}

#[test]
fn silent_drums_are_not_asked() {
    let (mix, ..) = song_and_stems();
    let silence = clip(vec![0.0; mix.frames()]);
    let found = with_stems(&mix, Some(&silence), None, None);
    assert_eq!(found.stems, []);
    assert_eq!(found.rhythm, with_stems(&mix, None, None, None).rhythm);
}

#[test]
fn stems_of_any_length_and_rate_are_heard() {
    let (mix, drums, rest) = song_and_stems();
    let short = clip(drums.channels()[0][..drums.frames() - 30_000].to_vec());
    let other_rate = Clip::from_channels(48_000, vec![vec![0.0; 100]; 2]).unwrap();
    let found = with_stems(&mix, Some(&short), Some(&other_rate), Some(&rest));
    assert_eq!(found.stems, [StemUse::BeatsFromDrums, StemUse::KeyFromBassAndOther]);
    let tiny = clip(vec![0.1]);
    with_stems(&tiny, Some(&tiny), Some(&tiny), Some(&tiny));
    with_stems(&tiny, Some(&mix), Some(&mix), Some(&tiny));
    with_stems(&mix, Some(&tiny), Some(&tiny), Some(&tiny));
}

#[test]
fn a_tempo_range_decides_between_a_tempo_and_its_double() {
    let (mix, ..) = song_and_stems();
    let bpm = |slowest: f64, fastest: f64| {
        let options = AnalyzeOptions::default().features([Feature::Rhythm]).bpm_range(slowest, fastest);
        analyze(&mut mix.source(), &options, &Watch::new()).map(|found| found.rhythm.unwrap().tempo.bpm)
    };
    let (slow, fast) = (bpm(55.0, 100.0).unwrap(), bpm(101.0, 200.0).unwrap());
    assert!((fast / slow - 2.0).abs() < 0.01, "{slow} {fast}");
    for (slowest, fastest) in [(120.0, 120.0), (150.0, 90.0), (f64::NAN, 100.0), (10.0, 100.0), (60.0, 999.0)]
    {
        let error = bpm(slowest, fastest).unwrap_err();
        assert_eq!(error.kind(), sfa_audio::ErrorKind::InvalidOption, "{error}");
    }
}
