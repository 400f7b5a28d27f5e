//! The capabilities of the process.
//!
//! The kernel asks for three: `CAP_BPF` to use the system call, `CAP_NET_ADMIN` for programs of
//! network interfaces, and `CAP_PERFMON` for the arithmetic on pointers that compiled programs do
//! ("pointer arithmetic ... prohibited for !root"). `CAP_SYS_ADMIN` stands for each of them in
//! bpf(2).

use std::{fs, io};

use super::KernelError;

/// Bits of capability sets (linux/capability.h).
const NEEDED: [(&str, u64); 3] = [
    ("CAP_BPF", 1 << 39),
    ("CAP_NET_ADMIN", 1 << 12),
    ("CAP_PERFMON", 1 << 38),
];
const CAP_SYS_ADMIN: u64 = 1 << 21;

const STATUS: &str = "/proc/self/status";
const ID_MAP: &str = "/proc/self/uid_map";
const LOCKDOWN: &str = "/sys/kernel/security/lockdown";

/// Refuses to start without what the kernel will ask for.
///
/// # Errors
/// If a capability is missing.
pub fn check() -> Result<(), KernelError> {
    let read = |error| KernelError::Read {
        path: STATUS.to_owned(),
        error,
    };
    let status = fs::read_to_string(STATUS).map_err(read)?;
    lacking(effective(&status).unwrap_or(u64::MAX)).map_or(Ok(()), Err)
}

/// The kernel forbids it all the same; what else may be in the way.
pub(super) fn forbidden(error: io::Error) -> KernelError {
    let advice = advice(
        fs::read_to_string(ID_MAP).is_ok_and(|map| !is_first_namespace(&map)),
        fs::read_to_string(LOCKDOWN)
            .ok()
            .and_then(|modes| lockdown(&modes).map(str::to_owned)),
    );
    KernelError::Forbidden { error, advice }
}

fn effective(status: &str) -> Option<u64> {
    let set = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(set.trim(), 16).ok()
}

fn lacking(effective: u64) -> Option<KernelError> {
    let lacks = |bit: u64| effective & (bit | CAP_SYS_ADMIN) == 0;
    let missing: Vec<_> = NEEDED
        .iter()
        .filter(|(_, bit)| lacks(*bit))
        .map(|(name, _)| *name)
        .collect();
    (!missing.is_empty()).then(|| KernelError::Permission {
        capabilities: missing.join(", "),
    })
}

fn advice(is_in_user_namespace: bool, lockdown: Option<String>) -> String {
    if is_in_user_namespace {
        return "they count in its user namespace only: run it outside of that, or in a container of the host's root"
            .into();
    }
    let others = "a security module (SELinux, AppArmor) or a container's seccomp profile";
    match lockdown {
        Some(mode) => {
            format!("the kernel is in lockdown ({mode}): boot without it, or look for {others}")
        }
        None => format!("look for {others}"),
    }
}

/// True if user ids are those of the whole machine: all of them, unchanged.
fn is_first_namespace(id_map: &str) -> bool {
    id_map.split_whitespace().eq(["0", "0", "4294967295"])
}

/// The mode that is on, of `none [integrity] confidentiality`.
fn lockdown(modes: &str) -> Option<&str> {
    let (mode, _) = modes.split_once('[')?.1.split_once(']')?;
    (mode != "none").then_some(mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL_THREE: u64 = NEEDED[0].1 | NEEDED[1].1 | NEEDED[2].1;

    #[test]
    fn root_lacks_nothing_and_nobody_lacks_all_three_at_once() {
        assert!(lacking(u64::MAX).is_none());
        assert_eq!(
            lacking(0).unwrap().to_string(),
            "missing CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON, without which the kernel takes no program; run as root, or give \
             CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON with `setcap` or systemd's AmbientCapabilities"
        );
    }

    #[test]
    fn no_capability_stands_for_another_but_for_that_of_administrators() {
        assert!(lacking(ALL_THREE).is_none());
        assert!(lacking(CAP_SYS_ADMIN).is_none());
        for (name, bit) in NEEDED {
            let text = lacking(ALL_THREE & !bit).unwrap().to_string();
            assert!(
                text.starts_with(&format!("missing {name}, without")),
                "{text}"
            );
        }
    }

    #[test]
    fn the_effective_set_is_read_from_the_status_file() {
        assert_eq!(
            effective("Name:\tx\nCapEff:\t000001ffffffffff\n"),
            Some(0x1ff_ffff_ffff)
        );
        assert_eq!(effective("Name:\tx\n"), None);
    }

    #[test]
    fn what_else_forbids_it_is_named() {
        let text =
            |namespace, lockdown: Option<&str>| advice(namespace, lockdown.map(str::to_owned));
        assert!(text(true, None).contains("user namespace"));
        assert!(
            text(false, Some("confidentiality"))
                .starts_with("the kernel is in lockdown (confidentiality)")
        );
        assert!(text(false, None).starts_with("look for a security module"));
    }

    #[test]
    fn namespaces_and_lockdown_are_read_from_the_kernels_files() {
        assert!(is_first_namespace("         0          0 4294967295\n"));
        assert!(!is_first_namespace("         0       1000          1\n"));
        assert_eq!(
            lockdown("none integrity [confidentiality]\n"),
            Some("confidentiality")
        );
        assert_eq!(lockdown("[none] integrity confidentiality\n"), None);
        assert_eq!(lockdown(""), None);
    }
}
