//! Struck and stabbed chords, plucks and bells.

use std::f32::consts::TAU;

use super::envelope::{Adsr, decay_per_frame};
use super::filter::StateVariable;
use super::oscillator::Oscillator;
use super::{CONTROL_FRAMES, Tone, pan_gains, panned};

/// A short saw-and-pulse chord note whose filter closes at once: the house stab.
pub(crate) fn stab(tone: Tone, rate_hz: f32) -> impl Iterator<Item = [f32; 2]> {
    let shape = Adsr { attack_secs: 0.002, decay_secs: 0.16, sustain: 0.25, release_secs: 0.12 };
    let mut sides = [0.13_f32, 0.61].map(|phase| (Oscillator::new(phase), Oscillator::new(1.0 - phase)));
    let mut filters = [StateVariable::new(900.0, 1.3, rate_hz); 2];
    let mut snap = 1.0_f32;
    let snap_decay = decay_per_frame(0.11, rate_hz);
    let gains = pan_gains(tone.pan);
    shape.run(tone.gate_frames, rate_hz).enumerate().map(move |(frame, level)| {
        let mut output = [0.0; 2];
        for (side, (saw, pulse)) in sides.iter_mut().enumerate() {
            if frame % CONTROL_FRAMES == 0 {
                let open = (4.2 * tone.brightness_at(frame)).exp2();
                filters[side].tune(260.0 + 330.0 * open * (0.25 + snap) * tone.velocity, 1.3, rate_hz);
            }
            let detune = if side == 0 { 0.9975 } else { 1.0025 };
            saw.advance(tone.hz * detune / rate_hz);
            pulse.advance(tone.hz / detune / rate_hz);
            let raw = 0.55 * saw.saw() + 0.3 * pulse.pulse(0.42);
            output[side] = filters[side].process(raw).low * level * tone.velocity * gains[side];
        }
        snap *= snap_decay;
        output
    })
}

/// An electric piano by phase modulation (Chowning 1973): a soft body and a struck tine that fades first.
pub(crate) fn electric_piano(tone: Tone, rate_hz: f32) -> impl Iterator<Item = [f32; 2]> {
    let shape = Adsr { attack_secs: 0.002, decay_secs: 0.9, sustain: 0.12, release_secs: 0.22 };
    let (mut body, mut tine) = (Oscillator::new(0.0), Oscillator::new(0.0));
    let (mut strike, mut glow) = (1.0_f32, 1.0_f32);
    let strike_decay = decay_per_frame(0.07, rate_hz);
    let glow_decay = decay_per_frame(0.6, rate_hz);
    // The tine's 7th harmonic must stay below the Nyquist frequency with its own sidebands.
    let tine_ratio = if tone.hz * 9.0 < 0.4 * rate_hz { 7.0 } else { 2.0 };
    let [left, right] = pan_gains(tone.pan);
    shape.run(tone.gate_frames, rate_hz).enumerate().map(move |(frame, level)| {
        body.advance(tone.hz / rate_hz);
        tine.advance(tone.hz * tine_ratio / rate_hz);
        let warm = (0.35 + 0.9 * tone.velocity) * glow * body.sine();
        let sample = body.sine_pushed(warm + 0.35 * tone.velocity * strike * tine.sine());
        strike *= strike_decay;
        glow *= glow_decay;
        // The slow left-right swing of a stage piano.
        let swing = 0.12 * (TAU * 4.3 * (tone.start_frame + frame) as f32 / rate_hz).sin();
        let loud = sample * level * tone.velocity;
        [loud * left * (1.0 + swing), loud * right * (1.0 - swing)]
    })
}

/// A bell-like pluck by phase modulation, bright at the attack and pure in the tail.
pub(crate) fn pluck(tone: Tone, ring_secs: f32, rate_hz: f32) -> impl Iterator<Item = [f32; 2]> {
    let (mut carrier, mut modulator) = (Oscillator::new(0.0), Oscillator::new(0.0));
    let (mut level, mut index) = (1.0_f32, 1.0_f32);
    let level_decay = decay_per_frame(ring_secs, rate_hz);
    let index_decay = decay_per_frame(0.25 * ring_secs, rate_hz);
    let frames = (5.0 * ring_secs * rate_hz) as usize;
    let ratio = if tone.hz * 8.0 < 0.4 * rate_hz { 3.0 } else { 1.0 };
    let depth = (0.5 + 2.6 * tone.brightness[0]) * tone.velocity;
    let sound = (0..frames).map(move |frame| {
        carrier.advance(tone.hz / rate_hz);
        modulator.advance(tone.hz * ratio / rate_hz);
        let attack = (frame as f32 / (0.0015 * rate_hz)).min(1.0);
        let end = ((frames - frame) as f32 / (0.2 * frames as f32)).min(1.0);
        let sample = carrier.sine_pushed(depth * index * modulator.sine());
        let loud = attack * end * level * tone.velocity;
        level *= level_decay;
        index *= index_decay;
        sample * loud
    });
    panned(sound, tone.pan)
}
