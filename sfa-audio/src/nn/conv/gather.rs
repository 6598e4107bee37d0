//! The inputs of a block, line by line.

use pulp::{Simd, WithSimd};

use crate::nn::FeatureMap;

use super::Conv;

/// The lines of inputs from number `from` on that `conv` sees from column `start` of one row of positions.
pub(super) struct Gather<'a> {
    pub(super) conv: &'a Conv,
    pub(super) input: &'a FeatureMap<'a>,
    pub(super) from: usize,
    pub(super) row: isize,
    pub(super) start: isize,
    pub(super) length: usize,
    pub(super) lines: &'a mut [f32],
}

impl WithSimd for Gather<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { conv, input, from, row, start, length, lines } = self;
        let shape = &conv.shape;
        let phases = shape.phases();
        for (index, line) in (from..).zip(lines.chunks_exact_mut(length)) {
            let (kernel_row, rest) =
                (index / (conv.in_channels * phases), index % (conv.in_channels * phases));
            let (channel, phase) = (rest / phases, rest % phases);
            let in_row = row * shape.stride[0] as isize + kernel_row as isize - shape.padding[0] as isize;
            let source = match usize::try_from(in_row) {
                Ok(in_row) if in_row < input.rows => input.channel(in_row, channel),
                _ => &[],
            };
            let first = start * shape.stride[1] as isize + phase as isize - shape.padding[1] as isize;
            gather_line::<S>(source, first, shape.stride[1], line);
        }
    }
}

/// `out[n] = source[first + n * stride]`, zero outside.
#[inline(always)]
pub(super) fn gather_line<S: Simd>(source: &[f32], first: isize, stride: usize, out: &mut [f32]) {
    // Outputs before the first input, and outputs up to the last one.
    let before = first.min(0).unsigned_abs().div_ceil(stride).min(out.len());
    let inside =
        (source.len() as isize - first).max(0).unsigned_abs().div_ceil(stride).clamp(before, out.len());
    out[..before].fill(0.0);
    out[inside..].fill(0.0);
    if before == inside {
        return;
    }
    let source = &source[(first + (before * stride) as isize) as usize..];
    let out = &mut out[before..inside];
    if stride == 1 {
        // Vector by vector: a call would cost as much as the few values it copies.
        let source = &source[..out.len()];
        let (out, out_tail) = S::as_mut_simd_f32s(out);
        let (source, source_tail) = S::as_simd_f32s(source);
        out.iter_mut().zip(source).for_each(|(out, value)| *out = *value);
        out_tail.copy_from_slice(source_tail);
    } else {
        out.iter_mut().zip(source.iter().step_by(stride)).for_each(|(out, value)| *out = *value);
    }
}
