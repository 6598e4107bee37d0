//! How many files and connections this process may have open at once.

/// With less than this a server has no room for as many connections as it accepts, 10,000, and its own files.
pub(super) const ENOUGH: u64 = 10_500;

/// Raises what is allowed to as much as may be had without anybody's leave. What does not work leaves it as it is.
#[cfg(unix)]
pub(super) fn raise() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
    {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).ok();
    }
}

#[cfg(not(unix))]
pub(super) fn raise() {}

/// As many as [`raise`] gets, where there is a limit.
#[cfg(unix)]
pub(super) fn most() -> Option<u64> {
    use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    (hard != RLIM_INFINITY).then_some(hard)
}

#[cfg(not(unix))]
pub(super) fn most() -> Option<u64> {
    None
}
