//! What the kernel and the process must have, told before and after a failure.

use std::{fs, io};

use aya::{EbpfError, maps::MapError, programs::ProgramError, util::KernelVersion};

use super::KernelError;

/// What the program uses, oldest first, with the first kernel that has it.
const FEATURES: [(&str, (u8, u8), &str); 5] = [
    ("batch operations on maps", (5, 6), "5.6"),
    ("BPF ring buffer", (5, 8), "5.8"),
    ("BPF link for XDP", (5, 9), "5.9"),
    ("helper bpf_loop", (5, 17), "5.17"),
    ("helper bpf_xdp_load_bytes and XDP in several buffers", (5, 18), "5.18"),
];

/// Bits of capability sets (linux/capability.h).
const CAP_NET_ADMIN: u64 = 1 << 12;
const CAP_SYS_ADMIN: u64 = 1 << 21;
const CAP_BPF: u64 = 1 << 39;

/// Refuses to start without what the kernel will ask for.
pub(super) fn check_capabilities() -> Result<(), KernelError> {
    let path = "/proc/self/status";
    let status = fs::read_to_string(path).map_err(|error| KernelError::Read { path: path.to_owned(), error })?;
    lacking(effective(&status).unwrap_or(u64::MAX)).map_or(Ok(()), Err)
}

fn effective(status: &str) -> Option<u64> {
    let set = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(set.trim(), 16).ok()
}

fn lacking(effective: u64) -> Option<KernelError> {
    if effective & (CAP_BPF | CAP_SYS_ADMIN) == 0 {
        return Some(KernelError::Permission { capability: "CAP_BPF", what: "load the program" });
    }
    if effective & (CAP_NET_ADMIN | CAP_SYS_ADMIN) == 0 {
        return Some(KernelError::Permission { capability: "CAP_NET_ADMIN", what: "attach to an interface" });
    }
    None
}

/// Turns a refusal of the kernel into what to do about it.
pub(super) fn explain_load(error: EbpfError) -> KernelError {
    if let Some(io_error) = io_error(&error) {
        match io_error.raw_os_error() {
            Some(libc::EPERM | libc::EACCES) if !verified(&error) => {
                return KernelError::Permission { capability: "CAP_BPF", what: "load the program" };
            }
            Some(libc::ENOSYS) => {
                return missing("bpf system call (CONFIG_BPF_SYSCALL)", "3.18");
            }
            _ => {}
        }
    }
    let feature = KernelVersion::current().ok().and_then(missing_feature);
    feature.map_or(KernelError::Load(error), |(feature, since)| missing(feature, since))
}

fn missing_feature(running: KernelVersion) -> Option<(&'static str, &'static str)> {
    let (feature, _, since) =
        FEATURES.into_iter().find(|(_, (major, minor), _)| running < KernelVersion::new(*major, *minor, 0))?;
    Some((feature, since))
}

fn missing(feature: &'static str, since: &'static str) -> KernelError {
    let running = rustix::system::uname().release().to_string_lossy().into_owned();
    KernelError::Feature { feature, since, running }
}

/// True if the verifier came as far as to write a log.
fn verified(error: &EbpfError) -> bool {
    matches!(error, EbpfError::ProgramError(ProgramError::LoadError { verifier_log, .. })
        if !verifier_log.to_string().is_empty())
}

fn io_error(error: &EbpfError) -> Option<&io::Error> {
    match error {
        EbpfError::ProgramError(ProgramError::LoadError { io_error, .. })
        | EbpfError::MapError(MapError::CreateError { io_error, .. }) => Some(io_error),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_lacks_nothing_and_nobody_lacks_cap_bpf() {
        assert!(lacking(u64::MAX).is_none());
        let text = lacking(0).unwrap().to_string();
        assert!(text.starts_with("missing CAP_BPF, needed to load the program; run as root"), "{text}");
    }

    #[test]
    fn one_capability_does_not_stand_for_the_other() {
        assert!(lacking(CAP_BPF | CAP_NET_ADMIN).is_none());
        assert!(lacking(CAP_SYS_ADMIN).is_none());
        assert!(lacking(CAP_BPF).unwrap().to_string().contains("CAP_NET_ADMIN"));
        assert!(lacking(CAP_NET_ADMIN).unwrap().to_string().contains("CAP_BPF"));
    }

    #[test]
    fn the_effective_set_is_read_from_the_status_file() {
        assert_eq!(effective("Name:\tx\nCapEff:\t000001ffffffffff\n"), Some(0x1ff_ffff_ffff));
        assert_eq!(effective("Name:\tx\n"), None);
    }

    #[test]
    fn the_oldest_missing_feature_is_named_with_its_version() {
        assert_eq!(missing_feature(KernelVersion::new(5, 7, 0)), Some(("BPF ring buffer", "5.8")));
        assert_eq!(missing_feature(KernelVersion::new(5, 17, 3)).map(|(_, since)| since), Some("5.18"));
        assert_eq!(missing_feature(KernelVersion::new(5, 18, 0)), None);
    }
}
