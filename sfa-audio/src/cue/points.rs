//! Which moments of a song deserve a cue point.

use super::{CueKind, CuePoint, Rgb};
use crate::analyze::{Analysis, FormEventKind, Section, SectionKind};

/// Cues closer than this are one; the more confident stays.
const MIN_DISTANCE_SECS: f64 = 0.5;
/// Pads on common controllers.
const HOT_CUES: usize = 8;
/// Time that mixing out needs; a tenth of the song if that is less.
const MIX_OUT_SECS: f64 = 15.0;

/// The cue points of a song, in order of time and at least half a second apart.
///
/// The first downbeat, the starts of sections, drops, build-ups and breakdowns, and where to mix out. What the
/// analysis lacks is left out: without form only the load cue stays, without rhythm the sections' starts. The
/// eight cues that matter most carry a [`hot_cue`](CuePoint::hot_cue): load and mix-out, then drops, breakdowns,
/// build-ups and choruses before other sections.
///
/// Of two cues within half a second the more confident stays; a load, mix-out or event cue counts as
/// more confident than the start of the section that it marks.
pub fn suggest_cues(analysis: &Analysis) -> Vec<CuePoint> {
    let mut candidates = Vec::new();
    candidates.extend(load_cue(analysis));
    candidates.extend(mix_out_cue(analysis));
    candidates.extend(event_cues(analysis));
    candidates.extend(section_cues(analysis));
    candidates.retain(|cue| cue.point.position_secs.is_finite());
    let mut cues = keep_apart(candidates);
    assign_hot_cues(&mut cues);
    cues.into_iter().map(|cue| cue.point).collect()
}

/// A cue and how it fares against others.
struct Candidate {
    point: CuePoint,
    /// Lower is more worth a pad.
    rank: u8,
}

fn cue(position_secs: f64, label: String, kind: CueKind, color: Rgb, confidence: f32, rank: u8) -> Candidate {
    let confidence = if confidence.is_finite() { confidence.clamp(0.0, 1.0) } else { 0.0 };
    Candidate { point: CuePoint { position_secs, label, kind, color, confidence, hot_cue: None }, rank }
}

fn load_cue(analysis: &Analysis) -> Option<Candidate> {
    let first =
        analysis.rhythm.as_ref()?.downbeats().find(|time| (0.0..analysis.duration_secs).contains(time))?;
    Some(cue(first, "Load".into(), CueKind::Load, section_color(SectionKind::Intro), 1.0, 0))
}

/// The last section that leaves time to mix, in the second half of the song.
fn mix_out_cue(analysis: &Analysis) -> Option<Candidate> {
    let latest_secs = analysis.duration_secs - (analysis.duration_secs / 10.0).min(MIX_OUT_SECS);
    let sections = &analysis.form.as_ref()?.sections;
    let section = sections.iter().rev().find(|section| section.start_secs <= latest_secs)?;
    (section.start_secs > analysis.duration_secs / 2.0).then(|| {
        let color = section_color(SectionKind::Outro);
        cue(section.start_secs, "Mix out".into(), CueKind::MixOut, color, section.confidence, 1)
    })
}

fn event_cues(analysis: &Analysis) -> Vec<Candidate> {
    let Some(form) = &analysis.form else { return Vec::new() };
    let mut counts = [0; 3];
    let styled = form.events.iter().filter_map(|event| {
        let (index, word, kind, color, rank) = match event.kind {
            FormEventKind::Drop => (0, "Drop", CueKind::Drop, Rgb(0xF3, 0x9C, 0x12), 2),
            FormEventKind::Breakdown => (1, "Breakdown", CueKind::Breakdown, Rgb(0x34, 0x98, 0xDB), 3),
            FormEventKind::BuildUp => (2, "Build-up", CueKind::BuildUp, Rgb(0x2E, 0xCC, 0x71), 4),
        };
        counts[index] += 1;
        let label = format!("{word} {}", counts[index]);
        (event.start_secs < analysis.duration_secs)
            .then(|| cue(event.start_secs, label, kind, color, event.confidence, rank))
    });
    styled.collect()
}

fn section_cues(analysis: &Analysis) -> Vec<Candidate> {
    let Some(form) = &analysis.form else { return Vec::new() };
    let starts = form.sections.iter().enumerate().filter_map(|(index, section)| {
        // The first section starts with the file; where there is a beat, its first downbeat is the cue.
        if index == 0 && analysis.rhythm.is_some() {
            return None;
        }
        let same = |other: &&Section| other.kind == section.kind;
        let all = form.sections.iter().filter(same).count();
        let number = form.sections[..=index].iter().filter(same).count();
        let word = section.kind.label();
        let label = if all > 1 { format!("{word} {number}") } else { word.to_owned() };
        let rank = if section.kind == SectionKind::Chorus { 5 } else { 6 };
        Some(cue(
            section.start_secs,
            label,
            CueKind::Section,
            section_color(section.kind),
            section.confidence,
            rank,
        ))
    });
    starts.collect()
}

/// The colours that tracks analysed by earlier tools carry, so that libraries stay readable.
fn section_color(kind: SectionKind) -> Rgb {
    match kind {
        SectionKind::Intro => Rgb(0x1A, 0xBC, 0x9C),
        SectionKind::Verse => Rgb(0x29, 0x80, 0xB9),
        SectionKind::Chorus => Rgb(0xE9, 0x1E, 0x63),
        SectionKind::Bridge => Rgb(0xFF, 0x98, 0x00),
        SectionKind::Outro => Rgb(0x60, 0x7D, 0x8B),
        SectionKind::Drop => Rgb(0xF3, 0x9C, 0x12),
        SectionKind::BuildUp => Rgb(0x2E, 0xCC, 0x71),
        SectionKind::Breakdown => Rgb(0x34, 0x98, 0xDB),
        SectionKind::PreChorus | SectionKind::Solo => Rgb(0x95, 0xA5, 0xA6),
    }
}

/// Drops what is too close to something more confident, and sorts by time.
fn keep_apart(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    let marks_section = |candidate: &Candidate| candidate.point.kind == CueKind::Section;
    candidates.sort_by(|a, b| {
        (marks_section(a).cmp(&marks_section(b)))
            .then(b.point.confidence.total_cmp(&a.point.confidence))
            .then(a.rank.cmp(&b.rank))
            .then(a.point.position_secs.total_cmp(&b.point.position_secs))
    });
    let mut kept: Vec<Candidate> = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        let at = candidate.point.position_secs;
        let place = kept.partition_point(|other| other.point.position_secs < at);
        let is_free = |other: Option<&Candidate>| {
            other.is_none_or(|other| (other.point.position_secs - at).abs() >= MIN_DISTANCE_SECS)
        };
        if is_free(kept.get(place)) && is_free(place.checked_sub(1).and_then(|before| kept.get(before))) {
            kept.insert(place, candidate);
        }
    }
    kept
}

fn assign_hot_cues(cues: &mut [Candidate]) {
    let mut order: Vec<usize> = (0..cues.len()).collect();
    order.sort_by(|&a, &b| {
        let (a, b) = (&cues[a], &cues[b]);
        a.rank.cmp(&b.rank).then(b.point.confidence.total_cmp(&a.point.confidence))
    });
    order.truncate(HOT_CUES);
    order.sort_unstable();
    for (pad, index) in order.into_iter().enumerate() {
        cues[index].point.hot_cue = Some(pad as u8);
    }
}
