//! `BPF_MAP_UPDATE_BATCH` and `BPF_MAP_LOOKUP_BATCH` (Linux 5.6), which aya does not wrap.

use std::{
    io,
    os::fd::{AsRawFd as _, BorrowedFd},
};

use aya::sys::SyscallError;
use filter_core::RuleKey;

use super::pod::PodRule;

const LOOKUP_BATCH: libc::c_long = 24;
const UPDATE_BATCH: libc::c_long = 26;

/// Entries that a lookup asks for at once.
const ENTRIES: usize = 16 * 1024;

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

/// Writes all these entries.
pub(super) fn update(map: BorrowedFd<'_>, keys: &[RuleKey], values: &[PodRule]) -> Result<(), SyscallError> {
    debug_assert_eq!(keys.len(), values.len());
    let mut attributes = Attributes {
        keys: keys.as_ptr().addr() as u64,
        values: values.as_ptr().addr() as u64,
        count: keys.len().min(values.len()) as u32,
        map_fd: map.as_raw_fd().cast_unsigned(),
        ..Attributes::default()
    };
    call(UPDATE_BATCH, &mut attributes).map_err(|io_error| SyscallError { call: "bpf_map_update_batch", io_error })
}

/// Calls `entry` for each entry. One that is added or removed meanwhile may be seen or not.
pub(super) fn each(map: BorrowedFd<'_>, mut entry: impl FnMut(RuleKey, &PodRule)) -> Result<(), SyscallError> {
    let mut keys = vec![RuleKey(0); ENTRIES];
    let mut values = vec![PodRule::default(); ENTRIES];
    let mut position = 0_u64;
    let mut first = true;
    loop {
        let position_at = (&raw mut position).addr() as u64;
        let mut attributes = Attributes {
            in_batch: if first { 0 } else { position_at },
            out_batch: position_at,
            keys: keys.as_mut_ptr().addr() as u64,
            values: values.as_mut_ptr().addr() as u64,
            count: ENTRIES as u32,
            map_fd: map.as_raw_fd().cast_unsigned(),
            ..Attributes::default()
        };
        let outcome = call(LOOKUP_BATCH, &mut attributes);
        // ENOENT says that these were the last.
        let last = matches!(&outcome, Err(error) if error.raw_os_error() == Some(libc::ENOENT));
        if !last {
            outcome.map_err(|io_error| SyscallError { call: "bpf_map_lookup_batch", io_error })?;
        }
        keys.iter().zip(&values).take(attributes.count as usize).for_each(|(key, value)| entry(*key, value));
        if last {
            return Ok(());
        }
        first = false;
    }
}

fn call(command: libc::c_long, attributes: &mut Attributes) -> io::Result<()> {
    // SAFETY: the attributes are those of a batch command; the pointers in them are to `count` entries of the map's
    // key and value sizes that outlive the call.
    let failed = unsafe { libc::syscall(libc::SYS_bpf, command, &raw mut *attributes, size_of::<Attributes>()) };
    if failed < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
