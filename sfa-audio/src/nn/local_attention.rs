//! Attention without positions whose reach every query chooses itself (A. Défossez, "Hybrid Spectrogram and Waveform
//! Source Separation", 2021, section 3.2).

use crate::Result;

use super::attention::{Channels, attend};
use super::context::Context;
use super::conv::{Activation, Conv, ConvShape, Finish};
use super::cpu::Cpu;
use super::map::FeatureMap;
use super::weights::Linear;

/// The projections of one block.
#[derive(Debug)]
pub(crate) struct LocalAttention {
    query: Conv,
    key: Conv,
    content: Conv,
    decay: Conv,
    output: Conv,
    heads: usize,
}

/// Weights and biases of a [`LocalAttention`].
pub(crate) struct LocalAttentionWeights<'a> {
    pub(crate) query: Linear<'a>,
    pub(crate) key: Linear<'a>,
    pub(crate) content: Linear<'a>,
    pub(crate) decay: Linear<'a>,
    pub(crate) output: Linear<'a>,
}

impl LocalAttention {
    pub(crate) fn new(cpu: Cpu, weights: LocalAttentionWeights<'_>, heads: usize) -> Self {
        let channels = weights.query.1.len();
        let factor = 1.0 / ((channels / heads) as f32).sqrt();
        let point = |(weights, bias): Linear<'_>| Conv::new(cpu, &weights, &bias, channels, ConvShape::POINT);
        Self {
            query: point(weights.query).scaled(factor),
            key: point(weights.key),
            content: point(weights.content),
            decay: point(weights.decay),
            output: point(weights.output),
            heads,
        }
    }

    /// Adds to every row of `map` what its columns find in the rest of the row.
    ///
    /// # Errors
    /// `Cancelled`.
    pub(crate) fn run(&self, context: &Context<'_>, map: &mut FeatureMap<'_>) -> Result<()> {
        for mut row in map.bands(1) {
            self.run_row(context, &mut row)?;
        }
        Ok(())
    }

    fn run_row(&self, context: &Context<'_>, map: &mut FeatureMap<'_>) -> Result<()> {
        let project = |conv: &Conv| {
            let mut projected = FeatureMap::new(context, 1, conv.out_channels(), map.width);
            conv.run(context, map, Activation::None, Finish::Store, &mut projected).map(|()| projected)
        };
        let (query, key) = (project(&self.query)?, project(&self.key)?);
        let (content, decays) = (project(&self.content)?, project(&self.decay)?);
        let slopes = self.slopes(context, &decays);
        let mut found = FeatureMap::new(context, 1, map.channels, map.width);
        let (keys, values) = (Channels { map: &key, from: 0 }, Channels { map: &content, from: 0 });
        attend(context, &query, keys, values, self.heads, Some(&slopes), &mut found)?;
        self.output.run(context, &found, Activation::None, Finish::Add, map)
    }

    /// One line per head: how fast scores fall with distance, from a choice among slopes 1, 2, 3, ...
    fn slopes<'a>(&self, context: &Context<'a>, decays: &FeatureMap<'_>) -> FeatureMap<'a> {
        let choices = decays.channels / self.heads;
        let mut slopes = FeatureMap::new(context, 1, self.heads, decays.width);
        for (head, slopes) in slopes.data.chunks_exact_mut(decays.width).enumerate() {
            slopes.fill(0.0);
            for choice in 0..choices {
                let weight = (choice + 1) as f32 / (choices as f32).sqrt();
                for (slope, &x) in slopes.iter_mut().zip(decays.channel(0, head * choices + choice)) {
                    *slope += weight * 0.5 / (1.0 + (-x).exp());
                }
            }
        }
        slopes
    }
}
