//! The log of a kernel program that was built with the feature `trace`.

use aya::Ebpf;
use aya_log::EbpfLogger;

use super::KernelError;

/// Prints what the program logs, as `RUST_LOG` asks.
pub(super) struct Trace(EbpfLogger<&'static dyn log::Log>);

impl Trace {
    pub(super) fn of(object: &mut Ebpf) -> Result<Self, KernelError> {
        // Another logger may be there already, as in tests.
        let _ = env_logger::try_init();
        EbpfLogger::init(object)
            .map(Self)
            .map_err(|_| KernelError::Object { what: "AYA_LOGS" })
    }

    pub(super) fn print(&mut self) {
        self.0.flush();
    }
}
