//! The functions of the table of subprograms, and what the maps have of their own: global
//! functions, which the verifier checks by themselves (see `filter_core::subprograms`).

use core::ptr::null_mut;

use aya_ebpf::bindings::xdp_md;
use filter_core::{
    ActivePolicy, BANKS, Buffered, Counter, Effect, Flow, Generation, HandshakeBytes, HashKey,
    HelloEnd, Inspection, Layer, MessageBuffer, Name, NameEnd, Part, Patterns as _, Precedence,
    QuicFlow, QuicRoom, Reason, RuleKey, Scratch, SegmentKind, Settings, Way,
    bounds::Span,
    return_codes::{NOT_RUN, ReturnCode},
    subprograms, take_effect as take_these_effects, take_effect_of_bank as take_these_of_bank,
};

use crate::{
    arguments::{Argument, Pointer},
    cpu_state, events,
    frame::{self, Paged},
    maps::{self, FlowMaps, KernelMaps},
};

/// No function here continues with another program, so that both kinds of programs may call it.
type Linear = frame::Linear<false>;

/// Counts a function that got no pointer where it needs one; gives what it gives back then.
#[inline(always)]
fn not_run() -> u32 {
    cpu_state::add_one(Counter::FunctionNotRun);
    NOT_RUN
}

/// [`maps::number_of_effects`]; [`Effect::NONE`] if there is none.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn number_of_effects(key: u64, in_force: u64) -> u32 {
    maps::number_of_effects(RuleKey(key), ActivePolicy::from_word(in_force).shape())
        .unwrap_or(Effect::NONE)
        .into()
}

/// [`filter_core::take_effect`] with those of this number, and those of further banks; 1 or 0.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn take_effect(
    name: *mut Name,
    key: u64,
    number: u32,
    in_force: u64,
    left: u32,
) -> u32 {
    let Some(taken) = name.taken() else {
        return not_run();
    };
    let in_force = ActivePolicy::from_word(in_force);
    let Some(entry) = maps::effect(number) else {
        return 0;
    };
    if take_these_effects(
        taken,
        RuleKey(key),
        entry.of(in_force.generation()),
        in_force,
        left,
    ) {
        return 1;
    }
    let mut next = u64::from(entry.next);
    // All as wide as a register: narrower numbers are cut in each turn.
    for _ in 1..u64::from(BANKS) {
        if next == 0 {
            break;
        }
        next = take_effect_of_bank(name, key, next, in_force.word(), left);
        if next == JUDGED {
            return 1;
        }
    }
    0
}

/// What [`take_effect_of_bank`] gives if nothing can prevail any more.
const JUDGED: u64 = u64::MAX;

/// [`filter_core::take_effect_of_bank`] with those of this place; gives the place of those of the
/// next bank, 0 for none.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn take_effect_of_bank(
    name: *mut Name,
    key: u64,
    place: u64,
    in_force: u64,
    left: u32,
) -> u64 {
    let Some(name) = name.taken() else {
        not_run();
        return 0;
    };
    let in_force = ActivePolicy::from_word(in_force);
    let generation = in_force.generation();
    let Some(entry) = maps::effect(place as u32) else {
        return 0;
    };
    let audiences = KernelMaps::without_frame().audiences(name.row() + entry.bank, generation);
    let of_bank = (entry.bank, audiences);
    let judged = take_these_of_bank(
        name,
        RuleKey(key),
        entry.of(generation),
        of_bank,
        in_force,
        left,
    );
    if judged { JUDGED } else { entry.next.into() }
}

/// [`maps::add_hit`]; gives 0.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn count_hit(key: u64) -> u32 {
    maps::add_hit(key);
    0
}

/// Makes the functions of the table of subprograms that are over a frame of this kind; their names
/// end with the suffix.
macro_rules! over_frames {
    ([$frame:ident $suffix:literal]) => {};
    ([$frame:ident $suffix:literal] packet { $($line:tt)* } $($rest:tt)*) => {
        functions! { $frame $suffix [] $($line)* }
        over_frames! { [$frame $suffix] $($rest)* }
    };
    ([$frame:ident $suffix:literal] frame { $($line:tt)* } $($rest:tt)*) => {
        functions! { $frame $suffix [] $($line)* }
        over_frames! { [$frame $suffix] $($rest)* }
    };
    ([$frame:ident $suffix:literal] frame_and_flows { $($line:tt)* } $($rest:tt)*) => {
        functions! { $frame $suffix [&mut FlowMaps] $($line)* }
        over_frames! { [$frame $suffix] $($rest)* }
    };
    ([$frame:ident $suffix:literal] $other:ident $lines:tt $($rest:tt)*) => {
        over_frames! { [$frame $suffix] $($rest)* }
    };
}

/// Makes those that are over frames in one buffer only, or that read no frame or any.
macro_rules! over_flows {
    ([]) => {};
    ([] linear { $($line:tt)* } $($rest:tt)*) => {
        functions! { Linear "" [] $($line)* }
        over_flows! { [] $($rest)* }
    };
    ([] flow { $($line:tt)* } $($rest:tt)*) => {
        functions! { Paged "" [] $($line)* }
        over_flows! { [] $($rest)* }
    };
    ([] flows { $($line:tt)* } $($rest:tt)*) => {
        functions_without_frame! { [&mut FlowMaps] $($line)* }
        over_flows! { [] $($rest)* }
    };
    ([] flow_only { $($line:tt)* } $($rest:tt)*) => {
        functions_without_frame! { [] $($line)* }
        over_flows! { [] $($rest)* }
    };
    ([] buffered { $($line:tt)* } $($rest:tt)*) => {
        functions_over_buffered_bytes! { $($line)* }
        over_flows! { [] $($rest)* }
    };
    ([] buffered_only { $($line:tt)* } $($rest:tt)*) => {
        functions_over_buffered_bytes_alone! { $($line)* }
        over_flows! { [] $($rest)* }
    };
    ([] name { $($line:tt)* } $($rest:tt)*) => {
        functions_over_values! { $($line)* }
        over_flows! { [] $($rest)* }
    };
    ([] hash { $($line:tt)* } $($rest:tt)*) => {
        functions_over_values! { $($line)* }
        over_flows! { [] $($rest)* }
    };
    ([] pattern { $($line:tt)* } $($rest:tt)*) => {
        functions_over_values! { $($line)* }
        over_flows! { [] $($rest)* }
    };
    ([] parts { $($line:tt)* } $($rest:tt)*) => {
        functions_over_maps! { [] $($line)* }
        over_flows! { [] $($rest)* }
    };
    ([] client { $($line:tt)* } $($rest:tt)*) => {
        functions_over_maps! { [ctx: *mut xdp_md] $($line)* }
        over_flows! { [] $($rest)* }
    };
    ([] $other:ident $lines:tt $($rest:tt)*) => { over_flows! { [] $($rest)* } };
}

/// Makes functions that are methods of their first argument.
macro_rules! functions_over_values {
    ($($name:ident($value:ident: $kind:ty $(, $argument:ident: $more:ty)*) -> $result:ty;)*) => {$(
        #[doc = concat!("The method of this name of the first argument, `", stringify!($kind), "`.")]
        #[unsafe(no_mangle)]
        #[inline(never)]
        pub extern "C" fn $name(
            $value: <$kind as Argument>::Raw
            $(, $argument: <$more as Argument>::Raw)*
        ) -> <$result as ReturnCode>::Code {
            let arguments = (<$kind>::from_raw($value), $(<$more>::from_raw($argument)),*);
            let (Some($value), $(Some($argument)),*) = arguments else { return not_run().into() };
            let result: $result = $value.$name($($argument),*);
            result.code()
        }
    )*};
}

/// Makes functions over the maps, and over any frame where there is one.
macro_rules! functions_over_maps {
    ([] $($name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {$(
        #[doc = concat!("[`filter_core::", stringify!($name), "`].")]
        #[unsafe(no_mangle)]
        #[inline(never)]
        pub extern "C" fn $name($($argument: <$kind as Argument>::Raw),*) -> <$result as ReturnCode>::Code {
            let arguments = ($(<$kind>::from_raw($argument)),*);
            let ($(Some($argument)),*) = arguments else { return not_run().into() };
            let result: $result = filter_core::$name(&KernelMaps::without_frame(), $($argument),*);
            result.code()
        }
    )*};
    ([$ctx:ident: $context:ty] $($name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {$(
        #[doc = concat!("[`filter_core::", stringify!($name), "`].")]
        #[unsafe(no_mangle)]
        #[inline(never)]
        pub extern "C" fn $name(
            $ctx: $context,
            $($argument: <$kind as Argument>::Raw),*
        ) -> <$result as ReturnCode>::Code {
            let arguments = ($(<$kind>::from_raw($argument)),*);
            let ($(Some($argument)),*) = arguments else { return not_run().into() };
            let result: $result = filter_core::$name(&Paged($ctx), &KernelMaps($ctx), $($argument),*);
            result.code()
        }
    )*};
}

/// Makes functions over a frame of this kind.
macro_rules! functions {
    ($frame:ident $suffix:literal [] $($name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {$(
        #[doc = concat!("[`Inspection::", stringify!($name), "`], for this kind of frame.")]
        #[unsafe(export_name = concat!(stringify!($name), $suffix))]
        #[inline(never)]
        pub extern "C" fn $name(
            ctx: *mut xdp_md,
            settings: *const Settings,
            scratch: *mut Scratch,
            $($argument: <$kind as Argument>::Raw),*
        ) -> u32 {
            let arguments = (settings.taken(), scratch.taken(), $(<$kind>::from_raw($argument)),*);
            let (Some(settings), Some(scratch), $(Some($argument)),*) = arguments else { return not_run() };
            let mut inspection = Inspection { packet: &$frame::new(ctx), settings, maps: &KernelMaps(ctx), scratch };
            let result: $result = inspection.$name($($argument),*);
            result.code()
        }
    )*};
    ($frame:ident $suffix:literal [$flows:expr] $($name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {$(
        #[doc = concat!("[`Inspection::", stringify!($name), "`], for this kind of frame.")]
        #[unsafe(export_name = concat!(stringify!($name), $suffix))]
        #[inline(never)]
        pub extern "C" fn $name(
            ctx: *mut xdp_md,
            settings: *const Settings,
            scratch: *mut Scratch,
            $($argument: <$kind as Argument>::Raw),*
        ) -> u32 {
            let arguments = (settings.taken(), scratch.taken(), $(<$kind>::from_raw($argument)),*);
            let (Some(settings), Some(scratch), $(Some($argument)),*) = arguments else { return not_run() };
            let mut inspection = Inspection { packet: &$frame::new(ctx), settings, maps: &KernelMaps(ctx), scratch };
            let result: $result = inspection.$name($flows, $($argument),*);
            result.code()
        }
    )*};
}

/// Makes functions that read nothing of the frame.
macro_rules! functions_without_frame {
    ([] $($name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {$(
        #[doc = concat!("[`Inspection::", stringify!($name), "`].")]
        #[unsafe(no_mangle)]
        #[inline(never)]
        pub extern "C" fn $name(
            settings: *const Settings,
            scratch: *mut Scratch,
            $($argument: <$kind as Argument>::Raw),*
        ) -> u32 {
            let arguments = (settings.taken(), scratch.taken(), $(<$kind>::from_raw($argument)),*);
            let (Some(settings), Some(scratch), $(Some($argument)),*) = arguments else { return not_run() };
            let packet = &Paged(null_mut());
            let mut inspection = Inspection { packet, settings, maps: &KernelMaps::without_frame(), scratch };
            let result: $result = inspection.$name($($argument),*);
            result.code()
        }
    )*};
    ([$flows:expr] $($name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {$(
        #[doc = concat!("[`Inspection::", stringify!($name), "`].")]
        #[unsafe(no_mangle)]
        #[inline(never)]
        pub extern "C" fn $name(
            settings: *const Settings,
            scratch: *mut Scratch,
            $($argument: <$kind as Argument>::Raw),*
        ) -> u32 {
            let arguments = (settings.taken(), scratch.taken(), $(<$kind>::from_raw($argument)),*);
            let (Some(settings), Some(scratch), $(Some($argument)),*) = arguments else { return not_run() };
            let packet = &Paged(null_mut());
            let mut inspection = Inspection { packet, settings, maps: &KernelMaps::without_frame(), scratch };
            let result: $result = inspection.$name($flows, $($argument),*);
            result.code()
        }
    )*};
}

/// Makes functions over bytes that are held of a flow.
macro_rules! functions_over_buffered_bytes {
    ($($name:ident(span: Span) -> $result:ty;)*) => {$(
        #[doc = concat!("[`Inspection::", stringify!($name), "`].")]
        #[unsafe(no_mangle)]
        #[inline(never)]
        pub extern "C" fn $name(
            ctx: *mut xdp_md,
            settings: *const Settings,
            scratch: *mut Scratch,
            bytes: *const MessageBuffer,
            span: u64,
        ) -> u32 {
            let arguments = (settings.taken(), scratch.taken(), bytes.taken());
            let (Some(settings), Some(scratch), Some(bytes)) = arguments else { return not_run() };
            let span = Span::from_word(span);
            let packet = &Buffered { frame: &Paged(ctx), bytes, len: span.end };
            let mut inspection = Inspection { packet, settings, maps: &KernelMaps(ctx), scratch };
            let result: $result = inspection.$name(span);
            result.code()
        }
    )*};
}

/// Makes functions over such bytes that read nothing of the frame.
macro_rules! functions_over_buffered_bytes_alone {
    ($($name:ident($argument:ident: $kind:ty, span: Span) -> $result:ty;)*) => {$(
        #[doc = concat!("[`Inspection::", stringify!($name), "`], which reads nothing of the frame.")]
        #[unsafe(no_mangle)]
        #[inline(never)]
        pub extern "C" fn $name(
            settings: *const Settings,
            scratch: *mut Scratch,
            bytes: *const MessageBuffer,
            $argument: $kind,
            span: u64,
        ) -> u32 {
            let arguments = (settings.taken(), scratch.taken(), bytes.taken());
            let (Some(settings), Some(scratch), Some(bytes)) = arguments else { return not_run() };
            let span = Span::from_word(span);
            let packet = &Buffered { frame: &Paged(null_mut()), bytes, len: span.end };
            let mut inspection = Inspection { packet, settings, maps: &KernelMaps::without_frame(), scratch };
            let result: $result = inspection.$name($argument, span);
            result.code()
        }
    )*};
}

/// For frames in one buffer.
pub mod linear {
    #[expect(clippy::wildcard_imports, reason = "what the lines of the table name")]
    use super::*;

    subprograms! { over_frames Linear "" }
}

/// For frames that may lie in several buffers.
pub mod paged {
    #[expect(clippy::wildcard_imports, reason = "what the lines of the table name")]
    use super::*;

    subprograms! { over_frames Paged "_paged" }
}

/// For both, or for one of them only.
pub mod any {
    use super::*;

    subprograms! { over_flows }
}

/// [`events::report`]; gives 0.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn report(
    ctx: *mut xdp_md,
    settings: *const Settings,
    scratch: *mut Scratch,
    reason: u32,
) -> u32 {
    let (Some(settings), Some(scratch)) = (settings.taken(), scratch.taken()) else {
        return not_run();
    };
    if let Some(reason) = Reason::from_index(reason) {
        events::report(ctx, reason, settings, scratch);
    }
    0
}

/// [`events::send_waiting`]; gives 0.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn send_reports(scratch: *mut Scratch) -> u32 {
    let Some(scratch) = scratch.taken() else {
        return not_run();
    };
    events::send_waiting(scratch);
    0
}

/// [`events::send_waiting`] where the client was given nothing; gives 0. In the programs
/// themselves, this would not fit on the stack.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn send_reports_of_nothing(scratch: *mut Scratch) -> u32 {
    let Some(scratch) = scratch.taken() else {
        return not_run();
    };
    scratch.give_nothing();
    events::send_waiting(scratch);
    0
}

/// Counts a tail call that came back; gives 0. For its place on the stack likewise.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn program_not_run() -> u32 {
    cpu_state::add_one(Counter::ProgramNotRun);
    0
}

/// [`events::send_waiting_at`]; gives 0.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn send_report(scratch: *const Scratch, place: u32) -> u32 {
    let Some(scratch) = scratch.taken() else {
        return not_run();
    };
    events::send_waiting_at(scratch, place);
    0
}

/// Logs a line for a frame; gives 0. In the programs themselves, what the line takes would not fit
/// on the stack ("combined stack size").
#[cfg(feature = "trace")]
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn trace(ctx: *mut xdp_md, reason: u32) -> u32 {
    let ctx = aya_ebpf::programs::XdpContext::new(ctx);
    aya_log_ebpf::info!(
        &ctx,
        "frame of {} bytes: reason {}",
        ctx.data_end() - ctx.data(),
        reason
    );
    0
}
