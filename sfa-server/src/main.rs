//! The `sfa` binary. `sfa --help` says what it does.

mod cli;

use std::process::ExitCode;

/// Small answers are made of many small pieces: with the allocator of glibc a quarter of a server's time goes into them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
