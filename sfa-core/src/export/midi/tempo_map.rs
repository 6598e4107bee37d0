//! Beats in seconds as ticks, tempo changes and time signatures.

use sfa_audio::analyze::{Beat, Rhythm};

/// Resolution of the file.
pub(super) const TICKS_PER_QUARTER: u64 = 480;
/// How far a beat's tick may be from the beat: half of the millisecond that readers may rely on.
const TOLERANCE_MICROS: f64 = 500.0;
/// The shortest note that may stand before the first beat.
const SHORTEST_NOTE: u8 = 64;
/// The tempo of a song without a pulse: MIDI's own default, 120 BPM.
const DEFAULT_MICROS_PER_QUARTER: u32 = 500_000;
/// The largest number that a tempo event can hold.
const MAX_MICROS_PER_QUARTER: f64 = 16_777_215.0;

/// From here on, this tempo.
pub(super) struct TempoChange {
    pub(super) tick: u64,
    pub(super) micros_per_quarter: u32,
    /// The time of `tick`, summed from the whole numbers that a reader sees.
    at_micros: f64,
}

/// From here on, bars of this length.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct TimeSignature {
    pub(super) tick: u64,
    pub(super) beats: u8,
    /// The note that is one beat; a power of two.
    pub(super) beat_unit: u8,
}

/// Where seconds lie in ticks.
pub(super) struct TempoMap {
    tempos: Vec<TempoChange>,
    signatures: Vec<TimeSignature>,
    beat_ticks: Vec<u64>,
}

impl TempoMap {
    /// The map of a song; 120 BPM in 4/4 where it has no pulse.
    pub(super) fn new(rhythm: Option<&Rhythm>) -> Self {
        match rhythm.filter(|rhythm| rhythm.beats.len() > 1) {
            Some(rhythm) => Self::of_beats(rhythm),
            None => Self {
                tempos: vec![TempoChange {
                    tick: 0,
                    micros_per_quarter: DEFAULT_MICROS_PER_QUARTER,
                    at_micros: 0.0,
                }],
                signatures: vec![TimeSignature { tick: 0, beats: 4, beat_unit: 4 }],
                beat_ticks: Vec::new(),
            },
        }
    }

    pub(super) fn tempos(&self) -> &[TempoChange] {
        &self.tempos
    }

    pub(super) fn signatures(&self) -> &[TimeSignature] {
        &self.signatures
    }

    /// One tick per beat of the rhythm that the map was made of.
    pub(super) fn beat_ticks(&self) -> &[u64] {
        &self.beat_ticks
    }

    /// The tick nearest to a time.
    pub(super) fn tick_at(&self, secs: f64) -> u64 {
        let micros = secs.max(0.0) * 1e6;
        let after = self.tempos.partition_point(|tempo| tempo.at_micros <= micros);
        let tempo = &self.tempos[after.saturating_sub(1)];
        let quarters = (micros - tempo.at_micros) / f64::from(tempo.micros_per_quarter);
        tempo.tick + (quarters * TICKS_PER_QUARTER as f64).round() as u64
    }

    fn of_beats(rhythm: &Rhythm) -> Self {
        let meter = rhythm.meter;
        let beat_unit =
            if meter.beat_unit.is_power_of_two() { meter.beat_unit.min(SHORTEST_NOTE) } else { 4 };
        let lead_in = LeadIn::before(rhythm, beat_unit);
        let ticks_per_beat = note_ticks(beat_unit);

        let mut tempos = Vec::new();
        let mut at_micros = 0.0;
        if lead_in.notes > 0 {
            let first_micros = rhythm.beats[0].time_secs * 1e6;
            let ticks = lead_in.ticks();
            let exact = first_micros / ticks as f64 * TICKS_PER_QUARTER as f64;
            let micros_per_quarter = exact.round().clamp(1.0, MAX_MICROS_PER_QUARTER) as u32;
            tempos.push(TempoChange { tick: 0, micros_per_quarter, at_micros });
            at_micros += f64::from(micros_per_quarter) * ticks as f64 / TICKS_PER_QUARTER as f64;
        }
        follow(&rhythm.beats, lead_in.ticks(), ticks_per_beat, at_micros, &mut tempos);

        Self {
            signatures: signatures(&rhythm.beats, meter.beats_per_bar.max(1), beat_unit, &lead_in),
            beat_ticks: (0..rhythm.beats.len() as u64)
                .map(|beat| lead_in.ticks() + beat * ticks_per_beat)
                .collect(),
            tempos,
        }
    }
}

/// What stands between the start of the file and the first beat.
struct LeadIn {
    /// How many notes.
    notes: u64,
    /// Which notes: the beat's, or shorter ones where there is no room for a beat.
    note: u8,
}

impl LeadIn {
    /// As many beats as fit best, so that their tempo is near the song's; where less than half a beat fits, one
    /// shorter note.
    fn before(rhythm: &Rhythm, beat_unit: u8) -> Self {
        let first_micros = rhythm.beats[0].time_secs * 1e6;
        if first_micros <= TOLERANCE_MICROS {
            return Self { notes: 0, note: beat_unit };
        }
        let mut note_micros = (rhythm.beats[1].time_secs - rhythm.beats[0].time_secs).max(1e-3) * 1e6;
        let mut note = beat_unit;
        while first_micros < note_micros / 2.0 && note < SHORTEST_NOTE {
            note *= 2;
            note_micros /= 2.0;
        }
        Self { notes: (first_micros / note_micros).round().max(1.0) as u64, note }
    }

    fn ticks(&self) -> u64 {
        self.notes * note_ticks(self.note)
    }
}

fn note_ticks(note: u8) -> u64 {
    TICKS_PER_QUARTER * 4 / u64::from(note)
}

/// Adds the fewest tempo changes that keep every beat within the tolerance.
///
/// From one change on, each further beat narrows the interval of tempos that still hit all beats so far; when
/// it is empty, the next change starts. This is the swing filter of Elmeleegy et al., "Online piece-wise linear
/// approximation of numerical streams with precision guarantees" (VLDB 2009), over whole microseconds.
fn follow(
    beats: &[Beat],
    first_tick: u64,
    ticks_per_beat: u64,
    first_micros: f64,
    out: &mut Vec<TempoChange>,
) {
    let beats_per_quarter = TICKS_PER_QUARTER as f64 / ticks_per_beat as f64;
    let (mut start, mut at_micros) = (0, first_micros);
    while start + 1 < beats.len() {
        let (mut lowest, mut highest) = (1.0, MAX_MICROS_PER_QUARTER);
        let mut reached = start;
        let mut micros_per_quarter = 1.0;
        for (count, beat) in (1..).zip(&beats[start + 1..]) {
            let per_quarter = |micros: f64| (micros - at_micros) / f64::from(count) * beats_per_quarter;
            let target = beat.time_secs * 1e6;
            let low = per_quarter(target - TOLERANCE_MICROS).ceil().max(lowest);
            let high = per_quarter(target + TOLERANCE_MICROS).floor().min(highest);
            if low > high && reached > start {
                break;
            }
            (lowest, highest) = (low, high.max(low));
            // Nearest to this beat: the middle of the interval would lean towards the first beats' noise.
            micros_per_quarter =
                per_quarter(target).round().clamp(lowest, highest).min(MAX_MICROS_PER_QUARTER);
            reached += 1;
        }
        out.push(TempoChange {
            tick: first_tick + start as u64 * ticks_per_beat,
            micros_per_quarter: micros_per_quarter as u32,
            at_micros,
        });
        at_micros += micros_per_quarter * (reached - start) as f64 / beats_per_quarter;
        start = reached;
    }
}

/// The lengths of the bars as they were heard, written where they change.
fn signatures(beats: &[Beat], beats_per_bar: u8, beat_unit: u8, lead_in: &LeadIn) -> Vec<TimeSignature> {
    let mut bars = Vec::new();
    let mut tick = 0;
    let mut push = |beats: u64, unit: u8| {
        if beats > 0 {
            bars.push(TimeSignature { tick, beats: beats.min(255) as u8, beat_unit: unit });
            tick += beats * note_ticks(unit);
        }
    };

    let pickup = beats.iter().position(|beat| beat.bar_position == 1).unwrap_or(beats.len()) as u64;
    let mut before_first_bar = pickup;
    if lead_in.note == beat_unit {
        before_first_bar += lead_in.notes;
    } else {
        push(lead_in.notes, lead_in.note);
    }
    push(before_first_bar % u64::from(beats_per_bar), beat_unit);
    (0..before_first_bar / u64::from(beats_per_bar)).for_each(|_| push(beats_per_bar.into(), beat_unit));

    let bars_heard = beats[pickup as usize..].chunk_by(|_, beat| beat.bar_position != 1);
    let bar_count = bars_heard.clone().count();
    for (index, bar) in (1..).zip(bars_heard) {
        // The song may end within its last bar.
        let beats = if index == bar_count { bar.len().max(beats_per_bar.into()) } else { bar.len() };
        push(beats as u64, beat_unit);
    }
    bars.dedup_by(|bar, before| (bar.beats, bar.beat_unit) == (before.beats, before.beat_unit));
    bars
}
