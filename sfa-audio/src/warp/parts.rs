//! The ringing and the striking part of the stretch of input that is being worked on.

/// Samples of every channel, addressed by their frame in the whole input; silence outside.
pub(super) struct Track {
    /// The frame of the first sample that is kept.
    start: i64,
    channels: Vec<Vec<f32>>,
}

impl Track {
    pub(super) fn new(channels: usize) -> Self {
        Self { start: 0, channels: vec![Vec::new(); channels] }
    }

    /// The frame after the last one.
    pub(super) fn end(&self) -> i64 {
        self.start + self.channels[0].len() as i64
    }

    pub(super) fn channels(&self) -> usize {
        self.channels.len()
    }

    pub(super) fn channel_mut(&mut self, channel: usize) -> &mut Vec<f32> {
        &mut self.channels[channel]
    }

    /// Fills `out` with the frames from `start` on.
    pub(super) fn copy(&self, channel: usize, start: i64, out: &mut [f32]) {
        let kept = &self.channels[channel];
        out.fill(0.0);
        let offset = start - self.start;
        let from = offset.max(0);
        let to = (offset + out.len() as i64).min(kept.len() as i64);
        if from < to {
            let at = (from - offset) as usize;
            out[at..at + (to - from) as usize].copy_from_slice(&kept[from as usize..to as usize]);
        }
    }

    /// Forgets what lies before `frame`.
    pub(super) fn forget_before(&mut self, frame: i64) {
        let count = (frame - self.start).clamp(0, self.channels[0].len() as i64);
        // Moving what is left for every few frames would cost more than keeping them.
        if count < 1 << 15 {
            return;
        }
        for channel in &mut self.channels {
            channel.drain(..count as usize);
        }
        self.start += count;
    }
}
