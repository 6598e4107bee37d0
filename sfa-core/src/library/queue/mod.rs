//! Work to be done: what a job is, and the rules of the queue that need no database.

mod backoff;
mod job;
mod shares;
mod timeline;
mod times;

pub(crate) use backoff::backoff;
pub use job::{Enqueued, Fence, Job, JobState, NewJob, Schedule};
pub(crate) use shares::shares;
pub use timeline::{JobMoment, JobMomentKind};
pub(crate) use timeline::{Told, timeline};
pub use times::Times;
