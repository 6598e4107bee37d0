//! Vocals: what sits in the centre, does not repeat and follows one pitch.

use super::features::Features;
use super::grid::Grid;
use super::pitch::{Comb, Line};
use super::repeat::Background;
use super::scale::Scale;
use crate::Result;

/// The work is done in so many steps.
pub(super) const STEPS: usize = 7;

/// The lead melody.
const LINE: Line = Line { low_hz: 110.0, high_hz: 700.0, partials: 8, decay: 0.85, leap_price: 1.0 };
/// No voice is expected below.
const LOWEST_HZ: f64 = 150.0;
/// Where a source is this wide it is as likely a voice as not.
const EVEN_WIDTH: f32 = 0.03;
/// No source is taken to be narrower than this.
const LEAST_WIDTH: f32 = 0.01;
/// A mix whose mean width is below has no stereo picture to judge by.
const MONO_WIDTH: f32 = 0.002;
/// How far around a bin its width is averaged, in rows and bins: it fluctuates from bin to bin.
const NEAR_ROWS: isize = 4;
const NEAR_BINS: usize = 1;
/// The odds of a voice on a partial of the melody; between partials it is one to this.
const MELODY_ODDS: f32 = 2.0;
/// The exponent of the foreground's level over the background's.
const REPETITION: f32 = 0.7;
/// The least share of a level that counts as foreground, and as background.
const LEAST_PART: f32 = 1e-3;

/// The share of vocals in what is neither drums nor bass, the odds of three cues multiplied: centre (after
/// Avendano 2003), no repetition ([`Background`]) and melody (after Salamon and Gómez 2012).
///
/// `rest` is the level of that remainder.
///
/// # Errors
/// What `after_step` returns, which is called [`STEPS`] times.
pub(super) fn share(
    features: &Features,
    rest: &Grid,
    scale: &Scale,
    after_step: &mut dyn FnMut() -> Result<()>,
) -> Result<Grid> {
    let level = &features.level;
    let lowest = scale.first_bin(LOWEST_HZ);
    let width = Width::new(features);
    let leading = Grid::from_rows(level.rows(), level.bins(), |row, out| {
        width.fill(row, out);
        for (bin, (out, rest)) in out.iter_mut().zip(rest.row(row)).enumerate() {
            *out = if bin < lowest { 0.0 } else { rest * EVEN_WIDTH / (EVEN_WIDTH + *out) };
        }
    });
    let melody = LINE.track(&leading, scale);
    drop(leading);
    after_step()?;

    let comb = Comb::new(scale);
    let background = Background::new(level, scale);
    let is_stereo = width.mean > MONO_WIDTH;
    let fill = |row: usize, share: &mut [f32]| {
        let (mut wide, mut repeated) = (vec![0.0; share.len()], vec![0.0; share.len()]);
        width.fill(row, &mut wide);
        background.fill(row, &mut repeated);
        comb.fill(melody[row], share);
        for (bin, share) in share.iter_mut().enumerate() {
            if bin < lowest {
                *share = 0.0;
                continue;
            }
            let level = level.row(row)[bin];
            let least = LEAST_PART * level + f32::MIN_POSITIVE;
            let repeated = repeated[bin].min(level);
            let mut odds = ((level - repeated + least) / (repeated + least)).powf(REPETITION);
            odds *= MELODY_ODDS.powf(2.0 * *share - 1.0);
            if is_stereo {
                odds *= (EVEN_WIDTH / (wide[bin] + LEAST_WIDTH)).powi(2);
            }
            *share = odds / (1.0 + odds);
        }
    };
    Grid::from_rows_in_blocks(level.shape(), STEPS - 1, fill, after_step)
}

/// The share of energy that the channels do not have in common.
struct Width<'a> {
    features: &'a Features,
    /// Over the whole stretch, by energy.
    mean: f32,
}

impl<'a> Width<'a> {
    fn new(features: &'a Features) -> Self {
        let (mut side, mut all) = (0.0_f64, 0.0_f64);
        for row in 0..features.level.rows() {
            for (level, centre) in features.level.row(row).iter().zip(features.centre.row(row)) {
                all += f64::from(level * level);
                side += f64::from(level * level * (1.0 - centre));
            }
        }
        Self { features, mean: if all > 0.0 { (side / all) as f32 } else { 0.0 } }
    }

    fn fill(&self, row: usize, out: &mut [f32]) {
        let Features { level, centre } = self.features;
        let mut sums = vec![(0.0, 0.0); out.len()];
        for offset in -NEAR_ROWS..=NEAR_ROWS {
            let values = level.row_near(row, offset).iter().zip(centre.row_near(row, offset));
            for ((side, all), (level, centre)) in sums.iter_mut().zip(values) {
                *side += level * level * (1.0 - centre);
                *all += level * level;
            }
        }
        for (bin, out) in out.iter_mut().enumerate() {
            let near = &sums[bin.saturating_sub(NEAR_BINS)..(bin + NEAR_BINS + 1).min(sums.len())];
            let (side, all) = near.iter().fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
            *out = if all > 0.0 { side / all } else { 0.0 };
        }
    }
}
