//! Reports of judged names. A report is tried when the name's verdict stands, and nothing here can
//! change it.
//!
//! An event of a name that is blocked waits in a map until it is known what the client was given:
//! the answer is made by another program, and an entry of the ring buffer cannot be kept until then
//! (the verifier wants it submitted by the program that reserved it). All others are sent at once.

use aya_ebpf::{
    bindings::{BPF_RB_NO_WAKEUP, xdp_md},
    helpers::generated::bpf_ktime_get_ns,
};
use filter_core::{Counter, Event, Reason, Scratch, Settings};

use crate::{
    cpu_state::{self, CpuState},
    frame::Paged,
    maps::{self, EVENTS},
    subprograms,
};

/// Makes an event, as often as the settings allow; what is not reported is counted.
#[inline(always)]
pub fn report(ctx: *mut xdp_md, reason: Reason, settings: &Settings, scratch: &mut Scratch) {
    if !cpu_state::take_event(settings.events_per_second()) {
        cpu_state::add_one(Counter::EventsSuppressed);
    } else if make(ctx, reason, settings, scratch).is_none() {
        cpu_state::add_one(Counter::EventsLost);
    }
}

#[inline(always)]
fn make(
    ctx: *mut xdp_md,
    reason: Reason,
    settings: &Settings,
    scratch: &mut Scratch,
) -> Option<()> {
    // SAFETY: the helper takes no argument.
    let now = unsafe { bpf_ktime_get_ns() };
    // Reading through the helper does for frames in one piece as well: few packets are reported.
    let packet = Paged(ctx);
    let ends = scratch.transport.endpoints(&packet)?;
    let waiting = scratch.reports;
    let event = cpu_state::waiting_event(waiting)?;
    let index = packet.interface();
    event.fill(now, (index, maps::interface(index)), reason, scratch);
    event.set_ends(&ends);
    if reason.is_blocked() && !settings.reports_passed() && waiting < Event::WAITING {
        scratch.reports = waiting + 1;
        return Some(());
    }
    send(event)
}

/// Sends the events that wait, with what the client was given.
#[inline(always)]
pub fn send_waiting(scratch: &mut Scratch) {
    for place in 0..Event::WAITING {
        if place >= scratch.reports {
            break;
        }
        subprograms::send_report(scratch, place);
    }
    scratch.reports = 0;
}

/// Sends the event that waits at this place.
#[inline(always)]
pub fn send_waiting_at(scratch: &Scratch, place: u32) {
    let sent = cpu_state::waiting_event(place)
        .zip(CpuState::draft())
        .and_then(|(event, draft)| {
            event.set_given(scratch, draft);
            send(event)
        });
    if sent.is_none() {
        cpu_state::add_one(Counter::EventsLost);
    }
}

#[inline(always)]
fn send(event: &Event) -> Option<()> {
    // A wake-up costs microseconds: the controller looks by itself.
    EVENTS
        .output::<Event>(event, u64::from(BPF_RB_NO_WAKEUP))
        .ok()
}
