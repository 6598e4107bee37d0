//! What can be said of stems without knowing the true ones: what they share, and what they leave out.

use realfft::num_complex::Complex32;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dsp::StreamingStft;
use crate::{Clip, StemKind};

const WINDOW_FRAMES: usize = 4096;
const HOP_FRAMES: usize = 2048;

/// How clean a separation is, as far as its stems and its mix tell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct SeparationQuality {
    /// The null test: the level of the mix minus the sum of all stems, in dB relative to the mix. The lower, the less
    /// was lost or invented; absent where nothing is left at all or not all stems were made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residual_db: Option<f64>,
    /// One per stem, in output order.
    pub stems: Vec<StemBleed>,
}

/// What one stem shares with another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct StemBleed {
    /// The stem.
    pub kind: StemKind,
    /// The share of its energy that sounds in the same way in the other stem with which it shares most, in dB: an
    /// upper estimate of bleed, since it cannot tell which of the two the sound belongs to, and since sources that
    /// move together raise it. Absent for a silent stem and where there is no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_db: Option<f64>,
    /// That other stem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_with: Option<StemKind>,
}

/// Listens to stems as they are made.
///
/// Two stems share what is coherent between them: at every frequency `|S_ij|^2 / (S_ii S_jj)` over all spectra of the
/// song, freed from what chance alone gives to so many spectra (J. S. Bendat, A. G. Piersol, "Random Data", 2010,
/// chapters 6 and 9).
#[derive(Debug)]
pub struct QualityMeter {
    kinds: Vec<StemKind>,
    lanes: Vec<StreamingStft>,
    /// Spectra of each stem that wait for those of the others.
    waiting: Vec<Vec<Vec<Complex32>>>,
    /// Per stem and bin.
    powers: Vec<Vec<f64>>,
    /// Per pair of stems `i < j` and bin, real and imaginary part.
    cross: Vec<Vec<[f64; 2]>>,
    spectra: u64,
    mix_energy: f64,
    residual_energy: f64,
    mono: Vec<f32>,
}

impl QualityMeter {
    /// For stems of these kinds, in output order.
    pub fn new(kinds: &[StemKind]) -> Self {
        let (stems, bins) = (kinds.len(), WINDOW_FRAMES / 2 + 1);
        Self {
            kinds: kinds.to_vec(),
            lanes: kinds.iter().map(|_| StreamingStft::new(WINDOW_FRAMES, HOP_FRAMES)).collect(),
            waiting: vec![Vec::new(); stems],
            powers: vec![vec![0.0; bins]; stems],
            cross: vec![vec![[0.0; 2]; bins]; stems * stems.saturating_sub(1) / 2],
            spectra: 0,
            mix_energy: 0.0,
            residual_energy: 0.0,
            mono: Vec::new(),
        }
    }

    /// Takes the next frames of all stems and, where all stems of the mix are among them, of the mix.
    pub fn push(&mut self, stems: &[Clip], mix: Option<&Clip>) {
        if let Some(mix) = mix {
            self.compare(stems, mix);
        }
        for ((lane, stem), waiting) in self.lanes.iter_mut().zip(stems).zip(&mut self.waiting) {
            self.mono.clear();
            stem.downmix_into(&mut self.mono);
            lane.push(&self.mono, |spectrum| waiting.push(spectrum.to_vec()));
        }
        self.count();
    }

    fn compare(&mut self, stems: &[Clip], mix: &Clip) {
        for (channel, mix) in mix.channels().iter().enumerate() {
            for (frame, &sample) in mix.iter().enumerate() {
                let sum: f32 = stems.iter().map(|stem| stem.channels()[channel][frame]).sum();
                self.mix_energy += f64::from(sample) * f64::from(sample);
                self.residual_energy += f64::from(sample - sum).powi(2);
            }
        }
    }

    fn count(&mut self) {
        let ready = self.waiting.iter().map(Vec::len).min().unwrap_or(0);
        self.spectra += ready as u64;
        let spectra: Vec<Vec<Vec<Complex32>>> =
            self.waiting.iter_mut().map(|waiting| waiting.drain(..ready).collect()).collect();
        for (powers, spectra) in self.powers.iter_mut().zip(&spectra) {
            for spectrum in spectra {
                powers.iter_mut().zip(spectrum).for_each(|(sum, bin)| *sum += f64::from(bin.norm_sqr()));
            }
        }
        for ((first, second), cross) in pairs(self.kinds.len()).zip(&mut self.cross) {
            for (first, second) in spectra[first].iter().zip(&spectra[second]) {
                for ((sum, a), b) in cross.iter_mut().zip(first).zip(second) {
                    let product = a * b.conj();
                    *sum = [sum[0] + f64::from(product.re), sum[1] + f64::from(product.im)];
                }
            }
        }
    }

    /// Ends the song.
    pub fn finish(mut self) -> SeparationQuality {
        for (lane, waiting) in std::mem::take(&mut self.lanes).into_iter().zip(&mut self.waiting) {
            lane.finish(|spectrum| waiting.push(spectrum.to_vec()));
        }
        self.count();
        let mut most = vec![(0.0_f64, None); self.kinds.len()];
        for ((first, second), cross) in pairs(self.kinds.len()).zip(&self.cross) {
            let coherence = self.coherence(cross, first, second);
            for (own, other) in [(first, second), (second, first)] {
                let total: f64 = self.powers[own].iter().sum();
                let shared: f64 = self.powers[own].iter().zip(&coherence).map(|(power, c)| power * c).sum();
                if shared > most[own].0 * total {
                    most[own] = (shared / total, Some(self.kinds[other]));
                }
            }
        }
        let stems = self.kinds.iter().zip(most).map(|(&kind, (share, shared_with))| StemBleed {
            kind,
            shared_db: shared_with.map(|_| 10.0 * share.log10()),
            shared_with,
        });
        let ratio = self.residual_energy / self.mix_energy;
        SeparationQuality {
            residual_db: (ratio > 0.0 && ratio.is_finite()).then(|| 10.0 * ratio.log10()),
            stems: stems.collect(),
        }
    }

    fn coherence(&self, cross: &[[f64; 2]], first: usize, second: usize) -> Vec<f64> {
        // Neighbouring windows overlap by half: about half of the spectra are independent.
        let chance = 2.0 / (self.spectra.max(2) as f64);
        let powers = self.powers[first].iter().zip(&self.powers[second]);
        cross
            .iter()
            .zip(powers)
            .map(|([re, im], (a, b))| {
                let found = if a * b > 0.0 { (re * re + im * im) / (a * b) } else { 0.0 };
                ((found - chance) / (1.0 - chance).max(f64::EPSILON)).clamp(0.0, 1.0)
            })
            .collect()
    }
}

/// All `(i, j)` with `i < j < count`.
fn pairs(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count).flat_map(move |first| (first + 1..count).map(move |second| (first, second)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// White noise; unlike those of a linear congruential generator, sequences of neighbouring seeds share nothing.
    fn noise(frames: usize, seed: u64) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state.wrapping_mul(seed | 1);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (z >> 40) as f32 / 16_777_216.0 - 0.5
        };
        (0..frames).map(|_| next()).collect()
    }

    fn clip(values: Vec<f32>) -> Clip {
        Clip::from_channels(44_100, vec![values]).unwrap()
    }

    fn measure(stems: &[Vec<f32>], mix: Option<Vec<f32>>, block: usize) -> SeparationQuality {
        const KINDS: [StemKind; 3] = [StemKind::Drums, StemKind::Bass, StemKind::Vocals];
        let mut meter = QualityMeter::new(&KINDS[..stems.len()]);
        for start in (0..stems[0].len()).step_by(block) {
            let end = (start + block).min(stems[0].len());
            let part = |values: &Vec<f32>| clip(values[start..end].to_vec());
            meter.push(&stems.iter().map(part).collect::<Vec<_>>(), mix.as_ref().map(part).as_ref());
        }
        meter.finish()
    }

    #[test]
    fn a_known_leak_is_found_within_a_decibel() {
        let frames = 44_100 * 20;
        let (drums, bass, vocals) = (noise(frames, 7919), noise(frames, 15838), noise(frames, 23757));
        for leak_db in [-10.0_f32, -20.0] {
            let gain = 10.0_f32.powf(leak_db / 20.0);
            let leaky: Vec<f32> = vocals.iter().zip(&drums).map(|(v, d)| v + gain * d).collect();
            let found = measure(&[drums.clone(), bass.clone(), leaky], None, 10_000);
            let vocals = &found.stems[2];
            assert_eq!(vocals.shared_with, Some(StemKind::Drums));
            // Of the leaky stem's energy, g^2 of 1 + g^2 comes from the drums.
            let expected = 10.0 * f64::from(gain * gain / (1.0 + gain * gain)).log10();
            assert!((vocals.shared_db.unwrap() - expected).abs() < 1.0, "{vocals:?}, expected {expected}");
            assert!(found.stems[1].shared_db.is_none_or(|db| db < -25.0), "{:?}", found.stems[1]);
        }
    }

    #[test]
    fn the_null_test_measures_what_the_stems_leave_out() {
        let (drums, bass) = (noise(44_100, 7919), noise(44_100, 15838));
        let lost = noise(44_100, 23757);
        let mix: Vec<f32> = (0..44_100).map(|n| drums[n] + bass[n] + 0.01 * lost[n]).collect();
        let found = measure(&[drums, bass], Some(mix), 777);
        // 0.01^2 of one source in the energy of two.
        assert!((found.residual_db.unwrap() + 43.0).abs() < 0.3, "{found:?}");
    }

    #[test]
    fn silence_and_single_stems_have_nothing_to_share() {
        let silent = measure(&[vec![0.0; 9000], vec![0.0; 9000]], Some(vec![0.0; 9000]), 4000);
        assert!(silent.residual_db.is_none() && silent.stems.iter().all(|stem| stem.shared_db.is_none()));
        assert_eq!(measure(&[noise(5000, 1)], None, 100).stems[0].shared_with, None);
        assert_eq!(measure(&[noise(9, 1), noise(9, 2)], None, 9).stems.len(), 2);
    }
}
