//! How well a song can be danced to.

use sfa_audio::Clip;
use sfa_audio::analyze::{Danceability, Feature, Key};

use crate::analysis_of;
use crate::song::{RATE_HZ, Song};

fn danceability_of(samples: Vec<f32>) -> Option<Danceability> {
    let clip = Clip::from_channels(RATE_HZ, vec![samples]).unwrap();
    analysis_of(&clip, Feature::Danceability).danceability
}

#[test]
fn drums_make_a_song_danceable() {
    let calm = Song { secs: 30.0, ..Song::in_key(Key::all().next().unwrap()) };
    let driven = Song { drums: 0.5, ..calm.clone() };
    let (calm, driven) = (danceability_of(calm.render()).unwrap(), danceability_of(driven.render()).unwrap());
    assert!(driven.value > calm.value && driven.value > 0.6, "{calm:?} {driven:?}");
    for found in [calm, driven] {
        for share in [found.value, found.beat_strength, found.regularity] {
            assert!((0.0..=1.0).contains(&share), "{found:?}");
        }
    }
}

#[test]
fn noise_that_wanders_has_a_high_exponent_and_no_beat() {
    let mut seed = 1_u32;
    let mut level = 0.0_f32;
    let wandering: Vec<f32> = (0..44_100 * 30)
        .map(|n| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = seed as f32 / u32::MAX as f32 - 0.5;
            if n % 441 == 0 {
                level = (level + 0.05 * noise).clamp(-0.4, 0.4);
            }
            (0.5 + level) * noise
        })
        .collect();
    let found = danceability_of(wandering).unwrap();
    // The level is a random walk, whose own sum has the exponent 1.5 as long as it meets no wall.
    assert!(found.fluctuation_exponent > 1.0 && found.value < 0.4, "{found:?}");
}

#[test]
fn silence_and_crumbs_have_none() {
    for samples in [Vec::new(), vec![0.5], vec![0.0; 500_000], vec![0.5; 1000]] {
        assert_eq!(danceability_of(samples), None);
    }
    assert!(danceability_of(vec![1.0; 200_000]).is_none_or(|found| found.value.is_finite()));
}
