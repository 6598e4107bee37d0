//! What the estimators see of the mix.

use realfft::num_complex::Complex32;

use super::grid::Grid;
use super::scale::Scale;
use super::tape::Tape;

/// Levels and places of a run of spectra.
pub(super) struct Features {
    /// Root-mean-square magnitude over the channels.
    pub(super) level: Grid,
    /// The share of the energy that all channels have in common, `0.0..=1.0`: 1 for a source in the centre or
    /// in mono, 0 for opposite phases; the panning index of Avendano (2003) for any number of channels.
    pub(super) centre: Grid,
}

impl Features {
    pub(super) fn measure(tape: &Tape, scale: &Scale, rows: usize) -> Self {
        let mut level = vec![0.0; rows * scale.bins];
        let mut centre = vec![0.0; rows * scale.bins];
        let mut both: Vec<_> = level.chunks_mut(scale.bins).zip(centre.chunks_mut(scale.bins)).collect();
        tape.for_each_row(0, &mut both, |_, spectra, (level, centre)| {
            let share = 1.0 / spectra.len() as f32;
            for (bin, (level, centre)) in level.iter_mut().zip(centre.iter_mut()).enumerate() {
                let power = spectra.iter().map(|spectrum| spectrum[bin].norm_sqr()).sum::<f32>() * share;
                let common =
                    (spectra.iter().map(|spectrum| spectrum[bin]).sum::<Complex32>() * share).norm_sqr();
                *level = power.sqrt();
                *centre = if power > 0.0 { (common / power).min(1.0) } else { 1.0 };
            }
        });
        Self { level: Grid::new(scale.bins, level), centre: Grid::new(scale.bins, centre) }
    }
}
