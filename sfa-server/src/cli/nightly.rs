//! When the library looks after itself.

use clap::Args;
use sfa_core::library::{Times, WorkerOptions};

#[derive(Debug, Args)]
pub(super) struct Nightly {
    /// When the library is tidied up, as five fields of cron, in UTC unless a zone stands before them, as in
    /// "TZ=Europe/Berlin 30 4 * * *"; the same on all machines that share a library [default: 03:00 UTC each night]
    #[arg(long, env = "SFA_NIGHTLY", value_name = "TIMES")]
    nightly: Option<Times>,
}

impl Nightly {
    pub(super) fn set(&self, options: &mut WorkerOptions) {
        if let Some(nightly) = &self.nightly {
            options.nightly.clone_from(nightly);
        }
    }
}
