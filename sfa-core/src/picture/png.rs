//! Scenes as pixels.

use font8x8::UnicodeFonts;
use sfa_audio::cue::Rgb;
use tiny_skia::{
    Color, FillRule, FilterQuality, IntSize, Paint, Path, PathBuilder, Pixmap, PixmapPaint, Rect, Stroke,
    Transform,
};

use super::matrix::Matrix;
use super::scene::{Anchor, PAPER, Scene, Shape, heat};
use crate::{Error, ErrorKind, Result};

/// Pixels per unit of the scene: letters of eight by eight dots are sharp at twice their size.
const SCALE: f32 = 2.0;
/// Width of a letter in units.
const LETTER_WIDTH: f32 = 8.0;
/// Pictures of fewer rows repeat them until they have about as many lines.
const SHARP_LINES: usize = 160;

pub(super) fn render(scene: &Scene) -> Result<Vec<u8>> {
    let mut page = Pixmap::new((scene.width * SCALE) as u32, (scene.height * SCALE) as u32)
        .ok_or_else(|| Error::new(ErrorKind::Internal, "a picture has no size"))?;
    page.fill(color(PAPER));
    for shape in &scene.shapes {
        draw(shape, &mut page);
    }
    encode(&page)
}

/// A matrix alone, one column of pixels per column.
pub(super) fn matrix(matrix: &Matrix) -> Result<Vec<u8>> {
    encode(&pixels(matrix).ok_or_else(|| Error::new(ErrorKind::Internal, "a matrix has no size"))?)
}

fn encode(page: &Pixmap) -> Result<Vec<u8>> {
    page.encode_png().map_err(|error| {
        Error::new(ErrorKind::Internal, format!("a picture could not be encoded: {error}")).caused_by(error)
    })
}

fn pixels(matrix: &Matrix) -> Option<Pixmap> {
    let (columns, rows) = (matrix.columns(), matrix.rows);
    // Few rows are bands with edges; smoothing would smear one pixel each over the whole picture.
    let lines = (SHARP_LINES / rows).max(1);
    let mut data = Vec::with_capacity(columns * rows * lines * 4);
    for row in (0..rows).rev() {
        for _ in 0..lines {
            for column in 0..columns {
                let Rgb(red, green, blue) = heat(matrix.column(column)[row]);
                data.extend([red, green, blue, 255]);
            }
        }
    }
    Pixmap::from_vec(data, IntSize::from_wh(columns as u32, (rows * lines) as u32)?)
}

fn draw(shape: &Shape, page: &mut Pixmap) {
    let scale = Transform::from_scale(SCALE, SCALE);
    match shape {
        Shape::Rect { x, y, width, height, color } => {
            if let Some(rect) = Rect::from_xywh(*x, *y, *width, *height) {
                page.fill_rect(rect, &paint(*color), scale, None);
            }
        }
        Shape::Line { points, thickness, color } => {
            if let Some(path) = path(points, false) {
                let stroke = Stroke { width: *thickness, ..Stroke::default() };
                page.stroke_path(&path, &paint(*color), &stroke, scale, None);
            }
        }
        Shape::Area { points, color } => {
            if let Some(path) = path(points, true) {
                page.fill_path(&path, &paint(*color), FillRule::Winding, scale, None);
            }
        }
        Shape::Image { x, y, width, height, matrix } => {
            if let Some(image) = pixels(matrix) {
                let (columns, rows) = (image.width() as f32, image.height() as f32);
                let place = Transform::from_row(width / columns, 0.0, 0.0, height / rows, *x, *y);
                let paint = PixmapPaint { quality: FilterQuality::Bilinear, ..PixmapPaint::default() };
                page.draw_pixmap(0, 0, image.as_ref(), &paint, place.post_concat(scale), None);
            }
        }
        Shape::Text { x, y, anchor, color, text } => write(text, *x, *y, *anchor, *color, page),
    }
}

/// Letters as dots; those that the font lacks become question marks.
fn write(text: &str, x: f32, y: f32, anchor: Anchor, color: Rgb, page: &mut Pixmap) {
    let width = text.chars().count() as f32 * LETTER_WIDTH;
    let start = match anchor {
        Anchor::Start => x,
        Anchor::Middle => x - width / 2.0,
        Anchor::End => x - width,
    };
    let paint = paint(color);
    let dot = LETTER_WIDTH / 8.0;
    for (index, letter) in text.chars().enumerate() {
        let fonts = [font8x8::BASIC_FONTS.get(letter), font8x8::LATIN_FONTS.get(letter)];
        let glyph = fonts.into_iter().flatten().next().or_else(|| font8x8::BASIC_FONTS.get('?'));
        for (row, bits) in glyph.unwrap_or_default().into_iter().enumerate() {
            for column in (0..8).filter(|column| bits >> column & 1 == 1) {
                let left = start + index as f32 * LETTER_WIDTH + column as f32 * dot;
                let top = y - LETTER_WIDTH + row as f32 * dot;
                if let Some(rect) = Rect::from_xywh(left, top, dot, dot) {
                    page.fill_rect(rect, &paint, Transform::from_scale(SCALE, SCALE), None);
                }
            }
        }
    }
}

fn path(points: &[(f32, f32)], is_closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    let (first, rest) = points.split_first()?;
    builder.move_to(first.0, first.1);
    rest.iter().for_each(|&(x, y)| builder.line_to(x, y));
    if is_closed {
        builder.close();
    }
    builder.finish()
}

fn color(Rgb(red, green, blue): Rgb) -> Color {
    Color::from_rgba8(red, green, blue, 255)
}

fn paint(rgb: Rgb) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color(color(rgb));
    paint
}
