//! A matrix of one value per spectrum and bin.

use rayon::prelude::*;

use crate::Result;

/// Rows are spectra in order of time, columns are frequency bins.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    bins: usize,
    values: Vec<f32>,
}

impl Grid {
    pub(super) fn new(bins: usize, values: Vec<f32>) -> Self {
        Self { bins, values }
    }

    /// Every row made by `fill(row index, row)`, rows in parallel.
    pub(super) fn from_rows(rows: usize, bins: usize, fill: impl Fn(usize, &mut [f32]) + Sync) -> Self {
        let mut grid = Self::new(bins, vec![0.0; rows * bins]);
        grid.for_each_row(fill);
        grid
    }

    /// As [`from_rows`](Self::from_rows), with a call of `after_block` after each of `blocks` parts.
    ///
    /// # Errors
    /// What `after_block` returns, at once.
    pub(super) fn from_rows_in_blocks(
        (rows, bins): (usize, usize),
        blocks: usize,
        fill: impl Fn(usize, &mut [f32]) + Sync,
        after_block: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Self> {
        let mut grid = Self::new(bins, vec![0.0; rows * bins]);
        for block in 0..blocks {
            let (first, end) = (rows * block / blocks, rows * (block + 1) / blocks);
            let values = grid.values[first * bins..end * bins].par_chunks_mut(bins);
            values.enumerate().for_each(|(row, values)| fill(first + row, values));
            after_block()?;
        }
        Ok(grid)
    }

    /// Changes every row in parallel.
    pub(super) fn for_each_row(&mut self, change: impl Fn(usize, &mut [f32]) + Sync) {
        self.values.par_chunks_mut(self.bins).enumerate().for_each(|(row, values)| change(row, values));
    }

    pub(super) fn rows(&self) -> usize {
        self.values.len() / self.bins
    }

    /// Rows and bins.
    pub(super) fn shape(&self) -> (usize, usize) {
        (self.rows(), self.bins)
    }

    pub(super) fn bins(&self) -> usize {
        self.bins
    }

    pub(super) fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.bins..][..self.bins]
    }

    pub(super) fn row_mut(&mut self, row: usize) -> &mut [f32] {
        &mut self.values[row * self.bins..][..self.bins]
    }

    /// The row `offset` away from `row`; the first and last row go on for ever.
    pub(super) fn row_near(&self, row: usize, offset: isize) -> &[f32] {
        self.row(row.saturating_add_signed(offset).min(self.rows() - 1))
    }

    /// The rows from `row` on.
    pub(super) fn rows_from(&self, row: usize) -> Self {
        Self::new(self.bins, self.values[row * self.bins..].to_vec())
    }
}

/// The share of `a` in the energy of two magnitudes; 0 where there is none.
pub(super) fn power_share(a: f32, b: f32) -> f32 {
    let (a, b) = (a * a, b * b);
    if a > 0.0 { a / (a + b) } else { 0.0 }
}
