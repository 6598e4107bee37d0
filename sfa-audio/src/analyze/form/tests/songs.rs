//! Songs made of bars of kick, bass, chord, hat and riser, and the rhythm that they have.

use serde_json::json;

use crate::analyze::timbre::TimbreFeatures;
use crate::analyze::{Analysis, Form, Rhythm, form};
use crate::{Result, Watch};

const RATE_HZ: f64 = 44_100.0;
/// 120 beats per minute in fours.
pub(super) const BAR_SECS: f64 = 2.0;

/// What sounds in a bar, each as a gain.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sound {
    pub(super) kick: f64,
    pub(super) bass: f64,
    pub(super) chord: f64,
    pub(super) hat: f64,
    /// Noise that swells from nothing to this over the whole part.
    pub(super) riser: f64,
}

/// The samples of `parts`, each a number of bars and what sounds in them.
pub(super) fn render(parts: &[(usize, Sound)]) -> Vec<f32> {
    let mut samples = Vec::new();
    let mut noise = 0x2545_f491_u32;
    for &(bars, sound) in parts {
        let frames = (bars as f64 * BAR_SECS * RATE_HZ) as usize;
        for frame in 0..frames {
            let time = frame as f64 / RATE_HZ;
            let (beat, half_beat) = (time % 0.5, (time + 0.25) % 0.5);
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let hiss = f64::from(noise >> 8) / f64::from(1 << 23) - 1.0;
            let tone = |hz: f64| (std::f64::consts::TAU * hz * time).sin();
            let chord_hz = if ((time / BAR_SECS) as usize).is_multiple_of(2) { 220.0 } else { 262.0 };
            let sum = sound.kick * tone(55.0) * (-beat * 12.0).exp()
                + sound.bass * tone(82.0) * 0.5
                + sound.chord * (tone(chord_hz) + tone(chord_hz * 1.5) + tone(chord_hz * 4.0)) * 0.1
                + sound.hat * hiss * (-half_beat * 40.0).exp() * 0.3
                + sound.riser * hiss * (frame as f64 / frames as f64).powi(2) * 0.5;
            samples.push((sum * 0.5) as f32);
        }
    }
    samples
}

/// A grid of bars in fours that fills `duration_secs`.
pub(super) fn steady_rhythm(duration_secs: f64) -> Rhythm {
    let beat_secs = BAR_SECS / 4.0;
    let times = (0..(duration_secs / beat_secs) as usize).map(|beat| beat as f64 * beat_secs);
    rhythm(&times.collect::<Vec<_>>(), 4, 0)
}

/// A rhythm from beats, of which the one at `first_downbeat` starts a bar.
pub(super) fn rhythm(beats: &[f64], beats_per_bar: usize, first_downbeat: usize) -> Rhythm {
    let position = |beat: usize| (beat + beats_per_bar - first_downbeat % beats_per_bar) % beats_per_bar + 1;
    let beats: Vec<_> = beats
        .iter()
        .enumerate()
        .map(|(beat, time)| json!({"time_secs": time, "bar_position": position(beat)}))
        .collect();
    serde_json::from_value(json!({
        "tempo": {"bpm": 120.0, "confidence": 1.0, "alternatives": [], "is_constant": true},
        "meter": {"beats_per_bar": beats_per_bar, "beat_unit": 4, "confidence": 1.0},
        "beats": beats,
        "grid": []
    }))
    .expect("the words of the schema")
}

pub(super) fn find(samples: &[f32], rhythm: Option<&Rhythm>) -> Result<Form> {
    let timbre = TimbreFeatures::of_samples(samples, 4096);
    form::find(&timbre, None, rhythm, None, samples.len() as f64 / RATE_HZ, &Watch::new())
}

/// What cues are made from.
pub(super) fn analysis(form: Form, rhythm: Option<Rhythm>, duration_secs: f64) -> Analysis {
    let mut analysis: Analysis = serde_json::from_value(json!({
        "duration_secs": duration_secs, "sample_rate_hz": 44_100, "channels": 1, "features": []
    }))
    .expect("the words of the schema");
    analysis.form = Some(form);
    analysis.rhythm = rhythm;
    analysis
}
