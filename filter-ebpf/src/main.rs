//! The XDP program: decide, count, answer the kernel.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]
#![expect(clippy::inline_always, reason = "what is not inlined is a function that the verifier goes through by itself")]
#![expect(clippy::needless_pass_by_value, reason = "the kernel hands the context to a program by value")]
#![expect(missing_docs, reason = "the macro that exports a program drops its documentation")]

mod atomics;
mod copying;
mod events;
mod frame;
mod globals;
mod maps;
mod numbers;
mod object;
mod replacing;
mod verified_once;
mod words;

use aya_ebpf::{
    bindings::{xdp_action, xdp_md},
    macros::xdp,
    programs::XdpContext,
};
use filter_core::{Frame, Judge, Program, Reason, Sent, Verdict, answer, decide, decide_by_layers};

use crate::{
    frame::{Linear, Paged},
    maps::{FlowMaps, KernelMaps, Room},
};

/// The filter. It reads the first buffer of a frame only, which mostly is all of it.
#[xdp(frags)]
pub fn namegate(ctx: XdpContext) -> u32 {
    let Some(mut room) = Room::of_this_cpu() else { return xdp_action::XDP_PASS };
    let reason = decide(&Linear(ctx.ctx), room.settings, &KernelMaps(ctx.ctx), &mut FlowMaps, room.scratch);
    if reason.ran_out_of_bytes() {
        maps::go_on_with(ctx.ctx, Program::Paged);
    }
    settle(ctx.ctx, &mut room, reason)
}

/// The filter for frames that are cut, or go on in other buffers.
#[xdp(frags)]
pub fn namegate_paged(ctx: XdpContext) -> u32 {
    let Some(mut room) = Room::of_this_cpu() else { return xdp_action::XDP_PASS };
    let reason = decide_by_layers(&Paged(ctx.ctx), room.settings, &KernelMaps(ctx.ctx), &mut FlowMaps, room.scratch);
    settle(ctx.ctx, &mut room, reason)
}

/// Segments of interest, in frames that lie in one piece.
#[xdp(frags)]
pub fn namegate_segment(ctx: XdpContext) -> u32 {
    of_segment(&ctx, &Linear(ctx.ctx))
}

/// Segments of interest, in others.
#[xdp(frags)]
pub fn namegate_seg_paged(ctx: XdpContext) -> u32 {
    of_segment(&ctx, &Paged(ctx.ctx))
}

#[inline(always)]
fn of_segment(ctx: &XdpContext, packet: &impl Frame) -> u32 {
    let Some(mut room) = Room::of_this_cpu() else { return xdp_action::XDP_PASS };
    let Room { settings, scratch, .. } = &mut room;
    let reason = Judge { packet, settings, maps: &KernelMaps(ctx.ctx), scratch }.segment_of_interest(&mut FlowMaps);
    settle(ctx.ctx, &mut room, reason)
}

#[inline(always)]
fn settle(ctx: *mut xdp_md, room: &mut Room<'_>, reason: Reason) -> u32 {
    room.count(reason);
    #[cfg(feature = "trace")]
    verified_once::trace(ctx, reason.index());
    match reason.verdict() {
        Verdict::Pass => xdp_action::XDP_PASS,
        Verdict::Drop => {
            if room.scratch.is_answered(reason) {
                maps::go_on_with(ctx, Program::Answer);
            }
            xdp_action::XDP_DROP
        }
    }
}

/// Answers to what was blocked.
#[xdp(frags)]
pub fn namegate_answer(ctx: XdpContext) -> u32 {
    let (Some(room), Some(draft)) = (Room::of_this_cpu(), Room::draft()) else { return xdp_action::XDP_DROP };
    let flow = maps::flow_at(room.scratch.segment.place());
    match answer(&mut Paged(ctx.ctx), room.settings, &KernelMaps(ctx.ctx), flow, room.scratch, draft) {
        Sent::Nowhere => xdp_action::XDP_DROP,
        Sent::Back => xdp_action::XDP_TX,
        Sent::On => xdp_action::XDP_PASS,
    }
}

/// Does nothing: what others cost is measured against it, and the far end of a veth needs it to receive `XDP_TX`.
#[xdp(frags)]
pub fn noop(_ctx: XdpContext) -> u32 {
    xdp_action::XDP_PASS
}
