use crate::Watch;
use crate::analyze::timbre::TimbreFeatures;
use crate::analyze::{Form, FormEventKind, SectionKind, form};
use crate::cue::{CueKind, find_loops, suggest_cues};

use super::songs::{BAR_SECS, Sound, analysis, find, render, steady_rhythm};

const FULL: Sound = Sound { kick: 1.0, bass: 0.6, chord: 1.0, hat: 1.0, riser: 0.0 };
const QUIET: Sound = Sound { kick: 0.0, bass: 0.0, chord: 1.0, hat: 0.0, riser: 0.0 };
const BUILD: Sound = Sound { kick: 0.4, bass: 0.0, chord: 0.7, hat: 0.0, riser: 1.0 };

fn starts(form: &Form) -> Vec<f64> {
    form.sections.iter().map(|section| section.start_secs).collect()
}

fn kinds(form: &Form) -> Vec<SectionKind> {
    form.sections.iter().map(|section| section.kind).collect()
}

fn event_starts(form: &Form, kind: FormEventKind) -> Vec<f64> {
    form.events.iter().filter(|event| event.kind == kind).map(|event| event.start_secs).collect()
}

/// Bars of intro, first drop's build, drop, breakdown, build, drop and outro.
fn dance_song() -> (Vec<f32>, Vec<f64>) {
    let kick_only = Sound { kick: 1.0, hat: 0.3, ..Sound::default() };
    let parts = [(8, kick_only), (4, BUILD), (8, FULL), (8, QUIET), (4, BUILD), (8, FULL), (8, kick_only)];
    let bars = parts.iter().scan(0, |at, (bars, _)| {
        let start = *at;
        *at += bars;
        Some(start as f64 * BAR_SECS)
    });
    (render(&parts), bars.collect())
}

#[test]
fn a_dance_song_is_cut_and_named_as_planted() {
    let (samples, planted) = dance_song();
    let form = find(&samples, Some(&steady_rhythm(96.0))).unwrap();
    assert_eq!(starts(&form), planted);
    use SectionKind::{Breakdown, BuildUp, Drop, Intro, Outro};
    assert_eq!(kinds(&form), [Intro, BuildUp, Drop, Breakdown, BuildUp, Drop, Outro]);
    assert_eq!(form.sections[2].group, form.sections[5].group, "the drop comes back");
    assert_eq!(event_starts(&form, FormEventKind::Drop), [24.0, 64.0]);
    assert_eq!(event_starts(&form, FormEventKind::BuildUp), [16.0, 56.0]);
    assert_eq!(event_starts(&form, FormEventKind::Breakdown), [40.0]);
}

#[test]
fn phrases_are_the_eights_that_sections_are_made_of() {
    let (samples, planted) = dance_song();
    let form = find(&samples, Some(&steady_rhythm(96.0))).unwrap();
    assert_eq!(form.phrase_bars, Some(8));
    let bars: Vec<u32> = form.phrases.iter().map(|phrase| phrase.bars).collect();
    assert_eq!(bars, [8, 4, 8, 8, 4, 8, 8]);
    let starts: Vec<f64> = form.phrases.iter().map(|phrase| phrase.start_secs).collect();
    assert_eq!(starts, planted);
    let first_bars: Vec<u32> = form.phrases.iter().map(|phrase| phrase.first_bar).collect();
    assert_eq!(first_bars, [1, 9, 13, 21, 29, 33, 41]);
    assert!(form.phrases.iter().all(|phrase| phrase.confidence > 0.5), "{:?}", form.phrases);
}

#[test]
fn long_sections_of_one_sound_are_counted_from_their_start() {
    let parts = [(5, QUIET), (32, FULL), (16, QUIET), (16, FULL)];
    let form = find(&render(&parts), Some(&steady_rhythm(138.0))).unwrap();
    let cuts: Vec<(f64, u32)> = form.phrases.iter().map(|phrase| (phrase.start_secs, phrase.bars)).collect();
    assert_eq!(form.phrase_bars, Some(16));
    assert_eq!(cuts[cuts.len() - 4..], [(10.0, 16), (42.0, 16), (74.0, 16), (106.0, 16)], "{cuts:?}");
    assert!(find(&render(&[(16, FULL)]), None).unwrap().phrases.is_empty());
}

#[test]
fn drops_stay_within_a_bar_when_downbeats_are_half_a_bar_off() {
    let (samples, _) = dance_song();
    let mut rhythm = steady_rhythm(96.0);
    for beat in &mut rhythm.beats {
        beat.bar_position = (beat.bar_position + 1) % 4 + 1;
    }
    let drops = event_starts(&find(&samples, Some(&rhythm)).unwrap(), FormEventKind::Drop);
    assert_eq!(drops.len(), 2, "{drops:?}");
    assert!(
        drops.iter().zip([24.0, 64.0]).all(|(drop, planted)| (drop - planted).abs() <= BAR_SECS),
        "{drops:?}"
    );
}

#[test]
fn a_song_of_verses_and_choruses_has_no_drops() {
    let verse = Sound { kick: 0.7, bass: 0.4, chord: 0.8, hat: 0.0, riser: 0.0 };
    let chorus = Sound { kick: 0.7, bass: 0.4, chord: 1.4, hat: 1.0, riser: 0.0 };
    let parts = [(4, QUIET), (8, verse), (8, chorus), (8, verse), (8, chorus), (4, QUIET)];
    let form = find(&render(&parts), Some(&steady_rhythm(80.0))).unwrap();
    assert_eq!(starts(&form), [0.0, 8.0, 24.0, 40.0, 56.0, 72.0]);
    use SectionKind::{Chorus, Intro, Outro, Verse};
    assert_eq!(kinds(&form), [Intro, Verse, Chorus, Verse, Chorus, Outro]);
    assert!(event_starts(&form, FormEventKind::Drop).is_empty());
}

#[test]
fn layers_that_come_one_by_one_are_one_intro() {
    let first = Sound { kick: 0.7, ..Sound::default() };
    let second = Sound { kick: 0.7, bass: 0.4, chord: 0.7, ..Sound::default() };
    let chorus = Sound { kick: 0.7, bass: 0.4, chord: 1.4, hat: 1.0, riser: 0.0 };
    let form = find(
        &render(&[(2, first), (2, second), (8, chorus), (8, QUIET), (8, chorus)]),
        Some(&steady_rhythm(56.0)),
    );
    assert_eq!(starts(&form.unwrap()), [0.0, 8.0, 24.0, 40.0]);
}

#[test]
fn one_part_is_no_intro() {
    let form = find(&render(&[(8, FULL)]), Some(&steady_rhythm(16.0))).unwrap();
    assert_eq!(kinds(&form), [SectionKind::Verse]);
}

#[test]
fn without_beats_sections_come_from_timbre_alone() {
    let samples =
        render(&[(10, QUIET), (10, Sound { hat: 1.0, chord: 1.0, ..Sound::default() }), (10, QUIET)]);
    let form = find(&samples, None).unwrap();
    let found = starts(&form);
    assert_eq!(found.len(), 3, "{found:?}");
    // The raster without beats is a second.
    assert!((found[1] - 20.0).abs() <= 1.0 && (found[2] - 40.0).abs() <= 1.0, "{found:?}");
    assert!(form.loops.is_empty());
    let analysis = analysis(form, None, 60.0);
    assert!(suggest_cues(&analysis).iter().all(|cue| cue.kind != CueKind::Load));
    assert!(find_loops(&analysis).is_empty());
}

#[test]
fn strange_songs_have_one_section_from_start_to_end() {
    for samples in [vec![0.5; 1], vec![0.1; 4410], vec![0.0; 44_100 * 5], vec![f32::NAN; 44_100]] {
        let form = find(&samples, None).unwrap();
        assert_eq!(form.sections.len(), 1);
        assert_eq!(form.sections[0].start_secs, 0.0);
        assert_eq!(form.sections[0].end_secs, samples.len() as f64 / 44_100.0);
    }
    for duration_secs in [0.0, -1.0, f64::NAN] {
        let form = form::find(&TimbreFeatures::default(), None, None, None, duration_secs, &Watch::new());
        assert_eq!(form.unwrap(), Form::default());
    }
}

#[test]
fn a_song_as_long_as_a_set_stays_cheap_and_whole() {
    let duration_secs = 7200.0;
    let rhythm = steady_rhythm(duration_secs);
    let form =
        form::find(&TimbreFeatures::default(), None, Some(&rhythm), None, duration_secs, &Watch::new());
    let form = form.unwrap();
    assert_eq!(form.sections.last().unwrap().end_secs, duration_secs);
}

#[test]
fn a_stopped_watch_stops_the_search() {
    let watch = Watch::new();
    watch.stop();
    let form = form::find(&TimbreFeatures::default(), None, None, None, 10.0, &watch);
    assert!(form.unwrap_err().is_cancelled());
}

#[test]
fn a_dance_song_gets_its_cues_on_eight_pads() {
    let (samples, _) = dance_song();
    let rhythm = steady_rhythm(96.0);
    let form = find(&samples, Some(&rhythm)).unwrap();
    let cues = suggest_cues(&analysis(form, Some(rhythm), 96.0));
    let at = |secs: f64| cues.iter().find(|cue| cue.position_secs == secs).map(|cue| cue.label.as_str());
    assert_eq!(at(0.0), Some("Load"));
    assert_eq!(at(24.0), Some("Drop 1"));
    assert_eq!(at(40.0), Some("Breakdown 1"));
    assert_eq!(at(64.0), Some("Drop 2"));
    assert_eq!(at(80.0), Some("Mix out"));
    let pads: Vec<u8> = cues.iter().filter_map(|cue| cue.hot_cue).collect();
    assert_eq!(pads, (0..pads.len() as u8).collect::<Vec<_>>());
    assert!(pads.len() <= 8);
}

#[test]
fn loops_are_whole_bars_and_the_best_five_are_recommended() {
    let (samples, _) = dance_song();
    let rhythm = steady_rhythm(96.0);
    let form = find(&samples, Some(&rhythm)).unwrap();
    let loops = find_loops(&analysis(form, Some(rhythm), 96.0));
    assert!(loops.iter().any(|found| found.section == "Drop" && found.bars == 4 && found.quality > 0.8));
    for found in &loops {
        assert_eq!(found.beats, 4 * found.bars);
        assert_eq!(found.end_secs - found.start_secs, f64::from(found.bars) * BAR_SECS);
        assert!((0.6..=1.0).contains(&found.quality));
    }
    assert_eq!(loops.iter().filter(|found| found.recommended).count(), 5);
}
