//! Sustained chords.

use super::envelope::Adsr;
use super::filter::StateVariable;
use super::oscillator::Oscillator;
use super::{CONTROL_FRAMES, Tone};
use crate::demo::random::Random;

/// Detuned saws, different ones on each side, under a slow filter.
///
/// Detuning follows the even spread around the pitch that Szabó measured on a well-known supersaw ("How to
/// emulate the super saw", 2010), in a narrow setting.
pub(crate) fn strings(
    tone: Tone,
    attack_secs: f32,
    rate_hz: f32,
    random: &mut Random,
) -> impl Iterator<Item = [f32; 2]> {
    const DETUNE: [f32; 3] = [-0.0046, 0.0003, 0.0049];
    let shape = Adsr { attack_secs, decay_secs: 1.0, sustain: 0.85, release_secs: 0.45 };
    let mut saws = [[0; 3]; 2].map(|side| side.map(|_| Oscillator::new(random.unit())));
    let mut filters = [StateVariable::new(500.0, 0.8, rate_hz); 2];
    shape.run(tone.gate_frames, rate_hz).enumerate().map(move |(frame, level)| {
        let mut sides = [0.0; 2];
        for (side, saws) in saws.iter_mut().enumerate() {
            if frame % CONTROL_FRAMES == 0 {
                let brightness = tone.brightness_at(frame);
                // Five and a half octaves of travel from a dull murmur to an open sound.
                filters[side].tune(190.0 * (5.4 * brightness).exp2(), 0.75 + 0.5 * brightness, rate_hz);
            }
            let mut sum = 0.0;
            for (saw, detune) in saws.iter_mut().zip(DETUNE) {
                let mirrored = if side == 0 { detune } else { -detune };
                saw.advance(tone.hz * (1.0 + mirrored) / rate_hz);
                sum += saw.saw();
            }
            sides[side] = filters[side].process(0.25 * sum).low * level * tone.velocity;
        }
        // A little of each side on the other: wide, but still there in mono.
        [sides[0] + 0.45 * sides[1], sides[1] + 0.45 * sides[0]]
    })
}
