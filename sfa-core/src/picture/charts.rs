//! One function per picture.

use sfa_audio::analyze::{
    Beat, Chroma, Curve, Form, FormEventKind, Loudness, PitchClass, SectionKind, Waveform, WaveformLevel,
};
use sfa_audio::cue::Rgb;

use super::matrix::{MAX_COLUMNS, Matrix};
use super::scene::{Anchor, FAINT, INK, RULE, Scene, Shape};
use super::spectra;
use crate::export::report::html::clock;
use crate::song::SongReport;

const WIDTH: f32 = 1200.0;
const HEIGHT: f32 = 420.0;
/// Room for the scale, the end of the time axis, title and time.
const LEFT: f32 = 72.0;
const RIGHT: f32 = 20.0;
const TOP: f32 = 44.0;
const BOTTOM: f32 = 32.0;

const LOW: Rgb = Rgb(0xe0, 0x5a, 0x4e);
const MIDDLE: Rgb = Rgb(0x4f, 0xb3, 0x6b);
const HIGH: Rgb = Rgb(0x5a, 0x9c, 0xe8);
const ACCENT: Rgb = Rgb(0xf2, 0xb1, 0x34);

/// A page with a plot on it: title, time below, and what a chart adds.
struct Plot {
    scene: Scene,
    duration_secs: f64,
    width: f32,
    height: f32,
}

impl Plot {
    fn new(report: &SongReport, what: &str) -> Self {
        Self::sized(report, what, WIDTH, HEIGHT)
    }

    fn sized(report: &SongReport, what: &str, width: f32, height: f32) -> Self {
        let title = format!("{what} of {}", report.title());
        let duration_secs = report.analysis.duration_secs.max(1e-3);
        let scene = Scene { title: title.clone(), width, height, shapes: Vec::new() };
        let mut plot =
            Self { scene, duration_secs, width: width - LEFT - RIGHT, height: height - TOP - BOTTOM };
        plot.text(LEFT, 24.0, Anchor::Start, INK, title);
        let step = time_step(duration_secs);
        for index in 0..=(duration_secs / step) as usize {
            let secs = index as f64 * step;
            let x = plot.x(secs);
            plot.rect(x, TOP, 1.0, plot.height, RULE);
            plot.text(x, height - 12.0, Anchor::Middle, FAINT, clock(secs));
        }
        plot
    }

    fn x(&self, secs: f64) -> f32 {
        LEFT + self.width * (secs / self.duration_secs).clamp(0.0, 1.0) as f32
    }

    /// From the bottom of the plot, 0, to its top, 1.
    fn y(&self, share: f32) -> f32 {
        TOP + self.height * (1.0 - share.clamp(0.0, 1.0))
    }

    fn rect(&mut self, x: f32, y: f32, width: f32, height: f32, color: Rgb) {
        self.scene.shapes.push(Shape::Rect { x, y, width, height, color });
    }

    fn text(&mut self, x: f32, y: f32, anchor: Anchor, color: Rgb, text: impl Into<String>) {
        self.scene.shapes.push(Shape::Text { x, y, anchor, color, text: text.into() });
    }

    /// A word on the scale at the left.
    fn mark(&mut self, share: f32, text: impl Into<String>) {
        let y = self.y(share) + 4.0;
        self.text(LEFT - 8.0, y, Anchor::End, FAINT, text);
    }

    /// A horizontal line across the plot with its word.
    fn level(&mut self, share: f32, color: Rgb, text: impl Into<String>) {
        let y = self.y(share);
        self.rect(LEFT, y, self.width, 1.0, color);
        self.mark(share, text);
    }

    fn image(&mut self, matrix: Matrix) {
        let (width, height) = (self.width, self.height);
        self.scene.shapes.push(Shape::Image { x: LEFT, y: TOP, width, height, matrix });
    }

    fn line(&mut self, points: Vec<(f32, f32)>, thickness: f32, color: Rgb) {
        self.scene.shapes.push(Shape::Line { points, thickness, color });
    }

    /// A curve whose values `share` places between bottom and top.
    fn curve(&self, curve: &Curve, share: impl Fn(f32) -> f32) -> Vec<(f32, f32)> {
        let curve = curve.thinned(MAX_COLUMNS);
        let finite = curve.values.iter().enumerate().filter(|(_, value)| value.is_finite());
        finite
            .map(|(index, &value)| (self.x((index as f64 + 0.5) * curve.hop_secs), self.y(share(value))))
            .collect()
    }
}

/// Round seconds between labels.
fn time_step(duration_secs: f64) -> f64 {
    const STEPS: [f64; 12] = [0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0];
    STEPS.into_iter().find(|step| duration_secs / step <= 14.0).unwrap_or(1800.0)
}

/// The outline in three colours; with `beats`, every beat a line and every bar a longer one.
pub(super) fn waveform(report: &SongReport, waveform: &Waveform, beats: &[Beat]) -> Scene {
    let mut plot = Plot::new(report, if beats.is_empty() { "Waveform" } else { "Beats" });
    if let Some(level) = level_for(waveform) {
        outline(&mut plot, waveform, level);
    }
    for beat in beats {
        let x = plot.x(beat.time_secs);
        let is_first = beat.bar_position == 1;
        let (length, color) = if is_first { (1.0, ACCENT) } else { (0.06, INK) };
        let y = plot.y(1.0);
        let height = plot.height * length;
        plot.rect(x, y, 1.0, height, color);
    }
    if let Some(rhythm) = report.analysis.rhythm.as_ref().filter(|_| !beats.is_empty()) {
        let text =
            format!("{:.2} BPM, {}/{}", rhythm.tempo.bpm, rhythm.meter.beats_per_bar, rhythm.meter.beat_unit);
        let x = LEFT + plot.width;
        plot.text(x, 24.0, Anchor::End, ACCENT, text);
    }
    plot.scene
}

/// The coarsest zoom that still has a point for every column.
fn level_for(waveform: &Waveform) -> Option<&WaveformLevel> {
    let fine_enough = waveform.levels.iter().rev().find(|level| level.max.len() >= MAX_COLUMNS);
    fine_enough.or_else(|| waveform.levels.first())
}

fn outline(plot: &mut Plot, waveform: &Waveform, level: &WaveformLevel) {
    let secs_per_point = f64::from(level.frames_per_point) / f64::from(waveform.sample_rate_hz.max(1));
    let factor = level.max.len().div_ceil(MAX_COLUMNS).max(1);
    let middle = 0.5;
    let mut draw = |high: Vec<f32>, low: Vec<f32>, color| {
        let x = |index: usize| plot.x((index as f64 + 0.5) * factor as f64 * secs_per_point);
        let above = high.iter().enumerate().map(|(index, &value)| (x(index), plot.y(middle + value / 2.0)));
        let below =
            low.iter().enumerate().rev().map(|(index, &value)| (x(index), plot.y(middle + value / 2.0)));
        let points = above.chain(below).collect();
        plot.scene.shapes.push(Shape::Area { points, color });
    };
    let most = |values: &[u8]| -> Vec<f32> {
        values.chunks(factor).map(|part| f32::from(part.iter().copied().max().unwrap_or(0)) / 255.0).collect()
    };
    let max = level.max.chunks(factor).map(|part| f32::from(part.iter().copied().max().unwrap_or(0)) / 128.0);
    let min = level.min.chunks(factor).map(|part| f32::from(part.iter().copied().min().unwrap_or(0)) / 128.0);
    draw(max.collect(), min.collect(), FAINT);
    for (band, color) in [(&level.low, LOW), (&level.mid, MIDDLE), (&level.high, HIGH)] {
        let heights = most(band);
        let below = heights.iter().map(|height| -height).collect();
        draw(heights, below, color);
    }
}

/// Frequencies on a logarithmic scale.
pub(super) fn spectrogram(report: &SongReport, matrix: Matrix) -> Scene {
    let mut plot = Plot::new(report, "Spectrogram");
    plot.image(matrix);
    let top_hz = f64::from(report.analysis.sample_rate_hz) / 2.0;
    let octaves = (top_hz / spectra::LOWEST_HZ).log2();
    for (hz, word) in [
        (50.0, "50 Hz"),
        (100.0, "100"),
        (200.0, "200"),
        (500.0, "500"),
        (1e3, "1 kHz"),
        (2e3, "2"),
        (5e3, "5"),
        (1e4, "10"),
        (2e4, "20"),
    ] {
        if hz < top_hz {
            plot.mark(((hz / spectra::LOWEST_HZ).log2() / octaves) as f32, word);
        }
    }
    plot.scene
}

/// Mel bands.
pub(super) fn mel(report: &SongReport, matrix: Matrix) -> Scene {
    let mut plot = Plot::new(report, "Mel bands");
    let rows = matrix.rows;
    plot.image(matrix);
    plot.mark(0.0, "band 1");
    plot.mark(0.5, format!("{}", rows / 2));
    plot.mark(1.0, format!("{rows}"));
    plot.scene
}

/// Pitch classes, C at the bottom.
pub(super) fn chroma(report: &SongReport, chroma: &Chroma) -> Scene {
    let mut plot = Plot::new(report, "Pitch classes");
    plot.image(chroma_matrix(chroma, MAX_COLUMNS));
    for class in PitchClass::ALL {
        plot.mark((class.semitone() as f32 + 0.5) / 12.0, class.name());
    }
    if let Some(found) = &report.analysis.key {
        let x = LEFT + plot.width;
        plot.text(x, 24.0, Anchor::End, ACCENT, format!("{} ({})", found.key, found.key.camelot()));
    }
    plot.scene
}

/// At most so many columns, each the mean of several.
fn chroma_matrix(chroma: &Chroma, most: usize) -> Matrix {
    let factor = chroma.columns.len().div_ceil(most).max(1);
    let mean = |part: &[[f32; 12]]| -> [f32; 12] {
        std::array::from_fn(|class| part.iter().map(|column| column[class]).sum::<f32>() / part.len() as f32)
    };
    let values: Vec<f32> = chroma.columns.chunks(factor).flat_map(mean).collect();
    let values = if values.is_empty() { vec![0.0; 12] } else { values };
    Matrix { rows: 12, values }
}

/// Tempi on a logarithmic scale.
pub(super) fn tempogram(report: &SongReport, matrix: Matrix) -> Scene {
    let mut plot = Plot::new(report, "Tempogram");
    plot.image(matrix);
    let (slowest, fastest) = spectra::TEMPO_RANGE_BPM;
    let share = |bpm: f64| ((bpm / slowest).ln() / (fastest / slowest).ln()) as f32;
    for bpm in [40, 60, 80, 100, 120, 140, 174, 200, 240] {
        plot.mark(share(f64::from(bpm)), format!("{bpm}"));
    }
    if let Some(rhythm) = &report.analysis.rhythm {
        let bpm = rhythm.tempo.bpm;
        let (x, y) = (LEFT + plot.width, plot.y(share(bpm)));
        plot.rect(LEFT, y, 14.0, 1.0, INK);
        plot.text(x, 24.0, Anchor::End, ACCENT, format!("{bpm:.2} BPM"));
    }
    plot.scene
}

/// Rows and columns of the matrix of similarities.
const MOMENTS: usize = 600;
/// Harmony changes by the bar; single frames would only show noise.
const SMOOTHED_MOMENTS: usize = 5;

/// How alike any two moments are in harmony: bright where one repeats the other.
pub(super) fn similarity(report: &SongReport, chroma: &Chroma) -> Scene {
    let matrix = chroma_matrix(chroma, MOMENTS);
    let columns = matrix.columns();
    let moments: Vec<[f32; 12]> = (0..columns).map(|index| direction(&matrix, index)).collect();
    let mut values = Vec::with_capacity(columns * columns);
    for one in &moments {
        values.extend(moments.iter().map(|other| {
            let cosine: f32 = one.iter().zip(other).map(|(a, b)| a * b).sum();
            // Overtones make everything somewhat alike.
            cosine.clamp(0.0, 1.0).powi(3)
        }));
    }
    let side = LEFT + RIGHT + 760.0;
    let mut plot = Plot::sized(report, "Self-similarity", side, TOP + BOTTOM + 760.0);
    plot.image(Matrix { rows: columns, values });
    let step = time_step(plot.duration_secs);
    for index in 0..=(plot.duration_secs / step) as usize {
        let secs = index as f64 * step;
        plot.mark((secs / plot.duration_secs) as f32, clock(secs));
    }
    plot.scene
}

/// The mean around a moment, centred and of unit length; all 0 in silence.
fn direction(matrix: &Matrix, index: usize) -> [f32; 12] {
    let first = index.saturating_sub(SMOOTHED_MOMENTS / 2);
    let last = (index + SMOOTHED_MOMENTS / 2).min(matrix.columns() - 1);
    let mut sum = [0.0_f32; 12];
    for column in first..=last {
        sum.iter_mut().zip(matrix.column(column)).for_each(|(sum, value)| *sum += value);
    }
    let mean = sum.iter().sum::<f32>() / 12.0;
    sum.iter_mut().for_each(|value| *value -= mean);
    let norm = sum.iter().map(|value| value * value).sum::<f32>().sqrt();
    if norm > 1e-6 { sum.map(|value| value / norm) } else { [0.0; 12] }
}

/// Sections as blocks, energy as a line, drops, build-ups and breakdowns as flags.
pub(super) fn structure(report: &SongReport, form: &Form) -> Scene {
    let mut plot = Plot::new(report, "Structure");
    for section in &form.sections {
        let (start, end) = (plot.x(section.start_secs), plot.x(section.end_secs));
        let (top, bottom) = (plot.y(1.0), plot.y(0.12));
        let width = (end - start - 1.0).max(0.5);
        plot.rect(start, top, width, bottom - top, section_color(section.kind));
        let label = section.kind.label();
        if width > 9.0 * label.len() as f32 {
            plot.text(start + 6.0, top + 18.0, Anchor::Start, INK, label);
        }
    }
    if let Some(energy) = &report.analysis.energy {
        let points = plot.curve(&energy.curve, |value| 0.14 + 0.7 * value);
        plot.line(points, 2.0, INK);
        plot.mark(0.14, "energy 0");
        plot.mark(0.84, "1");
    }
    for event in &form.events {
        let (start, end) = (plot.x(event.start_secs), plot.x(event.end_secs));
        let (word, color) = match event.kind {
            FormEventKind::Drop => ("drop", LOW),
            FormEventKind::BuildUp => ("build-up", ACCENT),
            FormEventKind::Breakdown => ("breakdown", HIGH),
            _ => continue,
        };
        let y = plot.y(0.1);
        plot.rect(start, y, (end - start).max(3.0), 6.0, color);
        plot.text(start, y + 22.0, Anchor::Start, color, word);
    }
    plot.scene
}

fn section_color(kind: SectionKind) -> Rgb {
    match kind {
        SectionKind::Intro | SectionKind::Outro => Rgb(0x3d, 0x45, 0x55),
        SectionKind::Verse => Rgb(0x2f, 0x5d, 0x7c),
        SectionKind::PreChorus => Rgb(0x46, 0x6c, 0x5a),
        SectionKind::Chorus => Rgb(0x2f, 0x7d, 0x4f),
        SectionKind::BuildUp => Rgb(0x8a, 0x6a, 0x1f),
        SectionKind::Drop => Rgb(0x9a, 0x35, 0x2e),
        SectionKind::Breakdown => Rgb(0x4b, 0x43, 0x86),
        SectionKind::Solo => Rgb(0x86, 0x43, 0x75),
        _ => Rgb(0x5b, 0x4a, 0x3a),
    }
}

/// The quietest loudness that is drawn, in LUFS.
const FLOOR_LUFS: f32 = -60.0;

/// Momentary and short-term loudness, with the integrated one as a line across.
pub(super) fn loudness(report: &SongReport, loudness: &Loudness) -> Scene {
    let mut plot = Plot::new(report, "Loudness");
    let share = |lufs: f32| 1.0 - lufs / FLOOR_LUFS;
    for lufs in [0, -10, -20, -30, -40, -50, -60] {
        plot.level(share(lufs as f32), RULE, format!("{lufs} LUFS"));
    }
    for (curve, color) in [(&loudness.momentary_lufs, MIDDLE), (&loudness.short_term_lufs, HIGH)] {
        let points = plot.curve(curve, share);
        plot.line(points, 1.5, color);
    }
    let mut words = Vec::new();
    if let Some(lufs) = loudness.integrated_lufs {
        let y = plot.y(share(lufs as f32));
        let width = plot.width;
        plot.rect(LEFT, y, width, 1.5, ACCENT);
        words.push(format!("{lufs:.1} LUFS"));
    }
    if let Some(range) = loudness.range_lu {
        words.push(format!("{range:.1} LU range"));
    }
    if let Some(peak) = loudness.true_peak_dbtp {
        words.push(format!("{peak:.1} dBTP"));
    }
    let x = LEFT + plot.width;
    plot.text(x, 24.0, Anchor::End, ACCENT, words.join(", "));
    plot.scene
}
