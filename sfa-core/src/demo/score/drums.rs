//! Who hits what when.

use sfa_audio::analyze::SectionKind;

use super::{Hit, step_level};
use crate::demo::arrange::{Part, Plan, Section};
use crate::demo::random::Random;
use crate::demo::style::DemoStyle;
use crate::demo::voice::drums::Drum;

/// The drums of the whole song.
pub(crate) fn compose(plan: &Plan) -> Vec<Hit> {
    let mut hits = Vec::new();
    if plan.options.style == DemoStyle::Ambient {
        return hits;
    }
    let mut random = Random::for_purpose(plan.options.seed, "drums");
    for section in &plan.sections {
        for bar in section.start_bar..section.end_bar() {
            bar_of_drums(plan, section, bar, &mut random, &mut hits);
        }
    }
    hits.sort_by(|a, b| a.beat.total_cmp(&b.beat));
    hits
}

fn bar_of_drums(plan: &Plan, section: &Section, bar: u32, random: &mut Random, hits: &mut Vec<Hit>) {
    let groove = if plan.options.half_time { plan.sheet.groove.half_time() } else { plan.sheet.groove };
    let rolling = section.kind == SectionKind::BuildUp;
    let last_bar = bar + 1 == section.end_bar();
    // Phrases end with a fill on their last beat; the other drums make room for it.
    let filled = !rolling && (last_bar || (bar + 1 - section.start_bar).is_multiple_of(8));
    let fill_step = if filled || (rolling && last_bar) { plan.steps_per_bar() - 4 } else { u32::MAX };

    let rows = [
        (Drum::Kick, Part::Kick, groove.kick),
        (Drum::Snare, Part::Snare, groove.snare),
        (Drum::Clap, Part::Snare, groove.clap),
        (Drum::ClosedHat, Part::Hats, groove.closed_hat),
        (Drum::OpenHat, Part::Hats, groove.open_hat),
        (Drum::Ride, Part::Ride, groove.ride),
        (Drum::Shaker, Part::Hats, groove.shaker),
    ];
    for (drum, part, pattern) in rows {
        let level = section.level(part, bar);
        // The open hats and the shaker are the first to leave when the song is calm.
        let resting = matches!(drum, Drum::OpenHat | Drum::Shaker) && level < 0.65;
        let rolled = rolling && matches!(drum, Drum::Snare | Drum::Clap);
        if level == 0.0 || resting || rolled {
            continue;
        }
        for step in 0..plan.steps_per_bar() {
            let accent = step_level(pattern, step);
            let silenced = step >= fill_step && (drum != Drum::Kick || rolling || step > fill_step);
            if accent == 0.0 || silenced {
                continue;
            }
            let human = if drum == Drum::Kick { 1.0 } else { 0.9 + 0.1 * random.unit() };
            let velocity = level.sqrt() * accent * human;
            hits.push(Hit { beat: plan.step_beat(bar, step), drum, velocity });
        }
    }

    let drummed = section.level(Part::Kick, bar) > 0.0 && section.level(Part::Snare, bar) > 0.0;
    if rolling {
        roll(plan, section, bar, fill_step, hits);
    } else if filled && drummed && section.kind != SectionKind::Outro {
        fill(plan, bar, fill_step, random, hits);
    }
    if bar == section.start_bar && (section.is_peak() || section.kind == SectionKind::Breakdown) {
        hits.push(Hit { beat: plan.bar_beat(bar), drum: Drum::Crash, velocity: 0.8 });
    }
}

/// A snare that speeds up from quarters to sixteenths and swells. The last beat stays empty: the breath before
/// the drop.
fn roll(plan: &Plan, section: &Section, bar: u32, gap_step: u32, hits: &mut Vec<Hit>) {
    let done = f64::from(bar - section.start_bar) / f64::from(section.bars);
    let every = if done < 0.5 {
        4
    } else if done < 0.75 {
        2
    } else {
        1
    };
    for step in (0..plan.steps_per_bar().min(gap_step)).step_by(every) {
        let share = done + f64::from(step) / f64::from(plan.steps_per_bar() * section.bars);
        let accent = if step % 4 == 0 { 1.0 } else { 0.75 };
        let velocity = (0.22 + 0.5 * share as f32) * accent;
        hits.push(Hit { beat: plan.bar_beat(bar) + f64::from(step) / 4.0, drum: Drum::Snare, velocity });
    }
}

/// Four sixteenths that lead into the next phrase.
fn fill(plan: &Plan, bar: u32, first_step: u32, random: &mut Random, hits: &mut Vec<Hit>) {
    let fills: [[Option<Drum>; 4]; 4] = [
        [Some(Drum::Snare), None, Some(Drum::Snare), Some(Drum::Snare)],
        [Some(Drum::Tom(9)), Some(Drum::Tom(9)), Some(Drum::Tom(5)), Some(Drum::Tom(0))],
        [Some(Drum::Snare), Some(Drum::Tom(9)), None, Some(Drum::Tom(0))],
        [Some(Drum::Snare), Some(Drum::Snare), Some(Drum::Tom(7)), Some(Drum::Tom(2))],
    ];
    let chosen = fills[(random.next_u64() % 4) as usize];
    for (step, drum) in (first_step..).zip(chosen) {
        let velocity = 0.6 + 0.25 * random.unit();
        hits.extend(drum.map(|drum| Hit { beat: plan.step_beat(bar, step), drum, velocity }));
    }
}
