//! The maps of patterns: a map of parts for each generation, in a map of these.

use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};

use aya::{
    Ebpf,
    maps::{Array, ArrayOfMaps, Map, MapData, MapError},
    sys::SyscallError,
};
use filter_core::{PART_BYTES, Part};

use super::{KernelError, map, map_mut, pod::Value};

/// Maps in another map may differ in their number of entries (`BPF_F_INNER_MAP`, Linux 5.10).
const INNER_MAP: u32 = 1 << 12;

const DELETE_ELEM: libc::c_long = 3;

/// The parts of a generation, in a map of their own.
pub(super) type Parts = Array<MapData, Value<Part>>;

/// Puts parts into a slot, in place of what is there.
pub(super) fn put<'p>(
    object: &mut Ebpf,
    slot: u32,
    parts: impl ExactSizeIterator<Item = &'p Part>,
) -> Result<Parts, KernelError> {
    let mut inner = Parts::create(parts.len() as u32, INNER_MAP)?;
    for (index, part) in (0..).zip(parts) {
        inner.set(index, Value::from_ref(part), 0)?;
    }
    set(object, slot, &inner)?;
    Ok(inner)
}

/// Points a slot to these parts. When it returns, no program goes on that began before.
pub(super) fn set(object: &mut Ebpf, slot: u32, parts: &Parts) -> Result<(), KernelError> {
    Ok(ArrayOfMaps::<_, Parts>::try_from(map_mut(object, "PATTERNS")?)?.set(slot, parts, 0)?)
}

/// Memory that the parts take.
pub(super) fn memory(parts: &Parts) -> u64 {
    u64::from(parts.len()) * PART_BYTES as u64
}

/// Empties a slot, which no program may be about to look at.
pub(super) fn clear(object: &Ebpf, slot: u32) -> Result<(), KernelError> {
    let Map::ArrayOfMaps(outer) = map(object, "PATTERNS")? else {
        return Err(KernelError::Object { what: "PATTERNS" });
    };
    delete(outer.fd().as_fd(), slot).map_err(|error| MapError::SyscallError(error).into())
}

/// The members of `union bpf_attr` for a command about one entry (bpf(2)).
#[repr(C)]
struct Attributes {
    map_fd: u32,
    _unused: u32,
    key: u64,
    value: u64,
    flags: u64,
}

/// `BPF_MAP_DELETE_ELEM`, which aya does not offer for maps of maps.
fn delete(map: BorrowedFd<'_>, key: u32) -> Result<(), SyscallError> {
    let attributes = Attributes {
        map_fd: map.as_raw_fd().cast_unsigned(),
        _unused: 0,
        key: (&raw const key).addr() as u64,
        value: 0,
        flags: 0,
    };
    // SAFETY: the attributes are those of this command, and the key outlives the call.
    let failed = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            DELETE_ELEM,
            &raw const attributes,
            size_of::<Attributes>(),
        )
    };
    if failed < 0 {
        return Err(SyscallError {
            call: "bpf_map_delete_elem",
            io_error: std::io::Error::last_os_error(),
        });
    }
    Ok(())
}
