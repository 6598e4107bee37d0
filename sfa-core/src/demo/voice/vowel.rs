//! A singing voice on vowels: a glottal pulse through a cascade of formants (Klatt 1980).

use super::envelope::decay_per_frame;
use super::filter::{Resonator, StateVariable};
use super::oscillator::Oscillator;
use super::{CONTROL_FRAMES, Tone, pan_gains};
use crate::demo::random::Random;

/// What is sung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vowel {
    /// As in "father".
    Aah,
    /// As in "boot".
    Ooh,
    /// As in "caught".
    Oh,
    /// As in "bed".
    Eh,
}

impl Vowel {
    /// The first three formants of women's voices as Peterson and Barney measured them ("Control methods used
    /// in a study of the vowels", 1952), in Hz.
    fn formants_hz(self) -> [f32; 3] {
        match self {
            Self::Aah => [850.0, 1220.0, 2810.0],
            Self::Ooh => [370.0, 950.0, 2670.0],
            Self::Oh => [590.0, 920.0, 2710.0],
            Self::Eh => [610.0, 2330.0, 2990.0],
        }
    }
}

/// One singer, whose pitch and mouth move on from note to note without a break.
pub(crate) struct Singer {
    rate_hz: f32,
    /// Where this singer is off the written pitch: what makes a choir of several.
    detune: f32,
    delay_frames: usize,
    pan: [f32; 2],
    glottis: Oscillator,
    vibrato: Oscillator,
    vibrato_hz: f32,
    wander: f32,
    formants: [f32; 3],
    tract: [Resonator; 5],
    breath: StateVariable,
    tilt: StateVariable,
    hz: f32,
    random: Random,
}

impl Singer {
    pub(crate) fn new(
        rate_hz: f32,
        detune_cents: f32,
        delay_secs: f32,
        pan: f32,
        mut random: Random,
    ) -> Self {
        Self {
            rate_hz,
            detune: (detune_cents / 1200.0).exp2(),
            delay_frames: (delay_secs * rate_hz) as usize,
            pan: pan_gains(pan),
            glottis: Oscillator::new(random.unit()),
            vibrato: Oscillator::new(random.unit()),
            vibrato_hz: 5.1 + 0.7 * random.unit(),
            wander: 0.0,
            formants: Vowel::Ooh.formants_hz(),
            tract: Default::default(),
            breath: StateVariable::new(5200.0, 0.7, rate_hz),
            tilt: StateVariable::new(3200.0, 0.6, rate_hz),
            hz: 220.0,
            random,
        }
    }

    /// Sings one note; `vowels` are the mouth's shape at its start and its end.
    pub(crate) fn sing(&mut self, tone: Tone, vowels: [Vowel; 2]) -> (usize, Vec<[f32; 2]>) {
        let rate_hz = self.rate_hz;
        let attack_frames = if tone.slide_from_hz.is_some() { 0.035 } else { 0.07 } * rate_hz;
        let release_frames = 0.14 * rate_hz;
        let frames = tone.gate_frames + release_frames as usize;
        let target_hz = tone.hz * self.detune;
        if tone.slide_from_hz.is_none() {
            // Voices scoop up into the first note of a phrase.
            self.hz = target_hz * 0.945;
        }
        let glide = decay_per_frame(0.045, rate_hz / CONTROL_FRAMES as f32);
        let mouth = decay_per_frame(0.06, rate_hz / CONTROL_FRAMES as f32);
        let mut sound = Vec::with_capacity(frames);
        let mut sung_hz = self.hz;
        for frame in 0..frames {
            if frame % CONTROL_FRAMES == 0 {
                let secs = frame as f32 / rate_hz;
                let share = (frame as f32 / tone.gate_frames.max(1) as f32).min(1.0);
                let shape = if share < 0.45 { vowels[0] } else { vowels[1] };
                self.open_mouth(shape, mouth, tone.brightness_at(frame));
                self.hz = target_hz * (self.hz / target_hz).powf(glide);
                self.wander = 0.995 * self.wander + 0.3 * self.random.bipolar();
                self.vibrato.advance(self.vibrato_hz * CONTROL_FRAMES as f32 / rate_hz);
                let depth = 30.0 * ((secs - 0.22) / 0.4).clamp(0.0, 1.0);
                let cents = depth * self.vibrato.sine() + self.wander;
                sung_hz = self.hz * (cents / 1200.0).exp2();
            }
            self.glottis.advance(sung_hz / rate_hz);
            let attack = (frame as f32 / attack_frames).min(1.0);
            let release = ((frames - frame) as f32 / release_frames).min(1.0);
            let level = attack * attack * (3.0 - 2.0 * attack) * release * release;
            let air = 0.10 * self.breath.process(self.random.bipolar()).band;
            let source = self.tilt.process(self.glottis.saw()).low + air;
            let mouth_out = self.tract.iter_mut().fold(source, |sample, formant| formant.process(sample));
            let sample = mouth_out * level * tone.velocity;
            sound.push([sample * self.pan[0], sample * self.pan[1]]);
        }
        (tone.start_frame + self.delay_frames, sound)
    }

    /// Moves the formants a step towards `vowel`. Singers keep the first formant above the sung pitch.
    fn open_mouth(&mut self, vowel: Vowel, inertia: f32, brightness: f32) {
        for (formant, target) in self.formants.iter_mut().zip(vowel.formants_hz()) {
            *formant = target + (*formant - target) * inertia;
        }
        let first = self.formants[0].max(1.05 * self.hz);
        let centres = [first, self.formants[1].max(1.25 * first), self.formants[2], 3900.0, 4900.0];
        let bandwidths = [90.0, 110.0, 170.0, 250.0, 320.0];
        for ((formant, centre), bandwidth) in self.tract.iter_mut().zip(centres).zip(bandwidths) {
            formant.tune(centre, bandwidth, self.rate_hz);
        }
        self.tilt.tune(1500.0 + 3500.0 * brightness, 0.6, self.rate_hz);
    }
}
