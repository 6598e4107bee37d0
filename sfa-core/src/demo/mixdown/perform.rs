//! Notes to sound: every part plays its notes into an empty room.

use super::super::arrange::Plan;
use super::super::random::Random;
use super::super::score::{Note, Score};
use super::super::style::{ArpPatch, BassPatch, DemoStyle, KeysPatch, LeadPatch};
use super::super::voice::drums::{self, Drum};
use super::super::voice::plucked::{Plectrum, string};
use super::super::voice::vowel::Singer;
use super::super::voice::{Stereo, Tone, bass, effects, keys, lead, pad};

/// The musicians of one song.
pub(crate) struct Performance<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) score: &'a Score,
    pub(crate) rate_hz: f32,
}

impl Performance<'_> {
    /// Only the bass drum, which gets a channel of its own.
    pub(crate) fn kick(&self, out: &mut Stereo) {
        self.drums(out, |drum| drum == Drum::Kick);
    }

    /// Everything of the kit but the bass drum.
    pub(crate) fn kit(&self, out: &mut Stereo) {
        self.drums(out, |drum| drum != Drum::Kick);
    }

    fn drums(&self, out: &mut Stereo, wanted: impl Fn(Drum) -> bool) {
        let mut random = self.random("drum noise");
        for hit in self.score.drums.iter().filter(|hit| wanted(hit.drum)) {
            let level = match hit.drum {
                Drum::Kick => 0.95,
                Drum::Snare => 0.62,
                Drum::Clap => 0.42,
                Drum::ClosedHat => 0.3,
                Drum::OpenHat => 0.26,
                Drum::Ride => 0.24,
                Drum::Crash => 0.42,
                Drum::Tom(_) => 0.6,
                Drum::Shaker => 0.2,
            };
            let sound = drums::hit(hit.drum, hit.velocity * level, self.rate_hz, &mut random);
            out.play(self.plan.frame(hit.beat), sound.into_iter());
        }
    }

    pub(crate) fn bass(&self, out: &mut Stereo) {
        let mut random = self.random("bass strings");
        let upright = Plectrum { ring_secs: 0.7, softness: 0.5, bite_hz: 450.0, drive: 0.0 };
        let picked = Plectrum { ring_secs: 0.8, softness: 0.5, bite_hz: 900.0, drive: 1.2 };
        for note in &self.score.bass {
            let tone = self.tone(note, 0.0);
            let start = tone.start_frame;
            match self.plan.sheet.band.bass {
                BassPatch::Synth => out.play(start, bass::synth(tone, self.rate_hz)),
                BassPatch::Reese => out.play(start, bass::reese(tone, self.rate_hz)),
                BassPatch::Sub => out.play(start, bass::sub(tone, self.rate_hz)),
                BassPatch::Upright => out.play(start, string(tone, upright, self.rate_hz, &mut random)),
                BassPatch::Picked => out.play(start, string(tone, picked, self.rate_hz, &mut random)),
            }
        }
    }

    pub(crate) fn pad(&self, out: &mut Stereo) {
        let mut random = self.random("pad phases");
        let attack_secs = self.plan.sheet.band.pad_attack_secs;
        for note in &self.score.pad {
            let tone = self.tone(note, 0.0);
            out.play(tone.start_frame, pad::strings(tone, attack_secs, self.rate_hz, &mut random));
        }
    }

    pub(crate) fn keys(&self, out: &mut Stereo) {
        let mut random = self.random("guitar strings");
        let guitar = Plectrum { ring_secs: 1.6, softness: 0.18, bite_hz: 3500.0, drive: 5.0 };
        for note in &self.score.keys {
            match self.plan.sheet.band.keys {
                KeysPatch::Stab => {
                    let tone = self.tone(note, 0.0);
                    out.play(tone.start_frame, keys::stab(tone, self.rate_hz));
                }
                KeysPatch::ElectricPiano => {
                    let tone = self.tone(note, 0.1);
                    out.play(tone.start_frame, keys::electric_piano(tone, self.rate_hz));
                }
                KeysPatch::Guitar => {
                    // Doubled, one take per side: the wall of guitars.
                    for pan in [-0.6, 0.6] {
                        let tone = self.tone(note, pan);
                        out.play(tone.start_frame, string(tone, guitar, self.rate_hz, &mut random));
                    }
                }
            }
        }
    }

    pub(crate) fn arp(&self, out: &mut Stereo) {
        let mut random = self.random("arp strings");
        let nylon = Plectrum { ring_secs: 0.9, softness: 0.4, bite_hz: 3000.0, drive: 0.0 };
        for (index, note) in self.score.arp.iter().enumerate() {
            let tone = self.tone(note, if index % 2 == 0 { -0.35 } else { 0.35 });
            let start = tone.start_frame;
            match self.plan.sheet.band.arp {
                ArpPatch::Pluck => out.play(start, keys::pluck(tone, 0.13, self.rate_hz)),
                ArpPatch::Bell => out.play(start, keys::pluck(tone, 0.7, self.rate_hz)),
                ArpPatch::Strings => out.play(start, string(tone, nylon, self.rate_hz, &mut random)),
            }
        }
    }

    pub(crate) fn lead(&self, out: &mut Stereo) {
        let mut previous = None;
        for note in &self.score.lead {
            let tone = Tone { slide_from_hz: previous.filter(|_| note.slurred), ..self.tone(note, 0.08) };
            previous = Some(tone.hz);
            match self.plan.sheet.band.lead {
                LeadPatch::Saw => out.play(tone.start_frame, lead::saw(tone, self.rate_hz)),
                LeadPatch::Whistle => out.play(tone.start_frame, lead::whistle(tone, self.rate_hz)),
                LeadPatch::Fiddle => out.play(tone.start_frame, lead::fiddle(tone, self.rate_hz)),
            }
        }
    }

    /// One singer in the middle and two quieter ones at the sides.
    pub(crate) fn vocal(&self, out: &mut Stereo) {
        let choir = [(0.0, 0.0, 0.0, 1.0), (-8.0, 0.011, -0.7, 0.42), (7.0, 0.017, 0.7, 0.42)];
        for (index, (detune_cents, delay_secs, pan, level)) in choir.into_iter().enumerate() {
            let random = self.random(["singer", "left singer", "right singer"][index]);
            let mut singer = Singer::new(self.rate_hz, detune_cents, delay_secs, pan, random);
            for sung in &self.score.vocal {
                let tone = self.tone(&sung.note, pan);
                let slide_from_hz = sung.note.slurred.then_some(tone.hz);
                let velocity = tone.velocity * level;
                let (start, sound) = singer.sing(Tone { slide_from_hz, velocity, ..tone }, sung.vowels);
                out.play(start, sound.into_iter());
            }
        }
    }

    pub(crate) fn transitions(&self, out: &mut Stereo) {
        let mut random = self.random("transitions");
        let root_hz = self.hz(45 + (self.plan.options.key.tonic.semitone() as i32 + 3) % 12);
        for transition in &self.score.transitions {
            let start = self.plan.frame(transition.beat);
            let frames = self.plan.frame(transition.beat + transition.beats) - start;
            out.play(
                start,
                effects::effect(transition.effect, frames, root_hz, self.rate_hz, &mut random).into_iter(),
            );
        }
    }

    fn random(&self, purpose: &str) -> Random {
        Random::for_purpose(self.plan.options.seed, purpose)
    }

    fn hz(&self, pitch: i32) -> f32 {
        let semitones = f64::from(pitch - 69) + self.plan.options.tuning_cents / 100.0;
        (440.0 * (semitones / 12.0).exp2()) as f32
    }

    fn tone(&self, note: &Note, pan: f32) -> Tone {
        let start_frame = self.plan.frame(note.beat);
        // Ambient notes overlap like brush strokes.
        let overlap = if self.plan.options.style == DemoStyle::Ambient { 1.3 } else { 1.0 };
        let end_frame = self.plan.frame(note.beat + note.beats * overlap);
        Tone {
            start_frame,
            gate_frames: end_frame.saturating_sub(start_frame).max(1),
            hz: self.hz(note.pitch),
            slide_from_hz: None,
            velocity: note.velocity,
            brightness: [note.beat, note.beat + note.beats].map(|beat| self.plan.brightness(beat)),
            pan,
        }
    }
}
