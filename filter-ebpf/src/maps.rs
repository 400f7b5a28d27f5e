//! The maps, and safe access to them.

use core::arch::asm;

use aya_ebpf::{
    bindings::xdp_md,
    macros::map,
    maps::{Array, HashMap, PerCpuArray, RingBuf},
};
use filter_core::{Counter, EventBudget, HashKey, Name, Packet, Reason, Rule, RuleKey, Rules, Scratch, Settings};

use crate::verified_once;

/// Rules until the controller says how many there will be.
const RULES_UNTIL_SIZED: u32 = 1024;
/// About 3,000 events.
const EVENT_BYTES: u32 = 1 << 20;

#[map]
static RULES: HashMap<u64, Rule> = HashMap::with_max_entries(RULES_UNTIL_SIZED, 0);
#[map]
static SETTINGS: Array<Settings> = Array::with_max_entries(1, 0);
#[map]
static COUNTERS: PerCpuArray<u64> = PerCpuArray::with_max_entries(Counter::COUNT, 0);
#[map]
static SCRATCH: PerCpuArray<Scratch> = PerCpuArray::with_max_entries(1, 0);
#[map]
static EVENT_BUDGET: PerCpuArray<EventBudget> = PerCpuArray::with_max_entries(1, 0);
#[map]
pub static EVENTS: RingBuf = RingBuf::with_byte_size(EVENT_BYTES, 0);

/// The rules of the map.
pub struct RuleMap;

impl Rules for RuleMap {
    #[inline(always)]
    fn matches(&self, key: RuleKey) -> bool {
        let Some(rule) = RULES.get_ptr_mut(key.0) else { return false };
        // SAFETY: the pointer is to a value of the map, which other CPUs change by this instruction only. The target
        // has the instruction, but core offers no atomic type for it.
        unsafe { asm!("lock *(u64 *)({} + 0) += {}", in(reg) &raw mut (*rule).hits, in(reg) 1_u64) };
        true
    }

    #[inline(always)]
    fn any_matches<P: Packet + ?Sized>(&self, name: &mut Name, key: &HashKey) -> bool {
        verified_once::any_matches(name, key) != 0
    }
}

/// The settings, and what this CPU works with.
pub struct Room<'m> {
    pub settings: &'m Settings,
    pub name: &'m mut Name,
    reason: &'m mut u32,
}

impl Room<'_> {
    /// `None` never happens: the maps have these entries.
    #[inline(always)]
    pub fn of_this_cpu() -> Option<Self> {
        let settings = SETTINGS.get(0)?;
        let scratch = SCRATCH.get_ptr_mut(0)?;
        // SAFETY: the entry is this CPU's own, and XDP programs do not interrupt each other on a CPU.
        let Scratch { name, reason, .. } = unsafe { &mut *scratch };
        Some(Self { settings, name, reason })
    }

    /// Counts the packet, and leaves its reason where tests find it.
    #[inline(always)]
    pub fn count(&mut self, reason: Reason) {
        *self.reason = reason.index();
        add_one(Counter::Packets(reason));
    }

    /// Reports a blocked packet, if there is room for the report.
    #[inline(always)]
    pub fn report(&self, ctx: *mut xdp_md, reason: Reason) {
        verified_once::report(ctx, self.settings, self.name, reason.index());
    }
}

/// Counts one more.
#[inline(always)]
pub fn add_one(counter: Counter) {
    if let Some(count) = COUNTERS.get_ptr_mut(counter.index()) {
        // SAFETY: the entry is this CPU's own.
        unsafe { *count += 1 };
    }
}

/// Takes one event off this CPU's budget; false if there is none left.
#[inline(always)]
pub fn take_event(now: u64, per_second: u64) -> bool {
    let Some(budget) = EVENT_BUDGET.get_ptr_mut(0) else { return false };
    // SAFETY: the entry is this CPU's own.
    unsafe { &mut *budget }.take(now, per_second)
}
