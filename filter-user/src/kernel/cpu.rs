//! Keeping a thread on one CPU.

use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};

use super::KernelError;

/// The thread stays on the CPU that it is on until this is dropped.
pub(super) struct OneCpu {
    pub(super) cpu: usize,
    allowed: CpuSet,
}

impl OneCpu {
    pub(super) fn this() -> Result<Self, KernelError> {
        let failed = |error: rustix::io::Errno| KernelError::Read {
            path: "CPU affinity".into(),
            error: error.into(),
        };
        let allowed = sched_getaffinity(None).map_err(failed)?;
        let cpu = sched_getcpu();
        let mut one = CpuSet::new();
        one.set(cpu);
        sched_setaffinity(None, &one).map_err(failed)?;
        Ok(Self { cpu, allowed })
    }
}

impl Drop for OneCpu {
    fn drop(&mut self) {
        // The CPUs were allowed before; if one of them is gone since, the thread stays where it is.
        let _ = sched_setaffinity(None, &self.allowed);
    }
}
