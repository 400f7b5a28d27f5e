//! Reports of judged names. A report is tried when the name's verdict stands, and nothing here can change it.

use aya_ebpf::{
    bindings::{BPF_RB_NO_WAKEUP, xdp_md},
    helpers::generated::bpf_ktime_get_ns,
};
use filter_core::{Counter, Event, Reason, Scratch, Settings};

use crate::{
    frame::Paged,
    maps::{self, EVENTS},
};

/// Sends an event, as often as the settings allow; what is not sent is counted.
#[inline(always)]
pub fn report(ctx: *mut xdp_md, reason: Reason, settings: &Settings, scratch: &Scratch) {
    if !maps::take_event(settings.events_per_second()) {
        maps::add_one(Counter::EventsSuppressed);
    } else if send(ctx, reason, scratch).is_none() {
        maps::add_one(Counter::EventsLost);
    }
}

#[inline(always)]
fn send(ctx: *mut xdp_md, reason: Reason, scratch: &Scratch) -> Option<()> {
    // SAFETY: the helper takes no argument.
    let now = unsafe { bpf_ktime_get_ns() };
    // Reading through the helper does for frames in one piece as well: few packets are reported.
    let packet = Paged(ctx);
    let ends = scratch.transport.endpoints(&packet)?;
    let mut entry = EVENTS.reserve::<Event>(0)?;
    // SAFETY: the entry has an event's size and alignment, and any bytes are an event.
    let event = unsafe { entry.assume_init_mut() };
    event.fill(now, packet.interface(), reason, scratch);
    event.set_ends(&ends);
    // A wake-up costs microseconds: the controller looks by itself.
    entry.submit(u64::from(BPF_RB_NO_WAKEUP));
    Some(())
}
