//! What every layer is handed: the instruction set, the stop flag and the pool of buffers.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use memmap2::MmapMut;
use rayon::prelude::*;

use crate::{Result, Watch};

use super::cpu::Cpu;

/// Buffers that are used again instead of going back to the system: a fresh page costs more than filling it. Together
/// they never hold more than was once in use at one time since they last [settled](Self::settle), or [`ALWAYS_KEPT_VALUES`].
#[derive(Debug, Default)]
pub(crate) struct Scratch(Mutex<Pool>);

/// Values in a line of the cache: 64 bytes.
pub(crate) const LINE_VALUES: usize = 16;
/// From here on memory comes from the system in pages of its own: 1 MiB.
const LARGE_VALUES: usize = 1 << 18;

/// Where values lie. Allocators keep much of what they are given back, and they know nothing of large pages.
#[derive(Debug)]
pub(crate) enum Memory {
    Heap(Vec<f32>),
    Pages(MmapMut),
}

impl Default for Memory {
    fn default() -> Self {
        Self::Heap(Vec::new())
    }
}

impl Memory {
    fn new(len: usize) -> Self {
        if len >= LARGE_VALUES
            && let Ok(pages) = MmapMut::map_anon(len * size_of::<f32>())
        {
            // A wish: without it the pages are the usual ones.
            #[cfg(target_os = "linux")]
            let _ = pages.advise(memmap2::Advice::HugePage);
            return Self::Pages(pages);
        }
        Self::Heap(vec![0.0; len])
    }

    fn len(&self) -> usize {
        match self {
            Self::Heap(values) => values.len(),
            Self::Pages(pages) => pages.len() / size_of::<f32>(),
        }
    }
}

impl Deref for Memory {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match self {
            Self::Heap(values) => values,
            Self::Pages(pages) => bytemuck::cast_slice(&pages[..]),
        }
    }
}

impl DerefMut for Memory {
    fn deref_mut(&mut self) -> &mut [f32] {
        match self {
            Self::Heap(values) => values,
            Self::Pages(pages) => bytemuck::cast_slice_mut(&mut pages[..]),
        }
    }
}

/// So many values may always be held: 192 MiB.
const ALWAYS_KEPT_VALUES: usize = 48 << 20;

#[derive(Debug)]
struct Pool {
    free: Vec<Memory>,
    /// Values of the buffers that are in use.
    used: usize,
    /// Values that may be held: as many as were in use at most so far.
    may_hold: usize,
}

impl Default for Pool {
    fn default() -> Self {
        Self { free: Vec::new(), used: 0, may_hold: ALWAYS_KEPT_VALUES }
    }
}

impl Pool {
    /// The smallest unused buffer of `least..=most` values, of several the last that was in use: it may still be in the cache.
    fn fitting(&self, least: usize, most: usize) -> Option<usize> {
        let buffers = self.free.iter().map(Memory::len).enumerate().rev();
        let fitting = buffers.filter(|(_, len)| (least..=most).contains(len));
        fitting.min_by_key(|(_, len)| *len).map(|(index, _)| index)
    }

    fn free_values(&self) -> usize {
        self.free.iter().map(Memory::len).sum()
    }

    /// Keeps no more than it may hold. What does not fit has the sizes of other layers or of another segment; the largest are
    /// the least likely to fit again.
    fn shrink(&mut self) {
        self.free.sort_by_key(Memory::len);
        while self.used + self.free_values() > self.may_hold && self.free.pop().is_some() {}
    }
}

impl Scratch {
    fn take(&self, len: usize) -> Memory {
        let mut pool = self.lock();
        let found = pool.fitting(len, (len + len / 4).max(1 << 16)).or_else(|| {
            // Wasting some of a large one costs less than making room for another.
            let left = pool.may_hold.saturating_sub(pool.used);
            if pool.free_values() + len > left { pool.fitting(len, left.min(2 * len)) } else { None }
        });
        let found = found.map(|index| pool.free.swap_remove(index));
        pool.used += found.as_ref().map_or(len, Memory::len);
        pool.may_hold = pool.may_hold.max(pool.used);
        if let Some(buffer) = found {
            return buffer;
        }
        pool.shrink();
        drop(pool);
        Memory::new(len)
    }

    fn give(&self, buffer: Memory) {
        let mut pool = self.lock();
        pool.used -= buffer.len();
        pool.free.push(buffer);
    }

    /// Gives back to the system what no more than [`ALWAYS_KEPT_VALUES`] leave no room for.
    pub(crate) fn settle(&self) {
        let mut pool = self.lock();
        pool.may_hold = ALWAYS_KEPT_VALUES.max(pool.used);
        pool.shrink();
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Values of a pool, given back when dropped, or values lent by somebody else.
#[derive(Debug)]
pub(crate) enum Buffer<'a> {
    /// A buffer of the pool, of which `len` values from number `start` on are in use.
    Pooled {
        /// The whole buffer.
        values: Memory,
        /// The first value that is in use, which lies at the start of a cache line.
        start: usize,
        /// How many of its values are in use.
        len: usize,
        /// Where it goes in the end.
        home: &'a Scratch,
    },
    /// Part of another buffer.
    Lent(&'a mut [f32]),
}

impl Deref for Buffer<'_> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match self {
            Self::Pooled { values, start, len, .. } => &values[*start..][..*len],
            Self::Lent(values) => values,
        }
    }
}

impl DerefMut for Buffer<'_> {
    fn deref_mut(&mut self) -> &mut [f32] {
        match self {
            Self::Pooled { values, start, len, .. } => &mut values[*start..][..*len],
            Self::Lent(values) => values,
        }
    }
}

impl Drop for Buffer<'_> {
    fn drop(&mut self) {
        if let Self::Pooled { values, home, .. } = self {
            home.give(std::mem::take(values));
        }
    }
}

/// Handed down through all layers of one run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) cpu: Cpu,
    pub(crate) watch: &'a Watch,
    pub(crate) scratch: &'a Scratch,
}

impl<'a> Context<'a> {
    /// A buffer of `len` arbitrary values.
    pub(crate) fn buffer(&self, len: usize) -> Buffer<'a> {
        let values = self.scratch.take(len + LINE_VALUES - 1);
        // Vectors that cross lines take twice as long to load.
        let start = values.as_ptr().align_offset(LINE_VALUES * size_of::<f32>()).min(LINE_VALUES - 1);
        Buffer::Pooled { values, start, len, home: self.scratch }
    }

    /// Does `work` on every item on all threads of the pool, a few milliseconds each, until a stop is asked for.
    ///
    /// # Errors
    /// The first error of `work`; `Cancelled` when the watch is stopped.
    pub(crate) fn for_each<T: Send>(
        &self,
        items: Vec<T>,
        work: impl Fn(T) -> Result<()> + Send + Sync,
    ) -> Result<()> {
        items.into_par_iter().with_max_len(1).try_for_each(|item| {
            self.watch.checkpoint()?;
            work(item)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unused_buffers_never_add_to_the_most_that_was_in_use() {
        let scratch = Scratch(Mutex::new(Pool { may_hold: 0, ..Pool::default() }));
        let held = |scratch: &Scratch| {
            let pool = scratch.lock();
            (pool.used, pool.free.iter().map(Memory::len).sum::<usize>())
        };
        let (large, small) = (scratch.take(300_000), scratch.take(100_000));
        scratch.give(large);
        scratch.give(small);
        assert_eq!(held(&scratch), (0, 400_000));
        // There is no room for another one.
        let other = scratch.take(200_000);
        assert_eq!((other.len(), held(&scratch)), (300_000, (300_000, 100_000)));
        let again = scratch.take(90_000);
        assert_eq!((again.len(), held(&scratch)), (100_000, (400_000, 0)));
        scratch.give(again);
        scratch.give(other);
        // Nothing fits: room is made, from the largest.
        let largest = scratch.take(301_000);
        assert_eq!(held(&scratch), (301_000, 0));
        scratch.give(largest);
        let small = scratch.take(50_000);
        assert_eq!(held(&scratch), (50_000, 301_000));
        scratch.give(small);
    }
}
