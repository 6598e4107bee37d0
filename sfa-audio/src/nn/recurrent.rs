//! Bidirectional long short-term memory (S. Hochreiter, J. Schmidhuber, "Long Short-Term Memory", 1997).

use pulp::{Simd, WithSimd};

use crate::Result;

use super::context::{Buffer, Context};
use super::conv::{Activation, Conv, ConvShape, Finish};
use super::cpu::{Cpu, Lines, multiply_add};
use super::map::FeatureMap;
use super::math::{sigmoid, tanh};
use super::matrix::PackedMatrix;
use super::weights::Weights;

/// Input, forget, cell and output gate, in this order.
const GATES: usize = 4;

/// Layers of one forward and one backward pass each; a layer hears both passes of the layer below.
#[derive(Debug)]
pub(crate) struct BidirectionalLstm {
    layers: Vec<[Direction; 2]>,
}

/// One pass of one layer.
#[derive(Debug)]
pub(crate) struct Direction {
    input: Conv,
    recurrent: PackedMatrix,
    cpu: Cpu,
}

/// The weights of one pass: of shape `[4 hidden, input]`, `[4 hidden, hidden]` and twice `[4 hidden]`.
pub(crate) struct DirectionWeights<'a> {
    pub(crate) input: Weights<'a>,
    pub(crate) recurrent: Weights<'a>,
    pub(crate) input_bias: Vec<f32>,
    pub(crate) recurrent_bias: Vec<f32>,
}

impl Direction {
    pub(crate) fn new(cpu: Cpu, weights: DirectionWeights<'_>) -> Self {
        let DirectionWeights { input, recurrent, input_bias: mut bias, recurrent_bias } = weights;
        bias.iter_mut().zip(&recurrent_bias).for_each(|(bias, other)| *bias += other);
        let (rows, in_channels) = (bias.len(), input.len() / bias.len());
        Self {
            input: Conv::new(cpu, &input, &bias, in_channels, ConvShape::POINT),
            recurrent: PackedMatrix::new(
                cpu,
                &(0..rows).collect::<Vec<_>>(),
                rows / GATES,
                &recurrent,
                |k| k,
            ),
            cpu,
        }
    }

    /// Fills one `[steps * batch]` line per hidden unit.
    fn run(
        &self,
        context: &Context<'_>,
        input: &FeatureMap<'_>,
        batch: usize,
        backward: bool,
        output: &mut FeatureMap<'_>,
    ) -> Result<()> {
        let hidden = self.recurrent.depth;
        let steps = input.width / batch;
        let cols = self.cpu.tile().cols;
        let panels = batch.div_ceil(cols);
        let mut gates = FeatureMap::new(context, 1, GATES * hidden, input.width);
        self.input.run(context, input, Activation::None, Finish::Store, &mut gates)?;
        let recurrent = self.recurrent.unpack(context)?;
        let mut state = context.buffer(panels * hidden * cols);
        let mut cell = context.buffer(panels * hidden * cols);
        let mut sums = context.buffer(panels * self.recurrent.padded_rows() * cols);
        state.fill(0.0);
        cell.fill(0.0);
        for step in 0..steps {
            context.watch.checkpoint()?;
            let step = if backward { steps - 1 - step } else { step };
            for panel in 0..panels {
                let start = step * batch + panel * cols;
                let width = cols.min(batch - panel * cols);
                let range = panel * hidden * cols..(panel + 1) * hidden * cols;
                let sums = &mut sums[panel * self.recurrent.padded_rows() * cols..]
                    [..self.recurrent.padded_rows() * cols];
                recurrent.multiply(self.cpu, 0, Lines::plain(&state[range.clone()], cols), sums);
                for (line, sums) in sums.chunks_exact_mut(cols).take(GATES * hidden).enumerate() {
                    let gate = &gates.channel(0, line)[start..][..width];
                    sums.iter_mut().zip(gate).for_each(|(sum, gate)| *sum += gate);
                }
                self.cpu.run(Remember {
                    sums: &sums[..GATES * hidden * cols],
                    cell: &mut cell[range.clone()],
                    state: &mut state[range.clone()],
                });
                for (unit, line) in state[range].chunks_exact(cols).enumerate() {
                    output.data[unit * input.width + start..][..width].copy_from_slice(&line[..width]);
                }
            }
        }
        Ok(())
    }
}

impl BidirectionalLstm {
    pub(crate) fn new(layers: Vec<[Direction; 2]>) -> Self {
        Self { layers }
    }

    /// Runs over a single-row map whose column `step * batch + n` is step `step` of sequence `n`; gives the
    /// forward units and then the backward units.
    ///
    /// # Errors
    /// `Cancelled`.
    pub(crate) fn run<'a>(
        &self,
        context: &Context<'a>,
        input: &FeatureMap<'_>,
        batch: usize,
    ) -> Result<FeatureMap<'a>> {
        let mut below = input.duplicate(context);
        for [forward, backward] in &self.layers {
            let input = &below;
            let hidden = forward.recurrent.depth;
            let mut output = FeatureMap::new(context, 1, 2 * hidden, input.width);
            {
                let (first, second) = output.data.split_at_mut(hidden * input.width);
                let half = |data| FeatureMap {
                    rows: 1,
                    channels: hidden,
                    width: input.width,
                    data: Buffer::Lent(data),
                };
                let (mut first, mut second) = (half(first), half(second));
                let (ahead, back) = rayon::join(
                    || forward.run(context, input, batch, false, &mut first),
                    || backward.run(context, input, batch, true, &mut second),
                );
                ahead.and(back)?;
            }
            below = output;
        }
        Ok(below)
    }
}

/// One step of the cells.
struct Remember<'a> {
    sums: &'a [f32],
    cell: &'a mut [f32],
    state: &'a mut [f32],
}

impl WithSimd for Remember<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let quarter = self.sums.len() / GATES;
        let gate = |index: usize| S::as_simd_f32s(&self.sums[index * quarter..][..quarter]).0;
        let (cell, state) = (S::as_mut_simd_f32s(self.cell).0, S::as_mut_simd_f32s(self.state).0);
        let gates = gate(0).iter().zip(gate(1)).zip(gate(2).iter().zip(gate(3)));
        for ((cell, state), ((input, forget), (fresh, output))) in cell.iter_mut().zip(state).zip(gates) {
            let kept = simd.mul_f32s(sigmoid(simd, *forget), *cell);
            *cell = multiply_add(simd, sigmoid(simd, *input), tanh(simd, *fresh), kept);
            *state = simd.mul_f32s(sigmoid(simd, *output), tanh(simd, *cell));
        }
    }
}
