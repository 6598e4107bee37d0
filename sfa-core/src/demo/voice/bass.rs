//! Basses. All of them stay in the middle of the stereo image, where low notes belong.

use super::envelope::{Adsr, decay_per_frame};
use super::filter::{StateVariable, saturate};
use super::oscillator::Oscillator;
use super::{CONTROL_FRAMES, Tone, panned};

/// A saw and a sub sine under a filter that snaps shut: the house bass.
pub(crate) fn synth(tone: Tone, rate_hz: f32) -> impl Iterator<Item = [f32; 2]> {
    let shape = Adsr { attack_secs: 0.003, decay_secs: 0.25, sustain: 0.55, release_secs: 0.05 };
    let (mut saw, mut sub) = (Oscillator::new(0.25), Oscillator::new(0.0));
    let mut filter = StateVariable::new(200.0, 1.1, rate_hz);
    let snap_decay = decay_per_frame(0.09, rate_hz);
    let mut snap = 1.0_f32;
    let sound = shape.run(tone.gate_frames, rate_hz).enumerate().map(move |(frame, level)| {
        if frame % CONTROL_FRAMES == 0 {
            let open = 0.4 + 0.6 * tone.brightness_at(frame);
            filter.tune(130.0 + 2200.0 * snap * open * tone.velocity, 1.1, rate_hz);
        }
        snap *= snap_decay;
        let hz = tone.hz_at(frame, rate_hz);
        saw.advance(hz / rate_hz);
        sub.advance(hz / rate_hz);
        saturate(1.2 * (0.75 * sub.sine() + filter.process(0.6 * saw.saw()).low)) * level * tone.velocity
    });
    panned(sound, 0.0)
}

/// Detuned saws that beat against each other over a clean sub: the drum-and-bass "reese".
pub(crate) fn reese(tone: Tone, rate_hz: f32) -> impl Iterator<Item = [f32; 2]> {
    let shape = Adsr { attack_secs: 0.01, decay_secs: 0.5, sustain: 0.85, release_secs: 0.06 };
    let mut saws = [Oscillator::new(0.1), Oscillator::new(0.43), Oscillator::new(0.77)];
    let (mut sub, mut sweep) = (Oscillator::new(0.0), Oscillator::new(0.0));
    let mut filter = StateVariable::new(300.0, 1.4, rate_hz);
    let sound = shape.run(tone.gate_frames, rate_hz).enumerate().map(move |(frame, level)| {
        if frame % CONTROL_FRAMES == 0 {
            sweep.advance(0.9 * CONTROL_FRAMES as f32 / rate_hz);
            let open = 0.3 + tone.brightness_at(frame);
            filter.tune(420.0 * open * (1.3 + 0.8 * sweep.sine()), 1.4, rate_hz);
        }
        let hz = tone.hz_at(frame, rate_hz);
        sub.advance(hz / rate_hz);
        let mut growl = 0.0;
        for (saw, detune) in saws.iter_mut().zip([0.9935, 1.0, 1.0068]) {
            saw.advance(2.0 * hz * detune / rate_hz);
            growl += saw.saw();
        }
        (0.8 * sub.sine() + 0.55 * saturate(filter.process(growl).low)) * level * tone.velocity
    });
    panned(sound, 0.0)
}

/// A long sine with a knock and a little dirt, so that small speakers show it too.
pub(crate) fn sub(tone: Tone, rate_hz: f32) -> impl Iterator<Item = [f32; 2]> {
    let shape = Adsr { attack_secs: 0.004, decay_secs: 0.9, sustain: 0.35, release_secs: 0.09 };
    let mut sine = Oscillator::new(0.0);
    let knock_decay = decay_per_frame(0.012, rate_hz);
    let mut knock = 1.0_f32;
    let sound = shape.run(tone.gate_frames, rate_hz).enumerate().map(move |(frame, level)| {
        sine.advance(tone.hz_at(frame, rate_hz) * (1.0 + knock) / rate_hz);
        knock *= knock_decay;
        saturate(1.8 * level * sine.sine()) * tone.velocity
    });
    panned(sound, 0.0)
}
