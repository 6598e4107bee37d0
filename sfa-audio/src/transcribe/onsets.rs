//! When something new begins.

use realfft::num_complex::Complex32;

use crate::dsp::StreamingStft;

use super::HOP_SAMPLES;

/// 46 ms: parts the partials of a bass and still moves within a short note.
const WINDOW_SAMPLES: usize = 1024;
/// Levels below about -66 dB count in proportion, louder ones by their logarithm.
const COMPRESSION: f32 = 2000.0;
/// Hops over which a rise is measured.
const LAG: usize = 2;

/// Collects how much the spectrum rises, every [`HOP_SAMPLES`], and how loud it is.
pub(super) struct OnsetCollector {
    stft: StreamingStft,
    meter: Meter,
}

struct Meter {
    history: [Vec<f32>; LAG],
    trace: OnsetTrace,
}

/// What was heard.
#[derive(Debug, Clone, Default)]
pub(super) struct OnsetTrace {
    /// Summed rise of the logarithmic spectrum.
    pub(super) rises: Vec<f32>,
    /// Level in dBFS.
    pub(super) levels_db: Vec<f32>,
}

impl OnsetCollector {
    pub(super) fn new() -> Self {
        let silence = vec![0.0; WINDOW_SAMPLES / 2 + 1];
        Self {
            stft: StreamingStft::new(WINDOW_SAMPLES, HOP_SAMPLES),
            meter: Meter { history: [silence.clone(), silence], trace: OnsetTrace::default() },
        }
    }

    pub(super) fn push(&mut self, samples: &[f32]) {
        let Self { stft, meter } = self;
        stft.push(samples, |spectrum| meter.add(spectrum));
    }

    pub(super) fn finish(self) -> OnsetTrace {
        let Self { stft, mut meter } = self;
        stft.finish(|spectrum| meter.add(spectrum));
        meter.trace
    }
}

impl Meter {
    fn add(&mut self, spectrum: &[Complex32]) {
        const SCALE: f32 = 4.0 / WINDOW_SAMPLES as f32;
        let [before, _] = &mut self.history;
        let (mut rise, mut power) = (0.0, 0.0);
        for (before, bin) in before.iter_mut().zip(spectrum) {
            let square = bin.norm_sqr() * SCALE * SCALE;
            power += square;
            let now = (1.0 + COMPRESSION * square.sqrt()).ln();
            rise += (now - *before).max(0.0);
            *before = now;
        }
        self.history.swap(0, 1);
        self.trace.rises.push(rise);
        self.trace.levels_db.push(10.0 * (power + 1e-10).log10());
    }
}

impl OnsetTrace {
    /// Hops at which something sets in, and how strongly: 1 is a strong onset of this recording.
    pub(super) fn peaks(&self) -> Vec<(usize, f32)> {
        /// Hops that a peak stands out of, on each side: 230 ms in all.
        const REACH: usize = 10;
        /// What a peak must exceed its surroundings by, against strong onsets.
        const FLOOR: f32 = 0.12;
        /// Hops on each side without a higher one.
        const ALONE: usize = 3;

        let mut sorted = self.rises.clone();
        let Some(rank) = sorted.len().checked_sub(1).map(|last| last * 97 / 100) else { return Vec::new() };
        let strong = (*sorted.select_nth_unstable_by(rank, f32::total_cmp).1).max(1.0);
        let around =
            |hop: usize, reach: usize| hop.saturating_sub(reach)..(hop + reach + 1).min(self.rises.len());
        (0..self.rises.len())
            .filter_map(|hop| {
                let rise = self.rises[hop];
                let near = &self.rises[around(hop, REACH)];
                let mean = near.iter().sum::<f32>() / near.len() as f32;
                let is_peak = self.rises[around(hop, ALONE)].iter().all(|&other| rise >= other);
                (is_peak && rise > mean * 1.2 + FLOOR * strong).then_some((hop, rise / strong))
            })
            .collect()
    }
}
