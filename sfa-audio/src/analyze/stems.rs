//! Stems beside the mix: what hears one instrument alone is not misled by the others.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::feed::{Ear, Heard, MonoFeed, make_finite};
use super::rhythm::RhythmFeatures;
use crate::{AudioSource, Clip, Result, Watch};

/// The stems of a song, those that there are; each as long as the mix, at any rate.
#[derive(Default)]
pub struct StemSources<'a> {
    /// The drums alone: beats are placed by them.
    pub drums: Option<&'a mut dyn AudioSource>,
    /// The bass alone: with [`other`](Self::other) the key is read from it.
    pub bass: Option<&'a mut dyn AudioSource>,
    /// What is neither drums, bass nor voice.
    pub other: Option<&'a mut dyn AudioSource>,
    /// The voices alone: where somebody sings is read from their level.
    pub vocals: Option<&'a mut dyn AudioSource>,
}

impl std::fmt::Debug for StemSources<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StemSources")
            .field("drums", &self.drums.is_some())
            .field("bass", &self.bass.is_some())
            .field("other", &self.other.is_some())
            .field("vocals", &self.vocals.is_some())
            .finish()
    }
}

/// What was read from stems instead of from the mix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StemUse {
    /// Beats, from the drums.
    BeatsFromDrums,
    /// Drum hits, from the drums.
    HitsFromDrums,
    /// Key, tuning and chroma, from bass and other together.
    KeyFromBassAndOther,
    /// Where somebody sings, from the vocals.
    VocalsFromVocals,
}

/// Feeds the sum of `sources`, from where they stand to the end of the longest, as one channel.
pub(super) fn hear_sum(
    sources: &mut [&mut dyn AudioSource],
    watch: &Watch,
    mut eat: impl FnMut(Heard<'_>),
) -> Result<()> {
    let mut feeds = sources.iter().map(|source| MonoFeed::new(source.spec())).collect::<Result<Vec<_>>>()?;
    let mut pending: Vec<Vec<f32>> = vec![Vec::new(); sources.len()];
    let mut ended = vec![false; sources.len()];
    let mut ear = Ear::new(true);
    while ended.iter().any(|&ended| !ended) {
        watch.checkpoint()?;
        for (index, source) in sources.iter_mut().enumerate() {
            if ended[index] {
                continue;
            }
            let mut block = Clip::empty(source.spec());
            if source.read(&mut block)? > 0 {
                make_finite(&mut block);
                pending[index].extend_from_slice(feeds[index].convert(&block)?);
            } else {
                pending[index].extend_from_slice(feeds[index].finish()?);
                ended[index] = true;
            }
        }
        let live = pending.iter().zip(&ended).filter(|&(_, &ended)| !ended).map(|(samples, _)| samples.len());
        let ready = live.min().unwrap_or_else(|| pending.iter().map(Vec::len).max().unwrap_or(0));
        let mut sum = vec![0.0; ready];
        for samples in &mut pending {
            let count = ready.min(samples.len());
            sum.iter_mut().zip(samples.drain(..count)).for_each(|(sum, sample)| *sum += sample);
        }
        eat(ear.hear(&sum));
    }
    eat(ear.finish());
    Ok(())
}

/// The rhythm of the mix with onsets and powers heard in its drums, or `None` where the drums rest for so long that
/// the mix says more.
pub(super) fn with_drums(mix: &RhythmFeatures, drums: &RhythmFeatures) -> Option<RhythmFeatures> {
    /// How far below the mix drums are still heard.
    const HEARD_SHARE: f32 = 1e-3;
    /// Share of the seconds with music in which drums must be heard.
    const LEAST_SHARE: f64 = 0.5;
    /// Power that is no music, about -70 dB.
    const SILENCE: f32 = 1e-7;
    const FRAMES_PER_SEC: usize = 100;

    let frames = mix.frames().min(drums.frames());
    let power = |features: &RhythmFeatures, first: usize| -> f32 {
        let end = (first + FRAMES_PER_SEC).min(frames);
        let sum: f32 = features.powers.iter().map(|band| band[first..end].iter().sum::<f32>()).sum();
        sum / (end - first) as f32
    };
    let (mut music, mut heard) = (0, 0);
    for first in (0..frames).step_by(FRAMES_PER_SEC) {
        let whole = power(mix, first);
        if whole > SILENCE {
            music += 1;
            heard += usize::from(power(drums, first) > HEARD_SHARE * whole);
        }
    }
    (music > 0 && heard as f64 >= LEAST_SHARE * f64::from(music)).then(|| {
        let mut features = RhythmFeatures { chroma: mix.chroma.clone(), ..drums.clone() };
        let same_length = |trace: &mut Vec<f32>, length: usize| trace.resize(length, 0.0);
        features.onsets.iter_mut().for_each(|trace| same_length(trace, mix.frames()));
        features.powers.iter_mut().for_each(|trace| same_length(trace, mix.frames()));
        same_length(&mut features.attacks, mix.attacks.len());
        features.duration_secs = mix.duration_secs;
        features
    })
}
