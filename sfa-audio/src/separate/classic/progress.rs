//! Progress over reading, estimating and rendering.

use crate::{Result, Stage, Watch};

/// Reports frames done. A frame that was read counts a quarter, one whose mask is known three quarters.
pub(super) struct Meter<'a> {
    watch: &'a Watch,
    /// What the mix claims to have.
    total: u64,
    read: u64,
    estimated: u64,
    rendered: u64,
}

impl<'a> Meter<'a> {
    pub(super) fn new(watch: &'a Watch, total: Option<u64>) -> Self {
        Self { watch, total: total.unwrap_or(0), read: 0, estimated: 0, rendered: 0 }
    }

    pub(super) fn read(&mut self, frames: usize) -> Result<()> {
        self.read += frames as u64;
        self.report()
    }

    pub(super) fn estimated(&mut self, frames: usize) -> Result<()> {
        self.estimated += frames as u64;
        self.report()
    }

    pub(super) fn rendered(&mut self, frames: usize) -> Result<()> {
        self.rendered += frames as u64;
        self.report()
    }

    /// All is done: the mix had as many frames as were read.
    pub(super) fn finish(&self) -> Result<()> {
        self.watch.report(Stage::Separate, self.read, self.read)
    }

    fn report(&self) -> Result<()> {
        // The silence around the mix is estimated and rendered too, but it is no progress.
        let (estimated, rendered) = (self.estimated.min(self.read), self.rendered.min(self.read));
        let mut done = (self.read + 2 * estimated + rendered) / 4;
        if self.total > 0 {
            done = done.min(self.total);
        }
        self.watch.report(Stage::Separate, done, self.total)
    }
}
