//! What collectors hear of a block: one channel, at the rates they work at.

use pulp::{Arch, Simd, WithSimd};

use super::ANALYSIS_RATE_HZ;
use crate::dsp::Decimator;
use crate::dsp::resample::Resampler;
use crate::{AudioSpec, Clip, Result};

/// Samples beyond ±1000 (+60 dBFS) are damage, not music: they would drown everything else in every mean.
const LOUDEST_SAMPLE: f32 = 1000.0;

/// What divides [`ANALYSIS_RATE_HZ`] to give [`SLOW_RATE_HZ`].
pub(crate) const SLOW_FACTOR: usize = 4;
/// The rate at which pitch is heard: everything to be heard lies below 2.7 kHz.
pub(crate) const SLOW_RATE_HZ: f64 = ANALYSIS_RATE_HZ as f64 / SLOW_FACTOR as f64;

/// The next samples of one channel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heard<'a> {
    /// At [`ANALYSIS_RATE_HZ`].
    pub(crate) mono: &'a [f32],
    /// At [`SLOW_RATE_HZ`], those that the samples above complete; nothing where nobody listens.
    pub(crate) slow: &'a [f32],
}

/// Makes [`Heard`] of one channel at [`ANALYSIS_RATE_HZ`].
#[derive(Debug)]
pub(crate) struct Ear {
    decimator: Option<Decimator<SLOW_FACTOR>>,
    slow: Vec<f32>,
}

impl Ear {
    pub(crate) fn new(want_slow: bool) -> Self {
        Self { decimator: want_slow.then(Decimator::new), slow: Vec::new() }
    }

    /// Takes the next samples.
    pub(crate) fn hear<'a>(&'a mut self, mono: &'a [f32]) -> Heard<'a> {
        self.slow.clear();
        if let Some(decimator) = &mut self.decimator {
            decimator.push(mono, &mut self.slow);
        }
        Heard { mono, slow: &self.slow }
    }

    /// What the filter still holds.
    pub(crate) fn finish(&mut self) -> Heard<'_> {
        self.slow.clear();
        if let Some(decimator) = self.decimator.take() {
            decimator.finish(&mut self.slow);
        }
        Heard { mono: &[], slow: &self.slow }
    }
}

/// Makes one channel at [`ANALYSIS_RATE_HZ`] of blocks of any spec.
pub(super) struct MonoFeed {
    /// `None` where the rate is right as it is.
    resampler: Option<Resampler>,
    native: Vec<f32>,
    converted: Clip,
}

impl MonoFeed {
    pub(super) fn new(spec: AudioSpec) -> Result<Self> {
        Ok(Self {
            resampler: (spec.sample_rate_hz != ANALYSIS_RATE_HZ)
                .then(|| Resampler::new(spec.sample_rate_hz, ANALYSIS_RATE_HZ, 1))
                .transpose()?,
            native: Vec::new(),
            converted: Clip::empty(AudioSpec::new(ANALYSIS_RATE_HZ, 1)?),
        })
    }

    pub(super) fn convert(&mut self, block: &Clip) -> Result<&[f32]> {
        self.native.clear();
        block.downmix_into(&mut self.native);
        match &mut self.resampler {
            Some(resampler) => resampled(resampler, &self.native, &mut self.converted),
            None => Ok(&self.native),
        }
    }

    /// The same of what is one channel already.
    pub(super) fn convert_mono<'a>(&'a mut self, native: &'a [f32]) -> Result<&'a [f32]> {
        match &mut self.resampler {
            Some(resampler) => resampled(resampler, native, &mut self.converted),
            None => Ok(native),
        }
    }

    /// What the resampler still holds.
    pub(super) fn finish(&mut self) -> Result<&[f32]> {
        self.converted.clear();
        if let Some(resampler) = &mut self.resampler {
            resampler.finish(&mut self.converted)?;
        }
        Ok(&self.converted.channels()[0])
    }
}

fn resampled<'a>(resampler: &mut Resampler, native: &[f32], converted: &'a mut Clip) -> Result<&'a [f32]> {
    converted.clear();
    resampler.push(&[native], converted)?;
    Ok(&converted.channels()[0])
}

/// Makes damage harmless: what is no number is silence, what is far too loud is cut.
pub(crate) fn make_finite(block: &mut Clip) {
    block.channels_mut().for_each(|samples| Arch::new().dispatch(MakeFinite(samples)));
}

struct MakeFinite<'a>(&'a mut [f32]);

impl WithSimd for MakeFinite<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for sample in self.0 {
            *sample = if sample.is_nan() { 0.0 } else { sample.clamp(-LOUDEST_SAMPLE, LOUDEST_SAMPLE) };
        }
    }
}
