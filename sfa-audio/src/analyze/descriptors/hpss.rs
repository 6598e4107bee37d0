//! What sounds on and what strikes: harmonic-percussive separation of a spectrogram.

use std::collections::VecDeque;

use pulp::{Arch, Simd, WithSimd};

use super::batch::LANES;
use super::sorted_windows::{REACH, SortedWindows, TAPS, slide};

/// Parts magnitudes that come frame by frame into a harmonic and a percussive share, as `librosa.decompose.hpss`:
/// medians of 31 along time and along frequency, squared and compared. Both shares add up to the input.
///
/// D. FitzGerald, "Harmonic/percussive separation using median filtering" (2010).
#[derive(Debug, Clone)]
pub struct HarmonicPercussive {
    bins: usize,
    /// Which bin stands where along the frequencies, beyond either end as in a mirror.
    mirrored_bins: Vec<usize>,
    /// The newest frames; the last stands at `seen - 1`.
    recent: VecDeque<Frame>,
    /// Frames at the end of `recent` whose medians along the bins are still to be taken, all at once.
    waiting: usize,
    seen: usize,
    given: usize,
    /// What the medians along time are read from, sixteen bins in each.
    over_time: Vec<SortedWindows>,
    sustained: Vec<f32>,
    harmonic: Vec<f32>,
    percussive: Vec<f32>,
}

#[derive(Debug, Clone)]
struct Frame {
    magnitudes: Vec<f32>,
    /// Medians along the bins.
    struck: Vec<f32>,
}

impl Default for HarmonicPercussive {
    fn default() -> Self {
        Self::new()
    }
}

impl HarmonicPercussive {
    /// Before the first frame.
    pub fn new() -> Self {
        Self {
            bins: 0,
            mirrored_bins: Vec::new(),
            recent: VecDeque::new(),
            waiting: 0,
            seen: 0,
            given: 0,
            over_time: Vec::new(),
            sustained: Vec::new(),
            harmonic: Vec::new(),
            percussive: Vec::new(),
        }
    }

    /// Takes one frame of magnitudes and hands the harmonic and the percussive part of earlier frames to `on_frame`, in
    /// order: every sixteenth call sixteen frames, the newest of them 15 old.
    ///
    /// # Panics
    /// When frames differ in length.
    pub fn push(&mut self, magnitudes: &[f32], on_frame: impl FnMut(&[f32], &[f32])) {
        if self.seen == 0 {
            self.bins = magnitudes.len();
            let places = if self.bins == 0 { 0 } else { self.bins + 2 * REACH };
            self.mirrored_bins = (0..places).map(|place| mirror(place, self.bins)).collect();
            self.over_time = vec![SortedWindows::EMPTY; self.bins.div_ceil(LANES)];
            let row = vec![0.0; self.over_time.len() * LANES];
            (self.sustained, self.harmonic, self.percussive) = (row.clone(), row.clone(), row);
        }
        assert_eq!(magnitudes.len(), self.bins, "frames of one length");
        let mut frame = if self.recent.len() >= TAPS + LANES {
            self.recent.pop_front().expect("it is not empty")
        } else {
            let row = vec![0.0; self.sustained.len()];
            Frame { magnitudes: row.clone(), struck: row }
        };
        frame.magnitudes[..self.bins].copy_from_slice(magnitudes);
        self.recent.push_back(frame);
        self.seen += 1;
        self.waiting += 1;
        if self.waiting == LANES {
            self.give(self.seen.saturating_sub(REACH), on_frame);
        }
    }

    /// Hands on the last frames.
    pub fn finish(mut self, on_frame: impl FnMut(&[f32], &[f32])) {
        self.give(self.seen, on_frame);
    }

    fn give(&mut self, end: usize, mut on_frame: impl FnMut(&[f32], &[f32])) {
        self.take_medians_along_bins();
        while self.given < end {
            let first = self.seen - self.recent.len();
            // Beyond either end the frames go on as in a mirror. At the start of a signal the frames to come are
            // all here, so that the mirror never looks beyond them.
            let place = |tap: usize| mirror(self.given + tap, self.seen) - first;
            if self.given == 0 {
                for tap in 0..TAPS {
                    slide(&mut self.over_time, None, &self.recent[place(tap)].magnitudes);
                }
            } else {
                let leaving = mirror(self.given - 1, self.seen) - first;
                let (leaving, entering) = (&self.recent[leaving], &self.recent[place(TAPS - 1)]);
                slide(&mut self.over_time, Some(&leaving.magnitudes), &entering.magnitudes);
            }
            for (out, windows) in self.sustained.as_chunks_mut::<LANES>().0.iter_mut().zip(&self.over_time) {
                *out = windows.medians();
            }
            let frame = &self.recent[self.given - first];
            Arch::new().dispatch(Part {
                frame,
                sustained: &self.sustained,
                harmonic: &mut self.harmonic,
                percussive: &mut self.percussive,
            });
            on_frame(&self.harmonic[..self.bins], &self.percussive[..self.bins]);
            self.given += 1;
        }
    }

    /// The running medians along the bins of the frames that wait, side by side.
    fn take_medians_along_bins(&mut self) {
        let start = self.recent.len() - self.waiting;
        self.waiting = 0;
        let mut rows: Vec<&mut Frame> = self.recent.range_mut(start..).collect();
        if !rows.is_empty() && self.bins > 0 {
            Arch::new().dispatch(AlongBins { mirrored: &self.mirrored_bins, rows: &mut rows });
        }
    }
}

/// The place of `shifted - REACH` in a series of `length` that is mirrored at both ends, the ends included.
fn mirror(shifted: usize, length: usize) -> usize {
    let period = 2 * length;
    let place = (shifted + period * TAPS - REACH) % period;
    if place < length { place } else { period - 1 - place }
}

struct AlongBins<'a, 'b> {
    mirrored: &'a [usize],
    rows: &'a mut [&'b mut Frame],
}

impl WithSimd for AlongBins<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { mirrored, rows } = self;
        let bins = mirrored.len() - 2 * REACH;
        let mut columns = vec![[0.0f32; LANES]; bins];
        for (lane, row) in rows.iter().enumerate() {
            for (column, &magnitude) in columns.iter_mut().zip(&row.magnitudes) {
                column[lane] = magnitude;
            }
        }
        let mut windows = SortedWindows::EMPTY;
        for &place in &mirrored[..TAPS] {
            windows.slide(simd, &[f32::INFINITY; LANES], &columns[place]);
        }
        for bin in 0..bins {
            if bin > 0 {
                let (leaving, entering) = (mirrored[bin - 1], mirrored[bin + TAPS - 1]);
                windows.slide(simd, &columns[leaving], &columns[entering]);
            }
            let medians = windows.medians();
            for (row, median) in rows.iter_mut().zip(medians) {
                row.struck[bin] = median;
            }
        }
    }
}

struct Part<'a> {
    frame: &'a Frame,
    sustained: &'a [f32],
    harmonic: &'a mut [f32],
    percussive: &'a mut [f32],
}

impl WithSimd for Part<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let inputs = self.frame.magnitudes.iter().zip(self.sustained.iter().zip(&self.frame.struck));
        let outputs = self.harmonic.iter_mut().zip(self.percussive);
        for ((&magnitude, (&sustained, &struck)), (harmonic, percussive)) in inputs.zip(outputs) {
            *harmonic = magnitude * share(sustained, struck);
            *percussive = magnitude * share(struck, sustained);
        }
    }
}

/// A soft mask: the squared share of `own` in both, a half where both are silent.
#[inline(always)]
fn share(own: f32, other: f32) -> f32 {
    let larger = if own > other { own } else { other };
    let (own, other) = ((own / larger).powi(2), (other / larger).powi(2));
    let share = own / (own + other);
    if larger < f32::MIN_POSITIVE { 0.5 } else { share }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_harmonic_and_a_click_percussive() {
        let mut split = HarmonicPercussive::new();
        let mut sums = [0.0f32; 2];
        let mut frames = 0;
        let mut add = |harmonic: &[f32], percussive: &[f32]| {
            frames += 1;
            sums[0] += harmonic[70];
            sums[1] += percussive[90];
        };
        for frame in 0..100 {
            let mut magnitudes = vec![0.0; 200];
            magnitudes[70] = 1.0;
            if frame == 50 {
                magnitudes.fill(1.0);
            }
            split.push(&magnitudes, &mut add);
        }
        split.finish(&mut add);
        assert_eq!(frames, 100);
        assert!(sums[0] > 99.0 && sums[1] > 0.99, "{sums:?}");
    }

    #[test]
    fn running_medians_are_those_of_sorted_windows() {
        let mut state = 1u32;
        let mut value = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // Few different values, so that many are equal.
            (state >> 27) as f32
        };
        let median = |mut values: Vec<f32>| {
            values.sort_by(f32::total_cmp);
            values[REACH]
        };
        let frames: Vec<Vec<f32>> = (0..75).map(|_| (0..50).map(|_| value()).collect()).collect();
        let mut split = HarmonicPercussive::new();
        let mut found = Vec::new();
        let mut keep = |harmonic: &[f32], _: &[f32]| found.push(harmonic.to_vec());
        frames.iter().for_each(|frame| split.push(frame, &mut keep));
        split.finish(&mut keep);
        assert_eq!(found.len(), 75);
        for (at, frame) in found.iter().enumerate() {
            for (bin, &harmonic) in frame.iter().enumerate() {
                let sustained = median((0..TAPS).map(|tap| frames[mirror(at + tap, 75)][bin]).collect());
                let struck = median((0..TAPS).map(|tap| frames[at][mirror(bin + tap, 50)]).collect());
                assert_eq!(harmonic, frames[at][bin] * share(sustained, struck), "frame {at}, bin {bin}");
            }
        }
    }

    #[test]
    fn short_signals_are_mirrored_as_often_as_needed() {
        for frames in 1..40 {
            let mut split = HarmonicPercussive::new();
            let mut seen = 0;
            for _ in 0..frames {
                split.push(&[1.0; 5], |_, _| seen += 1);
            }
            split.finish(|harmonic, percussive| {
                seen += 1;
                assert_eq!((harmonic[0], percussive[4]), (0.5, 0.5));
            });
            assert_eq!(seen, frames);
        }
    }
}
