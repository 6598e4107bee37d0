//! How much a song pushes, as a number from 1 to 10 and as a curve.

mod collector;
mod judge;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Curve;

pub(crate) use collector::EnergyCollector;
pub(crate) use judge::judge;

/// The energy of a song.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Energy {
    /// 1 (calm) to 10 (peak time), comparable between songs.
    pub level: u8,
    /// `0.0..=1.0` over time, comparable within the song: 1 is its own strongest moment.
    pub curve: Curve,
}
