//! Splitting a mix into stems: the [`Separator`] seam and the engine that always works.

pub mod classic;
pub mod demucs;
pub mod python;
mod quality;

use std::fmt;
use std::str::FromStr;

pub use quality::{QualityMeter, SeparationQuality, StemBleed};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AudioSource, Clip, Error, ErrorKind, Result, Watch};

/// One source of a mix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the words are the field's own")]
pub enum StemKind {
    Drums,
    Bass,
    Other,
    Vocals,
    Guitar,
    Piano,
    NoDrums,
    NoBass,
    NoOther,
    NoVocals,
    NoGuitar,
    NoPiano,
}

impl StemKind {
    /// Every kind: the sources, then what is left of a mix without each of them, in the same order.
    pub const ALL: [Self; 12] = [
        Self::Drums,
        Self::Bass,
        Self::Other,
        Self::Vocals,
        Self::Guitar,
        Self::Piano,
        Self::NoDrums,
        Self::NoBass,
        Self::NoOther,
        Self::NoVocals,
        Self::NoGuitar,
        Self::NoPiano,
    ];
    /// The sources, in the order in which all official models have them.
    pub(crate) const SOURCES: [Self; 6] = {
        let [drums, bass, other, vocals, guitar, piano, ..] = Self::ALL;
        [drums, bass, other, vocals, guitar, piano]
    };

    /// The name in file names, JSON and logs; what is left without a source is called `no_` and its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Drums => "drums",
            Self::Bass => "bass",
            Self::Other => "other",
            Self::Vocals => "vocals",
            Self::Guitar => "guitar",
            Self::Piano => "piano",
            Self::NoDrums => "no_drums",
            Self::NoBass => "no_bass",
            Self::NoOther => "no_other",
            Self::NoVocals => "no_vocals",
            Self::NoGuitar => "no_guitar",
            Self::NoPiano => "no_piano",
        }
    }

    /// What makes a whole mix together with this kind: for a source all the rest, and the other way round.
    #[must_use]
    pub fn complement(self) -> Self {
        let place = Self::ALL.iter().position(|&kind| kind == self).expect("all kinds are listed");
        Self::ALL[(place + Self::SOURCES.len()) % Self::ALL.len()]
    }
}

impl FromStr for StemKind {
    type Err = Error;

    /// Reads a [`name`](Self::name).
    ///
    /// # Errors
    /// `InvalidOption` listing the names there are.
    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Error::new(ErrorKind::InvalidOption, format!("there is no stem {name:?}; there are {names}"))
        })
    }
}

impl fmt::Display for StemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who separates, and what may be expected of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct EngineInfo {
    /// The name that selects the engine, for example "classic".
    pub name: &'static str,
    /// One honest line for people: what it is and how good.
    pub description: &'static str,
    /// The stems it makes, in output order.
    pub stems: &'static [StemKind],
}

impl EngineInfo {
    /// An engine called `name` that makes `stems`, in output order.
    pub fn new(name: &'static str, description: &'static str, stems: &'static [StemKind]) -> Self {
        Self { name, description, stems }
    }
}

/// Splits a mix into stems.
///
/// Callers may rely on: every stem has the mix's length, rate and channel count; silence in gives silence out;
/// the same input gives the same output.
pub trait Separator: Send + Sync {
    /// Name, description and stems.
    fn info(&self) -> &EngineInfo;

    /// The largest absolute difference between the sum of all stems and the mix, as a share of the mix's peak,
    /// that the engine promises; `None` where stems are estimated independently.
    fn sum_error_bound(&self) -> Option<f32>;

    /// Separates all of `mix` from its start and hands the stems to `sink` block by block.
    ///
    /// # Errors
    /// `Cancelled` when `watch` is stopped; otherwise what `mix` or `sink` returned.
    ///
    /// # For implementers
    /// Rewind `mix` before reading it; it may be read more than once. Call [`Watch::report`] with
    /// [`Stage::Separate`](crate::Stage::Separate) at least once per second of work and return its error
    /// unchanged. Memory must not grow with the length of the mix beyond compact features.
    fn separate_into(&self, mix: &mut dyn AudioSource, sink: &mut dyn StemSink, watch: &Watch) -> Result<()>;

    /// Separates a clip in memory.
    ///
    /// # Errors
    /// As [`separate_into`](Self::separate_into).
    fn separate(&self, mix: &Clip, watch: &Watch) -> Result<Stems> {
        let kinds = self.info().stems;
        let mut stems = Stems { stems: kinds.iter().map(|&kind| (kind, Clip::empty(mix.spec()))).collect() };
        self.separate_into(&mut mix.source(), &mut stems, watch)?;
        Ok(stems)
    }
}

/// Takes stems as they are made.
pub trait StemSink {
    /// Takes the next frames: one clip per stem in the engine's order, all equally long.
    ///
    /// # Errors
    /// Whatever the sink meets; the engine stops and returns it unchanged.
    fn write(&mut self, blocks: &[Clip]) -> Result<()>;
}

/// Stems in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Stems {
    stems: Vec<(StemKind, Clip)>,
}

impl Stems {
    /// Every stem in the engine's order.
    pub fn iter(&self) -> impl Iterator<Item = (StemKind, &Clip)> {
        self.stems.iter().map(|(kind, clip)| (*kind, clip))
    }

    /// The stem of one kind.
    pub fn get(&self, kind: StemKind) -> Option<&Clip> {
        self.iter().find_map(|(found, clip)| (found == kind).then_some(clip))
    }
}

impl StemSink for Stems {
    fn write(&mut self, blocks: &[Clip]) -> Result<()> {
        for ((_, clip), block) in self.stems.iter_mut().zip(blocks) {
            clip.append(block);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_complements_pair_up() {
        for kind in StemKind::ALL {
            assert_eq!(kind.name().parse::<StemKind>().unwrap(), kind);
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            assert_eq!(kind.complement().complement(), kind);
        }
        assert_eq!(StemKind::Vocals.complement(), StemKind::NoVocals);
        assert!("strings".parse::<StemKind>().unwrap_err().message().contains("no_piano"));
    }
}
