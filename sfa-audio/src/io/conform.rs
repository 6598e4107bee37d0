//! Frames of one shape made into another, for files that change their mind half way.

use crate::dsp::resample::Resampler;
use crate::{AudioSpec, Clip, Result};

/// Converts channel count and rate of consecutive frames.
pub(super) struct Conform {
    from: AudioSpec,
    to: AudioSpec,
    resampler: Option<Resampler>,
}

impl Conform {
    /// # Errors
    /// As [`AudioSpec::new`] for a `from` that is out of bounds.
    pub(super) fn new(from: AudioSpec, to: AudioSpec) -> Result<Self> {
        let from = AudioSpec::new(from.sample_rate_hz, from.channels)?;
        let resampler = (from.sample_rate_hz != to.sample_rate_hz)
            .then(|| Resampler::new(from.sample_rate_hz, to.sample_rate_hz, to.channels))
            .transpose()?;
        Ok(Self { from, to, resampler })
    }

    pub(super) fn from(&self) -> AudioSpec {
        self.from
    }

    /// Appends what `planes` become to `out`.
    pub(super) fn push(&mut self, planes: &[Vec<f32>], out: &mut Clip) -> Result<()> {
        let frames = planes.first().map_or(0, Vec::len);
        let mut mapped = Clip::silence(self.to, frames);
        match planes {
            [mono] => mapped.channels_mut().for_each(|channel| channel.copy_from_slice(mono)),
            _ if self.to.channels == 1 => {
                let mixed = Clip::from_channels(self.from.sample_rate_hz, planes.to_vec())?.downmix();
                mapped.channels_mut().for_each(|channel| channel.copy_from_slice(&mixed));
            }
            _ => mapped.channels_mut().zip(planes).for_each(|(to, from)| to.copy_from_slice(from)),
        }
        match &mut self.resampler {
            Some(resampler) => resampler.push(mapped.channels(), out),
            None => {
                out.append(&mapped);
                Ok(())
            }
        }
    }

    /// Appends what is still inside.
    pub(super) fn finish(self, out: &mut Clip) -> Result<()> {
        self.resampler.map_or(Ok(()), |mut resampler| resampler.finish(out))
    }
}
