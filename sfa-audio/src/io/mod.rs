//! Files in and out: the only place that knows containers and codecs.

mod tags;

pub use tags::{Cover, Tags};
