//! Puts the parts together: split, find attacks, lay the map, stretch, add up.

use super::attacks::Attacks;
use super::grains::Grains;
use super::map::TimeMap;
use super::parts::Track;
use super::split::{Splitter, scaled};
use super::vocoder::Vocoder;
use crate::{AudioSpec, Clip};

/// Lengths at 44.1 kHz: 93 ms resolve two semitones at 100 Hz, 12 ms hold one stroke.
const VOCODER_FRAMES: usize = 4096;
const GRAIN_FRAMES: usize = 512;
/// Where nothing strikes for so long, the map goes on without waiting for an attack.
const PATIENCE_SECS: f64 = 1.0;

/// Changes the length of audio that comes in blocks.
pub(super) struct Stretcher {
    spec: AudioSpec,
    splitter: Splitter,
    ringing: Track,
    striking: Track,
    attacks: Attacks,
    map: TimeMap,
    /// The input frame of the last thing that the map was told.
    told: i64,
    vocoder: Vocoder,
    grains: Grains,
    /// Stretched parts that wait for each other.
    rings: Clip,
    strikes: Clip,
}

impl Stretcher {
    pub(super) fn new(spec: AudioSpec, stretch: f64) -> Self {
        let rate = spec.sample_rate_hz;
        Self {
            spec,
            splitter: Splitter::new(spec),
            ringing: Track::new(spec.channels),
            striking: Track::new(spec.channels),
            attacks: Attacks::new(rate),
            map: TimeMap::new(stretch, rate),
            told: 0,
            vocoder: Vocoder::new(spec.channels, scaled(VOCODER_FRAMES, rate)),
            grains: Grains::new(spec.channels, scaled(GRAIN_FRAMES, rate)),
            rings: Clip::empty(spec),
            strikes: Clip::empty(spec),
        }
    }

    pub(super) fn push(&mut self, block: &Clip, out: &mut Clip) {
        self.splitter.push(block, &mut self.ringing, &mut self.striking);
        self.lay_map();
        self.stretch(None, out);
    }

    /// Appends what is left, to at least the length that was asked for.
    pub(super) fn finish(&mut self, out: &mut Clip) {
        self.splitter.finish(&mut self.ringing, &mut self.striking);
        self.lay_map();
        let end = self.ringing.end();
        self.map.settle_until(end + i64::from(self.spec.sample_rate_hz));
        self.stretch(Some(end), out);
    }

    fn lay_map(&mut self) {
        let (map, told) = (&mut self.map, &mut self.told);
        self.attacks.look(&self.striking, |frame| {
            map.add_attack(frame);
            *told = frame;
        });
        let patience = (PATIENCE_SECS * f64::from(self.spec.sample_rate_hz)) as i64;
        if self.attacks.seen() - self.told > patience {
            self.told = self.attacks.seen() - patience / 2;
            self.map.settle_until(self.told);
        }
    }

    /// Stretches what the map knows of. `end` is the length of the input, once it is known.
    fn stretch(&mut self, end: Option<i64>, out: &mut Clip) {
        let input_end = self.ringing.end();
        let is_ready = |needed: (i64, i64), centre: f64, map: &TimeMap| match end {
            Some(end) => centre <= map.output_at_speed(end) + (needed.1 - needed.0) as f64,
            None => needed.1 <= input_end && centre < map.known(),
        };
        while is_ready(self.vocoder.needs(&self.map), self.vocoder.centre(), &self.map) {
            self.vocoder.push(&self.ringing, &self.map, &mut self.rings);
        }
        while is_ready(self.grains.needs(&self.map), self.grains.centre(), &self.map) {
            self.grains.push(&self.striking, &self.map, &mut self.strikes);
        }
        self.ringing.forget_before(self.vocoder.needs(&self.map).0);
        self.striking.forget_before(self.grains.needs(&self.map).0.min(self.attacks.seen()));
        self.map.forget_before(self.vocoder.centre().min(self.grains.centre()));
        self.add_up(out);
    }

    fn add_up(&mut self, out: &mut Clip) {
        let frames = self.rings.frames().min(self.strikes.frames());
        let start = out.frames();
        out.extend(self.rings.channels().iter().map(|channel| &channel[..frames]));
        for (channel, strikes) in out.channels_mut().zip(self.strikes.channels()) {
            for (sample, strike) in channel[start..].iter_mut().zip(strikes) {
                *sample += strike;
            }
        }
        for part in [&mut self.rings, &mut self.strikes] {
            let mut rest = Clip::empty(self.spec);
            rest.extend(part.channels().iter().map(|channel| &channel[frames..]));
            *part = rest;
        }
    }
}
