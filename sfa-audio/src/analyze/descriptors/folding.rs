//! From spectra to pitch classes, at a tuning that is known only at the end.

use pulp::{Arch, Simd, WithSimd};

use super::batch::{LANES, Lanes, SpectrumBatch, add_weighted};
use super::{BINS, WINDOW_FRAMES};

/// Pitch classes, from C.
pub(super) const CLASSES: usize = 12;
/// Tunings at which every spectrum is folded while the real one is not known.
const NODES: usize = 12;
/// Bins so low that they reach all pitch classes, with a kink where both ends of the octave meet: no polynomial
/// follows that, so they are kept as they are.
const LOW_BINS: usize = 8;
/// Weights below this share of a bin's largest are left out.
const LEAST_WEIGHT: f64 = 1e-7;

/// Values that stand for one spectrum until the tuning is known.
pub(super) const OPEN_WIDTH: usize = NODES * CLASSES + LOW_BINS;

/// One pitch class profile per bin of the spectrum, `librosa.filters.chroma`: Gaussian bumps one semitone wide,
/// the octaves around 880 Hz weighing most (D. Ellis, "Chroma feature analysis and synthesis", 2007).
fn profiles(sample_rate_hz: u32, tuning: f64) -> Vec<[f64; CLASSES]> {
    const CENTRE_OCTAVE: f64 = 5.0;
    const OCTAVE_WIDTH: f64 = 2.0;
    let a0_hz = 27.5 * (tuning / CLASSES as f64).exp2();
    let semitone = |bin: usize| {
        if bin == 0 {
            let first_hz = f64::from(sample_rate_hz) / WINDOW_FRAMES as f64;
            return 12.0 * (first_hz / a0_hz).log2() - 18.0;
        }
        12.0 * (bin as f64 * f64::from(sample_rate_hz) / WINDOW_FRAMES as f64 / a0_hz).log2()
    };
    (0..BINS)
        .map(|bin| {
            let position = semitone(bin);
            let width = (semitone(bin + 1) - position).max(1.0);
            let weights: [f64; CLASSES] = std::array::from_fn(|class| {
                // Counted from C, while positions count from A.
                let distance = (position - ((class + 3) % CLASSES) as f64 + 126.0).rem_euclid(12.0) - 6.0;
                (-0.5 * (2.0 * distance / width).powi(2)).exp()
            });
            let norm = weights.iter().map(|weight| weight * weight).sum::<f64>().sqrt();
            let octave = (position / 12.0 - CENTRE_OCTAVE) / OCTAVE_WIDTH;
            weights.map(|weight| weight / norm * (-0.5 * octave * octave).exp())
        })
        .collect()
}

/// Tunings of the nodes: Chebyshev points of -0.5..0.5, in rising order.
fn node_tunings() -> [f64; NODES] {
    std::array::from_fn(|node| {
        -0.5 * (std::f64::consts::PI * (2 * node + 1) as f64 / (2 * NODES) as f64).cos()
    })
}

/// A matrix from bins to `ROWS` sums that leaves out small weights.
pub(super) struct Folder<const ROWS: usize> {
    columns: Vec<Column>,
}

/// The rows that one bin adds to: a stretch that may run over the end to the first rows.
struct Column {
    first_row: usize,
    weights: Vec<f32>,
}

/// Folds at one tuning.
pub(super) type TunedFolder = Folder<CLASSES>;
/// Folds at all node tunings.
pub(super) type OpenFolder = Folder<{ NODES * CLASSES }>;

impl TunedFolder {
    pub(super) fn new(sample_rate_hz: u32, tuning: f64) -> Self {
        Self::from_columns(profiles(sample_rate_hz, tuning).iter().map(|profile| profile.to_vec()))
    }
}

impl OpenFolder {
    pub(super) fn new(sample_rate_hz: u32) -> Self {
        let nodes = node_tunings().map(|tuning| profiles(sample_rate_hz, tuning));
        Self::from_columns((0..BINS).map(|bin| {
            let weight = |row: usize| nodes[row % NODES][bin][row / NODES];
            if bin < LOW_BINS { Vec::new() } else { (0..NODES * CLASSES).map(weight).collect() }
        }))
    }

    /// Folds a batch into [`OPEN_WIDTH`] values per spectrum.
    pub(super) fn open(&self, batch: &SpectrumBatch) -> [Vec<f32>; LANES] {
        let sums = self.fold(batch.power());
        std::array::from_fn(|lane| {
            let low = batch.power()[..LOW_BINS].iter().map(|bin| bin[lane]);
            sums.iter().map(|row| row[lane]).chain(low).collect()
        })
    }
}

/// Settles what an [`OpenFolder`] left open.
pub(super) struct Settler {
    nodes: [f32; NODES],
    low: Vec<[f32; CLASSES]>,
}

impl Settler {
    pub(super) fn new(sample_rate_hz: u32, tuning: f64) -> Self {
        let at = node_tunings();
        // Lagrange's polynomial through the nodes.
        let nodes = std::array::from_fn(|node| {
            let others = (0..NODES).filter(|&other| other != node);
            others.map(|other| (tuning - at[other]) / (at[node] - at[other])).product::<f64>() as f32
        });
        let profiles = profiles(sample_rate_hz, tuning);
        let low = profiles[..LOW_BINS].iter().map(|profile| profile.map(|weight| weight as f32));
        Self { nodes, low: low.collect() }
    }

    /// The pitch classes of one spectrum.
    pub(super) fn settle(&self, open: &[f32]) -> [f32; CLASSES] {
        let (nodes, low) = open.split_at(NODES * CLASSES);
        let mut classes: [f32; CLASSES] = std::array::from_fn(|class| {
            let values = &nodes[class * NODES..][..NODES];
            values.iter().zip(&self.nodes).map(|(value, weight)| value * weight).sum()
        });
        for (power, profile) in low.iter().zip(&self.low) {
            for (class, weight) in classes.iter_mut().zip(profile) {
                *class += power * weight;
            }
        }
        classes
    }
}

impl<const ROWS: usize> Folder<ROWS> {
    fn from_columns(columns: impl Iterator<Item = Vec<f64>>) -> Self {
        let column = |weights: Vec<f64>| {
            let largest = weights.iter().fold(0.0, |largest: f64, &weight| largest.max(weight));
            let counts = |row: usize| weights[row % ROWS] > LEAST_WEIGHT * largest;
            if weights.is_empty() || largest == 0.0 {
                return Column { first_row: 0, weights: Vec::new() };
            }
            // Starts right after a row that does not count, where there is one.
            let first_row = (0..ROWS).find(|&row| counts(row) && !counts(row + ROWS - 1)).unwrap_or(0);
            let stretch = (first_row..first_row + ROWS).take_while(|&row| counts(row));
            Column { first_row, weights: stretch.map(|row| weights[row % ROWS] as f32).collect() }
        };
        Self { columns: columns.map(column).collect() }
    }

    /// The weighted sums of all bins.
    pub(super) fn fold(&self, power: &[Lanes]) -> [Lanes; ROWS] {
        let mut sums = [Lanes::ZERO; ROWS];
        Arch::new().dispatch(Fold { folder: self, power, sums: &mut sums });
        sums
    }
}

struct Fold<'a, const ROWS: usize> {
    folder: &'a Folder<ROWS>,
    power: &'a [Lanes],
    sums: &'a mut [Lanes; ROWS],
}

impl<const ROWS: usize> WithSimd for Fold<'_, ROWS> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (column, bin) in self.folder.columns.iter().zip(self.power) {
            let to_end = (ROWS - column.first_row).min(column.weights.len());
            let (before_end, from_start) = column.weights.split_at(to_end);
            for (sum, weight) in self.sums[column.first_row..].iter_mut().zip(before_end) {
                add_weighted(simd, sum, *weight, bin);
            }
            for (sum, weight) in self.sums.iter_mut().zip(from_start) {
                add_weighted(simd, sum, *weight, bin);
            }
        }
    }
}

/// Scales a frame so that its largest value is 1; silence stays as it is.
pub(super) fn scale_to_largest(frame: &mut [f32; CLASSES]) {
    let largest = frame.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    if largest >= f32::MIN_POSITIVE {
        frame.iter_mut().for_each(|value| *value /= largest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_open_settles_to_the_direct_answer() {
        let mut power = vec![Lanes::ZERO; BINS];
        for (bin, lanes) in power.iter_mut().enumerate() {
            for (lane, value) in lanes.iter_mut().enumerate() {
                *value = ((bin * (lane + 3) * 7919) % 101) as f32 / (1.0 + bin as f32);
            }
        }
        let sums = OpenFolder::new(44_100).fold(&power);
        for tuning in [-0.5, -0.37, 0.0, 0.11, 0.49] {
            let direct = TunedFolder::new(44_100, tuning).fold(&power);
            let settler = Settler::new(44_100, tuning);
            for lane in 0..LANES {
                let low = power[..LOW_BINS].iter().map(|bin| bin[lane]);
                let open: Vec<f32> = sums.iter().map(|row| row[lane]).chain(low).collect();
                let mut settled = settler.settle(&open);
                let mut expected = direct.map(|row| row[lane]);
                scale_to_largest(&mut settled);
                scale_to_largest(&mut expected);
                for (found, expected) in settled.iter().zip(expected) {
                    // Half the tolerance against librosa.
                    assert!((found - expected).abs() < 5e-5, "{tuning}: {found} for {expected}");
                }
            }
        }
    }
}
