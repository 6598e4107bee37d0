//! What every layer is handed: the instruction set, the stop flag and the pool of buffers.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use crate::{Result, Watch};

use super::cpu::Cpu;

/// Buffers that are used again instead of going back to the system: a fresh page costs more than filling it.
#[derive(Debug, Default)]
pub(crate) struct Scratch(Mutex<Vec<Vec<f32>>>);

/// Values that may lie unused while new ones are asked for: 256 MiB.
const MOST_UNUSED_VALUES: usize = 64 << 20;

impl Scratch {
    fn take(&self, len: usize) -> Vec<f32> {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The tightest fit, and none that would waste more than it gives.
        let fitting = free
            .iter()
            .enumerate()
            .filter(|(_, buffer)| (len..=len.saturating_mul(2).max(1 << 16)).contains(&buffer.len()))
            .min_by_key(|(_, buffer)| buffer.len());
        match fitting.map(|(index, _)| index) {
            Some(index) => free.swap_remove(index),
            None => {
                // The sizes of other layers or of another segment; the largest are the least likely to fit again.
                free.sort_by_key(Vec::len);
                while free.iter().map(Vec::len).sum::<usize>() > MOST_UNUSED_VALUES {
                    free.pop();
                }
                drop(free);
                vec![0.0; len]
            }
        }
    }

    fn give(&self, buffer: Vec<f32>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
    }
}

/// Values of a pool, given back when dropped, or values lent by somebody else.
#[derive(Debug)]
pub(crate) enum Buffer<'a> {
    /// A buffer of the pool, of which the first `len` values are in use.
    Pooled {
        /// The whole buffer.
        values: Vec<f32>,
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
            Self::Pooled { values, len, .. } => &values[..*len],
            Self::Lent(values) => values,
        }
    }
}

impl DerefMut for Buffer<'_> {
    fn deref_mut(&mut self) -> &mut [f32] {
        match self {
            Self::Pooled { values, len, .. } => &mut values[..*len],
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
        Buffer::Pooled { values: self.scratch.take(len), len, home: self.scratch }
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
