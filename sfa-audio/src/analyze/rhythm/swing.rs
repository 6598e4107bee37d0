//! How far off-beats are played late.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::attack::ATTACK_RATE_HZ;
use super::onset::RhythmFeatures;

/// Where the second of two notes falls.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Swing {
    /// Place of the second note in the pair, as a share of it: 0.5 straight, 0.667 a triplet's last, 0.75 dotted.
    pub ratio: f32,
    /// The notes that come in pairs: 8 for eighths, 16 for sixteenths.
    pub note: u8,
}

/// Parts of a beat that are told apart: 4 ms at 160 beats per minute.
const PHASES: usize = 96;

/// The swing of the notes between beats, or `None` where there are none, or where they come in threes.
///
/// The notes are the places at which attacks gather between all beats together.
pub(super) fn find(beats_secs: &[f64], features: &RhythmFeatures) -> Option<Swing> {
    /// How strong notes are beside the beat where there are any.
    const PRESENT: f32 = 0.15;
    const CLEARLY_PRESENT: f32 = 0.25;
    /// How far off the middle of the beat eighths are no more straight.
    const STRAIGHT: f32 = 0.03;
    /// How strong the first third of a beat is beside the second where beats are cut in three.
    const THREES: f32 = 0.2;

    let profile = profile(beats_secs, &features.attacks)?;
    let beat = gathering(&profile, -0.05, 0.05)?;
    let note = |from: f32, to: f32, least: f32| {
        gathering(&profile, from, to).filter(|found| found.strength > least * beat.strength)
    };
    let eighth = note(0.43, 0.74, PRESENT);
    if let Some(late) = eighth.filter(|eighth| (eighth.place - beat.place - 0.5).abs() > STRAIGHT) {
        let is_cut_in_three =
            gathering(&profile, 0.29, 0.38).is_some_and(|third| third.strength > THREES * late.strength);
        return (!is_cut_in_three).then_some(Swing { ratio: late.place - beat.place, note: 8 });
    }
    let (mut sum, mut weight) = (0.0, 0.0);
    for (from, to, pair) in [(0.2, 0.39, 0.0), (0.7, 0.89, 0.5)] {
        if let Some(sixteenth) = note(from, to, CLEARLY_PRESENT) {
            sum += sixteenth.strength * (sixteenth.place - beat.place - pair) * 2.0;
            weight += sixteenth.strength;
        }
    }
    if weight > 0.0 {
        return Some(Swing { ratio: sum / weight, note: 16 });
    }
    eighth.map(|eighth| Swing { ratio: eighth.place - beat.place, note: 8 })
}

/// Mean attack at every part of a beat, less what is usual between notes.
fn profile(beats_secs: &[f64], attacks: &[f32]) -> Option<[f32; PHASES]> {
    let mut profile = [0.0_f32; PHASES];
    for pair in beats_secs.windows(2) {
        let first = pair[0] * ATTACK_RATE_HZ;
        let step = (pair[1] - pair[0]) * ATTACK_RATE_HZ / PHASES as f64;
        for (phase, sum) in profile.iter_mut().enumerate() {
            let index = (first + step * phase as f64).round().max(0.0) as usize;
            *sum += attacks.get(index).copied().unwrap_or(0.0);
        }
    }
    let mut sorted = profile;
    sorted.sort_by(f32::total_cmp);
    let usual = sorted[PHASES / 2];
    profile.iter_mut().for_each(|value| *value = (*value - usual).max(0.0));
    profile.iter().any(|&value| value > 0.0).then_some(profile)
}

/// A place at which attacks gather, as a share of the beat, and how many more than beside it.
#[derive(Clone, Copy)]
struct Gathering {
    place: f32,
    strength: f32,
}

/// The strongest gathering that lies between two shares of a beat.
fn gathering(profile: &[f32; PHASES], from: f32, to: f32) -> Option<Gathering> {
    /// Parts on either side that belong to a gathering.
    const REACH: i32 = 3;
    /// How far away others are compared.
    const BESIDE: i32 = 8;
    let at = |phase: i32| profile[phase.rem_euclid(PHASES as i32) as usize];
    let around = |phase: i32| (-REACH..=REACH).map(|offset| at(phase + offset)).sum::<f32>();
    let gathered_at = |peak: i32| {
        let sum = around(peak);
        // What comes back after a kick ducked it rises slowly all around.
        let strength = sum - 0.5 * (around(peak - BESIDE) + around(peak + BESIDE));
        if strength <= 0.0 || around(peak - 1) > sum || around(peak + 1) > sum {
            return None;
        }
        let moment: f32 = (-REACH..=REACH).map(|offset| offset as f32 * at(peak + offset)).sum();
        // What reaches in from beyond is another note.
        let place = (peak as f32 + moment / sum) / PHASES as f32;
        (from..=to).contains(&place).then_some(Gathering { place, strength })
    };
    let phases = (from * PHASES as f32) as i32..=(to * PHASES as f32) as i32;
    phases.filter_map(gathered_at).max_by(|a, b| a.strength.total_cmp(&b.strength))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Beats at 120 with attacks at shares of each.
    fn swing_of(notes: &[f64]) -> Option<Swing> {
        let beats_secs: Vec<f64> = (0..=32).map(|n| f64::from(n) * 0.5 + 0.2).collect();
        let mut attacks = vec![0.0; 12_000];
        for beat in &beats_secs {
            for note in notes {
                // As measured, an attack rises and falls over 10 ms.
                let middle = ((beat + note * 0.5) * ATTACK_RATE_HZ).round() as usize;
                for (offset, value) in [0.25, 0.5, 0.75, 1.0, 0.75, 0.5, 0.25].into_iter().enumerate() {
                    attacks[middle + offset - 3] = value;
                }
            }
        }
        find(&beats_secs, &RhythmFeatures { attacks, ..RhythmFeatures::default() })
    }

    #[test]
    fn off_beats_are_placed_within_a_hundredth() {
        for (notes, ratio, note) in [
            (vec![0.0, 0.5], 0.5, 8),
            (vec![0.0, 0.62], 0.62, 8),
            (vec![0.0, 0.667], 0.667, 8),
            (vec![0.0, 0.25, 0.5, 0.75], 0.5, 16),
            (vec![0.0, 0.3, 0.5, 0.8], 0.6, 16),
        ] {
            let swing = swing_of(&notes).unwrap();
            // Attacks are 1.4 ms apart, a hundredth of an eighth pair is 5 ms here.
            assert!((swing.ratio - ratio).abs() < 0.01 && swing.note == note, "{notes:?}: {swing:?}");
        }
    }

    #[test]
    fn beats_alone_and_triplets_do_not_swing() {
        assert_eq!(swing_of(&[0.0]), None);
        assert_eq!(swing_of(&[0.0, 1.0 / 3.0, 2.0 / 3.0]), None);
        assert_eq!(find(&[], &RhythmFeatures::default()), None);
    }
}
