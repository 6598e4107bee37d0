"""Songs of 24 styles whose truth is known, synthesised from a seed.

    python songs.py --seeds 1-24 --out DIR [--stems]

Writes DIR/song_SS_STYLE/{mix.flac, truth.json[, stems/NAME.flac]}. Seed s has style (s - 1) % 24; seeds above 24
move tempo, key, tuning, patterns, instruments, levels and form. Needs numpy and soundfile.
"""

import argparse
import json
import pathlib

import numpy as np
import soundfile

RATE = 44100
NAMES = "C C# D D# E F F# G G# A A# B".split()

# name: (bpm, tempo course, beats per bar, steps per beat, swing, swung note (8 or 16), mode, kind of form, kit,
#        bass, chord rhythm, chord sounds, lead sounds, cents, timing jitter in ms)
STYLES = {
    "house": (124, "const", 4, 4, .5, 8, "minor", "edm", "909", "offbeat", "stab", "saw organ", "saw pluck", 0, 0),
    "dnb": (174, "const", 4, 4, .5, 8, "minor", "edm", "break", "reese", "hold", "pad epiano", "saw pluck", 0, 0),
    "hiphop": (91.7, "const", 4, 4, .6, 16, "minor", "song", "lofi", "kick", "hold", "epiano piano", "voice", 0, 3),
    "rock": (128.4, "drift", 4, 4, .5, 8, "major", "song", "rock", "eighth", "strum", "dist guitar", "voice", 0, 4),
    "ballad": (68, "rit", 4, 4, .5, 8, "major", "song", "soft", "root", "arp8", "piano guitar", "voice", 0, 5),
    "techno": (132, "const", 4, 4, .5, 8, "minor", "edm", "909", "sixteenth", "stab", "saw pad", "pluck saw", 0, 0),
    "trance": (138.65, "const", 4, 4, .5, 8, "minor", "edm", "909", "offbeat", "arp16", "saw pad", "saw bell", -18, 0),
    "trap": (140, "const", 4, 4, .5, 8, "minor", "trap", "trap", "kick", "hold", "bell pad", "voice", 0, 0),
    "dubstep": (140, "const", 4, 4, .5, 8, "minor", "edm", "half", "reese", "hold", "pad saw", "saw brass", 0, 0),
    "disco": (117.3, "const", 4, 4, .5, 8, "minor", "song", "disco", "octave", "comp", "strings epiano", "voice", 0, 3),
    "jazz": (168, "drift", 4, 4, .64, 8, "major", "song", "jazz", "walk", "comp", "piano epiano", "brass bell", 0, 6),
    "waltz": (154, "const", 3, 4, .5, 8, "major", "song", "waltz", "waltz", "oom", "piano strings", "strings voice", 0, 4),
    "reggae": (76, "const", 4, 4, .5, 8, "major", "song", "reggae", "reggae", "skank", "organ guitar", "voice", 0, 3),
    "pop": (112, "const", 4, 4, .5, 8, "major", "song", "pop", "eighth", "arp8", "piano saw", "voice", 22, 2),
    "metal": (188, "const", 4, 4, .5, 8, "minor", "song", "metal", "eighth", "strum", "dist", "dist", 0, 3),
    "ambient": (80, "const", 4, 4, .5, 8, "minor", "ambient", "none", "root", "hold", "pad strings", "bell pluck", 0, 0),
    "bossa": (132, "const", 4, 4, .5, 8, "major", "song", "bossa", "bossa", "comp", "guitar epiano", "voice", 0, 4),
    "afro": (112, "const", 4, 3, .5, 8, "minor", "song", "afro", "kick", "comp", "guitar marimba", "voice", 0, 4),
    "synthwave": (104, "const", 4, 4, .5, 8, "minor", "song", "gated", "eighth", "hold", "pad saw", "saw pluck", -32, 0),
    "prog": (146, "const", 7, 2, .5, 8, "minor", "song", "seven", "root", "strum", "guitar organ", "dist voice", 0, 4),
    "houseramp": (122, "ramp", 4, 4, .5, 8, "minor", "edm", "909", "offbeat", "stab", "organ saw", "pluck saw", 0, 0),
    "rockstep": (96, "step", 4, 4, .5, 8, "major", "song", "rock", "eighth", "strum", "guitar dist", "voice", 0, 4),
    "garage": (133.33, "const", 4, 4, .58, 16, "minor", "edm", "garage", "kick", "comp", "organ epiano", "pluck bell", 0, 0),
    "hardcore": (190, "const", 4, 4, .5, 8, "minor", "edm", "909", "offbeat", "hold", "saw pad", "saw pluck", 0, 0),
}

# kit: (kick sound, snare sound, kick patterns, snare patterns, hat patterns) in steps of a bar: "x" strong,
# "o" soft, "O" an open hat or ride.
KITS = {
    "909": ("909", "clap", ["x...x...x...x..."], ["....x.......x..."],
            ["..O...O...O...O.", "x.O.x.O.x.O.x.O.", "xoOoxoOoxoOoxoOo"]),
    "break": ("tight", "snare", ["x.........x.....", "x.........xx....", "x..x......x....."],
              ["....x.......x...", "....x..o.o..x..o", "....x..o....x..."], ["x.x.x.x.x.x.x.x.", "x.xxx.xxx.x.x.xx"]),
    "lofi": ("lofi", "snare", ["x..x......x.....", "x.........x....x", "x.....x...x....."],
             ["....x.......x..."], ["x.x.x.x.x.x.x.x.", "x.x.x.xxx.x.x.x."]),
    "rock": ("acoustic", "snare", ["x.......x.x.....", "x.....x.x.......", "x..x....x......."],
             ["....x.......x..."], ["x.x.x.x.x.x.x.x.", "x...x...x...x..."]),
    "soft": ("acoustic", "rim", ["x.........x.....", "x..............."], ["....x.......x...", "........x......."],
             ["x.x.x.x.x.x.x.x.", "o.o.o.o.o.o.o.o."]),
    "trap": ("808", "clap", ["x.....x...x.....", "x..x......x..x..", "x.........x....."], ["........x......."],
             ["x.x.x.x.x.x.x.x.", "x.x.xxx.x.x.xxxx", "x.xxx.x.x.xxx.x."]),
    "half": ("tight", "snare", ["x...............", "x.....x.........", "x..........x...."], ["........x......."],
             ["x.x.x.x.x.x.x.x.", "x.xxx.x.x.xxx.x.", "x...x...x...x..."]),
    "disco": ("acoustic", "snare", ["x...x...x...x..."], ["....x.......x..."], ["x.O.x.O.x.O.x.O.", "xxOxxxOxxxOxxxOx"]),
    "jazz": ("soft", "rim", ["o...o...o...o...", "x..............."], ["......o.........", "..........o...o."],
             ["O...O.O.O...O.O."]),
    "waltz": ("soft", "rim", ["x..........."], ["....x...x...", "....o...o..."], ["x...x...x...", "x.x.x.x.x.x."]),
    "reggae": ("acoustic", "rim", ["........x.......", "x.......x......."], ["........x......."],
               ["x.x.x.x.x.x.x.x.", "..x...x...x...x."]),
    "pop": ("acoustic", "clap", ["x.......x.......", "x..x..x...x.....", "x.......x.x....."], ["....x.......x..."],
            ["x.x.x.x.x.x.x.x.", "xxxxxxxxxxxxxxxx"]),
    "metal": ("tight", "snare", ["x.x.x.x.x.x.x.x.", "xxxxxxxxxxxxxxxx", "x..x..x.x..x..x."], ["....x.......x..."],
              ["O...O...O...O...", "x.x.x.x.x.x.x.x."]),
    "none": ("soft", "rim", ["................"], ["................"], ["................"]),
    "bossa": ("soft", "rim", ["x.....x.x.....x."], ["x.....x.....x...", "x..x..x...x..x.."], ["xoxoxoxoxoxoxoxo"]),
    "afro": ("acoustic", "conga", ["x.....x.....", "x.....x..x.."], ["..x..x..x..x", "..xx.x..xx.x"],
             ["x.xx.xx.xx.x", "x.xx.x.x.x.x"]),
    "gated": ("909", "gated", ["x...x...x...x...", "x.......x......."], ["....x.......x..."], ["x.x.x.x.x.x.x.x."]),
    "seven": ("acoustic", "snare", ["x.....x.......", "x.....x.x....."], ["....x.....x...", "..x.......x..."],
              ["x.x.x.x.x.x.x.", "xxxxxxxxxxxxxx"]),
    "garage": ("909", "clap", ["x.........x.....", "x......x..x....."], ["....x.......x..."],
               ["..x..xx...x..xx.", "x.x.x.xxx.x.x.xx"]),
}
PROGRESSIONS = {
    "minor": [[0, 5, 2, 6], [0, 6, 5, 6], [0, 3, 5, 4], [0, 5, 3, 4], [0, 3, 0, 4], [0, 0, 5, 6], [0, 2, 3, 4]],
    "major": [[0, 4, 5, 3], [0, 5, 3, 4], [0, 3, 0, 4], [0, 3, 4, 4], [0, 2, 3, 4], [0, 3, 1, 4], [0, 4, 3, 0]],
}
SCALES = {"minor": [0, 2, 3, 5, 7, 8, 10], "major": [0, 2, 4, 5, 7, 9, 11]}
VOWELS = [(730, 1090, 2440), (530, 1840, 2480), (270, 2290, 3010), (570, 840, 2410), (300, 870, 2240)]


def band_noise(rng, secs, low_hz, high_hz):
    spectrum = np.fft.rfft(rng.standard_normal(int(secs * RATE)))
    hz = np.fft.rfftfreq(int(secs * RATE), 1 / RATE)
    noise = np.fft.irfft(spectrum / (1 + (low_hz / (hz + 1)) ** 6) / (1 + (hz / high_hz) ** 6), int(secs * RATE))
    return noise / np.abs(noise).max()


def clock(secs):
    return np.arange(int(secs * RATE)) / RATE


class Kit:
    """One set of drum sounds."""

    def __init__(self, rng, kick, snare):
        t = clock(.5)
        low, sweep, drop, ring = {
            "909": (50, 5, .03, .16), "808": (42, 3, .04, .4), "tight": (58, 4, .02, .09), "lofi": (62, 2, .03, .12),
            "acoustic": (60, 2, .015, .1), "soft": (66, 1, .015, .07)}[kick]
        low *= rng.uniform(.9, 1.15)
        phase = 2 * np.pi * low * (t + sweep * drop * (1 - np.exp(-t / drop)))
        click = {"soft": .05, "808": .1}.get(kick, .3)
        body = np.sin(phase) * np.exp(-t / ring)
        self.kick = body + click * band_noise(rng, .5, 1500, 9000) * np.exp(-t / .004)
        t, tone_hz = clock(.4), rng.uniform(170, 230)
        tone = np.sin(2 * np.pi * tone_hz * t) * np.exp(-t / .05)
        wide = band_noise(rng, .4, 900, 11000)
        if snare == "clap":
            bursts = sum(np.exp(-np.clip(t - d, 0, None) / .008) * (t >= d) for d in (0, .011, .023))
            self.snare = band_noise(rng, .4, 900, 4500) * (bursts + .7 * np.exp(-t / .08)) * .6
        elif snare == "rim":
            self.snare = .6 * np.sin(2 * np.pi * 1700 * t) * np.exp(-t / .01) + .4 * wide * np.exp(-t / .02)
        elif snare == "conga":
            self.snare = np.sin(2 * np.pi * (320 + 80 * np.exp(-t / .02)) * t) * np.exp(-t / .09)
        else:
            ring = .13 if snare == "gated" else rng.uniform(.06, .1)
            gate = (t < .22) if snare == "gated" else 1
            self.snare = gate * (.5 * tone + .7 * wide * np.exp(-t / ring))
        t = clock(.1)
        self.hat = band_noise(rng, .1, rng.uniform(5500, 8000), 16000) * np.exp(-t / rng.uniform(.015, .035))
        t = clock(.5)
        self.open = band_noise(rng, .5, 5000, 15000) * np.exp(-t / rng.uniform(.08, .2))
        t = clock(2.5)
        self.crash = band_noise(rng, 2.5, 2500, 15000) * np.exp(-t / .6)


def tone(kind, midi, secs, cents, rng):
    """One note of an instrument."""
    release = .3 if kind in ("pad", "strings") else .06
    t = clock(secs + release)
    hz = 440 * 2 ** ((midi - 69 + cents / 100) / 12)
    count = max(1, min({"sub": 3, "reese": 14, "upright": 10}.get(kind, 28), int(9000 / hz)))
    h = np.arange(1, count + 1)[:, None]
    attack, decay = .004, None
    vibrato = 0
    if kind in ("saw", "pad", "reese", "sawbass", "strings", "brass"):
        cutoff = {"saw": 5000, "pad": 1400, "reese": 700, "sawbass": 1200, "strings": 3000, "brass": 2500}[kind]
        amps = 1 / h / (1 + (h * hz / cutoff) ** 2)
        attack = {"pad": .25, "strings": .1, "brass": .04}.get(kind, .006)
        vibrato = {"strings": .003, "brass": .002}.get(kind, 0)
    elif kind == "organ":
        amps = np.isin(h, [1, 2, 3, 4, 6, 8]) / (1 + .4 * h)
    elif kind == "sub":
        amps = np.array([1, .25, .1])[:count, None]
    elif kind == "voice":
        amps = sum(g * np.exp(-((h * hz - f) / (90 + .08 * f)) ** 2)
                   for f, g in zip(VOWELS[rng.integers(5)], (1, .5, .25))) + .15 / h ** 1.5
        attack, vibrato = .05, .006
    elif kind == "dist":
        amps = 1 / h ** .6 / (1 + (h * hz / 3500) ** 3)
    else:  # struck and plucked
        falloff, rate = {"piano": (1.1, 1.2), "epiano": (2, 1.5), "guitar": (1.2, 2.5), "pluck": (.9, 8),
                         "bell": (1, 2.5), "marimba": (2, 9), "upright": (1.3, 2.5)}[kind]
        amps = 1 / h ** falloff * (np.abs(np.sin(np.pi * h * .18)) + .05 if kind in ("guitar", "upright") else 1)
        decay = rate * (.6 + .35 * h) * (hz / 260) ** .4
    stretch = {"piano": h * np.sqrt(1 + 3e-4 * h * h), "bell": h ** 1.35, "marimba": h ** 1.6}.get(kind, h)
    wobble = vibrato / 5.5 * np.sin(2 * np.pi * 5.5 * t) / 2 / np.pi * np.clip((t - .15) / .2, 0, 1) * 2 * np.pi
    detunes = (-.006, 0, .006) if kind in ("saw", "pad", "reese", "strings") else (0,)
    wave = np.zeros(len(t))
    for detune in detunes:
        phase = 2 * np.pi * hz * (1 + detune) * stretch * (t + wobble / 5.5)
        partials = amps * np.sin(phase + rng.uniform(0, 6.28, (count, 1)))
        if decay is not None:
            partials *= np.exp(-decay * t)
        wave += partials.sum(0)
    if kind == "dist":
        wave = np.tanh(2.5 * wave)
    wave *= np.clip(t / attack, 0, 1) * np.clip((secs + release - t) / release, 0, 1)
    return wave / np.sqrt((wave[:int(.2 * RATE) + 1] ** 2).mean() + 1e-9) * .2


class Course:
    """Time of every beat."""

    def __init__(self, rng, style, bpm, beats):
        n = np.arange(beats + 1)
        curve = np.full(beats + 1, bpm, float)
        if style == "drift":
            walk = np.cumsum(rng.standard_normal(beats + 1))
            slow = np.convolve(np.pad(walk, 16, mode="edge"), np.hanning(33) / np.hanning(33).sum(), "valid")
            slow -= slow.mean()
            curve *= 1 + .025 * slow / np.abs(slow).max()
        elif style == "rit":
            curve *= 1 - .28 * np.clip((n - beats + 8) / 8, 0, 1)
        elif style == "ramp":
            curve *= 1 + .05 * n / beats
        self.curve = curve
        self.secs = np.concatenate([[0], np.cumsum(60 / curve[:-1])])

    def step(self, at_beat, factor):
        self.curve[at_beat:] *= factor
        self.secs = np.concatenate([[0], np.cumsum(60 / self.curve[:-1])])

    def at(self, beat):
        return float(np.interp(beat, np.arange(len(self.secs)), self.secs))


def form_of(rng, kind, bar_secs):
    """Labels and bars of the sections: 55 to 110 seconds."""
    if kind == "edm":
        labels = "intro verse build drop breakdown build drop outro".split()
        if rng.random() < .3:
            labels = "intro verse breakdown build drop verse breakdown build drop outro".split()
        weights = {"drop": 2}
    elif kind == "ambient":
        labels, weights = "intro verse chorus verse outro".split(), {"verse": 2, "chorus": 2}
    else:
        labels = ["intro verse chorus verse chorus outro", "intro verse chorus verse chorus bridge chorus outro",
                  "intro verse verse chorus verse chorus outro", "intro verse chorus bridge chorus"][
                      rng.choice(4, p=[.45, .3, .1, .15])].split()
        weights = {"verse": 2, "chorus": 2, "bridge": rng.choice([1, 2])}
    shares = sum(weights.get(label, 1) for label in labels)
    units = [unit for unit in (1, 2, 3, 4, 6, 8) if 50 <= unit * shares * bar_secs <= 115 and (unit > 1)]
    unit = int(rng.choice([u for u in units if u % 2 == 0] or units or [2]))
    return [(label, unit * weights.get(label, 1)) for label in labels]


class Song:
    def __init__(self, seed):
        self.rng = rng = np.random.default_rng(seed)
        self.seed, self.genre = seed, list(STYLES)[(seed - 1) % len(STYLES)]
        (bpm, self.course_kind, self.meter, self.div, self.swing, self.swung, self.mode, self.kind, kit, self.bass,
         self.rhythm, chords, leads, cents, self.jitter_ms) = STYLES[self.genre]
        if seed > len(STYLES):
            bpm = round(bpm * rng.uniform(.92, 1.08), int(rng.integers(0, 3)))
            cents = int(rng.choice([cents, 0, rng.integers(-35, 36)]))
            self.mode = self.mode if rng.random() < .75 else ("minor" if self.mode == "major" else "major")
            if self.swing != .5:
                self.swing = round(self.swing + rng.uniform(-.03, .04), 3)
        self.bpm, self.cents = float(bpm), cents
        self.tonic = int(rng.integers(12))
        kick, snare, self.kicks, self.snares, self.hats = KITS[kit]
        self.kit = Kit(rng, kick, snare)
        self.chord_sound, self.lead_sound = rng.choice(chords.split()), rng.choice(leads.split())
        self.pad_sound = rng.choice(["pad", "strings", "organ"])
        self.bass_sound = {"reese": "reese", "walk": "upright", "bossa": "upright", "kick": "sub"}.get(
            self.bass, rng.choice(["sawbass", "sub", "upright"] if self.kind != "edm" else ["sawbass", "sub"]))
        self.sections = form_of(rng, self.kind, 60 / self.bpm * self.meter)
        self.bars = sum(bars for _, bars in self.sections)
        self.course = Course(rng, self.course_kind, self.bpm, self.bars * self.meter)
        if self.course_kind == "step":
            self.course.step(sum(b for _, b in self.sections[:len(self.sections) // 2]) * self.meter, 1.25)
        self.lead_in = round(float(rng.uniform(.2, 1.6)), 3)
        self.duration = self.lead_in + self.course.secs[-1] + 2.0
        self.stems = {name: np.zeros(int((self.duration + 3) * RATE)) for name in
                      ("drums", "bass", "other", "vocals", "fx")}
        self.cache, self.kicks_at = {}, []
        self.truth = {"onsets": {"kick": [], "snare": [], "hat": []}, "chords": [], "vocal_notes": [], "keys": [],
                      "bass_notes": [], "drops": [], "sections": []}
        self.progressions = {label: list(rng.permutation(PROGRESSIONS[self.mode])[0])
                             for label in ("verse", "chorus", "bridge")}
        self.colour(np.random.default_rng([seed, 1]))
        self.patterns = {label: [self.pick(p) for p in (self.kicks, self.snares, self.hats)]
                         for label in ("verse", "chorus", "bridge")}
        self.melody = {label: self.line() for label in ("verse", "chorus")}
        self.comp = sorted(rng.choice(self.meter * self.div, max(2, self.meter * self.div // 4), replace=False))

    def colour(self, rng):
        """How the chords leave the scale, and whether the song ends at home. Songs up to 24 are plain."""
        minor = self.mode == "minor"
        self.thirds = {4: 1} if minor else {}  # the dominant of minor is major
        self.ends_at_home = False
        if self.seed <= len(STYLES):
            return
        self.ends_at_home = rng.random() < .5
        draws = rng.random(4)
        if minor:
            if draws[0] < .2:
                self.thirds[4] = 0  # natural minor
            if draws[1] < .15:
                self.thirds[3] = 1  # Dorian
        else:
            if draws[0] < .12:
                self.thirds[4] = -1  # Mixolydian
            if draws[1] < .15:
                self.thirds[3] = -1  # borrowed from minor
            if draws[2] < .3:
                self.thirds[1] = 1  # the dominant's dominant
            if draws[3] < .25:
                self.progressions["chorus"] = [3, 4, 0, 5]

    def pick(self, patterns):
        return patterns[self.rng.integers(len(patterns))]

    def line(self):
        """A melody of four bars: step, length in steps, degree."""
        notes, step, degree, total = [], 0, 4, 4 * self.meter * self.div
        while step < total:
            length = int(self.rng.choice([1, 2, 2, 3, 4, 6])) * max(1, self.div // 2)
            if self.rng.random() < .8:
                degree = int(np.clip(degree + self.rng.integers(-2, 3), 0, 9))
                notes.append((step, min(length, total - step), degree))
            step += length
        return notes

    def secs(self, bar, step):
        """When a step of a bar is played, swing included."""
        beat, part = divmod(step / self.div, 1)
        if self.swung == 8 and part >= .5 and self.swing != .5:
            part = self.swing + (part - .5) * 2 * (1 - self.swing)
        elif self.swung == 16 and self.swing != .5:
            half, inner = divmod(part * 2, 1)
            part = (half + (self.swing if abs(inner - .5) < .01 else inner)) / 2
        return self.lead_in + self.course.at(bar * self.meter + beat + part)

    def add(self, stem, sound, secs, gain):
        at = int(round((secs + self.rng.normal() * self.jitter_ms / 1000) * RATE))
        if at < 0:
            sound, at = sound[-at:], 0
        buffer = self.stems[stem]
        end = min(len(buffer), at + len(sound))
        if end > at:
            buffer[at:end] += gain * sound[:end - at]

    def note(self, stem, kind, midi, secs, length, gain):
        key = (kind, midi, round(length, 2))
        if key not in self.cache:
            self.cache[key] = tone(kind, midi, max(.05, key[2]), self.cents, self.rng)
        self.add(stem, self.cache[key], secs, gain)

    def pitch(self, degree, low):
        octave, degree = divmod(degree, 7)
        return low + (self.tonic + self.shift - low) % 12 + 12 * octave + SCALES[self.mode][degree]

    def chord(self, degree):
        notes = [self.pitch(degree + step, 48) for step in (0, 2, 4)]
        notes[1] += self.thirds.get(degree, 0)
        return [53 + (note - 53) % 12 for note in notes]

    def hit(self, drum, secs, gain, truth=None):
        self.add("drums", getattr(self.kit, drum), secs, gain * self.rng.uniform(.85, 1))
        if drum == "kick":
            self.kicks_at.append(secs)
        if truth:
            self.truth["onsets"][truth].append(round(secs, 4))

    def drums(self, bar, patterns, gains, last_of_section, fill):
        kick, snare, hat = patterns
        steps = self.meter * self.div
        for step in range(steps):
            secs = self.secs(bar, step)
            in_fill = fill and last_of_section and step >= steps - self.div
            if gains[0] and kick[step] != ".":
                self.hit("kick", secs, gains[0] * (.9 if kick[step] == "x" else .35), "kick")
            if gains[1] and (snare[step] != "." or in_fill):
                self.hit("snare", secs, gains[1] * (.7 if snare[step] == "x" or in_fill else .25), "snare")
            if gains[2] and hat[step] != "." and not in_fill and self.rng.random() > .03:
                drum = "open" if hat[step] == "O" else "hat"
                self.hit(drum, secs, gains[2] * (.35 if hat[step] != "o" else .15), "hat")

    def build(self, bar, index, bars):
        """Snares that get denser, noise that rises, and a gap before the drop."""
        steps, gap = self.meter * self.div, self.div
        progress = index / bars
        every = self.div if progress < .5 else max(1, self.div // 2) if progress < .75 else 1
        last = index == bars - 1
        for step in range(steps):
            if last and step >= steps - gap:
                break
            if step % self.div == 0 and not (last and step >= steps // 2):
                self.hit("kick", self.secs(bar, step), .8, "kick")
            if step % every == 0:
                gain = .25 + .4 * (index + step / steps) / bars
                self.hit("snare", self.secs(bar, step), gain, "snare")
        if index == 0:
            start, end = self.secs(bar, 0), self.secs(bar + bars - 1, steps - gap)
            t = clock(end - start)
            rise = band_noise(self.rng, end - start, 2000, 14000) * (t / t[-1]) ** 2
            self.add("fx", rise, start, .35)

    def bass_bar(self, bar, degree, kick, gain):
        root, beat = self.pitch(degree, 31), 60 / self.bpm
        steps = self.meter * self.div
        fifth = self.pitch(degree + 4, 31) + (12 if self.pitch(degree + 4, 31) < root else 0)
        plan = {
            "offbeat": [(s, beat * .4, root) for s in range(self.div // 2, steps, self.div)],
            "eighth": [(s, beat * .42, root) for s in range(0, steps, max(1, self.div // 2))],
            "sixteenth": [(s, beat * .2, root) for s in range(steps) if s % 4],
            "octave": [(s, beat * .4, root + 12 * (s // 2 % 2)) for s in range(0, steps, 2)],
            "root": [(0, beat * self.meter * .95, root)],
            "reese": [(0, beat * self.meter * .6, root), (steps * 10 // 16, beat * self.meter * .3, root)],
            "kick": [(s, beat * .8, root) for s in range(steps) if kick[s] != "."],
            "walk": [(s, beat * .9, self.pitch(degree + [0, 2, 4, 5, 6][i % 5], 31))
                     for i, s in enumerate(range(0, steps, self.div))],
            "waltz": [(0, beat * .9, root)],
            "reggae": [(0, beat * .4, root), (6, beat * .4, fifth), (8, beat * .8, root), (12, beat * .4, fifth)],
            "bossa": [(0, beat * 1.3, root), (6, beat * .4, fifth), (8, beat * 1.3, fifth), (14, beat * .4, root)],
        }[self.bass]
        for step, length, midi in plan:
            secs = self.secs(bar, step)
            self.note("bass", self.bass_sound, midi, secs, length, gain)
            self.truth["bass_notes"].append([round(secs, 4), round(length, 4), int(midi)])

    def chord_bar(self, bar, degree, sound, rhythm, gain):
        beat, steps, half = 60 / self.bpm, self.meter * self.div, max(1, self.div // 2)
        notes = self.chord(degree)
        plan = {
            "hold": [(0, self.meter * .98)],
            "stab": [(s, .3) for s in range(half, steps, self.div)],
            "skank": [(s, .2) for s in range(half, steps, self.div)],
            "strum": [(s, .45) for s in range(0, steps, half)],
            "comp": [(s, .35) for s in self.comp],
            "oom": [(s, .7) for s in range(self.div, steps, self.div)],
        }.get(rhythm)
        if plan is None:  # arpeggios
            every = half if rhythm == "arp8" else 1
            for count, step in enumerate(range(0, steps, every)):
                midi = notes[count % 3] + 12 * (count // 3 % 2)
                self.note("other", sound, midi, self.secs(bar, step), beat * every / self.div * 1.4, gain * 1.3)
            return
        for step, length in plan:
            for midi in notes:
                self.note("other", sound, midi, self.secs(bar, step), length * beat, gain * .7)

    def lead_bar(self, bar, index, line, stem, sound, gain, low=60):
        steps = self.meter * self.div
        for step, length, degree in line:
            if index % 4 * steps <= step < (index % 4 + 1) * steps:
                secs, midi = self.secs(bar, step % steps), self.pitch(degree, low)
                length_secs = length / self.div * 60 / self.bpm * .93
                self.note(stem, sound, midi, secs, length_secs, gain)
                if stem == "vocals":
                    self.truth["vocal_notes"].append([round(secs, 4), round(length_secs, 4), int(midi)])

    def play(self):
        bar, self.shift, seen = 0, 0, 0
        modulates = self.genre == "pop"
        sings = self.lead_sound == "voice" or self.kind in ("edm", "song")
        fills = self.rng.random() < .7
        for label, bars in self.sections:
            start = bar
            if modulates and start >= self.bars * .6 and label == "chorus":
                self.shift = 2
            self.key_starts(bar)
            like = {"drop": "chorus", "build": "chorus", "bridge": "bridge"}.get(label, "verse")
            progression = self.progressions[like]
            seen += label == "drop"
            if label in ("drop", "chorus") and self.kit and self.kind != "ambient":
                self.add("drums", self.kit.crash, self.secs(bar, 0), .35 * self.rng.uniform(.6, 1))
            for index in range(bars):
                degree = int(progression[index % len(progression)])
                last = index == bars - 1
                if self.ends_at_home and bar == self.bars - 1:
                    degree = 0
                chord = sorted({note % 12 for note in self.chord(degree)})
                self.note_chord(bar, degree, chord)
                if self.kind == "edm":
                    self.edm_bar(label, like, bar, index, bars, degree, last, fills)
                elif self.kind == "ambient":
                    self.ambient_bar(label, like, bar, index, degree)
                else:
                    self.song_bar(label, like, bar, index, degree, last, fills, sings)
                bar += 1
            if label == "drop":
                self.truth["drops"].append(round(self.secs(start, 0), 4))
            self.truth["sections"].append({"start": round(self.secs(start, 0), 4),
                                           "end": round(self.secs(bar, 0), 4), "label": label})
        self.finish_truth()

    def key_starts(self, bar):
        key = f"{NAMES[(self.tonic + self.shift) % 12]} {self.mode}"
        keys = self.truth["keys"]
        if not keys or keys[-1]["key"] != key:
            if keys:
                keys[-1]["end"] = round(self.secs(bar, 0), 4)
            keys.append({"start": round(self.secs(bar, 0), 4), "end": 0.0, "key": key})
        keys[-1]["end"] = round(self.secs(self.bars, 0), 4)

    def note_chord(self, bar, degree, classes):
        root = (self.pitch(degree, 48)) % 12
        quality = {3: "min", 4: "maj"}[min((c - root) % 12 for c in classes if (c - root) % 12 in (3, 4))]
        if (root + 6) % 12 in classes:
            quality = "dim"
        self.truth["chords"].append({"start": round(self.secs(bar, 0), 4), "end": round(self.secs(bar + 1, 0), 4),
                                     "label": f"{NAMES[root]}:{quality}"})

    def edm_bar(self, label, like, bar, index, bars, degree, last, fills):
        patterns = self.patterns[like]
        if label == "build":
            self.build(bar, index, bars)
            self.bass_bar(bar, degree, patterns[0], .3)
            self.chord_bar(bar, degree, self.chord_sound, self.rhythm, .5 + .4 * index / bars)
            return
        gains = {"intro": (1, 0, 0), "outro": (1, .8, 0), "breakdown": (0, 0, 0)}.get(label, (1, 1, 1))
        self.drums(bar, patterns, gains, last, fills)
        if label in ("verse", "drop"):
            self.bass_bar(bar, degree, patterns[0], .9 if label == "drop" else .75)
        elif label == "outro":
            self.bass_bar(bar, degree, patterns[0], .5)
        self.chord_bar(bar, degree, self.chord_sound, self.rhythm,
                       {"drop": .9, "verse": .4, "breakdown": .5}.get(label, .25))
        if label in ("breakdown", "drop"):
            self.chord_bar(bar, degree, self.pad_sound, "hold", .6)
        if label == "drop":
            self.lead_bar(bar, index, self.melody["chorus"], "other", self.lead_sound, 1, 67)
        elif label in ("verse", "breakdown"):
            self.lead_bar(bar, index, self.melody["verse"], "vocals", "voice", 1)

    def song_bar(self, label, like, bar, index, degree, last, fills, sings):
        patterns = self.patterns[like]
        gains = {"intro": (.8, .7, .8), "outro": (.8, .7, .8), "verse": (.8, .8, .8), "bridge": (.4, 0, .6)}.get(
            label, (1, 1, 1.2))
        if self.genre == "ballad" and label in ("intro", "outro"):
            gains = (0, 0, .5)
        self.drums(bar, patterns, gains, last, fills)
        if label != "intro":
            self.bass_bar(bar, degree, patterns[0], .8 if label != "outro" else .5)
        self.chord_bar(bar, degree, self.chord_sound, self.rhythm,
                       {"chorus": .75, "verse": .5, "bridge": .6}.get(label, .4))
        if label in ("chorus", "bridge"):
            self.chord_bar(bar, degree, self.pad_sound, "hold", .5 if label == "chorus" else .6)
        if label == "chorus":
            self.chord_bar(bar, degree, self.lead_sound if self.lead_sound != "voice" else "pluck", "arp8", .35)
        if label in ("verse", "chorus"):
            sound = self.lead_sound if self.genre in ("jazz", "metal", "synthwave") else "voice"
            self.lead_bar(bar, index, self.melody[label], "vocals" if sound == "voice" else "other", sound,
                          1 if label == "verse" else .85)

    def ambient_bar(self, label, like, bar, index, degree):
        self.chord_bar(bar, degree, self.chord_sound, "hold", .7 if label == "chorus" else .5)
        if label != "intro":
            self.bass_bar(bar, degree, self.patterns[like][0], .5)
        if label in ("verse", "chorus"):
            self.lead_bar(bar, index, self.melody[like], "other", self.lead_sound, .6, 67)
        if label == "chorus":
            self.chord_bar(bar, degree, "pluck", "arp8", .35)

    def finish_truth(self):
        beats = [round(self.lead_in + float(secs), 5) for secs in self.course.secs]
        curve = self.course.curve
        self.truth = {
            "seed": self.seed, "genre": self.genre, "sr": RATE, "duration": self.duration, "bpm": self.bpm,
            "bpm_median": round(float(np.median(curve[:-1])), 4), "tempo": self.course_kind,
            "bpm_start": float(curve[0]), "bpm_end": float(curve[-2]), "meter": self.meter,
            "halftime_feel": self.genre in ("trap", "dubstep"), "swing": self.swing, "swing_unit": self.swung,
            "tuning_cents": self.cents, "first_beat": self.lead_in, "beats": beats,
            "downbeats": beats[::self.meter],
            "tempo_curve": [[beats[n], round(float(curve[n]), 4)] for n in range(0, len(beats), 4)],
            "key": f"{NAMES[self.tonic]} {self.mode}", **self.truth}

    def mix(self, with_stems):
        """Levels, side-chain, room, and a soft limiter; the sum of the stems is the mix."""
        rng, frames = self.rng, int(self.duration * RATE)
        levels = {"drums": .9, "bass": .75, "other": .8, "vocals": .8, "fx": .8}
        stems = {name: stem[:frames] * levels[name] * rng.uniform(.8, 1.15) for name, stem in self.stems.items()}
        if self.kind == "edm":
            duck = np.ones(frames)
            shape = 1 - rng.uniform(.5, .85) * np.exp(-clock(.35) / .09)
            for secs in self.kicks_at:
                at = int(secs * RATE)
                end = min(frames, at + len(shape))
                duck[at:end] = np.minimum(duck[at:end], shape[:end - at])
            for name in ("bass", "other"):
                stems[name] = stems[name] * duck
        t = clock(rng.uniform(.3, .9))
        size = 1 << (frames + len(t)).bit_length()
        rooms = [np.fft.rfft(rng.standard_normal(len(t)) * np.exp(-t * 7 / t[-1]) * (t > .008), size)
                 for _ in range(2)]
        wet = rng.uniform(.004, .009)
        sends = {name: stem * {"bass": .1, "drums": .5}.get(name, 1) for name, stem in stems.items()}
        if not with_stems:
            stems, sends = {"mix": sum(stems.values())}, {"mix": sum(sends.values())}
        stereo = {}
        for name, stem in stems.items():
            spectrum = np.fft.rfft(sends[name], size)
            stereo[name] = np.stack([stem + wet * np.fft.irfft(spectrum * room, size)[:frames]
                                     for room in rooms], 1).astype(np.float32)
        total = sum(stereo.values())
        drive = np.float32(rng.uniform(.9, 1.6) / np.percentile(np.abs(total[::7]), 99.5))
        driven = total * drive + np.float32(1e-9)
        gain = np.tanh(driven) / driven * drive * np.float32(.89)
        return {name: stem * gain for name, stem in stereo.items()}


def render(seed, out, with_stems):
    song = Song(seed)
    song.play()
    stems = song.mix(with_stems)
    folder = out / f"song_{seed:03d}_{song.genre}"
    (folder / "stems").mkdir(parents=True, exist_ok=True) if with_stems else folder.mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / "mix.flac", sum(stems.values()), RATE, subtype="PCM_16")
    if with_stems:
        for name, stem in stems.items():
            soundfile.write(folder / "stems" / f"{name}.flac", stem, RATE, subtype="PCM_16")
    (folder / "truth.json").write_text(json.dumps(song.truth))
    print(folder.name, f"{song.duration:.1f} s", song.truth["key"], song.bpm, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="1-24", help="as 1-24 or 3,7")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--stems", action="store_true")
    arguments = parser.parse_args()
    for part in arguments.seeds.split(","):
        first, _, last = part.partition("-")
        for seed in range(int(first), int(last or first) + 1):
            render(seed, arguments.out, arguments.stems)


if __name__ == "__main__":
    main()
