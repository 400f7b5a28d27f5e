//! Reports of blocked packets. The verdict stands before a report is tried, and nothing here can change it.

use aya_ebpf::{
    bindings::{BPF_RB_NO_WAKEUP, xdp_md},
    helpers::bpf_ktime_get_ns,
};
use filter_core::{Counter, Event, Name, Reason, Settings, Transport};

use crate::{
    frame::Paged,
    maps::{self, EVENTS},
};

/// Sends an event, as often as the settings allow; what is not sent is counted.
#[inline(always)]
pub fn report(ctx: *mut xdp_md, reason: Reason, settings: &Settings, name: &Name) {
    // SAFETY: the helper takes no argument.
    let now = unsafe { bpf_ktime_get_ns() };
    if !maps::take_event(now, settings.events_per_second()) {
        maps::add_one(Counter::EventsSuppressed);
    } else if send(ctx, now, reason, name).is_none() {
        maps::add_one(Counter::EventsLost);
    }
}

#[inline(always)]
fn send(ctx: *mut xdp_md, now: u64, reason: Reason, name: &Name) -> Option<()> {
    // Where the packet has its addresses is found anew: few packets are blocked. Reading through the helper does for
    // frames in one piece as well.
    let packet = Paged(ctx);
    let transport = Transport::of(&packet).ok()?;
    let ends = transport.endpoints(&packet)?;
    let mut entry = EVENTS.reserve::<Event>(0)?;
    // SAFETY: the entry has an event's size and alignment, and any bytes are an event.
    let event = unsafe { entry.assume_init_mut() };
    event.fill(now, packet.interface(), reason, &transport, &ends, name);
    // A wake-up costs microseconds: the controller looks by itself.
    entry.submit(u64::from(BPF_RB_NO_WAKEUP));
    Some(())
}
