//! What each part does in the song.
//!
//! Dance music is told from songs by its drops: where there is one, parts are drops, build-ups and
//! breakdowns; where there is none, they are verses, choruses and bridges.

use super::SectionKind;
use super::events::{Arrival, is_breakdown, is_build_up};
use super::parts::{Full, Part};

/// What a group gains in the choice of the chorus when it comes back, in units of fullness (10 dB per band).
const RETURN_BONUS: f32 = 0.1;
/// What a group loses when it is the first after the intro, as verses are.
const OPENING_MALUS: f32 = 0.15;

/// The word for each part.
pub(super) fn label(parts: &[Part], arrivals: &[Arrival], full: &Full) -> Vec<SectionKind> {
    if arrivals.iter().any(Arrival::is_drop) {
        label_dance(parts, arrivals, full)
    } else {
        label_song(parts, arrivals, full)
    }
}

fn label_dance(parts: &[Part], arrivals: &[Arrival], full: &Full) -> Vec<SectionKind> {
    let last = parts.len() - 1;
    let drop_groups: Vec<u32> = parts
        .iter()
        .zip(arrivals)
        .filter(|(_, arrival)| arrival.is_drop())
        .map(|(part, _)| part.group)
        .collect();
    let mut kinds: Vec<SectionKind> = Vec::with_capacity(parts.len());
    for (index, part) in parts.iter().enumerate() {
        let kind = if arrivals[index].is_drop() {
            SectionKind::Drop
        } else if index == 0 {
            SectionKind::Intro
        } else if is_build_up(parts, arrivals, index) {
            SectionKind::BuildUp
        } else if is_breakdown(parts, arrivals, index, full) {
            SectionKind::Breakdown
        } else if index == last {
            if drop_groups.contains(&part.group) { SectionKind::Drop } else { SectionKind::Outro }
        } else if drop_groups.contains(&part.group) && kinds.contains(&SectionKind::Drop) {
            SectionKind::Drop
        } else {
            SectionKind::Verse
        };
        kinds.push(kind);
    }
    // Parts between the last drop and the end wind the song down.
    for index in (1..last).rev() {
        if kinds[index + 1] != SectionKind::Outro
            || kinds[index] != SectionKind::Verse
            || parts[index].fullness > parts[index - 1].fullness
        {
            break;
        }
        kinds[index] = SectionKind::Outro;
    }
    kinds
}

fn label_song(parts: &[Part], arrivals: &[Arrival], full: &Full) -> Vec<SectionKind> {
    // An intro leads to something and an outro away from it: one or two parts are too few to tell.
    if parts.len() < 3 {
        return vec![SectionKind::Verse; parts.len()];
    }
    let last = parts.len() - 1;
    let chorus = chorus_group(parts);
    let repeats = |part: &Part| parts.iter().filter(|other| other.group == part.group).count() > 1;
    let usual_len = {
        let mut lens: Vec<usize> = parts.iter().map(Part::len).collect();
        lens.sort_unstable();
        lens[lens.len() / 2]
    };
    (0..parts.len())
        .map(|index| {
            let part = &parts[index];
            let is_chorus = Some(part.group) == chorus;
            if index == 0 && !(repeats(part) && part.len() >= usual_len && is_chorus) {
                SectionKind::Intro
            } else if index == last && !is_chorus {
                SectionKind::Outro
            } else if is_chorus {
                SectionKind::Chorus
            } else if is_breakdown(parts, arrivals, index, full) {
                SectionKind::Breakdown
            } else if !repeats(part) && is_after_second_chorus(parts, index, chorus) {
                if part.fullness >= chorus_fullness(parts, chorus) {
                    SectionKind::Solo
                } else {
                    SectionKind::Bridge
                }
            } else if leads_to_chorus(parts, index, chorus) && part.len() * 2 <= usual_len.max(8) {
                SectionKind::PreChorus
            } else {
                SectionKind::Verse
            }
        })
        .collect()
}

/// The fullest group; one that comes back and is not the first to be heard after the intro is preferred.
fn chorus_group(parts: &[Part]) -> Option<u32> {
    let inner = &parts[1..];
    let count = |group: u32| inner.iter().filter(|part| part.group == group).count();
    let score = |group: u32| {
        let of_group = inner.iter().filter(|part| part.group == group);
        let fullness = of_group.map(|part| part.fullness + part.energy).sum::<f32>() / count(group) as f32;
        let returns = if count(group) > 1 { RETURN_BONUS } else { 0.0 };
        let opens = if inner[0].group == group { OPENING_MALUS } else { 0.0 };
        fullness + returns - opens
    };
    let last = parts.len() - 1;
    let mut candidates: Vec<u32> = inner.iter().map(|part| part.group).collect();
    candidates.sort_unstable();
    candidates.dedup();
    if candidates.len() > 1 && count(parts[last].group) == 1 {
        candidates.retain(|&group| group != parts[last].group);
    }
    if candidates.len() < 2 {
        return None;
    }
    candidates.into_iter().max_by(|&a, &b| score(a).total_cmp(&score(b)))
}

fn chorus_fullness(parts: &[Part], chorus: Option<u32>) -> f32 {
    let of_chorus = parts.iter().filter(|part| Some(part.group) == chorus).map(|part| part.fullness);
    of_chorus.fold(0.0, f32::max)
}

fn is_after_second_chorus(parts: &[Part], index: usize, chorus: Option<u32>) -> bool {
    let is_chorus = |part: &Part| Some(part.group) == chorus;
    let mut choruses = 0;
    for (place, part) in parts[..index].iter().enumerate() {
        if is_chorus(part) && (place == 0 || !is_chorus(&parts[place - 1])) {
            choruses += 1;
        }
    }
    choruses >= 2
}

fn leads_to_chorus(parts: &[Part], index: usize, chorus: Option<u32>) -> bool {
    parts.get(index + 1).is_some_and(|next| Some(next.group) == chorus)
        && index >= 2
        && Some(parts[index - 1].group) != chorus
}
