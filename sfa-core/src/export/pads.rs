//! Which cues and loops go onto the buttons of a player.

use sfa_audio::cue::{CueKind, CuePoint, LoopPoint};

use crate::song::SongReport;

/// Hot cues that a player has buttons for, A to H.
pub(super) const HOT_CUES: usize = 8;

/// A place in a song that somebody may want to jump to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    Cue(&'a CuePoint),
    Loop(&'a LoopPoint),
}

impl Place<'_> {
    fn pad(self) -> Option<usize> {
        let pad = match self {
            Self::Cue(cue) => cue.hot_cue,
            Self::Loop(point) => point.hot_cue,
        };
        pad.map(usize::from).filter(|&pad| pad < HOT_CUES)
    }
}

/// The cues to keep in order of time, as many as there are buttons, and then the recommended loops.
pub(super) fn places(track: &SongReport) -> Vec<Place<'_>> {
    let cues = surest(&track.cues, HOT_CUES).into_iter().map(Place::Cue);
    let loops = track.loops.iter().filter(|point| point.recommended).map(Place::Loop);
    cues.chain(loops).collect()
}

/// What is on each button: what was put there, and on the others what is left of `places` in its order.
pub(super) fn pads<'a>(places: &[Place<'a>]) -> [Option<Place<'a>>; HOT_CUES] {
    let mut pads = [None; HOT_CUES];
    for &place in places {
        if let Some(pad) = place.pad() {
            pads[pad].get_or_insert(place);
        }
    }
    let others: Vec<_> = places.iter().filter(|place| place.pad().is_none()).collect();
    for (free, &place) in pads.iter_mut().filter(|pad| pad.is_none()).zip(others) {
        *free = Some(place);
    }
    pads
}

/// The `count` cues to keep, in order of time: those on a pad first of all, then where to load a deck, then the most
/// confident.
fn surest(cues: &[CuePoint], count: usize) -> Vec<&CuePoint> {
    let mut chosen: Vec<_> = cues.iter().collect();
    chosen.sort_by(|one, other| {
        let rank = |cue: &CuePoint| (cue.hot_cue.is_some(), cue.kind == CueKind::Load);
        rank(other).cmp(&rank(one)).then(other.confidence.total_cmp(&one.confidence))
    });
    chosen.truncate(count);
    chosen.sort_by(|one, other| one.position_secs.total_cmp(&other.position_secs));
    chosen
}
