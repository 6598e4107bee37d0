//! Which pitches explain a spectrum.

use realfft::num_complex::Complex32;

use super::RATE_HZ;

/// 186 ms: parts the tones of a chord down to about C3.
pub(super) const WINDOW_SAMPLES: usize = 4096;
const BIN_HZ: f32 = RATE_HZ as f32 / WINDOW_SAMPLES as f32;
/// A1 to C7.
pub(super) const LOWEST_PITCH: usize = 33;
pub(super) const PITCHES: usize = 64;
/// Notes at a time.
const VOICES: usize = 6;
const PARTIALS: usize = 10;
/// How far a partial may be from its place, as a ratio: 40 cents.
const TOLERANCE: f32 = 1.0234;
/// A voice weaker than this share of the strongest is a leftover.
const MIN_SHARE: f32 = 0.3;
/// Compression of magnitudes, so that weak partials count.
const WHITENING: f32 = 0.5;
/// Peaks this far below the strongest, in magnitude, are side lobes or noise.
const PEAK_RANGE: f32 = 0.003;
/// Quieter frames are silence: -70 dBFS.
const SILENCE: f32 = 3e-4;

/// One pitch of a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Voice {
    /// Steps up from [`LOWEST_PITCH`].
    pub(super) pitch: u8,
    /// Summed strength of its partials.
    pub(super) salience: f32,
}

/// A partial: frequency and compressed magnitude.
#[derive(Debug, Clone, Copy)]
struct Peak {
    hz: f32,
    strength: f32,
}

/// Finds voices by harmonic sums, strongest first, taking each one's partials away before the next is sought.
///
/// A. Klapuri, "Multiple fundamental frequency estimation by summing harmonic amplitudes", ISMIR 2006, with its
/// weights; partials are taken away no further than their neighbours let expect, so that an octave stays.
pub(super) fn voices(spectrum: &[Complex32], voices: &mut Vec<Voice>) {
    voices.clear();
    let mut peaks = peaks(spectrum);
    let mut strongest = 0.0;
    for _ in 0..VOICES {
        let Some((pitch, salience)) = best_pitch(&peaks) else { return };
        if salience < MIN_SHARE * strongest {
            return;
        }
        strongest = salience.max(strongest);
        take_away(&mut peaks, frequency_hz(pitch));
        if voices.iter().all(|voice| usize::from(voice.pitch) != pitch) {
            voices.push(Voice { pitch: pitch as u8, salience });
        }
    }
}

fn frequency_hz(pitch: usize) -> f32 {
    440.0 * (((pitch + LOWEST_PITCH) as f32 - 69.0) / 12.0).exp2()
}

fn peaks(spectrum: &[Complex32]) -> Vec<Peak> {
    const SCALE: f32 = 4.0 / WINDOW_SAMPLES as f32;
    const HIGHEST_HZ: f32 = 8000.0;
    let bins = ((HIGHEST_HZ / BIN_HZ) as usize).min(spectrum.len() - 1);
    let magnitudes: Vec<f32> = spectrum[..=bins].iter().map(|bin| bin.norm() * SCALE).collect();
    let strongest = magnitudes.iter().copied().fold(0.0, f32::max);
    if strongest < SILENCE {
        return Vec::new();
    }
    (6..bins)
        .filter_map(|bin| {
            let [left, centre, right] = [magnitudes[bin - 1], magnitudes[bin], magnitudes[bin + 1]];
            if centre <= left || centre < right || centre < PEAK_RANGE * strongest {
                return None;
            }
            let [a, b, c] = [left, centre, right].map(|magnitude| (magnitude + 1e-9).ln());
            let curvature = a - 2.0 * b + c;
            let shift = if curvature < -1e-6 { 0.5 * (a - c) / curvature } else { 0.0 };
            Some(Peak { hz: (bin as f32 + shift) * BIN_HZ, strength: centre.powf(WHITENING) })
        })
        .collect()
}

/// How much a partial counts for its fundamental.
fn weight(fundamental_hz: f32, number: usize) -> f32 {
    (fundamental_hz + 52.0) / (number as f32 * fundamental_hz + 320.0)
}

/// The strongest peak where a partial is expected.
fn partial(peaks: &[Peak], hz: f32) -> Option<usize> {
    // Low partials are placed no better than the window allows.
    let (low, high) = ((hz / TOLERANCE).min(hz - 0.6 * BIN_HZ), (hz * TOLERANCE).max(hz + 0.6 * BIN_HZ));
    let first = peaks.partition_point(|peak| peak.hz < low);
    (first..peaks.len())
        .take_while(|&n| peaks[n].hz <= high)
        .max_by(|&a, &b| peaks[a].strength.total_cmp(&peaks[b].strength))
}

fn best_pitch(peaks: &[Peak]) -> Option<(usize, f32)> {
    let mut best = None;
    let mut most = 0.0;
    for pitch in 0..PITCHES {
        let fundamental_hz = frequency_hz(pitch);
        let Some(first) = partial(peaks, fundamental_hz) else { continue };
        if peaks[first].strength <= 0.0 {
            continue;
        }
        let salience: f32 = (1..=PARTIALS)
            .filter_map(|number| {
                let peak = partial(peaks, number as f32 * fundamental_hz)?;
                Some(weight(fundamental_hz, number) * peaks[peak].strength)
            })
            .sum();
        if salience > most {
            (best, most) = (Some((pitch, salience)), salience);
        }
    }
    best
}

fn take_away(peaks: &mut [Peak], fundamental_hz: f32) {
    let places: [Option<usize>; PARTIALS] =
        std::array::from_fn(|n| partial(peaks, (n + 1) as f32 * fundamental_hz));
    let strengths = places.map(|place| place.map_or(0.0, |place| peaks[place].strength));
    for (n, place) in places.iter().enumerate() {
        let Some(place) = *place else { continue };
        let near = &strengths[n.saturating_sub(1)..(n + 2).min(PARTIALS)];
        let expected = near.iter().sum::<f32>() / near.len() as f32;
        // The fundamental itself goes: the same note is not played twice.
        let taken = if n == 0 { strengths[0] } else { strengths[n].min(expected) };
        peaks[place].strength = (peaks[place].strength - taken).max(0.0);
    }
}
