use proptest::prelude::*;

use crate::Watch;
use crate::analyze::{Curve, form, timbre::TimbreFeatures};
use crate::cue::{find_loops, suggest_cues};

use super::songs::{analysis, rhythm};

/// Noise whose level and colour jump every half second.
fn restless_audio() -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec((0.0..1.0f32, 1..200usize), 0..60).prop_map(|pieces| {
        let mut noise = 1u32;
        let mut held = 0.0;
        let mut samples = Vec::new();
        for (level, hold) in pieces {
            for frame in 0..22_050 {
                if frame % hold == 0 {
                    noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    held = (noise >> 8) as f32 / (1 << 23) as f32 - 1.0;
                }
                samples.push(level * level * held);
            }
        }
        samples
    })
}

/// Beats at uneven steps, some far apart, some beyond the end.
fn uneven_beats() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(prop_oneof![9 => 0.25..0.7f64, 1 => 0.0..8.0f64], 0..90).prop_map(|steps| {
        steps
            .into_iter()
            .scan(0.0, |time, step| {
                *time += step;
                Some(*time)
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn form_tiles_the_song_on_its_grid_and_cues_keep_apart(
        samples in restless_audio(),
        beats in uneven_beats(),
        beats_per_bar in 1..8usize,
        levels in prop::collection::vec(0.0..1.0f32, 0..40),
        has_beats in any::<bool>(),
    ) {
        let duration_secs = samples.len() as f64 / 44_100.0;
        let rhythm = has_beats.then(|| rhythm(&beats, beats_per_bar, beats_per_bar / 2));
        let downbeats: Vec<f64> = rhythm.iter().flat_map(|rhythm| rhythm.downbeats()).collect();
        let is_on_grid = |secs: f64| !has_beats || downbeats.len() < 4 || secs == 0.0 || downbeats.contains(&secs);
        let energy = Curve { hop_secs: 1.0, values: levels };
        let timbre = TimbreFeatures::of_samples(&samples, 4096);
        let form = form::find(&timbre, None, rhythm.as_ref(), Some(&energy), duration_secs, &Watch::new()).unwrap();

        if duration_secs > 0.0 {
            prop_assert_eq!(form.sections[0].start_secs, 0.0);
            prop_assert_eq!(form.sections[form.sections.len() - 1].end_secs, duration_secs);
        }
        for pair in form.sections.windows(2) {
            prop_assert_eq!(pair[0].end_secs, pair[1].start_secs);
        }
        let inside_bars = downbeats.iter().filter(|&&time| time < duration_secs - 0.1).count() >= 4;
        for section in &form.sections {
            prop_assert!(section.start_secs < section.end_secs);
            prop_assert!(!inside_bars || is_on_grid(section.start_secs), "{}", section.start_secs);
            prop_assert!((0.0..=1.0).contains(&section.energy) && (0.0..=1.0).contains(&section.confidence));
        }
        for event in &form.events {
            prop_assert!(event.start_secs < event.end_secs);
            prop_assert!(!inside_bars || is_on_grid(event.start_secs));
            prop_assert!((0.0..=1.0).contains(&event.intensity) && (0.0..=1.0).contains(&event.confidence));
        }
        for phrase in &form.phrases {
            prop_assert!(downbeats.contains(&phrase.start_secs) && phrase.start_secs < phrase.end_secs);
            prop_assert!(phrase.bars > 0 && (0.0..=1.0).contains(&phrase.confidence));
        }
        for pair in form.phrases.windows(2) {
            prop_assert_eq!(pair[0].first_bar + pair[0].bars, pair[1].first_bar);
            prop_assert!(pair[0].end_secs <= pair[1].start_secs + 1e-9);
        }
        prop_assert!(form.events.windows(2).all(|pair| pair[0].start_secs <= pair[1].start_secs));

        let analysis = analysis(form, rhythm, duration_secs);
        let cues = suggest_cues(&analysis);
        prop_assert!(cues.windows(2).all(|pair| pair[1].position_secs - pair[0].position_secs >= 0.5));
        prop_assert!(cues.iter().all(|cue| !inside_bars || is_on_grid(cue.position_secs)));
        prop_assert!(cues.iter().filter(|cue| cue.hot_cue.is_some()).count() == cues.len().min(8));
        let loops = find_loops(&analysis);
        prop_assert!(loops.iter().all(|found| downbeats.contains(&found.start_secs) && downbeats.contains(&found.end_secs)));
        prop_assert!(loops.iter().filter(|found| found.recommended).count() == loops.len().min(5));
    }
}
