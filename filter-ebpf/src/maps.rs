//! The maps, and safe access to them.

use core::arch::asm;

use aya_ebpf::{
    bindings::xdp_md,
    macros::map,
    maps::{Array, HashMap, PerCpuArray, ProgramArray, RingBuf},
    programs::XdpContext,
};
use filter_core::{
    Bucket, Counter, EventBudget, Flow, Flows, HashKey, HeldBytes, Maps, Name, Packet, Program, Reason, Rule, RuleKey,
    Rules, Scratch, Settings, Sides, WAYS,
};

use crate::{frame::Paged, verified_once};

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
/// What becomes of DNS messages on the interface with this index; [`Sides::Both`] behind the end.
#[map]
static INTERFACES: Array<u32> = Array::with_max_entries(1, 0);
#[map]
static BUCKETS: Array<Bucket> = Array::with_max_entries(1, 0);
#[map]
static FLOWS: Array<Flow> = Array::with_max_entries(WAYS, 0);
/// Room for the bytes of one more flow.
#[map]
static SPARE: PerCpuArray<HeldBytes> = PerCpuArray::with_max_entries(1, 0);
/// Programs that another goes on with, at the place of their [`Program`].
#[map]
static PROGRAMS: ProgramArray = ProgramArray::with_max_entries(Program::NAMES.len() as u32, 0);
#[map]
static EVENT_BUDGET: PerCpuArray<EventBudget> = PerCpuArray::with_max_entries(1, 0);
#[map]
pub static EVENTS: RingBuf = RingBuf::with_byte_size(EVENT_BYTES, 0);

/// The rules, counters and reports.
pub struct KernelMaps(pub *mut xdp_md);

impl KernelMaps {
    /// For looking up rules only.
    #[inline(always)]
    pub fn without_frame() -> Self {
        Self(core::ptr::null_mut())
    }
}

impl Rules for KernelMaps {
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

impl Maps for KernelMaps {
    #[inline(always)]
    fn count(&self, counter: Counter) {
        add_one(counter);
    }

    #[inline(always)]
    fn sides(&self) -> Sides {
        Sides::from_index(INTERFACES.get(Paged(self.0).interface()).copied().unwrap_or_default())
    }

    #[inline(always)]
    fn report(&self, settings: &Settings, scratch: &Scratch, reason: Reason) {
        verified_once::report(self.0, settings, scratch, reason.index());
    }
}

/// The table of flows.
pub struct FlowMaps;

impl Flows for FlowMaps {
    #[inline(always)]
    fn bucket(&mut self, index: u32) -> Option<&mut Bucket> {
        // SAFETY: nobody else changes a bucket's places while its lock is held; who looks without it must expect a
        // change at any time, and does no more for it than one look-up too many.
        BUCKETS.get_ptr_mut(index).map(|bucket| unsafe { &mut *bucket })
    }

    #[inline(always)]
    fn flow(&mut self, place: u32) -> Option<(&mut Flow, &mut HeldBytes)> {
        let (flow, spare) = (FLOWS.get_ptr_mut(place)?, SPARE.get_ptr_mut(0)?);
        // SAFETY: the flow's bucket is locked, and the spare room is this CPU's own.
        Some(unsafe { (&mut *flow, &mut *spare) })
    }

    #[inline(always)]
    fn lock(bucket: &mut Bucket) -> bool {
        /// Some hundred nanoseconds; who has the lock needs less than a thousand.
        const TRIES: u32 = 32;

        (0..TRIES).any(|_| exchange(&mut bucket.lock, 1) == 0)
    }

    #[inline(always)]
    fn unlock(bucket: &mut Bucket) {
        exchange(&mut bucket.lock, 0);
    }
}

/// Writes a value, and gives the one that was there.
#[inline(always)]
fn exchange(place: &mut u64, mut value: u64) -> u64 {
    // SAFETY: the place is in a map; other CPUs change it by this instruction only.
    unsafe { asm!("{0} = xchg_64({1} + 0, {0})", inlateout(reg) value, in(reg) place, options(nostack)) };
    value
}

/// The settings, and what this CPU works with.
pub struct Room<'m> {
    pub settings: &'m Settings,
    pub scratch: &'m mut Scratch,
}

impl Room<'_> {
    /// `None` never happens: the maps have these entries.
    #[inline(always)]
    pub fn of_this_cpu() -> Option<Self> {
        let settings = SETTINGS.get(0)?;
        let scratch = SCRATCH.get_ptr_mut(0)?;
        // SAFETY: the entry is this CPU's own, and XDP programs do not interrupt each other on a CPU.
        Some(Self { settings, scratch: unsafe { &mut *scratch } })
    }

    /// Counts the packet, and leaves its reason where tests find it.
    #[inline(always)]
    pub fn count(&mut self, reason: Reason) {
        self.scratch.reason = reason.index();
        add_one(Counter::Packets(reason));
    }
}

/// Runs another program in place of this one, with a stack of its own. Comes back only if there is none: the controller
/// fills the map before it attaches.
#[inline(always)]
pub fn go_on_with(ctx: *mut xdp_md, program: Program) {
    // SAFETY: the programs of the map are of this kind.
    unsafe { PROGRAMS.tail_call(&XdpContext::new(ctx), program as u32) };
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
