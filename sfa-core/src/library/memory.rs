//! How many songs can be worked on at once without running out of memory.

use std::sync::atomic::{AtomicU64, Ordering};

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// Memory that is left to everything else.
const RESERVED_BYTES: u64 = 256 << 20;

/// The memory that jobs may share.
///
/// What a job needs shows only some time after it began, so what is free is looked at while no job runs, and then
/// shared out.
#[derive(Debug, Default)]
pub(crate) struct MemoryBudget {
    free_bytes: AtomicU64,
}

impl MemoryBudget {
    /// How many more jobs of `need_bytes` each can begin beside `running` such. One always can: it may need less, and
    /// nothing else would ever let it begin.
    pub(crate) fn room(&self, running: usize, need_bytes: u64) -> usize {
        if running == 0 {
            self.free_bytes.store(available_bytes(), Ordering::Relaxed);
        }
        share(self.free_bytes.load(Ordering::Relaxed), running, need_bytes)
    }
}

fn share(free_bytes: u64, running: usize, need_bytes: u64) -> usize {
    let fit = free_bytes.saturating_sub(RESERVED_BYTES) / need_bytes.max(1);
    usize::try_from(fit).unwrap_or(usize::MAX).max(1).saturating_sub(running)
}

/// What this machine, or the container that this process is in, can still give; without end where it does not tell.
fn available_bytes() -> u64 {
    let Ok(mut system) = System::new() else { return u64::MAX };
    system.refresh_memory();
    let here = system.cgroup_limits().map_or(u64::MAX, |limits| limits.free_memory);
    system.available_memory().min(here)
}

/// How much memory a process holds, where the system tells.
pub(crate) fn of_process(process: u32) -> Option<u64> {
    let process = Pid::from_u32(process);
    let mut system = System::new().ok()?;
    system.refresh_processes_specifics(
        ProcessesToUpdate::Some(&[process]),
        true,
        ProcessRefreshKind::nothing().with_memory(),
    );
    system.process(process).map(sysinfo::Process::memory)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn memory_is_shared_out_and_one_job_can_always_begin() {
        assert_eq!(share(4 * GIB, 0, GIB), 3, "some is left to the rest");
        assert_eq!(share(4 * GIB, 2, GIB), 1);
        assert_eq!(share(4 * GIB, 3, GIB), 0);
        assert_eq!(share(4 * GIB, 5, GIB), 0);
        assert_eq!(share(GIB / 2, 0, GIB), 1);
        assert_eq!(share(GIB / 2, 1, GIB), 0);
        assert_eq!(share(0, 0, 0), 1);
    }

    #[test]
    fn this_process_has_some_and_this_machine_some_more() {
        assert!(of_process(std::process::id()).unwrap() > 1 << 20);
        assert!(available_bytes() > 1 << 20);
        assert_eq!(of_process(u32::MAX), None);
    }
}
