//! Multi-head attention (A. Vaswani et al., "Attention Is All You Need", 2017), a block of queries at a time with a
//! running softmax (T. Dao et al., "FlashAttention", 2022), so that no table of scores is ever stored.

use pulp::{Simd, WithSimd};

use crate::Result;

use super::context::{Buffer, Context};
use super::conv::{Activation, Conv, ConvShape, Finish};
use super::cpu::{Cpu, Lines, Product, TileShape};
use super::map::{FeatureMap, Tile, cuts, even_cuts};
use super::math::exp;
use super::weights::Linear;

/// Keys whose scores are held at once: with a block of queries they fit the second-level cache easily.
const CHUNK_KEYS: usize = 240;
/// Panels of queries that meet a chunk of keys and values while it is in the cache.
const QUERY_PANELS: usize = 4;

/// Projections and heads of one attention block.
#[derive(Debug)]
pub(crate) struct Attention {
    query: Conv,
    key_value: Conv,
    output: Conv,
    heads: usize,
}

impl Attention {
    /// From the stacked projections `[3 channels, channels]` of queries, keys and values and the projection of
    /// the output.
    pub(crate) fn new(cpu: Cpu, inward: Linear<'_>, outward: Linear<'_>, heads: usize) -> Self {
        let (weights, mut bias) = inward;
        let channels = bias.len() / 3;
        let [weights, key_weights] = weights.split_at(channels * channels);
        let key_bias = bias.split_off(channels);
        // The scores' factor 1 / sqrt(head size) costs nothing here.
        let factor = 1.0 / ((channels / heads) as f32).sqrt();
        let linear =
            |(weights, bias): Linear<'_>| Conv::new(cpu, &weights, &bias, channels, ConvShape::POINT);
        Self {
            query: linear((weights, bias)).scaled(factor),
            key_value: linear((key_weights, key_bias)),
            output: linear(outward),
            heads,
        }
    }

    /// Adds to `tokens`, scaled per channel, what its queries find among `others`; both already normalised.
    ///
    /// # Errors
    /// `Cancelled`.
    pub(crate) fn run(
        &self,
        context: &Context<'_>,
        queries: &FeatureMap<'_>,
        others: &FeatureMap<'_>,
        scale: &[f32],
        tokens: &mut FeatureMap<'_>,
    ) -> Result<()> {
        let channels = queries.channels;
        let mut query = FeatureMap::new(context, queries.rows, channels, queries.width);
        self.query.run(context, queries, Activation::None, Finish::Store, &mut query)?;
        let mut key_value = FeatureMap::new(context, others.rows, 2 * channels, others.width);
        self.key_value.run(context, others, Activation::None, Finish::Store, &mut key_value)?;
        let mut found = FeatureMap::new(context, queries.rows, channels, queries.width);
        let (keys, values) =
            (Channels { map: &key_value, from: 0 }, Channels { map: &key_value, from: channels });
        attend(context, &query, keys, values, self.heads, None, &mut found)?;
        self.output.run(context, &found, Activation::None, Finish::Accumulate { scale }, tokens)
    }
}

/// As many channels of a map as the queries have, from channel `from`.
#[derive(Clone, Copy)]
pub(crate) struct Channels<'a> {
    pub(crate) map: &'a FeatureMap<'a>,
    pub(crate) from: usize,
}

/// Softmax attention of every column of `query` to all columns of `keys`, into `output`.
///
/// `query` is already scaled. With `slopes`, a map of one line per head, the score of a key falls by the query's
/// slope per column of distance, and a query's own column counts as -100.
///
/// # Errors
/// `Cancelled`.
pub(crate) fn attend(
    context: &Context<'_>,
    query: &FeatureMap<'_>,
    keys: Channels<'_>,
    values: Channels<'_>,
    heads: usize,
    slopes: Option<&FeatureMap<'_>>,
    output: &mut FeatureMap<'_>,
) -> Result<()> {
    let tile = context.cpu.tile();
    let head_size = query.channels / heads;
    let count = keys.map.rows * keys.map.width;
    let packed = Packed {
        tile,
        head_size,
        count,
        keys: pack_keys(context, keys, heads, head_size)?,
        values: pack_values(context, values, heads, head_size)?,
    };
    let (row_cuts, col_cuts) = (cuts(output.rows, 1), even_cuts(output.width, tile.cols, QUERY_PANELS));
    output.for_each_tile(context, &row_cuts, &col_cuts, |row, _, mut out| {
        let (start, width) = (out.start, out.width());
        let mut scores = context.buffer(packed.chunk() * tile.cols);
        let mut blocks: Vec<QueryBlock<'_>> = cuts(width, tile.cols)
            .windows(2)
            .map(|cut| QueryBlock::new(context, &packed, start + cut[0], cut[1] - cut[0]))
            .collect();
        for head in 0..heads {
            blocks.iter_mut().for_each(|block| block.load(query, row, head));
            for first in (0..count).step_by(packed.chunk()) {
                for block in &mut blocks {
                    block.score(&packed, head, first, &mut scores);
                    if let Some(slopes) = slopes {
                        let slopes = &slopes.channel(row, head)[block.start..][..block.width];
                        block.decay(&packed, first, row * query.width, slopes, &mut scores);
                    }
                    block.weigh(&packed, head, first, &mut scores);
                }
            }
            blocks.iter().for_each(|block| block.store(&mut out, start, head * head_size));
        }
        Ok(())
    })
}

/// Keys and values of all heads in the order in which the inner loop reads them.
struct Packed<'a> {
    tile: TileShape,
    head_size: usize,
    count: usize,
    /// Per head, panels of keys, depth by depth of the head.
    keys: Buffer<'a>,
    /// Per head, panels of channels, key by key.
    values: Buffer<'a>,
}

impl Packed<'_> {
    fn chunk(&self) -> usize {
        CHUNK_KEYS / self.tile.rows * self.tile.rows
    }

    fn padded_count(&self) -> usize {
        self.count.next_multiple_of(self.tile.rows)
    }

    fn padded_head(&self) -> usize {
        self.head_size.next_multiple_of(self.tile.rows)
    }
}

fn pack_keys<'a>(
    context: &Context<'a>,
    keys: Channels<'_>,
    heads: usize,
    head_size: usize,
) -> Result<Buffer<'a>> {
    let panel = context.cpu.tile().rows;
    let padded = (keys.map.rows * keys.map.width).next_multiple_of(panel);
    let mut packed = context.buffer(heads * head_size * padded);
    packed.fill(0.0);
    let items = packed.chunks_exact_mut(head_size * padded).enumerate().collect();
    context.for_each(items, |(head, packed)| {
        for row in 0..keys.map.rows {
            for depth in 0..head_size {
                let line = keys.map.channel(row, keys.from + head * head_size + depth);
                // Up to the end of a panel that the row before has begun, and then panel by panel.
                let first = row * keys.map.width;
                let (begun, whole) = line.split_at((first.next_multiple_of(panel) - first).min(line.len()));
                let place = |key: usize| (key / panel * head_size + depth) * panel + key % panel;
                packed[place(first)..][..begun.len()].copy_from_slice(begun);
                let first = (first + begun.len()) / panel;
                let panels = packed.chunks_exact_mut(head_size * panel).skip(first);
                for (packed, keys) in panels.zip(whole.chunks(panel)) {
                    packed[depth * panel..][..keys.len()].copy_from_slice(keys);
                }
            }
        }
        Ok(())
    })?;
    Ok(packed)
}

fn pack_values<'a>(
    context: &Context<'a>,
    values: Channels<'_>,
    heads: usize,
    head_size: usize,
) -> Result<Buffer<'a>> {
    let panel = context.cpu.tile().rows;
    let count = values.map.rows * values.map.width;
    let padded = head_size.next_multiple_of(panel);
    let mut packed = context.buffer(heads * padded * count);
    packed.fill(0.0);
    let items = packed.chunks_exact_mut(padded * count).enumerate().collect();
    context.for_each(items, |(head, packed)| {
        for row in 0..values.map.rows {
            for channel in 0..head_size {
                let line = values.map.channel(row, values.from + head * head_size + channel);
                let first = (channel / panel * count + row * values.map.width) * panel + channel % panel;
                packed[first..].iter_mut().step_by(panel).zip(line).for_each(|(out, &value)| *out = value);
            }
        }
        Ok(())
    })?;
    Ok(packed)
}

/// One block of queries of one head on its way over all keys.
struct QueryBlock<'a> {
    cpu: Cpu,
    cols: usize,
    /// Its columns in the row of queries.
    start: usize,
    width: usize,
    query: Buffer<'a>,
    found: Buffer<'a>,
    /// Per query: the largest score so far, the sum of weights and the factor for what came before.
    largest: Buffer<'a>,
    total: Buffer<'a>,
    rescale: Buffer<'a>,
}

impl<'a> QueryBlock<'a> {
    fn new(context: &Context<'a>, packed: &Packed<'_>, start: usize, width: usize) -> Self {
        let cols = packed.tile.cols;
        Self {
            cpu: context.cpu,
            cols,
            start,
            width,
            query: context.buffer(packed.head_size * cols),
            found: context.buffer(packed.padded_head() * cols),
            largest: context.buffer(cols),
            total: context.buffer(cols),
            rescale: context.buffer(cols),
        }
    }

    fn load(&mut self, query: &FeatureMap<'_>, row: usize, head: usize) {
        let head_size = self.query.len() / self.cols;
        for (depth, out) in self.query.chunks_exact_mut(self.cols).enumerate() {
            let line = &query.channel(row, head * head_size + depth)[self.start..][..self.width];
            out[..self.width].copy_from_slice(line);
            out[self.width..].fill(0.0);
        }
        self.found.fill(0.0);
        self.largest.fill(f32::NEG_INFINITY);
        self.total.fill(0.0);
    }

    /// The scores of one chunk of keys, one line per key.
    fn score(&self, packed: &Packed<'_>, head: usize, first: usize, scores: &mut [f32]) {
        let (panel, depth) = (packed.tile.rows, packed.head_size);
        let a_panels = packed.chunk().min(packed.padded_count() - first) / panel;
        self.cpu.product(Product {
            a: &packed.keys[(head * packed.padded_count() + first) * depth..],
            a_stride: depth * panel,
            a_panels,
            b: Lines::plain(&self.query, self.cols),
            c: &mut scores[..a_panels * panel * self.cols],
            c_stride: a_panels * panel * self.cols,
            add: false,
        });
    }

    /// `row_start` is the number of the first query of the row.
    fn decay(&self, packed: &Packed<'_>, first: usize, row_start: usize, slopes: &[f32], scores: &mut [f32]) {
        const OWN_SCORE: f32 = -100.0;
        for (key, line) in (first..packed.count).zip(scores.chunks_exact_mut(self.cols)) {
            for ((query, score), slope) in (row_start + self.start..).zip(line).zip(slopes) {
                *score = if key == query { OWN_SCORE } else { *score - slope * key.abs_diff(query) as f32 };
            }
        }
    }

    /// Turns scores into weights and adds the weighted values.
    fn weigh(&mut self, packed: &Packed<'_>, head: usize, first: usize, scores: &mut [f32]) {
        let count = packed.chunk().min(packed.count - first);
        let scores = &mut scores[..count * self.cols];
        self.cpu.run(Soften {
            scores: &mut *scores,
            found: &mut self.found,
            largest: &mut self.largest,
            total: &mut self.total,
            rescale: &mut self.rescale,
        });
        let panel = packed.tile.rows;
        self.cpu.product(Product {
            a: &packed.values[head * packed.padded_head() * packed.count + first * panel..],
            a_stride: packed.count * panel,
            a_panels: packed.padded_head() / panel,
            b: Lines::plain(scores, self.cols),
            c: &mut self.found,
            c_stride: packed.padded_head() * self.cols,
            add: true,
        });
    }

    /// `tile_start` is the first column of `out`.
    fn store(&self, out: &mut Tile<'_>, tile_start: usize, from_channel: usize) {
        let head_size = self.query.len() / self.cols;
        for (channel, line) in self.found.chunks_exact(self.cols).take(head_size).enumerate() {
            let out = &mut out.channel(0, from_channel + channel)[self.start - tile_start..];
            out.iter_mut()
                .zip(line.iter().zip(&*self.total))
                .for_each(|(out, (sum, total))| *out = sum / total);
        }
    }
}

/// Maxima that are looked for side by side.
const MAXIMA: usize = 4;

/// One step of the running softmax, for as many queries at once as a vector has lanes.
struct Soften<'a> {
    scores: &'a mut [f32],
    found: &'a mut [f32],
    largest: &'a mut [f32],
    total: &'a mut [f32],
    rescale: &'a mut [f32],
}

impl WithSimd for Soften<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (largest, _) = S::as_mut_simd_f32s(self.largest);
        let (total, _) = S::as_mut_simd_f32s(self.total);
        let (rescale, _) = S::as_mut_simd_f32s(self.rescale);
        let (scores, _) = S::as_mut_simd_f32s(self.scores);
        let (found, _) = S::as_mut_simd_f32s(self.found);
        let vectors = largest.len();
        // One vector of queries at a time, so that its running values stay in registers.
        for vector in 0..vectors {
            let before = largest[vector];
            // Several at once: each maximum waits for the one before it.
            let mut maxima = [before; MAXIMA];
            let several = scores.chunks_exact(MAXIMA * vectors);
            let mut highest = before;
            for score in several.remainder().iter().skip(vector).step_by(vectors) {
                highest = simd.max_f32s(highest, *score);
            }
            for lines in several {
                for (index, highest) in maxima.iter_mut().enumerate() {
                    *highest = simd.max_f32s(*highest, lines[index * vectors + vector]);
                }
            }
            for other in maxima {
                highest = simd.max_f32s(highest, other);
            }
            let factor = exp(simd, simd.sub_f32s(before, highest));
            let mut sum = simd.mul_f32s(total[vector], factor);
            for score in scores[vector..].iter_mut().step_by(vectors) {
                *score = exp(simd, simd.sub_f32s(*score, highest));
                sum = simd.add_f32s(sum, *score);
            }
            (largest[vector], total[vector], rescale[vector]) = (highest, sum, factor);
        }
        for line in found.chunks_exact_mut(vectors) {
            for (found, rescale) in line.iter_mut().zip(&*rescale) {
                *found = simd.mul_f32s(*found, *rescale);
            }
        }
    }
}
