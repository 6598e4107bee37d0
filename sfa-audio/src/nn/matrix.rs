//! Weights in the order in which the inner loop reads them.

use half::f16;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::Result;

use super::context::{Buffer, Context};
use super::cpu::{Cpu, Lines, Product};
use super::weights::Weights;

/// The deepest stretch of a product that is gathered at once: a block of it stays in the second-level cache, and
/// sums of stretches lose less precision than one long sum.
pub(crate) const MAX_DEPTH: usize = 512;
/// Values of one panel of columns that stay in the first-level cache while rows of weights pass by: 24 KiB.
const NEAR_VALUES: usize = 6 << 10;
/// So few weights are unpacked for good: 64 KiB.
const FEW_VALUES: usize = 1 << 14;
/// Weights that one thread unpacks at a time.
const BLOCK_VALUES: usize = 1 << 15;

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
    /// `weights[row * depth + order(k)]`. Weights in half precision stay in it unless they are few.
    pub(crate) fn new(
        cpu: Cpu,
        rows: &[usize],
        depth: usize,
        weights: &Weights<'_>,
        order: impl Fn(usize) -> usize,
    ) -> Self {
        let order: Vec<usize> = (0..depth).map(order).collect();
        let panel_rows = cpu.tile().rows;
        let values = match weights {
            Weights::Half(values) if rows.len() * depth > FEW_VALUES => {
                Values::Half(pack(rows, &order, panel_rows, values))
            }
            _ => Values::Single(pack(rows, &order, panel_rows, &weights.singles())),
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

    /// The weights as numbers to compute with, for as long as a layer runs.
    ///
    /// # Errors
    /// `Cancelled`.
    pub(crate) fn unpack<'a>(&'a self, context: &Context<'a>) -> Result<Unpacked<'a>> {
        let values = match &self.values {
            Values::Single(values) => Numbers::Lent(values),
            Values::Half(halves) => {
                let mut singles = context.buffer(halves.len());
                let blocks = singles.chunks_mut(BLOCK_VALUES).zip(halves.chunks(BLOCK_VALUES)).collect();
                context.for_each(blocks, |(singles, halves): (&mut [f32], &[f16])| {
                    context.cpu.run(Unpack { halves, singles });
                    Ok(())
                })?;
                Numbers::Unpacked(singles)
            }
        };
        Ok(Unpacked { matrix: self, values })
    }
}

/// The weights of a [`PackedMatrix`] in single precision.
pub(crate) struct Unpacked<'a> {
    pub(crate) matrix: &'a PackedMatrix,
    values: Numbers<'a>,
}

enum Numbers<'a> {
    Lent(&'a [f32]),
    Unpacked(Buffer<'a>),
}

impl Unpacked<'_> {
    /// Multiplies as many columns as `b` has rows (at most [`MAX_DEPTH`]), from column `from` on, by `b`, into `c` or,
    /// where `from` is not 0, onto `c`; see [`Cpu::product`] for the layouts.
    pub(crate) fn multiply(&self, cpu: Cpu, from: usize, b: Lines<'_>, c: &mut [f32]) {
        let PackedMatrix { depth, panel_rows, .. } = *self.matrix;
        let values = match &self.values {
            Numbers::Lent(values) => *values,
            Numbers::Unpacked(values) => &**values,
        };
        let lines = b.values.len() / b.length;
        let blocks = lines.div_ceil(NEAR_VALUES / cpu.tile().cols).max(1);
        let mut from = from;
        for lines in b.values.chunks(lines.div_ceil(blocks).max(1) * b.length) {
            let b = Lines { values: lines, ..b };
            cpu.product(Product {
                a: &values[from * panel_rows..],
                a_stride: depth * panel_rows,
                a_panels: self.matrix.padded_rows() / panel_rows,
                b,
                c,
                c_stride: self.matrix.padded_rows() * cpu.tile().cols,
                add: from > 0,
            });
            from += b.depth();
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
    use crate::Watch;
    use crate::nn::Scratch;

    use super::*;

    #[test]
    fn weights_that_stay_in_half_precision_give_the_same_results() {
        // More than are unpacked by one thread, and more lines than are met at once.
        let (rows, depth, panels) = (520, 300, 2);
        let singles: Vec<f32> = (0..rows * depth).map(|n| (n * 37 % 255) as f32 / 64.0 - 2.0).collect();
        let weights = Weights::from(singles.clone());
        assert!(matches!(weights, Weights::Half(_)));
        let (watch, scratch) = (Watch::new(), Scratch::default());
        for cpu in Cpu::all() {
            let context = &Context { cpu, watch: &watch, scratch: &scratch };
            let length = panels * cpu.tile().cols;
            let values: Vec<f32> = (0..depth * length).map(|n| (n * 53 % 101) as f32 / 50.0 - 1.0).collect();
            let all: Vec<usize> = (0..rows).collect();
            let half = PackedMatrix::new(cpu, &all, depth, &weights, |k| k);
            let single = PackedMatrix::of_singles(cpu, depth, &singles);
            let products = |matrix: &PackedMatrix| {
                let mut products = vec![0.0; matrix.padded_rows() * length];
                matrix.unpack(context).unwrap().multiply(
                    cpu,
                    0,
                    Lines::plain(&values, length),
                    &mut products,
                );
                products
            };
            assert_eq!(products(&half), products(&single));
        }
    }

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
