//! Running medians, sixteen side by side.

use pulp::{Arch, Simd, WithSimd};

use super::batch::LANES;

/// Values that a median is taken of.
pub(super) const TAPS: usize = 31;
pub(super) const REACH: usize = TAPS / 2;

/// The values of sixteen windows, each in rising order.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct SortedWindows([[f32; LANES]; TAPS]);

impl SortedWindows {
    /// Windows of values that every other pushes out.
    pub(super) const EMPTY: Self = Self([[f32::INFINITY; LANES]; TAPS]);

    pub(super) fn medians(&self) -> [f32; LANES] {
        self.0[REACH]
    }

    /// Takes one value out of every window and puts another in: what is above the leaving one sinks by a place, and what
    /// is above the entering one rises by a place. That takes no branches, so that all lanes run together.
    #[inline(always)]
    pub(super) fn slide<S: Simd>(&mut self, simd: S, leaving: &[f32; LANES], entering: &[f32; LANES]) {
        for vector in 0..LANES / S::F32_LANES {
            let load = |lanes: &[f32; LANES]| S::as_simd_f32s(lanes).0[vector];
            let (leaving, entering) = (load(leaving), load(entering));
            let mut below = simd.splat_f32s(f32::NEG_INFINITY);
            let mut here = load(&self.0[0]);
            for place in 0..TAPS {
                let next =
                    if place + 1 < TAPS { load(&self.0[place + 1]) } else { simd.splat_f32s(f32::INFINITY) };
                let rest = simd.select_f32s(simd.less_than_f32s(here, leaving), here, next);
                let value = simd.max_f32s(below, simd.min_f32s(rest, entering));
                S::as_mut_simd_f32s(&mut self.0[place]).0[vector] = value;
                (below, here) = (rest, next);
            }
        }
    }
}

/// Slides the windows of all bins by a frame; where none leaves, the windows are not full yet.
pub(super) fn slide(windows: &mut [SortedWindows], leaving: Option<&[f32]>, entering: &[f32]) {
    Arch::new().dispatch(OverTime { windows, leaving, entering });
}

struct OverTime<'a> {
    windows: &'a mut [SortedWindows],
    leaving: Option<&'a [f32]>,
    entering: &'a [f32],
}

impl WithSimd for OverTime<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let entering = self.entering.as_chunks::<LANES>().0;
        let leaving = self.leaving.map(|leaving| leaving.as_chunks::<LANES>().0);
        for (index, windows) in self.windows.iter_mut().enumerate() {
            let none = [f32::INFINITY; LANES];
            windows.slide(simd, leaving.map_or(&none, |leaving| &leaving[index]), &entering[index]);
        }
    }
}
