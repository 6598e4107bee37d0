//! Weights in the order in which the inner loop reads them.

use half::f16;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::cpu::{Cpu, Lines, Product};
use super::weights::Weights;

/// The deepest stretch of a product that is gathered at once: a block of it stays in the second-level cache, and
/// sums of stretches lose less precision than one long sum.
pub(crate) const MAX_DEPTH: usize = 512;
/// The most rows of a register tile.
const MAX_PANEL_ROWS: usize = 8;

/// A `rows x depth` matrix in panels of `tile().rows` rows, each stored depth by depth; the last panel is filled
/// up with zeros.
#[derive(Debug)]
pub(crate) struct PackedMatrix {
    pub(crate) rows: usize,
    pub(crate) depth: usize,
    panel_rows: usize,
    values: Values,
}

#[derive(Debug)]
enum Values {
    Single(Vec<f32>),
    /// Trained weights are mostly stored in half precision, and lose nothing if they stay in it.
    Half(Vec<f16>),
}

impl PackedMatrix {
    /// Packs the matrix whose rows are `rows` of another one, row `row` of which holds the values
    /// `weights[row * depth + order(k)]`. Weights in half precision stay in it, and multiplying fewer than some hundred columns
    /// at once then takes longer.
    pub(crate) fn new(
        cpu: Cpu,
        rows: &[usize],
        depth: usize,
        weights: &Weights,
        order: impl Fn(usize) -> usize,
    ) -> Self {
        let order: Vec<usize> = (0..depth).map(order).collect();
        let panel_rows = cpu.tile().rows;
        let values = match weights {
            Weights::Half(values) => Values::Half(pack(rows, &order, panel_rows, values)),
            Weights::Single(values) => Values::Single(pack(rows, &order, panel_rows, values)),
        };
        Self { rows: rows.len(), depth, panel_rows, values }
    }

    /// Packs all of `values`, rows of `depth` values each.
    pub(crate) fn of_singles(cpu: Cpu, depth: usize, values: &[f32]) -> Self {
        let rows: Vec<usize> = (0..values.len() / depth).collect();
        let order: Vec<usize> = (0..depth).collect();
        let panel_rows = cpu.tile().rows;
        let values = Values::Single(pack(&rows, &order, panel_rows, values));
        Self { rows: rows.len(), depth, panel_rows, values }
    }

    /// Rows including those that only fill the last panel.
    pub(crate) fn padded_rows(&self) -> usize {
        self.rows.next_multiple_of(self.panel_rows)
    }

    /// Multiplies as many columns as `b` has rows (at most [`MAX_DEPTH`]), from column `from` on, by `b`, into `c` or,
    /// where `from` is not 0, onto `c`; see [`Cpu::product`] for the layouts.
    pub(crate) fn multiply(&self, cpu: Cpu, from: usize, b: Lines<'_>, c: &mut [f32]) {
        let (panel, add) = (self.depth * self.panel_rows, from > 0);
        let cols = cpu.tile().cols;
        let c_stride = self.padded_rows() * cols;
        match &self.values {
            Values::Single(values) => cpu.product(Product {
                a: &values[from * self.panel_rows..],
                a_stride: panel,
                a_panels: self.padded_rows() / self.panel_rows,
                b,
                c,
                c_stride,
                add,
            }),
            Values::Half(values) => {
                let mut unpacked = [0.0; MAX_DEPTH * MAX_PANEL_ROWS];
                let a = &mut unpacked[..b.depth() * self.panel_rows];
                for (index, values) in values.chunks_exact(panel).enumerate() {
                    cpu.run(Unpack { halves: &values[from * self.panel_rows..], singles: &mut *a });
                    let c = &mut c[index * self.panel_rows * cols..];
                    cpu.product(Product { a, a_stride: 0, a_panels: 1, b, c, c_stride, add });
                }
            }
        }
    }
}

/// As many of `halves` as there are `singles`, which must be finite.
struct Unpack<'a> {
    halves: &'a [f16],
    singles: &'a mut [f32],
}

impl WithSimd for Unpack<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        const EXPONENT: u32 = 0x7c00;
        /// What moves an exponent from one bias to the other.
        const REBIAS: u32 = (127 - 15) << 23;
        /// The smallest normal number, which as an offset makes normal numbers of all below it.
        const SMALLEST: u32 = REBIAS + (1 << 23);
        for (single, half) in self.singles.iter_mut().zip(self.halves) {
            let bits = u32::from(half.to_bits());
            let (sign, size) = ((bits & 0x8000) << 16, (bits & 0x7fff) << 13);
            let normal = size + REBIAS;
            let below = (f32::from_bits(size + SMALLEST) - f32::from_bits(SMALLEST)).to_bits();
            *single = f32::from_bits(sign | if bits & EXPONENT == 0 { below } else { normal });
        }
    }
}

/// Panels of `panel_rows` of the rows `rows`, each stored depth by depth; `order` says where in a row each depth is found.
fn pack<T: Copy + Default + Send + Sync>(
    rows: &[usize],
    order: &[usize],
    panel_rows: usize,
    values: &[T],
) -> Vec<T> {
    let panel = panel_rows * order.len();
    let mut packed = vec![T::default(); rows.len().div_ceil(panel_rows) * panel];
    let panels = packed.par_chunks_exact_mut(panel.max(1));
    panels.zip(rows.par_chunks(panel_rows)).for_each(|(panel, rows)| {
        for (lane, row) in rows.iter().enumerate() {
            let values = &values[row * order.len()..][..order.len()];
            for (packed, &place) in panel.chunks_exact_mut(panel_rows).zip(order) {
                packed[lane] = values[place];
            }
        }
    });
    packed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_is_unpacked_exactly() {
        for cpu in Cpu::all() {
            let halves: Vec<f16> =
                (0..=u16::MAX).map(f16::from_bits).filter(|half| half.is_finite()).collect();
            let mut singles = vec![1.0; halves.len()];
            cpu.run(Unpack { halves: &halves, singles: &mut singles });
            for (half, single) in halves.iter().zip(&singles) {
                assert_eq!(half.to_f32().to_bits(), single.to_bits());
            }
        }
    }
}
