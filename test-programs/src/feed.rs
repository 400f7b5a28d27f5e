//! The programs for measurements: one that feeds frames to another, so that the kernel runs it over
//! many in one call; one that sends them; and two that do one thing with all that comes.
//!
//! Where frames are fed, the kernel leaves the packet from one run to the next as the program left
//! it, which may have grown at either end: each turn brings its start back to where it was first,
//! and makes it as long as the next frame.
#![no_std]
#![no_main]
#![expect(
    clippy::inline_always,
    reason = "what is not inlined is a function that the verifier goes through by itself"
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

use core::ptr::{read_volatile, write_volatile};

use aya_ebpf::{
    bindings::{xdp_action, xdp_md},
    helpers::generated::{bpf_xdp_adjust_head, bpf_xdp_adjust_tail, bpf_xdp_store_bytes},
    macros::{map, xdp},
    maps::{Array, ProgramArray},
    programs::XdpContext,
};
use filter_core::bounds::within;
use test_programs::{Frames, Turns};

#[map]
static FRAMES: Array<Frames> = Array::with_max_entries(1, 0);
#[map]
static TURNS: Array<Turns> = Array::with_max_entries(1, 0);
/// The program that is measured.
#[map]
static FED: ProgramArray = ProgramArray::with_max_entries(1, 0);

/// Makes the next frame the packet, and goes on with the program that is measured.
#[xdp]
pub fn feed(ctx: XdpContext) -> u32 {
    let fed = turns().and_then(|turns| {
        bring_back(ctx.ctx, turns)?;
        put_next(ctx.ctx, turns)
    });
    if fed.is_some() {
        // SAFETY: the program of the map is of this kind.
        unsafe { FED.tail_call(&ctx, 0) };
    }
    xdp_action::XDP_ABORTED
}

/// Makes the next frame the packet, and sends it: for live frames, which the kernel brings back by
/// itself.
#[xdp]
pub fn send(ctx: XdpContext) -> u32 {
    match turns().and_then(|turns| put_next(ctx.ctx, turns)) {
        Some(()) => xdp_action::XDP_TX,
        None => xdp_action::XDP_ABORTED,
    }
}

/// Lets each packet pass.
#[xdp]
pub fn pass(_ctx: XdpContext) -> u32 {
    xdp_action::XDP_PASS
}

/// Drops each packet.
#[xdp]
pub fn discard(_ctx: XdpContext) -> u32 {
    xdp_action::XDP_DROP
}

#[inline(always)]
fn turns() -> Option<&'static mut Turns> {
    // SAFETY: the entry is in the map, and one program at a time feeds or sends.
    TURNS.get_ptr_mut(0).map(|turns| unsafe { &mut *turns })
}

#[inline(always)]
fn put_next(ctx: *mut xdp_md, turns: &mut Turns) -> Option<()> {
    let (frame, len) = next(turns)?;
    put(ctx, frame, len)?;
    turns.fed += 1;
    Some(())
}

/// The next frame and its length; behind the last one of a room, the first one of the next room.
#[inline(always)]
fn next(turns: &mut Turns) -> Option<(*const u8, usize)> {
    let (frame, len) = if let Some(there) = at(turns) {
        there
    } else {
        turns.room = if turns.room + 1 < turns.rooms {
            turns.room + 1
        } else {
            0
        };
        turns.at = 0;
        at(turns)?
    };
    turns.at = Frames::behind(turns.at as usize, len) as u64;
    Some((frame, len))
}

/// The frame at the place of this turn, and its length; `None` behind the last one of a room.
#[inline(always)]
fn at(turns: &Turns) -> Option<(*const u8, usize)> {
    let place = within(turns.at as usize, 0, Frames::LAST)?;
    // SAFETY: the place is one of a length.
    unsafe {
        let (len, frame) = FRAMES.get(turns.room)?.at(place);
        (*len != 0).then_some((frame, *len as usize))
    }
}

/// Brings the packet's start back to where it was at the first turn.
#[inline(always)]
fn bring_back(ctx: *mut xdp_md, turns: &mut Turns) -> Option<()> {
    // SAFETY: both are places in the map's entry. An address that was written there comes back as a
    // number, with which the verifier lets a program calculate ("math between pkt pointer and
    // register").
    let start = unsafe {
        write_volatile(&raw mut turns.start, (*ctx).data.into());
        read_volatile(&raw const turns.start)
    };
    if turns.home == 0 {
        turns.home = start;
    }
    let way = turns.home.wrapping_sub(start) as i32;
    // SAFETY: the context is the program's own, and nothing holds on to the packet.
    (way == 0 || unsafe { bpf_xdp_adjust_head(ctx, way) } == 0).then_some(())
}

/// Makes this frame the packet.
#[inline(always)]
fn put(ctx: *mut xdp_md, frame: *const u8, len: usize) -> Option<()> {
    let len = within(len, 1, Frames::MOST)?;
    // SAFETY: the kernel hands the program a valid context.
    let (start, end) = unsafe { ((*ctx).data as usize, (*ctx).data_end as usize) };
    let more = (len as u32).cast_signed() - ((end - start) as u32).cast_signed();
    // SAFETY: the context is the program's own, and nothing holds on to the packet.
    if more != 0 && unsafe { bpf_xdp_adjust_tail(ctx, more) } != 0 {
        return None;
    }
    // SAFETY: there are that many bytes at any place in a room, and the helper only reads them.
    let failed = unsafe { bpf_xdp_store_bytes(ctx, 0, frame.cast_mut().cast(), len as u32) };
    (failed == 0).then_some(())
}
