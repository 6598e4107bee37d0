//! Activations: a stack of matrices, and safe tiles of it for many threads.

use crate::Result;

use super::context::{Buffer, Context};

/// `rows` matrices of `channels x width`, each stored row-major, one after another.
#[derive(Debug)]
pub(crate) struct FeatureMap<'a> {
    pub(crate) rows: usize,
    pub(crate) channels: usize,
    pub(crate) width: usize,
    pub(crate) data: Buffer<'a>,
}

/// One rectangle of a map that a single thread may write.
pub(crate) struct Tile<'a> {
    /// The first column of the rectangle.
    pub(crate) start: usize,
    channels: usize,
    slices: Vec<&'a mut [f32]>,
}

impl Tile<'_> {
    /// The part of `channel` in the rectangle's row number `row`, counted from its top.
    pub(crate) fn channel(&mut self, row: usize, channel: usize) -> &mut [f32] {
        &mut *self.slices[row * self.channels + channel]
    }

    /// How many rows of the map the rectangle spans.
    pub(crate) fn rows(&self) -> usize {
        self.slices.len() / self.channels
    }

    /// How many columns the rectangle spans.
    pub(crate) fn width(&self) -> usize {
        self.slices.first().map_or(0, |slice| slice.len())
    }
}

impl<'a> FeatureMap<'a> {
    /// A map with arbitrary values in it.
    pub(crate) fn new(context: &Context<'a>, rows: usize, channels: usize, width: usize) -> Self {
        Self { rows, channels, width, data: context.buffer(rows * channels * width) }
    }

    /// A copy in another buffer.
    pub(crate) fn duplicate<'b>(&self, context: &Context<'b>) -> FeatureMap<'b> {
        let mut copy = FeatureMap::new(context, self.rows, self.channels, self.width);
        copy.data.copy_from_slice(&self.data);
        copy
    }

    /// The values of one channel in one row.
    pub(crate) fn channel(&self, row: usize, channel: usize) -> &[f32] {
        &self.data[(row * self.channels + channel) * self.width..][..self.width]
    }

    /// The map in bands of `rows` rows, the last one shorter.
    pub(crate) fn bands(&mut self, rows: usize) -> Vec<FeatureMap<'_>> {
        let (channels, width) = (self.channels, self.width);
        let band = (rows * channels * width).max(1);
        self.data
            .chunks_mut(band)
            .map(|data| FeatureMap {
                rows: data.len() / (channels * width),
                channels,
                width,
                data: Buffer::Lent(data),
            })
            .collect()
    }

    /// Cuts the map at the given ascending rows and columns and does `work` on every rectangle between two cuts,
    /// in parallel. `work` gets the rectangle's place in the grid of cuts.
    ///
    /// # Errors
    /// As [`Context::for_each`].
    pub(crate) fn for_each_tile(
        &mut self,
        context: &Context<'_>,
        row_cuts: &[usize],
        col_cuts: &[usize],
        work: impl Fn(usize, usize, Tile<'_>) -> Result<()> + Send + Sync,
    ) -> Result<()> {
        let (channels, width) = (self.channels, self.width);
        let mut bands = Vec::with_capacity(row_cuts.len());
        let mut rest = &mut self.data[row_cuts[0] * channels * width..];
        for (index, cut) in row_cuts.windows(2).enumerate() {
            let (band, after) = rest.split_at_mut((cut[1] - cut[0]) * channels * width);
            bands.push((index, band));
            rest = after;
        }
        context.for_each(bands, |(row_index, band)| {
            let mut tiles: Vec<_> = col_cuts
                .windows(2)
                .enumerate()
                .map(|(index, cut)| {
                    (
                        index,
                        Tile {
                            start: cut[0],
                            channels,
                            slices: Vec::with_capacity(band.len() / width.max(1)),
                        },
                    )
                })
                .collect();
            for line in band.chunks_exact_mut(width.max(1)) {
                let mut rest = &mut line[col_cuts[0]..];
                for ((_, tile), cut) in tiles.iter_mut().zip(col_cuts.windows(2)) {
                    let (slice, after) = rest.split_at_mut(cut[1] - cut[0]);
                    tile.slices.push(slice);
                    rest = after;
                }
            }
            context.for_each(tiles, |(col_index, tile)| work(row_index, col_index, tile))
        })
    }
}

/// The cuts `0, step, 2 step, ...` with `end` as the last.
pub(crate) fn cuts(end: usize, step: usize) -> Vec<usize> {
    (0..end).step_by(step.max(1)).chain([end]).collect()
}

/// Cuts into stretches of at most `most` panels of `cols` columns, an even number of them and all alike: a few long items of work
/// would leave threads without any in the end.
pub(crate) fn even_cuts(width: usize, cols: usize, most: usize) -> Vec<usize> {
    let panels = width.div_ceil(cols);
    let stretches = panels.div_ceil(most).next_multiple_of(2).min(panels).max(1);
    (0..=stretches).map(|n| (panels * n / stretches * cols).min(width)).collect()
}
