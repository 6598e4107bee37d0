//! Scenes as SVG.

use std::fmt::Write as _;

use sfa_audio::cue::Rgb;

use super::png;
use super::scene::{Anchor, PAPER, Scene, Shape, TEXT_HEIGHT};
use crate::export::report::html::{base64, escape};

pub(super) fn render(scene: &Scene) -> String {
    let Scene { title, width, height, shapes } = scene;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" font-family=\"system-ui, sans-serif\" font-size=\"{TEXT_HEIGHT}\"><title>{}</title>\
         <rect width=\"{width}\" height=\"{height}\" fill=\"{}\"/>",
        escape(title),
        hex(PAPER)
    );
    for shape in shapes {
        draw(shape, &mut svg);
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw(shape: &Shape, svg: &mut String) {
    // Writing to a string does not fail.
    let _ = match shape {
        Shape::Rect { x, y, width, height, color } => write!(
            svg,
            "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\" fill=\"{}\"/>",
            hex(*color)
        ),
        Shape::Line { points, thickness, color } => write!(
            svg,
            "<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{thickness}\"/>",
            path(points),
            hex(*color)
        ),
        Shape::Area { points, color } => {
            write!(svg, "<path d=\"{}z\" fill=\"{}\"/>", path(points), hex(*color))
        }
        Shape::Image { x, y, width, height, matrix } => {
            let data = png::matrix(matrix).map(|png| base64(&png)).unwrap_or_default();
            write!(
                svg,
                "<image x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\" \
                 preserveAspectRatio=\"none\" href=\"data:image/png;base64,{data}\"/>"
            )
        }
        Shape::Text { x, y, anchor, color, text } => {
            let anchor = match anchor {
                Anchor::Start => "start",
                Anchor::Middle => "middle",
                Anchor::End => "end",
            };
            write!(
                svg,
                "<text x=\"{x:.2}\" y=\"{y:.2}\" text-anchor=\"{anchor}\" fill=\"{}\">{}</text>",
                hex(*color),
                escape(text)
            )
        }
    };
}

fn path(points: &[(f32, f32)]) -> String {
    points.iter().enumerate().fold(String::new(), |mut path, (index, (x, y))| {
        let _ = write!(path, "{}{x:.2} {y:.2}", if index == 0 { 'M' } else { 'L' });
        path
    })
}

fn hex(Rgb(red, green, blue): Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}
