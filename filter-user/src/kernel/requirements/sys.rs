//! The few uses of bpf(2) that aya does not offer, or not so.

use std::{
    ffi::{CStr, CString},
    io,
    os::{
        fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    path::Path,
};

use aya_obj::generated::bpf_insn;

const MAP_CREATE: libc::c_long = 0;
const PROG_LOAD: libc::c_long = 5;
const OBJ_PIN: libc::c_long = 6;
const OBJ_GET: libc::c_long = 7;
const OBJ_GET_INFO_BY_FD: libc::c_long = 15;
const LINK_CREATE: libc::c_long = 28;
const LINK_UPDATE: libc::c_long = 29;
#[cfg(feature = "root-tests")]
const LINK_GET_FD_BY_ID: libc::c_long = 30;
const LINK_DETACH: libc::c_long = 34;

/// `BPF_PROG_TYPE_XDP` and `BPF_XDP`.
const TYPE_XDP: u32 = 6;
const ATTACH_XDP: u32 = 37;

/// The members of `union bpf_attr` for `BPF_PROG_LOAD`, as far as probes use them.
#[repr(C)]
struct Load {
    kind: u32,
    instruction_count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel_version: u32,
    flags: u32,
}

/// Of `BPF_MAP_CREATE`.
#[repr(C)]
pub(super) struct NewMap {
    pub kind: u32,
    pub key_size: u32,
    pub value_size: u32,
    pub max_entries: u32,
    pub flags: u32,
    pub inner: u32,
}

/// Of `BPF_LINK_CREATE`.
#[repr(C)]
struct Link {
    program: u32,
    interface: u32,
    attach_type: u32,
    flags: u32,
}

/// Of `BPF_LINK_UPDATE`.
#[repr(C)]
struct LinkUpdate {
    link: u32,
    program: u32,
    flags: u32,
    expected: u32,
}

/// Of `BPF_LINK_DETACH`.
#[repr(C)]
struct LinkDetach {
    link: u32,
}

/// Of `BPF_LINK_GET_FD_BY_ID`.
#[cfg(feature = "root-tests")]
#[repr(C)]
struct LinkId {
    id: u32,
    unused: [u32; 2],
}

/// Of `BPF_OBJ_PIN` and `BPF_OBJ_GET`.
#[repr(C)]
struct Pin {
    path: u64,
    descriptor: u32,
    flags: u32,
}

/// Of `BPF_OBJ_GET_INFO_BY_FD`.
#[repr(C)]
struct InfoRequest {
    descriptor: u32,
    len: u32,
    info: u64,
}

/// The beginning of `struct bpf_prog_info`.
#[repr(C)]
#[derive(Default)]
struct ProgramInfo {
    kind: u32,
    id: u32,
    tag: [u8; 8],
    compiled_len: u32,
    translated_len: u32,
}

/// The beginning of `struct bpf_link_info`, with what follows of a link of an XDP program.
#[repr(C)]
#[derive(Default)]
struct RawLinkInfo {
    kind: u32,
    id: u32,
    program: u32,
    padding: u32,
    interface: u32,
}

/// What the kernel says of a link of an XDP program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kernel) struct LinkInfo {
    /// Its id.
    pub id: u32,
    /// Id of the program that is attached.
    pub program: u32,
    /// Index of the interface; 0 once it is gone.
    pub interface: u32,
}

/// Loads an XDP program; what the verifier wrote goes into `log`, as far as it fits.
pub(super) fn load(instructions: &[bpf_insn], flags: u32, log: &mut [u8]) -> io::Result<OwnedFd> {
    let mut attributes = Load {
        kind: TYPE_XDP,
        instruction_count: instructions.len() as u32,
        instructions: instructions.as_ptr().addr() as u64,
        license: c"GPL".as_ptr().addr() as u64,
        log_level: 1,
        log_size: log.len() as u32,
        log: log.as_mut_ptr().addr() as u64,
        kernel_version: 0,
        flags,
    };
    // SAFETY: the attributes are those of this command; instructions, licence and log outlive the
    // call.
    unsafe { new_descriptor(PROG_LOAD, &mut attributes) }
}

pub(super) fn create_map(map: &mut NewMap) -> io::Result<OwnedFd> {
    // SAFETY: the attributes are those of this command, and have no pointers.
    unsafe { new_descriptor(MAP_CREATE, map) }
}

/// Attaches a program to an interface, for as long as the descriptor is there.
pub(in crate::kernel) fn link(
    program: BorrowedFd<'_>,
    interface: u32,
    flags: u32,
) -> io::Result<OwnedFd> {
    let program = program.as_raw_fd().cast_unsigned();
    let mut attributes = Link {
        program,
        interface,
        attach_type: ATTACH_XDP,
        flags,
    };
    // SAFETY: the attributes are those of this command, and have no pointers.
    unsafe { new_descriptor(LINK_CREATE, &mut attributes) }
}

/// Puts a program in the place of the one that is attached: each packet meets the one or the other.
pub(in crate::kernel) fn update_link(
    link: BorrowedFd<'_>,
    program: BorrowedFd<'_>,
) -> io::Result<()> {
    let [link, program] = [link, program].map(|descriptor| descriptor.as_raw_fd().cast_unsigned());
    let mut attributes = LinkUpdate {
        link,
        program,
        flags: 0,
        expected: 0,
    };
    // SAFETY: the attributes are those of this command, and have no pointers.
    unsafe { call(LINK_UPDATE, &mut attributes)? };
    Ok(())
}

/// Takes the program off the interface, also where others have descriptors of the link.
pub(in crate::kernel) fn detach_link(link: BorrowedFd<'_>) -> io::Result<()> {
    let mut attributes = LinkDetach {
        link: link.as_raw_fd().cast_unsigned(),
    };
    // SAFETY: the attributes are those of this command, and have no pointers.
    unsafe { call(LINK_DETACH, &mut attributes)? };
    Ok(())
}

/// Detaches whatever link has this id, as `bpftool link detach` does.
#[cfg(feature = "root-tests")]
pub(in crate::kernel) fn detach_link_by_id(id: u32) -> io::Result<()> {
    let mut attributes = LinkId { id, unused: [0; 2] };
    // SAFETY: the attributes are those of this command, and have no pointers.
    let link = unsafe { new_descriptor(LINK_GET_FD_BY_ID, &mut attributes)? };
    detach_link(std::os::fd::AsFd::as_fd(&link))
}

/// What the kernel says of a link; `None` for one of something else than an XDP program.
pub(in crate::kernel) fn link_info(link: BorrowedFd<'_>) -> io::Result<Option<LinkInfo>> {
    /// `BPF_LINK_TYPE_XDP`.
    const XDP: u32 = 6;

    let mut info = RawLinkInfo::default();
    // SAFETY: the kernel writes integers, for which any bytes are a value.
    unsafe { read_info(link, &mut info)? };
    Ok((info.kind == XDP).then_some(LinkInfo {
        id: info.id,
        program: info.program,
        interface: info.interface,
    }))
}

/// Has a link, map or program stay at a path of a BPF file system, with or without a process that
/// has a descriptor of it.
pub(in crate::kernel) fn pin(object: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
    let path = c_path(path)?;
    let mut attributes = Pin::of(&path, object.as_raw_fd().cast_unsigned());
    // SAFETY: the attributes are those of this command, and the path outlives the call.
    unsafe { call(OBJ_PIN, &mut attributes)? };
    Ok(())
}

/// A descriptor of what is pinned at a path.
pub(in crate::kernel) fn open_pin(path: &Path) -> io::Result<OwnedFd> {
    let path = c_path(path)?;
    // SAFETY: the attributes are those of this command, which makes a descriptor, and the path
    // outlives the call.
    unsafe { new_descriptor(OBJ_GET, &mut Pin::of(&path, 0)) }
}

impl Pin {
    fn of(path: &CStr, descriptor: u32) -> Self {
        Self {
            path: path.as_ptr().addr() as u64,
            descriptor,
            flags: 0,
        }
    }
}

fn c_path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(io::Error::other)
}

/// Bytes of a program as the kernel compiled it; 0 if it interprets it.
pub(super) fn compiled_len(program: BorrowedFd<'_>) -> io::Result<u32> {
    program_info(program).map(|info| info.compiled_len)
}

/// The id of a program.
pub(in crate::kernel) fn program_id(program: BorrowedFd<'_>) -> io::Result<u32> {
    program_info(program).map(|info| info.id)
}

fn program_info(program: BorrowedFd<'_>) -> io::Result<ProgramInfo> {
    let mut info = ProgramInfo::default();
    // SAFETY: the kernel writes integers, for which any bytes are a value.
    unsafe { read_info(program, &mut info)? };
    Ok(info)
}

/// Has the kernel write the beginning of what it knows of a link or program.
///
/// # Safety
/// Any bytes must be a value of `I`.
unsafe fn read_info<I>(object: BorrowedFd<'_>, info: &mut I) -> io::Result<()> {
    let mut attributes = InfoRequest {
        descriptor: object.as_raw_fd().cast_unsigned(),
        len: size_of::<I>() as u32,
        info: (&raw mut *info).addr() as u64,
    };
    // SAFETY: the attributes are those of this command, and the kernel writes no more of the info
    // than its length.
    unsafe { call(OBJ_GET_INFO_BY_FD, &mut attributes)? };
    Ok(())
}

/// A call that returns a descriptor.
///
/// # Safety
/// As [`call`]; the command must be one that makes a descriptor.
unsafe fn new_descriptor<A>(command: libc::c_long, attributes: &mut A) -> io::Result<OwnedFd> {
    // SAFETY: as the caller promises.
    let descriptor = unsafe { call(command, attributes)? };
    // SAFETY: the kernel has just made it for this process, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor as i32) })
}

/// # Safety
/// The attributes must be those of the command, and what they point to must outlive the call.
unsafe fn call<A>(command: libc::c_long, attributes: &mut A) -> io::Result<libc::c_long> {
    // SAFETY: as the caller promises.
    let result =
        unsafe { libc::syscall(libc::SYS_bpf, command, &raw mut *attributes, size_of::<A>()) };
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}
