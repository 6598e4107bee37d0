//! Plucked strings after Karplus and Strong (1983) with the tuning filter of Jaffe and Smith (1983).

use super::envelope::decay_per_frame;
use super::filter::{StateVariable, saturate};
use super::{Tone, panned};
use crate::demo::random::Random;

/// How a string is made and played.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plectrum {
    /// Time constant of the ringing.
    pub(crate) ring_secs: f32,
    /// Weight of the loss filter, `0.0` (bright steel) `..=0.5` (soft gut).
    pub(crate) softness: f32,
    /// Cutoff of the plucking noise.
    pub(crate) bite_hz: f32,
    /// Gain into the amplifier's soft clipping; 0 plays the string alone.
    pub(crate) drive: f32,
}

/// A string that is damped when the note ends.
pub(crate) fn string(
    tone: Tone,
    plectrum: Plectrum,
    rate_hz: f32,
    random: &mut Random,
) -> impl Iterator<Item = [f32; 2]> + use<> {
    // The loss filter delays by its weight, the line by its length, the all-pass by the fraction that is left.
    let period = (rate_hz / tone.hz.max(20.0)).max(4.0) - plectrum.softness;
    let length = (period - 0.3).floor() as usize;
    let fraction = period - length as f32;
    let all_pass = (1.0 - fraction) / (1.0 + fraction);

    let mut bite = StateVariable::new(plectrum.bite_hz * (0.4 + 0.6 * tone.velocity), 0.7, rate_hz);
    let mut line: Vec<f32> = (0..length).map(|_| bite.process(random.bipolar()).low).collect();
    let mean = line.iter().sum::<f32>() / length as f32;
    let peak = line.iter().fold(1e-6_f32, |peak, x| peak.max((x - mean).abs()));
    line.iter_mut().for_each(|sample| *sample = (*sample - mean) / peak);

    let ring = (-1.0 / (plectrum.ring_secs * tone.hz)).exp();
    let damped = (-1.0 / (0.03 * tone.hz)).exp();
    let fade = decay_per_frame(0.04, rate_hz);
    let frames = tone.gate_frames + (0.25 * rate_hz) as usize;
    let (mut position, mut last, mut all_pass_in, mut all_pass_out, mut tail) = (0, 0.0, 0.0, 0.0, 1.0_f32);
    let mut cabinet = StateVariable::new(3600.0, 0.8, rate_hz);
    let sound = (0..frames).map(move |frame| {
        let current = line[position];
        let lost = (1.0 - plectrum.softness) * current + plectrum.softness * last;
        last = current;
        let tuned = all_pass * (lost - all_pass_out) + all_pass_in;
        all_pass_in = lost;
        all_pass_out = tuned;
        let held = frame < tone.gate_frames;
        line[position] = tuned * if held { ring } else { damped };
        position = (position + 1) % length;
        if !held {
            tail *= fade;
        }
        let attack = (frame as f32 / (0.001 * rate_hz)).min(1.0);
        let loud = attack * tail * tone.velocity * current;
        if plectrum.drive > 0.0 { cabinet.process(saturate(plectrum.drive * loud)).low } else { loud }
    });
    panned(sound, tone.pan)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_in_tune_from_bass_to_treble() {
        let plectrum = Plectrum { ring_secs: 2.0, softness: 0.3, bite_hz: 2000.0, drive: 0.0 };
        for hz in [41.2, 110.0, 329.6, 880.0] {
            let tone = Tone {
                start_frame: 0,
                gate_frames: 44_100,
                hz,
                slide_from_hz: None,
                velocity: 1.0,
                brightness: [0.5; 2],
                pan: 0.0,
            };
            let sound: Vec<f64> = string(tone, plectrum, 44_100.0, &mut Random::new(3))
                .map(|frame| f64::from(frame[0]))
                .take(40_000)
                .collect();
            // The power of the fundamental against detuned neighbours, over 0.8 s: a parabola through three
            // probes 15 cents apart finds the pitch.
            let power_at = |cents: f64| {
                let step = std::f64::consts::TAU * f64::from(hz) * (cents / 1200.0).exp2() / 44_100.0;
                let (re, im) = sound[4000..].iter().enumerate().fold((0.0, 0.0), |(re, im), (n, x)| {
                    let hann = 0.5 - 0.5 * (std::f64::consts::TAU * n as f64 / 36_000.0).cos();
                    let angle = step * n as f64;
                    (re + hann * x * angle.cos(), im + hann * x * angle.sin())
                });
                (re * re + im * im).ln()
            };
            let [below, at, above] = [-15.0, 0.0, 15.0].map(power_at);
            let cents = 7.5 * (below - above) / (below - 2.0 * at + above);
            // Listeners notice about 5 cents.
            assert!(cents.abs() < 4.0, "{hz} Hz is {cents} cents off");
        }
    }
}
