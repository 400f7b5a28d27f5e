//! The program for tests of the kernel itself: it does one thing with each large frame, so that
//! whatever damages the kernel can be told from what does not.
#![no_std]
#![no_main]
#![expect(
    clippy::inline_always,
    reason = "a function of its own would be verified by itself, without the context's type"
)]
#![expect(
    clippy::needless_pass_by_value,
    reason = "the kernel hands the context to a program by value"
)]
#![expect(
    missing_docs,
    reason = "the macro that exports a program drops its documentation"
)]

#[path = "../../filter-ebpf/src/object.rs"]
mod object;

use aya_ebpf::{
    bindings::{xdp_action, xdp_md},
    helpers::generated::{
        bpf_xdp_adjust_head, bpf_xdp_adjust_tail, bpf_xdp_get_buff_len, bpf_xdp_load_bytes,
        bpf_xdp_store_bytes,
    },
    macros::{map, xdp},
    maps::Array,
    programs::XdpContext,
};

/// Smaller frames pass untouched: what is large lies in several buffers, where an interface has
/// such frames.
const LARGE: u64 = 3_600;

/// Where a packet's own bytes begin: behind Ethernet, IPv4 and TCP headers.
const NEAR: u32 = 54;
/// Bytes that are read and written back.
const PIECE: usize = 16;
/// Bytes that a header takes which is put in front: an Ethernet header and two VLAN tags.
const HEAD: i32 = 22;
/// Bytes that are taken off at the end: fewer than the last buffer of the test's frames holds.
const TAIL: i32 = 100;

/// What is done, as the test's program numbers it: the change, and the action (`enum xdp_action`).
#[map]
static TASK: Array<u32> = Array::with_max_entries(2, 0);
/// How many frames it was done with, how many of them lay in several buffers, and how many calls
/// the kernel refused.
#[map]
static SEEN: Array<u64> = Array::with_max_entries(3, 0);

/// Acts on frames as they come, in several buffers as well.
#[xdp(frags)]
pub fn operate(ctx: XdpContext) -> u32 {
    act(ctx.ctx)
}

/// Acts on frames that the kernel makes linear where they are not.
#[xdp]
pub fn operate_linear(ctx: XdpContext) -> u32 {
    act(ctx.ctx)
}

#[inline(always)]
fn act(ctx: *mut xdp_md) -> u32 {
    // SAFETY: the kernel hands the program a valid context.
    let (bytes, start, end) = unsafe { (bpf_xdp_get_buff_len(ctx), (*ctx).data, (*ctx).data_end) };
    let (Some(change), Some(action)) = (TASK.get(0), TASK.get(1)) else {
        return xdp_action::XDP_ABORTED;
    };
    if bytes < LARGE {
        return xdp_action::XDP_PASS;
    }
    count(0);
    if u64::from(end - start) < bytes {
        count(1);
    }
    if !done(ctx, *change, bytes as u32) {
        count(2);
    }
    *action
}

/// Makes a change; false if the kernel refuses.
#[inline(always)]
fn done(ctx: *mut xdp_md, change: u32, bytes: u32) -> bool {
    // SAFETY: the context is the program's own, and nothing holds on to the packet.
    let result = unsafe {
        match change {
            0 => 0,
            1 => store(ctx, NEAR),
            2 => store(ctx, bytes - PIECE as u32),
            3 => bpf_xdp_adjust_head(ctx, -HEAD),
            4 => bpf_xdp_adjust_head(ctx, HEAD),
            5 => bpf_xdp_adjust_tail(ctx, -TAIL),
            _ => -1,
        }
    };
    result == 0
}

/// Reads a piece of the packet, and writes it back.
///
/// # Safety
/// The context is valid.
#[inline(always)]
unsafe fn store(ctx: *mut xdp_md, at: u32) -> i64 {
    let mut piece = [0_u8; PIECE];
    let place = piece.as_mut_ptr().cast();
    // SAFETY: the helpers read and write as many bytes as the piece has.
    unsafe {
        let failed = bpf_xdp_load_bytes(ctx, at, place, PIECE as u32);
        if failed == 0 {
            bpf_xdp_store_bytes(ctx, at, place, PIECE as u32)
        } else {
            failed
        }
    }
}

#[inline(always)]
fn count(what: u32) {
    if let Some(seen) = SEEN.get_ptr_mut(what) {
        // SAFETY: the entry is in the map. A count that another CPU overwrites is no harm: the test
        // has its traffic on one.
        unsafe { *seen += 1 };
    }
}
