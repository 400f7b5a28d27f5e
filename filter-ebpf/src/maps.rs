//! The maps, and safe access to them.

use aya_ebpf::{
    bindings::{BPF_F_INNER_MAP, BPF_F_MMAPABLE, BPF_F_NO_PREALLOC, xdp_md},
    btf_maps::{self, ArrayOfMaps},
    helpers::generated::bpf_ktime_get_coarse_ns,
    macros::{btf_map, map},
    maps::{Array, HashMap, LpmTrie, PerCpuArray, ProgramArray, RingBuf, lpm_trie::Key},
    programs::XdpContext,
};
use filter_core::{
    Actions, ActivePolicy, Allowance, BankWalk, Bucket, Client, Counter, Directions, Effect,
    EffectEntry, Family, Flow, Flows, Generation, Group, HashKey, HitLine, Interface, ListName,
    Maps, Member, MessageBuffer, Name, PATTERN_SLOTS, Packet, Page, Part, Patterns, Precedence,
    Program, ProgramSet, QuicFlow, QuicRoom, Reason, Rule, RuleKey, RuleShape, Rules, Scratch,
    Settings, WAYS, bloom_bits, return_codes::ReturnCode, subprograms,
};

use crate::{
    arguments::{Argument, calls_with_values},
    atomics::{add_atomically, exchange_if},
    cpu_state,
    frame::Paged,
    globals::Global,
    subprograms,
};

/// Of what depends on the policy, until the controller says how many there will be.
const UNTIL_SIZED: u32 = 1;
/// About 3,000 events.
const EVENT_BYTES: u32 = 1 << 20;

#[map]
static RULES: HashMap<u32, Page> = HashMap::with_max_entries(UNTIL_SIZED, 0);
/// What keeps most keys that have no rule away from the rules.
#[map]
static BLOOM: Array<u64> = Array::with_max_entries(UNTIL_SIZED, BPF_F_MMAPABLE);
/// What rules ask for, under the numbers that they have in the rule map; behind those, what they
/// ask for in further banks of audiences.
#[map]
static EFFECTS: Array<EffectEntry> = Array::with_max_entries(Rule::NUMBERS, 0);
/// Packets that a rule decided about, for those that did.
#[map]
static HITS: Array<HitLine> = Array::with_max_entries(HitLine::LINES, BPF_F_MMAPABLE);
#[unsafe(link_section = ".data.IN_FORCE")]
static IN_FORCE: Global<ActivePolicy> = Global::zeros();
/// For each group of clients and each bank of audiences, those that apply; the first group is that
/// of all others.
#[map]
static GROUPS: Array<Group> = Array::with_max_entries(UNTIL_SIZED, 0);
#[map]
static MACS: HashMap<u64, Member> = HashMap::with_max_entries(UNTIL_SIZED, BPF_F_NO_PREALLOC);
#[map]
static SUBNETS4: LpmTrie<u32, Member> = LpmTrie::with_max_entries(UNTIL_SIZED, BPF_F_NO_PREALLOC);
#[map]
static SUBNETS6: LpmTrie<[u64; 2], Member> =
    LpmTrie::with_max_entries(UNTIL_SIZED, BPF_F_NO_PREALLOC);
/// What this CPU works with on QUIC packets, when it is done with one.
#[inline(always)]
pub fn quic_room() -> Option<&'static QuicRoom> {
    // SAFETY: the room is this CPU's own, and nobody has it while a packet is answered.
    QUIC_ROOM.get_ptr_mut(0).map(|room| unsafe { &*room })
}

/// What is done with packets that come in by the interface with this index.
#[map]
static INTERFACES: Array<Interface> = Array::with_max_entries(1, 0);
/// What is done with those of others.
static DEFAULT_INTERFACE: Interface = Interface::new(Directions::Both);
/// By audience and generation: what becomes of what its lists block.
#[map]
static ACTIONS: Array<Actions> = Array::with_max_entries(UNTIL_SIZED, 0);
/// By number and generation: the names of lists.
#[map]
static LISTS: Array<ListName> = Array::with_max_entries(UNTIL_SIZED, 0);
#[map]
static ALLOWANCES: Array<Allowance> = Array::with_max_entries(Allowance::BUCKETS, 0);
#[map]
static BUCKETS: Array<Bucket> = Array::with_max_entries(1, 0);
#[map]
static FLOWS: Array<Flow> = Array::with_max_entries(WAYS, 0);
#[map]
static QUIC_BUCKETS: Array<Bucket> = Array::with_max_entries(1, 0);
#[map]
static QUIC_FLOWS: Array<QuicFlow> = Array::with_max_entries(WAYS, 0);
/// What each CPU works with on QUIC.
#[map]
static QUIC_ROOM: PerCpuArray<QuicRoom> = PerCpuArray::with_max_entries(1, 0);
/// [`ProgramSet::LINEAR`], each at the place of its [`Program`].
#[map]
pub static PROGRAMS: ProgramArray = ProgramArray::with_max_entries(ProgramSet::PLACES, 0);
/// [`ProgramSet::FRAGS`], likewise.
#[map]
pub static FRAGS_PROGRAMS: ProgramArray = ProgramArray::with_max_entries(ProgramSet::PLACES, 0);
/// By generation: the parts of its patterns, as many as it has. A place without patterns is empty.
#[btf_map]
static PATTERNS: ArrayOfMaps<PartsOfPatterns, { PATTERN_SLOTS as usize }> = ArrayOfMaps::new();
/// The value is an array of one part. User space makes these maps without type information (BTF),
/// which Linux 6.1 takes for another kind of map (`bpf_map_meta_equal`: `timer_off` is `-EINVAL`)
/// than a map with a struct as its value (`-ENOENT`).
type PartsOfPatterns = btf_maps::Array<[Part; 1], 1, { BPF_F_INNER_MAP as usize }>;
#[map]
pub static EVENTS: RingBuf = RingBuf::with_byte_size(EVENT_BYTES, 0);

/// Makes methods of the seam that call the functions of the table over maps and their values, for
/// one trait of the seam.
macro_rules! maps_calls {
    ([$trait:ident]) => {};
    ([hash] hash { $($line:tt)* } $($rest:tt)*) => {
        calls_with_values! { [self] $($line)* }
        maps_calls! { [hash] $($rest)* }
    };
    ([pattern] pattern { $($line:tt)* } $($rest:tt)*) => {
        calls_with_values! { [self] $($line)* }
        maps_calls! { [pattern] $($rest)* }
    };
    ([pattern] parts { $($line:tt)* } $($rest:tt)*) => {
        calls_with_values! { [self] $($line)* }
        maps_calls! { [pattern] $($rest)* }
    };
    ([client] client { $($name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)* } $($rest:tt)*) => {
        $(
            #[inline(always)]
            fn $name<P: Packet + ?Sized>(&self, _: &P, $($argument: $kind),*) -> $result {
                ReturnCode::from_code(subprograms::any::$name(self.0, $($argument.into_raw()),*))
            }
        )*
        maps_calls! { [client] $($rest)* }
    };
    ([$trait:ident] $other:ident $lines:tt $($rest:tt)*) => { maps_calls! { [$trait] $($rest)* } };
}

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
    fn in_force(&self) -> ActivePolicy {
        IN_FORCE.read()
    }

    /// Not asked for here: [`KernelMaps::take_rule`] does without.
    #[inline(always)]
    fn effect(&self, _: RuleKey, _: Generation) -> Option<&Effect> {
        None
    }

    #[inline(always)]
    fn may_have(&self, key: RuleKey, in_force: ActivePolicy) -> bool {
        let bits = bloom_bits(key);
        BLOOM
            .get(in_force.shape().bloom_word(key))
            .is_some_and(|word| word & bits == bits)
    }

    #[inline(always)]
    fn take_rule(&self, name: &mut Name, key: RuleKey, in_force: ActivePolicy, left: u32) -> bool {
        let number = subprograms::number_of_effects(key.0, in_force.word());
        number != u32::from(Effect::NONE)
            && bool::from_code(subprograms::take_effect(
                name,
                key.0,
                number,
                in_force.word(),
                left,
            ))
    }

    #[inline(always)]
    fn group(&self, client: &Client, generation: Generation) -> u32 {
        // SAFETY: the values are copied out at once; they change as a whole.
        let by_mac = unsafe { MACS.get(client.mac) }.and_then(|member| member.group(generation));
        by_mac
            .or_else(|| subnet(client)?.group(generation))
            .unwrap_or_default()
    }

    #[inline(always)]
    fn actions(&self, audience: u32, generation: Generation) -> Option<&Actions> {
        ACTIONS.get(Actions::place(audience, generation))
    }

    #[inline(always)]
    fn list_name(&self, list: u32, generation: Generation) -> Option<&ListName> {
        LISTS.get(ListName::place(list, generation))
    }

    subprograms! { maps_calls hash }
}

/// The effect at this place; `None` if it is that of [`Effect::NONE`].
#[inline(always)]
pub fn effect(place: u32) -> Option<&'static EffectEntry> {
    if place == u32::from(Effect::NONE) {
        None
    } else {
        EFFECTS.get(place)
    }
}

/// The number of the effect of the rule with this key. The kernel puts another page in the place of
/// one that was replaced, at once, and somebody may still look at it: what is not found is looked
/// for once more.
#[inline(always)]
pub fn number_of_effects(key: RuleKey, shape: RuleShape) -> Option<u16> {
    let first = RuleShape::page(shape.bucket(key), 0);
    let (mut page, mut tries) = (first, 2);
    // Two turns of all pages.
    for _ in 0..2 * Page::MOST {
        // SAFETY: a rule is one word, of which all is read at once.
        let found = unsafe { RULES.get(page) };
        if let Some(number) = found.and_then(|page| page.find(key)) {
            return Some(number);
        }
        page += 1;
        if !found.is_some_and(Page::is_full) {
            tries -= 1;
            page = first;
        }
        if tries == 0 {
            break;
        }
    }
    None
}

/// The member entry of the longest subnet with the client's address.
#[inline(always)]
fn subnet(client: &Client) -> Option<Member> {
    let [start, rest] = client.address;
    match client.family {
        Family::V4 => SUBNETS4.get(Key::new(32, start as u32)).copied(),
        Family::V6 => SUBNETS6.get(Key::new(128, [start, rest])).copied(),
    }
}

impl Patterns for KernelMaps {
    #[inline(always)]
    fn part(&self, slot: u32, index: u32) -> Option<&Part> {
        let [part] = PATTERNS.get_value(slot, &index)?;
        Some(part)
    }

    #[inline(always)]
    fn audiences(&self, word: u32, generation: Generation) -> u32 {
        GROUPS
            .get(word)
            .map_or(0, |group| group.audiences(generation))
    }

    #[inline(always)]
    fn walk_banks(&self, name: &mut Name, walk: &BankWalk<'_, Self>) {
        Paged::repeat(BankWalk::<Self>::TURNS, walk, name);
    }

    subprograms! { maps_calls pattern }
}

impl Maps for KernelMaps {
    #[inline(always)]
    fn count_hit(&self, key: RuleKey) {
        subprograms::count_hit(key.0);
    }

    #[inline(always)]
    fn count(&self, counter: Counter) {
        cpu_state::add_one(counter);
    }

    #[inline(always)]
    fn interface(&self) -> (u32, &Interface) {
        let index = Paged(self.0).interface();
        (index, interface(index))
    }

    #[inline(always)]
    fn now(&self) -> u64 {
        coarse_now()
    }

    #[inline(always)]
    fn take_from(&self, bucket: u32, per_second: u64) -> bool {
        let Some(allowance) = ALLOWANCES.get_ptr_mut(bucket) else {
            return false;
        };
        // SAFETY: where two CPUs take from one bucket at once, one of them may take for nothing.
        unsafe { (*allowance).take(self.now(), per_second) }
    }

    #[inline(always)]
    fn report(&self, settings: &Settings, scratch: &mut Scratch, reason: Reason) {
        subprograms::report(self.0, settings, scratch, reason.index());
    }

    subprograms! { maps_calls client }
}

/// The table of flows.
pub struct FlowMaps;

impl Flows for FlowMaps {
    #[inline(always)]
    fn bucket(&mut self, index: u32) -> Option<&mut Bucket> {
        // SAFETY: nobody else changes a bucket's places while its lock is held; who looks without
        // it must expect a change at any time, and does no more for it than one look-up too many.
        BUCKETS
            .get_ptr_mut(index)
            .map(|bucket| unsafe { &mut *bucket })
    }

    #[inline(always)]
    fn flow(&mut self, place: u32) -> Option<(&mut Flow, &mut MessageBuffer)> {
        let (flow, spare) = (FLOWS.get_ptr_mut(place)?, cpu_state::SPARE.get_ptr_mut(0)?);
        // SAFETY: the flow's bucket is locked, and the spare room is this CPU's own.
        Some(unsafe { (&mut *flow, &mut *spare) })
    }

    #[inline(always)]
    fn quic_bucket(&mut self, index: u32) -> Option<&mut Bucket> {
        // SAFETY: as of the other buckets, nobody else changes its places while its lock is held.
        QUIC_BUCKETS
            .get_ptr_mut(index)
            .map(|bucket| unsafe { &mut *bucket })
    }

    #[inline(always)]
    fn quic_flow(&mut self, place: u32) -> Option<(&mut QuicFlow, &mut QuicRoom)> {
        let (flow, room) = (QUIC_FLOWS.get_ptr_mut(place)?, QUIC_ROOM.get_ptr_mut(0)?);
        // SAFETY: the flow's bucket is locked, and the room is this CPU's own.
        Some(unsafe { (&mut *flow, &mut *room) })
    }
}

/// What is done with packets that come in by the interface with this index.
#[inline(always)]
pub fn interface(index: u32) -> &'static Interface {
    INTERFACES.get(index).unwrap_or(&DEFAULT_INTERFACE)
}

/// The flow at this place, without its bucket's lock.
#[inline(always)]
pub fn flow_at(place: u32) -> Option<&'static mut Flow> {
    // SAFETY: of what another CPU may change meanwhile, only whole words are read, and what is
    // wrong of them has a reset sent once more or once less.
    FLOWS.get_ptr_mut(place).map(|flow| unsafe { &mut *flow })
}

/// Runs another program in place of this one, with a stack of its own. Comes back only if there is
/// none, and counts that: the controller fills the map before it attaches.
#[inline(always)]
pub fn tail_call(ctx: *mut xdp_md, programs: &'static ProgramArray, program: Program) {
    // SAFETY: the programs of the map are of this kind.
    unsafe { programs.tail_call(&XdpContext::new(ctx), program as u32) };
    subprograms::program_not_run();
}

/// Counts a packet that this rule decided about.
#[inline(always)]
pub fn add_hit(key: u64) {
    for attempt in 0..HitLine::TRIES {
        let Some(line) = HITS.get_ptr_mut(HitLine::of(RuleKey(key), attempt)) else {
            return;
        };
        // SAFETY: the pointer is to a value of the map, of which words are changed by single
        // instructions only.
        let places = unsafe { &mut (*line).0 };
        for place in &mut *places {
            if place.rule == key {
                return add_atomically(&mut place.packets);
            }
        }
        for place in &mut *places {
            // Another CPU may take it for the same rule.
            if place.rule == 0
                && matches!(exchange_if(&mut place.rule, 0, key), was if was == 0 || was == key)
            {
                return add_atomically(&mut place.packets);
            }
        }
    }
    cpu_state::add_one(Counter::HitsLost);
}

/// Nanoseconds of the monotonic clock as of the last timer tick: some milliseconds old, which is
/// near enough for what is given out by the second. To read the clock itself takes 20 ns.
#[inline(always)]
pub fn coarse_now() -> u64 {
    // SAFETY: the helper takes no argument.
    unsafe { bpf_ktime_get_coarse_ns() }
}
