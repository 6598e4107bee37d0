//! Weights in the order in which the inner loop reads them.

use rayon::prelude::*;

use super::cpu::{Cpu, Lines, Product};

/// The deepest stretch of a product that is gathered at once: a block of it stays in the second-level cache, and
/// sums of stretches lose less precision than one long sum.
pub(crate) const MAX_DEPTH: usize = 512;

/// A `rows x depth` matrix in panels of `tile().rows` rows, each stored depth by depth; the last panel is filled
/// up with zeros.
#[derive(Debug)]
pub(crate) struct PackedMatrix {
    pub(crate) rows: usize,
    pub(crate) depth: usize,
    panel_rows: usize,
    values: Vec<f32>,
}

impl PackedMatrix {
    /// Packs the matrix whose row `row` holds the values `values[row * depth + order(k)]`.
    pub(crate) fn new(
        cpu: Cpu,
        rows: usize,
        depth: usize,
        values: &[f32],
        order: impl Fn(usize) -> usize,
    ) -> Self {
        let panel_rows = cpu.tile().rows;
        let order: Vec<usize> = (0..depth).map(order).collect();
        let mut packed = vec![0.0; rows.div_ceil(panel_rows) * panel_rows * depth];
        packed.par_chunks_exact_mut((panel_rows * depth).max(1)).enumerate().for_each(|(panel, packed)| {
            for (lane, values) in
                values.chunks_exact(depth).skip(panel * panel_rows).take(panel_rows).enumerate()
            {
                for (packed, &place) in packed.chunks_exact_mut(panel_rows).zip(&order) {
                    packed[lane] = values[place];
                }
            }
        });
        Self { rows, depth, panel_rows, values: packed }
    }

    /// Rows including those that only fill the last panel.
    pub(crate) fn padded_rows(&self) -> usize {
        self.rows.next_multiple_of(self.panel_rows)
    }

    /// Multiplies as many columns as `b` has rows, from column `from` on, by `b`, into `c` or, where `from` is not 0,
    /// onto `c`; see [`Cpu::product`] for the layouts.
    pub(crate) fn multiply(&self, cpu: Cpu, from: usize, b: Lines<'_>, c: &mut [f32]) {
        cpu.product(Product {
            a: &self.values[from * self.panel_rows..],
            a_stride: self.depth * self.panel_rows,
            a_panels: self.padded_rows() / self.panel_rows,
            b,
            c,
            add: from > 0,
        });
    }
}
