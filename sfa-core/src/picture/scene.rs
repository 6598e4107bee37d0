//! Shapes on a page, before any file format.

use sfa_audio::cue::Rgb;

use super::matrix::Matrix;

pub(super) const PAPER: Rgb = Rgb(0x12, 0x14, 0x18);
pub(super) const INK: Rgb = Rgb(0xe6, 0xe8, 0xec);
pub(super) const FAINT: Rgb = Rgb(0x8a, 0x90, 0x9c);
pub(super) const RULE: Rgb = Rgb(0x33, 0x38, 0x42);

/// A page of shapes, drawn in order. Places are in pixels from the top left corner.
pub(super) struct Scene {
    pub(super) title: String,
    pub(super) width: f32,
    pub(super) height: f32,
    pub(super) shapes: Vec<Shape>,
}

pub(super) enum Shape {
    Rect {
        x: f32,
        y: f32,
        width: f32,
        height: f32,
        color: Rgb,
    },
    Line {
        points: Vec<(f32, f32)>,
        thickness: f32,
        color: Rgb,
    },
    /// Filled; the last point joins the first.
    Area {
        points: Vec<(f32, f32)>,
        color: Rgb,
    },
    /// Every value of a matrix a small rectangle, row 0 at the bottom.
    Image {
        x: f32,
        y: f32,
        width: f32,
        height: f32,
        matrix: Matrix,
    },
    /// On a line at `y`.
    Text {
        x: f32,
        y: f32,
        anchor: Anchor,
        color: Rgb,
        text: String,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// Height of letters.
pub(super) const TEXT_HEIGHT: f32 = 12.0;

/// A colour between dark and bright for a share from 0 to 1: blue over violet and orange to yellow, with lightness
/// rising evenly, so that it reads in grey as well.
pub(super) fn heat(share: f32) -> Rgb {
    const STOPS: [[f32; 3]; 6] = [
        [12.0, 10.0, 30.0],
        [62.0, 22.0, 104.0],
        [140.0, 36.0, 112.0],
        [210.0, 70.0, 72.0],
        [246.0, 146.0, 40.0],
        [252.0, 240.0, 160.0],
    ];
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let place = share * (STOPS.len() - 1) as f32;
    let index = (place as usize).min(STOPS.len() - 2);
    let rest = place - index as f32;
    let mix = |channel: usize| {
        (STOPS[index][channel] + rest * (STOPS[index + 1][channel] - STOPS[index][channel])).round() as u8
    };
    Rgb(mix(0), mix(1), mix(2))
}
