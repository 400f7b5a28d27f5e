//! The XDP program: decide, count, answer the kernel.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]
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

mod arguments;
mod atomics;
mod copying;
mod cpu_state;
mod events;
mod frame;
mod globals;
mod maps;
mod object;
mod replacing;
mod subprograms;

use aya_ebpf::{
    bindings::{xdp_action, xdp_md},
    macros::xdp,
    maps::ProgramArray,
    programs::XdpContext,
};
use filter_core::{
    Frame, Inspection, Program, Reason, Sent, Verdict, answer, decide, decide_by_layers,
};

use crate::{
    cpu_state::CpuState,
    frame::{Linear, Paged},
    maps::{FRAGS_PROGRAMS, FlowMaps, KernelMaps, PROGRAMS},
};

/// The filter, for frames in one buffer.
#[xdp]
pub fn namegate(ctx: XdpContext) -> u32 {
    let Some(mut room) = CpuState::of_this_cpu() else {
        return xdp_action::XDP_PASS;
    };
    let reason = of_first_buffer(&Linear::<false>(ctx.ctx), &mut room);
    count_and_act(ctx.ctx, &PROGRAMS, &mut room, reason)
}

/// DNS messages of a datagram behind its first, for frames in one buffer.
#[xdp]
pub fn namegate_joined(ctx: XdpContext) -> u32 {
    of_further_messages(&ctx, &Linear::<false>(ctx.ctx), &PROGRAMS)
}

/// TCP segments of interest, for frames in one buffer.
#[xdp]
pub fn namegate_tcp(ctx: XdpContext) -> u32 {
    of_segment(&ctx, &Linear::<false>(ctx.ctx), &PROGRAMS)
}

/// QUIC packets, for frames in one buffer.
#[xdp]
pub fn namegate_quic(ctx: XdpContext) -> u32 {
    of_quic(&ctx, &Linear::<false>(ctx.ctx), &PROGRAMS)
}

/// Answers to what was blocked, for frames in one buffer.
#[xdp]
pub fn namegate_answer(ctx: XdpContext) -> u32 {
    of_blocked(&ctx)
}

/// The filter, for frames that may lie in several buffers. It reads the first, which mostly is all
/// of a frame.
#[xdp(frags)]
pub fn namegate_frags(ctx: XdpContext) -> u32 {
    let Some(mut room) = CpuState::of_this_cpu() else {
        return xdp_action::XDP_PASS;
    };
    let packet = Linear::<true>(ctx.ctx);
    let reason = of_first_buffer(&packet, &mut room);
    if reason.ran_out_of_bytes() && !packet.has_all() {
        maps::tail_call(ctx.ctx, &FRAGS_PROGRAMS, Program::Layers);
    }
    count_and_act(ctx.ctx, &FRAGS_PROGRAMS, &mut room, reason)
}

/// Frames of which a header or a message goes on in another buffer.
#[xdp(frags)]
pub fn frags_layers(ctx: XdpContext) -> u32 {
    let Some(mut room) = CpuState::of_this_cpu() else {
        return xdp_action::XDP_PASS;
    };
    let reason = decide_by_layers(
        &Paged(ctx.ctx),
        room.settings,
        &KernelMaps(ctx.ctx),
        &mut FlowMaps,
        room.scratch,
    );
    count_and_act(ctx.ctx, &FRAGS_PROGRAMS, &mut room, reason)
}

/// DNS messages of a datagram behind its first, for frames that may lie in several buffers.
#[xdp(frags)]
pub fn frags_joined(ctx: XdpContext) -> u32 {
    of_further_messages(&ctx, &Paged(ctx.ctx), &FRAGS_PROGRAMS)
}

/// TCP segments of interest, for frames that may lie in several buffers.
#[xdp(frags)]
pub fn frags_tcp(ctx: XdpContext) -> u32 {
    of_segment(&ctx, &Paged(ctx.ctx), &FRAGS_PROGRAMS)
}

/// QUIC packets, for frames that may lie in several buffers.
#[xdp(frags)]
pub fn frags_quic(ctx: XdpContext) -> u32 {
    of_quic(&ctx, &Paged(ctx.ctx), &FRAGS_PROGRAMS)
}

/// Answers to what was blocked, for frames that may lie in several buffers.
#[xdp(frags)]
pub fn frags_answer(ctx: XdpContext) -> u32 {
    of_blocked(&ctx)
}

#[inline(always)]
fn of_first_buffer<const FRAGS: bool>(packet: &Linear<FRAGS>, room: &mut CpuState<'_>) -> Reason {
    decide(
        packet,
        room.settings,
        &KernelMaps(packet.0),
        &mut FlowMaps,
        room.scratch,
    )
}

#[inline(always)]
fn of_further_messages(
    ctx: &XdpContext,
    packet: &impl Frame,
    programs: &'static ProgramArray,
) -> u32 {
    inspect(ctx, packet, programs, |inspection| {
        inspection.further_messages()
    })
}

#[inline(always)]
fn of_segment(ctx: &XdpContext, packet: &impl Frame, programs: &'static ProgramArray) -> u32 {
    inspect(ctx, packet, programs, |inspection| {
        inspection.segment_of_interest(&mut FlowMaps)
    })
}

#[inline(always)]
fn of_quic(ctx: &XdpContext, packet: &impl Frame, programs: &'static ProgramArray) -> u32 {
    inspect(ctx, packet, programs, |inspection| {
        inspection.quic_datagram(&mut FlowMaps)
    })
}

/// Goes on with a packet that another program has begun with.
#[inline(always)]
fn inspect<P: Frame>(
    ctx: &XdpContext,
    packet: &P,
    programs: &'static ProgramArray,
    part: impl FnOnce(&mut Inspection<'_, P, KernelMaps>) -> Reason,
) -> u32 {
    let Some(mut room) = CpuState::of_this_cpu() else {
        return xdp_action::XDP_PASS;
    };
    let CpuState {
        settings, scratch, ..
    } = &mut room;
    let reason = part(&mut Inspection {
        packet,
        settings,
        maps: &KernelMaps(ctx.ctx),
        scratch,
    });
    count_and_act(ctx.ctx, programs, &mut room, reason)
}

#[inline(always)]
fn count_and_act(
    ctx: *mut xdp_md,
    programs: &'static ProgramArray,
    room: &mut CpuState<'_>,
    reason: Reason,
) -> u32 {
    room.count(reason);
    #[cfg(feature = "trace")]
    subprograms::trace(ctx, reason.index());
    match reason.verdict() {
        Verdict::Pass => xdp_action::XDP_PASS,
        Verdict::Drop => {
            if room.scratch.is_answered(reason) {
                maps::tail_call(ctx, programs, Program::Answer);
            }
            room.send_reports_of_nothing();
            xdp_action::XDP_DROP
        }
    }
}

#[inline(always)]
fn of_blocked(ctx: &XdpContext) -> u32 {
    let (Some(mut room), Some(draft)) = (CpuState::of_this_cpu(), CpuState::draft()) else {
        return xdp_action::XDP_DROP;
    };
    let flow = maps::flow_at(room.scratch.segment.place());
    let sent = answer(
        &mut Paged(ctx.ctx),
        room.settings,
        &KernelMaps(ctx.ctx),
        flow,
        maps::quic_room(),
        room.scratch,
        draft,
    );
    room.send_reports();
    match sent {
        Sent::Drop => xdp_action::XDP_DROP,
        Sent::Tx => xdp_action::XDP_TX,
        Sent::Pass => xdp_action::XDP_PASS,
    }
}

/// Does nothing: what others cost is measured against it, and the far end of a veth needs it to
/// receive `XDP_TX`.
#[xdp]
pub fn noop(_ctx: XdpContext) -> u32 {
    xdp_action::XDP_PASS
}

/// [`noop`] for interfaces with a large MTU.
#[xdp(frags)]
pub fn noop_frags(_ctx: XdpContext) -> u32 {
    xdp_action::XDP_PASS
}
