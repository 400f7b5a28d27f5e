//! Parts that the verifier goes through once, whatever the number of ways that lead to them.
//!
//! A function that is exported and has plain arguments becomes a global function of BTF: the verifier checks it by
//! itself, for any arguments, and then takes each call as one instruction. Inlined, these loops would be checked again
//! for each way through the headers: more than a million instructions.

use core::ptr::null_mut;

use aya_ebpf::bindings::xdp_md;
use filter_core::{
    Flow, Generation, HashKey, Held, HeldBytes, InForce, Judge, Layer, Name, Part, Reason, RuleKey, Scratch, Settings,
    Terms, group_of as group_of_one_client, rank_of, run_part, take_terms as take_these_terms,
};

use crate::{
    events,
    frame::{self, Paged},
    maps::{self, FlowMaps, KernelMaps},
    numbers::{dns_number, found, found_number, hello_number, reason, taken_number},
};

/// No function here continues with another program, so that both kinds of programs may call it.
type Linear = frame::Linear<false>;

/// [`Name::find_labels`]; gives the number of its `NameEnd`.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn find_labels(name: *mut Name) -> u32 {
    // SAFETY: the verifier lets nobody call this with another pointer than to a name, or null.
    let Some(name) = (unsafe { name.as_mut() }) else { return u32::MAX };
    name.find_labels().0
}

/// [`Name::hash_label`]; 0 for none.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn hash_label(name: *const Name, key: *const HashKey, parent: u64, place: u32) -> u64 {
    // SAFETY: as above.
    let (Some(name), Some(key)) = (unsafe { name.as_ref() }, unsafe { key.as_ref() }) else { return 0 };
    name.hash_label(key, parent, place)
}

/// [`filter_core::rank_of`] over the maps; gives the number of the rank.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn rank(ctx: *mut xdp_md, settings: *const Settings, scratch: *mut Scratch, of_response: u32) -> u32 {
    // SAFETY: as above.
    let (Some(settings), Some(scratch)) = (unsafe { settings.as_ref() }, unsafe { scratch.as_mut() }) else {
        return 0;
    };
    rank_of(&Paged(ctx), settings, &KernelMaps(ctx), scratch, of_response != 0) as u32
}

/// [`filter_core::group_of`] over the maps.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn group_of(ctx: *mut xdp_md, scratch: *const Scratch, generation: u32, of_response: u32) -> u32 {
    // SAFETY: as above.
    let Some(scratch) = (unsafe { scratch.as_ref() }) else { return 0 };
    let generation = Generation::from_index(generation);
    group_of_one_client(&Paged(ctx), &KernelMaps(ctx), scratch, generation, of_response != 0)
}

/// [`maps::number_of_terms`]; [`Terms::NONE`] if there is none.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn number_of_terms(key: u64, in_force: u64) -> u32 {
    maps::number_of_terms(RuleKey(key), InForce::from_word(in_force).shape()).unwrap_or(Terms::NONE).into()
}

/// [`filter_core::take_terms`] with those of this number; 1 or 0.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn take_terms(name: *mut Name, key: u64, number: u32, in_force: u64, left: u32) -> u32 {
    // SAFETY: as above.
    let Some(name) = (unsafe { name.as_mut() }) else { return 0 };
    let in_force = InForce::from_word(in_force);
    let terms = maps::terms(number, in_force.generation());
    terms.is_some_and(|terms| take_these_terms(name, RuleKey(key), terms, in_force, left)).into()
}

/// [`maps::add_hit`]; gives 0.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn count_hit(key: u64) -> u32 {
    maps::add_hit(key);
    0
}

/// [`filter_core::run_part`]; 1 or 0.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn run(name: *mut Name, slot: u32, index: u32) -> u32 {
    // SAFETY: as above.
    let Some(name) = (unsafe { name.as_mut() }) else { return 0 };
    u32::from(run_part(name, &KernelMaps::without_frame(), slot, index))
}

/// [`Part::step_to_best`]; 1 or 0.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn step(part: *const Part, name: *mut Name) -> u32 {
    // SAFETY: as above.
    let (Some(part), Some(name)) = (unsafe { part.as_ref() }, unsafe { name.as_mut() }) else { return 0 };
    u32::from(part.step_to_best(name))
}

macro_rules! judging {
    ($($name:ident, $frame:ident, |$judge:ident, $at:ident, $end:ident| $body:expr;)+) => {$(
        /// The method of [`Judge`] that it is named after, for this kind of frame; gives the number of its result.
        #[unsafe(no_mangle)]
        #[inline(never)]
        pub extern "C" fn $name(
            ctx: *mut xdp_md,
            settings: *const Settings,
            scratch: *mut Scratch,
            $at: u32,
            $end: u32,
        ) -> u32 {
            // SAFETY: as above.
            let (Some(settings), Some(scratch)) = (unsafe { settings.as_ref() }, unsafe { scratch.as_mut() }) else {
                return u32::MAX;
            };
            let mut $judge = Judge { packet: &$frame::new(ctx), settings, maps: &KernelMaps(ctx), scratch };
            $body
        }
    )+};
}

judging! {
    dns_message, Linear, |judge, at, end| dns_number(judge.dns_message(at, end));
    dns_sections, Linear, |judge, at, end| judge.dns_sections(at, end).index();
    dns_sections_paged, Paged, |judge, at, end| judge.dns_sections(at, end).index();
    second_message, Linear, |judge, end, first| found(judge.second_message(end, reason(first)));
    second_message_paged, Paged, |judge, end, first| found(judge.second_message(end, reason(first)));
    client_hello, Linear, |judge, at, end| hello_number(judge.client_hello(at, end));
    client_hello_paged, Paged, |judge, at, end| hello_number(judge.client_hello(at, end));
    layered, Linear, |judge, layer, at| found_number(judge.layered(Layer(layer), at), judge.scratch);
    layered_paged, Paged, |judge, layer, at| found_number(judge.layered(Layer(layer), at), judge.scratch);
}

macro_rules! reading_names {
    ($($name:ident, $frame:ident;)+) => {$(
        /// [`Judge::read_name`], for this kind of frame; gives the number of its `NameEnd`.
        #[unsafe(no_mangle)]
        #[inline(never)]
        pub extern "C" fn $name(
            ctx: *mut xdp_md,
            settings: *const Settings,
            scratch: *mut Scratch,
            message_at: u32,
            range: u64,
        ) -> u32 {
            // SAFETY: as above.
            let (Some(settings), Some(scratch)) = (unsafe { settings.as_ref() }, unsafe { scratch.as_mut() }) else {
                return u32::MAX;
            };
            let mut judge = Judge { packet: &$frame::new(ctx), settings, maps: &KernelMaps(ctx), scratch };
            judge.read_name(message_at, start(range), end(range)).0
        }
    )+};
}

reading_names! {
    read_name, Linear;
    read_name_paged, Paged;
}

/// [`Judge::read_name`] over held bytes; gives the number of its `NameEnd`.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn read_held_name(
    settings: *const Settings,
    scratch: *mut Scratch,
    bytes: *const HeldBytes,
    message_at: u32,
    range: u64,
) -> u32 {
    // SAFETY: as above.
    let (Some(settings), Some(scratch)) = (unsafe { settings.as_ref() }, unsafe { scratch.as_mut() }) else {
        return u32::MAX;
    };
    // SAFETY: as above.
    let Some(bytes) = (unsafe { bytes.as_ref() }) else { return u32::MAX };
    let packet = &Held { frame: &Paged(null_mut()), bytes, len: end(range) };
    let mut judge = Judge { packet, settings, maps: &KernelMaps::without_frame(), scratch };
    judge.read_name(message_at, start(range), end(range)).0
}

macro_rules! judging_segments {
    ($($name:ident, $frame:ident, |$judge:ident| $body:expr;)+) => {$(
        /// The method of [`Judge`] that it is named after, over what the scratch has at hand; gives the number of its result.
        #[unsafe(no_mangle)]
        #[inline(never)]
        pub extern "C" fn $name(ctx: *mut xdp_md, settings: *const Settings, scratch: *mut Scratch) -> u32 {
            // SAFETY: as above.
            let (Some(settings), Some(scratch)) = (unsafe { settings.as_ref() }, unsafe { scratch.as_mut() }) else {
                return u32::MAX;
            };
            let $judge = &mut Judge { packet: &$frame::new(ctx), settings, maps: &KernelMaps(ctx), scratch };
            $body
        }
    )+};
}

judging_segments! {
    take_segment, Linear, |judge| taken_number(judge.take_segment(&mut FlowMaps));
    take_segment_paged, Paged, |judge| taken_number(judge.take_segment(&mut FlowMaps));
    next_message, Linear, |judge| {
        judge.next_message();
        0
    };
    next_message_paged, Paged, |judge| {
        judge.next_message();
        0
    };
    whole_messages, Linear, |judge| judge.whole_messages().index();
    whole_messages_paged, Paged, |judge| judge.whole_messages().index();
}

macro_rules! without_frame {
    ($($name:ident, |$judge:ident $(, $argument:ident: $kind:ty)*| $body:expr;)+) => {$(
        /// The method of [`Judge`] that it is named after, which reads nothing of the frame; gives the number of its
        /// result. (LLVM hands over anything for an argument that is not used, and the verifier refuses that.)
        #[unsafe(no_mangle)]
        #[inline(never)]
        pub extern "C" fn $name(settings: *const Settings, scratch: *mut Scratch $(, $argument: *mut $kind)*) -> u32 {
            // SAFETY: as above.
            let (Some(settings), Some(scratch)) = (unsafe { settings.as_ref() }, unsafe { scratch.as_mut() }) else {
                return u32::MAX;
            };
            $(
                // SAFETY: as above.
                let Some($argument) = (unsafe { $argument.as_mut() }) else { return u32::MAX };
            )*
            let packet = &Paged(null_mut());
            let $judge = &mut Judge { packet, settings, maps: &KernelMaps::without_frame(), scratch };
            $body
        }
    )+};
}

without_frame! {
    empty_segment, |judge| judge.empty_segment(&mut FlowMaps).index();
    find_flow, |judge| judge.find_flow(&mut FlowMaps);
    begin_flow, |judge| judge.begin_flow(&mut FlowMaps);
    join_records, |judge, flow: Flow, spare: HeldBytes| judge.join_records(flow, spare).0;
    forget_judged, |judge, flow: Flow, spare: HeldBytes| {
        judge.forget_judged(flow, spare);
        0
    };
}

macro_rules! judging_flows {
    ($($name:ident, |$judge:ident, $flow:ident, $argument:ident: $kind:ty| $body:expr;)+) => {$(
        /// The method of [`Judge`] that it is named after, over a flow; gives the number of its result.
        #[unsafe(no_mangle)]
        #[inline(never)]
        pub extern "C" fn $name(
            ctx: *mut xdp_md,
            settings: *const Settings,
            scratch: *mut Scratch,
            flow: *mut Flow,
            $argument: $kind,
        ) -> u32 {
            // SAFETY: as above.
            let (Some(settings), Some(scratch)) = (unsafe { settings.as_ref() }, unsafe { scratch.as_mut() }) else {
                return u32::MAX;
            };
            // SAFETY: as above.
            let Some($flow) = (unsafe { flow.as_mut() }) else { return u32::MAX };
            let $judge = &mut Judge { packet: &Paged(ctx), settings, maps: &KernelMaps(ctx), scratch };
            $body
        }
    )+};
}

judging_flows! {
    hold_segment, |judge, flow, offset: u32| u32::from(judge.hold_segment(flow, offset));
    all_held_messages, |judge, flow, so_far: u32| judge.all_held_messages(flow, reason(so_far)).index();
    held_messages, |judge, flow, so_far: u32| judge.held_messages(flow, reason(so_far)).index();
}

macro_rules! judging_held {
    ($($name:ident, |$judge:ident, $at:ident, $end:ident| $body:expr;)+) => {$(
        /// The method of [`Judge`] that it is named after, over held bytes; gives the number of its result.
        #[unsafe(no_mangle)]
        #[inline(never)]
        pub extern "C" fn $name(
            ctx: *mut xdp_md,
            settings: *const Settings,
            scratch: *mut Scratch,
            bytes: *const HeldBytes,
            range: u64,
        ) -> u32 {
            // SAFETY: as above.
            let (Some(settings), Some(scratch)) = (unsafe { settings.as_ref() }, unsafe { scratch.as_mut() }) else {
                return u32::MAX;
            };
            // SAFETY: as above.
            let Some(bytes) = (unsafe { bytes.as_ref() }) else { return u32::MAX };
            let ($at, $end) = (start(range), end(range));
            let packet = &Held { frame: &Paged(ctx), bytes, len: $end };
            let mut $judge = Judge { packet, settings, maps: &KernelMaps(ctx), scratch };
            $body
        }
    )+};
}

judging_held! {
    held_dns_message, |judge, at, end| judge.dns_sections(at, end).index();
    held_hello, |judge, at, end| hello_number(judge.held_hello(at, end));
}

/// Two offsets as one argument: a function takes five at most.
#[inline(always)]
pub fn range(start: u32, end: u32) -> u64 {
    u64::from(start) | (u64::from(end) << 32)
}

#[inline(always)]
fn start(range: u64) -> u32 {
    range as u32
}

#[inline(always)]
fn end(range: u64) -> u32 {
    (range >> 32) as u32
}

/// [`events::report`]; gives 0.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn report(ctx: *mut xdp_md, settings: *const Settings, scratch: *const Scratch, reason: u32) -> u32 {
    // SAFETY: as above.
    if let (Some(settings), Some(scratch)) = (unsafe { settings.as_ref() }, unsafe { scratch.as_ref() })
        && let Some(reason) = Reason::from_index(reason)
    {
        events::report(ctx, reason, settings, scratch);
    }
    0
}

/// Logs a line for a frame; gives 0. In the programs themselves, what the line takes would not fit on the stack ("combined
/// stack size").
#[cfg(feature = "trace")]
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn trace(ctx: *mut xdp_md, reason: u32) -> u32 {
    let ctx = aya_ebpf::programs::XdpContext::new(ctx);
    aya_log_ebpf::info!(&ctx, "frame of {} bytes: reason {}", ctx.data_end() - ctx.data(), reason);
    0
}
