//! The kernel's side of the seam: bytes of a frame, and bounded loops. With maps.rs, all `unsafe` of the program.

use core::{arch::asm, ffi::c_void};

use aya_ebpf::{
    bindings::xdp_md,
    helpers::generated::{bpf_loop, bpf_xdp_get_buff_len, bpf_xdp_load_bytes},
};
use filter_core::{HashKey, Judge, LabelsEnd, NAME_BYTES, Name, Packet, Reason, Rules, Step};

use crate::{maps::Room, verified_once};

/// What the verifier lets be added to a packet pointer (`MAX_PACKET_OFF` in kernel/bpf/verifier.c).
const OFFSET_MAX: usize = 0xffff;

/// The part of a frame that lies in one piece: all of it, unless it came in several buffers.
pub struct Linear(pub *mut xdp_md);

/// A frame that may lie in several buffers: every read is a helper call.
pub struct Paged(pub *mut xdp_md);

impl Packet for Linear {
    #[inline(always)]
    fn read<const N: usize>(&self, at: u32) -> Option<[u8; N]> {
        let (start, end) = bounds(self.0);
        let at = in_one_register(at as usize);
        if at > OFFSET_MAX - N {
            return None;
        }
        let at = in_one_register(start + at);
        if at + N > end {
            return None;
        }
        // SAFETY: the N bytes at `at` lie before the end of the frame; they have no alignment to keep.
        Some(unsafe { *(at as *const [u8; N]) })
    }

    #[inline(always)]
    fn copy(&self, at: u32, len: u32, into: &mut [u8; NAME_BYTES]) -> Option<()> {
        load(self.0, at, len, into)
    }

    #[inline(always)]
    fn len(&self) -> u32 {
        let (start, end) = bounds(self.0);
        (end - start) as u32
    }

    #[inline(always)]
    fn repeat<S: Step>(limit: u32, state: &mut S) {
        repeat(limit, state);
    }

    #[inline(always)]
    fn hash_labels(name: &mut Name, key: &HashKey) -> LabelsEnd {
        LabelsEnd(verified_once::hash_labels(name, key))
    }

    #[inline(always)]
    fn dns_message<R: Rules>(judge: &mut Judge<'_, Self, R>, at: u32, end: u32) -> Reason {
        reason(verified_once::dns_message(judge.packet.0, judge.settings, judge.name, at, end))
    }

    #[inline(always)]
    fn client_hello<R: Rules>(judge: &mut Judge<'_, Self, R>, at: u32, end: u32) -> Reason {
        reason(verified_once::client_hello(judge.packet.0, judge.settings, judge.name, at, end))
    }
}

impl Paged {
    /// True if the frame has more buffers than the first.
    #[inline(always)]
    pub fn goes_on(&self) -> bool {
        self.len() > Linear(self.0).len()
    }

    /// Index of the interface that the frame came in by.
    #[inline(always)]
    pub fn interface(&self) -> u32 {
        // SAFETY: the kernel hands the program a valid context.
        unsafe { (*self.0).ingress_ifindex }
    }

    /// Decides over the frame, with a helper call for each read.
    #[inline(always)]
    pub fn decide(&self, room: &mut Room<'_>) -> Reason {
        reason(verified_once::decide_paged(self.0, room.settings, room.name))
    }
}

impl Packet for Paged {
    #[inline(always)]
    fn read<const N: usize>(&self, at: u32) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        // SAFETY: `bytes` has room for N bytes, and the context is the program's own.
        let failed = unsafe { bpf_xdp_load_bytes(self.0, at, bytes.as_mut_ptr().cast(), N as u32) };
        (failed == 0).then_some(bytes)
    }

    #[inline(always)]
    fn copy(&self, at: u32, len: u32, into: &mut [u8; NAME_BYTES]) -> Option<()> {
        load(self.0, at, len, into)
    }

    #[inline(always)]
    fn len(&self) -> u32 {
        // SAFETY: the context is the program's own.
        unsafe { bpf_xdp_get_buff_len(self.0) as u32 }
    }

    #[inline(always)]
    fn repeat<S: Step>(limit: u32, state: &mut S) {
        repeat(limit, state);
    }

    #[inline(always)]
    fn hash_labels(name: &mut Name, key: &HashKey) -> LabelsEnd {
        LabelsEnd(verified_once::hash_labels(name, key))
    }

    #[inline(always)]
    fn dns_message<R: Rules>(judge: &mut Judge<'_, Self, R>, at: u32, end: u32) -> Reason {
        reason(verified_once::dns_message_paged(judge.packet.0, judge.settings, judge.name, at, end))
    }

    #[inline(always)]
    fn client_hello<R: Rules>(judge: &mut Judge<'_, Self, R>, at: u32, end: u32) -> Reason {
        reason(verified_once::client_hello_paged(judge.packet.0, judge.settings, judge.name, at, end))
    }
}

/// The reason that a function of the program gave back as a number.
#[inline(always)]
fn reason(index: u32) -> Reason {
    Reason::from_index(index).unwrap_or(Reason::TlsMalformed)
}

#[inline(always)]
fn bounds(ctx: *mut xdp_md) -> (usize, usize) {
    // SAFETY: the kernel hands the program a valid context.
    unsafe { ((*ctx).data as usize, (*ctx).data_end as usize) }
}

#[inline(always)]
fn load(ctx: *mut xdp_md, at: u32, len: u32, into: &mut [u8; NAME_BYTES]) -> Option<()> {
    let len = in_one_register(len as usize);
    if len == 0 || len > 256 {
        return None;
    }
    // SAFETY: `into` has room for 256 bytes, and the context is the program's own.
    let failed = unsafe { bpf_xdp_load_bytes(ctx, at, into.as_mut_ptr().cast(), len as u32) };
    (failed == 0).then_some(())
}

/// Hides from LLVM how a value came about. It would otherwise check one register and use another ("offset is outside
/// of the packet"), or leave out a check that it knows to hold and the verifier does not ("invalid zero-sized read").
#[inline(always)]
fn in_one_register(mut value: usize) -> usize {
    // SAFETY: it copies a register to itself. (With no instruction at all, the line table would be refused.)
    unsafe { asm!("{0} = {0}", inlateout(reg) value, options(pure, nomem, nostack)) };
    value
}

#[inline(always)]
fn repeat<S: Step>(limit: u32, state: &mut S) {
    extern "C" fn call<S: Step>(_turn: u64, state: *mut S) -> i64 {
        // SAFETY: bpf_loop hands back the pointer that `repeat` gave it, and `state` outlives the loop.
        i64::from(unsafe { &mut *state }.step().is_break())
    }
    // SAFETY: the callback has the signature that bpf_loop asks for, and `state` is what it expects.
    unsafe { bpf_loop(limit, call::<S> as *mut c_void, core::ptr::from_mut(state).cast(), 0) };
}
