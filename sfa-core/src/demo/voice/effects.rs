//! Noises that lead from one section into the next.

use super::CONTROL_FRAMES;
use super::filter::StateVariable;
use super::oscillator::Oscillator;
use crate::demo::random::Random;

/// A sound between sections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Noise and a tone that rise through a build-up.
    Riser,
    /// A low boom on the first beat of a drop.
    Impact,
    /// Noise that sinks into a calm section.
    Fall,
}

/// The sound of an effect that lasts `frames`.
pub(crate) fn effect(
    kind: Effect,
    frames: usize,
    root_hz: f32,
    rate_hz: f32,
    random: &mut Random,
) -> Vec<[f32; 2]> {
    match kind {
        Effect::Riser => sweep(frames, rate_hz, root_hz, random, |share| (share, share * share)),
        Effect::Fall => sweep(frames, rate_hz, 0.0, random, |share| (1.0 - share, (1.0 - share).powi(2))),
        Effect::Impact => impact(frames, rate_hz),
    }
}

/// Noise through a moving band; `path` gives height and level for the share of time that has passed.
fn sweep(
    frames: usize,
    rate_hz: f32,
    root_hz: f32,
    random: &mut Random,
    path: impl Fn(f32) -> (f32, f32),
) -> Vec<[f32; 2]> {
    let mut filters = [StateVariable::new(400.0, 1.6, rate_hz); 2];
    let mut top = [StateVariable::new(11_000.0, 0.7, rate_hz); 2];
    let mut tones = [Oscillator::new(0.0), Oscillator::new(0.5)];
    let edge_frames = (0.012 * rate_hz).max(1.0);
    (0..frames)
        .map(|frame| {
            let (height, level) = path(frame as f32 / frames as f32);
            let edge = (frame.min(frames - frame) as f32 / edge_frames).min(1.0);
            let mut output = [0.0; 2];
            for side in 0..2 {
                if frame % CONTROL_FRAMES == 0 {
                    let skew = if side == 0 { 0.94 } else { 1.06 };
                    filters[side].tune(350.0 * skew * (4.6 * height).exp2(), 1.6, rate_hz);
                }
                let noise = top[side].process(filters[side].process(random.bipolar()).band).low;
                // Up two octaves over the whole way, a few cents apart.
                let hz = root_hz * (2.0 * height).exp2() * if side == 0 { 0.997 } else { 1.003 };
                tones[side].advance(hz / rate_hz);
                let tone = if root_hz > 0.0 { 0.07 * height * tones[side].saw() } else { 0.0 };
                output[side] = edge * level * (noise + tone);
            }
            output
        })
        .collect()
}

fn impact(frames: usize, rate_hz: f32) -> Vec<[f32; 2]> {
    let mut boom = Oscillator::new(0.0);
    (0..frames)
        .map(|frame| {
            let share = frame as f32 / frames as f32;
            boom.advance((34.0 + 30.0 * (-9.0 * share).exp()) / rate_hz);
            let attack = (frame as f32 / (0.004 * rate_hz)).min(1.0);
            let sample = attack * (1.0 - share).powi(3) * boom.sine();
            [sample, sample]
        })
        .collect()
}
