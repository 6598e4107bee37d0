//! Melody instruments.

use super::envelope::Adsr;
use super::filter::StateVariable;
use super::oscillator::Oscillator;
use super::{CONTROL_FRAMES, Tone, pan_gains, panned};

/// Vibrato as a factor on the pitch: it sets in after a moment, as players do it.
fn vibrato(frame: usize, rate_hz: f32, depth_cents: f32) -> f32 {
    let secs = frame as f32 / rate_hz;
    let depth = depth_cents * ((secs - 0.18) / 0.3).clamp(0.0, 1.0);
    (depth / 1200.0 * (std::f32::consts::TAU * 5.4 * secs).sin()).exp2()
}

/// Two saws and a pulse an octave below, slightly apart on both sides.
pub(crate) fn saw(tone: Tone, rate_hz: f32) -> impl Iterator<Item = [f32; 2]> {
    let shape = Adsr { attack_secs: 0.006, decay_secs: 0.25, sustain: 0.65, release_secs: 0.13 };
    let mut saws = [Oscillator::new(0.2), Oscillator::new(0.7)];
    let mut below = Oscillator::new(0.4);
    let mut filters = [StateVariable::new(2000.0, 1.0, rate_hz); 2];
    let gains = pan_gains(tone.pan);
    shape.run(tone.gate_frames, rate_hz).enumerate().map(move |(frame, level)| {
        let hz = tone.hz_at(frame, rate_hz) * vibrato(frame, rate_hz, 14.0);
        below.advance(0.5 * hz / rate_hz);
        let octave = 0.25 * below.pulse(0.5);
        let mut output = [0.0; 2];
        for side in 0..2 {
            if frame % CONTROL_FRAMES == 0 {
                let open = 0.35 + 0.65 * tone.brightness_at(frame);
                filters[side].tune(600.0 + 4800.0 * open * level * tone.velocity, 1.0, rate_hz);
            }
            saws[side].advance(hz * if side == 0 { 0.9972 } else { 1.0028 } / rate_hz);
            let raw = 0.6 * saws[side].saw() + octave;
            output[side] = filters[side].process(raw).low * level * tone.velocity * gains[side];
        }
        output
    })
}

/// Nearly a sine with a little second and third harmonic: a flute without its breath.
pub(crate) fn whistle(tone: Tone, rate_hz: f32) -> impl Iterator<Item = [f32; 2]> {
    let shape = Adsr { attack_secs: 0.035, decay_secs: 0.5, sustain: 0.8, release_secs: 0.16 };
    let [mut first, mut second, mut third] = [0.0; 3].map(Oscillator::new);
    let sound = shape.run(tone.gate_frames, rate_hz).enumerate().map(move |(frame, level)| {
        let step = tone.hz_at(frame, rate_hz) * vibrato(frame, rate_hz, 18.0) / rate_hz;
        first.advance(step);
        second.advance(2.0 * step);
        third.advance(3.0 * step);
        let open = tone.brightness_at(frame) * level;
        (first.sine() + 0.3 * open * second.sine() + 0.16 * open * third.sine()) * level * tone.velocity
    });
    panned(sound, tone.pan)
}

/// A bowed saw with a wide vibrato through the resonances of a wooden body.
pub(crate) fn fiddle(tone: Tone, rate_hz: f32) -> impl Iterator<Item = [f32; 2]> {
    let shape = Adsr { attack_secs: 0.06, decay_secs: 0.6, sustain: 0.85, release_secs: 0.18 };
    let mut bow = Oscillator::new(0.0);
    let mut body =
        [(480.0, 1.8), (1150.0, 2.2), (2600.0, 1.6)].map(|(hz, q)| StateVariable::new(hz, q, rate_hz));
    let mut top = StateVariable::new(5500.0, 0.7, rate_hz);
    let sound = shape.run(tone.gate_frames, rate_hz).enumerate().map(move |(frame, level)| {
        bow.advance(tone.hz_at(frame, rate_hz) * vibrato(frame, rate_hz, 26.0) / rate_hz);
        let raw = top.process(bow.saw()).low;
        let wood: f32 = body.iter_mut().map(|mode| mode.process(raw).band).sum();
        (0.25 * raw + 0.7 * wood) * level * tone.velocity
    });
    panned(sound, tone.pan)
}
