//! Two linear layers with an activation between them, as transformers have them: what the first one widens to is used up part
//! by part while it is in the cache, and never stored.

use crate::Result;
use crate::nn::context::Context;
use crate::nn::cpu::{Cpu, Lines};
use crate::nn::map::{FeatureMap, cuts, even_cuts};
use crate::nn::weights::Linear;

use super::block::Products;
use super::{Activation, Conv, ConvShape, Finish};

/// Widened channels that are in the cache at once, and stretches of columns that meet them there.
const WIDENED: usize = 128;
const PANELS: usize = 4;

/// Widens every column, applies the Gaussian error linear unit, and narrows it again.
#[derive(Debug)]
pub(crate) struct FeedForward {
    widen: Conv,
    narrow: Conv,
}

impl FeedForward {
    /// From the weights and biases of both layers, for columns of so many channels.
    pub(crate) fn new(cpu: Cpu, widen: Linear<'_>, narrow: Linear<'_>, channels: usize) -> Self {
        let hidden: Vec<usize> = (0..widen.1.len()).collect();
        let parts = hidden.chunks(WIDENED).map(<[usize]>::to_vec).collect();
        Self {
            widen: Conv::in_parts(cpu, &widen.0, &widen.1, channels, ConvShape::POINT, parts),
            narrow: Conv::in_parts(
                cpu,
                &narrow.0,
                &narrow.1,
                hidden.len(),
                ConvShape::POINT,
                vec![(0..narrow.1.len()).collect()],
            ),
        }
    }

    /// Adds to `output`, scaled per channel, what becomes of `input`.
    ///
    /// # Errors
    /// `Cancelled`.
    pub(crate) fn run(
        &self,
        context: &Context<'_>,
        input: &FeatureMap<'_>,
        scale: &[f32],
        output: &mut FeatureMap<'_>,
    ) -> Result<()> {
        let (cpu, cols) = (context.cpu, context.cpu.tile().cols);
        let (widen, narrow) = (self.widen.unpack(context)?, self.narrow.unpack(context)?);
        let (last, narrow) = (&self.narrow.parts[0], &narrow[0][0]);
        let (row_cuts, col_cuts) = (cuts(output.rows, 1), even_cuts(output.width, cols, PANELS));
        output.for_each_tile(context, &row_cuts, &col_cuts, |row, _, mut tile| {
            let (start, width) = (tile.start, tile.width());
            let mut sums = Products::new(context, width.div_ceil(cols), narrow.matrix.padded_rows());
            let place = [row as isize, start as isize];
            self.widen.for_each_part(context, &widen, input, place, width, |part, widened| {
                widened.activate(cpu, &part.affine, Activation::Gelu);
                for (widened, sums) in widened.panels().zip(sums.panels_mut()) {
                    let lines = Lines::plain(&widened[..part.channels.len() * cols], cols);
                    narrow.multiply(cpu, part.channels[0], lines, sums);
                }
            });
            last.finish(cpu, &sums, Activation::None, Finish::Accumulate { scale }, 0, &mut tile);
            Ok(())
        })
    }
}
