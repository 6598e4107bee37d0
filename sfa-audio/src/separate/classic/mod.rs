//! Training-free separation: quick preview quality, no model needed.
//!
//! The mix lies on a `Tape` of which one stretch after the other is looked at: `Features` of its short-time
//! spectra go to `estimate`, which says what share of every bin belongs to which stem, and the `Renderer`
//! applies these masks to every channel. One stem is the mix less all others, so that stems add up to the mix.

mod bass;
mod drums;
mod estimate;
mod features;
mod grid;
mod hits;
mod pitch;
mod progress;
mod render;
mod repeat;
mod scale;
mod tape;
mod voice;

use features::Features;
use progress::Meter;
use render::{Masks, Renderer};
use scale::Scale;
use tape::Tape;

use super::{EngineInfo, Separator, StemKind, StemSink};
use crate::{AudioSource, Clip, Result, Watch};

/// In output order.
const STEMS: [StemKind; 4] = [StemKind::Drums, StemKind::Bass, StemKind::Other, StemKind::Vocals];

/// The stem in [`STEMS`] that is the mix less all others.
const REMAINDER: usize = 2;

/// How much is looked at together: repetitions are searched within it.
const STRETCH_SECS: f64 = 60.0;
/// Stretches share this much, over which one fades into the next.
const OVERLAP_SECS: f64 = 3.0;
/// A last stretch shorter than this becomes part of the one before.
const LAST_SECS: f64 = 20.0;
/// Stems are handed out in blocks of this length.
const BLOCK_SECS: f64 = 0.5;
/// Many channels at a high rate are worked on in shorter stretches, so that a stretch has at most this many
/// samples.
const STRETCH_SAMPLES: usize = 32 << 20;

/// Splits any mix into drums, bass, other and vocals without a trained model.
///
/// A rough preview: expect the stems to bleed into each other.
#[derive(Debug, Clone)]
pub struct Classic {
    info: EngineInfo,
}

impl Classic {
    /// The engine; it has no options.
    pub fn new() -> Self {
        Self {
            info: EngineInfo {
                name: "classic",
                description: "classic: quick preview quality, no model needed; a rough split, expect bleed between the stems",
                stems: &STEMS,
            },
        }
    }
}

impl Default for Classic {
    fn default() -> Self {
        Self::new()
    }
}

impl Separator for Classic {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn sum_error_bound(&self) -> Option<f32> {
        // The remainder is a difference and the sum takes it back: a few roundings of 2^-24.
        Some(2e-6)
    }

    fn separate_into(&self, mix: &mut dyn AudioSource, sink: &mut dyn StemSink, watch: &Watch) -> Result<()> {
        mix.rewind()?;
        let spec = mix.spec();
        let scale = Scale::new(spec.sample_rate_hz);
        let samples_per_row = scale.hop_frames * spec.channels;
        let stretch_rows = scale.rows(STRETCH_SECS).min(STRETCH_SAMPLES / samples_per_row);
        let overlap_rows = scale.rows(OVERLAP_SECS).min(stretch_rows / 4);
        let block_rows = scale.rows(BLOCK_SECS).max(1);
        let last_rows = scale.rows(LAST_SECS).min(stretch_rows / 2);

        let mut meter = Meter::new(watch, mix.frames_hint());
        let mut tape = Tape::new(spec, scale);
        let mut renderer = Renderer::new(spec, &scale);
        let mut block = Clip::empty(spec);
        let mut earlier: Option<Masks> = None;
        let mut ended = false;
        while !ended {
            while !ended && tape.rows() < stretch_rows + last_rows {
                ended = mix.read(&mut block)? == 0;
                if !ended {
                    tape.append(&block);
                    meter.read(block.frames())?;
                }
            }
            if ended {
                tape.end();
            }
            let rows = if ended { tape.rows() } else { stretch_rows };
            let finished = if ended { rows } else { rows - overlap_rows };

            let features = Features::measure(&tape, &scale, rows);
            let step_frames = finished * scale.hop_frames / estimate::STEPS;
            let mut masks = estimate::masks(&features, &scale, &mut || meter.estimated(step_frames))?;
            drop(features);
            if let Some(earlier) = &earlier {
                masks.fade_from(earlier);
            }
            for start in (0..finished).step_by(block_rows) {
                let block = start..(start + block_rows).min(finished);
                let stems = renderer.render(&tape, &masks, block.clone());
                if !stems[0].is_empty() {
                    sink.write(&stems)?;
                }
                meter.rendered(block.len() * scale.hop_frames)?;
            }
            earlier = Some(masks.rows_from(finished));
            tape.drop_rows_before(finished);
        }
        meter.finish()
    }
}
