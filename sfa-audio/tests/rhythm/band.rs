//! A small band that plays drum patterns, bass and chords at known times.

use std::f64::consts::TAU;

pub(crate) const RATE_HZ: f64 = 44_100.0;

/// How the tempo moves over the song.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Course {
    Constant,
    /// Evenly to this tempo at the end.
    Ramp(f64),
    /// To this tempo at half time.
    Step(f64),
    /// Slow waves of this share.
    Drift(f64),
    /// Slower over the last four bars, down to this share.
    Ritardando(f64),
}

/// What is played; in the patterns of one or more bars `x` is a hit, `o` a soft one.
#[derive(Clone, Copy)]
pub(crate) struct Style {
    pub(crate) name: &'static str,
    pub(crate) bpm: f64,
    pub(crate) beats_per_bar: usize,
    pub(crate) steps_per_beat: usize,
    /// Where the second half of a pair of steps falls: 0.5 is straight.
    pub(crate) swing: f64,
    pub(crate) kick: &'static str,
    pub(crate) snare: &'static str,
    pub(crate) hat: &'static str,
    pub(crate) bass: &'static str,
    pub(crate) chords: &'static str,
    pub(crate) course: Course,
    /// Random lateness of every hit in seconds.
    pub(crate) looseness_secs: f64,
}

pub(crate) struct Song {
    pub(crate) mono: Vec<f32>,
    pub(crate) beats: Vec<f64>,
    pub(crate) downbeats: Vec<f64>,
}

struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / f64::from(1u32 << 30) - 1.0
    }
}

/// Plays `bars` bars: a quiet introduction, everybody, a break without drums, everybody.
pub(crate) fn play(style: &Style, bars: usize, lead_in_secs: f64, seed: u64) -> Song {
    let mut noise = Noise(seed.wrapping_mul(7919) + 17);
    let count = bars * style.beats_per_bar;
    let mut beats = vec![lead_in_secs];
    for n in 0..count {
        let progress = n as f64 / count as f64;
        let left = (count - n) as f64 / (4 * style.beats_per_bar) as f64;
        let bpm = match style.course {
            Course::Constant => style.bpm,
            Course::Ramp(to) => style.bpm + (to - style.bpm) * progress,
            Course::Step(to) => {
                if progress < 0.5 {
                    style.bpm
                } else {
                    to
                }
            }
            Course::Drift(share) => style.bpm * (1.0 + share * (TAU * progress * 1.7).sin()),
            Course::Ritardando(share) => style.bpm * (share + (1.0 - share) * left.min(1.0)),
        };
        beats.push(beats[n] + 60.0 / bpm);
    }
    let mut song = vec![0.0_f32; ((beats[count] + 2.0) * RATE_HZ) as usize];
    let roots = [57, 53, 48, 55];
    let steps_per_bar = style.beats_per_bar * style.steps_per_beat;
    for bar in 0..bars {
        let part = 8 * bar / bars;
        let (drums, hats, bass) = (part != 0 && part != 4, part != 4, part != 0);
        for step in 0..steps_per_bar {
            let beat = bar * style.beats_per_bar + step / style.steps_per_beat;
            let within = step % style.steps_per_beat;
            let mut share = within as f64 / style.steps_per_beat as f64;
            if within % 2 == 1 {
                share += (2.0 * style.swing - 1.0) / style.steps_per_beat as f64;
            }
            let secs = beats[beat] + share * (beats[beat + 1] - beats[beat]);
            let length_secs = beats[beat + 1] - beats[beat];
            let root = roots[bar % 4];
            let mut hit = |pattern: &str| -> Option<(f64, f32)> {
                let marks = pattern.as_bytes();
                if marks.is_empty() {
                    return None;
                }
                let level = match marks[(bar * steps_per_bar + step) % marks.len()] {
                    b'x' => 1.0,
                    b'o' => 0.5,
                    _ => return None,
                };
                Some((secs + style.looseness_secs * (noise.next() + noise.next()) * 0.5, level))
            };
            let kick = hit(style.kick).filter(|_| drums);
            let snare = hit(style.snare).filter(|_| drums);
            let hat = hit(style.hat).filter(|_| hats);
            let low = hit(style.bass).filter(|_| bass);
            let chord = hit(style.chords);
            if let Some((at, level)) = kick {
                add_kick(&mut song, at, level * 0.7);
            }
            if let Some((at, level)) = snare {
                add_snare(&mut song, at, level * 0.4, &mut noise);
            }
            if let Some((at, level)) = hat {
                add_hat(&mut song, at, level * 0.15, &mut noise);
            }
            if let Some((at, level)) = low {
                add_tone(&mut song, at, midi_hz(root - 24), length_secs * 0.8, level * 0.25);
            }
            if let Some((at, level)) = chord {
                let third = if bar % 4 == 0 { 3 } else { 4 };
                for note in [root, root + third, root + 7] {
                    add_tone(
                        &mut song,
                        at,
                        midi_hz(note),
                        length_secs * style.beats_per_bar as f64 * 0.9,
                        level * 0.08,
                    );
                }
            }
        }
    }
    let downbeats = beats.iter().step_by(style.beats_per_bar).copied().collect();
    Song { mono: song, beats, downbeats }
}

fn midi_hz(note: i32) -> f64 {
    440.0 * ((f64::from(note) - 69.0) / 12.0).exp2()
}

fn add(song: &mut [f32], at_secs: f64, length_secs: f64, mut sample: impl FnMut(f64) -> f64) {
    let start = at_secs.max(0.0) * RATE_HZ;
    let first = start.ceil() as usize;
    let end = (first + (length_secs * RATE_HZ) as usize).min(song.len());
    for (n, out) in song.iter_mut().enumerate().take(end).skip(first) {
        *out += sample((n as f64 - start) / RATE_HZ) as f32;
    }
}

pub(crate) fn add_kick(song: &mut [f32], at_secs: f64, level: f32) {
    add(song, at_secs, 0.25, |t| {
        let phase = 50.0 * t + 110.0 * 0.04 * (1.0 - (-t / 0.04).exp());
        f64::from(level) * (TAU * phase + 0.3).sin() * (-t / 0.09).exp()
    });
}

fn add_snare(song: &mut [f32], at_secs: f64, level: f32, noise: &mut Noise) {
    add(song, at_secs, 0.2, |t| {
        f64::from(level) * (0.5 * (TAU * 190.0 * t).sin() + 0.6 * noise.next()) * (-t / 0.06).exp()
    });
}

fn add_hat(song: &mut [f32], at_secs: f64, level: f32, noise: &mut Noise) {
    let mut last = 0.0;
    add(song, at_secs, 0.08, |t| {
        let white = noise.next();
        let high = white - last;
        last = white;
        f64::from(level) * high * (-t / 0.025).exp()
    });
}

fn add_tone(song: &mut [f32], at_secs: f64, frequency_hz: f64, length_secs: f64, level: f32) {
    // One period, so that a long chord is not thousands of sines per note.
    let wave: Vec<f64> = (0..512)
        .map(|n| (1..=4).map(|k| (TAU * f64::from(k * n) / 512.0).sin() / f64::from(k)).sum())
        .collect();
    add(song, at_secs, length_secs, |t| {
        let envelope = (t / 0.008).min(1.0) * ((length_secs - t) / 0.03).clamp(0.0, 1.0) * (-t / 1.2).exp();
        f64::from(level) * envelope * wave[(t * frequency_hz * 512.0) as usize % 512]
    });
}

pub(crate) const PLAIN: Style = Style {
    name: "",
    bpm: 120.0,
    beats_per_bar: 4,
    steps_per_beat: 4,
    swing: 0.5,
    kick: "",
    snare: "",
    hat: "",
    bass: "",
    chords: "x...............",
    course: Course::Constant,
    looseness_secs: 0.0,
};

/// What many kinds of music are built from.
pub(crate) const STYLES: &[Style] = &[
    Style {
        name: "house",
        bpm: 124.0,
        kick: "x...x...x...x...",
        snare: "....x.......x...",
        hat: "..x...x...x...x.",
        bass: "..x...x...x...x.",
        ..PLAIN
    },
    Style {
        name: "techno",
        bpm: 132.0,
        kick: "x...x...x...x...",
        hat: "..x...x...x...xx",
        bass: "..xx..xx..xx..xx",
        ..PLAIN
    },
    Style {
        name: "trance",
        bpm: 138.65,
        kick: "x...x...x...x...",
        snare: "....x.......x...",
        hat: "..x...x...x...x.",
        bass: ".xxx.xxx.xxx.xxx",
        ..PLAIN
    },
    Style {
        name: "dnb",
        bpm: 174.0,
        kick: "x.........x.....",
        snare: "....x.......x...",
        hat: "x.x.x.x.x.x.x.x.",
        bass: "x.........x.....",
        ..PLAIN
    },
    Style {
        name: "jungle",
        bpm: 168.0,
        kick: "x.x.......x.....",
        snare: "....x..x.x..x..x",
        hat: "x.x.x.x.x.x.x.x.",
        bass: "x.......x.......",
        ..PLAIN
    },
    Style {
        name: "hiphop",
        bpm: 91.7,
        swing: 0.6,
        kick: "x......x..x.....",
        snare: "....x.......x...",
        hat: "x.xxx.xxx.xxx.xx",
        bass: "x......x..x.....",
        looseness_secs: 0.008,
        ..PLAIN
    },
    Style {
        name: "boombap",
        bpm: 84.0,
        swing: 0.58,
        kick: "x.x....x..x....x",
        snare: "....x.......x...",
        hat: "x.x.x.x.x.x.x.x.",
        bass: "x.....x...x.....",
        looseness_secs: 0.008,
        ..PLAIN
    },
    Style {
        name: "rock",
        bpm: 128.4,
        kick: "x.......x.x.....",
        snare: "....x.......x...",
        hat: "x.x.x.x.x.x.x.x.",
        bass: "x.x.x.x.x.x.x.x.",
        course: Course::Drift(0.03),
        looseness_secs: 0.008,
        ..PLAIN
    },
    Style {
        name: "rock step",
        bpm: 96.0,
        kick: "x.......x.x.....",
        snare: "....x.......x...",
        hat: "x.x.x.x.x.x.x.x.",
        bass: "x.x.x.x.x.x.x.x.",
        course: Course::Step(120.0),
        looseness_secs: 0.005,
        ..PLAIN
    },
    Style {
        name: "ballad",
        bpm: 68.0,
        kick: "x.........x.....",
        snare: "....x.......x...",
        hat: "x.x.x.x.x.x.x.x.",
        bass: "x.......x.......",
        course: Course::Ritardando(0.72),
        looseness_secs: 0.008,
        chords: "x.......x.......",
        ..PLAIN
    },
    Style {
        name: "slow soul",
        bpm: 62.0,
        steps_per_beat: 3,
        kick: "x.....x.x...",
        snare: "...x.....x..",
        hat: "xxxxxxxxxxxx",
        bass: "x.....x.x...",
        chords: "x...........",
        looseness_secs: 0.008,
        ..PLAIN
    },
    Style {
        name: "trap",
        bpm: 140.0,
        kick: "x.........x..x..",
        snare: "........x.......",
        hat: "x.x.x.x.x.x.xxxx",
        bass: "x.........x.....",
        ..PLAIN
    },
    Style {
        name: "dubstep",
        bpm: 140.0,
        kick: "x.............x.",
        snare: "........x.......",
        hat: "..x...x...x...x.",
        bass: "x.xxx.xx..x.x.x.",
        ..PLAIN
    },
    Style {
        name: "disco",
        bpm: 117.3,
        kick: "x...x...x...x...",
        snare: "....x.......x...",
        hat: "xoxxxoxxxoxxxoxx",
        bass: "x.x.x.x.x.x.x.x.",
        looseness_secs: 0.004,
        ..PLAIN
    },
    Style {
        name: "jazz",
        bpm: 168.0,
        steps_per_beat: 3,
        kick: "o..o..o..o..",
        snare: "",
        hat: "x..x.xx..x.x",
        bass: "x..x..x..x..",
        chords: "x....x......",
        course: Course::Drift(0.015),
        looseness_secs: 0.01,
        ..PLAIN
    },
    Style {
        name: "waltz",
        bpm: 154.0,
        beats_per_bar: 3,
        steps_per_beat: 2,
        kick: "x.....",
        snare: "..o.o.",
        hat: "",
        bass: "x.....",
        chords: "..x.x.",
        looseness_secs: 0.006,
        ..PLAIN
    },
    Style {
        name: "slow waltz",
        bpm: 92.0,
        beats_per_bar: 3,
        steps_per_beat: 2,
        kick: "x.....",
        snare: "..x.x.",
        hat: "xxxxxx",
        bass: "x.....",
        chords: "x.....",
        looseness_secs: 0.006,
        ..PLAIN
    },
    Style {
        name: "reggae",
        bpm: 76.0,
        kick: "........x.......",
        snare: "........x.......",
        hat: "x.x.x.x.x.x.x.x.",
        bass: "x..x..x...x.....",
        chords: "....x.......x...",
        looseness_secs: 0.006,
        ..PLAIN
    },
    Style {
        name: "pop",
        bpm: 104.0,
        kick: "x.....x.x.......",
        snare: "....x.......x...",
        hat: "x.x.x.x.x.x.x.x.",
        bass: "x.....x.x.....x.",
        ..PLAIN
    },
    Style {
        name: "metal",
        bpm: 188.0,
        kick: "x.x.x.x.x.x.x.x.",
        snare: "....x.......x...",
        hat: "x...x...x...x...",
        bass: "x.x.x.x.x.x.x.x.",
        looseness_secs: 0.004,
        ..PLAIN
    },
    Style { name: "ambient", bpm: 80.0, chords: "x...............", bass: "x.......x.......", ..PLAIN },
    Style { name: "piano", bpm: 72.0, chords: "x...x...x...x...", looseness_secs: 0.01, ..PLAIN },
    Style {
        name: "bossa",
        bpm: 132.0,
        kick: "x..xx..xx..xx..x",
        snare: "x.....x.....x.......x.....x.....",
        hat: "xxxxxxxxxxxxxxxx",
        bass: "x.....x.x.....x.",
        looseness_secs: 0.005,
        ..PLAIN
    },
    Style {
        name: "afro",
        bpm: 120.0,
        steps_per_beat: 3,
        kick: "x..x..x..x..",
        snare: "x.x.xx.x.x.x",
        hat: "xoxxoxxoxxox",
        bass: "x....xx.....",
        looseness_secs: 0.005,
        ..PLAIN
    },
    Style {
        name: "synthwave",
        bpm: 100.0,
        kick: "x.......x.......",
        snare: "....x.......x...",
        hat: "x.x.x.x.x.x.x.x.",
        bass: "xxxxxxxxxxxxxxxx",
        ..PLAIN
    },
    Style {
        name: "prog",
        bpm: 146.0,
        beats_per_bar: 7,
        steps_per_beat: 2,
        kick: "x...x.....x...",
        snare: "....x...x.....",
        hat: "x.x.x.x.x.x.x.",
        bass: "x...x...x.x...",
        chords: "x.............",
        ..PLAIN
    },
    Style {
        name: "house ramp",
        bpm: 122.0,
        kick: "x...x...x...x...",
        snare: "....x.......x...",
        hat: "..x...x...x...x.",
        bass: "..x...x...x...x.",
        course: Course::Ramp(128.0),
        ..PLAIN
    },
    Style {
        name: "garage",
        bpm: 133.33,
        swing: 0.6,
        kick: "x.........x.....",
        snare: "....x.......x...",
        hat: "..xx..x...xx..x.",
        bass: "x..x....x..x....",
        ..PLAIN
    },
    Style {
        name: "hardcore",
        bpm: 190.0,
        kick: "x...x...x...x...",
        hat: "..x...x...x...x.",
        bass: "..x...x...x...x.",
        ..PLAIN
    },
    Style {
        name: "reggaeton",
        bpm: 94.0,
        kick: "x...x...x...x...",
        snare: "...x..x....x..x.",
        hat: "x.x.x.x.x.x.x.x.",
        bass: "x...x...x...x...",
        ..PLAIN
    },
    Style {
        name: "motown",
        bpm: 110.0,
        kick: "x...x...x...x...",
        snare: "x...x...x...x...",
        hat: "x.x.x.x.x.x.x.x.",
        bass: "x..xx.x.x..xx.x.",
        looseness_secs: 0.008,
        ..PLAIN
    },
    Style {
        name: "punk",
        bpm: 180.0,
        kick: "x.......x.x.....",
        snare: "....x.......x...",
        hat: "x...x...x...x...",
        bass: "x.x.x.x.x.x.x.x.",
        looseness_secs: 0.006,
        ..PLAIN
    },
];
