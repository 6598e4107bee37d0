//! What makes a house track a house track: form, harmony, patterns and instruments of each style, as data.
//!
//! Patterns are strings with one character per sixteenth note. Drums: `X` accent, `x` hit, `o` soft, `.` rest.
//! Basses: `r` root, `5` fifth, `o` octave, `-` holds the note before. Progressions are roman numerals, upper
//! case for major chords.

use serde::Serialize;
use sfa_audio::analyze::SectionKind::{
    self, Breakdown, Bridge, BuildUp, Chorus, Drop, Intro, Outro, PreChorus, Verse,
};

/// The kinds of songs that can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DemoStyle {
    /// Four on the floor, side-chained pads, two drops. 124 BPM.
    House,
    /// Broken beats and a growling bass, two drops. 174 BPM.
    DrumAndBass,
    /// Swung drums, electric piano and a long sub bass; verses and choruses. 88 BPM.
    HipHop,
    /// Three beats to the bar, upright bass, strings and a fiddle. 154 BPM.
    Waltz,
    /// Overdriven guitars, verses, choruses and a bridge. 128 BPM.
    Rock,
    /// Slow chords and bells without any drum. 80 BPM.
    Ambient,
}

impl DemoStyle {
    /// Every style.
    pub const ALL: [Self; 6] =
        [Self::House, Self::DrumAndBass, Self::HipHop, Self::Waltz, Self::Rock, Self::Ambient];

    /// The name in file names and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::House => "house",
            Self::DrumAndBass => "drum_and_bass",
            Self::HipHop => "hip_hop",
            Self::Waltz => "waltz",
            Self::Rock => "rock",
            Self::Ambient => "ambient",
        }
    }

    pub(crate) fn sheet(self) -> &'static StyleSheet {
        match self {
            Self::House => &HOUSE,
            Self::DrumAndBass => &DRUM_AND_BASS,
            Self::HipHop => &HIP_HOP,
            Self::Waltz => &WALTZ,
            Self::Rock => &ROCK,
            Self::Ambient => &AMBIENT,
        }
    }
}

/// Everything that is fixed for a style.
#[derive(Debug)]
pub(crate) struct StyleSheet {
    pub(crate) bpm: f64,
    pub(crate) beats_per_bar: u8,
    /// Where the second of two sixteenths falls: 0.5 is straight.
    pub(crate) swing: f64,
    pub(crate) form: &'static [(SectionKind, u32)],
    pub(crate) harmony: Harmony,
    pub(crate) groove: Groove,
    pub(crate) bass: &'static [&'static str],
    pub(crate) keys: &'static [&'static str],
    pub(crate) arp: &'static str,
    pub(crate) band: Band,
    /// Integrated loudness that the mix is driven to.
    pub(crate) loudness_lufs: f64,
    /// How deep the kick ducks the other instruments, `0.0..=1.0`.
    pub(crate) pumping: f32,
}

/// Chord progressions for calm and for strong sections, by mode.
#[derive(Debug)]
pub(crate) struct Harmony {
    pub(crate) bars_per_chord: u32,
    pub(crate) sevenths: bool,
    pub(crate) minor: [&'static str; 2],
    pub(crate) major: [&'static str; 2],
}

/// One bar of drums.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Groove {
    pub(crate) kick: &'static str,
    pub(crate) snare: &'static str,
    pub(crate) clap: &'static str,
    pub(crate) closed_hat: &'static str,
    pub(crate) open_hat: &'static str,
    pub(crate) ride: &'static str,
    pub(crate) shaker: &'static str,
}

impl Groove {
    /// The same kit with the backbeat on the third beat and half as many kicks.
    pub(crate) fn half_time(self) -> Self {
        Self { kick: "X.........x.....", snare: "........X.......", clap: "........x.......", ..self }
    }
}

/// Who plays.
#[derive(Debug)]
pub(crate) struct Band {
    pub(crate) bass: BassPatch,
    pub(crate) keys: KeysPatch,
    pub(crate) arp: ArpPatch,
    pub(crate) lead: LeadPatch,
    /// The pad's attack; slow ones breathe.
    pub(crate) pad_attack_secs: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BassPatch {
    Synth,
    Reese,
    Sub,
    Upright,
    Picked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeysPatch {
    Stab,
    ElectricPiano,
    Guitar,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArpPatch {
    Pluck,
    Bell,
    Strings,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeadPatch {
    Saw,
    Whistle,
    Fiddle,
}

static HOUSE: StyleSheet = StyleSheet {
    bpm: 124.0,
    beats_per_bar: 4,
    swing: 0.53,
    form: &[
        (Intro, 4),
        (Verse, 8),
        (BuildUp, 4),
        (Drop, 8),
        (Breakdown, 8),
        (BuildUp, 4),
        (Drop, 8),
        (Outro, 4),
    ],
    harmony: Harmony {
        bars_per_chord: 1,
        sevenths: true,
        minor: ["i i VI VII i i iv V", "i VI VII i i VI iv V"],
        major: ["I I vi V I I IV V", "I vi IV V I vi IV V"],
    },
    groove: Groove {
        kick: "X...X...X...X...",
        snare: "................",
        clap: "....X.......X...",
        closed_hat: "x.o.x.oox.o.x.oo",
        open_hat: "..X...X...X...X.",
        ride: "x...x...x...x...",
        shaker: "o.x.o.x.o.x.o.xo",
    },
    bass: &["..r-..r-..r-..ro", "..r...r-..rr..o-", "r-.r..r-..r-.ro."],
    keys: &["..x..x..x..x..x.", "x..x..x...x..x..", "...x..x....x..x."],
    arp: "0213241320413521",
    band: Band {
        bass: BassPatch::Synth,
        keys: KeysPatch::Stab,
        arp: ArpPatch::Pluck,
        lead: LeadPatch::Saw,
        pad_attack_secs: 0.08,
    },
    loudness_lufs: -10.0,
    pumping: 0.75,
};

static DRUM_AND_BASS: StyleSheet = StyleSheet {
    bpm: 174.0,
    beats_per_bar: 4,
    swing: 0.5,
    form: &[
        (Intro, 8),
        (Verse, 8),
        (BuildUp, 8),
        (Drop, 16),
        (Breakdown, 8),
        (BuildUp, 4),
        (Drop, 16),
        (Outro, 4),
    ],
    harmony: Harmony {
        bars_per_chord: 2,
        sevenths: true,
        minor: ["i i VI V", "i VI iv V"],
        major: ["I I vi V", "I vi IV V"],
    },
    groove: Groove {
        kick: "X.........x.....",
        snare: "....X..o.o..X...",
        clap: "....o.......o...",
        closed_hat: "x.o.x.o.x.o.x.oo",
        open_hat: "......x.......x.",
        ride: "x.x.x.x.x.x.x.x.",
        shaker: "oxoxoxoxoxoxoxox",
    },
    bass: &["r-----..r-r-..o-", "r---..r---..r-5-", "r-----------o-r-"],
    keys: &["x.....x.....x...", "..x.....x..x....", "x..x......x....."],
    arp: "0120321041025310",
    band: Band {
        bass: BassPatch::Reese,
        keys: KeysPatch::Stab,
        arp: ArpPatch::Pluck,
        lead: LeadPatch::Saw,
        pad_attack_secs: 0.15,
    },
    loudness_lufs: -9.5,
    pumping: 0.5,
};

static HIP_HOP: StyleSheet = StyleSheet {
    bpm: 88.0,
    beats_per_bar: 4,
    swing: 0.58,
    form: &[(Intro, 4), (Verse, 8), (Chorus, 8), (Verse, 8), (Chorus, 8), (Outro, 4)],
    harmony: Harmony {
        bars_per_chord: 1,
        sevenths: true,
        minor: ["i VI iv V", "i iv VI V"],
        major: ["I vi ii V", "I vi IV V"],
    },
    groove: Groove {
        kick: "X......x..x.....",
        snare: "....X.......X..o",
        clap: "....x.......x...",
        closed_hat: "x.x.x.x.x.xox.x.",
        open_hat: "..............x.",
        ride: "................",
        shaker: "..o...o...o...o.",
    },
    bass: &["r------r--r-....", "r-----.r--r---5-", "r------o--r-----"],
    keys: &["x.....x.....x...", "x..x......x.....", "x......x..x....."],
    arp: "0..2..1...3..2..",
    band: Band {
        bass: BassPatch::Sub,
        keys: KeysPatch::ElectricPiano,
        arp: ArpPatch::Strings,
        lead: LeadPatch::Whistle,
        pad_attack_secs: 0.3,
    },
    loudness_lufs: -11.0,
    pumping: 0.3,
};

static WALTZ: StyleSheet = StyleSheet {
    bpm: 154.0,
    beats_per_bar: 3,
    swing: 0.5,
    form: &[(Intro, 8), (Verse, 16), (Chorus, 16), (Verse, 16), (Chorus, 16), (Outro, 8)],
    harmony: Harmony {
        bars_per_chord: 2,
        sevenths: false,
        minor: ["i iv V i VI iv V i", "i VII VI V i iv V i"],
        major: ["I IV V I vi ii V I", "I vi IV V I IV V I"],
    },
    groove: Groove {
        kick: "X...........",
        snare: "....o...o...",
        clap: "............",
        closed_hat: "....x...x...",
        open_hat: "............",
        ride: "x...o...o...",
        shaker: "..o...o...o.",
    },
    bass: &["r-------....", "r-------5---", "r-----------"],
    keys: &["....x-..x-..", "....x...x..."],
    arp: "0.1.2.3.2.1.",
    band: Band {
        bass: BassPatch::Upright,
        keys: KeysPatch::ElectricPiano,
        arp: ArpPatch::Strings,
        lead: LeadPatch::Fiddle,
        pad_attack_secs: 0.25,
    },
    loudness_lufs: -14.0,
    pumping: 0.0,
};

static ROCK: StyleSheet = StyleSheet {
    bpm: 128.0,
    beats_per_bar: 4,
    swing: 0.5,
    form: &[
        (Intro, 4),
        (Verse, 8),
        (PreChorus, 4),
        (Chorus, 8),
        (Verse, 8),
        (Chorus, 8),
        (Bridge, 4),
        (Chorus, 8),
        (Outro, 4),
    ],
    harmony: Harmony {
        bars_per_chord: 1,
        sevenths: false,
        minor: ["i i VI VII i i iv V", "i VI iv V i VI VII V"],
        major: ["I I IV IV I I IV V", "I V vi IV I IV V V"],
    },
    groove: Groove {
        kick: "X.....x.X.x.....",
        snare: "....X.......X...",
        clap: "................",
        closed_hat: "X.x.X.x.X.x.X.x.",
        open_hat: "..............x.",
        ride: "X.x.X.x.X.x.X.x.",
        shaker: "................",
    },
    bass: &["r.r.r.r.r.r.r.r.", "r.r.r.r.r.r.5.o.", "r-r.r.r-r.r.r.5."],
    keys: &["x-x-x-x-x-x-x-x-", "x---x-x---x-x-x-", "x-----x---x-x---"],
    arp: "0.2.1.3.2.4.3.1.",
    band: Band {
        bass: BassPatch::Picked,
        keys: KeysPatch::Guitar,
        arp: ArpPatch::Strings,
        lead: LeadPatch::Saw,
        pad_attack_secs: 0.05,
    },
    loudness_lufs: -10.5,
    pumping: 0.1,
};

static AMBIENT: StyleSheet = StyleSheet {
    bpm: 80.0,
    beats_per_bar: 4,
    swing: 0.5,
    form: &[(Intro, 4), (Verse, 8), (Bridge, 8), (Verse, 8), (Outro, 4)],
    harmony: Harmony {
        bars_per_chord: 1,
        sevenths: true,
        minor: ["i VI iv i", "VI VII i i"],
        major: ["I vi IV I", "IV V I I"],
    },
    groove: Groove {
        kick: "................",
        snare: "................",
        clap: "................",
        closed_hat: "................",
        open_hat: "................",
        ride: "................",
        shaker: "................",
    },
    bass: &["r---------------"],
    keys: &["x-------........", "x-----------...."],
    arp: "0...2...1...3.4.",
    band: Band {
        bass: BassPatch::Sub,
        keys: KeysPatch::ElectricPiano,
        arp: ArpPatch::Bell,
        lead: LeadPatch::Whistle,
        pad_attack_secs: 0.9,
    },
    loudness_lufs: -18.0,
    pumping: 0.0,
};
