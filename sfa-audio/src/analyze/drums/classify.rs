//! From features to hits.

use super::features::{FEATURES, Row};
use super::strokes::Stroke;
use super::{DrumHit, DrumKind};

/// Trained by benches/peers/analysis/train_drums.py; the order of its numbers is that of [`Network`].
static WEIGHTS: &[u8] = include_bytes!("weights.f32");

const HIDDEN: usize = 12;
/// What the network tells apart; what kind of snare a snare is, is a question of its own.
const HEARD: [DrumKind; 3] = [DrumKind::Kick, DrumKind::Snare, DrumKind::Hat];
const SNARES: [DrumKind; 3] = [DrumKind::Snare, DrumKind::Clap, DrumKind::Perc];
/// Features beyond this many standard deviations say no more than this.
const CLIP: f32 = 4.0;

/// A perceptron with one hidden layer, and a linear classifier for snares.
struct Network {
    mean: [f32; FEATURES],
    scale: [f32; FEATURES],
    hidden: [[f32; FEATURES]; HIDDEN],
    hidden_bias: [f32; HIDDEN],
    output: [[f32; HIDDEN]; 3],
    output_bias: [f32; 3],
    snares: [[f32; FEATURES]; 3],
    snares_bias: [f32; 3],
}

impl Network {
    fn load() -> Self {
        let mut numbers =
            WEIGHTS.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().expect("four bytes")));
        let mut next = || numbers.next().expect("the file holds every weight");
        Self {
            mean: std::array::from_fn(|_| next()),
            scale: std::array::from_fn(|_| next()),
            hidden: std::array::from_fn(|_| std::array::from_fn(|_| next())),
            hidden_bias: std::array::from_fn(|_| next()),
            output: std::array::from_fn(|_| std::array::from_fn(|_| next())),
            output_bias: std::array::from_fn(|_| next()),
            snares: std::array::from_fn(|_| std::array::from_fn(|_| next())),
            snares_bias: std::array::from_fn(|_| next()),
        }
    }

    fn scaled(&self, row: &Row) -> Row {
        std::array::from_fn(|n| ((row[n] - self.mean[n]) * self.scale[n]).clamp(-CLIP, CLIP))
    }

    fn hidden(&self, scaled: &Row) -> [f32; HIDDEN] {
        std::array::from_fn(|unit| (dot(&self.hidden[unit], scaled) + self.hidden_bias[unit]).tanh())
    }
}

/// The hits of all strokes.
pub(super) fn hits(strokes: &[Stroke], rows: &[Row]) -> Vec<DrumHit> {
    let network = Network::load();
    let scaled: Vec<Row> = rows.iter().map(|row| network.scaled(row)).collect();
    let hidden: Vec<[f32; HIDDEN]> = scaled.iter().map(|row| network.hidden(row)).collect();
    let mut hits = Vec::new();
    for (drum, kind) in HEARD.into_iter().enumerate() {
        let unit = adapted(Unit { weights: network.output[drum], bias: network.output_bias[drum] }, &hidden);
        let found: Vec<(usize, f32)> = hidden
            .iter()
            .enumerate()
            .map(|(stroke, hidden)| (stroke, unit.probability(hidden)))
            .filter(|(_, probability)| *probability > 0.5)
            .collect();
        let kinds = match kind {
            DrumKind::Snare => snare_kinds(&network, &scaled, &found),
            _ => vec![kind; found.len()],
        };
        hits.extend(found.iter().zip(kinds).map(|(&(stroke, confidence), kind)| DrumHit {
            time_secs: strokes[stroke].time_secs,
            kind,
            confidence,
        }));
    }
    hits.sort_by(|a, b| a.time_secs.total_cmp(&b.time_secs).then(a.kind.cmp(&b.kind)));
    hits
}

/// One output of the network.
#[derive(Clone, Copy)]
struct Unit {
    weights: [f32; HIDDEN],
    bias: f32,
}

impl Unit {
    fn probability(&self, hidden: &[f32; HIDDEN]) -> f32 {
        1.0 / (1.0 + (-dot(&self.weights, hidden) - self.bias).exp())
    }
}

/// An output that has learned from the strokes it is sure of in this song (self-training: each is pulled towards the
/// side it is already on, and none far from what was trained).
fn adapted(trained: Unit, hidden: &[[f32; HIDDEN]]) -> Unit {
    const ROUNDS: usize = 3;
    const STEPS: usize = 30;
    const RATE: f32 = 0.3;
    /// How strongly the trained weights hold on.
    const LOYALTY: f32 = 0.05;
    /// From half sure on, a stroke is taken as certain.
    const SHARPNESS: f32 = 4.0;

    let mut unit = trained;
    let count = hidden.len().max(1) as f32;
    for _ in 0..ROUNDS {
        let lessons: Vec<(f32, f32)> = hidden
            .iter()
            .map(|hidden| {
                let lean = unit.probability(hidden) - 0.5;
                ((lean * SHARPNESS + 0.5).clamp(0.0, 1.0), 2.0 * lean.abs())
            })
            .collect();
        for _ in 0..STEPS {
            let mut gradient = [0.0; HIDDEN];
            let mut bias_gradient = 0.0;
            for (hidden, (target, weight)) in hidden.iter().zip(&lessons) {
                let error = (unit.probability(hidden) - target) * weight;
                gradient.iter_mut().zip(hidden).for_each(|(sum, value)| *sum += error * value);
                bias_gradient += error;
            }
            for ((weight, trained), gradient) in unit.weights.iter_mut().zip(trained.weights).zip(gradient) {
                *weight -= RATE * (gradient / count + LOYALTY * (*weight - trained));
            }
            unit.bias -= RATE * (bias_gradient / count + LOYALTY * (unit.bias - trained.bias));
        }
    }
    unit
}

/// Snare, clap or percussion: half by the stroke itself, half by what most strokes of the song are.
fn snare_kinds(network: &Network, scaled: &[Row], found: &[(usize, f32)]) -> Vec<DrumKind> {
    let scores: Vec<[f32; 3]> = found
        .iter()
        .map(|&(stroke, _)| {
            std::array::from_fn(|kind| {
                dot(&network.snares[kind], &scaled[stroke]) + network.snares_bias[kind]
            })
        })
        .collect();
    let count = scores.len().max(1) as f32;
    let usual: [f32; 3] =
        std::array::from_fn(|kind| scores.iter().map(|scores| scores[kind]).sum::<f32>() / count);
    let best = |scores: &[f32; 3]| {
        (1..3).fold(
            0,
            |best, kind| {
                if scores[kind] + usual[kind] > scores[best] + usual[best] { kind } else { best }
            },
        )
    };
    scores.iter().map(|scores| SNARES[best(scores)]).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
