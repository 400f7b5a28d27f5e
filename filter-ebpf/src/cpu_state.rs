//! What a CPU has for itself: memory to work in, counters, and events that wait.

use aya_ebpf::{macros::map, maps::PerCpuArray};
use filter_core::{
    Counter, Event, EventBudget, MessageBuffer, OfCpu, Reason, Scratch, Settings, bounds::opaque,
};

use crate::{globals::Global, maps::coarse_now, subprograms};

#[unsafe(link_section = ".data.SETTINGS")]
static SETTINGS: Global<Settings> = Global::zeros();
/// [`Counter::CpuStateMissing`], which cannot be counted where the others are.
#[unsafe(link_section = ".data.STATE_MISSING")]
static STATE_MISSING: Global<u64> = Global::zeros();
#[map]
static CPUS: PerCpuArray<OfCpu> = PerCpuArray::with_max_entries(1, 0);
/// Room for the bytes of one more flow.
#[map]
pub static SPARE: PerCpuArray<MessageBuffer> = PerCpuArray::with_max_entries(1, 0);
#[map]
static EVENT_BUDGET: PerCpuArray<EventBudget> = PerCpuArray::with_max_entries(1, 0);
/// Events that wait until it is known what the client was given, and room for one more.
#[map]
static WAITING: PerCpuArray<Event> = PerCpuArray::with_max_entries(Event::WAITING + 1, 0);

/// The settings, and what this CPU works with.
pub struct CpuState<'m> {
    pub settings: &'m Settings,
    pub scratch: &'m mut Scratch,
    cpu: *mut OfCpu,
}

impl CpuState<'_> {
    /// `None`, which is counted, never happens: the map has this entry.
    #[inline(always)]
    pub fn of_this_cpu() -> Option<Self> {
        let Some(cpu) = CPUS.get_ptr_mut(0) else {
            STATE_MISSING.add_one();
            return None;
        };
        // SAFETY: the entry is this CPU's own, and XDP programs do not interrupt each other on a
        // CPU.
        let scratch = unsafe { &mut (*cpu).scratch };
        Some(Self {
            settings: SETTINGS.get(),
            scratch,
            cpu,
        })
    }

    /// Room for an answer; `None` likewise.
    #[inline(always)]
    pub fn draft() -> Option<&'static mut MessageBuffer> {
        let Some(draft) = SPARE.get_ptr_mut(0) else {
            STATE_MISSING.add_one();
            return None;
        };
        // SAFETY: the entry is this CPU's own, and what a flow had in it is done with.
        Some(unsafe { &mut *draft })
    }

    /// Counts the packet, and leaves its reason where tests find it.
    #[inline(always)]
    pub fn count(&mut self, reason: Reason) {
        self.scratch.reason = reason.index();
        // SAFETY: the entry is this CPU's own, and nobody keeps a reference to the counters.
        add_one_of(
            unsafe { &mut (*self.cpu).counters },
            Counter::Packets(reason),
        );
    }

    /// The client is given nothing: sends the events that waited for it.
    #[inline(always)]
    pub fn send_reports_of_nothing(&mut self) {
        subprograms::send_reports_of_nothing(self.scratch);
    }

    /// Sends the events that waited for what the client was given.
    #[inline(always)]
    pub fn send_reports(&mut self) {
        if self.scratch.reports > 0 {
            subprograms::send_reports(self.scratch);
        }
    }
}

/// Room for an event of the packet at hand.
#[inline(always)]
pub fn waiting_event(place: u32) -> Option<&'static mut Event> {
    // SAFETY: the entry is this CPU's own, any bytes are an event, and nobody keeps a reference to
    // one.
    WAITING
        .get_ptr_mut(place)
        .map(|event| unsafe { &mut *event })
}

/// Counts one more.
#[inline(always)]
pub fn add_one(counter: Counter) {
    if let Some(cpu) = CPUS.get_ptr_mut(0) {
        // SAFETY: the entry is this CPU's own.
        add_one_of(unsafe { &mut (*cpu).counters }, counter);
    }
}

#[inline(always)]
fn add_one_of(counters: &mut [u64; Counter::COUNT as usize], counter: Counter) {
    if let Some(count) = counters.get_mut(opaque(counter.index() as usize)) {
        *count += 1;
    }
}

/// Takes one event off this CPU's budget; false if there is none left.
#[inline(always)]
pub fn take_event(per_second: u64) -> bool {
    let Some(budget) = EVENT_BUDGET.get_ptr_mut(0) else {
        return false;
    };
    // SAFETY: the entry is this CPU's own.
    unsafe { &mut *budget }.take(coarse_now(), per_second)
}
