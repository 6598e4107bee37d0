//! The K-weighting of BS.1770: what loudness is the power of.

use std::f64::consts::PI;

/// Channels that are filtered side by side.
const LANES: usize = 2;
/// What a channel counts: how much of its power goes into the sum.
const SURROUND_WEIGHT: f64 = 1.41;
/// States below this, far below any hearing, become zero: numbers next to nothing are slow.
const NOTHING: f64 = 1e-100;

/// Filters channels and sums their power.
#[derive(Debug, Clone)]
pub(super) struct KWeighting {
    feed_forward: [f64; 5],
    feed_back: [f64; 5],
    groups: Vec<Group>,
}

/// Channels that go through the filter together.
#[derive(Debug, Clone)]
struct Group {
    /// Of the plane of each lane; the last lane of an odd number of channels hears the one before, for nothing.
    planes: [usize; LANES],
    weights: [f64; LANES],
    /// The four newest values inside the filter, newest first.
    state: [[f64; LANES]; 4],
}

impl KWeighting {
    pub(super) fn new(sample_rate_hz: u32, channels: usize) -> Self {
        let (feed_forward, feed_back) = coefficients(f64::from(sample_rate_hz));
        let heard: Vec<(usize, f64)> = (0..channels)
            .map(|channel| (channel, weight(channel, channels)))
            .filter(|&(_, weight)| weight > 0.0)
            .collect();
        let groups = heard.chunks(LANES).map(|lanes| Group {
            planes: std::array::from_fn(|lane| lanes.get(lane).unwrap_or(&lanes[0]).0),
            weights: std::array::from_fn(|lane| lanes.get(lane).map_or(0.0, |lane| lane.1)),
            state: [[0.0; LANES]; 4],
        });
        Self { feed_forward, feed_back, groups: groups.collect() }
    }

    /// Takes the next frames, and adds their weighted power to `powers`, frame by frame.
    pub(super) fn add(&mut self, planes: &[Vec<f32>], powers: &mut [f64]) {
        let (b, a) = (self.feed_forward, self.feed_back);
        for group in &mut self.groups {
            let lanes = group.planes.map(|plane| &planes[plane][..powers.len()]);
            let mut state = group.state;
            for (frame, power) in powers.iter_mut().enumerate() {
                let mut sum = 0.0;
                let mut newest = [0.0; LANES];
                for lane in 0..LANES {
                    // What the last frame left comes in last: the next frame waits for nothing else.
                    let older = a[2] * state[1][lane] + a[3] * state[2][lane] + a[4] * state[3][lane];
                    newest[lane] = f64::from(lanes[lane][frame]) - older - a[1] * state[0][lane];
                    let older = b[2] * state[1][lane] + b[3] * state[2][lane] + b[4] * state[3][lane];
                    let heard = b[0] * newest[lane] + b[1] * state[0][lane] + older;
                    sum += group.weights[lane] * heard * heard;
                }
                *power += sum;
                state = [newest, state[0], state[1], state[2]];
            }
            for value in state.as_flattened_mut() {
                *value = if value.abs() < NOTHING { 0.0 } else { *value };
            }
            group.state = state;
        }
    }
}

/// BS.1770-4, table 3, for the usual order of channels: L R, L R C, L R Ls Rs, L R C Ls Rs, L R C LFE Ls Rs.
fn weight(channel: usize, channels: usize) -> f64 {
    let surrounds = match channels {
        4 => 2..4,
        5 => 3..5,
        _ => 4..6,
    };
    match channel {
        3 if channels > 5 => 0.0,
        6.. => 0.0,
        _ if surrounds.contains(&channel) => SURROUND_WEIGHT,
        _ => 1.0,
    }
}

/// Both stages of the filter in one, for any rate: the analog prototypes whose bilinear transforms at 48 kHz are those
/// printed in BS.1770 (B. De Man, "Evaluation of implementations of the EBU R128 loudness measurement", 2018).
fn coefficients(sample_rate_hz: f64) -> ([f64; 5], [f64; 5]) {
    let warped = |frequency_hz: f64| (PI * frequency_hz / sample_rate_hz).tan();
    let denominator = |k: f64, quality: f64| {
        let a0 = 1.0 + k / quality + k * k;
        (a0, [1.0, 2.0 * (k * k - 1.0) / a0, (1.0 - k / quality + k * k) / a0])
    };
    let (k, quality) = (warped(1_681.974_450_955_533), 0.707_175_236_955_419_6);
    let high = 10f64.powf(3.999_843_853_973_347 / 20.0);
    let between = high.powf(0.499_666_774_154_541_6);
    let (a0, shelf) = denominator(k, quality);
    let shelved = [
        (high + between * k / quality + k * k) / a0,
        2.0 * (k * k - high) / a0,
        (high - between * k / quality + k * k) / a0,
    ];
    let (_, high_pass) = denominator(warped(38.135_470_876_024_44), 0.500_327_037_323_877_3);
    (product(shelved, [1.0, -2.0, 1.0]), product(shelf, high_pass))
}

fn product(a: [f64; 3], b: [f64; 3]) -> [f64; 5] {
    let mut product = [0.0; 5];
    for (i, a) in a.into_iter().enumerate() {
        for (j, b) in b.into_iter().enumerate() {
            product[i + j] += a * b;
        }
    }
    product
}
