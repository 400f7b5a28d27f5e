//! `BPF_MAP_UPDATE_BATCH` and `BPF_MAP_DELETE_BATCH` (Linux 5.6), which aya does not wrap.

use std::{
    io,
    os::fd::{AsRawFd as _, BorrowedFd},
};

use aya::{Pod, sys::SyscallError};

const UPDATE_BATCH: libc::c_long = 26;
const DELETE_BATCH: libc::c_long = 27;

/// The `batch` member of `union bpf_attr` (bpf(2)).
#[repr(C)]
#[derive(Default)]
struct Attributes {
    in_batch: u64,
    out_batch: u64,
    keys: u64,
    values: u64,
    count: u32,
    map_fd: u32,
    elem_flags: u64,
    flags: u64,
}

/// Writes all these entries; the types are those of the map.
pub(super) fn update<K: Pod, V: Pod>(
    map: BorrowedFd<'_>,
    keys: &[K],
    values: &[V],
) -> Result<(), SyscallError> {
    debug_assert_eq!(keys.len(), values.len());
    if keys.is_empty() {
        return Ok(());
    }
    let mut attributes = Attributes {
        keys: keys.as_ptr().addr() as u64,
        values: values.as_ptr().addr() as u64,
        count: keys.len().min(values.len()) as u32,
        map_fd: map.as_raw_fd().cast_unsigned(),
        ..Attributes::default()
    };
    call(UPDATE_BATCH, &mut attributes).map_err(|io_error| SyscallError {
        call: "bpf_map_update_batch",
        io_error,
    })
}

/// Writes no entries, to see whether the kernel knows the operation.
pub(super) fn try_none(map: BorrowedFd<'_>) -> io::Result<()> {
    let map_fd = map.as_raw_fd().cast_unsigned();
    call(
        UPDATE_BATCH,
        &mut Attributes {
            map_fd,
            ..Attributes::default()
        },
    )?;
    call(
        DELETE_BATCH,
        &mut Attributes {
            map_fd,
            ..Attributes::default()
        },
    )
}

/// Takes all these entries out.
pub(super) fn delete<K: Pod>(map: BorrowedFd<'_>, keys: &[K]) -> Result<(), SyscallError> {
    if keys.is_empty() {
        return Ok(());
    }
    let mut attributes = Attributes {
        keys: keys.as_ptr().addr() as u64,
        count: keys.len() as u32,
        map_fd: map.as_raw_fd().cast_unsigned(),
        ..Attributes::default()
    };
    match call(DELETE_BATCH, &mut attributes) {
        // One that was not there ends the call; what is behind it is to go as well.
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {
            let behind = keys
                .get(attributes.count as usize + 1..)
                .unwrap_or_default();
            if behind.is_empty() {
                Ok(())
            } else {
                delete(map, behind)
            }
        }
        other => other.map_err(|io_error| SyscallError {
            call: "bpf_map_delete_batch",
            io_error,
        }),
    }
}

fn call(command: libc::c_long, attributes: &mut Attributes) -> io::Result<()> {
    // SAFETY: the attributes are those of a batch command; the pointers in them are to `count`
    // entries of the map's key and value sizes that outlive the call.
    let failed = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            &raw mut *attributes,
            size_of::<Attributes>(),
        )
    };
    if failed < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
