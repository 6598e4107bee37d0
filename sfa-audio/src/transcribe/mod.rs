//! What was played, as notes.
//!
//! Meant for stems: a bass or a voice is followed by its one pitch ([`Pyin`]), other instruments by the pitches that
//! explain their overtones best, drums by what is struck.

mod melody;
mod onsets;
mod polyphony;
mod pyin;
mod salience;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::analyze::{AnalyzeOptions, DrumHit, DrumKind, Feature, analyze, make_finite};
use crate::dsp::resample::Resampler;
use crate::{AudioSource, AudioSpec, Clip, Result, Stage, Watch};

use melody::MelodyTracker;
use polyphony::PolyphonyTracker;
pub use pyin::{PitchFrame, Pyin, PyinOptions};

/// The rate at which pitches are measured.
const RATE_HZ: u32 = 22_050;
/// 11.6 ms between two looks at the signal.
const HOP_SAMPLES: usize = 256;
const HOP_SECS: f64 = HOP_SAMPLES as f64 / RATE_HZ as f64;

/// What a recording holds, and so how its notes are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TranscribeKind {
    /// One bass: one note at a time between 30 and 400 Hz.
    Bass,
    /// One voice: one note at a time between 65 and 1050 Hz.
    Vocals,
    /// Anything pitched, up to six notes at a time between A1 and C7.
    Other,
    /// Drums; pitches are keys of General MIDI's percussion map.
    Drums,
}

/// One note.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Note {
    /// When it starts, in seconds from the first decoded frame.
    pub start_secs: f64,
    /// When it ends.
    pub end_secs: f64,
    /// MIDI's note number: 69 is A4. The song's own tuning is taken out.
    pub pitch: u8,
    /// `1..=127`: how loud it is within the recording, 20 dB below the loudest at 32.
    pub velocity: u8,
    /// `0.0..=1.0`: how clearly it was heard.
    pub confidence: f32,
}

/// Writes down the notes of `source`, from where it stands to its end, in order of time.
///
/// Progress is [`Stage::Analyze`] in frames of the source. Memory grows with the number of notes and by about 3 MB for
/// each minute.
///
/// ```
/// use sfa_audio::transcribe::{TranscribeKind, transcribe};
/// use sfa_audio::{Clip, Watch};
///
/// let tone = (0..44_100).map(|n| (n as f32 * 0.0157).sin() * 0.5).collect();
/// let clip = Clip::from_channels(44_100, vec![tone])?;
/// let notes = transcribe(&mut clip.source(), TranscribeKind::Bass, &Watch::new())?;
/// assert_eq!(notes[0].pitch, 45); // A2, 110 Hz
/// # Ok::<(), sfa_audio::Error>(())
/// ```
///
/// # Errors
/// Those of [`AudioSource::read`], and `Cancelled` when `watch` is stopped.
pub fn transcribe(source: &mut dyn AudioSource, kind: TranscribeKind, watch: &Watch) -> Result<Vec<Note>> {
    match kind {
        TranscribeKind::Bass => {
            let mut tracker = MelodyTracker::new(30.0, 400.0);
            hear(source, watch, |samples| tracker.push(samples))?;
            Ok(tracker.finish())
        }
        TranscribeKind::Vocals => {
            let mut tracker = MelodyTracker::new(65.0, 1050.0);
            hear(source, watch, |samples| tracker.push(samples))?;
            Ok(tracker.finish())
        }
        TranscribeKind::Other => {
            let mut tracker = PolyphonyTracker::new();
            hear(source, watch, |samples| tracker.push(samples))?;
            Ok(tracker.finish())
        }
        TranscribeKind::Drums => {
            let options = AnalyzeOptions::default().features([Feature::Drums]);
            let hits = analyze(source, &options, watch)?.drums.unwrap_or_default();
            Ok(hits.iter().map(drum_note).collect())
        }
    }
}

/// A hit as General MIDI has it.
fn drum_note(hit: &DrumHit) -> Note {
    /// Percussion does not ring by its note's length; long enough for any sampler to notice.
    const LENGTH_SECS: f64 = 0.06;
    let pitch = match hit.kind {
        DrumKind::Kick => 36,
        DrumKind::Perc => 37,
        DrumKind::Snare => 38,
        DrumKind::Clap => 39,
        DrumKind::Hat => 42,
    };
    Note {
        start_secs: hit.time_secs,
        end_secs: hit.time_secs + LENGTH_SECS,
        pitch,
        velocity: 100,
        confidence: hit.confidence,
    }
}

/// Feeds `sink` with one channel at [`RATE_HZ`].
fn hear(source: &mut dyn AudioSource, watch: &Watch, mut sink: impl FnMut(&[f32])) -> Result<()> {
    let spec = source.spec();
    let total = source.frames_hint().unwrap_or(0);
    let mut resampler = Resampler::new(spec.sample_rate_hz, RATE_HZ, 1)?;
    let mut block = Clip::empty(spec);
    let mut converted = Clip::empty(AudioSpec::new(RATE_HZ, 1)?);
    let mut native = Vec::new();
    let mut frames = 0;
    watch.report(Stage::Analyze, 0, total)?;
    while source.read(&mut block)? > 0 {
        frames += block.frames() as u64;
        make_finite(&mut block);
        native.clear();
        block.downmix_into(&mut native);
        converted.clear();
        resampler.push(&[&native], &mut converted)?;
        sink(&converted.channels()[0]);
        watch.report(Stage::Analyze, frames, total.max(frames))?;
    }
    converted.clear();
    resampler.finish(&mut converted)?;
    sink(&converted.channels()[0]);
    Ok(())
}

/// Velocities from levels in decibels, the loudest at 127.
fn velocities(levels_db: &[f32]) -> Vec<u8> {
    let loudest = levels_db.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    levels_db.iter().map(|level| (127.0 + 4.75 * (level - loudest)).round().clamp(1.0, 127.0) as u8).collect()
}
