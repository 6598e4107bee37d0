//! Which vector instructions this machine has, and the inner loop of all matrix products written once for all.

use pulp::{Arch, Simd, WithSimd};

/// The instruction set in use, found once at run time: AVX-512, AVX2 with FMA, NEON, or plain code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cpu(Arch);

/// How many rows and columns of a product are kept in registers at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TileShape {
    pub(crate) rows: usize,
    pub(crate) cols: usize,
}

impl Cpu {
    /// The best that this machine offers.
    pub(crate) fn detect() -> Self {
        Self(Arch::new())
    }

    /// Every instruction set that this machine can try, down to plain code.
    #[cfg(test)]
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![Self::detect(), Self(Arch::Scalar)];
        #[cfg(target_arch = "x86_64")]
        all.extend(pulp::x86::V3::try_new().map(|simd| Self(Arch::V3(simd))));
        all
    }

    /// Runs `op` compiled for this machine's instructions.
    #[inline(always)]
    pub(crate) fn run<Op: WithSimd>(self, op: Op) -> Op::Output {
        self.0.dispatch(op)
    }

    /// The register tile of [`product`](Self::product).
    pub(crate) fn tile(self) -> TileShape {
        struct Shape;
        impl WithSimd for Shape {
            type Output = TileShape;
            #[inline(always)]
            fn with_simd<S: Simd>(self, _: S) -> TileShape {
                tile_shape::<S>()
            }
        }
        self.run(Shape)
    }

    /// `c = a * b` or, with `add`, `c += a * b`, for one block of columns.
    ///
    /// `a` holds panels of `tile().rows` rows, each stored depth by depth and `a_stride` values after the one
    /// before it. `b` is read where it lies, see [`Lines`]; `c` holds for each `tile().cols` of its first columns,
    /// `c_stride` values apart, one row of so many values per row of `a`.
    pub(crate) fn product(self, product: Product<'_>) {
        self.run(product);
    }
}

/// The operands of [`Cpu::product`].
pub(crate) struct Product<'a> {
    pub(crate) a: &'a [f32],
    pub(crate) a_stride: usize,
    pub(crate) a_panels: usize,
    pub(crate) b: Lines<'a>,
    pub(crate) c: &'a mut [f32],
    pub(crate) c_stride: usize,
    pub(crate) add: bool,
}

/// A matrix of which several rows may be one line of values seen from different places, as the taps of a
/// convolution see it: row `taps * n + t` is line `n` from column `t * shift` on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) length: usize,
    pub(crate) taps: usize,
    pub(crate) shift: usize,
}

impl<'a> Lines<'a> {
    /// One row per line.
    pub(crate) fn plain(values: &'a [f32], length: usize) -> Self {
        Self { values, length, taps: 1, shift: 0 }
    }

    pub(crate) fn depth(&self) -> usize {
        self.values.len() / self.length * self.taps
    }
}

/// Rows and vectors per row of the register tile. The accumulators, one row of `b` and one broadcast value must
/// fit the registers: 24 + 3 + 1 of 32, or 12 + 2 + 1 of 16.
const fn tile_shape<S: Simd>() -> TileShape {
    if S::IS_SCALAR {
        TileShape { rows: 4, cols: 8 }
    } else if S::REGISTER_COUNT >= 32 {
        TileShape { rows: 8, cols: 3 * S::F32_LANES }
    } else {
        TileShape { rows: 6, cols: 2 * S::F32_LANES }
    }
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if S::IS_SCALAR {
            panels_by_taps::<S, 4, 8>(simd, self);
        } else if S::REGISTER_COUNT >= 32 {
            panels_by_taps::<S, 8, 3>(simd, self);
        } else {
            panels_by_taps::<S, 6, 2>(simd, self);
        }
    }
}

/// The kernels of all released networks have one, two or three taps: loops of known length keep every sum in its
/// register.
#[inline(always)]
fn panels_by_taps<S: Simd, const ROWS: usize, const VECTORS: usize>(simd: S, product: Product<'_>) {
    match product.b.taps {
        1 => panels::<S, ROWS, VECTORS>(simd, product, 1),
        2 => panels::<S, ROWS, VECTORS>(simd, product, 2),
        3 => panels::<S, ROWS, VECTORS>(simd, product, 3),
        taps => panels::<S, ROWS, VECTORS>(simd, product, taps),
    }
}

#[inline(always)]
fn panels<S: Simd, const ROWS: usize, const VECTORS: usize>(simd: S, product: Product<'_>, taps: usize) {
    let Product { a, a_stride, a_panels, b, c, c_stride, add } = product;
    let cols = VECTORS * S::F32_LANES;
    // The rows stream by: they are narrower than the columns, which stay in the first-level cache.
    for col_panel in 0..c.len().div_ceil(c_stride) {
        for row_panel in 0..a_panels {
            let a = &a[row_panel * a_stride..][..b.depth() * ROWS];
            let c = &mut c[col_panel * c_stride + row_panel * ROWS * cols..][..ROWS * cols];
            tile::<S, ROWS, VECTORS>(simd, a, b, taps, col_panel * cols, S::as_mut_simd_f32s(c).0, add);
        }
    }
}

#[inline(always)]
fn tile<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    a: &[f32],
    b: Lines<'_>,
    taps: usize,
    start: usize,
    c: &mut [S::f32s],
    add: bool,
) {
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
    let cols = VECTORS * S::F32_LANES;
    let a = a.as_chunks::<ROWS>().0;
    for (line, a) in b.values.chunks_exact(b.length).zip(a.chunks_exact(taps)) {
        let seen = &line[start..start + cols + (taps - 1) * b.shift];
        for tap in 0..taps {
            let values = S::as_simd_f32s(&seen[tap * b.shift..][..cols]).0;
            for row in 0..ROWS {
                let a = simd.splat_f32s(a[tap][row]);
                for vector in 0..VECTORS {
                    sums[row][vector] = multiply_add(simd, a, values[vector], sums[row][vector]);
                }
            }
        }
    }
    for (c, sums) in c.as_chunks_mut::<VECTORS>().0.iter_mut().zip(&sums) {
        for (c, sum) in c.iter_mut().zip(sums) {
            *c = if add { simd.add_f32s(*c, *sum) } else { *sum };
        }
    }
}

/// `a * b + c`, fused where the machine can: without the instruction, fusing is a library call per value.
#[inline(always)]
pub(crate) fn multiply_add<S: Simd>(simd: S, a: S::f32s, b: S::f32s, c: S::f32s) -> S::f32s {
    if S::IS_SCALAR { simd.add_f32s(simd.mul_f32s(a, b), c) } else { simd.mul_add_f32s(a, b, c) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instruction_set_multiplies_alike() {
        for cpu in Cpu::all() {
            let TileShape { rows, cols } = cpu.tile();
            let (lines, taps, shift, a_panels, b_panels) = (5, 3, 2, 2, 3);
            let depth = lines * taps;
            let length = b_panels * cols + (taps - 1) * shift;
            let value = |n: usize| (n * 37 % 19) as f32 - 9.0;
            let a: Vec<f32> = (0..a_panels * rows * depth).map(value).collect();
            let values: Vec<f32> = (0..lines * length).map(|n| value(n + 5)).collect();
            let mut c = vec![1.0; a_panels * rows * b_panels * cols];
            let b = Lines { values: &values, length, taps, shift };
            let c_stride = a_panels * rows * cols;
            cpu.product(Product {
                a: &a,
                a_stride: rows * depth,
                a_panels,
                b,
                c: &mut c,
                c_stride,
                add: true,
            });
            for (index, &found) in c.iter().enumerate() {
                let (col, row) = (index % cols, index / cols % (a_panels * rows));
                let col_panel = index / (cols * a_panels * rows);
                let expected: f32 = (0..depth)
                    .map(|k| {
                        a[row / rows * rows * depth + k * rows + row % rows]
                            * values[k / taps * length + k % taps * shift + col_panel * cols + col]
                    })
                    .sum();
                // Small integers: both sides are exact.
                assert_eq!(found, expected + 1.0);
            }
        }
    }
}
