//! Which stems are written: all, some, or one and the rest.

use std::collections::VecDeque;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sfa_audio::separate::{QualityMeter, SeparationQuality, StemSink};

use crate::{AudioSource, Clip, Error, ErrorKind, Result, StemKind};

/// The stems that a caller wants.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StemSelection {
    /// Everything that the engine makes.
    #[default]
    All,
    /// These alone. What is left without a source, such as [`StemKind::NoVocals`], is the mix minus that source.
    Only(Vec<StemKind>),
    /// One source and the rest of the mix in one.
    Two {
        /// The source.
        stem: StemKind,
        /// How the rest is made.
        rest: Rest,
    },
}

/// How the rest of a mix is made from stems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rest {
    /// All other stems are added up.
    #[default]
    Add,
    /// The one stem is subtracted from the mix: both together are the mix exactly, and no other stem is needed.
    Minus,
}

impl StemSelection {
    /// The stems that an engine must make for it; all of them where `None`.
    pub(crate) fn needed(&self) -> Option<Vec<StemKind>> {
        match self {
            Self::All | Self::Two { rest: Rest::Add, .. } => None,
            Self::Only(kinds) => Some(kinds.iter().map(|&kind| source_of(kind)).collect()),
            Self::Two { stem, rest: Rest::Minus } => Some(vec![*stem]),
        }
    }

    /// Whether the stems that an engine makes for it are all there are, so that they should add up to the mix.
    pub(crate) fn needs_all(&self) -> bool {
        self.needed().is_none()
    }

    /// How to make what is wanted from the stems `made` by an engine, in output order.
    ///
    /// # Errors
    /// `InvalidOption` naming a stem that cannot be made.
    pub(crate) fn recipes(&self, made: &[StemKind]) -> Result<Vec<(StemKind, Recipe)>> {
        let place = |kind: StemKind| {
            made.iter().position(|&found| found == kind).ok_or_else(|| {
                let names = made.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
                Error::new(
                    ErrorKind::InvalidOption,
                    format!("this engine makes no stem \"{kind}\"; it makes {names}"),
                )
            })
        };
        let recipe = |kind: StemKind| {
            let source = source_of(kind);
            let place = place(source)?;
            Ok((kind, if kind == source { Recipe::Stem(place) } else { Recipe::MixMinus(place) }))
        };
        match self {
            Self::All => made.iter().map(|&kind| recipe(kind)).collect(),
            Self::Only(kinds) if kinds.is_empty() => {
                Err(Error::new(ErrorKind::InvalidOption, "no stem is selected"))
            }
            Self::Only(kinds) => {
                let mut kinds = kinds.clone();
                kinds.sort();
                kinds.dedup();
                kinds.into_iter().map(recipe).collect()
            }
            &Self::Two { stem, .. } if source_of(stem) != stem => Err(Error::new(
                ErrorKind::InvalidOption,
                format!("\"{stem}\" is what is left without a source; name the source {}", source_of(stem)),
            )),
            &Self::Two { stem, rest } => {
                let rest = match rest {
                    Rest::Add => Recipe::SumWithout(place(stem)?),
                    Rest::Minus => Recipe::MixMinus(place(stem)?),
                };
                Ok(vec![recipe(stem)?, (stem.complement(), rest)])
            }
        }
    }
}

/// The source that a kind is, or is what is left without.
fn source_of(kind: StemKind) -> StemKind {
    kind.min(kind.complement())
}

/// How one output is made from the stems of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recipe {
    /// It is the stem at this place.
    Stem(usize),
    /// All stems but this one, added up.
    SumWithout(usize),
    /// The mix minus this one.
    MixMinus(usize),
}

impl Recipe {
    /// Whether the mix is read again for it.
    pub(crate) fn needs_mix(self) -> bool {
        matches!(self, Self::MixMinus(_))
    }
}

/// Stands between an engine and a sink: makes the outputs that were asked for from the stems that come, and lets a
/// meter hear them.
pub(crate) struct Remix<'a> {
    recipes: Vec<Recipe>,
    mix: Option<Follower<'a>>,
    meter: Option<QualityMeter>,
    sink: &'a mut dyn StemSink,
}

impl<'a> Remix<'a> {
    /// `mix` is read beside the stems; it must be there where a recipe needs it, and makes a null test where there
    /// is a meter.
    pub(crate) fn new(
        recipes: Vec<Recipe>,
        mix: Option<&'a mut dyn AudioSource>,
        meter: Option<QualityMeter>,
        sink: &'a mut dyn StemSink,
    ) -> Result<Self> {
        let mix = mix.map(Follower::new).transpose()?;
        Ok(Self { recipes, mix, meter, sink })
    }

    /// What the meter found.
    pub(crate) fn finish(self) -> Option<SeparationQuality> {
        self.meter.map(QualityMeter::finish)
    }
}

impl StemSink for Remix<'_> {
    fn write(&mut self, stems: &[Clip]) -> Result<()> {
        let frames = stems.first().map_or(0, Clip::frames);
        let mix = match &mut self.mix {
            Some(follower) => Some(follower.next(frames)?),
            None => None,
        };
        if let Some(meter) = &mut self.meter {
            meter.push(stems, mix.as_ref());
        }
        let outputs: Vec<Clip> = self
            .recipes
            .iter()
            .map(|&recipe| match recipe {
                Recipe::Stem(place) => stems[place].clone(),
                Recipe::SumWithout(place) => sum_without(stems, place),
                Recipe::MixMinus(place) => {
                    let mut rest = mix.clone().expect("the mix is read where a recipe needs it");
                    combine(&mut rest, &stems[place], -1.0);
                    rest
                }
            })
            .collect();
        self.sink.write(&outputs)
    }
}

fn sum_without(stems: &[Clip], place: usize) -> Clip {
    let mut others = stems.iter().enumerate().filter(|(index, _)| *index != place).map(|(_, stem)| stem);
    let mut sum = others.next().unwrap_or(&stems[place]).clone();
    if stems.len() == 1 {
        sum.channels_mut().flatten().for_each(|sample| *sample = 0.0);
    }
    others.for_each(|stem| combine(&mut sum, stem, 1.0));
    sum
}

/// Adds `factor * other` to `sum`.
fn combine(sum: &mut Clip, other: &Clip, factor: f32) {
    for (sum, other) in sum.channels_mut().zip(other.channels()) {
        sum.iter_mut().zip(other).for_each(|(sum, other)| *sum += factor * other);
    }
}

/// Reads a source in stretches of any length, from its start.
struct Follower<'a> {
    source: &'a mut dyn AudioSource,
    block: Clip,
    ahead: Vec<VecDeque<f32>>,
}

impl<'a> Follower<'a> {
    fn new(source: &'a mut dyn AudioSource) -> Result<Self> {
        source.rewind()?;
        let spec = source.spec();
        Ok(Self { source, block: Clip::empty(spec), ahead: vec![VecDeque::new(); spec.channels] })
    }

    /// The next `frames` frames; silence beyond the end.
    fn next(&mut self, frames: usize) -> Result<Clip> {
        while self.ahead.first().is_some_and(|line| line.len() < frames)
            && self.source.read(&mut self.block)? > 0
        {
            for (line, channel) in self.ahead.iter_mut().zip(self.block.channels()) {
                line.extend(channel);
            }
        }
        let take = |line: &mut VecDeque<f32>| {
            let mut taken: Vec<f32> = line.drain(..frames.min(line.len())).collect();
            taken.resize(frames, 0.0);
            taken
        };
        Clip::from_channels(self.source.spec().sample_rate_hz, self.ahead.iter_mut().map(take).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOUR: [StemKind; 4] = [StemKind::Drums, StemKind::Bass, StemKind::Other, StemKind::Vocals];

    fn clip(values: &[f32]) -> Clip {
        Clip::from_channels(44_100, vec![values.to_vec()]).unwrap()
    }

    /// What comes out for one engine block of the stems 1, 2, 4, 8 and a mix of 16.
    fn remixed(selection: &StemSelection) -> Vec<f32> {
        struct Collect(Vec<f32>);
        impl StemSink for Collect {
            fn write(&mut self, blocks: &[Clip]) -> Result<()> {
                self.0.extend(blocks.iter().map(|block| block.channels()[0][1]));
                Ok(())
            }
        }
        let stems = [clip(&[0.0, 1.0]), clip(&[0.0, 2.0]), clip(&[0.0, 4.0]), clip(&[0.0, 8.0])];
        let mix = clip(&[0.0, 16.0]);
        let mut source = mix.source();
        let mut sink = Collect(Vec::new());
        let recipes = selection.recipes(&FOUR).unwrap().into_iter().map(|(_, recipe)| recipe).collect();
        Remix::new(recipes, Some(&mut source), None, &mut sink).unwrap().write(&stems).unwrap();
        sink.0
    }

    #[test]
    fn selections_make_what_they_say() {
        let (stem, only) = (StemKind::Vocals, StemSelection::Only);
        assert_eq!(remixed(&StemSelection::All), [1.0, 2.0, 4.0, 8.0]);
        assert_eq!(remixed(&only(vec![StemKind::Vocals, StemKind::Bass])), [2.0, 8.0]);
        assert_eq!(remixed(&only(vec![StemKind::NoVocals])), [8.0]);
        assert_eq!(remixed(&StemSelection::Two { stem, rest: Rest::Add }), [8.0, 7.0]);
        assert_eq!(remixed(&StemSelection::Two { stem: StemKind::Bass, rest: Rest::Minus }), [2.0, 14.0]);
    }

    #[test]
    fn an_engine_is_asked_only_for_what_is_needed() {
        let stem = StemKind::Vocals;
        assert_eq!(StemSelection::Two { stem, rest: Rest::Minus }.needed(), Some(vec![stem]));
        assert_eq!(StemSelection::Two { stem, rest: Rest::Add }.needed(), None);
        assert_eq!(StemSelection::Only(vec![StemKind::NoVocals]).needed(), Some(vec![stem]));
    }

    #[test]
    fn stems_that_cannot_be_made_are_refused_by_name() {
        let error = StemSelection::Only(vec![StemKind::Piano]).recipes(&FOUR).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOption);
        assert!(error.message().contains("piano") && error.message().contains("vocals"), "{error}");
        let two = StemSelection::Two { stem: StemKind::NoBass, rest: Rest::Add };
        assert!(two.recipes(&FOUR).unwrap_err().message().contains("name the source bass"));
        assert!(StemSelection::Only(Vec::new()).recipes(&FOUR).is_err());
    }

    #[test]
    fn a_follower_reads_any_length_and_is_silent_after_the_end() {
        let mix = clip(&[1.0, 2.0, 3.0]);
        let mut source = mix.source();
        let mut follower = Follower::new(&mut source).unwrap();
        assert_eq!(follower.next(2).unwrap().channels()[0], [1.0, 2.0]);
        assert_eq!(follower.next(3).unwrap().channels()[0], [3.0, 0.0, 0.0]);
    }
}
