//! Notes we play ourselves, and how they are compared with notes that were found.

use std::f64::consts::TAU;

use sfa_audio::transcribe::{Note, TranscribeKind, transcribe};
use sfa_audio::{Clip, Watch};

pub(crate) const RATE_HZ: u32 = 44_100;

/// Start and length in seconds, and MIDI number.
pub(crate) type Played = (f64, f64, u8);

/// Plucked notes with eight partials.
pub(crate) fn pluck(notes: &[Played], secs: f64, cents: f64) -> Clip {
    let rate = f64::from(RATE_HZ);
    let mut samples = vec![0.0f32; (secs * rate) as usize];
    for &(start, length, pitch) in notes {
        let hz = 440.0 * 2f64.powf((f64::from(pitch) - 69.0 + cents / 100.0) / 12.0);
        let first = (start * rate) as usize;
        for (n, out) in samples.iter_mut().skip(first).take((length * rate) as usize).enumerate() {
            let (since, left) = (n as f64 / rate, length - n as f64 / rate);
            let envelope = (since / 0.004).min(1.0) * (left / 0.02).min(1.0) * (-2.0 * since).exp();
            let wave: f64 = (1..=8).map(|k| (TAU * hz * f64::from(k) * since).sin() / f64::from(k)).sum();
            *out += (0.15 * envelope * wave) as f32;
        }
    }
    Clip::from_channels(RATE_HZ, vec![samples]).unwrap()
}

pub(crate) fn notes_of(clip: &Clip, kind: TranscribeKind) -> Vec<Note> {
    transcribe(&mut clip.source(), kind, &Watch::new()).expect("nobody stops it")
}

/// Harmonic mean of precision and recall: the right pitch within 50 ms, one to one.
pub(crate) fn f_measure(truth: &[Played], found: &[Note]) -> f64 {
    let mut free: Vec<&Note> = found.iter().collect();
    let mut matched = 0;
    for &(start, _, pitch) in truth {
        let near = |note: &&Note| note.pitch == pitch && (note.start_secs - start).abs() <= 0.05;
        if let Some(place) = free.iter().position(near) {
            free.remove(place);
            matched += 1;
        }
    }
    2.0 * f64::from(matched) / (truth.len() + found.len()).max(1) as f64
}

/// What every list of notes keeps.
pub(crate) fn assert_sane(notes: &[Note]) {
    assert!(notes.is_sorted_by(|a, b| a.start_secs <= b.start_secs), "{notes:?}");
    for note in notes {
        assert!(note.end_secs > note.start_secs && note.start_secs >= 0.0, "{note:?}");
        assert!((0.0..=1.0).contains(&note.confidence) && (1..=127).contains(&note.velocity), "{note:?}");
    }
}
