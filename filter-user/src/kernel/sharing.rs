//! Maps that two loaded objects have in common.
//!
//! A program that is loaded has its maps for good. Programs with larger maps of rules are loaded
//! beside those that run, and have in common with them the maps of all that is no policy: counters,
//! flows, events, settings. So nothing of these is lost when the new programs take over.

use std::{
    io,
    os::fd::{AsFd as _, AsRawFd as _, BorrowedFd},
};

use aya::{Ebpf, maps::Map};

use super::{Filter, KernelError, map};

/// All maps that are neither of a policy nor of the programs.
const SHARED: [&str; 13] = [
    ".data.SETTINGS",
    ".data.STATE_MISSING",
    "ALLOWANCES",
    "BUCKETS",
    "CPUS",
    "EVENT_BUDGET",
    "FLOWS",
    "HITS",
    "INTERFACES",
    "QUIC_BUCKETS",
    "QUIC_FLOWS",
    "QUIC_ROOM",
    "SPARE",
];

impl Filter {
    /// Has an object whose programs are not loaded yet use the maps of this filter.
    pub(super) fn share_maps(&self, object: &Ebpf) -> Result<(), KernelError> {
        for name in SHARED {
            replace(descriptor(object, name)?, descriptor(&self.object, name)?)?;
        }
        replace(descriptor(object, "EVENTS")?, self.events.as_fd())
    }
}

fn descriptor<'o>(object: &'o Ebpf, name: &'static str) -> Result<BorrowedFd<'o>, KernelError> {
    match map(object, name)? {
        Map::Array(data) | Map::PerCpuArray(data) | Map::RingBuf(data) => Ok(data.fd().as_fd()),
        _ => Err(KernelError::Object { what: name }),
    }
}

/// Makes a descriptor of a map one of another map of the same kind; the map that it was of is gone.
///
/// aya offers no way to load an object with maps that are there. It has the numbers of descriptors
/// in the instructions by now, and the kernel looks at what they are descriptors of when the
/// programs are loaded. libbpf goes the same way for maps that are used again
/// (`bpf_map__reuse_fd`).
fn replace(descriptor: BorrowedFd<'_>, by: BorrowedFd<'_>) -> Result<(), KernelError> {
    // SAFETY: both are open, and stay so: the number is still one of a map, which aya closes when
    // it drops that.
    let made = unsafe { libc::dup3(by.as_raw_fd(), descriptor.as_raw_fd(), libc::O_CLOEXEC) };
    if made < 0 {
        Err(KernelError::SharedMap(io::Error::last_os_error()))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use aya_obj::Object;

    use super::{super::OBJECT, SHARED};

    /// What a policy is made of, and what belongs to one loaded object.
    const OWN: [&str; 14] = [
        ".data.IN_FORCE",
        "FRAGS_PROGRAMS",
        "GROUPS",
        "LISTS",
        "MACS",
        "PATTERNS",
        "PROGRAMS",
        "RULES",
        "BLOOM",
        "SUBNETS4",
        "SUBNETS6",
        "EFFECTS",
        "ACTIONS",
        "WAITING",
    ];

    #[test]
    fn each_map_of_the_object_is_a_policys_or_goes_on_with_larger_maps() {
        let object = Object::parse(OBJECT).unwrap();
        // Constants are the same in each object.
        let maps = object
            .maps
            .keys()
            .map(String::as_str)
            .filter(|name| !name.starts_with(".rodata"));
        let found: BTreeSet<_> = maps.filter(|name| !name.starts_with("AYA_LOG")).collect();
        let known: BTreeSet<_> = SHARED.into_iter().chain(OWN).chain(["EVENTS"]).collect();
        assert_eq!(found, known);
    }
}
