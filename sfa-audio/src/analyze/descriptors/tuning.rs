//! How far a recording is from concert pitch, as librosa estimates it.

/// Where peaks are looked for.
const LOWEST_HZ: f64 = 150.0;
const HIGHEST_HZ: f64 = 4_000.0;
/// Peaks below this share of the strongest bin of their spectrum do not count.
const THRESHOLD: f32 = 0.1;
/// Steps of a bin that tuning is told apart by.
const STEPS: u32 = 100;
/// The most peaks that are remembered, in 4 bytes each.
const MOST_PEAKS: usize = 1 << 23;
/// Bits of a remembered peak that hold its step; the rest are the highest of its strength.
const STEP_BITS: u32 = 7;

/// Which spectrum the peaks are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spectrum {
    /// Magnitudes, as `librosa.estimate_tuning(y=...)` and `chroma_cqt` do.
    Magnitude,
    /// Powers, as `chroma_stft` does.
    Power,
}

/// `librosa.estimate_tuning` on spectra that come one by one.
///
/// Strengths are remembered to 17 bits. Of more than eight million peaks, hours of music, only every second
/// one is kept, then every fourth, and so on.
pub(super) struct TuningCollector {
    spectrum: Spectrum,
    bins_per_octave: f32,
    bin_hz: f32,
    first_bin: usize,
    end_bin: usize,
    peaks: Vec<u32>,
    seen: u64,
    stride: u64,
}

impl TuningCollector {
    pub(super) fn new(spectrum: Spectrum, bins_per_octave: usize, bins: usize, sample_rate_hz: u32) -> Self {
        let highest_hz = f64::from(sample_rate_hz) / 2.0;
        let bin_hz = highest_hz / (bins - 1) as f64;
        let above = |limit_hz: f64| (limit_hz / bin_hz).ceil() as usize;
        Self {
            spectrum,
            bins_per_octave: bins_per_octave as f32,
            bin_hz: bin_hz as f32,
            first_bin: above(LOWEST_HZ).max(1),
            end_bin: above(HIGHEST_HZ.min(highest_hz)).min(bins - 1),
            peaks: Vec::new(),
            seen: 0,
            stride: 1,
        }
    }

    /// Takes the power of every bin of one spectrum, of which `loudest` is the largest.
    pub(super) fn push(&mut self, power: &[f32], loudest: f32) {
        let threshold = match self.spectrum {
            Spectrum::Magnitude => THRESHOLD * THRESHOLD * loudest,
            Spectrum::Power => THRESHOLD * loudest,
        };
        for bin in self.first_bin..self.end_bin {
            if power[bin] > threshold && power[bin] > power[bin - 1] && power[bin] >= power[bin + 1] {
                self.remember(bin, [power[bin - 1], power[bin], power[bin + 1]]);
            }
        }
    }

    fn remember(&mut self, bin: usize, around: [f32; 3]) {
        let [left, peak, right] = match self.spectrum {
            Spectrum::Magnitude => around.map(f32::sqrt),
            Spectrum::Power => around,
        };
        self.seen += 1;
        if !self.seen.is_multiple_of(self.stride) {
            return;
        }
        // The vertex of the parabola through three points.
        let curvature = left + right - 2.0 * peak;
        let slope = (right - left) / 2.0;
        let shift = if slope.abs() >= curvature.abs() { 0.0 } else { -slope / curvature };
        let strength = peak + 0.5 * slope * shift;
        let frequency_hz = (bin as f32 + shift) * self.bin_hz;
        let position = self.bins_per_octave * (frequency_hz / 27.5).log2();
        let off_centre = position - position.round();
        let step = ((f64::from(off_centre) + 0.5) * f64::from(STEPS)) as u32 % STEPS;
        self.peaks.push(strength.to_bits() >> (STEP_BITS - 1) << STEP_BITS | step);
        if self.peaks.len() >= MOST_PEAKS {
            let mut count = 0u32;
            self.peaks.retain(|_| {
                count += 1;
                count.is_multiple_of(2)
            });
            self.stride *= 2;
        }
    }

    /// The tuning in shares of a bin, `-0.5..0.5`: the most frequent one among the stronger half of the peaks.
    /// 0 without peaks.
    pub(super) fn estimate(&self) -> f64 {
        let mut peaks = self.peaks.clone();
        let strength = |packed: u32| f32::from_bits(packed >> STEP_BITS << (STEP_BITS - 1));
        if peaks.is_empty() {
            return 0.0;
        }
        let middle = peaks.len() / 2;
        let (below, &mut upper, _) = peaks.select_nth_unstable(middle);
        let lower = below.iter().copied().max().unwrap_or(upper);
        let median = if self.peaks.len().is_multiple_of(2) {
            (strength(lower) + strength(upper)) / 2.0
        } else {
            strength(upper)
        };
        let mut histogram = [0u32; STEPS as usize];
        for &packed in self.peaks.iter().filter(|&&packed| strength(packed) >= median) {
            histogram[(packed & ((1 << STEP_BITS) - 1)) as usize] += 1;
        }
        let most = histogram.iter().max().copied().unwrap_or_default();
        let first = histogram.iter().position(|&count| count == most).unwrap_or_default();
        -0.5 + first as f64 / f64::from(STEPS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sharp_tone_is_sharp_and_silence_is_in_tune() {
        let mut tuning = TuningCollector::new(Spectrum::Power, 12, 1025, 44_100);
        let mut power = vec![0.0; 1025];
        tuning.push(&power, 0.0);
        assert_eq!(tuning.estimate(), 0.0);
        // A peak exactly on bin 21: 452.2 Hz, 0.474 semitones above A.
        power[21] = 1.0;
        tuning.push(&power, 1.0);
        assert!((tuning.estimate() - 0.47).abs() < 1e-9, "{}", tuning.estimate());
    }
}
