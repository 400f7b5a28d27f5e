//! The XDP program: decide, count, report, answer the kernel.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]
#![expect(clippy::inline_always, reason = "what is not inlined is a function that the verifier goes through by itself")]
#![expect(clippy::needless_pass_by_value, reason = "the kernel hands the context to a program by value")]
#![expect(missing_docs, reason = "the macro that exports a program drops its documentation")]

mod events;
mod frame;
mod maps;
mod verified_once;

use aya_ebpf::{bindings::xdp_action, macros::xdp, programs::XdpContext};
use filter_core::{Verdict, decide};

use crate::{
    frame::{Linear, Paged},
    maps::{Room, RuleMap},
};

/// The filter.
#[xdp(frags)]
pub fn namegate(ctx: XdpContext) -> u32 {
    let Some(mut room) = Room::of_this_cpu() else { return xdp_action::XDP_PASS };
    let mut reason = decide(&Linear(ctx.ctx), room.settings, &RuleMap, room.name);
    if reason.ran_out_of_bytes() && Paged(ctx.ctx).goes_on() {
        reason = Paged(ctx.ctx).decide(&mut room);
    }
    room.count(reason);
    #[cfg(feature = "trace")]
    aya_log_ebpf::info!(&ctx, "frame of {} bytes: reason {}", ctx.data_end() - ctx.data(), reason.index());
    match reason.verdict() {
        Verdict::Pass => xdp_action::XDP_PASS,
        Verdict::Drop => {
            room.report(ctx.ctx, reason);
            xdp_action::XDP_DROP
        }
    }
}

/// Does nothing: what others cost is measured against it, and the far end of a veth needs it to receive `XDP_TX`.
#[xdp(frags)]
pub fn noop(_ctx: XdpContext) -> u32 {
    xdp_action::XDP_PASS
}

#[cfg(not(test))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    // The verifier refuses a program that could come here.
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
