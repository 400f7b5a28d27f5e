//! Maps that two loaded objects have in common, also of two controllers that follow each other.
//!
//! A program that is loaded has its maps for good. Programs with larger maps of rules are loaded
//! beside those that run, and have in common with them the maps of all that is no policy: counters,
//! flows, events, settings. So nothing of these is lost when the new programs take over.

use std::{
    collections::BTreeMap,
    io,
    os::fd::{AsFd as _, AsRawFd as _, BorrowedFd},
};

use aya::{
    Ebpf,
    maps::{Array, Map, MapData, MapError, MapInfo},
};
use filter_core::{HashKey, ProgramSet, Settings};

use super::{Filter, KernelError, attach::write_settings, map, pins::ObjectPins, pod::Value};

/// What is done on each interface.
const INTERFACES: &str = "INTERFACES";

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
    INTERFACES,
    "QUIC_BUCKETS",
    "QUIC_FLOWS",
    "QUIC_ROOM",
    "SPARE",
];

/// What a controller has set for itself: the next one has options of its own.
const OF_OPTIONS: [&str; 2] = [".data.SETTINGS", INTERFACES];

/// What counts, under whatever key names are hashed.
const COUNTERS: [&str; 2] = [".data.STATE_MISSING", "CPUS"];

/// What is of use with one another alone.
const TABLES: [[&str; 2]; 2] = [["BUCKETS", "FLOWS"], ["QUIC_BUCKETS", "QUIC_FLOWS"]];

const EVENTS: &str = "EVENTS";

impl Filter {
    /// Has an object whose programs are not loaded yet use the maps of this filter. If it has room
    /// for more interfaces, that map stays its own, and has what this filter's has.
    pub(super) fn share_maps(&self, object: &mut Ebpf) -> Result<(), KernelError> {
        let has_larger = self.options.interface_slots > self.interface_slots;
        for name in SHARED {
            if name != INTERFACES || !has_larger {
                replace(descriptor(object, name)?, descriptor(&self.object, name)?)?;
            }
        }
        replace(descriptor(object, EVENTS)?, self.events.as_fd())?;
        for (index, settings) in self.options.interfaces.iter().filter(|_| has_larger) {
            write_settings(object, *index, *settings)?;
        }
        Ok(())
    }

    /// Has the maps stay that a controller which comes later goes on with, and those of programs.
    pub(super) fn pin_maps(&self, pins: &ObjectPins) -> Result<(), KernelError> {
        for name in SHARED {
            pins.keep_map(name, descriptor(&self.object, name)?)?;
        }
        for set in [ProgramSet::LINEAR, ProgramSet::FRAGS] {
            pins.keep_map(set.map, descriptor(&self.object, set.map)?)?;
        }
        Ok(pins.keep_map(EVENTS, self.events.as_fd())?)
    }
}

/// The key under which names are hashed in maps that are pinned.
pub(super) fn hash_key(pins: &ObjectPins) -> Result<Option<HashKey>, KernelError> {
    let Some(settings) = pins.map(".data.SETTINGS")? else {
        return Ok(None);
    };
    let map = Map::Array(MapData::from_fd(settings)?);
    let settings = Array::<_, Value<Settings>>::try_from(&map)?.get(&0, 0)?;
    Ok(Some(*settings.0.hash_key()))
}

/// Has an object whose programs are not loaded yet use the maps that another controller has left
/// pinned: those of the same size. Hits, flows and events are of names under a key: with another
/// key, they start anew.
pub(super) fn share_pinned(
    object: &Ebpf,
    pins: &ObjectPins,
    has_same_key: bool,
) -> Result<(), KernelError> {
    let mut left = BTreeMap::new();
    for name in SHARED.into_iter().chain([EVENTS]) {
        let is_wanted = if has_same_key {
            !OF_OPTIONS.contains(&name)
        } else {
            COUNTERS.contains(&name)
        };
        if is_wanted && let Some(map) = pins.map(name)? {
            let map = MapData::from_fd(map)?;
            if is_alike(&map.info()?, &data(object, name)?.info()?)? {
                left.insert(name, map);
            }
        }
    }
    for table in TABLES {
        if !table.iter().all(|name| left.contains_key(name)) {
            for name in table {
                left.remove(name);
            }
        }
    }
    left.iter()
        .try_for_each(|(name, map)| replace(descriptor(object, name)?, map.fd().as_fd()))
}

fn is_alike(one: &MapInfo, other: &MapInfo) -> Result<bool, MapError> {
    let sizes = |map: &MapInfo| {
        [
            map.key_size(),
            map.value_size(),
            map.max_entries(),
            map.map_flags(),
        ]
    };
    Ok(one.map_type()? == other.map_type()? && sizes(one) == sizes(other))
}

fn descriptor<'o>(object: &'o Ebpf, name: &'static str) -> Result<BorrowedFd<'o>, KernelError> {
    Ok(data(object, name)?.fd().as_fd())
}

fn data<'o>(object: &'o Ebpf, name: &'static str) -> Result<&'o MapData, KernelError> {
    match map(object, name)? {
        Map::Array(data)
        | Map::PerCpuArray(data)
        | Map::ProgramArray(data)
        | Map::RingBuf(data) => Ok(data),
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
