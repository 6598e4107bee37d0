//! What deep residual branches remember and attend to: bidirectional long short-term memory over overlapping
//! stretches, and attention whose reach every query chooses.

use candle_core::{DType, IndexOp, Result, Tensor};
use candle_nn::ops::sigmoid;

use crate::nn::weights::unusable;

use super::super::residual::{ATTENTION_DECAYS, ATTENTION_HEADS, MEMORY_STEPS};
use super::fault;
use super::ops::{Conv, Loader, attend};

/// Two layers of bidirectional memory, added to their input; in single precision throughout, since errors live on in
/// it from step to step.
pub(super) struct Memory {
    layers: Vec<LstmLayer>,
    linear: Conv,
}

/// Both directions of one layer.
struct LstmLayer {
    /// Inputs x (both directions x 4 gates x units), and the sum of both biases.
    input: Tensor,
    bias: Tensor,
    /// Directions x units x (4 gates x units).
    recurrent: Tensor,
}

impl Memory {
    pub(super) fn load(loader: &mut Loader<'_, '_>, name: &str, hidden: usize) -> crate::Result<Self> {
        let layers = (0..2).map(|layer| {
            let inputs = if layer == 0 { hidden } else { 2 * hidden };
            let mut both = |kind: &str, shape: &[usize]| -> crate::Result<[Tensor; 2]> {
                let mut take =
                    |suffix: &str| loader.take(&format!("{name}.lstm.{kind}_l{layer}{suffix}"), shape);
                Ok([take("")?, take("_reverse")?])
            };
            let input = both("weight_ih", &[4 * hidden, inputs])?;
            let recurrent = both("weight_hh", &[4 * hidden, hidden])?;
            let biases = [both("bias_ih", &[4 * hidden])?, both("bias_hh", &[4 * hidden])?];
            LstmLayer::new(input, recurrent, biases).map_err(fault)
        });
        let layers = layers.collect::<crate::Result<_>>()?;
        Ok(Self { layers, linear: Conv::matrix(loader, &format!("{name}.linear"), [2 * hidden, hidden])? })
    }

    /// Every row of the one segment of `map` is a signal of its own.
    pub(super) fn run(&self, map: &Tensor) -> Result<Tensor> {
        let (_, signals, channels, frames) = map.dims4()?;
        let lines = map.reshape((signals, channels, frames))?.to_dtype(DType::F32)?;
        // Stretches of two strides, one stride apart; a short signal is a single stretch.
        let (stride, count) = if frames > MEMORY_STEPS {
            (MEMORY_STEPS / 2, frames.div_ceil(MEMORY_STEPS / 2))
        } else {
            (frames, 1)
        };
        let stretches = if count > 1 {
            let padded = lines.pad_with_zeros(2, 0, (count + 1) * stride - frames)?;
            let blocks = padded.reshape((signals, channels, count + 1, stride))?;
            Tensor::cat(&[blocks.narrow(2, 0, count)?, blocks.narrow(2, 1, count)?], 3)?
        } else {
            lines.reshape((signals, channels, 1, frames))?
        };
        let steps = stretches.dim(3)?;
        // Steps x all stretches x channels.
        let mut heard = stretches.permute((3, 0, 2, 1))?.reshape((steps, signals * count, channels))?;
        for layer in &self.layers {
            heard = layer.run(&heard)?;
        }
        let heard = heard.permute((1, 2, 0))?.reshape((1, signals * count, 2 * channels, steps))?;
        let heard = self.linear.run(&heard.to_dtype(map.dtype())?)?;
        if count == 1 {
            return map + heard.reshape(map.shape())?;
        }
        // Of two overlapping stretches, each frame believes the one in which it is further from the end.
        let heard = heard.reshape((signals, count, channels, steps))?.permute((0, 2, 1, 3))?;
        let start = heard.narrow(2, 0, 1)?.narrow(3, 0, stride / 2)?.squeeze(2)?;
        let middles = heard.narrow(3, stride / 2, stride)?.reshape((signals, channels, count * stride))?;
        let joined = Tensor::cat(&[start, middles], 2)?.narrow(2, 0, frames)?;
        map + joined.reshape(map.shape())?
    }
}

impl LstmLayer {
    fn new(input: [Tensor; 2], recurrent: [Tensor; 2], [inward, between]: [[Tensor; 2]; 2]) -> Result<Self> {
        let recurrent = [recurrent[0].t()?, recurrent[1].t()?];
        Ok(Self {
            input: Tensor::cat(&input, 0)?.t()?.contiguous()?,
            bias: (Tensor::cat(&inward, 0)? + Tensor::cat(&between, 0)?)?,
            recurrent: Tensor::stack(&recurrent, 0)?.contiguous()?,
        })
    }

    /// Of steps x signals x inputs: the forward units and then the backward units.
    fn run(&self, input: &Tensor) -> Result<Tensor> {
        let (steps, signals, inputs) = input.dims3()?;
        let (_, hidden, gates) = self.recurrent.dims3()?;
        // What the gates hear of the input does not depend on the step before: one product for all steps.
        let heard = input.reshape((steps * signals, inputs))?.matmul(&self.input)?;
        let heard = heard.broadcast_add(&self.bias)?.reshape((steps, signals, 2, gates))?;
        // Both directions run side by side, the backward one over steps in reverse.
        let heard = [heard.i((.., .., 0))?, heard.i((.., .., 1))?.contiguous()?.flip(&[0])?];
        let heard = Tensor::stack(&heard, 1)?;
        let mut state = Tensor::zeros((2, signals, hidden), DType::F32, input.device())?;
        let mut cell = state.clone();
        let mut states = Vec::with_capacity(steps);
        for step in 0..steps {
            // Input, forget, cell and output gate, in this order.
            let sums = (state.matmul(&self.recurrent)? + heard.i(step)?)?;
            let open = sigmoid(&sums.narrow(2, 0, 2 * hidden)?)?;
            let fresh = sums.narrow(2, 2 * hidden, hidden)?.tanh()?;
            let output = sigmoid(&sums.narrow(2, 3 * hidden, hidden)?)?;
            let kept = (open.narrow(2, hidden, hidden)? * &cell)?;
            cell = (kept + (open.narrow(2, 0, hidden)? * fresh)?)?;
            state = (output * cell.tanh()?)?;
            states.push(state.clone());
        }
        let states = Tensor::stack(&states, 0)?;
        let backward = states.i((.., 1))?.contiguous()?.flip(&[0])?;
        Tensor::cat(&[states.i((.., 0))?, backward], 2)
    }
}

/// Attention of every column to the rest of its row, added to its input.
pub(super) struct LocalAttention {
    query: Conv,
    key: Conv,
    content: Conv,
    decay: Conv,
    output: Conv,
}

impl LocalAttention {
    pub(super) fn load(loader: &mut Loader<'_, '_>, name: &str, channels: usize) -> crate::Result<Self> {
        if !channels.is_multiple_of(ATTENTION_HEADS) {
            return Err(unusable(format!("{name} has {channels} channels in 4 heads")));
        }
        let mut point = |part: &str, outputs: usize| {
            Conv::line(loader, &format!("{name}.{part}"), [channels, outputs], 1, 1)
        };
        Ok(Self {
            query: point("query", channels)?,
            key: point("key", channels)?,
            content: point("content", channels)?,
            decay: point("query_decay", ATTENTION_HEADS * ATTENTION_DECAYS)?,
            output: point("proj", channels)?,
        })
    }

    /// Every row of the one segment of `map` is a signal of its own.
    pub(super) fn run(&self, map: &Tensor) -> Result<Tensor> {
        let (_, signals, channels, width) = map.dims4()?;
        let (heads, size) = (signals * ATTENTION_HEADS, channels / ATTENTION_HEADS);
        let per_head = |conv: &Conv| conv.run(map)?.reshape((heads, size, width))?.transpose(1, 2);
        let queries = (per_head(&self.query)? * (1.0 / (size as f64).sqrt()))?;
        let (keys, content) = (per_head(&self.key)?, per_head(&self.content)?);
        // How fast scores fall with distance, from a choice among slopes 1, 2, 3, ...
        let choices = self.decay.run(map)?.to_dtype(DType::F32)?.reshape((heads, ATTENTION_DECAYS, width))?;
        let device = map.device();
        let weights =
            (1..=ATTENTION_DECAYS).map(|slope| 0.5 * slope as f32 / (ATTENTION_DECAYS as f32).sqrt());
        let weights = Tensor::from_iter(weights, device)?.reshape((1, ATTENTION_DECAYS, 1))?;
        let slopes = sigmoid(&choices)?.broadcast_mul(&weights)?.sum(1)?.unsqueeze(2)?;
        let columns = Tensor::arange(0_f32, width as f32, device)?;
        let found = attend(&queries, &keys, &content, |scores, range| {
            let own = columns.narrow(0, range.start, range.len())?.unsqueeze(1)?;
            let distances = own.broadcast_sub(&columns.unsqueeze(0)?)?.abs()?;
            let decays =
                slopes.narrow(1, range.start, range.len())?.broadcast_mul(&distances.unsqueeze(0)?)?;
            let scores = (scores.to_dtype(DType::F32)? - decays)?;
            // A query's own column counts as -100.
            let itself = distances.eq(0_f32)?.unsqueeze(0)?.broadcast_as(scores.shape())?;
            let least = Tensor::new(-100_f32, device)?.broadcast_as(scores.shape())?;
            itself.where_cond(&least, &scores)
        })?;
        let found = found.transpose(1, 2)?.reshape((1, signals, channels, width))?;
        map + self.output.run(&found)?
    }
}
