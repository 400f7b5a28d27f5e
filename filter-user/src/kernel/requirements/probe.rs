//! Trying whether the kernel has a feature, each by the smallest thing that uses it.

use std::{
    io,
    os::fd::{AsFd as _, AsRawFd as _, OwnedFd},
};

use aya_obj::generated::{BPF_ALU64, BPF_CALL, BPF_EXIT, BPF_JMP, BPF_K, BPF_MOV, bpf_insn};

use super::{
    Feature,
    sys::{self, NewMap},
};
use crate::kernel::batch;

/// `XDP_PASS`.
const PASS: i32 = 2;
/// `BPF_F_XDP_HAS_FRAGS`.
const HAS_FRAGS: u32 = 1 << 5;
/// Every network namespace has its loopback interface under this index.
const LOOPBACK: u32 = 1;
/// `XDP_FLAGS_HW_MODE`: the card itself runs the program.
const IN_HARDWARE: u32 = 1 << 3;

/// Types of maps (`enum bpf_map_type`) whose keys or values are not of free size.
const PROGRAM_ARRAY: u32 = 3;
const LPM_TRIE: u32 = 11;
const ARRAY: u32 = 2;
const ARRAY_OF_MAPS: u32 = 12;
const HASH_OF_MAPS: u32 = 13;
const RING_BUFFER: u32 = 27;
const HASH: u32 = 1;

impl Feature {
    /// Whether the kernel that runs has it.
    ///
    /// # Errors
    /// If that cannot be told: the process may not try it, for example.
    pub fn is_supported(self) -> io::Result<bool> {
        match self {
            Self::SystemCall => is_there(new_map(ARRAY, 0), libc::ENOSYS),
            Self::Jit => Ok(sys::compiled_len(pass(0)?.as_fd())? > 0),
            Self::Map { kind, flags } => is_there(new_map(kind, flags), libc::EINVAL),
            Self::Batches => is_there(batch::try_none(new_map(HASH, 0)?.as_fd()), libc::EINVAL),
            Self::Link => links(),
            Self::Helper(number) => helper(number),
            Self::Frags => is_there(pass(HAS_FRAGS), libc::EINVAL),
        }
    }
}

/// True if it worked, false if it failed in the way that says that the kernel does not know it.
fn is_there<T>(tried: io::Result<T>, unknown: i32) -> io::Result<bool> {
    match tried {
        Ok(_) => Ok(true),
        Err(error) if error.raw_os_error() == Some(unknown) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A program that lets everything pass.
fn pass(flags: u32) -> io::Result<OwnedFd> {
    sys::load(
        &[
            instruction(BPF_ALU64 | BPF_MOV | BPF_K, PASS),
            instruction(BPF_JMP | BPF_EXIT, 0),
        ],
        flags,
        &mut [0; 4096],
    )
}

/// A call without arguments: the verifier refuses it in other words where it does not know the
/// helper.
fn helper(number: u32) -> io::Result<bool> {
    const UNKNOWN: [&str; 3] = [
        "invalid func ",
        "unknown func ",
        "program of this type cannot use helper ",
    ];
    let calls = [
        instruction(BPF_JMP | BPF_CALL, number.cast_signed()),
        instruction(BPF_JMP | BPF_EXIT, 0),
    ];
    let mut log = [0; 4096];
    let Err(error) = sys::load(&calls, 0, &mut log) else {
        return Ok(true);
    };
    let log = String::from_utf8_lossy(&log);
    let log = log.trim_end_matches('\0');
    // It came as far as the verifier only with a log.
    if log.is_empty() {
        Err(error)
    } else {
        Ok(!UNKNOWN.iter().any(|unknown| log.contains(unknown)))
    }
}

/// Asks the loopback interface to run the program in hardware that it does not have: a kernel with
/// links says so, one without them does not know what is asked. Nothing is attached.
fn links() -> io::Result<bool> {
    match sys::link(pass(0)?.as_fd(), LOOPBACK, IN_HARDWARE) {
        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => Ok(true),
        tried => is_there(tried, libc::EINVAL),
    }
}

/// The smallest map of a type.
fn new_map(kind: u32, flags: u32) -> io::Result<OwnedFd> {
    let inner = match kind {
        ARRAY_OF_MAPS | HASH_OF_MAPS => Some(new_map(ARRAY, 0)?),
        _ => None,
    };
    let (key_size, value_size, max_entries) = match kind {
        RING_BUFFER => (0, 0, rustix::param::page_size() as u32),
        // `struct bpf_lpm_trie_key`: the length of the prefix, and octets.
        LPM_TRIE => (8, 4, 1),
        PROGRAM_ARRAY | ARRAY_OF_MAPS | HASH_OF_MAPS => (4, 4, 1),
        _ => (4, 8, 1),
    };
    let inner_descriptor = inner
        .as_ref()
        .map_or(0, |inner| inner.as_raw_fd().cast_unsigned());
    sys::create_map(&mut NewMap {
        kind,
        key_size,
        value_size,
        max_entries,
        flags,
        inner: inner_descriptor,
    })
}

/// With register 0 as its destination, if it has one.
fn instruction(code: u32, value: i32) -> bpf_insn {
    bpf_insn {
        code: code as u8,
        _bitfield_align_1: [],
        _bitfield_1: bpf_insn::new_bitfield_1(0, 0),
        off: 0,
        imm: value,
    }
}
