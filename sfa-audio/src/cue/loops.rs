//! Loop points from the loops that form found.

use super::LoopPoint;
use crate::analyze::{Analysis, SeamlessLoop};

/// How many loops to offer first.
const RECOMMENDED: usize = 5;

/// The loops of a song in order of time, the best five marked; none without form and rhythm.
///
/// Loops of 4 and 8 bars, the lengths that DJs mix with, are recommended before shorter and longer ones of
/// the same quality, and loops that share time with a better one only when there are no others.
pub fn find_loops(analysis: &Analysis) -> Vec<LoopPoint> {
    let (Some(form), Some(rhythm)) = (&analysis.form, &analysis.rhythm) else { return Vec::new() };
    let recommended = recommended(&form.loops);
    let section_at = |secs: f64| {
        let found =
            form.sections.iter().find(|section| (section.start_secs..section.end_secs).contains(&secs));
        found.map_or_else(String::new, |section| section.kind.label().to_owned())
    };
    let points = form.loops.iter().enumerate().map(|(index, found)| LoopPoint {
        start_secs: found.start_secs,
        end_secs: found.end_secs,
        bars: found.bars,
        beats: found.bars * u32::from(rhythm.meter.beats_per_bar),
        quality: found.quality,
        section: section_at((found.start_secs + found.end_secs) / 2.0),
        recommended: recommended.contains(&index),
        label: None,
        hot_cue: None,
    });
    points.collect()
}

fn recommended(loops: &[SeamlessLoop]) -> Vec<usize> {
    let worth = |found: &SeamlessLoop| {
        found.quality
            + match found.bars {
                4 | 8 => 0.1,
                2 | 16 => 0.05,
                _ => 0.0,
            }
    };
    let mut order: Vec<usize> = (0..loops.len()).collect();
    order.sort_by(|&a, &b| worth(&loops[b]).total_cmp(&worth(&loops[a])));
    let share_time =
        |a: &SeamlessLoop, b: &SeamlessLoop| a.start_secs < b.end_secs && b.start_secs < a.end_secs;
    let mut chosen: Vec<usize> = Vec::new();
    let mut others = Vec::new();
    for index in order {
        if chosen.iter().any(|&better| share_time(&loops[better], &loops[index])) {
            others.push(index);
        } else {
            chosen.push(index);
        }
    }
    chosen.extend(others);
    chosen.truncate(RECOMMENDED);
    chosen
}
