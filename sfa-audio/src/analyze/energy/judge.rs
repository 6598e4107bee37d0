//! From what was gathered to the level and the curve.

use std::ops::RangeInclusive;

use super::Energy;
use super::collector::{EnergyFeatures, FLUX_PER_SLOT, SLOT_SECS, Slot};
use crate::analyze::Curve;

/// Mean power of what nobody hears: -80 dBFS.
const SILENCE_POWER: f32 = 1e-8;
/// What is this far below the strongest moment has no energy.
const CURVE_RANGE_DB: f32 = 24.0;
/// The share of attacks in the curve; the rest is level.
const CURVE_FLUX_SHARE: f32 = 0.25;
/// An onset rises this much more than what surrounds it within 0.3 s on both sides.
const ONSET_RISE_DB: f32 = 1.0;
const ONSET_SURROUNDINGS: usize = 12;
const ONSET_NEIGHBOURS: usize = 2;

/// The ranges over which each quality adds energy, and its share in the whole. Lower ends are what solo piano and
/// chamber music show, upper ends what club music at its peak shows.
const LOUDNESS_LUFS: RangeInclusive<f32> = -20.0..=-7.0;
const LOUDNESS_SHARE: f32 = 0.4;
const ONSETS_PER_SEC: RangeInclusive<f32> = 1.5..=4.0;
const ONSETS_SHARE: f32 = 0.3;
const LOW_END_DB: RangeInclusive<f32> = -10.0..=-2.0;
const LOW_END_SHARE: f32 = 0.2;
const BRIGHTNESS_DB: RangeInclusive<f32> = -20.0..=-9.0;
const BRIGHTNESS_SHARE: f32 = 0.1;
/// No music reaches every upper end at once: this sum is level 10.
const FULL_SUM: f32 = 0.95;
/// Bends the scale so that music of middling qualities lands below its middle.
const BEND: f32 = 1.8;

/// The energy of a song.
///
/// The level is `1 + 9 * (s / 0.95)^1.8`, rounded, where `s` adds up how far integrated loudness, onsets per
/// second, low end and brightness (the latter two in dB of the whole power) have come along their ranges. It
/// never falls when one of them rises. Onsets, low end and brightness are those of the song's louder half, so
/// that a long intro takes nothing away.
pub(crate) fn judge(features: &EnergyFeatures, integrated_lufs: Option<f64>) -> Energy {
    Energy {
        level: level(features, integrated_lufs),
        curve: Curve { hop_secs: SLOT_SECS, values: curve(features) },
    }
}

fn level(features: &EnergyFeatures, integrated_lufs: Option<f64>) -> u8 {
    let onsets = onsets_per_slot(features);
    let mut louder: Vec<(Slot, f32)> = features.slots.iter().copied().zip(onsets).collect();
    louder.sort_by(|(a, _), (b, _)| b.power.total_cmp(&a.power));
    louder.truncate(louder.len().div_ceil(2));
    let mean = |value: fn(&(Slot, f32)) -> f32| louder.iter().map(value).sum::<f32>() / louder.len() as f32;
    let power = mean(|(slot, _)| slot.power);
    if louder.is_empty() || power < SILENCE_POWER {
        return 1;
    }
    let share_db = |part: f32| 10.0 * (part / power).log10();
    // What is too short for the standard is judged by its plain level.
    let loudness_lufs = integrated_lufs.map_or(10.0 * power.log10(), |lufs| lufs as f32);
    let sum = LOUDNESS_SHARE * along(LOUDNESS_LUFS, loudness_lufs)
        + ONSETS_SHARE * along(ONSETS_PER_SEC, mean(|(_, onsets)| *onsets) / SLOT_SECS as f32)
        + LOW_END_SHARE * along(LOW_END_DB, share_db(mean(|(slot, _)| slot.low_power)))
        + BRIGHTNESS_SHARE * along(BRIGHTNESS_DB, share_db(mean(|(slot, _)| slot.bright_power)));
    (1.0 + 9.0 * (sum / FULL_SUM).min(1.0).powf(BEND)).round() as u8
}

/// How far `value` has come from one end of `range` to the other, in `0.0..=1.0`.
fn along(range: RangeInclusive<f32>, value: f32) -> f32 {
    ((value - range.start()) / (range.end() - range.start())).clamp(0.0, 1.0)
}

/// The number of onsets in each slot.
fn onsets_per_slot(features: &EnergyFeatures) -> Vec<f32> {
    let flux = &features.flux_db;
    let around =
        |index: usize, reach: usize| &flux[index.saturating_sub(reach)..(index + reach + 1).min(flux.len())];
    let is_onset = |&index: &usize| {
        let surroundings = around(index, ONSET_SURROUNDINGS);
        let mean = surroundings.iter().sum::<f32>() / surroundings.len() as f32;
        flux[index] > mean + ONSET_RISE_DB
            && around(index, ONSET_NEIGHBOURS).iter().all(|&neighbour| neighbour <= flux[index])
    };
    let mut counts = vec![0.0; features.slots.len()];
    for index in (0..flux.len()).filter(is_onset) {
        counts[index / FLUX_PER_SLOT] += 1.0;
    }
    counts
}

fn curve(features: &EnergyFeatures) -> Vec<f32> {
    let power_max = features.slots.iter().fold(SILENCE_POWER, |max, slot| max.max(slot.power));
    let flux: Vec<f32> = features
        .flux_db
        .chunks(FLUX_PER_SLOT)
        .map(|flux| flux.iter().sum::<f32>() / FLUX_PER_SLOT as f32)
        .collect();
    let flux_max = flux.iter().fold(0.1f32, |max, &flux| max.max(flux));
    let raw = features.slots.iter().zip(&flux).map(|(slot, flux)| {
        let level = 1.0 + 10.0 * (slot.power / power_max).log10() / CURVE_RANGE_DB;
        if level <= 0.0 { 0.0 } else { level * (1.0 - CURVE_FLUX_SHARE + CURVE_FLUX_SHARE * flux / flux_max) }
    });
    let mut values: Vec<f32> = raw.collect();
    let strongest = values.iter().fold(0.0f32, |max, &value| max.max(value));
    let is_silent = features.slots.iter().all(|slot| slot.power < SILENCE_POWER);
    let scale = if is_silent || strongest <= 0.0 { 0.0 } else { 1.0 / strongest };
    values.iter_mut().for_each(|value| *value *= scale);
    values
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::super::EnergyCollector;
    use super::*;

    fn energy_of(samples: &[f32], chunk: usize, lufs: Option<f64>) -> Energy {
        let mut collector = EnergyCollector::new();
        samples.chunks(chunk).for_each(|part| collector.push(part));
        judge(&collector.finish(), lufs)
    }

    fn tone(frequency_hz: f32, amplitude: f32, frames: usize) -> impl Iterator<Item = f32> {
        (0..frames).map(move |n| amplitude * (TAU * frequency_hz * n as f32 / 44_100.0).sin())
    }

    /// Four kicks and eight noise bursts per two seconds over a bass.
    fn club_loop(secs: usize) -> Vec<f32> {
        let mut seed = 1u32;
        (0..secs * 44_100)
            .map(|n| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let noise = seed as f32 / u32::MAX as f32 - 0.5;
                let since_kick = (n % 22_050) as f32 / 44_100.0;
                let since_hat = (n % 11_025) as f32 / 44_100.0;
                0.7 * (-since_kick * 12.0).exp() * (TAU * 55.0 * since_kick).sin()
                    + 0.4 * (-since_hat * 40.0).exp() * noise
                    + 0.2 * (TAU * 82.4 * n as f32 / 44_100.0).sin()
            })
            .collect()
    }

    #[test]
    fn a_loud_club_loop_is_high_and_a_quiet_chord_low() {
        let club = energy_of(&club_loop(20), 4096, Some(-8.0));
        assert!(club.level >= 8, "{}", club.level);
        let chord: Vec<f32> =
            tone(220.0, 0.05, 882_000).zip(tone(330.0, 0.05, 882_000)).map(|(a, b)| a + b).collect();
        let calm = energy_of(&chord, 4096, Some(-26.0));
        assert!(calm.level <= 2, "{}", calm.level);
    }

    #[test]
    fn the_level_never_falls_as_loudness_rises() {
        let samples = club_loop(10);
        let levels: Vec<u8> =
            (-40..0).map(|lufs| energy_of(&samples, 44_100, Some(f64::from(lufs))).level).collect();
        assert!(levels.is_sorted() && levels.iter().all(|level| (1..=10).contains(level)), "{levels:?}");
    }

    #[test]
    fn the_curve_covers_all_audio_and_peaks_at_the_strongest_moment() {
        let mut samples: Vec<f32> = tone(220.0, 0.1, 44_100 * 10).collect();
        samples.extend(club_loop(4));
        samples.extend(tone(220.0, 0.1, 44_100 * 2 + 100));
        let curve = energy_of(&samples, 4096, None).curve;
        // 16 s and 100 frames at 2 Hz.
        assert_eq!((curve.hop_secs, curve.values.len()), (0.5, 33));
        let strongest = (0..33).max_by(|&a, &b| curve.values[a].total_cmp(&curve.values[b])).unwrap();
        assert!((20..28).contains(&strongest) && curve.values[strongest] == 1.0, "{curve:?}");
        let quiet = curve.values[..19].iter().fold(0.0f32, |max, &value| max.max(value));
        assert!(quiet < 0.7 && quiet > 0.0, "{curve:?}");
    }

    #[test]
    fn silence_is_level_one_and_flat() {
        let energy = energy_of(&vec![0.0; 100_000], 4096, None);
        assert_eq!(energy.level, 1);
        assert_eq!(energy.curve.values, [0.0; 5]);
        let nothing = energy_of(&[], 1, None);
        assert!(nothing.level == 1 && nothing.curve.values.is_empty());
    }

    #[test]
    fn chunk_sizes_change_nothing() {
        let samples = club_loop(2);
        let whole = energy_of(&samples, samples.len(), None);
        for chunk in [1, 441, 5000] {
            assert_eq!(whole, energy_of(&samples, chunk, None));
        }
    }
}
