//! From spectra to pitch classes, at a tuning that is known only at the end.

use pulp::{Arch, Simd, WithSimd};

use super::batch::{LANES, Lanes, add_weighted};
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

/// Rows that are summed together: as many as vector registers hold sums.
const GROUP: usize = 12;

/// A matrix from bins to `ROWS` sums, in groups of rows. A bin that adds next to nothing to a group is left out of it.
pub(super) struct Folder<const ROWS: usize> {
    groups: Vec<Vec<Addend>>,
}

/// What a bin adds to the rows of a group.
struct Addend {
    bin: usize,
    weights: [f32; GROUP],
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

    /// Folds a batch into [`OPEN_WIDTH`] values per spectrum, and appends them.
    pub(super) fn open(&self, power: &[Lanes], out: &mut Vec<Lanes>) {
        out.extend(self.fold(power));
        out.extend_from_slice(&power[..LOW_BINS]);
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

    /// The pitch classes of the spectra of a batch.
    pub(super) fn settle(&self, open: &[Lanes]) -> [Lanes; CLASSES] {
        let mut classes = [Lanes::ZERO; CLASSES];
        Arch::new().dispatch(Settle { settler: self, open, classes: &mut classes });
        classes
    }
}

struct Settle<'a> {
    settler: &'a Settler,
    open: &'a [Lanes],
    classes: &'a mut [Lanes; CLASSES],
}

impl WithSimd for Settle<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (nodes, low) = self.open.split_at(NODES * CLASSES);
        for (class, values) in self.classes.iter_mut().zip(nodes.chunks_exact(NODES)) {
            for (value, weight) in values.iter().zip(&self.settler.nodes) {
                add_weighted(simd, class, *weight, value);
            }
        }
        for (power, profile) in low.iter().zip(&self.settler.low) {
            for (class, weight) in self.classes.iter_mut().zip(profile) {
                add_weighted(simd, class, *weight, power);
            }
        }
    }
}

impl<const ROWS: usize> Folder<ROWS> {
    fn from_columns(columns: impl Iterator<Item = Vec<f64>>) -> Self {
        let mut groups: Vec<Vec<Addend>> = (0..ROWS / GROUP).map(|_| Vec::new()).collect();
        for (bin, column) in columns.enumerate() {
            let largest = column.iter().fold(0.0, |largest: f64, &weight| largest.max(weight));
            for (group, weights) in groups.iter_mut().zip(column.chunks_exact(GROUP)) {
                if weights.iter().any(|&weight| weight > LEAST_WEIGHT * largest) {
                    group.push(Addend { bin, weights: std::array::from_fn(|row| weights[row] as f32) });
                }
            }
        }
        Self { groups }
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
        for (group, sums) in self.folder.groups.iter().zip(self.sums.chunks_exact_mut(GROUP)) {
            for vector in 0..LANES / S::F32_LANES {
                let mut in_registers = [simd.splat_f32s(0.0); GROUP];
                for Addend { bin, weights } in group {
                    let power = S::as_simd_f32s(&self.power[*bin][..]).0[vector];
                    for (sum, weight) in in_registers.iter_mut().zip(weights) {
                        *sum = simd.mul_add_e_f32s(simd.splat_f32s(*weight), power, *sum);
                    }
                }
                for (out, sum) in sums.iter_mut().zip(in_registers) {
                    S::as_mut_simd_f32s(&mut out[..]).0[vector] = sum;
                }
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
        let mut open = Vec::new();
        OpenFolder::new(44_100).open(&power, &mut open);
        assert_eq!(open.len(), OPEN_WIDTH);
        for tuning in [-0.5, -0.37, 0.0, 0.11, 0.49] {
            let direct = TunedFolder::new(44_100, tuning).fold(&power);
            let settled = Settler::new(44_100, tuning).settle(&open);
            for lane in 0..LANES {
                let mut settled = settled.map(|row| row[lane]);
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
