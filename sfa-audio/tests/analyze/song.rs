//! A small band that plays chord progressions: material whose key is known because we wrote it.

use std::f64::consts::TAU;

use sfa_audio::analyze::{Key, Mode};

pub(crate) const RATE_HZ: u32 = 44_100;

/// A chord by the semitones from the tonic to its root, and its mode.
pub(crate) type Chord = (u8, Mode);

/// What the band plays.
#[derive(Debug, Clone)]
pub(crate) struct Song {
    pub(crate) key: Key,
    /// Played over and over, one chord each two seconds, from the tonic's point of view.
    pub(crate) chords: Vec<Chord>,
    pub(crate) secs: f64,
    pub(crate) tuning_cents: f64,
    /// Kick, snare and hi-hat at this level; the band plays at about 0.5.
    pub(crate) drums: f64,
    /// White noise at this level.
    pub(crate) noise: f64,
    /// Chooses the melody.
    pub(crate) seed: u32,
}

impl Song {
    /// The four chords of a thousand songs: I-vi-IV-V, or i-VI-III-VII.
    pub(crate) fn in_key(key: Key) -> Self {
        use Mode::{Major, Minor};
        let chords = match key.mode {
            Major => vec![(0, Major), (9, Minor), (5, Major), (7, Major)],
            Minor => vec![(0, Minor), (8, Major), (3, Major), (10, Major)],
        };
        Self { key, chords, secs: 16.0, tuning_cents: 0.0, drums: 0.0, noise: 0.0, seed: 1 }
    }

    /// Renders the song, mono at [`RATE_HZ`].
    pub(crate) fn render(&self) -> Vec<f32> {
        let mut mix = vec![0.0; (self.secs * f64::from(RATE_HZ)) as usize];
        let mut dice = Dice(self.seed);
        let tonic = 48.0 + self.key.tonic.semitone() as f64;
        let pad = Timbre::new(&[1.0, 0.5, 0.35, 0.25, 0.15, 0.1, 0.08, 0.05]);
        let bass = Timbre::new(&[1.0, 0.6, 0.3, 0.15, 0.05]);
        let lead = Timbre::new(&[1.0, 0.2, 0.45, 0.1, 0.25]);
        for bar in 0..(self.secs / 2.0).ceil() as usize {
            let (root, mode) = self.chords[bar % self.chords.len()];
            let start = bar as f64 * 2.0;
            let third = if mode == Mode::Major { 4.0 } else { 3.0 };
            let tones = [0.0, third, 7.0].map(|interval| tonic + f64::from(root) + interval);
            for tone in tones {
                // Close voicing around middle C.
                let pitch = 60.0 + (tone - 60.0).rem_euclid(12.0);
                self.note(&mut mix, &pad, pitch, start, 2.0, 0.1);
            }
            let bass_pitch = 36.0 + (tones[0] - 36.0).rem_euclid(12.0);
            for beat in 0..4 {
                let pitch = if beat == 3 { bass_pitch + 7.0 } else { bass_pitch };
                self.note(&mut mix, &bass, pitch, start + 0.5 * f64::from(beat), 0.45, 0.2);
            }
            for step in 0..4 {
                let pitch = if step % 2 == 0 {
                    72.0 + (tones[dice.below(3)] - 72.0).rem_euclid(12.0)
                } else {
                    tonic + 24.0 + SCALES[usize::from(self.key.mode == Mode::Minor)][dice.below(7)]
                };
                self.note(&mut mix, &lead, pitch, start + 0.5 * f64::from(step), 0.48, 0.12);
            }
        }
        self.play_drums(&mut mix, &mut dice);
        mix
    }

    fn note(&self, mix: &mut [f32], timbre: &Timbre, pitch: f64, start_secs: f64, secs: f64, level: f64) {
        let hz = 440.0 * 2f64.powf((pitch - 69.0 + self.tuning_cents / 100.0) / 12.0);
        let rate = f64::from(RATE_HZ);
        let first = (start_secs * rate) as usize;
        let frames = (secs * rate) as usize;
        for (n, out) in mix.iter_mut().skip(first).take(frames).enumerate() {
            let (since, left) = (n as f64 / rate, (frames - n) as f64 / rate);
            let envelope = (since / 0.01).min(1.0) * (left / 0.03).min(1.0) * (-since).exp();
            *out += (level * envelope * timbre.at(hz * since)) as f32;
        }
    }

    fn play_drums(&self, mix: &mut [f32], dice: &mut Dice) {
        for (n, out) in mix.iter_mut().enumerate() {
            let secs = n as f64 / f64::from(RATE_HZ);
            let white = dice.noise();
            let kick_secs = secs % 0.5;
            let kick = (-12.0 * kick_secs).exp()
                * (TAU * (48.0 * kick_secs - 4.0 * (-30.0 * kick_secs).exp())).sin();
            let snare = (-18.0 * ((secs + 0.5) % 1.0)).exp() * white;
            let hat = 0.4 * (-60.0 * (secs % 0.25)).exp() * white;
            *out += (self.drums * (kick + snare + hat) + self.noise * white) as f32;
        }
    }
}

/// Semitones of the major and of the natural minor scale.
const SCALES: [[f64; 7]; 2] = [[0.0, 2.0, 4.0, 5.0, 7.0, 9.0, 11.0], [0.0, 2.0, 3.0, 5.0, 7.0, 8.0, 10.0]];

/// One period of a sound.
struct Timbre(Vec<f64>);

impl Timbre {
    const POINTS: usize = 4096;

    fn new(harmonics: &[f64]) -> Self {
        Self(
            (0..Self::POINTS)
                .map(|point| {
                    let phase = TAU * point as f64 / Self::POINTS as f64;
                    (1u8..)
                        .zip(harmonics)
                        .map(|(number, level)| level * (f64::from(number) * phase).sin())
                        .sum()
                })
                .collect(),
        )
    }

    fn at(&self, cycles: f64) -> f64 {
        self.0[(cycles * Self::POINTS as f64) as usize % Self::POINTS]
    }
}

/// Always the same chance.
pub(crate) struct Dice(pub u32);

impl Dice {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 8
    }

    pub(crate) fn below(&mut self, end: u32) -> usize {
        (self.next() % end) as usize
    }

    pub(crate) fn noise(&mut self) -> f64 {
        f64::from(self.next()) / f64::from(1 << 23) - 1.0
    }
}
