//! The plan of a song: where its sections lie and who plays in them.

use sfa_audio::analyze::SectionKind;

use super::DemoOptions;
use super::style::StyleSheet;

/// Everything that sounds, in the order of [`Section::levels`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Kick,
    Snare,
    Hats,
    Ride,
    Bass,
    Pad,
    Keys,
    Arp,
    Lead,
    Vocal,
}

/// A section with its cast.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    pub(crate) kind: SectionKind,
    pub(crate) start_bar: u32,
    pub(crate) bars: u32,
    levels: [[f32; 2]; 10],
    brightness: [f32; 2],
}

impl Section {
    pub(crate) fn end_bar(&self) -> u32 {
        self.start_bar + self.bars
    }

    /// How loud a part plays in a bar; 0 where it rests. Parts that join late do so at the section's half.
    pub(crate) fn level(&self, part: Part, bar: u32) -> f32 {
        let second_half = (bar - self.start_bar) * 2 >= self.bars;
        self.levels[part as usize][usize::from(second_half)]
    }

    /// How open the sound is at `bar` (fractions of bars count), `0.0..=1.0`.
    pub(crate) fn brightness(&self, bar: f64) -> f32 {
        let share = ((bar - f64::from(self.start_bar)) / f64::from(self.bars)).clamp(0.0, 1.0) as f32;
        self.brightness[0] + (self.brightness[1] - self.brightness[0]) * share
    }

    /// Whether this is where a song is at its loudest.
    pub(crate) fn is_peak(&self) -> bool {
        matches!(self.kind, SectionKind::Drop | SectionKind::Chorus)
    }
}

/// The song before its notes: time grid, sections, options.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) options: DemoOptions,
    pub(crate) sheet: &'static StyleSheet,
    pub(crate) sections: Vec<Section>,
}

/// How long the last notes and the reverb ring after the last bar.
const TAIL_SECS: f64 = 2.5;

impl Plan {
    /// Lays the sections out. The options must have been checked.
    pub(crate) fn new(options: &DemoOptions) -> Self {
        let sheet = options.style.sheet();
        let mut plan = Self { options: options.clone(), sheet, sections: Vec::new() };
        for (kind, bars) in plan.form() {
            let occurrence = plan.sections.iter().filter(|section| section.kind == kind).count() as u32;
            let start_bar = plan.bars();
            let (levels, brightness) = cast(kind, occurrence);
            plan.sections.push(Section { kind, start_bar, bars, levels, brightness });
        }
        plan
    }

    /// The style's own form, or as much of its middle, over and over, as fills the wanted duration.
    fn form(&self) -> Vec<(SectionKind, u32)> {
        let scale = |bars: u32| {
            let pairs = (f64::from(bars) * self.options.form_scale / 2.0).round().max(1.0);
            pairs as u32 * 2
        };
        let scaled: Vec<_> = self.sheet.form.iter().map(|&(kind, bars)| (kind, scale(bars))).collect();
        let Some(duration_secs) = self.options.duration_secs else {
            return scaled;
        };
        let (first, last) = (scaled[0], scaled[scaled.len() - 1]);
        let wanted_bars =
            (duration_secs - self.options.lead_in_secs - TAIL_SECS) / self.secs(self.bar_beat(1));
        let mut left = wanted_bars - f64::from(first.1 + last.1);
        let mut form = vec![first];
        for &section in scaled[1..scaled.len() - 1].iter().cycle() {
            if left <= 0.0 && form.len() > 1 {
                break;
            }
            form.push(section);
            left -= f64::from(section.1);
        }
        form.push(last);
        form
    }

    /// Bars in all.
    pub(crate) fn bars(&self) -> u32 {
        self.sections.last().map_or(0, Section::end_bar)
    }

    /// The section that `bar` is in; the last one for bars beyond the end.
    pub(crate) fn section_at(&self, bar: u32) -> &Section {
        let index = self.sections.partition_point(|section| section.end_bar() <= bar);
        &self.sections[index.min(self.sections.len() - 1)]
    }

    pub(crate) fn beats_per_bar(&self) -> u32 {
        u32::from(self.options.beats_per_bar)
    }

    pub(crate) fn steps_per_bar(&self) -> u32 {
        4 * self.beats_per_bar()
    }

    /// The beat, counted from 0, that `bar` starts with.
    pub(crate) fn bar_beat(&self, bar: u32) -> f64 {
        f64::from(bar * self.beats_per_bar())
    }

    /// The beat at which the sixteenth `step` of `bar` sounds, with the style's swing.
    pub(crate) fn step_beat(&self, bar: u32, step: u32) -> f64 {
        let late = if step % 2 == 1 { (2.0 * self.options.swing - 1.0) / 4.0 } else { 0.0 };
        self.bar_beat(bar) + f64::from(step) / 4.0 + late
    }

    /// Length of `beats` in seconds.
    pub(crate) fn secs(&self, beats: f64) -> f64 {
        beats * 60.0 / self.options.bpm
    }

    /// When `beat` is, in seconds from the first frame.
    pub(crate) fn time_secs(&self, beat: f64) -> f64 {
        self.options.lead_in_secs + self.secs(beat)
    }

    /// The frame nearest to `beat`.
    pub(crate) fn frame(&self, beat: f64) -> usize {
        (self.time_secs(beat) * f64::from(self.options.sample_rate_hz)).round().max(0.0) as usize
    }

    /// Length of the song with its tail.
    pub(crate) fn frames(&self) -> usize {
        let end_secs = self.time_secs(self.bar_beat(self.bars())) + TAIL_SECS;
        (end_secs * f64::from(self.options.sample_rate_hz)).round() as usize
    }

    pub(crate) fn brightness(&self, beat: f64) -> f32 {
        let bar = (beat / f64::from(self.beats_per_bar())).max(0.0);
        self.section_at(bar as u32).brightness(bar)
    }
}

/// Who plays how loud in the first and the second half of a section, and how the sound opens over it.
#[rustfmt::skip]
fn cast(kind: SectionKind, occurrence: u32) -> ([[f32; 2]; 10], [f32; 2]) {
    let later = if occurrence > 0 { 1.0 } else { 0.0 };
    //        kick        snare       hats        ride            bass
    //        pad         keys        arp         lead            vocal
    match kind {
        SectionKind::Intro => (
            [[0.6, 0.6], [0.0, 0.0], [0.4, 0.7], [0.0, 0.0], [0.0, 0.0],
             [0.6, 0.7], [0.5, 0.6], [0.0, 0.4], [0.0, 0.0], [0.0, 0.0]],
            [0.12, 0.32],
        ),
        SectionKind::Verse | SectionKind::Solo => (
            [[0.7, 0.75], [0.7, 0.75], [0.6, 0.75], [0.0, 0.0], [0.65, 0.7],
             [0.55, 0.6], [0.6, 0.65], [0.4 * later, 0.5], [0.0, 0.0], [0.75, 0.75]],
            [0.3, 0.45],
        ),
        SectionKind::PreChorus => (
            [[1.0, 1.0], [0.9, 0.9], [0.8, 0.8], [0.0, 0.3], [0.9, 0.9],
             [0.7, 0.7], [0.6, 0.7], [0.5, 0.6], [0.0, 0.0], [0.8, 0.8]],
            [0.4, 0.6],
        ),
        SectionKind::BuildUp => (
            [[0.8, 0.7], [0.7, 0.7], [0.5, 0.6], [0.0, 0.0], [0.6, 0.0],
             [0.6, 0.65], [0.0, 0.0], [0.55, 0.65], [0.0, 0.0], [0.6, 0.6]],
            [0.3, 0.85],
        ),
        SectionKind::Drop | SectionKind::Chorus => (
            [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [0.5 * later, 0.75], [1.0, 1.0],
             [0.85, 0.9], [0.95, 1.0], [0.55, 0.65], [0.9, 0.95], [0.75 * later, 0.9]],
            [0.75, 0.85],
        ),
        SectionKind::Breakdown | SectionKind::Bridge => (
            [[0.0, 0.0], [0.0, 0.0], [0.0, 0.3], [0.0, 0.0], [0.5, 0.6],
             [0.8, 0.85], [0.4, 0.5], [0.6, 0.6], [0.0, 0.0], [0.9, 0.9]],
            [0.45, 0.3],
        ),
        _ => (
            [[1.0, 0.9], [0.6, 0.0], [0.7, 0.5], [0.0, 0.0], [0.8, 0.5],
             [0.6, 0.5], [0.5, 0.3], [0.3, 0.0], [0.0, 0.0], [0.0, 0.0]],
            [0.45, 0.12],
        ),
    }
}
