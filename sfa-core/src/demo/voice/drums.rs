//! The drum kit: every hit is synthesised anew, so that no two noises are alike.

use std::f32::consts::TAU;

use super::envelope::decay_per_frame;
use super::filter::{StateVariable, saturate};
use super::oscillator::Oscillator;
use crate::demo::random::Random;

/// One piece of the kit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Drum {
    Kick,
    Snare,
    Clap,
    ClosedHat,
    OpenHat,
    Ride,
    Crash,
    /// A tom; the number is its pitch above the floor tom in semitones.
    Tom(u8),
    Shaker,
}

/// The sound of one hit with the peak near `velocity`.
pub(crate) fn hit(drum: Drum, velocity: f32, rate_hz: f32, random: &mut Random) -> Vec<[f32; 2]> {
    let mono = match drum {
        Drum::Kick => kick(rate_hz, random),
        Drum::Snare => snare(rate_hz, velocity, random),
        Drum::Clap => clap(rate_hz, random),
        Drum::ClosedHat => cymbal(rate_hz, 7500.0, 0.032, 0.12, random),
        Drum::OpenHat => cymbal(rate_hz, 7000.0, 0.13, 0.4, random),
        Drum::Ride => ride(rate_hz, random),
        Drum::Crash => return crash(rate_hz, velocity, random),
        Drum::Tom(semitones) => tom(rate_hz, semitones, random),
        Drum::Shaker => shaker(rate_hz, random),
    };
    let [left, right] = super::pan_gains(place(drum));
    let scale = velocity * std::f32::consts::SQRT_2;
    mono.into_iter().map(|sample| [sample * left * scale, sample * right * scale]).collect()
}

/// Where the piece stands, as the drummer's audience sees it.
fn place(drum: Drum) -> f32 {
    match drum {
        Drum::Kick | Drum::Snare | Drum::Clap | Drum::Crash => 0.0,
        Drum::ClosedHat => 0.22,
        Drum::OpenHat => 0.3,
        Drum::Ride => -0.35,
        Drum::Shaker => -0.45,
        Drum::Tom(semitones) => 0.5 - f32::from(semitones) * 0.09,
    }
}

/// Fades the last fifth of a sound to silence, so that cutting an exponential tail makes no click.
fn fade_out(mut sound: Vec<f32>) -> Vec<f32> {
    let fade = sound.len() / 5;
    for (left, sample) in sound.iter_mut().rev().take(fade).enumerate() {
        let gain = left as f32 / fade as f32;
        *sample *= gain * gain;
    }
    sound
}

/// A sine that falls quickly from 240 Hz to its body, with a short click on top.
fn kick(rate_hz: f32, random: &mut Random) -> Vec<f32> {
    let mut body = Oscillator::new(0.0);
    let mut click_filter = StateVariable::new(3200.0, 0.8, rate_hz);
    let (mut fast, mut slow, mut level, mut click) = (1.0_f32, 1.0_f32, 1.0_f32, 1.0_f32);
    let fast_decay = decay_per_frame(0.009, rate_hz);
    let slow_decay = decay_per_frame(0.05, rate_hz);
    let level_decay = decay_per_frame(0.12, rate_hz);
    let click_decay = decay_per_frame(0.0025, rate_hz);
    let sound = (0..(0.42 * rate_hz) as usize).map(|_| {
        body.advance((54.0 + 28.0 * slow + 190.0 * fast) / rate_hz);
        let sample =
            saturate(body.sine() * level * 1.7) + 0.5 * click * click_filter.process(random.bipolar()).band;
        fast *= fast_decay;
        slow *= slow_decay;
        level *= level_decay;
        click *= click_decay;
        sample
    });
    fade_out(sound.collect())
}

/// Two modes of a drum head under the rattle of the wires; harder hits are brighter.
fn snare(rate_hz: f32, velocity: f32, random: &mut Random) -> Vec<f32> {
    let (mut low, mut high) = (Oscillator::new(0.0), Oscillator::new(0.0));
    let mut body_filter = StateVariable::new(2300.0, 0.6, rate_hz);
    let mut top_filter = StateVariable::new(5200.0 + 2500.0 * velocity, 0.7, rate_hz);
    let (mut head, mut wires, mut bend) = (1.0_f32, 1.0_f32, 1.0_f32);
    let head_decay = decay_per_frame(0.065, rate_hz);
    let wires_decay = decay_per_frame(0.085, rate_hz);
    let bend_decay = decay_per_frame(0.012, rate_hz);
    let sound = (0..(0.36 * rate_hz) as usize).map(|frame| {
        low.advance(188.0 * (1.0 + 0.5 * bend) / rate_hz);
        high.advance(331.0 * (1.0 + 0.3 * bend) / rate_hz);
        let noise = random.bipolar();
        let rattle = 0.9 * body_filter.process(noise).band + 0.5 * top_filter.process(noise).band;
        let attack = (frame as f32 / (0.0006 * rate_hz)).min(1.0);
        let sample =
            attack * saturate(0.75 * head * low.sine() + 0.3 * head * high.sine() + 1.5 * wires * rattle);
        head *= head_decay;
        wires *= wires_decay;
        bend *= bend_decay;
        sample
    });
    fade_out(sound.collect())
}

/// Several hands that do not meet exactly, then the room.
fn clap(rate_hz: f32, random: &mut Random) -> Vec<f32> {
    let mut centre = StateVariable::new(1250.0, 1.3, rate_hz);
    let mut air = StateVariable::new(4200.0, 0.7, rate_hz);
    let hands: Vec<usize> = [0.0, 0.009, 0.019].iter().map(|secs| (secs * rate_hz) as usize).collect();
    let burst_decay = decay_per_frame(0.006, rate_hz);
    let tail_decay = decay_per_frame(0.075, rate_hz);
    let mut level = 0.0_f32;
    let sound = (0..(0.34 * rate_hz) as usize).map(|frame| {
        if hands.contains(&frame) {
            level = 1.0;
        }
        let noise = random.bipolar();
        let sample = saturate(level * (2.2 * centre.process(noise).band + 0.8 * air.process(noise).band));
        level *= if frame > hands[2] { tail_decay } else { burst_decay };
        sample
    });
    fade_out(sound.collect())
}

/// Inharmonic square waves: the metal of hats and rides. The ratios are far from any chord.
struct Metal {
    partials: [(Oscillator, f32); 6],
}

impl Metal {
    fn new(base_hz: f32, rate_hz: f32, random: &mut Random) -> Self {
        let ratios = [1.0, 1.342, 1.2312, 1.6532, 1.9523, 2.1523];
        Self {
            partials: ratios.map(|ratio| (Oscillator::new(random.unit()), base_hz * ratio * 3.1 / rate_hz)),
        }
    }

    fn next(&mut self) -> f32 {
        self.partials
            .iter_mut()
            .map(|(oscillator, step)| {
                oscillator.advance(*step);
                oscillator.pulse(0.5)
            })
            .sum::<f32>()
            / 6.0
    }
}

/// Metal and noise above `high_pass_hz`. The top is rounded off: real cymbals carry little beyond 16 kHz.
fn cymbal(rate_hz: f32, high_pass_hz: f32, decay_secs: f32, secs: f32, random: &mut Random) -> Vec<f32> {
    let mut metal = Metal::new(410.0, rate_hz, random);
    let mut high_passes = [0.55, 1.3].map(|quality| StateVariable::new(high_pass_hz, quality, rate_hz));
    let mut top = StateVariable::new(13_000.0, 0.7, rate_hz);
    let decay = decay_per_frame(decay_secs * (0.9 + 0.2 * random.unit()), rate_hz);
    let mut level = 1.0_f32;
    let sound = (0..(secs * rate_hz) as usize).map(|frame| {
        let raw = 0.75 * metal.next() + 0.55 * random.bipolar();
        let attack = (frame as f32 / (0.0008 * rate_hz)).min(1.0);
        let bright = high_passes.iter_mut().fold(raw, |sample, filter| filter.process(sample).high);
        let sample = attack * level * top.process(bright).low;
        level *= decay;
        sample * 1.4
    });
    fade_out(sound.collect())
}

/// A stick's ping over a long wash.
fn ride(rate_hz: f32, random: &mut Random) -> Vec<f32> {
    let wash = cymbal(rate_hz, 5200.0, 0.32, 0.9, random);
    let mut metal = Metal::new(640.0, rate_hz, random);
    let mut ping = StateVariable::new(4300.0, 2.0, rate_hz);
    let mut level = 1.0_f32;
    let decay = decay_per_frame(0.07, rate_hz);
    wash.into_iter()
        .enumerate()
        .map(|(frame, sample)| {
            let attack = (frame as f32 / (0.0008 * rate_hz)).min(1.0);
            let bell = attack * level * ping.process(metal.next()).band;
            level *= decay;
            0.5 * sample + 0.8 * bell
        })
        .collect()
}

/// Two different washes, one per side.
fn crash(rate_hz: f32, velocity: f32, random: &mut Random) -> Vec<[f32; 2]> {
    let left = cymbal(rate_hz, 3300.0, 0.55, 2.4, random);
    let right = cymbal(rate_hz, 3600.0, 0.6, 2.4, random);
    left.into_iter().zip(right).map(|(l, r)| [l * velocity, r * velocity]).collect()
}

fn tom(rate_hz: f32, semitones: u8, random: &mut Random) -> Vec<f32> {
    let base_hz = 82.0 * (f32::from(semitones) / 12.0).exp2();
    let mut phase = 0.0_f32;
    let (mut level, mut bend) = (1.0_f32, 1.0_f32);
    let level_decay = decay_per_frame(0.16, rate_hz);
    let bend_decay = decay_per_frame(0.04, rate_hz);
    let mut stick = StateVariable::new(2500.0, 0.7, rate_hz);
    let sound = (0..(0.6 * rate_hz) as usize).map(|frame| {
        phase = (phase + base_hz * (1.0 + 0.55 * bend) / rate_hz).fract();
        let attack = (frame as f32 / (0.0006 * rate_hz)).min(1.0);
        let skin = 0.4 * bend * bend * stick.process(random.bipolar()).band;
        let sample = attack * (saturate(1.3 * level * (TAU * phase).sin()) + skin);
        level *= level_decay;
        bend *= bend_decay;
        sample
    });
    fade_out(sound.collect())
}

/// Grains that swell and stop.
fn shaker(rate_hz: f32, random: &mut Random) -> Vec<f32> {
    let mut filter = StateVariable::new(6800.0, 0.9, rate_hz);
    let mut top = StateVariable::new(12_000.0, 0.7, rate_hz);
    let frames = (0.11 * rate_hz) as usize;
    (0..frames)
        .map(|frame| {
            let share = frame as f32 / frames as f32;
            let level = (share / 0.25).min(1.0) * (1.0 - share).powi(2);
            level * top.process(filter.process(random.bipolar()).band).low
        })
        .collect()
}
