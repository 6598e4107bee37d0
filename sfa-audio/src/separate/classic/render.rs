//! From masks back to samples.

use std::ops::Range;

use rayon::prelude::*;

use super::grid::Grid;
use super::scale::Scale;
use super::tape::Tape;
use super::{REMAINDER, STEMS};
use crate::dsp::OverlapAdd;
use crate::{AudioSpec, Clip};

/// The share of every bin that belongs to each stem; the [`REMAINDER`] takes what is left to 1.
#[derive(Debug, Clone)]
pub(super) struct Masks {
    pub(super) drums: Grid,
    pub(super) bass: Grid,
    pub(super) vocals: Grid,
}

impl Masks {
    /// The rows from `row` on.
    pub(super) fn rows_from(&self, row: usize) -> Self {
        self.each(|grid| grid.rows_from(row))
    }

    /// Fades from what `earlier` says about the first rows to what these say.
    pub(super) fn fade_from(&mut self, earlier: &Self) {
        let pairs = [
            (&mut self.drums, &earlier.drums),
            (&mut self.bass, &earlier.bass),
            (&mut self.vocals, &earlier.vocals),
        ];
        for (grid, earlier) in pairs {
            let step = 1.0 / (earlier.rows() + 1) as f32;
            let rows = earlier.rows().min(grid.rows());
            grid.for_each_row(|row, values| {
                if row < rows {
                    let weight = (row + 1) as f32 * step;
                    for (value, old) in values.iter_mut().zip(earlier.row(row)) {
                        *value = old + (*value - old) * weight;
                    }
                }
            });
        }
    }

    fn each(&self, change: impl Fn(&Grid) -> Grid) -> Self {
        Self { drums: change(&self.drums), bass: change(&self.bass), vocals: change(&self.vocals) }
    }

    /// The grids in the order of the stems, without the remainder.
    fn in_order(&self) -> [&Grid; 3] {
        [&self.drums, &self.bass, &self.vocals]
    }
}

/// Applies masks to the mix, row by row.
pub(super) struct Renderer {
    spec: AudioSpec,
    hop_frames: usize,
    /// One synthesis for each channel and mask, channels outermost.
    voices: Vec<OverlapAdd>,
}

impl Renderer {
    pub(super) fn new(spec: AudioSpec, scale: &Scale) -> Self {
        let voice = |_| OverlapAdd::new(scale.window_frames, scale.hop_frames);
        Self {
            spec,
            hop_frames: scale.hop_frames,
            voices: (0..spec.channels * (STEMS.len() - 1)).map(voice).collect(),
        }
    }

    /// The stems between the starts of `rows`, which must follow those of the call before, cut to the mix.
    pub(super) fn render(&mut self, tape: &Tape, masks: &Masks, rows: Range<usize>) -> Vec<Clip> {
        let masks = masks.in_order();
        let mut spectra = vec![Vec::new(); rows.len()];
        tape.for_each_row(rows.start, &mut spectra, |_, row, out| *out = row.to_vec());
        let rendered: Vec<Vec<f32>> = self
            .voices
            .par_iter_mut()
            .enumerate()
            .map(|(index, voice)| {
                let (channel, mask) = (index / masks.len(), index % masks.len());
                let mut samples = Vec::with_capacity(rows.len() * self.hop_frames);
                for (spectra, row) in spectra.iter().zip(rows.clone()) {
                    voice.push(&spectra[channel], masks[mask].row(row), &mut samples);
                }
                samples
            })
            .collect();
        let (place, mix) = tape.mix_between(rows);
        let mut stems = vec![Clip::empty(self.spec); STEMS.len()];
        let remainder: Vec<Vec<f32>> = mix
            .zip(rendered.chunks(masks.len()))
            .map(|(mix, stems)| {
                let taken = |n: usize| stems.iter().map(|stem| stem[n]).sum::<f32>();
                mix.iter().zip(place.clone()).map(|(sample, n)| sample - taken(n)).collect()
            })
            .collect();
        stems[REMAINDER].extend(remainder.iter().map(Vec::as_slice));
        for (mask, stem) in (0..STEMS.len()).filter(|&stem| stem != REMAINDER).enumerate() {
            let channels = rendered.iter().skip(mask).step_by(masks.len());
            stems[stem].extend(channels.map(|samples| &samples[place.clone()]));
        }
        stems
    }
}
